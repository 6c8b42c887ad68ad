package launch

import (
	"bytes"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// What execvp(3) runs a file with that execve(2) does not know: _PATH_BSHELL.
const shell = "/bin/sh"

// isScript reports whether a file for which execve(2) said ENOEXEC is to be
// given to the shell, as execvp(3) does with all and bash with those that have
// no NUL in the beginning of their first line (general.c, check_binary_file).
// We do as bash does: a shell that is made to read a program for another
// machine runs whatever its bytes happen to say.
func (c *Command) isScript(path string) bool {
	if !filepath.IsAbs(path) && c.Dir != "" {
		path = c.Dir + "/" + path
	}
	text := false
	err := c.User.Do(func() error {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		beginning := make([]byte, 80) // as much as bash looks at
		n, err := unix.Read(fd, beginning)
		if err != nil {
			return err
		}
		line, _, _ := bytes.Cut(beginning[:n], []byte("\n"))
		text = bytes.IndexByte(line, 0) < 0
		return nil
	})
	// A file that its user may execute and not read is none for a shell.
	return err == nil && text
}

// shellArgv is the command line with which the shell runs path.
func (c *Command) shellArgv(path string) []string {
	return append([]string{shell, path}, c.Argv[1:]...)
}
