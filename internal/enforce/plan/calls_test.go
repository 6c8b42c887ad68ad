package plan

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// TestFilterOfCallRules goes through all numbers with all kinds of arguments: what is denied
// by name is denied whatever it says, whether it would be allowed, notified or refused, and
// also with all doors open. The other calls are as without the rules.
func TestFilterOfCallRules(t *testing.T) {
	mount, err := policy.ParseCalls("@mount")
	if err != nil {
		t.Fatal(err)
	}
	rules := []policy.CallRule{
		{Calls: append(mount, "openat", "getpid", "ioctl")},
		{Calls: []string{"getpid", "unshare", "getdents"}, Errno: unix.ENOSYS},
		{Calls: []string{"ptrace", "unshare", "prctl", "socket"}, Kill: true},
	}
	denied := map[string]seccomp.Action{"getdents": seccomp.Errno(unix.ENOSYS)}
	for _, name := range rules[0].Calls {
		denied[name] = seccomp.Errno(unix.EPERM)
	}
	for _, name := range rules[2].Calls {
		denied[name] = seccomp.KillProcess
	}
	for _, o := range []Options{{}, {Classes: typical}, {Classes: policy.Files, Verify: true, Credentials: true}, {Classes: policy.Files, Open: policy.AllDoors}} {
		without := build(t, o)
		o.Calls = rules
		k := build(t, o)
		for nr := range syscalls.Limit(event.X8664) + 3 {
			for _, d := range calls(nr) {
				want, found := denied[syscalls.Name(event.X8664, int32(nr))]
				if !found {
					want = without.action(d)
				}
				if a := k.action(d); a != want {
					t.Fatalf("%s%x: %v, want %v", syscalls.Name(event.X8664, int32(nr)), d.Args, a, want)
				}
			}
		}
	}
}

func TestAliasesAreNames(t *testing.T) {
	for name, meant := range olderNames {
		if _, known := syscalls.Number(event.I386, name); !known {
			t.Errorf("i386 has no %q", name)
		}
		for _, other := range meant {
			if _, err := policy.ParseCalls(other); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
