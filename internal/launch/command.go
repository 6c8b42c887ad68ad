package launch

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/launch/birth"
)

// Command is what to start and as whom.
type Command struct {
	// Argv is the program and its arguments. A program without a slash is
	// looked for in the PATH of Env, as by execvp(3).
	Argv []string
	// Path, if not empty, is the file to execute, whatever Argv[0] says.
	Path string
	// Dir is the working directory. Empty means the current one.
	Dir string
	// Env is the whole environment; nothing is added to it. Nil means the
	// environment of this process.
	Env []string
	// User is who the target runs as. Its environment is not touched:
	// see User.Environ.
	User *User
	// Fork, if not nil, is called on the locked OS thread that is going to
	// fork, and has to call start once, on that thread, and to return its
	// error. What it marks in the kernel for its own thread before start
	// is there when the child is made. When the file turns out to be a
	// script without an interpreter, start forks a second time. The thread
	// ends after Fork has returned.
	Fork func(start func() error) error
	// Poll, if not nil, says how a child has stopped or ended since it was last
	// asked. It is for programs in which somebody else waits for all children.
	Poll func(pid int) (status syscall.WaitStatus, changed bool, err error)
}

// Start starts the command and returns its process, which is executing the
// program by then. From just before the fork until this process ends, the
// signals that Wait passes on no longer have their default action; nor has
// SIGPIPE, since who reads Turnstile's output has no say in how long the target
// lives. Turnstile's own descriptors have to be close-on-exec; those that it
// was itself given are passed on.
//
// If the command cannot be executed, the error is an *ExecError.
func Start(c Command) (*Target, error) {
	if len(c.Argv) == 0 {
		return nil, errors.New("starting command: no program named")
	}
	if c.Env == nil {
		c.Env = os.Environ()
	}
	path, err := c.Program()
	if err != nil {
		return nil, err
	}
	t := newTarget()
	if c.Poll != nil {
		t.poll = c.Poll
	}
	failed := errors.New("starting command: the fork hook did not start it")
	start := func() error {
		t.pid, failed = c.forkExec(path)
		return failed
	}
	// Not on that thread: of a locked one, the runtime needs twice as long for each
	// signal.
	keepIgnored()
	t.catch()
	err = onOwnThread(func() error {
		if c.Fork != nil {
			return c.Fork(start)
		}
		return start()
	})
	if err = cmp.Or(err, failed); err == nil {
		return t, nil
	}
	if t.pid != 0 {
		t.abandon()
	} else {
		t.release()
	}
	return nil, err
}

// Program is the file that Start would execute.
func (c Command) Program() (string, error) {
	if c.Path != "" {
		return c.Path, nil
	}
	return c.resolve()
}

// forkExec makes the child and has it execute path. It does not go through
// os.StartProcess, which may fork once more to find out whether pidfds work
// (os/pidfd_linux.go, checkClonePidfd): to a fork hook that child would be the
// target.
func (c *Command) forkExec(path string) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: c.Dir, Env: c.Env, Files: standardFiles()}
	if u := c.User; u != nil {
		attr.Sys = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups},
		}
	}
	// The child starts with the mask of the thread that forks, which is
	// one of ours and about to end.
	mask := unix.Sigset_t{Val: [16]uint64{birth.Blocked()}}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &mask, nil); err != nil {
		return 0, fmt.Errorf("setting signal mask: %w", err)
	}
	// execve changes no limits either: syscall gives the child the soft
	// RLIMIT_NOFILE that it has raised for this process.
	pid, err = syscall.ForkExec(path, c.Argv, attr)
	if errors.Is(err, syscall.ENOEXEC) && c.isScript(path) {
		pid, err = syscall.ForkExec(shell, c.shellArgv(path), attr)
	}
	switch {
	case err == nil:
		return pid, nil
	case errors.Is(err, syscall.ENOENT):
		// The file was there a moment ago (execve(2), ENOENT).
		err = fmt.Errorf("opening its interpreter: %w", err)
	}
	return 0, &ExecError{Path: path, Err: err}
}

// standardFiles are the descriptors 0 to 2 of the child: ours, but where we
// were given none the child gets none, not the /dev/null that the Go runtime
// has put there.
func standardFiles() []uintptr {
	const none = ^uintptr(0)
	files := []uintptr{0, 1, 2}
	for fd := range files {
		if birth.Closed(fd) {
			files[fd] = none
		}
	}
	return files
}
