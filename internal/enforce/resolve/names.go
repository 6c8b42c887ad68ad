package resolve

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// descriptors is /proc/self/fd: names of descriptors are asked for there, without a walk
// from the root. It stays open as long as the process lives.
var descriptors = sync.OnceValues(func() (int, error) {
	return unix.Open("/proc/self/fd", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
})

// NameOf is the kernel's name of a descriptor.
func NameOf(fd int) (string, error) {
	dir, err := descriptors()
	if err != nil {
		return "", fmt.Errorf("opening /proc/self/fd: %w", err)
	}
	link := strconv.Itoa(fd)
	var room [512]byte
	for b := room[:]; ; b = make([]byte, 4*len(b)) {
		n, err := unix.Readlinkat(dir, link, b)
		if err != nil {
			return "", fmt.Errorf("asking for the name of a descriptor: %w", err)
		}
		if n < len(b) {
			return string(b[:n]), nil
		}
	}
}

// Reopen opens the object behind a descriptor with other flags.
func Reopen(fd int, flags int) (int, error) {
	dir, err := descriptors()
	if err != nil {
		return -1, err
	}
	return unix.Openat(dir, strconv.Itoa(fd), flags, 0)
}

// LinkTo is a path by which calls without a descriptor reach the object behind one.
func LinkTo(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// describe asks the kernel for the name and the attributes of FD.
func (o *Object) describe(root int) error {
	if err := unix.Fstat(o.FD, &o.Stat); err != nil {
		return err
	}
	name, err := NameOf(o.FD)
	if errors.Is(err, unix.ENAMETOOLONG) {
		// It is deeper than the kernel can say.
		o.Path = ""
		o.filesystem, err = FilesystemOf(o.FD, o.Stat.Dev)
		return err
	}
	if err != nil {
		return err
	}
	o.Path = name
	if o.filesystem, err = FilesystemOf(o.FD, o.Stat.Dev); err != nil {
		return err
	}
	if o.filesystem.Proc && !isBelow(name, "/proc") {
		// Another mount of it would show us where the target looks for itself.
		return unix.EACCES
	}
	if stem, marked := strings.CutSuffix(name, " (deleted)"); marked && !o.isAt(root, name) {
		o.Path, o.Unlinked = stem, true
	}
	return nil
}

// isAt says whether a name leads to the object: a file may be called "x (deleted)".
func (o *Object) isAt(root int, name string) bool {
	fd, err := unix.Openat2(root, name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	var found unix.Stat_t
	return unix.Fstat(fd, &found) == nil && found.Dev == o.Stat.Dev && found.Ino == o.Stat.Ino
}

var ourSelf = "/proc/" + strconv.Itoa(unix.Getpid())

// startsAtUs says whether a relative path starts in the directory of this process.
func startsAtUs(l Lookup) bool {
	if strings.HasPrefix(l.Name, "/") || l.Dir < 0 {
		return false
	}
	base, err := NameOf(l.Dir)
	return err == nil && isBelow(base, ourSelf)
}

// namesUs says whether a path has the number of this process for a name.
func namesUs(path string) bool {
	ours := ourSelf[len("/proc/"):]
	for name := range strings.SplitSeq(path, "/") {
		if name == ours {
			return true
		}
	}
	return false
}

// IsPublic says whether a path below the directory of a process is that directory, or a file
// in it that anybody may read of anybody: ps(1) wants them.
func IsPublic(rest string) bool {
	switch rest {
	case "", "/stat", "/status", "/statm", "/cmdline", "/comm", "/cgroup":
		return true
	}
	return false
}

func (t *Target) self() string { return "/proc/" + strconv.Itoa(t.TGID()) }

// isBelow says whether a path is another, or below it.
func isBelow(name, dir string) bool {
	return strings.HasPrefix(name, dir) && (len(name) == len(dir) || name[len(dir)] == '/')
}

// translate finds a name below /proc of this process, which the target has no business
// to name, and returns the one for the target.
func (t *Target) translate(name string) (string, bool) {
	if !isBelow(name, ourSelf) {
		return "", false
	}
	rest := name[len(ourSelf):]
	if thread := "/task/" + strconv.Itoa(unix.Gettid()); isBelow(rest, thread) {
		rest = "/task/" + strconv.Itoa(t.TID) + rest[len(thread):]
	}
	return t.self() + rest, true
}

// Self is the name that the target has for a path below its own directory of /proc, ""
// for others.
func (t *Target) Self(name string) string {
	rest, found := strings.CutPrefix(name, "/proc/")
	if !found || rest == "" || rest[0] < '1' || rest[0] > '9' || !isBelow(name, t.self()) {
		return ""
	}
	return "/proc/self" + name[len(t.self()):]
}

// Descriptor is the object behind an O_PATH descriptor that was opened through one of the
// target's. The object has a descriptor of its own.
func (t *Target) Descriptor(fd int) (Object, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return none, err
	}
	o := Object{FD: own, Dir: -1}
	if err := o.describe(t.Root); err != nil {
		o.Close()
		return none, err
	}
	return o, nil
}
