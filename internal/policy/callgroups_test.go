package policy

import (
	"slices"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/systemd"
)

// What a group denies is no less than what the set of that name has in an older systemd, of
// the calls of 64-bit machines.
func TestGroupsHaveWhatSystemdHas(t *testing.T) {
	for name := range callGroups {
		of := systemd.Set(name)
		if of == nil {
			t.Logf("systemd has no %s", name)
			continue
		}
		calls := groupMembers(name)
		for _, call := range of {
			here := slices.ContainsFunc([]event.ABI{event.X8664, event.ARM64}, func(abi event.ABI) bool { _, ok := syscalls.Number(abi, call); return ok })
			if here && !slices.Contains(calls, call) {
				t.Errorf("%s lacks %s", name, call)
			}
		}
	}
}
