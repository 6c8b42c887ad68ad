package main

import (
	"fmt"
	"testing"
)

// An open that is performed returns the lowest free number, and that leads to the file:
// also while the supervisor's own threads are stopped and signalled all the time, as Go
// does to collect garbage. A signal at the wrong moment leaves the target with an answer
// and without the descriptor.
func TestEnforceDescriptorNumbers(t *testing.T) {
	program := gateTarget(t, "gate_numbers")
	opens := inFull(100_000)
	if stress() {
		opens = 1_000_000
	}
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"0=", "1=", "2=", "3=", "4=", "5=", "6=", "7="}
		a.fresh(t)
		var names []string
		for i := range 8 {
			names = append(names, a.path(fmt.Sprint(i)))
		}
		for _, test := range []struct {
			name  string
			opens int
			flags []string
		}{
			{"silent", opens / 2, nil},
			{"logged", opens / 20, []string{"--log", a.path("log")}},
		} {
			t.Run(test.name, func(t *testing.T) {
				cmd := a.enforce(append(test.flags, "-q", "--perform-all"), append([]string{program, fmt.Sprint(test.opens)}, names...)...)
				// The collector runs as soon as there is anything, and stops all threads for it.
				cmd.Env = append(cmd.Env, "GOGC=1", "GODEBUG=gcstoptheworld=1")
				got, code := combined(t, cmd)
				if code != 0 || got != "wrong 0\n" {
					t.Errorf("exit code %d\n%s", code, got)
				}
			})
		}
	})
}
