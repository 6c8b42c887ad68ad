package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Ten thousand opens that wait do not keep one from being made that does not, and the run
// can be ended.
func TestEnforceTenThousandBlockedOpens(t *testing.T) {
	program := gateTarget(t, "gate_fifos")
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"pipes/", "open="}
		a.fresh(t)
		path, name := named(t, program)
		opens := inFull(10_000)
		if a.uid != 0 {
			opens /= 10 // limits are those of a user all the same
		}
		r := begin(t, a.enforce([]string{"-q"}, path, a.path("pipes"), fmt.Sprint(opens), a.path("open")))
		t.Logf("the open that does not wait: %s", r.says("opened after "))
		if r.ended() {
			t.Fatalf("turnstile has ended\n%s", limitLines(r.stderr()))
		}
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", r.supervisor()))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("the supervisor has %d threads", len(threads))
		if len(threads) > 1000 {
			t.Errorf("the supervisor has a thread for each that waits: %d", len(threads))
		}
		// Nobody has sent a signal yet.
		if text := r.stdout(); strings.Contains(text, "Interrupted") {
			t.Errorf("opens that wait were interrupted:\n%s", limitLines(text))
		}
		r.signal(unix.SIGTERM)
		if status := r.wait(); !status.Signaled() || status.Signal() != unix.SIGTERM {
			t.Errorf("turnstile ended with %s, want signal SIGTERM\n%s", ending(status), limitLines(r.stderr()))
		}
		demandNobody(t, name)
	})
}

// A blocked open is interrupted, restarted or killed as it is without a gate. Both ways by
// which calls come to be performed are taken.
func TestEnforceInterruptedOpen(t *testing.T) {
	program := gateTarget(t, "gate_interrupt")
	tries := 5
	if stress() {
		tries = 100
	}
	for name, flags := range map[string][]string{"reads": {"--deny", "read:/nonexistent"}, "perform-all": {"--perform-all"}} {
		t.Run(name, func(t *testing.T) {
			eachUser(t, func(t *testing.T, a *arena) {
				a.files = []string{"pipe|", "other|"}
				a.fresh(t)
				for _, mode := range []string{"eintr", "restart", "other", "kill"} {
					t.Run(mode, func(t *testing.T) {
						want, code := combined(t, a.bareCommand(program, mode, a.path("pipe"), a.path("other")))
						if code != 0 {
							t.Fatalf("without a gate: exit code %d, %q", code, want)
						}
						for range tries {
							got, code := combined(t, a.enforce(append(flags, "-q"), program, mode, a.path("pipe"), a.path("other")))
							if code != 0 || got != want {
								t.Fatalf("exit code %d, %q, and without a gate %q", code, got, want)
							}
						}
					})
				}
			})
		})
	}
}

// Who waits for a writer is let go by one that writes nothing and does not stay, and by one
// inside that does.
func TestEnforceFIFOShortWriter(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		for _, flags := range [][]string{nil, {"--perform-all"}} {
			a.files = []string{"go|"}
			a.fresh(t)
			r := begin(t, a.enforce(append(flags, "-q"), "sh", "-c", "echo waits; read x <go; exit 5"))
			r.says("waits")
			open(t, a.path("go"), os.O_WRONLY).Close()
			r.demandExit(5)
			begin(t, a.enforce(append(flags, "-q"), "sh", "-c", "(exec 3>go) & read x <go; wait; exit 6")).demandExit(6)
			begin(t, a.enforce(append(flags, "-q"), "sh", "-c", "(cat <go >/dev/null) & exec 3>go; exec 3>&-; wait; exit 7")).demandExit(7)
		}
	})
}

// bareCommand is one without Turnstile, as a.enforce is with it.
func (a *arena) bareCommand(argv ...string) *exec.Cmd {
	cmd := a.enforce(nil)
	bare := exec.Command(argv[0], argv[1:]...)
	bare.Dir, bare.Env, bare.SysProcAttr = cmd.Dir, cmd.Env, cmd.SysProcAttr
	return bare
}

// What a target does not know does not reach it: the numbers by which the kernel tells
// itself to restart a call are above 511.
func TestEnforceSignalStorm(t *testing.T) {
	program := gateTarget(t, "gate_storm")
	opens := inFull(3000)
	if stress() {
		opens *= 20
	}
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"pipe|"}
		a.fresh(t)
		for _, flags := range [][]string{nil, {"--perform-all"}} {
			got, code := combined(t, a.enforce(append(flags, "-q"), program, a.path("pipe"), fmt.Sprint(opens)))
			if code != 0 || !strings.HasPrefix(got, "bad 0\n") {
				t.Errorf("%q: exit code %d\n%s", flags, code, got)
			}
			if found := regexp.MustCompile(`interrupted (\d+)`).FindStringSubmatch(got); found != nil {
				t.Logf("%q: %s opens of a pipe were interrupted that would go on without a gate", flags, found[1])
			}
		}
	})
}

// Threads of one process that execute programs at the same time end each other, as they do
// without a gate. What is in the way of that is that a thread which is traced is not gone
// before its tracer has waited for it, while nobody can begin to trace another.
func TestEnforceThreadsExecuteAtOnce(t *testing.T) {
	program := gateTarget(t, "gate_execs", "-pthread")
	eachUser(t, func(t *testing.T, a *arena) {
		path, _ := named(t, program)
		r := begin(t, a.enforce([]string{"--deny", "exec:/nonexistent"}, path, fmt.Sprint(inFull(1000))))
		if status := r.wait(); status.ExitStatus() != 0 || r.stderr() != "" {
			t.Errorf("it ended with %s\n%s", ending(status), limitLines(r.stderr()))
		}
	})
}
