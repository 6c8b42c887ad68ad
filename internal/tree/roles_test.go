package tree

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What is tested ends processes and waits for all, so it is done in a process of its own:
// a keeper, which adopts and is asked by its exit status. The test binary plays it, and
// its descendants.
const roleVariable = "TREE_TEST_ROLE"

// linesFD is where descendants say that they are there. Nobody who is there ends before
// the other end of ordersFD is closed.
const (
	linesFD  = 3
	ordersFD = 4
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	os.Unsetenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if keeper, ok := keepers[role]; ok {
		if err := errors.Join(Adopt(), keeper()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	switch role {
	case "spreads":
		playBomb(false, false)
	case "runs":
		playBomb(true, false)
	case "runs from its group":
		playBomb(true, true)
	}
	playDescendant(strings.Fields(role))
}

// playDescendant starts another with the rest of the roles, and is what the first says.
func playDescendant(roles []string) {
	if len(roles) > 1 {
		descend(roles[1:]...)
	}
	fmt.Fprintln(os.NewFile(linesFD, "lines"), os.Getpid(), roles[0])
	switch roles[0] {
	case "stays":
		io.Copy(io.Discard, os.NewFile(ordersFD, "orders"))
	case "stopped":
		unix.Kill(os.Getpid(), unix.SIGSTOP)
	case "deaf":
		ignoreSignals()
		io.Copy(io.Discard, os.NewFile(ordersFD, "orders"))
	case "leaves":
	}
	os.Exit(0)
}

// descend starts a process in a session of its own.
func descend(roles ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(roles, " "))
	cmd.ExtraFiles = []*os.File{os.NewFile(linesFD, "lines"), os.NewFile(ordersFD, "orders")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return cmd
}

// ignoreSignals ignores what can be ignored.
func ignoreSignals() {
	for s := unix.Signal(1); s < 32; s++ {
		if s != unix.SIGKILL && s != unix.SIGSTOP && s != unix.SIGCHLD {
			ignore(s)
		}
	}
}

// pipes are those that descendants have as linesFD and ordersFD.
type pipes struct {
	lines  *bufio.Reader
	orders *os.File
}

// newPipes puts the other ends where descendants expect them.
func newPipes() pipes {
	lines, said := mustPipe()
	obeyed, orders := mustPipe()
	for fd, f := range map[int]*os.File{linesFD: said, ordersFD: obeyed} {
		if err := unix.Dup3(int(f.Fd()), fd, unix.O_CLOEXEC); err != nil {
			fail(err)
		}
		f.Close()
	}
	return pipes{bufio.NewReader(lines), orders}
}

// mustPipe makes a pipe whose descriptors are none of those that descendants have.
func mustPipe() (r, w *os.File) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		fail(err)
	}
	for i, fd := range fds {
		high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 20)
		if err != nil {
			fail(err)
		}
		unix.Close(fd)
		fds[i] = high
	}
	return os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
}

// await reads who is there, until as many are.
func (p pipes) await(n int) (pids []int) {
	for range n {
		line, err := p.lines.ReadString('\n')
		if err != nil {
			fail(err)
		}
		text, role, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(text)
		if err != nil {
			fail(err)
		}
		if role != "leaves" {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

func fail(err error) {
	fmt.Println(err)
	os.Exit(1)
}

// keep runs a keeper, and fails with what it says.
func keep(t *testing.T, role string, attributes *syscall.SysProcAttr) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.SysProcAttr = attributes
	cmd.WaitDelay = time.Minute // for who holds the output, if it fails
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// descendants are the pids that [Descendants] lists.
func descendants() (pids []int) {
	for _, p := range Descendants() {
		pids = append(pids, p.PID)
	}
	slices.Sort(pids)
	return pids
}

// expectNone says whether there is somebody left.
func expectNone() error {
	if d := Descendants(); len(d) > 0 {
		return fmt.Errorf("there are still %v", d)
	}
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		return fmt.Errorf("there is still a child, %d (%w)", pid, err)
	}
	return nil
}
