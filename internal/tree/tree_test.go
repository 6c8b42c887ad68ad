package tree

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

func ignore(s unix.Signal) { signal.Ignore(s) }

var keepers = map[string]func() error{
	"descendants": keepDescendants, "nobody": keepNobody, "kill": keepKill, "wait": keepWait,
	"bomb": keepBomb, "first of its namespace": playFirst,
}

func TestDescendants(t *testing.T) { keep(t, "descendants", nil) }

// keepDescendants: who has lost its parent, and has a session of its own, is found.
func keepDescendants() error {
	p := newPipes()
	child := descend("stays", "leaves", "stays", "leaves", "leaves", "stays")
	orphans := descend("leaves", "stays", "stays")
	want := p.await(9)
	if err := orphans.Wait(); err != nil {
		return err
	}
	if len(want) != 5 {
		return fmt.Errorf("%v are there, not five", want)
	}
	// Those between have said that they leave, and may not yet have: until then they
	// are descendants too.
	if !waitFor(func() bool { return slices.Equal(descendants(), want) }) {
		return fmt.Errorf("found %v, want %v", Descendants(), want)
	}
	for _, d := range Descendants() {
		if d.Comm == "" || d.Comm == "?" {
			return fmt.Errorf("the name of %d is %q", d.PID, d.Comm)
		}
	}
	// One that has ended is no descendant, waited for or not.
	if err := child.Process.Kill(); err != nil {
		return err
	}
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, child.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		return err
	}
	if slices.Contains(descendants(), child.Process.Pid) {
		return errors.New("who has ended is listed")
	}
	p.orders.Close()
	waitAll()
	return expectNone()
}

// waitAll returns when there are no descendants any more.
func waitAll() {
	for haveChildren() {
		waitSome()
	}
}

// waitFor asks until something is so. It ends with the test at the latest.
func waitFor(so func() bool) bool {
	for range 100_000 {
		if so() {
			return true
		}
		runtime.Gosched()
	}
	return false
}

func TestNobody(t *testing.T) { keep(t, "nobody", nil) }

// keepNobody: without descendants, nothing waits.
func keepNobody() error {
	haveChildren()
	waitAll()
	Kill()
	return expectNone()
}

func TestKill(t *testing.T) { keep(t, "kill", nil) }

// keepKill: whatever descendants do about it, they end.
func keepKill() error {
	p := newPipes()
	descend("stays", "deaf", "leaves", "deaf", "stopped", "leaves", "stays")
	descend("deaf")
	descend("leaves", "leaves", "leaves", "stopped")
	p.await(12)
	Kill()
	return expectNone()
}

func TestWaitAll(t *testing.T) { keep(t, "wait", nil) }

// keepWait: who lost its parent is waited for too, to the last.
func keepWait() error {
	p := newPipes()
	descend("leaves", "stays", "leaves", "leaves", "stays", "stays")
	descend("stays")
	pids := p.await(7)
	if len(pids) != 4 {
		return fmt.Errorf("%v are there", pids)
	}
	p.orders.Close()
	waitAll()
	for _, pid := range pids {
		if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("%d is not gone (%w)", pid, err)
		}
	}
	return expectNone()
}

// TestKillForkBomb ends processes that make others as fast as they can, as another user
// and with a limit. They are in a pid namespace, so none is left whatever happens.
func TestKillForkBomb(t *testing.T) {
	testenv.Root(t)
	keep(t, "first of its namespace", &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Pdeathsig: unix.SIGKILL})
}

// playFirst runs the keeper in a namespace, all of which ends with this process.
func playFirst() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"=bomb")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func keepBomb() error {
	const user, most = 61777, 40
	for _, role := range []string{"spreads", "runs", "runs from its group"} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), roleVariable+"="+role)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: user, Gid: user}}
		cmd.Dir = "/"
		// Root has no limit, and the threads of a Go program count too.
		limit := unix.Rlimit{Cur: most, Max: most}
		if err := unix.Setrlimit(unix.RLIMIT_NPROC, &limit); err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		if !waitFor(func() bool {
			haveChildren()
			d := Descendants()
			if role == "spreads" {
				return len(d) > most/2
			}
			return slices.ContainsFunc(d, func(d Process) bool { return d.PID > cmd.Process.Pid+3*most })
		}) {
			return fmt.Errorf("who %s is %v", role, Descendants())
		}
		Kill()
		if err := expectNone(); err != nil {
			return fmt.Errorf("who %s: %w", role, err)
		}
	}
	return nil
}

// playBomb makes others as fast as it can, and so do they. Nothing of the Go runtime works
// in them. Those that run end as soon as there is another.
func playBomb(runs, leavesGroup bool) {
	runtime.LockOSThread()
	for {
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		switch {
		case errno != 0:
		case pid == 0 && leavesGroup:
			_, _, _ = unix.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
		case pid != 0 && runs:
			_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
}
