package launch

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/launch/birth"
)

// What a terminal sends to every process of its foreground group (termios(3),
// ISIG), so that the target has it already.
var fromTerminal = []syscall.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP}

// What is meant for the target whoever sends it: with the signals that people
// send to services, SIGALRM, for `perl -e 'alarm 9; exec @ARGV'`, and the
// real-time signals that Go lets a program catch (runtime/sigtab_linux_generic.go).
var forTarget = func() []syscall.Signal {
	signals := []syscall.Signal{unix.SIGHUP, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM}
	for s := syscall.Signal(35); s <= 64; s++ {
		signals = append(signals, s)
	}
	return signals
}()

// What ends the wait for something other than the target.
var interrupts = []syscall.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT}

// notify has signals sent to c, but for those that we were started with
// ignored. It calls signal.Notify for each, since that one takes no signals to
// mean all.
func notify(c chan<- os.Signal, signals ...syscall.Signal) {
	for _, s := range signals {
		if !birth.Ignored(s) {
			signal.Notify(c, s)
		}
	}
}

// keepIgnored has this process ignore what it was started with ignored, so
// that its child does too. The Go runtime keeps only SIGHUP and SIGINT so (and
// SIGTSTP, SIGTTIN, SIGTTOU and SIGCONT, which it does not touch).
func keepIgnored() {
	for s := syscall.Signal(1); s <= 64; s++ {
		switch s {
		case unix.SIGCHLD: // while it is ignored, nobody's exit status can be had (wait(2))
		case unix.SIGURG: // Go preempts its threads with it, and its default is to be ignored
		default:
			if birth.Ignored(s) {
				signal.Ignore(s)
			}
		}
	}
}

// Interrupts delivers the signals by which a user ends the wait for something
// that is not a target's first process: SIGINT, SIGTERM, SIGHUP and SIGQUIT,
// from the call on until stop is called. What came before, and may have ended
// the target, is not delivered. Signals that Turnstile was started with ignored
// remain so.
func Interrupts() (signals <-chan os.Signal, stop func()) {
	catchUp()
	c := make(chan os.Signal, 1)
	notify(c, interrupts...)
	return c, func() { signal.Stop(c) }
}
