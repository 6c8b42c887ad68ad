package launch

import (
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// A child that ends is neither stopped nor ended for a while, and the kernel has
// forgotten that it was continued. To stop along with it then would leave a shell
// with a stopped job of which nothing runs.
func TestChildThatEndsIsNotStopped(t *testing.T) {
	testenv.Root(t)
	init, other := inNewPIDNamespace(t)
	child := &Target{pid: init, poll: poll}

	mustDo(unix.Kill(child.pid, unix.SIGSTOP))
	await(t, child.pid, unix.WSTOPPED)
	if _, changed, err := child.poll(child.pid); !changed || err != nil {
		t.Fatalf("the child that was stopped: changed %t, error %v", changed, err)
	}
	if !child.childStopped() {
		t.Error("a stopped child counts as running")
	}
	mustDo(unix.Kill(child.pid, unix.SIGCONT))
	if child.childStopped() {
		t.Error("a child that was continued counts as stopped")
	}

	// The init of a PID namespace kills all others in it when it ends, and has not
	// ended before they are waited for, which nobody does as yet.
	mustDo(unix.Kill(child.pid, unix.SIGKILL))
	await(t, other, unix.WEXITED)
	var info unix.Siginfo
	mustDo(unix.Waitid(unix.P_PID, child.pid, &info, unix.WEXITED|unix.WCONTINUED|unix.WNOHANG|unix.WNOWAIT, nil))
	if info.Signo != 0 {
		t.Fatal("the child has ended, or is known to have been continued: this shows nothing")
	}
	if child.childStopped() {
		t.Error("a child that is about to end counts as stopped")
	}

	_, err := unix.Wait4(other, nil, 0, nil)
	mustDo(err)
	await(t, child.pid, unix.WEXITED)
	if child.childStopped() {
		t.Error("a child that has ended counts as stopped")
	}
}

// inNewPIDNamespace starts the init of a new PID namespace and another process
// in it. Both are children of this one.
func inNewPIDNamespace(t *testing.T) (init, other int) {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	mustDo(err)
	mustDo(onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWPID); err != nil {
			return err
		}
		for _, pid := range []*int{&init, &other} {
			// Not by package os, which may fork once more (see forkExec).
			started, err := syscall.ForkExec(sleep, []string{"sleep", "1000"}, &syscall.ProcAttr{})
			if err != nil {
				return err
			}
			*pid = started
		}
		return nil
	}))
	t.Cleanup(func() {
		_ = unix.Kill(init, unix.SIGKILL)
		_, _ = unix.Wait4(other, nil, 0, nil) // unless the test has
		_, _ = unix.Wait4(init, nil, 0, nil)
	})
	return init, other
}

// await waits until a child has stopped or ended, and leaves that to be
// collected.
func await(t *testing.T, pid, what int) {
	t.Helper()
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, what|unix.WNOWAIT, nil)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
}
