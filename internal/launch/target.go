package launch

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Target is a command that was started.
type Target struct {
	pid int
	// stopped says that the child was seen to stop, and that we have not
	// been continued since.
	stopped bool
	poll    func(pid int) (status syscall.WaitStatus, changed bool, err error)

	signals   chan os.Signal // to pass on, but for
	stops     chan os.Signal // SIGTSTP
	continues chan os.Signal // SIGCONT
	changes   chan os.Signal // SIGCHLD: the child's state may have changed
	unread    chan os.Signal // what has to lose its default action, no more
}

func newTarget() *Target {
	return &Target{
		poll: poll,
		// Go drops what finds no room. Two of a kind are one to the
		// kernel too, so a place for each is enough.
		signals:   make(chan os.Signal, 2+len(forTarget)),
		stops:     make(chan os.Signal, 1),
		continues: make(chan os.Signal, 1),
		changes:   make(chan os.Signal, 1),
		unread:    make(chan os.Signal, 1),
	}
}

// PID is the process id of the target's first process.
func (t *Target) PID() int { return t.pid }

// catch takes the default action from the signals that Wait handles. It is
// called as late as can be, because until the child is there a Ctrl-C is meant
// for us alone, and before the child is there, because from then on it is not.
func (t *Target) catch() {
	notify(t.signals, forTarget...)
	notify(t.stops, unix.SIGTSTP)
	notify(t.continues, unix.SIGCONT)
	notify(t.unread, unix.SIGPIPE)
	// Not by notify: we must hear of the child even if the target has to
	// be started with SIGCHLD ignored.
	signal.Notify(t.changes, unix.SIGCHLD)
	notify(t.signals, unix.SIGQUIT, unix.SIGINT)
}

// release undoes catch.
func (t *Target) release() {
	for _, c := range []chan os.Signal{t.signals, t.stops, t.continues, t.changes, t.unread} {
		signal.Stop(c)
	}
}

// abandon ends a child whose start has failed after the fork.
func (t *Target) abandon() {
	_ = unix.Kill(t.pid, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(t.pid, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	t.release()
}

// Wait returns the status with which the target's first process ended. Until
// then it passes signals on, and stops and continues with that process. It is
// to be called once, and nobody else may wait for that process.
//
// Of what reaches Turnstile, SIGHUP, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM and
// the real-time signals are passed on, and SIGINT, SIGQUIT and SIGTSTP unless
// Turnstile's process group owns the terminal, which has then sent them to the
// target too. Signals that Turnstile was started with ignored are not passed
// on. They keep their handlers when Wait has returned, so that a Ctrl-C does
// not end Turnstile then: see Interrupts.
func (t *Target) Wait() (syscall.WaitStatus, error) {
	for s := os.Signal(unix.SIGCHLD); ; s = t.next() {
		if s != unix.SIGCHLD && s != unix.SIGCONT {
			t.forward(s.(syscall.Signal))
			continue
		}
		// SIGCONT too has to do with the child's state, of which we may
		// not have been told yet.
		status, changed, err := t.poll(t.pid)
		if err != nil || changed && !status.Stopped() {
			go t.outlive()
			return status, err
		}
		if changed {
			t.stopAlong(status.StopSignal())
		}
		if s == unix.SIGCONT {
			t.resume()
		}
	}
}

// next is the next signal to act upon.
func (t *Target) next() os.Signal {
	select {
	case s := <-t.signals:
		return s
	case s := <-t.stops:
		return s
	case s := <-t.continues:
		return s
	case s := <-t.changes:
		return s
	}
}

// poll asks whether a child has stopped or ended. It sees only that child,
// since the processes of others in this program are theirs to wait for.
func poll(child int) (status syscall.WaitStatus, changed bool, err error) {
	pid, err := syscall.Wait4(child, &status, syscall.WNOHANG|syscall.WUNTRACED, nil)
	if err != nil {
		return 0, false, fmt.Errorf("waiting for process %d: %w", child, err)
	}
	return status, pid == child, nil
}

// forward sends s to the child, which cannot be another process by now, since
// it has not been waited for. The child may have become a user to whom we may
// not send signals; then whoever sent this one could not have done so either.
func (t *Target) forward(s syscall.Signal) {
	if slices.Contains(fromTerminal, s) && ownsTerminal() {
		return
	}
	_ = unix.Kill(t.pid, s)
}
