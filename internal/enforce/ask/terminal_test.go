package ask

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

func TestKeys(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	for key, want := range map[string]choice{
		"a": allowOnce, "A": allowRun, "d": denyOnce, "D": denyRun,
		"\r": denyOnce, "\n": denyOnce, "\x04": denyOnce,
	} {
		t.Run(want.said, func(t *testing.T) {
			s := newScene(t).plays("asker")
			if before := s.sees(choices); !strings.Contains(before, "\nturnstile: sh[812] wants to open \"/home/u/.profile\" (write,create)") {
				t.Errorf("the question is %q", before)
			}
			modes := s.terminalModes()
			if modes.Lflag&(unix.ICANON|unix.ECHO) != 0 || modes.Lflag&unix.ISIG == 0 {
				t.Errorf("local modes %x while a question waits", modes.Lflag)
			}
			s.types(key)
			s.answered(want.answer)
			if before := s.sees("\n"); strings.TrimSpace(before) != want.said {
				t.Errorf("%q was answered by %q", key, before)
			}
		})
	}
}

func TestOtherKeysDoNotAnswer(t *testing.T) {
	s := newScene(t).plays("asker")
	s.sees(choices)
	for _, keys := range []string{"x", " ", "\x1b[A", "\x1b[D", "make all\n", "\x1b", "[", "A"} {
		s.types(keys)
		if before := s.sees(choices); before != "\r" {
			t.Errorf("%q is answered by %q", keys, before)
		}
	}
	s.types("d")
	s.answered(denyOnce.answer)
}

func TestExplain(t *testing.T) {
	s := newScene(t).plays("asker")
	s.sees(choices)
	for range 2 {
		s.types("?")
		if text := s.sees(choices); !strings.Contains(text, "--allow write,create:/home/u/.profile") {
			t.Errorf("the explanation is %q", text)
		}
	}
	s.types("a")
	s.answered(allowOnce.answer)
}

func TestTypedAhead(t *testing.T) {
	for _, text := range []string{"a", "a\n", "A\n"} {
		s := newScene(t)
		s.types(text)
		s.sees(text[:1]) // its echo: the terminal has it
		s.plays("asker")
		s.sees(choices)
		s.types("d")
		s.answered(denyOnce.answer)
	}
}

func TestHostileStrings(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	s := newScene(t).plays("asker with a hostile target")
	shown := s.sees(choices)
	s.types("?")
	shown += s.sees(choices)
	s.types("d")
	s.answered(denyOnce.answer)
	if !utf8.ValidString(shown) {
		t.Errorf("not UTF-8: %q", shown)
	}
	for _, r := range shown {
		if r < ' ' && r != '\r' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2066' {
			t.Errorf("%q in %q", r, shown)
		}
	}
	if strings.Count(shown, "\nturnstile: ") != 1 || !strings.Contains(shown, `"/tmp/\u202egnp.\xff\r\nturnstile: `) {
		t.Errorf("the question is %q", shown)
	}
}

func TestColour(t *testing.T) {
	for value, want := range map[string]bool{"": true, "1": false} {
		t.Setenv("NO_COLOR", value)
		s := newScene(t).plays("asker")
		if shown := s.sees(choices); strings.Contains(shown, "\x1b[1m") != want {
			t.Errorf("NO_COLOR=%s: %q", value, shown)
		}
		s.types("d")
		s.answered(denyOnce.answer)
	}
}

func TestWithdrawn(t *testing.T) {
	s := newScene(t).plays("asker")
	s.sees(choices)
	s.withdraws()
	s.answered(Answer{By: byWithdrawn})
	if before := s.sees("\n"); strings.TrimSpace(before) != "withdrawn" {
		t.Errorf("the question ends with %q", before)
	}
}

func TestCtrlC(t *testing.T) {
	s := newScene(t).plays("asker")
	s.sees(choices)
	s.types("\x03")
	s.expect("SIGINT")
	s.answered(Answer{By: byWithdrawn})
}

// Ctrl-S: a terminal that takes no output must not keep a call that has ended.
func TestPausedTerminal(t *testing.T) {
	s := newScene(t)
	s.types("\x13")
	s.plays("asker")
	s.awaitPoll(2)
	s.withdraws()
	s.answered(Answer{By: byWithdrawn})

	s = newScene(t)
	s.types("\x13")
	s.plays("asker")
	s.awaitPoll(2)
	s.types("\x11")
	s.sees(choices)
	s.types("a")
	s.answered(allowOnce.answer)
}

// A target that draws its screen itself: nothing of its modes may get lost, and its
// reads that do not wait must not be taken for a hang-up.
func TestRawTerminal(t *testing.T) {
	for _, vmin := range []uint8{0, 1} {
		s := newScene(t)
		s.sets(func(modes *unix.Termios) {
			modes.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG
			modes.Oflag &^= unix.OPOST
			modes.Cc[unix.VMIN], modes.Cc[unix.VTIME] = vmin, 0
		})
		s.modes = s.terminalModes()
		s.plays("asker")
		if shown := s.sees(choices); strings.Contains(strings.ReplaceAll(shown, "\r\n", ""), "\n") {
			t.Errorf("a line without carriage return in %q", shown)
		}
		if s.terminalModes().Cc[unix.VMIN] != 1 {
			t.Error("a read would not wait for a key")
		}
		s.types("?")
		s.sees(choices)
		s.types("\x03")
		s.answered(denyOnce.answer)
	}
}

func TestModesChangedMeanwhile(t *testing.T) {
	s := newScene(t).plays("asker")
	s.sees(choices)
	s.sets(func(modes *unix.Termios) {
		modes.Lflag |= unix.ICANON | unix.ECHO
		modes.Iflag ^= unix.IXANY
	})
	s.sees(choices) // again
	s.types("d")
	s.modes.Iflag ^= unix.IXANY // which is not ours to put back
	s.answered(denyOnce.answer)
}

func TestBackground(t *testing.T) {
	s := newScene(t).plays("shell", "bg", "asker")
	s.awaitPoll(1)
	s.order("fg")
	if before := s.sees("fg\r\n"); before != "" {
		t.Errorf("in the background it says %q", before)
	}
	for range 3 {
		s.sees(choices)
		s.order("bg")
		s.expect("in the background")
		s.types("a") // to others, and it wakes who does not know that yet
		s.awaitPoll(1)
		s.order("fg")
	}
	s.sees(choices)
	s.types("d")
	s.answered(denyOnce.answer)
}

func TestWithdrawnInBackground(t *testing.T) {
	s := newScene(t).plays("shell", "bg", "asker")
	s.awaitPoll(1)
	s.withdraws()
	s.answered(Answer{By: byWithdrawn})
	s.order("the end")
	if before := s.sees("the end"); before != "" {
		t.Errorf("in the background it says %q", before)
	}
}

// A shell that edits its line has modes of its own, which look much like ours.
func TestLeavesTheShellItsModes(t *testing.T) {
	s := newScene(t).plays("shell", "fg", "asker")
	s.sees(choices)
	s.order("bg")
	s.expect("in the background")
	s.awaitPoll(1)
	s.sets(func(modes *unix.Termios) { modes.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG })
	s.modes = s.terminalModes()
	s.withdraws()
	s.answered(Answer{By: byWithdrawn})
}

// One may be put into the background between the look and the leap.
func TestPutIntoBackground(t *testing.T) {
	s := newScene(t)
	s.sets(func(modes *unix.Termios) { modes.Lflag |= unix.TOSTOP })
	s.plays("shell", "bg", "meddler")
	mustDo(unix.Kill(s.asker, unix.SIGUSR1))
	s.sees("meddled")
	s.types("x") // and the read fails
	s.expect(`front false, changed true, read ""`)
}

// Whoever has the terminal after a Ctrl-Z has it as it was; then the question is
// there again.
func TestStoppedAndContinued(t *testing.T) {
	s := newScene(t).plays("shell", "fg", "asker")
	s.sees(choices)
	for range 3 {
		s.types("\x1a")
		s.expect("stopped SIGTSTP")
		s.types("a") // to the shell, and echoed
		s.sees("a")
		s.order("fg")
		s.sees("fg\r\n")
		s.sees(choices)
	}
	s.types("d")
	s.answered(denyOnce.answer)
}

func TestHangUp(t *testing.T) {
	s := newScene(t).plays("asker")
	s.sees(choices)
	s.keyboard.Close()
	s.expect("{Allow:false Run:false By:the terminal has hung up Err:<nil>}")
}

func TestHangUpInBackground(t *testing.T) {
	s := newScene(t).plays("shell", "bg", "asker")
	s.awaitPoll(1)
	s.keyboard.Close()
	s.expect("{Allow:false Run:false By:the terminal has hung up Err:<nil>}")
}

func TestNoTerminal(t *testing.T) {
	s := &scene{t: t}
	cmd := exec.Command("/proc/self/exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stderr = os.Stderr
	s.start("asker", cmd)
	s.expect("{Allow:false Run:false By:no terminal Err:<nil>}")
}
