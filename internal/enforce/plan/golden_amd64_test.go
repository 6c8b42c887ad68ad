package plan

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// TestGolden lists what happens to each call under a policy that denies by
// default. The flags of open(2) differ between architectures, so this is about one.
func TestGolden(t *testing.T) {
	for name, o := range map[string]Options{
		"unprivileged.golden": {Classes: typical, FakeUndumpable: true},
		"root.golden":         {Classes: policy.Files, Credentials: true},
	} {
		o.ABI = event.X8664
		table := Filter(o).Tables[0]
		var b bytes.Buffer
		for _, nr := range syscalls.All(event.X8664) {
			fmt.Fprintf(&b, "%s:", syscalls.Name(event.X8664, nr))
			decided := false
			for _, r := range table.Rules[uint32(nr)] {
				for _, c := range r.Conditions {
					fmt.Fprintf(&b, " args[%d]&%#x == %#x", c.Arg, c.Mask, c.Value)
				}
				fmt.Fprintf(&b, " %v;", r.Action)
				decided = decided || len(r.Conditions) == 0
				if decided {
					break
				}
			}
			if !decided {
				fmt.Fprintf(&b, " %v", table.Default)
			}
			fmt.Fprintln(&b)
		}
		testenv.Golden(t, name, b.Bytes())
	}
}
