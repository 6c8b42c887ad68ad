package launch

import (
	"fmt"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/procstat"
)

// stopAlong stops this process, because the child has stopped by the signal
// sig and the shell has to see its job stop.
func (t *Target) stopAlong(sig syscall.Signal) {
	t.stopped = true
	if orphaned() {
		// Nobody is there to continue the job. We would stay stopped for
		// ever, even if somebody were to continue the child.
		return
	}
	if sig == unix.SIGSTOP {
		sig = unix.SIGTSTP // which can be pending, as suffer wants it
	}
	// The terminal may not be ours any more when we go on, and what it has
	// sent until now would seem to come from elsewhere.
	catchUp()
	t.passOn()
	t.dropStops()
	suffer(sig, t.childStopped)
	notify(t.stops, unix.SIGTSTP)
}

// resume continues the child, now that we have been, if it is still stopped. A
// shell continues the whole group (`fg`, `bg`), the younger processes before the
// older (kernel/pid.c, attach_pid, puts each in front), and then it is not. But
// SIGCONT may have come to us alone, or the child may have left our group.
func (t *Target) resume() {
	if t.stopped && t.childStopped() {
		_ = unix.Kill(t.pid, unix.SIGCONT)
	}
	t.stopped = false
}

// outlive takes over when the child has ended. A Ctrl-Z still has to stop us,
// for the sake of the shell: Go would drop it, because its handler stays where
// it was once installed (runtime/signal_unix.go, sigdisable).
func (t *Target) outlive() {
	for range t.stops {
		suffer(unix.SIGTSTP, always)
	}
}

// passOn forwards what has been delivered and not been looked at.
func (t *Target) passOn() {
	for {
		select {
		case s := <-t.signals:
			t.forward(s.(syscall.Signal))
		default:
			return
		}
	}
}

// dropStops ends the delivery of SIGTSTP, and forgets one that was delivered:
// it is about the stop that is being dealt with.
func (t *Target) dropStops() {
	signal.Stop(t.stops)
	select {
	case <-t.stops:
	default:
	}
}

// childStopped reports whether the child is still as it was when it was last
// seen to stop. Nothing is waited for: the child's state stays to be collected.
//
// That it was continued is forgotten when it begins to end (kernel/exit.c,
// do_group_exit), and it is not there to be waited for until it has ended. But
// then a thread of it runs, and none is stopped.
func (t *Target) childStopped() bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, t.pid, &info,
		unix.WEXITED|unix.WCONTINUED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == 0 && hasStoppedThread(t.pid)
}

// hasStoppedThread reports whether a thread of a process is stopped, or cannot
// be looked at (proc(5), hidepid).
func hasStoppedThread(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*", pid))
	for _, thread := range threads {
		stat, err := procstat.Read(thread + "/stat")
		if err == nil && (stat.State == 'T' || stat.State == 't') {
			return true
		}
	}
	return len(threads) == 0
}
