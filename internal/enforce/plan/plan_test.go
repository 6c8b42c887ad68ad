package plan

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// typical is what a policy restricts that denies by default: all but stat.
const typical = policy.Files &^ event.Stat

// classSets are the restricted classes that the filters are made for.
var classSets = []event.Class{
	0, event.Read, event.Write, event.Create, event.Delete, event.List, event.Stat, event.Attr, event.Exec, event.Connect, event.Bind,
	event.Read | event.List, event.Write | event.Create | event.Delete, typical, policy.Files,
}

// kernel is a filter as the kernel runs it.
type kernel struct {
	*seccomp.Simulator
	t testing.TB
	o Options
}

func build(t testing.TB, o Options) kernel {
	t.Helper()
	o.ABI = event.X8664
	program, err := Filter(o).Program()
	if err != nil {
		t.Fatal(err)
	}
	s, err := seccomp.NewSimulator(program)
	if err != nil {
		t.Fatal(err)
	}
	return kernel{s, t, o}
}

func (k kernel) action(d seccomp.Data) seccomp.Action {
	k.t.Helper()
	a, err := k.Action(d)
	if err != nil {
		k.t.Fatal(err)
	}
	return a
}

// call is what the filter says about a call of x86-64.
func (k kernel) call(name string, args ...uint64) seccomp.Action {
	k.t.Helper()
	d := seccomp.Data{Nr: number(k.t, name), Arch: unix.AUDIT_ARCH_X86_64}
	copy(d.Args[:], args)
	return k.action(d)
}

func number(t testing.TB, name string) uint32 {
	t.Helper()
	nr, ok := syscalls.Number(event.X8664, name)
	if !ok {
		t.Fatalf("no call %q", name)
	}
	return uint32(nr)
}

// values are arguments that mean something to some call, or have garbage where the kernel
// does not look.
func values() []uint64 {
	all := []uint64{
		0, 1, 2, 3, 4, 7, 0x20, 0x100, 0x1000, ^uint64(0), 1 << 31, 1 << 32, 1 << 63, 0xffffffff, 0x7fff12345678,
		unix.O_CREAT, unix.O_CREAT | unix.O_EXCL | unix.O_RDWR, unix.O_TRUNC, unix.O_TRUNC | unix.O_WRONLY, unix.O_TMPFILE, unix.O_TMPFILE | unix.O_RDWR, unix.O_TMPFILE &^ unix.O_DIRECTORY,
		unix.O_PATH, unix.O_PATH | unix.O_CREAT | unix.O_RDWR, unix.O_CLOEXEC, unix.O_CLOEXEC | unix.O_DIRECTORY, unix.O_APPEND | unix.O_WRONLY, unix.O_CREAT | unix.O_TRUNC | unix.O_WRONLY, unix.O_PATH | unix.O_ACCMODE,
		unix.CLONE_NEWUSER, unix.CLONE_NEWNS | unix.CLONE_VM, unix.CLONE_VM | unix.CLONE_FS, unix.TIOCSTI, 0x541c, unix.PR_SET_DUMPABLE, unix.PR_SET_SECUREBITS, unix.PR_SET_KEEPCAPS,
	}
	for _, command := range syscalls.AttributeIoctls {
		all = append(all, uint64(command))
	}
	for _, v := range all {
		all = append(all, v|0xdeadbeef<<32)
	}
	return all
}

// calls are some calls of a number: the same value everywhere, and in one place only.
func calls(nr uint32) []seccomp.Data {
	const arch = unix.AUDIT_ARCH_X86_64
	var all []seccomp.Data
	for _, v := range values() {
		all = append(all, seccomp.Data{Nr: nr, Arch: arch, Args: [6]uint64{v, v, v, v, v, v}})
		for i := range 5 {
			d := seccomp.Data{Nr: nr, Arch: arch}
			d.Args[i] = v
			all = append(all, d)
		}
	}
	return all
}

// TestFilterOfOtherABIs: what is no call of x86-64, or none that is known, fails as if
// the kernel did not have it.
func TestFilterOfOtherABIs(t *testing.T) {
	missing := seccomp.Errno(unix.ENOSYS)
	limit := syscalls.Limit(event.X8664)
	for _, classes := range []event.Class{0, typical} {
		k := build(t, Options{Classes: classes, FakeUndumpable: true, Credentials: true})
		for nr := range limit + 600 {
			_, known := syscalls.Known(event.X8664, int32(nr))
			probe := nr == 335 || nr == 336
			for _, args := range [][6]uint64{{}, {1, 2, 3, 4, 5, 6}, {^uint64(0), ^uint64(0), ^uint64(0)}} {
				for _, arch := range []uint32{unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64, unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_MIPS, unix.AUDIT_ARCH_RISCV64, 0, ^uint32(0), unix.AUDIT_ARCH_X86_64 ^ 1} {
					if a := k.action(seccomp.Data{Nr: nr, Arch: arch, Args: args}); a != missing {
						t.Fatalf("call %d of %#x: %v", nr, arch, a)
					}
				}
				const x32 = 0x40000000
				if a := k.action(seccomp.Data{Nr: nr | x32, Arch: unix.AUDIT_ARCH_X86_64, Args: args}); a != missing {
					t.Fatalf("call %d of x32: %v", nr, a)
				}
				a := k.action(seccomp.Data{Nr: nr, Arch: unix.AUDIT_ARCH_X86_64, Args: args})
				if probe && a != seccomp.Allow {
					t.Errorf("uprobe or uretprobe, %d: %v", nr, a)
				}
				if !known && !probe && a != missing {
					t.Errorf("unknown call %d: %v", nr, a)
				}
			}
		}
		for _, nr := range []uint32{1 << 29, 1 << 31, 1<<31 | 2, 0x3fffffff, ^uint32(0), ^uint32(0) &^ 0x40000000} {
			if a := k.action(seccomp.Data{Nr: nr, Arch: unix.AUDIT_ARCH_X86_64}); a != missing {
				t.Errorf("call %#x: %v", nr, a)
			}
		}
	}
}

// TestFilterNeverLetsThrough goes through all calls, with all kinds of arguments: what is
// allowed can do nothing that is restricted.
func TestFilterNeverLetsThrough(t *testing.T) {
	for _, classes := range classSets {
		k := build(t, Options{Classes: classes})
		rules := Filter(k.o).Tables[0].Rules
		for _, nr := range syscalls.All(event.X8664) {
			spec := syscalls.Lookup(event.X8664, nr)
			some := calls(uint32(nr))
			if len(rules[uint32(nr)]) == 0 {
				some = some[:8] // no argument matters
			}
			for _, d := range some {
				a := k.action(d)
				can := possible(spec, d)
				switch a {
				case seccomp.Allow:
					if can&classes != 0 {
						t.Fatalf("restricted %v: %s%x is allowed, and can %v", classes, syscalls.Name(event.X8664, nr), d.Args, can)
					}
				case seccomp.Notify:
					if classes == 0 {
						t.Fatalf("nothing restricted: %s%x is notified", syscalls.Name(event.X8664, nr), d.Args)
					}
					if spec == nil || len(spec.Operands) == 0 {
						t.Fatalf("restricted %v: %s%x is notified and names nothing", classes, syscalls.Name(event.X8664, nr), d.Args)
					}
				default:
					if a&unix.SECCOMP_RET_ACTION_FULL != unix.SECCOMP_RET_ERRNO {
						t.Fatalf("%s%x: %v", syscalls.Name(event.X8664, nr), d.Args, a)
					}
				}
			}
		}
	}
}

// TestFilterOfFast: of the classes that are left to Landlock, only calls that Landlock
// holds are let through, and of the others none.
func TestFilterOfFast(t *testing.T) {
	held := strings.Fields("open openat creat truncate mkdir mkdirat mknod mknodat symlink symlinkat unlink unlinkat rmdir")
	for _, classes := range []event.Class{typical, policy.Files, event.Read | event.List | event.Write} {
		for _, fast := range []event.Class{event.Read, event.List, event.Write, event.Create, event.Delete, event.Read | event.List, event.Read | event.Write, holdable} {
			k := build(t, Options{Classes: classes, Fast: fast})
			slow := build(t, Options{Classes: classes})
			left := 0
			for _, nr := range syscalls.All(event.X8664) {
				name, spec := syscalls.Name(event.X8664, nr), syscalls.Lookup(event.X8664, nr)
				for _, d := range calls(uint32(nr)) {
					got, before := k.action(d), slow.action(d)
					if got == before {
						continue
					}
					left++
					if got != seccomp.Allow || before != seccomp.Notify || !slices.Contains(held, name) {
						t.Fatalf("fast %v: %s%x: %v, and %v without", fast, name, d.Args, got, before)
					}
					if can := possible(spec, d) & classes; can&^fast != 0 {
						t.Fatalf("fast %v of %v: %s%x is left to the kernel, and can %v", fast, classes, name, d.Args, can)
					}
					if flags := flagsOf(name, d); flags&(unix.O_TMPFILE&^unix.O_DIRECTORY) != 0 && flags&unix.O_PATH == 0 || flags&unix.O_ACCMODE == unix.O_ACCMODE && flags&unix.O_PATH == 0 {
						t.Fatalf("fast %v: %s%x is left to the kernel, and Landlock has no right for it", fast, name, d.Args)
					}
				}
			}
			if classes&fast != 0 && fast != event.Read && fast != event.List && left == 0 { // which of the two a directory is, no register says
				t.Errorf("fast %v of %v: nothing is left to the kernel", fast, classes)
			}
		}
	}
}

// flagsOf are the flags of an open.
func flagsOf(name string, d seccomp.Data) uint64 {
	switch name {
	case "open":
		return d.Args[1]
	case "openat":
		return d.Args[2]
	}
	return 0
}

// possible is all that a call can do by what its registers say, whatever it finds. What
// the kernel is left to do is nothing, and so is O_PATH: such a descriptor cannot be given
// away, and is judged when it is used.
func possible(spec *syscalls.Spec, d seccomp.Data) (all event.Class) {
	if spec == nil {
		return 0
	}
	switch spec.Effect() {
	case syscalls.EffectNone, syscalls.EffectPass, syscalls.EffectVerify:
		return 0
	}
	if spec.Op == event.OpListen {
		return 0 // see TestFilterOfAddresses
	}
	switch spec.Name {
	case "open", "openat", "creat", "openat2":
		flags := []uint64{d.Args[1]}
		switch spec.Name {
		case "openat":
			flags[0] = d.Args[2]
		case "creat":
			flags[0] = unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC
		case "openat2": // in memory
			flags = []uint64{unix.O_RDONLY, unix.O_RDWR | unix.O_CREAT, unix.O_TMPFILE | unix.O_RDWR}
		}
		for _, f := range flags {
			f = uint64(uint32(f))
			if f&unix.O_PATH != 0 {
				continue
			}
			for _, mode := range []uint32{unix.S_IFREG, unix.S_IFDIR} {
				for _, created := range []bool{false, f&unix.O_CREAT != 0} {
					a := event.Access{Op: event.OpOpen, Flags: f, Targets: []event.Target{{Mode: mode, Created: created}}}
					syscalls.Classify(&a)
					all |= a.Targets[0].Class
				}
			}
		}
		return all
	case "ioctl":
		if !slices.Contains(syscalls.AttributeIoctls[:], uint32(d.Args[1])) {
			return 0
		}
	case "sendto":
		if d.Args[4] == 0 {
			return 0
		}
	}
	switch spec.Op {
	case event.OpRename:
		return event.Delete | event.Create
	case event.OpLink:
		return event.Read | event.Create
	case event.OpSend, event.OpConnect:
		return event.Connect
	}
	a := event.Access{Op: spec.Op, Targets: make([]event.Target, 1)}
	syscalls.Classify(&a)
	return a.Targets[0].Class
}

// TestFilterIsWhatItSays compares the program with the meaning of the table.
func TestFilterIsWhatItSays(t *testing.T) {
	for _, o := range []Options{
		{Classes: typical}, {Classes: typical, Fast: holdable}, {Classes: typical, Fast: event.Read | event.Create},
		{Classes: policy.Files, Addresses: event.Connect | event.Bind, FakeUndumpable: true, Credentials: true, Verify: true},
	} {
		k := build(t, o)
		f := Filter(k.o)
		for nr := range syscalls.Limit(event.X8664) + 3 {
			for _, d := range calls(nr) {
				if got, want := k.action(d), f.Action(d); got != want {
					t.Fatalf("call %d%x: %v, want %v", nr, d.Args, got, want)
				}
			}
		}
	}
}

// TestFilterNeverNotifies: calls that a program makes all the time, and those without
// which it cannot end, never wait for anybody.
func TestFilterNeverNotifies(t *testing.T) {
	k := build(t, Options{Classes: policy.Files, Verify: true, Credentials: true, FakeUndumpable: true})
	for name := range strings.FieldsSeq(`
		close close_range read write readv writev pread64 pwrite64 preadv pwritev lseek dup dup2 dup3 pipe pipe2
		fork vfork wait4 waitid exit exit_group rt_sigreturn rt_sigaction rt_sigprocmask restart_syscall kill tgkill
		mmap munmap mprotect mremap brk madvise futex nanosleep clock_nanosleep poll ppoll select epoll_wait
		getpid gettid getppid getcwd fstat fstatfs getdents64 fcntl ftruncate fallocate fsync umask
		chdir fchdir recvfrom recvmsg accept listen shutdown sched_yield set_robust_list rseq
		memfd_create`) {
		for _, d := range calls(number(t, name)) {
			if a := k.action(d); a != seccomp.Allow {
				t.Fatalf("%s%x: %v", name, d.Args, a)
			}
		}
	}
}

// TestFilterOfOpens: what registers tell of an open is used, and nothing else.
func TestFilterOfOpens(t *testing.T) {
	const garbage = 0xabcdef12 << 32
	for _, tt := range []struct {
		classes event.Class
		flags   uint64
		want    seccomp.Action
	}{
		{event.Write | event.Create, unix.O_RDONLY, seccomp.Allow},
		{event.Write | event.Create, unix.O_RDONLY | unix.O_CLOEXEC | unix.O_DIRECTORY, seccomp.Allow},
		{event.Write | event.Create, unix.O_RDONLY | unix.O_TRUNC, seccomp.Notify},
		{event.Write | event.Create, unix.O_RDONLY | unix.O_CREAT, seccomp.Notify},
		{event.Write | event.Create, unix.O_WRONLY, seccomp.Notify},
		{event.Write | event.Create, unix.O_RDWR, seccomp.Notify},
		{event.Write | event.Create, unix.O_ACCMODE, seccomp.Notify},
		{event.Write | event.Create, unix.O_TMPFILE | unix.O_RDWR, seccomp.Notify},
		{event.Write | event.Create, unix.O_TMPFILE &^ unix.O_DIRECTORY, seccomp.Notify},
		{event.Write | event.Create, unix.O_PATH, seccomp.Allow},
		{event.Write | event.Create, unix.O_PATH | unix.O_CREAT | unix.O_RDWR, seccomp.Allow},
		{event.Read, unix.O_RDONLY, seccomp.Notify},
		{event.Read, unix.O_WRONLY, seccomp.Allow},
		{event.Read, unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC, seccomp.Allow},
		{event.Read, unix.O_RDWR, seccomp.Notify},
		{event.Read, unix.O_PATH, seccomp.Allow},
		{event.List, unix.O_RDONLY, seccomp.Notify},
		{event.List, unix.O_WRONLY, seccomp.Allow},
		{event.Write, unix.O_WRONLY | unix.O_APPEND, seccomp.Notify},
		{event.Create, unix.O_RDONLY, seccomp.Allow},
		{event.Create, unix.O_WRONLY, seccomp.Allow},
		{event.Create, unix.O_WRONLY | unix.O_TRUNC, seccomp.Allow},
		{event.Create, unix.O_WRONLY | unix.O_CREAT, seccomp.Notify},
		{event.Stat, unix.O_RDONLY, seccomp.Allow},
		{event.Delete | event.Attr, unix.O_RDWR | unix.O_CREAT, seccomp.Allow},
	} {
		k := build(t, Options{Classes: tt.classes})
		for _, upper := range []uint64{0, garbage} {
			if a := k.call("open", 0x1000, tt.flags|upper); a != tt.want {
				t.Errorf("restricted %v: open with %#x: %v, want %v", tt.classes, tt.flags|upper, a, tt.want)
			}
			if a := k.call("openat", unix.AT_FDCWD&0xffffffff, 0x1000, tt.flags|upper); a != tt.want {
				t.Errorf("restricted %v: openat with %#x: %v, want %v", tt.classes, tt.flags|upper, a, tt.want)
			}
		}
		if a := k.call("openat2", 0, 0x1000, 0x2000, 24); a != seccomp.Notify && tt.classes&(event.Read|event.Write|event.Create|event.List) != 0 {
			t.Errorf("restricted %v: openat2: %v, whose flags are in memory", tt.classes, a)
		}
	}
	k := build(t, Options{Classes: event.Create})
	if a := k.call("creat", 0x1000, 0o644); a != seccomp.Notify {
		t.Errorf("creat: %v", a)
	}
}

func TestFilterOfStat(t *testing.T) {
	k := build(t, Options{Classes: event.Stat})
	for _, name := range []string{"stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "statfs", "getxattr", "lgetxattr", "listxattr", "name_to_handle_at"} {
		if a := k.call(name, 0x1000, 0x1000); a != seccomp.Notify {
			t.Errorf("%s: %v", name, a)
		}
	}
}

// TestFilterOfNamespaces: no flag of a namespace passes, alone or with others, whatever
// is in the half of a register that the kernel does not look at.
func TestFilterOfNamespaces(t *testing.T) {
	k := build(t, Options{})
	refused := seccomp.Errno(unix.EPERM)
	harmless := uint64(unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM | unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID | unix.CLONE_VFORK)
	for _, name := range []string{"clone", "unshare"} {
		for _, flag := range []uint64{unix.CLONE_NEWNS, unix.CLONE_NEWUSER, unix.CLONE_NEWPID, unix.CLONE_NEWNET, unix.CLONE_NEWIPC, unix.CLONE_NEWUTS, unix.CLONE_NEWCGROUP} {
			for _, others := range []uint64{0, harmless, uint64(unix.SIGCHLD), unix.CLONE_NEWUSER, 0xffffffff} {
				for _, garbage := range []uint64{0, 0xdeadbeef << 32, 1 << 63} {
					if a := k.call(name, flag|others|garbage); a != refused {
						t.Errorf("%s(%#x): %v", name, flag|others|garbage, a)
					}
				}
			}
		}
		for _, flags := range []uint64{0, harmless, harmless | uint64(unix.SIGCHLD), uint64(unix.SIGCHLD), unix.CLONE_VM | unix.CLONE_VFORK, harmless | 0xdeadbeef<<32} {
			// The other arguments are addresses, which may look like anything.
			if a := k.call(name, flags, ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)); a != seccomp.Allow {
				t.Errorf("%s(%#x): %v", name, flags, a)
			}
		}
	}
	if a := k.call("clone3"); a != seccomp.Errno(unix.ENOSYS) {
		t.Errorf("clone3: %v", a)
	}
}

func TestFilterOfIoctls(t *testing.T) {
	k := build(t, Options{Classes: event.Attr})
	for _, command := range syscalls.AttributeIoctls {
		for _, garbage := range []uint64{0, 0xdeadbeef << 32} {
			if a := k.call("ioctl", 3, uint64(command)|garbage); a != seccomp.Notify {
				t.Errorf("ioctl(%#x): %v", uint64(command)|garbage, a)
			}
		}
	}
	k = build(t, Options{Classes: policy.Files &^ event.Attr})
	for _, command := range syscalls.AttributeIoctls {
		if a := k.call("ioctl", 3, uint64(command)); a != seccomp.Allow {
			t.Errorf("attributes are not restricted, and ioctl(%#x): %v", command, a)
		}
	}
}

func TestFilterOfSends(t *testing.T) {
	k := build(t, Options{Classes: event.Connect})
	if a := k.call("sendto", 3, 0x1000, 10, 0, 0, 0); a != seccomp.Allow {
		t.Errorf("sendto without an address: %v", a)
	}
	for _, address := range []uint64{1, 0x1000, 1 << 32, 0x7fff00000000} {
		if a := k.call("sendto", 3, 0x1000, 10, 0, address, 16); a != seccomp.Notify {
			t.Errorf("sendto with an address at %#x: %v", address, a)
		}
	}
	for _, name := range []string{"connect", "sendmsg", "sendmmsg"} {
		if a := k.call(name, 3, 0x1000, 16); a != seccomp.Notify {
			t.Errorf("%s: %v", name, a)
		}
	}
}

// TestFilterOfAddresses: where addresses are judged nothing leads around them, and who
// listens is asked about. Else that is left to the kernel.
func TestFilterOfAddresses(t *testing.T) {
	const garbage = 0xdeadbeef << 32
	refused := seccomp.Errno(unix.EPERM)
	for _, addresses := range []event.Class{0, event.Connect, event.Bind, event.Connect | event.Bind} {
		k := build(t, Options{Classes: event.Connect | event.Bind, Addresses: addresses})
		unless := func(a seccomp.Action) seccomp.Action {
			if addresses == 0 {
				return seccomp.Allow
			}
			return a
		}
		for _, upper := range []uint64{0, garbage} {
			for _, o := range [][2]uint64{{unix.IPPROTO_IP, unix.IP_OPTIONS}, {unix.IPPROTO_IPV6, unix.IPV6_RTHDR}, {unix.IPPROTO_IPV6, unix.IPV6_2292PKTOPTIONS}, {unix.IPPROTO_IPV6, flowLabels}} {
				if a := k.call("setsockopt", 3, o[0]|upper, o[1]|upper, 0x1000, 8); a != unless(refused) {
					t.Errorf("addresses %v: setsockopt %d, %d: %v", addresses, o[0], o[1], a)
				}
			}
			for _, o := range [][2]uint64{{unix.SOL_SOCKET, unix.IP_OPTIONS}, {unix.IPPROTO_IP, unix.IP_TTL}, {unix.IPPROTO_TCP, unix.TCP_NODELAY}, {unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}, {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}} {
				if a := k.call("setsockopt", 3, o[0]|upper, o[1]|upper, 0x1000, 8); a != seccomp.Allow {
					t.Errorf("addresses %v: setsockopt %d, %d: %v", addresses, o[0], o[1], a)
				}
			}
		}
		want := seccomp.Allow
		if addresses&event.Bind != 0 {
			want = seccomp.Notify
		}
		if a := k.call("listen", 3, 128); a != want {
			t.Errorf("addresses %v: listen: %v", addresses, a)
		}
	}
}

// TestFilterOfBind: a path that is bound is walked twice, so nobody may change names
// meanwhile without being seen.
func TestFilterOfBind(t *testing.T) {
	k := build(t, Options{Classes: event.Bind})
	for _, name := range []string{"bind", "mkdir", "mkdirat", "mknod", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "link", "linkat", "rename", "renameat", "renameat2"} {
		if a := k.call(name, 0x1000, 0x1000); a != seccomp.Notify {
			t.Errorf("%s: %v", name, a)
		}
	}
}

func TestFilterOfPrctl(t *testing.T) {
	for _, fake := range []bool{false, true} {
		for _, credentials := range []bool{false, true} {
			k := build(t, Options{Classes: typical, FakeUndumpable: fake, Credentials: credentials})
			for _, garbage := range []uint64{0, 0xdeadbeef << 32} {
				want := seccomp.Allow
				if fake {
					want = seccomp.Errno(0)
				}
				if a := k.call("prctl", unix.PR_SET_DUMPABLE|garbage, 0); a != want {
					t.Errorf("prctl(PR_SET_DUMPABLE, 0), fake %v: %v", fake, a)
				}
				for _, value := range []uint64{1, 2, 1 << 32} {
					if a := k.call("prctl", unix.PR_SET_DUMPABLE|garbage, value); a != seccomp.Allow {
						t.Errorf("prctl(PR_SET_DUMPABLE, %#x): %v", value, a)
					}
				}
				want = seccomp.Allow
				if credentials {
					want = seccomp.Notify
				}
				for _, option := range []uint64{unix.PR_SET_SECUREBITS, unix.PR_SET_KEEPCAPS} {
					if a := k.call("prctl", option|garbage, 0); a != want {
						t.Errorf("prctl(%d), credentials %v: %v", option, credentials, a)
					}
				}
				for _, option := range []uint64{unix.PR_SET_NAME, unix.PR_GET_DUMPABLE, unix.PR_SET_PDEATHSIG, unix.PR_SET_NO_NEW_PRIVS} {
					if a := k.call("prctl", option|garbage, 0); a != seccomp.Allow {
						t.Errorf("prctl(%d): %v", option, a)
					}
				}
			}
			for _, name := range changers {
				want := seccomp.Allow
				if credentials {
					want = seccomp.Notify
				}
				if a := k.call(name); a != want {
					t.Errorf("%s, credentials %v: %v", name, credentials, a)
				}
			}
		}
	}
}

// TestFilterOfPrograms: execve is notified only where what came of it can be verified.
func TestFilterOfPrograms(t *testing.T) {
	for _, verify := range []bool{false, true} {
		k := build(t, Options{Classes: policy.Files, Verify: verify})
		want := seccomp.Allow
		if verify {
			want = seccomp.Notify
		}
		for _, name := range []string{"execve", "execveat"} {
			if a := k.call(name, 0x1000); a != want {
				t.Errorf("%s, verify %v: %v", name, verify, a)
			}
		}
	}
}

func TestChangesCredentials(t *testing.T) {
	for _, name := range append([]string{"prctl"}, changers...) {
		if !ChangesCredentials(event.X8664, int32(number(t, name))) {
			t.Error(name)
		}
	}
	for _, name := range []string{"getuid", "open", "execve", "setsid", "setpgid"} {
		if ChangesCredentials(event.X8664, int32(number(t, name))) {
			t.Error(name)
		}
	}
	if ChangesCredentials(event.X8664, -1) || ChangesCredentials(event.X8664, 1<<30) {
		t.Error("a number that is no call")
	}
}
