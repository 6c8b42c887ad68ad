package launch

import (
	"errors"
	"fmt"
	"syscall"
)

// What an *ExecError is, for errors.Is.
var (
	ErrNotFound      = errors.New("command not found")
	ErrNotExecutable = errors.New("command not executable")
)

// ExecError says why a command could not be executed.
type ExecError struct {
	Path string // the command as named, or the file that it was found to be
	Err  error  // the cause; wraps a syscall.Errno
}

func (e *ExecError) Error() string {
	return fmt.Sprintf("executing %q: %v", e.Path, e.Err)
}

func (e *ExecError) Unwrap() error { return e.Err }

// Is tells ErrNotFound and ErrNotExecutable apart as shells do: by ENOENT,
// which also stands for a missing interpreter (execve(2)).
func (e *ExecError) Is(target error) bool {
	missing := errors.Is(e.Err, syscall.ENOENT)
	return target == ErrNotFound && missing || target == ErrNotExecutable && !missing
}

// ExitCode is what a shell exits with: 127 when the command was not found and
// 126 when it was found and not executed (POSIX.1-2024, Shell Command
// Language, 2.8.2).
func (e *ExecError) ExitCode() int {
	if errors.Is(e, ErrNotFound) {
		return 127
	}
	return 126
}
