package profile

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

func call(t testing.TB, abi event.ABI, name string, args ...trace.Argument) *trace.Syscall {
	t.Helper()
	nr, ok := syscalls.Number(abi, name)
	if !ok {
		t.Fatalf("%v has no %s", abi, name)
	}
	return &trace.Syscall{Name: name, Nr: nr, ABI: abi.String(), Count: 1, Args: args}
}

func profiled(t testing.TB, o Options, calls ...*trace.Syscall) *Profile {
	t.Helper()
	p, err := New(&trace.Document{Host: trace.Host{Arch: calls[0].ABI}, Syscalls: calls}, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func namesOf(p *Profile, abi event.ABI) []string {
	var names []string
	for _, c := range p.CallsOf(abi) {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}

func values(t testing.TB, p *Profile, abi event.ABI, name string) *Values {
	t.Helper()
	for _, c := range p.CallsOf(abi) {
		if c.Name == name {
			return c.Values
		}
	}
	t.Fatalf("%v has no %s in the profile", abi, name)
	return nil
}

func arg(index int, of ...uint64) trace.Argument { return trace.Argument{Index: index, Values: of} }

func TestArguments(t *testing.T) {
	more := arg(1, 0x5401)
	more.More = true
	for _, tt := range []struct {
		name string
		call *trace.Syscall
		want *Values
		note string
	}{
		{"families", call(t, event.X8664, "socket", arg(0, 2, 1), arg(1, 1)), &Values{0, []uint64{1, 2}}, ""},
		{"only the lower half of a register", call(t, event.X8664, "ioctl", arg(1, 0xffffffff_80045430, 0x80045430)),
			&Values{1, []uint64{0x80045430}}, ""},
		{"an argument that decides nothing", call(t, event.X8664, "madvise", arg(2, 4)), nil, ""},
		{"none told", call(t, event.X8664, "prctl"), nil, "prctl: the trace does not have them (observe --args)"},
		{"an empty set", call(t, event.X8664, "prctl", arg(0)), nil, "prctl: the trace does not have them"},
		{"another argument", call(t, event.X8664, "ioctl", arg(0, 1)), nil, "ioctl: the trace does not have them"},
		{"more than are kept", call(t, event.X8664, "ioctl", more), nil, "ioctl: they had more of them than a trace holds"},
		{"flags in memory", call(t, event.X8664, "clone3"), nil, "clone3 is allowed as a whole: its flags are in memory"},
		{"families in memory", call(t, event.I386, "socketcall"), nil, "socketcall is allowed as a whole: the family of a socket is in memory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := profiled(t, Options{Args: true}, tt.call)
			if diff := cmp.Diff(tt.want, p.Calls[0].Values); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if told := strings.Join(p.Notes, "\n"); !strings.Contains(told, tt.note) || (tt.note == "") != (told == "") {
				t.Errorf("notes %q, want %q", told, tt.note)
			}
			if got := profiled(t, Options{}, tt.call); got.Calls[0].Values != nil || got.Notes != nil {
				t.Errorf("without --args: %v, notes %q", got.Calls[0].Values, got.Notes)
			}
		})
	}
}

func TestNameOfATraceIsNotBelieved(t *testing.T) {
	c := call(t, event.X8664, "read")
	c.Name = "write"
	if got := namesOf(profiled(t, Options{}, c), event.X8664); !slices.Equal(got, []string{"read"}) {
		t.Errorf("call 0 named write is %q", got)
	}
}

func TestAlwaysAndBaselinesWiden(t *testing.T) {
	p := profiled(t, Options{Args: true, Always: []string{"prctl", "stat64"}, Baselines: baseline.For("crun-1.8")},
		call(t, event.X8664, "prctl", arg(0, 15)))
	if v := values(t, p, event.X8664, "prctl"); v != nil {
		t.Errorf("prctl is held to %v", v)
	}
	for _, want := range []string{
		"with all arguments are allowed prctl: because of always",
		"stat64 is not added: no ABI of the profile has such a call",
	} {
		if !slices.Contains(p.Notes, want) {
			t.Errorf("notes %q, want %q", p.Notes, want)
		}
	}
}

// TestKin is what glibc calls on other machines (sysdeps/unix/sysv/linux).
func TestKin(t *testing.T) {
	for _, tt := range []struct {
		from, to event.ABI
		name     string
		want     string
	}{
		{event.X8664, event.ARM64, "read", "read"},
		{event.X8664, event.ARM64, "open", "openat"},
		{event.X8664, event.ARM64, "creat", "openat"},
		{event.X8664, event.ARM64, "stat", "newfstatat"},
		{event.X8664, event.ARM64, "lstat", "newfstatat"},
		{event.X8664, event.ARM64, "access", "faccessat"},
		{event.X8664, event.ARM64, "fork", "clone"},
		{event.X8664, event.ARM64, "vfork", "clone"},
		{event.X8664, event.ARM64, "poll", "ppoll"},
		{event.X8664, event.ARM64, "select", "pselect6"},
		{event.X8664, event.ARM64, "pipe", "pipe2"},
		{event.X8664, event.ARM64, "dup2", "dup3"},
		{event.X8664, event.ARM64, "epoll_wait", "epoll_pwait"},
		{event.X8664, event.ARM64, "unlink", "unlinkat"},
		{event.X8664, event.ARM64, "rename", "renameat"},
		{event.X8664, event.ARM64, "getdents", "getdents64"},
		{event.X8664, event.ARM64, "arch_prctl", ""},
		{event.X8664, event.ARM64, "iopl", ""},
		{event.ARM64, event.X8664, "openat", "creat open openat"},
		{event.ARM64, event.X8664, "faccessat", "access faccessat"},
		{event.ARM64, event.X8664, "ppoll", "pause poll ppoll"},
		{event.ARM64, event.X8664, "read", "read"},
		{event.X8664, event.X32, "open", "open"},
		{event.X8664, event.I386, "open", "open"},
		{event.X8664, event.I386, "mmap", "mmap mmap2"},
		{event.X8664, event.I386, "newfstatat", "fstatat64 statx"},
		{event.X8664, event.I386, "futex", "futex futex_time64"},
		{event.X8664, event.I386, "getuid", "getuid getuid32"},
		{event.X8664, event.I386, "socket", "socket socketcall"},
		{event.X8664, event.I386, "lseek", "_llseek lseek"},
		{event.X8664, event.ARM, "recvfrom", "recv recvfrom"},
		{event.X8664, event.ARM, "clock_gettime", "clock_gettime clock_gettime64"},
		{event.I386, event.X8664, "mmap2", "mmap"},
		{event.I386, event.X8664, "fstatat64", "newfstatat"},
		{event.I386, event.X8664, "_llseek", "lseek"},
		{event.I386, event.X8664, "getuid32", "getuid"},
		{event.I386, event.X8664, "clock_gettime64", "clock_gettime"},
		{event.I386, event.X8664, "statx", "statx"},
		{event.I386, event.ARM64, "stat64", "newfstatat"},
		{event.I386, event.ARM64, "_newselect", "pselect6"},
		{event.ARM, event.ARM64, "ugetrlimit", "getrlimit prlimit64"},
		{event.I386, event.X8664, "getdents64", "getdents64"},
		{event.I386, event.X8664, "pread64", "pread64"},
	} {
		if got := strings.Join(kin(tt.from, tt.to, tt.name), " "); got != tt.want {
			t.Errorf("%s of %v on %v: %q, want %q", tt.name, tt.from, tt.to, got, tt.want)
		}
	}
}

// TestTablesOfKinHaveNames keeps the tables from naming what no ABI has.
func TestTablesOfKinHaveNames(t *testing.T) {
	check := func(name string) {
		if !slices.ContainsFunc(event.ABIs(), func(a event.ABI) bool { return has(a, name) }) {
			t.Errorf("no ABI has %q", name)
		}
	}
	for old, name := range successors {
		check(old)
		check(name)
	}
	for _, table := range []map[string][]string{narrow, multiplexed} {
		for name, others := range table {
			check(name)
			for _, o := range others {
				check(o)
			}
		}
	}
	for abi, name := range startup {
		if !has(abi, name) {
			t.Errorf("%v has no %s", abi, name)
		}
	}
	for name := range Selectors {
		check(name)
	}
}

func TestAddedABI(t *testing.T) {
	p := profiled(t, Options{Args: true, Always: []string{"exit_group", "sigreturn"}, ABIs: []event.ABI{event.ARM64}},
		call(t, event.X8664, "open"), call(t, event.X8664, "read"), call(t, event.X8664, "socket", arg(0, 1)),
		call(t, event.X8664, "clone", arg(0, 17)), call(t, event.X8664, "vfork"), call(t, event.X8664, "arch_prctl", arg(0, 0x1002)))
	want := []string{"clone", "exit_group", "openat", "read", "socket"}
	if got := namesOf(p, event.ARM64); !slices.Equal(got, want) {
		t.Errorf("arm64 has %q, want %q", got, want)
	}
	if v := values(t, p, event.ARM64, "socket"); v == nil || !slices.Equal(v.Of, []uint64{1}) {
		t.Errorf("socket on arm64 is held to %v, want AF_UNIX", v)
	}
	if v := values(t, p, event.ARM64, "clone"); v != nil {
		t.Errorf("clone on arm64 is held to %v, but vfork is one there", v)
	}
	for _, want := range []string{
		"nobody watched the program on arm64: the calls are those of x86_64, by the names that they have there",
		"on arm64 the C library makes other calls: openat for open; clone for vfork",
		"arm64 has nothing in place of arch_prctl",
		"with all arguments are allowed clone: arm64 makes them in place of others",
	} {
		if !slices.Contains(p.Notes, want) {
			t.Errorf("notes %q\nwant %q", p.Notes, want)
		}
	}
	if !slices.Equal(p.ABIs, []event.ABI{event.X8664, event.ARM64}) {
		t.Errorf("ABIs %v", p.ABIs)
	}
}

func TestAddedABIHasTheCallsOfAll(t *testing.T) {
	p := profiled(t, Options{Args: true, ABIs: []event.ABI{event.ARM64}},
		call(t, event.X8664, "read"), call(t, event.X8664, "socket", arg(0, 1)),
		call(t, event.I386, "stat64"), call(t, event.I386, "socket", arg(0, 2)))
	if got, want := namesOf(p, event.ARM64), []string{"newfstatat", "read", "socket"}; !slices.Equal(got, want) {
		t.Errorf("arm64 has %q, want %q", got, want)
	}
	if v := values(t, p, event.ARM64, "socket"); v == nil || !slices.Equal(v.Of, []uint64{1, 2}) {
		t.Errorf("socket on arm64 is held to %v, want 1 and 2", v)
	}
	if v := values(t, p, event.X8664, "socket"); !slices.Equal(v.Of, []uint64{1}) {
		t.Errorf("socket on x86_64 is held to %v, want 1", v)
	}
}

func TestABIThatWasWatchedIsLeftAlone(t *testing.T) {
	p := profiled(t, Options{ABIs: []event.ABI{event.ARM64}}, call(t, event.X8664, "open"), call(t, event.ARM64, "read"))
	if got := namesOf(p, event.ARM64); !slices.Equal(got, []string{"read"}) {
		t.Errorf("arm64 has %q, of which it was seen to make only read", got)
	}
	if p.Notes != nil {
		t.Errorf("notes %q", p.Notes)
	}
}
