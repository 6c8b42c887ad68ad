package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// What is typed on a terminal.
const (
	ctrlC = "\x03"
	ctrlZ = "\x1a"
)

// stage is a terminal with a command on it, which has it for its own.
type stage struct {
	*gatedRun
	keyboard *os.File
	pieces   chan string
	screen   string // what came and was not looked for yet
	seen     string // the rest
}

// onStage starts a command in a session of its own, with a new terminal.
func onStage(t testing.TB, cmd *exec.Cmd) *stage {
	t.Helper()
	master, tty := testenv.Terminal(t)
	s := &stage{keyboard: master, pieces: make(chan string)}
	if cred := cmd.SysProcAttr.Credential; cred != nil {
		chown(t, tty.Name(), int(cred.Uid))
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	go func() {
		defer close(s.pieces)
		for piece := make([]byte, 4096); ; {
			n, err := s.keyboard.Read(piece)
			if n > 0 {
				select {
				case s.pieces <- string(piece[:n]):
				case <-ended:
					return
				}
			}
			if err != nil && err != io.EOF {
				return // EIO: nobody has the terminal any more
			}
		}
	}()
	s.gatedRun = begin(t, cmd)
	tty.Close() // or the terminal would never be nobody's
	return s
}

// sees waits until a text is on the screen, and returns what came before it.
func (s *stage) sees(text string) (before string) {
	s.t.Helper()
	for end := time.After(deadline()); ; {
		if before, after, found := strings.Cut(s.screen, text); found {
			s.screen, s.seen = after, s.seen+before+text
			return before
		}
		select {
		case piece, ok := <-s.pieces:
			if !ok {
				s.t.Fatalf("the terminal is closed; the screen has %q and not %q", s.screen, text)
			}
			s.screen += piece
		case <-end:
			s.t.Fatalf("the screen has %q and not %q; before that %q", s.screen, text, s.seen)
		}
	}
}

// rest is what comes until nobody has the terminal any more.
func (s *stage) rest() string {
	s.t.Helper()
	for end := time.After(deadline()); ; {
		select {
		case piece, ok := <-s.pieces:
			if !ok {
				return s.screen
			}
			s.screen += piece
		case <-end:
			s.t.Fatalf("somebody has the terminal for ever; it has %q", s.screen)
		}
	}
}

// types presses keys.
func (s *stage) types(keys string) {
	s.t.Helper()
	if _, err := s.keyboard.WriteString(keys); err != nil {
		s.t.Fatalf("typing %q: %v", keys, err)
	}
}

// inShell is a shell with job control that runs a script, in which $TURNSTILE is a
// turnstile with a program.
func (a *arena) inShell(flags []string, script string, argv ...string) *exec.Cmd {
	cmd := a.enforce(flags, argv...)
	self, err := exec.LookPath(cmd.Path)
	if err != nil {
		panic(err)
	}
	shell := a.bareCommand(append([]string{"bash", "-m", "-c", "turnstile() { " + strconv.Quote(self) + ` "${args[@]}"; }; args=("$@"); ` + script, "-"}, cmd.Args[1:]...)...)
	shell.SysProcAttr = &syscall.SysProcAttr{Credential: cmd.SysProcAttr.Credential}
	return shell
}

// Ctrl-C reaches the command once, and turnstile does not end before it.
func TestEnforceCtrlC(t *testing.T) {
	program := gateTarget(t, "gate_signals")
	eachUser(t, func(t *testing.T, a *arena) {
		s := onStage(t, a.inShell([]string{"-q"}, `turnstile; echo "ended $?"`, program))
		s.sees("ready")
		for range 3 {
			s.types(ctrlC)
			s.sees("got 2\r\n")
			s.types("\x1c")
			if text := s.sees("got 3\r\n"); strings.Contains(text, "got") {
				t.Errorf("after one Ctrl-C there is %q", text)
			}
		}
		s.kill(program, unix.SIGALRM)
		if text := s.sees("ended 7"); strings.Contains(text, "got") {
			t.Errorf("after one Ctrl-\\ there is %q", text)
		}
	})
}

// kill sends a signal to the process that runs a program.
func (s *stage) kill(program string, sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.who(program), sig); err != nil {
		s.t.Fatal(err)
	}
}

// who runs a program.
func (s *stage) who(program string) int {
	s.t.Helper()
	for _, p := range processes(s.t) {
		if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.pid)); err == nil && exe == program {
			return p.pid
		}
	}
	s.t.Fatalf("nobody runs %s", program)
	return 0
}

// awaitForeground waits until the terminal is that of the group in which a program is.
func (s *stage) awaitForeground(program string) {
	s.t.Helper()
	group, err := syscall.Getpgid(s.who(program))
	if err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the job is in the foreground", func() bool {
		front, err := unix.IoctlGetInt(int(s.keyboard.Fd()), unix.TIOCGPGRP)
		return err == nil && front == group
	})
}

// A Ctrl-C that ends the command ends turnstile in the same way: a shell whose job dies of
// SIGINT gives up its script, which it does not for one that exits with 130.
func TestEnforceCtrlCEnds(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		s := onStage(t, a.inShell([]string{"-q"}, `turnstile; exit 9`, "sh", "-c", "echo runs; exec sleep 1000"))
		s.sees("runs")
		s.types(ctrlC)
		s.demandExit(130)
	})
}

// Ctrl-Z stops the job, fg and bg go on with it.
func TestEnforceJobControl(t *testing.T) {
	program := gateTarget(t, "gate_signals")
	eachUser(t, func(t *testing.T, a *arena) {
		s := onStage(t, a.inShell([]string{"-q"}, `turnstile; echo "first $?"; fg >/dev/null; echo "second $?"; bg >/dev/null; read line; fg >/dev/null; echo "third $?"`, program))
		s.sees("ready")
		s.types(ctrlZ)
		s.sees(fmt.Sprintf("first %d", 128+unix.SIGTSTP))
		s.sees(fmt.Sprintf("got %d\r\n", unix.SIGCONT))
		s.types(ctrlC)
		s.sees("got 2\r\n")
		s.types(ctrlZ)
		s.sees(fmt.Sprintf("second %d", 128+unix.SIGTSTP))
		s.sees(fmt.Sprintf("got %d\r\n", unix.SIGCONT))
		s.types("\n")
		s.awaitForeground(program)
		s.types(ctrlC)
		s.sees("got 2\r\n")
		s.kill(program, unix.SIGALRM)
		s.sees("third 7")
	})
}

// A job in the background that reads from the terminal is stopped by it.
func TestEnforceBackgroundRead(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		s := onStage(t, a.inShell([]string{"-q"}, `turnstile & until jobs -s | grep -q .; do :; done; echo stopped; fg >/dev/null; echo "ended $?"`, "sh", "-c", "read line; echo got $line; exit 3"))
		s.sees("stopped")
		s.types("hello\n")
		s.sees("got hello")
		s.sees("ended 3")
	})
}
