package launch

import (
	"testing"

	"golang.org/x/sys/unix"
)

const (
	ctrlC         = "\x03"
	ctrlZ         = "\x1a"
	ctrlBackslash = "\x1c"
)

func TestCtrlCReachesTargetOnce(t *testing.T) {
	s := onTerminal(t, "fg", "turnstile", self, targetRole).awaitTarget()
	for range 5 {
		s.typing(ctrlC)
		s.expect("target SIGINT")
		s.nothingElse()
		s.typing(ctrlBackslash)
		s.expect("target SIGQUIT")
		s.nothingElse()
	}
	s.finish()
}

func TestCtrlCEndsBoth(t *testing.T) {
	for _, test := range []struct{ key, signal string }{
		{ctrlC, "SIGINT"},
		{ctrlBackslash, "SIGQUIT"},
	} {
		t.Run(test.signal, func(t *testing.T) {
			// The inner shell says when it runs, and then becomes sleep.
			s := onTerminal(t, "fg", "turnstile", "sh", "-c", "echo runs >&3; exec sleep 1000")
			s.expect("runs")
			s.typing(test.key)
			s.expect("killed " + test.signal)
		})
	}
}

func TestCtrlZStopsBoth(t *testing.T) {
	s := onTerminal(t, "fg", "turnstile", self, targetRole).awaitTarget()
	for range 5 {
		s.typing(ctrlZ)
		s.expect("stopped SIGTSTP")
		s.awaitStop(s.target)
		s.awaitStop(s.turnstile)
		s.order("fg")
		s.expect("target SIGCONT")
		s.nothingElse()
	}
	s.typing(ctrlC) // the terminal is ours again
	s.expect("target SIGINT")
	s.finish()
}

func TestContinueInBackground(t *testing.T) {
	s := onTerminal(t, "fg", "turnstile", self, targetRole).awaitTarget()
	// A Ctrl-C and a Ctrl-Z that Turnstile were to look at only now would
	// seem to be somebody's signals to a job in the background.
	s.typing(ctrlC)
	s.typing(ctrlZ)
	before := s.until("stopped SIGTSTP") // the target may have had time for its line
	s.order("bg")
	if len(before) == 0 {
		s.expect("target SIGINT", "target SIGCONT")
	} else {
		s.expect("target SIGCONT")
	}
	s.nothingElse()
	s.finish()
}

func TestContinueTurnstileAlone(t *testing.T) {
	s := onTerminal(t, "fg", "turnstile", self, targetRole).awaitTarget()
	s.typing(ctrlZ)
	s.expect("stopped SIGTSTP")
	s.signal(s.turnstile, unix.SIGCONT)
	s.expect("target SIGCONT")
	s.nothingElse()
	s.finish()
}

func TestTargetStopsByItself(t *testing.T) {
	s := onTerminal(t, "fg", "turnstile", self, targetRole).awaitTarget()
	s.signal(s.target, unix.SIGSTOP)
	s.expect("stopped SIGTSTP")
	s.order("fg")
	s.expect("target SIGCONT")
	s.nothingElse()
	s.finish()
}

func TestTargetThatDoesNotStop(t *testing.T) {
	s := onTerminal(t, "fg", "turnstile", self, targetRole, "unstoppable").awaitTarget()
	s.typing(ctrlZ)
	s.expect("target SIGTSTP")
	s.nothingElse() // a stopped Turnstile would pass nothing on
	s.finish()
}

func TestBackgroundRead(t *testing.T) {
	s := onTerminal(t, "bg", "turnstile", "sh", "-c", "read line; echo got $line >&3; exit 3")
	s.expect("stopped SIGTTIN")
	s.order("fg")
	s.typing("hello\n")
	s.expect("got hello")
	s.expect("exited 3")
}

func TestSignalsInBackground(t *testing.T) {
	s := onTerminal(t, "bg", "turnstile", self, targetRole).awaitTarget()
	for _, name := range []string{"SIGINT", "SIGQUIT"} {
		s.signal(s.turnstile, unix.SignalNum(name))
		s.expect("target " + name)
		s.nothingElse()
	}
	for range 3 {
		s.signal(s.turnstile, unix.SIGTSTP)
		s.expect("stopped SIGTSTP")
		s.awaitStop(s.target)
		s.order("bg")
		s.expect("target SIGCONT")
		s.nothingElse()
	}
	s.finish()
}

func TestSignalsWithoutTerminal(t *testing.T) {
	s := withoutTerminal(t, nil, self, targetRole).awaitTarget()
	for _, name := range []string{"SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1"} {
		s.signal(s.turnstile, unix.SignalNum(name))
		s.expect("target " + name)
		s.nothingElse()
	}
	s.signal(s.turnstile, 40) // a real-time signal
	s.expect("target 40")
	s.finish()
}

// Where no shell can continue Turnstile it must not stop, or it would stay so
// when somebody continues the target.
func TestStopWithoutShell(t *testing.T) {
	s := withoutTerminal(t, nil, self, targetRole).awaitTarget()
	for range 5 {
		s.signal(s.target, unix.SIGSTOP)
		s.awaitStop(s.target)
		s.signal(s.target, unix.SIGCONT)
		s.expect("target SIGCONT")
		s.nothingElse()

		s.signal(s.target, unix.SIGSTOP)
		s.awaitStop(s.target)
		s.signal(s.turnstile, unix.SIGCONT)
		s.expect("target SIGCONT")
		s.nothingElse()
	}
	s.finish()
}

func TestCtrlCAfterTarget(t *testing.T) {
	s := onTerminal(t, "fg", "turnstile that waits on", "sh", "-c", "kill -INT $$")
	s.expect("turnstile waits")
	s.typing(ctrlC) // nobody listens, and nobody dies of it
	s.typing(ctrlZ)
	s.expect("stopped SIGTSTP")
	s.order("fg")
	s.typing("\n")
	s.expect("turnstile listens")
	s.typing(ctrlC)
	s.expect("turnstile SIGINT", "exited 0")
}

func TestSignalsIgnoredAtStart(t *testing.T) {
	for _, test := range []struct {
		before []string
		signal string
	}{
		{[]string{"nohup"}, "SIGHUP"},
		{[]string{"env", "--ignore-signal=INT"}, "SIGINT"},
		{[]string{"env", "--ignore-signal=TSTP"}, "SIGTSTP"},
		{[]string{"env", "--ignore-signal=TERM"}, "SIGTERM"},
	} {
		t.Run(test.signal, func(t *testing.T) {
			if test.signal == "SIGTERM" {
				needEarly(t)
			}
			s := withoutTerminal(t, test.before, self, targetRole).awaitTarget()
			s.signal(s.turnstile, unix.SignalNum(test.signal))
			s.nothingElse()
			s.finish()
		})
	}
}
