package launch

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// What execvp(3) searches when there is no PATH: confstr(3), _CS_PATH of glibc.
const defaultPath = "/bin:/usr/bin"

// resolve finds the file that execvp(3) would execute for the command. It
// looks with the rights of the command's user, from the command's directory,
// in the PATH of the command's environment.
func (c *Command) resolve() (path string, err error) {
	err = c.User.Do(func() error {
		// A directory that the child could not enter would look like a
		// command that it could not find.
		if err := enterable(c.Dir); err != nil {
			return fmt.Errorf("changing to directory %q: %w", c.Dir, err)
		}
		name := c.Argv[0]
		if strings.Contains(name, "/") {
			path, err = name, c.executable(name)
		} else {
			path, err = c.search(name)
		}
		if err != nil {
			return &ExecError{Path: path, Err: err}
		}
		return nil
	})
	return path, err
}

// search goes through PATH as execvp(3) does: a file that is not there does
// not end the search, nor does one that may not be executed, but the latter is
// what is reported if nothing better comes.
func (c *Command) search(name string) (path string, err error) {
	path, err = name, fmt.Errorf("searching PATH: %w", syscall.ENOENT)
	if name == "" {
		return path, err
	}
	for dir := range strings.SplitSeq(searchPath(c.Env), ":") {
		if dir == "" {
			dir = "." // an empty element is the current directory
		}
		candidate := dir + "/" + name
		problem := c.executable(candidate)
		switch {
		case problem == nil:
			return candidate, nil
		case missing(problem):
		case errors.Is(err, syscall.ENOENT):
			path, err = candidate, problem
		}
	}
	return path, err
}

// missing reports that a PATH element has no such file: the errors after which
// execvp(3) of glibc goes on as if nothing had happened (posix/execvpe.c).
func missing(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.ENOENT, syscall.ENOTDIR, syscall.ESTALE, syscall.ENODEV, syscall.ETIMEDOUT,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// executable reports why execve(2) would refuse path for its name or its mode.
// What the file holds is left to execve itself.
func (c *Command) executable(path string) error {
	if !filepath.IsAbs(path) && c.Dir != "" {
		path = c.Dir + "/" + path
	}
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		return syscall.EISDIR // execve would say EACCES, which is true and no help
	}
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
}

// enterable reports why chdir(2) to dir would fail. The empty directory is the
// one we are in, where nobody has to enter.
func enterable(dir string) error {
	if dir == "" {
		return nil
	}
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return syscall.ENOTDIR
	}
	return unix.Faccessat(unix.AT_FDCWD, dir, unix.X_OK, unix.AT_EACCESS)
}

// searchPath is the first PATH of env, as getenv(3) would find it.
func searchPath(env []string) string {
	for _, entry := range env {
		if path, ok := strings.CutPrefix(entry, "PATH="); ok {
			return path
		}
	}
	return defaultPath
}
