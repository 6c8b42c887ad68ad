// Package outfile writes files that appear whole or not at all, as the user that
// Turnstile works for.
//
// What is written goes to a temporary file beside the one that is asked for,
// which takes its place at [File.Commit]: a full disk or a crash leaves the old
// file as it was. Where the name is not that of a regular file (a pipe, a
// terminal), the bytes go there directly.
package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/launch"
)

// File is a file on its way.
type File struct {
	name   string // as asked for
	final  string // where the temporary file goes, "" when writing directly
	user   *launch.User
	f      *os.File
	closed bool
}

// Create begins to write the file name, with the rights of user. A name that
// cannot be written fails here and not at the end of a long run.
func Create(name string, user *launch.User) (*File, error) {
	out := &File{name: name, user: user}
	if err := user.Do(out.open); err != nil {
		return nil, fmt.Errorf("creating %q: %w", name, bare(err))
	}
	return out, nil
}

func (out *File) open() error {
	switch info, err := os.Stat(out.name); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a directory")
	case !info.Mode().IsRegular():
		out.f, err = os.OpenFile(out.name, os.O_WRONLY, 0)
		return err
	}
	// Not before: a link below /proc/PID/fd leads to a pipe, but its text is no
	// name of one.
	final, err := followLinks(out.name)
	if err != nil {
		return err
	}
	out.final = final
	// 0600: arguments of programs hold secrets.
	out.f, err = os.CreateTemp(filepath.Dir(final), "."+filepath.Base(final)+".")
	return err
}

// followLinks is the file that a name leads to, which need not exist yet.
func followLinks(name string) (string, error) {
	for range 40 { // MAXSYMLINKS, include/linux/namei.h
		target, err := os.Readlink(name)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, fs.ErrNotExist) {
			return name, nil // not a symbolic link, or not there
		}
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(name), target)
		}
		name = target
	}
	return "", unix.ELOOP
}

// Write implements [io.Writer].
func (out *File) Write(b []byte) (int, error) {
	n, err := out.f.Write(b)
	if err != nil {
		return n, fmt.Errorf("writing %q: %w", out.name, bare(err))
	}
	return n, nil
}

// Commit ends the file and gives it its name.
func (out *File) Commit() error {
	if out.closed {
		return nil
	}
	if out.final != "" {
		// Some filesystems tell of a full disk only now.
		if err := out.f.Sync(); err != nil {
			out.Abort()
			return fmt.Errorf("writing %q: %w", out.name, bare(err))
		}
	}
	out.closed = true
	if err := out.f.Close(); err != nil {
		out.remove()
		return fmt.Errorf("closing %q: %w", out.name, bare(err))
	}
	if out.final == "" {
		return nil
	}
	err := out.user.Do(func() error { return os.Rename(out.f.Name(), out.final) })
	if err != nil {
		out.remove()
		return fmt.Errorf("replacing %q: %w", out.name, bare(err))
	}
	return nil
}

// Abort drops what was written. After Commit it does nothing.
func (out *File) Abort() {
	if out.closed {
		return
	}
	out.closed = true
	out.f.Close()
	out.remove()
}

func (out *File) remove() {
	if out.final != "" {
		// What made this necessary is reported; a file left over is not worse.
		_ = out.user.Do(func() error { return os.Remove(out.f.Name()) })
	}
}

// bare is the cause of an error without the name of the temporary file.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}
