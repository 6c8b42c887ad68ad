// Package resolve finds the files that a target names, and pins them: what it returns is
// a descriptor, and the path is the kernel's name of that very object.
//
// The kernel does the walking, by openat2(2) from the target's own root, working
// directory or descriptor, as the target would. What the kernel would look up in this
// process instead of in the target's (/proc/self, and the links below it that lead to
// objects) is taken apart here. The package decides nothing and changes nothing.
//
// Start reading at [Target.File].
package resolve

import (
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Target is the thread that makes a call, and how it sees files.
type Target struct {
	TID int
	// TGID is its process. It is asked for only if the target names itself.
	TGID func() int
	// Root is the root directory, of the target and of this process.
	Root int
	// AsTracer runs f with the rights to look into the target, which the thread that
	// acts for it may have laid down. Nil means that it has them.
	AsTracer func(f func())
	// FSUID is the user who follows links: see fs.protected_symlinks in
	// proc_sys_fs(5).
	FSUID uint32
}

// Object is a file, or the place of one that does not exist.
type Object struct {
	// FD is an O_PATH descriptor, -1 if the file does not exist.
	FD int
	// Path is the kernel's name of the object. Of what does not exist it is the
	// directory's, and the name. Of what has no name (a pipe) it does not begin
	// with a slash. It is empty if it is too long to be told.
	Path string
	// Unlinked says that the object had this name and has it no more.
	Unlinked bool
	// Stat is of FD.
	Stat unix.Stat_t
	// Dir is an O_PATH descriptor of the directory and Name the entry there, where a
	// missing file would be made. Only for one that does not exist.
	Dir  int
	Name string

	filesystem Filesystem
}

var none = Object{FD: -1, Dir: -1}

// Close lets the descriptors go.
func (o *Object) Close() {
	for _, fd := range []int{o.FD, o.Dir} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	o.FD, o.Dir = -1, -1
}

// Exists says whether there is such a file.
func (o *Object) Exists() bool { return o.FD >= 0 }

// Is says whether the object is of a type, S_IFDIR and so on.
func (o *Object) Is(kind uint32) bool { return o.FD >= 0 && o.Stat.Mode&unix.S_IFMT == kind }

// HadName says whether the object was ever reached by Path: a pipe or a memfd was not.
func (o *Object) HadName() bool {
	memory := o.Unlinked && strings.HasPrefix(o.Path, "/memfd:")
	return o.Path == "" || strings.HasPrefix(o.Path, "/") && !memory
}

// Waits says whether opening the object may wait for others.
func (o *Object) Waits() bool { return o.filesystem.Waits }

// Named says whether the object can be reached by Path.
func (o *Object) Named() bool { return strings.HasPrefix(o.Path, "/") && !o.Unlinked }

const (
	maxLinks = 40 // MAXSYMLINKS, include/linux/namei.h
	maxTries = 32 // of a lookup that renames disturb
	// maxSteps is more than any path has names, and two of them for each.
	maxSteps = 2 * unix.PathMax
)

// Lookup is a path and what it starts from.
type Lookup struct {
	Dir  int // where relative paths start
	Name string
	// Follow a symbolic link that is the last name.
	Follow bool
	// Resolve are the RESOLVE_* of openat2(2).
	Resolve uint64
}

// File pins the file that a path leads to. If it does not exist, but its directory does,
// the place where it would be is returned without an error.
func (t *Target) File(l Lookup) (Object, error) {
	if l.Name == "" {
		return none, unix.ENOENT
	}
	return t.file(l, &budget{links: maxLinks, steps: maxSteps})
}

// budget is what is left of a lookup.
type budget struct{ links, steps int }

// link takes one link off, step one name.
func (b *budget) link() bool { b.links--; return b.links >= 0 }
func (b *budget) step() bool { b.steps--; return b.steps >= 0 }

func (t *Target) file(l Lookup, left *budget) (Object, error) {
	fd, err := t.open(l)
	switch {
	case err == nil:
		return t.own(fd, l, left)
	case l.Resolve != 0 && !errors.Is(err, unix.ENOENT):
		return none, err // what the target asked to be told
	case errors.Is(err, unix.ELOOP):
		if t.loops(l) {
			return none, err
		}
		return t.stepwise(l, left)
	case errors.Is(err, unix.ENOENT):
		return t.missing(l, left)
	default:
		return none, err
	}
}

// open is one lookup by the kernel. A link of procfs that leads to an object is ELOOP.
func (t *Target) open(l Lookup) (int, error) {
	dir := l.Dir
	if strings.HasPrefix(l.Name, "/") && l.Resolve&(unix.RESOLVE_IN_ROOT|unix.RESOLVE_BENEATH) == 0 {
		dir = t.Root
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: l.Resolve | unix.RESOLVE_NO_MAGICLINKS}
	if !l.Follow {
		how.Flags |= unix.O_NOFOLLOW
	}
	for try := 0; ; try++ {
		fd, err := unix.Openat2(dir, l.Name, &how)
		if err != unix.EAGAIN && err != unix.EINTR || try == maxTries {
			return fd, err
		}
	}
}

// loops says whether a path has too many links, and not one of procfs that leads to an
// object: both are ELOOP to open.
func (t *Target) loops(l Lookup) bool {
	dir := l.Dir
	if strings.HasPrefix(l.Name, "/") {
		dir = t.Root
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC}
	if !l.Follow {
		how.Flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Openat2(dir, l.Name, &how)
	if err == nil {
		_ = unix.Close(fd)
	}
	return errors.Is(err, unix.ELOOP)
}

// own makes an object of what the kernel found. If it is about this process where the
// target named itself, it is looked up again for the target.
func (t *Target) own(fd int, l Lookup, left *budget) (Object, error) {
	o := Object{FD: fd, Dir: -1}
	if err := o.describe(t.Root); err != nil {
		o.Close()
		return none, err
	}
	theirs, found := t.translate(o.Path)
	if !found {
		return o, nil
	}
	if namesUs(l.Name) || startsAtUs(l) { // and not by way of /proc/self
		if IsPublic(strings.TrimPrefix(o.Path, ourSelf)) {
			return o, nil
		}
		o.Close()
		return none, unix.EACCES
	}
	o.Close()
	if !left.step() {
		return none, unix.ELOOP
	}
	return t.asOwn(func() (Object, error) {
		return t.file(Lookup{Dir: t.Root, Name: theirs}, left)
	})
}

// asOwn looks at what is the target's own below /proc, which is open to itself and may not
// be to the thread that acts for it.
func (t *Target) asOwn(look func() (Object, error)) (o Object, err error) {
	if t.AsTracer == nil {
		return look()
	}
	t.AsTracer(func() { o, err = look() })
	return o, err
}

// stepwise resolves a path with a link of procfs that leads to an object: what is before
// the last name first, then that.
func (t *Target) stepwise(l Lookup, left *budget) (Object, error) {
	if !left.step() {
		return none, unix.ELOOP
	}
	before, last := Split(l.Name)
	if last == "" || before == l.Name {
		return none, unix.ELOOP
	}
	parent, err := t.file(Lookup{Dir: l.Dir, Name: before, Follow: true}, left)
	if err != nil {
		return none, err
	}
	defer parent.Close()
	if !parent.Exists() {
		return none, unix.ENOENT
	}
	slash := strings.HasSuffix(l.Name, "/")
	o, err := t.entry(&parent, last, left)
	if err == nil && o.Is(unix.S_IFLNK) && (l.Follow || slash) {
		link := o
		o, err = t.through(&parent, &link, last, left)
		link.Close()
	}
	if err == nil && slash && !o.Is(unix.S_IFDIR) {
		o.Close()
		return none, unix.ENOTDIR
	}
	return o, err
}

// entry is a name in a directory, not followed.
func (t *Target) entry(parent *Object, name string, left *budget) (Object, error) {
	l := Lookup{Dir: parent.FD, Name: name}
	fd, err := t.open(l)
	if err != nil {
		return none, err
	}
	return t.own(fd, l, left)
}

// through follows a link that is the last name of a path.
func (t *Target) through(parent, link *Object, name string, left *budget) (Object, error) {
	if parent.filesystem.Proc {
		return t.throughProc(parent, name, left)
	}
	if !left.link() {
		return none, unix.ELOOP
	}
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(link.FD, "", text)
	if err != nil {
		return none, err
	}
	if err := t.mayFollow(parent, link); err != nil {
		return none, err
	}
	return t.file(Lookup{Dir: parent.FD, Name: string(text[:n]), Follow: true}, left)
}

// throughProc follows a link of procfs, which may lead to an object that has no name. The
// kernel follows it for this process, which it asks whether it may look at the link's.
// Through the links of others only what has a name here is found.
func (t *Target) throughProc(parent *Object, name string, left *budget) (Object, error) {
	follow := func() (Object, error) {
		fd, err := unix.Openat(parent.FD, name, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return none, err
		}
		return t.own(fd, Lookup{Dir: parent.FD, Name: name, Follow: true}, left)
	}
	if isBelow(parent.Path, t.self()) {
		return t.asOwn(follow)
	}
	o, err := follow()
	if err == nil && (!o.Named() || !o.isAt(t.Root, o.Path)) {
		o.Close()
		return none, unix.EACCES
	}
	return o, err
}

// missing finds the place of a file that does not exist: that of the name, or where a
// link without a target leads.
func (t *Target) missing(l Lookup, left *budget) (Object, error) {
	if !left.step() {
		return none, unix.ELOOP
	}
	before, last := Split(l.Name)
	if last == "" || before == l.Name || l.Resolve != 0 && (last == "." || last == "..") {
		return none, unix.ENOENT
	}
	resolve := l.Resolve
	if strings.HasPrefix(l.Name, "/") {
		resolve &^= unix.RESOLVE_BENEATH
	}
	parent, err := t.file(Lookup{Dir: l.Dir, Name: before, Follow: true, Resolve: resolve}, left)
	if err != nil {
		return none, err
	}
	if !parent.Exists() {
		parent.Close()
		return none, unix.ENOENT
	}
	if last == "." || last == ".." {
		defer parent.Close()
		return t.entry(&parent, last, left)
	}
	o, err := t.entry(&parent, last, left)
	slash := strings.HasSuffix(l.Name, "/")
	switch {
	case errors.Is(err, unix.ENOENT):
		if slash {
			last += "/"
		}
		return Object{FD: -1, Dir: parent.FD, Name: last, Path: below(&parent, last)}, nil
	case err != nil || !o.Is(unix.S_IFLNK) || !l.Follow && !slash:
		parent.Close()
		return o, err // it has been made meanwhile
	}
	defer o.Close()
	defer parent.Close()
	if l.Resolve != 0 || slash {
		return none, unix.ENOENT // nothing is made through such a link
	}
	return t.through(&parent, &o, last, left)
}

// below is the path of an entry in a directory.
func below(dir *Object, name string) string {
	if dir.Path == "" {
		return ""
	}
	return path.Join(dir.Path, name)
}

// Split takes the last name off a path. What is before is "." or "/" if there is nothing.
func Split(name string) (before, last string) {
	trimmed := strings.TrimRight(name, "/")
	i := strings.LastIndexByte(trimmed, '/')
	switch {
	case trimmed == "" && name != "":
		return "/", ""
	case i < 0:
		return ".", trimmed
	case strings.Trim(trimmed[:i], "/") == "":
		return "/", trimmed[i+1:]
	default:
		return trimmed[:i], trimmed[i+1:]
	}
}
