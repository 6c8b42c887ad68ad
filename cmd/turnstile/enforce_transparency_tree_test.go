package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listing describes every file below dir, one a line: all that two runs of the same
// program have in common. A time is in it if it is from before the test began, since
// then some program set it.
func listing(t *testing.T, dir string, began time.Time, opaque []string) string {
	t.Helper()
	l := lister{began: began.Add(-time.Hour), opaque: opaque, links: make(map[inode]string)}
	// A directory may be deeper than a path can be long: each is opened from the one
	// above.
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.entry(fd, "."); err != nil {
		t.Fatalf("listing %s: %v", dir, err)
	}
	return strings.Join(l.lines, "\n")
}

type inode struct{ dev, ino uint64 }

type lister struct {
	began  time.Time
	opaque []string
	links  map[inode]string // the first name of files with several
	lines  []string
}

// entry adds the file that fd is and, if it is a directory, those below. It closes fd,
// which is O_PATH unless the file is a directory.
func (l *lister) entry(fd int, name string) error {
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstatat(fd, "", &st, unix.AT_EMPTY_PATH); err != nil {
		return err
	}
	self := fmt.Sprintf("/proc/self/fd/%d", fd)
	kind := st.Mode & unix.S_IFMT
	line := fmt.Sprintf("%s %06o %d:%d", name, st.Mode, st.Uid, st.Gid)
	if kind != unix.S_IFDIR {
		// How many entries a directory has seen so far is in its size.
		line += fmt.Sprintf(" size=%d", st.Size)
	}
	if st.Nlink > 1 {
		line += fmt.Sprintf(" links=%d", st.Nlink)
		if kind != unix.S_IFDIR {
			id := inode{st.Dev, st.Ino}
			if first, ok := l.links[id]; ok {
				line += " same as " + first
			} else {
				l.links[id] = name
			}
		}
	}
	if changed := time.Unix(st.Mtim.Unix()); changed.Before(l.began) {
		line += " mtime=" + changed.UTC().Format(time.RFC3339Nano)
	}
	switch kind {
	case unix.S_IFBLK, unix.S_IFCHR:
		line += fmt.Sprintf(" device=%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	case unix.S_IFLNK:
		b := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(fd, "", b)
		if err != nil {
			return err
		}
		line += fmt.Sprintf(" -> %q", b[:n])
	case unix.S_IFREG:
		if st.Blocks*512 < st.Size/2 {
			line += " sparse"
		}
		if !l.isOpaque(name) {
			b, err := os.ReadFile(self)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %x", sha256.Sum256(b))
		}
	}
	if kind != unix.S_IFLNK {
		more, err := attributes(self)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		line += more
	}
	l.lines = append(l.lines, line)
	if kind != unix.S_IFDIR {
		return nil
	}

	list, err := f.ReadDir(-1)
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range list {
		flags := unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
		if e.IsDir() {
			flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK
		}
		fd, err := unix.Openat(int(f.Fd()), e.Name(), flags, 0)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", name, e.Name(), err)
		}
		if err := l.entry(fd, name+"/"+e.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) isOpaque(name string) bool {
	return slices.ContainsFunc(l.opaque, func(glob string) bool {
		match, err := filepath.Match(glob, filepath.Base(name))
		return match && err == nil
	})
}

// attributes are the extended attributes of a file, ACLs among them, by name.
func attributes(file string) (string, error) {
	b := make([]byte, 1<<16)
	n, err := unix.Listxattr(file, b)
	if err == unix.ENOTSUP {
		return "", nil
	} else if err != nil {
		return "", err
	}
	names := strings.Split(strings.TrimSuffix(string(b[:n]), "\x00"), "\x00")
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		if name == "" {
			continue
		}
		n, err := unix.Getxattr(file, name, b)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, " %s=%x", name, b[:n])
	}
	return text.String(), nil
}
