package plan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
)

// Files are what is there when a plan is made.
type Files interface {
	// Look describes a file by its real path. The error says why it cannot be granted.
	Look(path string) (Entry, error)
	// Directories are the names of the directories in a directory, without links.
	Directories(dir string) ([]string, error)
	// Linkers are the dynamic linkers of the host, by their real paths.
	Linkers() []string
	// Mounts are all of them, in the order in which they were made.
	Mounts() ([]Mount, error)
}

// Entry is a file or a directory.
type Entry struct {
	Directory bool
	// Names is how many hard links there are.
	Names uint64
}

// Mount is a mount point.
type Mount struct {
	// Device is that of the filesystem, and Root what is mounted of it.
	Device uint64
	Root   string
	Point  string
	Proc   bool // procfs
}

// Why a file cannot be granted.
var (
	errMissing = errors.New("does not exist yet")
	errLink    = errors.New("is a spelling with symbolic links")
	errStrange = errors.New("is on a filesystem whose names are not known to stay")
)

func reasonOf(err error) string {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return "cannot be looked at: " + event.Errno(errno).String()
	}
	return err.Error()
}

// Host is the host that the process is on.
type Host struct{}

// Look implements [Files].
func (Host) Look(path string) (Entry, error) {
	fd, err := Open(path)
	if err != nil {
		return Entry{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return Entry{}, err
	}
	fs, err := resolve.FilesystemOf(fd, stat.Dev)
	switch {
	case err != nil:
		return Entry{}, err
	case !fs.Plain:
		return Entry{}, errStrange
	}
	return Entry{stat.Mode&unix.S_IFMT == unix.S_IFDIR, uint64(stat.Nlink)}, nil //nolint:unconvert // it has 32 bits on arm64
}

// Open pins what a path without links leads to.
func Open(path string) (int, error) {
	fd, err := unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS})
	switch err {
	case unix.ELOOP:
		return -1, errLink
	case unix.ENOENT, unix.ENOTDIR:
		return -1, errMissing
	}
	return fd, err
}

// Directories implements [Files].
func (Host) Directories(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot be listed: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// linkers are where the ABIs of processors, and musl, have dynamic linkers.
var linkers = []string{
	"/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1",
}

// Linkers implements [Files].
func (Host) Linkers() []string {
	var found []string
	for _, path := range linkers {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			found = append(found, resolved)
		}
	}
	return found
}

// Mounts implements [Files].
func (Host) Mounts() ([]Mount, error) {
	found, err := mountinfo.GetMounts(nil)
	if err != nil {
		return nil, fmt.Errorf("reading the mounts: %w", err)
	}
	var mounts []Mount
	for _, m := range found {
		mounts = append(mounts, Mount{
			Device: unix.Mkdev(uint32(m.Major), uint32(m.Minor)), Root: m.Root, Point: m.Mountpoint, Proc: m.FSType == "proc",
		})
	}
	return mounts, nil
}

// namesByMounts are the other names that mounts give a directory.
func namesByMounts(mounts []Mount, dir string) []string {
	var home *Mount // the mount that it is in: the last one at the longest point
	for i := range mounts {
		if m := &mounts[i]; isBelow(dir, m.Point) && (home == nil || len(m.Point) >= len(home.Point)) {
			home = m
		}
	}
	if home == nil {
		return nil
	}
	inside := filepath.Join(home.Root, strings.TrimPrefix(dir, home.Point))
	var names []string
	for i := range mounts {
		m := &mounts[i]
		if m == home || m.Device != home.Device || !isBelow(inside, m.Root) {
			continue
		}
		if name := filepath.Join(m.Point, strings.TrimPrefix(inside, m.Root)); name != dir {
			names = append(names, name)
		}
	}
	return names
}
