package main

import "testing"

// A program for 32 bits is refused, not let past the gate: its calls have other numbers. With
// the door open it runs.
func TestEnforce32Bit(t *testing.T) {
	program := gateTarget(t, "gate_signals", "-m32")
	runs := gateTarget(t, "getpid", "-m32")
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"denied=secret"}
		a.fresh(t)
		r := begin(t, a.enforce([]string{"-q"}, program))
		status := r.wait()
		if status == 0 || r.stdout() != "" {
			t.Errorf("a program for 32 bits: %s, stdout %q", ending(status), r.stdout())
		}
		for _, rule := range []string{"exec:/nonexistent", "read:/nonexistent"} {
			r := begin(t, a.enforce([]string{"-q", "--open", "foreign_abi", "--deny", rule}, runs))
			r.demandExit(0)
		}
	})
}
