package main

import (
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// killings is how many runs lose one of their two processes.
func killings() int {
	if stress() {
		return 1000
	}
	return inFull(200)
}

// Whichever of turnstile's two processes is killed, and whenever: nothing of the command
// goes on, and nothing is left that nobody has waited for.
func TestEnforceIsKilled(t *testing.T) {
	program := gateTarget(t, "gate_tree")
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"denied=", "open=", "pipe|"}
		a.fresh(t)
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // nobody has to guess it
		for i := range killings() / 2 {
			path, name := named(t, program)
			r := begin(t, a.enforce([]string{"-q", "--deny", "read:" + a.path("denied")}, path, a.path("pipe"), a.path("denied"), a.path("open")))
			if i%4 > 0 {
				r.says("ready") // otherwise it may be before anything is there
			}
			time.Sleep(time.Duration(random.IntN(30_000)) * time.Microsecond)
			victim, what := r.Process.Pid, "turnstile"
			if supervisor := r.supervisor(); i%2 == 1 && supervisor != 0 {
				victim, what = supervisor, "the supervisor"
			}
			if err := syscall.Kill(victim, unix.SIGKILL); err != nil {
				t.Fatalf("killing %s: %v\n%s", what, err, r.stderr())
			}
			status := r.wait()
			demandNobody(t, name)
			switch {
			case what == "turnstile" && (!status.Signaled() || status.Signal() != unix.SIGKILL):
				t.Errorf("turnstile was killed and ended with %s", ending(status))
			case what == "the supervisor" && (!status.Exited() || status.ExitStatus() != exitInternal):
				t.Errorf("the supervisor was killed, and turnstile ended with %s, want exit code %d\n%s", ending(status), exitInternal, r.stderr())
			case what == "the supervisor" && r.stderr() != "turnstile: the supervisor ended before its command, with signal SIGKILL; what was left of the command is killed\n":
				t.Errorf("the supervisor was killed, and turnstile says %q", r.stderr())
			}
			if t.Failed() {
				t.FailNow()
			}
			os.Remove(path)
		}
	})
}

// A user of this test alone, as limits of processes count all of a user.
const bomber = 61234

// TestEnforceForkBomb: who makes as many processes as it may does not get rid of the gate.
func TestEnforceForkBomb(t *testing.T) {
	program := gateTarget(t, "gate_bomb")
	a := newArena(t, bomber, "open=")
	a.fresh(t)
	for _, test := range []struct {
		name string
		end  func(r *gatedRun)
	}{
		{"turnstile is killed", func(r *gatedRun) { r.signal(unix.SIGKILL) }},
		{"the supervisor is killed", func(r *gatedRun) { syscall.Kill(r.supervisor(), unix.SIGKILL) }},
		{"the command and then its children", func(r *gatedRun) {
			r.signal(unix.SIGTERM)
			r.tells("turnstile: ")
			r.signal(unix.SIGINT)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, name := named(t, program)
			r := begin(t, a.enforce([]string{"--deny", "read:" + a.path("denied")}, path, "200", a.path("open")))
			r.says("children")
			eventually(t, "there are many processes", func() bool { return len(leftovers(t, name)) > 120 })
			test.end(r)
			r.wait()
			demandNobody(t, name)
		})
	}
}
