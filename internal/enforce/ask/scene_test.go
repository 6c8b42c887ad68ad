package ask

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// A scene is a process that asks, in a session of its own, and whoever sits at its
// terminal.
type scene struct {
	t        *testing.T
	keyboard *os.File // the terminal's other end
	fd       int      // its descriptor
	tty      *os.File
	modes    unix.Termios
	output   chan string
	screen   string // what came of output and was not looked for yet
	log      chan string
	orders   *os.File
	asker    int
}

// newScene makes a terminal. What is done to it before the play begins is there when
// the question comes.
func newScene(t *testing.T) *scene {
	t.Helper()
	master, slave := testenv.Terminal(t)
	s := &scene{t: t, fd: int(master.Fd()), keyboard: master, tty: slave, output: make(chan string)}
	s.modes = s.terminalModes()
	go forward(t, s.keyboard, s.output)
	return s
}

// plays starts a role on the terminal.
func (s *scene) plays(role string, args ...string) *scene {
	s.t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.tty, s.tty, s.tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.start(role, cmd)
	return s
}

// start starts a role with a log and orders, and waits until it is about to ask.
func (s *scene) start(role string, cmd *exec.Cmd) {
	s.t.Helper()
	log, logEnd, err := os.Pipe()
	mustDo(err)
	orders, ordersEnd, err := os.Pipe()
	mustDo(err)
	s.orders = ordersEnd
	cmd.ExtraFiles = []*os.File{logEnd, orders}
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	mustDo(cmd.Start())
	logEnd.Close()
	orders.Close()
	s.log = make(chan string)
	go func() {
		defer close(s.log)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			select {
			case s.log <- lines.Text():
			case <-s.t.Context().Done():
				return
			}
		}
	}()
	s.t.Cleanup(func() {
		for _, pid := range []int{s.asker, cmd.Process.Pid} {
			if pid != 0 {
				unix.Kill(-pid, unix.SIGKILL)
			}
		}
		cmd.Wait()
		log.Close()
		ordersEnd.Close()
	})
	line := s.line()
	if _, err := fmt.Sscanf(line, "asker %d", &s.asker); err != nil {
		s.t.Fatalf("got line %q, want that of the asker", line)
	}
}

// forward sends what is read, in pieces as it comes.
func forward(t *testing.T, r io.Reader, to chan<- string) {
	defer close(to)
	for piece := make([]byte, 4096); ; {
		n, err := r.Read(piece)
		if err != nil {
			return
		}
		select {
		case to <- string(piece[:n]):
		case <-t.Context().Done():
			return
		}
	}
}

// line is the next line of the log.
func (s *scene) line() string {
	s.t.Helper()
	select {
	case line, ok := <-s.log:
		if !ok {
			s.t.Fatalf("the log has ended; the screen has %q", s.screen)
		}
		return line
	case <-time.After(patience):
		s.t.Fatalf("no more lines in the log; the screen has %q", s.screen)
	}
	panic("unreachable")
}

func (s *scene) expect(want string) {
	s.t.Helper()
	if got := s.line(); got != want {
		s.t.Fatalf("got line %q, want %q", got, want)
	}
}

// answered expects an answer, and the terminal as it was before.
func (s *scene) answered(want Answer) {
	s.t.Helper()
	s.expect(fmt.Sprintf("%+v", want))
	if got := s.terminalModes(); got != s.modes {
		s.t.Errorf("the terminal's modes are %+v, and were %+v", got, s.modes)
	}
}

// sees waits until a text is on the screen, and returns what came before it.
func (s *scene) sees(text string) (before string) {
	s.t.Helper()
	for deadline := time.After(patience); ; {
		if before, after, found := strings.Cut(s.screen, text); found {
			s.screen = after
			return before
		}
		select {
		case piece, ok := <-s.output:
			if !ok {
				s.t.Fatalf("the terminal is closed; the screen has %q and not %q", s.screen, text)
			}
			s.screen += piece
		case <-deadline:
			s.t.Fatalf("the screen has %q and not %q", s.screen, text)
		}
	}
}

// types presses keys.
func (s *scene) types(keys string) {
	s.t.Helper()
	if _, err := s.keyboard.WriteString(keys); err != nil {
		s.t.Fatalf("typing %q: %v", keys, err)
	}
}

// order tells the shell something, which it also prints.
func (s *scene) order(word string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.orders, word); err != nil {
		s.t.Fatalf("ordering %q: %v", word, err)
	}
}

// awaitPoll waits until a thread of the asker waits for so many files: the end of the
// question, and with it the terminal if it is ours.
func (s *scene) awaitPoll(files int) {
	s.t.Helper()
	want := []string{
		fmt.Sprint(unix.SYS_PPOLL), // which is poll(2) on arm64
		fmt.Sprint(pollOnAMD64),
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", s.asker))
		mustDo(err)
		for _, thread := range threads {
			call, _ := os.ReadFile(thread) // the thread may have ended
			fields := strings.Fields(string(call))
			if len(fields) > 2 && slices.Contains(want, fields[0]) && fields[2] == fmt.Sprintf("%#x", files) {
				return
			}
		}
	}
	s.t.Fatalf("no thread of the asker waits for %d files", files)
}

const pollOnAMD64 = 7

// withdraws tells the asker that nobody waits any more.
func (s *scene) withdraws() {
	s.t.Helper()
	mustDo(unix.Kill(s.asker, unix.SIGUSR1))
	s.expect("SIGUSR1")
}

func (s *scene) terminalModes() unix.Termios {
	s.t.Helper()
	modes, err := unix.IoctlGetTermios(s.fd, unix.TCGETS)
	mustDo(err)
	return *modes
}

// sets changes the terminal's modes as another program would.
func (s *scene) sets(change func(*unix.Termios)) {
	s.t.Helper()
	modes := s.terminalModes()
	change(&modes)
	mustDo(unix.IoctlSetTermios(s.fd, unix.TCSETS, &modes))
}
