package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// sched_process_exit fires for every thread. A watcher that takes it for the end of
// the process loses all that the other threads do from then on.
func TestThreadExitDoesNotEndProcess(t *testing.T) {
	needObserve(t)
	for _, tt := range []struct {
		name  string
		argv  []string
		exits map[string]int
	}{
		{"other thread", []string{target(t, "thread_exit")}, map[string]int{"exit": 1, "exit_group": 1}},
		{"leader, then exit_group", []string{target(t, "leader_exit"), "group"}, map[string]int{"exit": 1, "exit_group": 1}},
		{"leader, then last thread", []string{target(t, "leader_exit")}, map[string]int{"exit": 2, "exit_group": 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code := unwatched(t, tt.argv...)
			for _, mode := range modes {
				r := watched(t, append(mode, tt.argv...)...)
				demandExit(t, r, code)
				demandComplete(t, r)
				demandTotals(t, r.doc, map[string]int{"getppid": 1000, "sched_yield": 1000})
				demandTotals(t, r.doc, tt.exits)
				if len(r.doc.Processes) != 1 {
					t.Fatalf("%d processes, want 1", len(r.doc.Processes))
				}
				p := r.doc.Processes[0]
				if p.Status == nil || *p.Status != code || p.Exited == nil {
					t.Errorf("the process ended with status %s at %s, want %d", asJSON(t, p.Status), asJSON(t, p.Exited), code)
				}
			}
		})
	}
}

// A thread that executes a program takes over the pid of its process's leader.
func TestExecFromThread(t *testing.T) {
	needObserve(t)
	program := target(t, "thread_exec")
	for _, mode := range modes {
		r := watched(t, append(mode, program)...)
		demandExit(t, r, 0)
		demandComplete(t, r)
		demandTotals(t, r.doc, map[string]int{"getppid": 1000, "exit_group": 1})
		if len(r.doc.Processes) != 1 {
			t.Fatalf("%q: %d processes, want 1", mode, len(r.doc.Processes))
		}
		if n := calls(r.doc)[0]["getppid"]; n != 1000 {
			t.Errorf("%q: the process made %d getppid, want those before and after the exec: 1000", mode, n)
		}
		var execs []string
		for _, x := range r.doc.Execs {
			execs = append(execs, fmt.Sprint(x.Path, x.Argv, *x.Process, x.Count))
		}
		demandLines(t, execs, []string{
			fmt.Sprint(program, []string{program}, 0, 1),
			fmt.Sprint(program, []string{program, "again"}, 0, 1),
		})
	}
}

// The calls around the exec are those that strace sees, too.
func TestExecFromThreadSameAsStrace(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "strace")
	log := filepath.Join(t.TempDir(), "log")
	r := watched(t, "-q", "--", "strace", "-f", "-o", log, target(t, "thread_exec"))
	compareWithStrace(t, r.doc, readLog(t, log), callsBeforeExec(t))
}

// A daemon belongs to what the command did, long after the command has ended.
func TestDaemonIsWaitedFor(t *testing.T) {
	needObserve(t)
	begin, end := fifo(t), fifo(t)
	r := startWatching(t, "--", target(t, "daemon"), begin, end)
	eventually(t, "somebody is said to be waited for", func() bool { return strings.Contains(read(t, r.err), "waiting for") || r.ended() })
	pid := strings.TrimSpace(read(t, r.out))
	name := "daemon[" + pid + "]"
	waits := ""
	for line := range strings.Lines(read(t, r.err)) {
		if strings.HasPrefix(line, "turnstile: ") && strings.Contains(line, "waiting for") {
			waits = line
		}
	}
	if !strings.Contains(waits, name) {
		t.Errorf("no line of turnstile names %s as waited for:\n%s", name, read(t, r.err))
	}
	open(t, begin, os.O_WRONLY)
	open(t, end, os.O_RDONLY)

	o := r.finish(t)
	demandExit(t, o, 7)
	demandComplete(t, o)
	if len(o.doc.Processes) != 3 {
		t.Errorf("%d processes, want 3", len(o.doc.Processes))
	}
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	p := process(t, o.doc, number)
	if n := calls(o.doc)[p.ID]["getppid"]; n != 700 {
		t.Errorf("the daemon made %d getppid, want 700", n)
	}
	if p.Status == nil || *p.Status != 0 {
		t.Errorf("the daemon ended with %s, want 0", asJSON(t, p.Status))
	}
}

func TestNoWaitLeavesDaemon(t *testing.T) {
	needObserve(t)
	begin, end := fifo(t), fifo(t)
	r := startWatching(t, "--no-wait", "--", target(t, "daemon"), begin, end)
	o := r.finish(t) // while the daemon waits for us
	demandExit(t, o, 7)
	demandTotals(t, o.doc, map[string]int{"getppid": 0, "exit_group": 2})
	if strings.Contains(o.stderr, "waiting for") {
		t.Errorf("turnstile says that it waits:\n%s", o.stderr)
	}
	// The daemon goes on as if nothing had been: both opens return only if it
	// opens the other ends.
	open(t, begin, os.O_WRONLY)
	open(t, end, os.O_RDONLY)
}

// Nobody is missed however a child is made, and however short it lives.
func TestEveryChildIsFollowed(t *testing.T) {
	needObserve(t)
	children := inFull(2000)
	program := target(t, "children")
	for _, how := range []string{"fork", "vfork", "clone3"} {
		for _, mode := range [][]string{{"-q", "--"}, {"-q", "--all", "--"}} {
			t.Run(fmt.Sprint(how, mode), func(t *testing.T) {
				r := watched(t, append(mode, program, how, fmt.Sprint(children))...)
				demandExit(t, r, 0)
				if !r.doc.Complete.Syscalls || !r.doc.Complete.Processes {
					t.Errorf("the trace is incomplete: %s, lost %v", asJSON(t, r.doc.Complete), r.doc.Lost)
				}
				if n := len(r.doc.Processes); n != children+1 {
					t.Fatalf("%d processes, want %d", n, children+1)
				}
				demandTotals(t, r.doc, map[string]int{"getppid": 3 * children, "exit_group": children + 1})
				by, parent := calls(r.doc), r.doc.Processes[0]
				for _, p := range r.doc.Processes[1:] {
					if n := by[p.ID]["getppid"]; n != 3 || by[p.ID]["exit_group"] != 1 {
						t.Fatalf("process %d: %v, want 3 getppid and 1 exit_group", p.PID, by[p.ID])
					}
					if p.PPID != parent.PID || p.Exe != parent.Exe || p.Status == nil || p.Exited == nil || *p.Exited < p.Started {
						t.Fatalf("process %s is no ended child of %d", asJSON(t, p), parent.PID)
					}
				}
			})
		}
	}
}

// Threads beyond --max-tasks cannot be told apart. Their calls are counted all the
// same, and the trace says how many threads they were.
func TestThreadsBeyondLimitAreCounted(t *testing.T) {
	needObserve(t)
	program := target(t, "children")
	for _, how := range []string{"threads", "fork"} {
		for _, mode := range [][]string{{"-q"}, {"-q", "--errors"}, {"-q", "--all"}} {
			t.Run(fmt.Sprint(how, mode), func(t *testing.T) {
				args := append(mode, "--max-tasks", "4", "--", program, how, "500")
				r := watched(t, args...)
				demandExit(t, r, 0)
				if !r.doc.Complete.Syscalls {
					t.Errorf("the syscalls are incomplete: lost %v", r.doc.Lost)
				}
				demandTotals(t, r.doc, map[string]int{"getppid": 1500})
				if r.doc.Folded["threads"] == 0 {
					t.Errorf("folded: %v, but fifty threads at a time had four slots", r.doc.Folded)
				}
			})
		}
	}
}

// Pids are those of the namespace that Turnstile runs in: what the target has as
// its pid there is in the trace.
func TestPidNamespaceOfTurnstile(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "unshare")
	program := target(t, "getpid")
	for _, mode := range modes {
		file := filepath.Join(t.TempDir(), "trace")
		args := append([]string{"-pf", "--mount-proc", "turnstile", "observe", "-o", file}, mode...)
		r := finish(t, exec.Command("unshare", append(args, program)...), file)
		if r.doc == nil {
			t.Fatalf("no trace\n%s", r.stderr)
		}
		demandExit(t, r, 0)
		demandComplete(t, r)
		var pid, ppid int
		if _, err := fmt.Sscan(r.stdout, &pid, &ppid); err != nil {
			t.Fatal(err)
		}
		if pid > 100 || ppid != 1 {
			t.Fatalf("the target has pid %d and parent %d: not those of a new namespace", pid, ppid)
		}
		p := process(t, r.doc, pid)
		if int(p.PPID) != ppid {
			t.Errorf("the parent of %d is %d, want %d", pid, p.PPID, ppid)
		}
		demandTotals(t, r.doc, map[string]int{"getpid": 1, "getppid": 1, "write": 1, "exit_group": 1})
	}
}

// The first process of a pid namespace cannot be killed by a signal of its own, so
// there Turnstile exits as a shell would.
func TestPidNamespaceOfTurnstileAndSignal(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "unshare")
	file := filepath.Join(t.TempDir(), "trace")
	r := finish(t, exec.Command("unshare", "-pf", "--mount-proc", "turnstile", "observe", "-q", "-o", file, "--", target(t, "getpid"), "killed"), file)
	if r.code != 128+15 {
		t.Errorf("exit code %d, want %d\n%s", r.code, 128+15, r.stderr)
	}
	if r.doc == nil || r.doc.Target.Signal == nil || *r.doc.Target.Signal != "SIGTERM" {
		t.Errorf("the trace does not say that SIGTERM killed the target")
	}
}

// A target may make namespaces of its own. What runs in them is followed, under
// the pids that it has outside.
func TestPidNamespaceOfTarget(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "unshare")
	program := target(t, "pidns")
	for _, outer := range [][]string{nil, {"unshare", "-pf", "--mount-proc"}} {
		file := filepath.Join(t.TempDir(), "trace")
		args := append(outer, "turnstile", "observe", "-q", "-o", file, "--", program)
		r := finish(t, exec.Command(args[0], args[1:]...), file)
		if r.doc == nil {
			t.Fatalf("no trace\n%s", r.stderr)
		}
		demandExit(t, r, 0)
		demandComplete(t, r)
		var init int
		if _, err := fmt.Sscan(r.stdout, &init); err != nil {
			t.Fatal(err)
		}
		p := process(t, r.doc, init)
		if p.PPID != r.doc.Processes[0].PID {
			t.Errorf("the parent of %d is %d, want %d", init, p.PPID, r.doc.Processes[0].PID)
		}
		pids := make(map[int32]bool)
		for _, child := range r.doc.Processes {
			pids[child.PID] = true
			if int(child.PPID) != init {
				continue
			}
			if n := calls(r.doc)[child.ID]["getppid"]; n != 3 {
				t.Errorf("process %d made %d getppid, want 3", child.PID, n)
			}
		}
		if len(pids) != 7 || len(r.doc.Processes) != 7 {
			t.Errorf("%d pids of %d processes, want 7", len(pids), len(r.doc.Processes))
		}
	}
}
