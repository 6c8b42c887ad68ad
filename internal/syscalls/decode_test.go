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
