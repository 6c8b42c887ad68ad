package launch

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// How long a test waits for what has to come. Only a test that fails waits so
// long.
const patience = 2 * time.Minute

// A scene is a Turnstile with a target that can be watched, in a session of its
// own: with a terminal and a shell, or with neither.
type scene struct {
	t         *testing.T
	terminal  *os.File // where one types, if there is a terminal
	orders    *os.File // to the shell, if there is one
	cmd       *exec.Cmd
	lines     chan string
	unread    []string
	turnstile int
	target    int
}

// onTerminal starts a shell on a new terminal, with Turnstile in the given role
// as its job in the foreground ("fg") or the background ("bg").
func onTerminal(t *testing.T, ground, role string, command ...string) *scene {
	t.Helper()
	s := &scene{t: t}
	var tty *os.File
	s.terminal, tty = testenv.Terminal(t)
	orders, ordersEnd := mustPipe(t)
	s.orders = ordersEnd
	s.cmd = exec.Command(self, append([]string{ground, role}, command...)...)
	s.cmd.Env = append(os.Environ(), roleVariable+"=shell")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.start(orders)
	tty.Close()
	orders.Close()
	s.turnstile = s.number("job")
	return s
}

// withoutTerminal starts Turnstile in a session that has no terminal. What is
// in before is a program that executes it, as nohup(1) would.
func withoutTerminal(t *testing.T, before []string, command ...string) *scene {
	t.Helper()
	s := &scene{t: t}
	s.cmd = turnstile(before, command...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	s.start()
	s.turnstile = s.cmd.Process.Pid
	return s
}

// turnstile is a Turnstile that runs the command, executed by what is in before.
func turnstile(before []string, command ...string) *exec.Cmd {
	argv := slices.Concat(before, []string{self}, command)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), roleVariable+"=turnstile")
	return cmd
}

// start starts the scene's first process, with the log as descriptor 3 and more
// descriptors behind it.
func (s *scene) start(more ...*os.File) {
	s.t.Helper()
	log, logEnd := mustPipe(s.t)
	s.cmd.ExtraFiles = append([]*os.File{logEnd}, more...)
	mustDo(s.cmd.Start())
	logEnd.Close()
	s.lines = make(chan string)
	ended := make(chan struct{})
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(log); scan.Scan(); {
			select {
			case s.lines <- scan.Text():
			case <-ended:
				return
			}
		}
	}()
	s.t.Cleanup(func() {
		close(ended)
		// Whoever is left in the session is in one of these groups.
		for _, pid := range []int{s.turnstile, s.cmd.Process.Pid} {
			if pid != 0 {
				unix.Kill(-pid, unix.SIGKILL)
			}
		}
		s.cmd.Wait()
	})
}

// next is the next line of the log.
func (s *scene) next() string {
	s.t.Helper()
	if len(s.unread) > 0 {
		line := s.unread[0]
		s.unread = s.unread[1:]
		return line
	}
	select {
	case line, ok := <-s.lines:
		if !ok {
			s.t.Fatal("the log has ended")
		}
		return line
	case <-time.After(patience):
		s.t.Fatal("no more lines in the log")
	}
	panic("unreachable")
}

// expect wants the next lines to be these, in any order: they come from
// different processes.
func (s *scene) expect(want ...string) {
	s.t.Helper()
	for left := slices.Clone(want); len(left) > 0; {
		got := s.next()
		i := slices.Index(left, got)
		if i < 0 {
			s.t.Fatalf("got line %q, want one of %q", got, left)
		}
		left = slices.Delete(left, i, i+1)
	}
}

// until is what the log says before it says last.
func (s *scene) until(last string) (before []string) {
	s.t.Helper()
	for {
		line := s.next()
		if line == last {
			return before
		}
		before = append(before, line)
	}
}

// number is what follows the name in the first line that begins with it. The
// lines before it, which are from other processes, are read afterwards.
func (s *scene) number(name string) int {
	s.t.Helper()
	var before []string
	for {
		line := s.next()
		if n, err := strconv.Atoi(strings.TrimPrefix(line, name+" ")); err == nil {
			s.unread = append(before, s.unread...)
			return n
		}
		before = append(before, line)
	}
}

// awaitTarget waits until the target listens to its signals, and checks that it
// is Turnstile's.
func (s *scene) awaitTarget() *scene {
	s.t.Helper()
	s.target = s.number("target")
	if parent := s.stat(fmt.Sprintf("/proc/%d/stat", s.target))[1]; parent != strconv.Itoa(s.turnstile) {
		s.t.Fatalf("the target's parent is %s, want %d", parent, s.turnstile)
	}
	return s
}

// nothingElse checks that the target has got nothing but what the log has told:
// a signal sent now is the next that it tells of.
func (s *scene) nothingElse() {
	s.t.Helper()
	s.signal(s.turnstile, unix.SIGUSR1)
	s.expect("target SIGUSR1")
}

// finish has the target exit, and checks that Turnstile exits so too.
func (s *scene) finish() {
	s.t.Helper()
	s.signal(s.turnstile, unix.SIGUSR2)
	if s.orders != nil {
		s.expect("exited 7")
		return
	}
	var exit *exec.ExitError
	if err := s.cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		s.t.Fatalf("turnstile ended with %v, want exit status 7", err)
	}
}

func (s *scene) signal(pid int, sig syscall.Signal) {
	s.t.Helper()
	if err := unix.Kill(pid, sig); err != nil {
		s.t.Fatalf("sending %v to process %d: %v", sig, pid, err)
	}
}

// typing types on the terminal.
func (s *scene) typing(text string) {
	s.t.Helper()
	if _, err := s.terminal.WriteString(text); err != nil {
		s.t.Fatalf("typing %q: %v", text, err)
	}
}

// order has the shell do "fg" or "bg" with its job.
func (s *scene) order(word string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.orders, word); err != nil {
		s.t.Fatalf("ordering %q: %v", word, err)
	}
}

// awaitStop waits until every thread of a process has stopped. Only then has
// the process, for those who wait for it and for SIGCONT.
func (s *scene) awaitStop(pid int) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		mustDo(err)
		stopped := 0
		for _, thread := range threads {
			if s.stat(thread)[0] == "T" {
				stopped++
			}
		}
		if stopped > 0 && stopped == len(threads) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d of %d threads of process %d have stopped", stopped, len(threads), pid)
		}
	}
}

// stat is what follows the command's name in a stat file of /proc: state,
// parent and so on (proc_pid_stat(5)).
func (s *scene) stat(name string) []string {
	s.t.Helper()
	stat, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	_, fields, _ := strings.Cut(string(stat), ") ")
	return strings.Fields(fields)
}

func mustPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	mustDo(err)
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}
