package syscalls

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// fakeMemory is what the arguments of a call point to, by index.
type fakeMemory struct {
	strings map[int]string
	addr    []byte
	word    uint64
}

func (m fakeMemory) String(i int) ([]byte, bool) {
	s, ok := m.strings[i]
	return []byte(s), ok
}
func (m fakeMemory) Sockaddr(int) ([]byte, bool) { return m.addr, m.addr != nil }
func (m fakeMemory) Word(int) (uint64, bool)     { return m.word, true }

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name string
		abi  event.ABI
		call string
		args [6]uint64
		mem  fakeMemory
		want event.Access
	}{
		{
			name: "openat", abi: event.X8664, call: "openat",
			args: [6]uint64{0, 0, unix.O_RDWR | unix.O_CREAT},
			mem:  fakeMemory{strings: map[int]string{1: "a"}},
			want: event.Access{Op: event.OpOpen, Flags: unix.O_RDWR | unix.O_CREAT, Targets: []event.Target{{Asked: []byte("a")}}},
		},
		{
			name: "flags are an int: what is above is not part of them", abi: event.X8664, call: "open",
			args: [6]uint64{0, 0xffffffff_00000000 | unix.O_WRONLY},
			mem:  fakeMemory{strings: map[int]string{0: "a"}},
			want: event.Access{Op: event.OpOpen, Flags: unix.O_WRONLY, Targets: []event.Target{{Asked: []byte("a")}}},
		},
		{
			name: "creat implies its flags", abi: event.X8664, call: "creat",
			mem:  fakeMemory{strings: map[int]string{0: "a"}},
			want: event.Access{Op: event.OpOpen, Flags: unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC, Targets: []event.Target{{Asked: []byte("a")}}},
		},
		{
			name: "openat2 has its flags in memory", abi: event.X8664, call: "openat2",
			mem:  fakeMemory{strings: map[int]string{1: "a"}, word: unix.O_PATH},
			want: event.Access{Op: event.OpOpen, Flags: unix.O_PATH, Targets: []event.Target{{Asked: []byte("a")}}},
		},
		{
			name: "renameat2", abi: event.X8664, call: "renameat2",
			args: [6]uint64{0, 0, 0, 0, unix.RENAME_EXCHANGE},
			mem:  fakeMemory{strings: map[int]string{1: "a", 3: "b"}},
			want: event.Access{Op: event.OpRename, Flags: unix.RENAME_EXCHANGE, Targets: []event.Target{{Asked: []byte("a")}, {Asked: []byte("b")}}},
		},
		{
			name: "the text of a symbolic link is no target", abi: event.I386, call: "symlinkat",
			mem:  fakeMemory{strings: map[int]string{0: "text", 2: "link"}},
			want: event.Access{Op: event.OpSymlink, Targets: []event.Target{{Asked: []byte("link")}}},
		},
		{
			name: "fchmod has a target without a path", abi: event.ARM64, call: "fchmod",
			want: event.Access{Op: event.OpChmod, Targets: []event.Target{{}}},
		},
		{
			name: "connect to an internet address", abi: event.X8664, call: "connect",
			mem:  fakeMemory{addr: []byte{2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
			want: event.Access{Op: event.OpConnect, Socket: event.Socket{Family: unix.AF_INET, Addr: netip.MustParseAddr("127.0.0.1"), Port: 8080}},
		},
		{
			name: "a unix socket with a path is a file too", abi: event.X8664, call: "connect",
			mem: fakeMemory{addr: []byte("\x01\x00/run/x\x00junk")},
			want: event.Access{
				Op:      event.OpConnect,
				Socket:  event.Socket{Family: unix.AF_UNIX, Path: []byte("/run/x")},
				Targets: []event.Target{{Asked: []byte("/run/x")}},
			},
		},
		{
			name: "an abstract name is not", abi: event.X8664, call: "bind",
			mem:  fakeMemory{addr: []byte("\x01\x00\x00a\x00b")},
			want: event.Access{Op: event.OpBind, Socket: event.Socket{Family: unix.AF_UNIX, Abstract: true, Path: []byte("a\x00b")}},
		},
		{
			name: "unlinkat removes a file", abi: event.X8664, call: "unlinkat",
			mem:  fakeMemory{strings: map[int]string{1: "a"}},
			want: event.Access{Op: event.OpUnlink, Targets: []event.Target{{Asked: []byte("a")}}},
		},
		{
			name: "or a directory", abi: event.X8664, call: "unlinkat",
			args: [6]uint64{0, 0, 0xffffffff_00000000 | unix.AT_REMOVEDIR},
			mem:  fakeMemory{strings: map[int]string{1: "a"}},
			want: event.Access{Op: event.OpRmdir, Flags: unix.AT_REMOVEDIR, Targets: []event.Target{{Asked: []byte("a")}}},
		},
		{
			name: "a handle is known by its descriptor only", abi: event.X8664, call: "open_by_handle_at",
			args: [6]uint64{0, 0, unix.O_RDWR},
			want: event.Access{Op: event.OpOpen, Flags: unix.O_RDWR, Targets: []event.Target{{}}},
		},
		{
			name: "mmap of a program", abi: event.X8664, call: "mmap",
			args: [6]uint64{0, 0, unix.PROT_READ | unix.PROT_EXEC, unix.MAP_PRIVATE, 3},
			want: event.Access{Op: event.OpMapExec, Flags: unix.PROT_READ | unix.PROT_EXEC, Targets: []event.Target{{}}},
		},
		{
			name: "mmap without PROT_EXEC touches nothing", abi: event.X8664, call: "mmap",
			args: [6]uint64{0, 0, unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE, 3},
			want: event.Access{},
		},
		{name: "getpid touches nothing", abi: event.X8664, call: "getpid", want: event.Access{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nr, ok := Number(tt.abi, tt.call)
			if !ok {
				t.Fatalf("no %s", tt.call)
			}
			var a event.Access
			if n := Decode(event.Call{ABI: tt.abi, Nr: nr, Args: tt.args}, tt.mem, &a); n != 0 {
				t.Errorf("%d unreadable arguments", n)
			}
			opts := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
			if diff := cmp.Diff(tt.want, a, opts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Of the commands of ioctl only those that change attributes touch anything.
func TestDecodeIoctl(t *testing.T) {
	changes := event.Access{Op: event.OpSetflags, Targets: []event.Target{{Class: event.Attr}}}
	type test struct {
		command uint64
		want    event.Access
	}
	tests := []test{
		{0xffffffff_00000000 | unix.FS_IOC_SETFLAGS, changes}, // the command is an int
		{unix.FS_IOC_GETFLAGS, event.Access{}},
		{unix.TCGETS, event.Access{}},
		{0, event.Access{}},
	}
	for _, command := range AttributeIoctls {
		if command != 0 {
			tests = append(tests, test{uint64(command), changes})
		}
	}
	for _, abi := range event.ABIs() {
		nr, ok := Number(abi, "ioctl")
		if !ok {
			t.Fatalf("no ioctl on %v", abi)
		}
		for _, tt := range tests {
			var a event.Access
			if n := Decode(event.Call{ABI: abi, Nr: nr, Args: [6]uint64{3, tt.command}}, fakeMemory{}, &a); n != 0 {
				t.Errorf("%v, command %#x: %d unreadable arguments", abi, tt.command, n)
			}
			Classify(&a)
			if diff := cmp.Diff(tt.want, a, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("%v, command %#x: %s", abi, tt.command, diff)
			}
		}
	}
}

func TestDecodeCountsWhatIsUnreadable(t *testing.T) {
	nr, _ := Number(event.X8664, "rename")
	var a event.Access
	if n := Decode(event.Call{ABI: event.X8664, Nr: nr}, fakeMemory{strings: map[int]string{1: "b"}}, &a); n != 1 {
		t.Errorf("%d unreadable, want 1", n)
	}
	if len(a.Targets) != 2 || string(a.Targets[1].Asked) != "b" {
		t.Errorf("the targets are not in their places: %+v", a.Targets)
	}
}

func FuzzParseSockaddr(f *testing.F) {
	for _, s := range []string{
		"", "\x01", "\x01\x00", "\x01\x00/x", "\x01\x00\x00x", "\x02\x00\x00\x50\x7f\x00\x00\x01",
		"\x02\x00\x00\x50\x7f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x0a\x00\x00\x50\x00\x00\x00\x00" + "0123456789abcdef", "\x10\x00\x00\x00\x01\x02\x03",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s event.Socket
		ParseSockaddr(b, &s)
		switch {
		case len(b) < 2 && s.Family != 0:
			t.Errorf("a family out of %d bytes", len(b))
		case len(s.Path) > 0 && !bytes.Contains(b, s.Path):
			t.Errorf("path %q is not in %q", s.Path, b)
		case s.Addr.IsValid() && s.Family != unix.AF_INET && s.Family != unix.AF_INET6:
			t.Errorf("family %d has an address", s.Family)
		}
	})
}
