package plan

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// closers are calls that a closed door refuses, for each, and how.
func closers(t testing.TB) map[policy.Door][]closer {
	refused := seccomp.Errno(unix.EPERM)
	all := map[policy.Door][]closer{
		policy.DoorNamespaces: {
			{"unshare", []uint64{unix.CLONE_NEWNS}, refused}, {"clone", []uint64{unix.CLONE_NEWUSER | unix.CLONE_VM}, refused},
			{"clone3", nil, seccomp.Errno(unix.ENOSYS)},
		},
		policy.DoorDevices: {
			{"mknod", []uint64{0, unix.S_IFBLK, 8 << 8}, refused}, {"mknodat", []uint64{0, 0, unix.S_IFCHR, 1<<8 | 1}, refused},
		},
		policy.DoorPtrace: {
			{"prctl", []uint64{unix.PR_SET_MM, unix.PR_SET_MM_EXE_FILE, 3}, refused},
			{"prctl", []uint64{unix.PR_SET_MM, 1<<32 | unix.PR_SET_MM_MAP, 0x1000}, refused},
		},
		policy.DoorRawSockets: {
			{"socket", []uint64{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW}, refused},
			{"socket", []uint64{unix.AF_INET6, unix.SOCK_RAW | unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6}, refused},
			{"socket", []uint64{unix.AF_PACKET, unix.SOCK_DGRAM, 0x300}, refused},
			{"socket", []uint64{unix.AF_INET, unix.SOCK_PACKET, 0x300}, refused},
			{"socket", []uint64{unix.AF_XDP, unix.SOCK_RAW, 0}, refused},
		},
		policy.DoorSocketFamilies: {
			{"socket", []uint64{unix.AF_ALG, unix.SOCK_SEQPACKET, 0}, seccomp.Errno(unix.EAFNOSUPPORT)},
			{"socket", []uint64{unix.AF_VSOCK, unix.SOCK_STREAM, 0}, seccomp.Errno(unix.EAFNOSUPPORT)},
			{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP}, seccomp.Errno(unix.EPROTONOSUPPORT)},
			{"socket", []uint64{unix.AF_INET, unix.SOCK_SEQPACKET, 0}, seccomp.Errno(unix.ESOCKTNOSUPPORT)},
			{"socket", []uint64{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER}, seccomp.Errno(unix.EPROTONOSUPPORT)},
			{"socketpair", []uint64{unix.AF_TIPC, unix.SOCK_STREAM, 0}, seccomp.Errno(unix.EAFNOSUPPORT)},
		},
	}
	for _, door := range policy.AllDoors.Doors() {
		for _, name := range door.Calls() {
			if _, known := syscalls.Number(event.X8664, name); known {
				all[door] = append(all[door], closer{name, nil, refused})
			}
		}
	}
	for _, door := range policy.AllDoors.Doors() {
		for _, command := range door.Ioctls() {
			all[door] = append(all[door], closer{"ioctl", []uint64{0, command | 0xdead<<32, 0x1000}, refused})
		}
	}
	for _, door := range policy.AllDoors.Doors() {
		if len(all[door]) == 0 && door != policy.DoorForeignABI {
			t.Errorf("nothing is behind the door %v", door)
		}
	}
	return all
}

type closer struct {
	name string
	args []uint64
	want seccomp.Action
}

// TestDoorsAreClosed: what goes around the gate is refused, also when nothing is restricted.
func TestDoorsAreClosed(t *testing.T) {
	for _, o := range []Options{{}, {Classes: typical}, {Classes: policy.Files, FakeUndumpable: true, Credentials: true}} {
		k := build(t, o)
		for door, tries := range closers(t) {
			for _, try := range tries {
				if a := k.call(try.name, try.args...); a != try.want {
					t.Errorf("%v: %s%#x: %v, want %v", door, try.name, try.args, a, try.want)
				}
			}
		}
		for name := range doorOf {
			nr, known := syscalls.Number(event.X8664, name)
			if !known {
				continue
			}
			for _, d := range calls(uint32(nr)) {
				if a := k.action(d); a != seccomp.Errno(unix.EPERM) {
					t.Fatalf("%s%x: %v", name, d.Args, a)
				}
			}
		}
		for _, command := range []uint64{unix.TCGETS, unix.TIOCGWINSZ, unix.TIOCINQ, unix.FS_IOC_GETFLAGS} {
			if a := k.call("ioctl", unix.TIOCSTI, command, unix.TIOCSTI); a != seccomp.Allow {
				t.Errorf("ioctl(%#x): %v", command, a)
			}
		}
	}
}

// TestDoorsOpenOneByOne: an open door lets its calls through, and leaves the others closed.
func TestDoorsOpenOneByOne(t *testing.T) {
	tries := closers(t)
	for _, open := range policy.AllDoors.Doors() {
		k := build(t, Options{Classes: policy.Files, Open: open})
		for door, tries := range tries {
			for _, try := range tries {
				want := try.want
				if door == open {
					want = seccomp.Allow
				}
				if door == open && open == policy.DoorDevices {
					want = seccomp.Notify // their names are judged
				}
				if a := k.call(try.name, try.args...); a != want {
					t.Errorf("%v is open: %v: %s%#x: %v, want %v", open, door, try.name, try.args, a, want)
				}
			}
		}
	}
}

// TestRefusedCallsHaveADoor: what the table of calls says is refused has a key, and is
// refused without it.
func TestRefusedCallsHaveADoor(t *testing.T) {
	for _, abi := range []event.ABI{event.X8664, event.ARM64, event.I386} {
		for _, nr := range syscalls.All(abi) {
			spec := syscalls.Lookup(abi, nr)
			if spec != nil && spec.Effect() == syscalls.EffectRefuse && doorOf[spec.Name] == 0 {
				t.Errorf("%s of %v has no door", spec.Name, abi)
			}
		}
	}
}

// TestFilterOfFanotify: who has a group by the open door may mark in it, and the gate, which
// has no part in it, is not asked.
func TestFilterOfFanotify(t *testing.T) {
	if a := build(t, Options{Classes: policy.Files}).call("fanotify_mark"); a != seccomp.Notify {
		t.Errorf("closed: %v", a)
	}
	if a := build(t, Options{Classes: policy.Files, Open: policy.DoorFanotify}).call("fanotify_mark"); a != seccomp.Allow {
		t.Errorf("open: %v", a)
	}
}

// TestFilterOfSockets goes through all families, types and protocols of socket(2).
func TestFilterOfSockets(t *testing.T) {
	plain := func(family, kind, protocol uint64) bool {
		switch family {
		case unix.AF_UNIX:
			return true
		case unix.AF_INET, unix.AF_INET6:
			return kind == unix.SOCK_STREAM && slices.Contains([]uint64{0, 6, 262}, protocol) ||
				kind == unix.SOCK_DGRAM && slices.Contains([]uint64{0, 1, 17, 58, 136}, protocol)
		case unix.AF_NETLINK:
			return slices.Contains([]uint64{0, 4, 15}, protocol)
		}
		return false
	}
	raw := func(family, kind uint64) bool {
		internet := family == unix.AF_INET || family == unix.AF_INET6
		return family == unix.AF_PACKET || family == unix.AF_XDP || internet && (kind == unix.SOCK_RAW || kind == unix.SOCK_PACKET)
	}
	for _, open := range []policy.Door{0, policy.DoorRawSockets, policy.DoorSocketFamilies, policy.DoorRawSockets | policy.DoorSocketFamilies} {
		k := build(t, Options{Open: open})
		for family := range uint64(50) {
			for kind := range uint64(16) {
				for _, protocol := range []uint64{0, 1, 2, 4, 6, 7, 9, 12, 15, 16, 17, 58, 132, 136, 255, 256, 262, 0x300} {
					for _, flags := range []uint64{0, unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK, 1 << 40} {
						want := plain(family, kind, protocol) || open&policy.DoorSocketFamilies != 0
						if raw(family, kind) {
							want = open&policy.DoorRawSockets != 0
						}
						a := k.call("socket", family|flags&(1<<40), kind|flags, protocol|flags&(1<<40))
						if want != (a == seccomp.Allow) || a == seccomp.Notify {
							t.Fatalf("open %v: socket(%d, %#x, %d): %v", open, family, kind|flags, protocol, a)
						}
					}
				}
			}
			want := slices.Contains([]uint64{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}, family) || open&policy.DoorSocketFamilies != 0
			if a := k.call("socketpair", family, unix.SOCK_STREAM, 0); want != (a == seccomp.Allow) {
				t.Errorf("open %v: socketpair(%d): %v", open, family, a)
			}
		}
	}
}

// TestFilterOfForeignABIs: with their door open calls of other ABIs are not looked at, but
// for the static rules.
func TestFilterOfForeignABIs(t *testing.T) {
	archs := map[event.ABI]uint32{event.I386: unix.AUDIT_ARCH_I386, event.X32: unix.AUDIT_ARCH_X86_64}
	rules := []policy.CallRule{{Calls: []string{"chown", "mmap", "connect", "clock_settime"}, Errno: unix.ENOSYS}, {Calls: []string{"ptrace"}, Kill: true}}
	k := build(t, Options{Classes: policy.Files, Open: policy.DoorForeignABI, Calls: rules})
	denied := map[string]seccomp.Action{"ptrace": seccomp.KillProcess}
	for _, name := range []string{"chown", "chown32", "mmap", "mmap2", "connect", "socketcall", "clock_settime", "clock_settime64", "stime"} {
		denied[name] = seccomp.Errno(unix.ENOSYS)
	}
	for abi, arch := range archs {
		var bit uint32
		if abi == event.X32 {
			bit = 0x40000000
		}
		for nr := range syscalls.Limit(abi) + 100 {
			want := seccomp.Allow
			if action, found := denied[syscalls.Name(abi, int32(nr))]; found {
				want = action
			}
			if a := k.action(seccomp.Data{Nr: nr | bit, Arch: arch}); a != want {
				t.Errorf("%s of %v: %v, want %v", syscalls.Name(abi, int32(nr)), abi, a, want)
			}
		}
	}
	if a := k.call("openat2"); a != seccomp.Notify {
		t.Errorf("openat2: %v", a)
	}
	if a := k.action(seccomp.Data{Nr: 1 << 20, Arch: unix.AUDIT_ARCH_X86_64}); a != seccomp.Errno(unix.ENOSYS) {
		t.Errorf("an unknown number: %v", a)
	}
}
