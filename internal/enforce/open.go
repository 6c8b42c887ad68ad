package enforce

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// open opens a file as the target asked for, on the object that was judged, and gives
// it the descriptor.
func (c *call) open() error {
	r, err := c.openRequest()
	if err != nil {
		return err
	}
	if left, err := c.leaveOpen(r); left {
		return err
	}
	fd, done, err := c.openPlainly(r)
	if !done {
		fd, err = c.openResolved(r)
	}
	if err != nil {
		return err
	}
	return c.give(fd.number, r.flags&unix.O_CLOEXEC != 0, fd.noticed)
}

// openRequest is what an open asks for.
type openRequest struct {
	flags   uint64
	mode    uint32
	resolve uint64
}

// opened is a descriptor to give away. Noticed says that the target would notice if it
// were open here for longer.
type opened struct {
	number  int
	noticed bool
}

// knownFlags is VALID_OPEN_FLAGS, include/linux/fcntl.h.
const knownFlags = unix.O_ACCMODE | unix.O_CREAT | unix.O_EXCL | unix.O_NOCTTY | unix.O_TRUNC |
	unix.O_APPEND | unix.O_NONBLOCK | unix.O_SYNC | unix.O_DSYNC | unix.O_ASYNC | unix.O_DIRECT |
	oLargefile | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_NOATIME | unix.O_CLOEXEC | unix.O_PATH | unix.O_TMPFILE

// tmpfile is __O_TMPFILE, include/uapi/asm-generic/fcntl.h.
const tmpfile = unix.O_TMPFILE &^ unix.O_DIRECTORY

func (c *call) openRequest() (openRequest, error) {
	if c.is("openat2") {
		return c.how2()
	}
	r := openRequest{flags: c.flags & knownFlags} // open(2) ignores what it does not know
	switch c.spec.Name {
	case "creat":
		r.mode = uint32(c.arg(1))
	case "open":
		r.mode = uint32(c.arg(2))
	default:
		r.mode = uint32(c.arg(3))
	}
	if r.flags&(unix.O_CREAT|tmpfile) == 0 {
		r.mode = 0
	}
	r.mode &= 0o7777
	return r, r.check()
}

// resolveCached is RESOLVE_CACHED, include/uapi/linux/openat2.h.
const resolveCached = 0x20

// how2 is openat2(2), which tells what it does not know.
func (c *call) how2() (openRequest, error) {
	const knownResolve = unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS |
		unix.RESOLVE_BENEATH | unix.RESOLVE_IN_ROOT | resolveCached
	r := openRequest{flags: c.how.Flags, mode: uint32(c.how.Mode), resolve: c.how.Resolve}
	switch {
	case r.flags&^knownFlags != 0, c.how.Resolve&^knownResolve != 0,
		c.how.Resolve&unix.RESOLVE_BENEATH != 0 && c.how.Resolve&unix.RESOLVE_IN_ROOT != 0,
		r.flags&(unix.O_CREAT|tmpfile) == 0 && c.how.Mode != 0, c.how.Mode&^0o7777 != 0,
		r.flags&unix.O_PATH != 0 && r.flags&^(unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_PATH|unix.O_CLOEXEC) != 0:
		return r, unix.EINVAL
	case r.flags&unix.O_PATH != 0:
		// A descriptor without access cannot be given away (fs/file.c,
		// receive_fd), and what is asked for is in memory. openat(2) says it in a
		// register, and is let through: see syscalls.Variants.
		return r, unix.ENOSYS
	case r.resolve&resolveCached != 0:
		return r, unix.EAGAIN // it is never known here; the caller tries without
	}
	return r, r.check()
}

// check is the rest of build_open_flags, fs/open.c.
func (r *openRequest) check() error {
	switch {
	case r.flags&(unix.O_DIRECTORY|unix.O_CREAT) == unix.O_DIRECTORY|unix.O_CREAT,
		r.flags&tmpfile != 0 && (r.flags&unix.O_DIRECTORY == 0 || r.flags&unix.O_ACCMODE == unix.O_RDONLY):
		return unix.EINVAL
	}
	return nil
}

func (r *openRequest) has(flags uint64) bool { return r.flags&flags == flags }

// creates says whether a missing file is to be made.
func (r *openRequest) creates() bool { return r.has(unix.O_CREAT) }

// follows says whether a link that is the last name is followed.
func (r *openRequest) follows() bool {
	return !r.has(unix.O_NOFOLLOW) && !r.has(unix.O_CREAT|unix.O_EXCL)
}

// classes are what opening an object of a type does to it.
func (r *openRequest) classes(mode uint32, creates bool) event.Class {
	a := event.Access{Op: event.OpOpen, Flags: r.flags, Targets: []event.Target{{Mode: mode, Created: creates}}}
	syscalls.Classify(&a)
	return a.Targets[0].Class
}

// openPlainly opens what most programs open: a regular file or a directory whose path
// has no links and no "..". Such a path is the real one, so the name is judged, and that
// same name is opened, with links forbidden. What it leads to when it is opened is what
// the rules are about, whoever moves it. Everything else, and every doubt, is not done.
func (c *call) openPlainly(r openRequest) (fd opened, done bool, err error) {
	o := &c.operands[0]
	const special = unix.O_CREAT | unix.O_TRUNC | tmpfile
	if r.flags&special != 0 || r.resolve != 0 {
		return fd, false, nil
	}
	if !isPlainName(o) {
		return fd, false, nil
	}
	before, _ := resolve.Split(o.name)
	if _, linked := c.linked[before]; linked && o.dir < 0 {
		return fd, false, nil
	}
	dir := o.dir
	if dir < 0 {
		dir = c.root
	}
	const plainly = unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS
	// Opening may do something to a pipe or a device, so that is looked at first.
	var stat unix.Stat_t
	if err := unix.Fstatat(dir, o.name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if !errors.Is(err, unix.ENOENT) {
			return fd, false, nil
		}
		// It is missing for the target too if no link was on the way, which could
		// have led to the target's own directory of /proc.
		n, err := unix.Openat2(dir, o.name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW, Resolve: plainly})
		if err == nil {
			_ = unix.Close(n)
		}
		return fd, err == unix.ENOENT, err
	}
	switch kind := stat.Mode & unix.S_IFMT; {
	case (kind == unix.S_IFREG || kind == unix.S_IFDIR) && isPlain(stat.Dev), kind == unix.S_IFCHR && neverWaits(stat.Rdev):
	default:
		return fd, false, nil
	}
	path, ok := c.plainPath(o)
	if !ok {
		return fd, false, nil
	}
	if err := c.judgeFile(r.classes(stat.Mode, false), path, &stat); err != nil {
		// No is said about real names only.
		if n, walk := unix.Openat2(dir, o.name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: plainly}); walk == nil {
			_ = unix.Close(n)
			return fd, true, err
		}
		c.judged = c.judged[:0]
		return fd, false, nil
	}
	how := unix.OpenHow{Flags: r.flags | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC, Resolve: plainly}
	n, err := unix.Openat2(dir, o.name, &how)
	if err == unix.ELOOP || err == unix.EAGAIN || err == unix.EINTR || err == unix.ENXIO || err == unix.ENODEV {
		if err == unix.ELOOP && o.dir < 0 {
			c.rememberLink(before)
		}
		c.judged = c.judged[:0]
		return fd, false, nil
	}
	if err != nil {
		return fd, true, err
	}
	if err := setFlags(n, r.flags); err != nil {
		_ = unix.Close(n)
		return fd, true, err
	}
	return opened{n, r.flags&unix.O_ACCMODE != unix.O_RDONLY}, true, nil
}

// rememberLink notes a directory whose path has a link, so that it is not tried plainly
// the next time. It is only faster, so it may be forgotten, or not be true any more.
func (w *worker) rememberLink(dir string) {
	const most = 64
	if len(w.linked) == most {
		clear(w.linked)
	}
	w.linked[dir] = struct{}{}
}

// isPlain says whether a device is known to be a filesystem without surprises.
func isPlain(dev uint64) bool {
	fs, known := resolve.KnownFilesystem(dev)
	return known && fs.Plain
}

// setFlags takes off what was set so that an open does not block.
func setFlags(fd int, flags uint64) error {
	if flags&unix.O_NONBLOCK != 0 {
		return nil
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, int(flags&(unix.O_APPEND|unix.O_ASYNC|unix.O_DIRECT|unix.O_NOATIME)))
	return err
}

// isPlainName says whether the spelling of an operand could be a real path: it has no
// "..", and is not where the kernel would look at us.
func isPlainName(o *operand) bool {
	const proc = "/proc"
	below := strings.HasPrefix(o.name, proc) && (len(o.name) == len(proc) || o.name[len(proc)] == '/')
	return !o.byFD && !below && o.name != "" && !strings.HasSuffix(o.name, "/") && !hasDots(o.name)
}

// plainPath is the absolute path of an operand with a plain name.
func (c *call) plainPath(o *operand) (string, bool) {
	if o.dir < 0 {
		return o.name, true
	}
	base, err := resolve.NameOf(o.dir)
	if err != nil || !strings.HasPrefix(base, "/") || strings.HasSuffix(base, " (deleted)") {
		return "", false
	}
	return strings.TrimSuffix(base, "/") + "/" + o.name, true
}

// hasDots says whether a path has a component "." or "..", or an empty one.
func hasDots(path string) bool {
	return strings.Contains(path, "//") || strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../") ||
		path == "." || path == ".." || strings.Contains(path, "/./") || strings.Contains(path, "/../") ||
		strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..")
}

// openResolved pins the object, judges its real name, and opens what is pinned.
func (c *call) openResolved(r openRequest) (opened, error) {
	operand := &c.operands[0]
	if r.creates() && strings.HasSuffix(operand.name, "/") {
		return opened{}, c.cannotCreate(operand, r.has(unix.O_EXCL))
	}
	const tries = 16
	for range tries {
		o, err := c.target.File(resolve.Lookup{Dir: operand.dir, Name: operand.name, Follow: r.follows(), Resolve: r.resolve})
		if err != nil {
			return opened{}, err
		}
		fd, err := c.openObject(&o, r)
		o.Close()
		if !errors.Is(err, errChanged) {
			return fd, err
		}
	}
	return opened{}, unix.EAGAIN
}

// cannotCreate is the error of making a file whose name ends in a slash: EISDIR, if its
// directory is there.
func (c *call) cannotCreate(o *operand, excl bool) error {
	p, err := c.target.Place(o.dir, o.name)
	if err != nil {
		return err
	}
	p.Close()
	if p.Fixed && excl {
		return unix.EEXIST
	}
	return unix.EISDIR
}

// errChanged says that what was found is not there any more.
var errChanged = errors.New("the file has changed its place")

func (c *call) openObject(o *resolve.Object, r openRequest) (opened, error) {
	switch {
	case !o.Exists():
		return c.create(o, r)
	case r.has(unix.O_CREAT|unix.O_EXCL) && r.creates():
		return opened{}, unix.EEXIST
	case r.has(tmpfile):
		return c.openTmpfile(o, r)
	}
	if err := c.judgeObject(r.classes(o.Stat.Mode, false), o); err != nil {
		return opened{}, err
	}
	switch kind := o.Stat.Mode & unix.S_IFMT; {
	case r.has(unix.O_DIRECTORY) && kind != unix.S_IFDIR:
		return opened{}, unix.ENOTDIR
	case kind == unix.S_IFLNK:
		return opened{}, unix.ELOOP
	case kind == unix.S_IFDIR && r.creates():
		return opened{}, unix.EISDIR
	case kind == unix.S_IFCHR && !neverWaits(o.Stat.Rdev) || kind == unix.S_IFBLK || kind == unix.S_IFIFO || o.Waits():
		return c.openSpecial(o, r)
	}
	if r.creates() {
		if err := c.maySpoil(o); err != nil {
			return opened{}, err
		}
	}
	if r.has(unix.O_TRUNC) {
		if err := c.hasRoom(); err != nil {
			return opened{}, err
		}
	}
	n, err := c.reopen(o, r)
	if errors.Is(err, unix.EAGAIN) && !r.has(unix.O_NONBLOCK) { // somebody has a lease (fcntl(2))
		return c.openSpecial(o, r)
	}
	if err != nil {
		return opened{}, err
	}
	if err := setFlags(n, r.flags); err != nil {
		_ = unix.Close(n)
		return opened{}, err
	}
	return opened{n, r.flags&unix.O_ACCMODE != unix.O_RDONLY}, nil
}

// reopen opens the pinned object without waiting. By its real name that is faster than by a
// link of procfs, and a descriptor remembers O_NOFOLLOW, which goes by a name only.
func (c *call) reopen(o *resolve.Object, r openRequest) (n int, err error) {
	flags := reopenFlags(r) | unix.O_NONBLOCK
	if o.Named() && (r.has(unix.O_NOFOLLOW) || isPlain(o.Stat.Dev) && !r.has(unix.O_TRUNC)) {
		if n, err := c.openNamed(o, uint64(flags)|r.flags&unix.O_NOFOLLOW); err == nil {
			return n, nil
		}
	}
	open := func() (err error) {
		n, err = resolve.Reopen(o.FD, flags)
		return err
	}
	self := c.selfName(o.Path)
	switch {
	case listsDescriptors(self):
	case self != "" && r.flags&(unix.O_ACCMODE|unix.O_TRUNC) == unix.O_RDONLY:
		// Its mode is for the target, and what it asks of who traces is for us.
		if err := unix.Faccessat2(o.FD, "", unix.R_OK, unix.AT_EMPTY_PATH|unix.AT_EACCESS); err != nil {
			return -1, err
		}
	default:
		err = open()
		return n, err
	}
	err = c.mayBeOwn(o, open)
	return n, err
}

// openNamed opens what the real name of an object leads to, which was judged under that
// name, if it is still the object.
func (c *call) openNamed(o *resolve.Object, flags uint64) (int, error) {
	n, err := unix.Openat2(c.root, "."+o.Path, &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS})
	if err != nil {
		return -1, err
	}
	var found unix.Stat_t
	if err := unix.Fstat(n, &found); err != nil || found.Dev != o.Stat.Dev || found.Ino != o.Stat.Ino {
		_ = unix.Close(n)
		return -1, errChanged
	}
	return n, nil
}

// listsDescriptors says whether a path is that of a process's own descriptors, which it
// may look at whoever they belong to (fs/proc/fd.c, proc_fd_permission).
func listsDescriptors(self string) bool {
	parts := strings.Split(self, "/") // "", "proc", "self", then "fd" or "task", N, "fd"
	if len(parts) > 5 && parts[3] == "task" {
		parts = parts[2:]
	}
	return len(parts) > 3 && (parts[3] == "fd" || parts[3] == "fdinfo")
}

// reopenFlags are for a link of procfs to the object: what is about names is done.
func reopenFlags(r openRequest) int {
	return int(r.flags&^(unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW)) | unix.O_NOCTTY | unix.O_CLOEXEC
}

// openSpecial opens what may wait, or do something when it is opened: a pipe, a device, a
// file of a filesystem that asks others.
func (c *call) openSpecial(o *resolve.Object, r openRequest) (opened, error) {
	if o.Is(unix.S_IFCHR) && o.Stat.Rdev == unix.Mkdev(5, 0) {
		return c.openTerminal(r)
	}
	if o.Is(unix.S_IFIFO) {
		return c.openFIFO(o, r)
	}
	if r.has(unix.O_NONBLOCK) && !o.Waits() {
		n, err := resolve.Reopen(o.FD, reopenFlags(r))
		return opened{n, true}, err
	}
	if err := c.mayWait(); err != nil {
		return opened{}, err
	}
	if r.creates() {
		if err := c.maySpoil(o); err != nil {
			return opened{}, err
		}
	}
	var n int
	err := c.blockingly(func() (err error) {
		n, err = resolve.Reopen(o.FD, reopenFlags(r))
		return err
	})
	return opened{n, true}, err
}

// neverWaits says whether opening a device does nothing and waits for nobody: memory
// devices, among them /dev/null and /dev/urandom, and pseudo-terminals
// (Documentation/admin-guide/devices.txt).
func neverWaits(device uint64) bool {
	const firstPTS, lastPTS = 136, 143
	ptmx := unix.Mkdev(5, 2)
	major := unix.Major(device)
	return isMemory(device) || major >= firstPTS && major <= lastPTS || device == ptmx
}

// isMemory says whether a device is /dev/null, zero, full, random or urandom.
func isMemory(device uint64) bool {
	const memory = 1
	if unix.Major(device) != memory {
		return false
	}
	switch unix.Minor(device) {
	case 3, 5, 7, 8, 9:
		return true
	}
	return false
}

// create makes a file that does not exist.
func (c *call) create(o *resolve.Object, r openRequest) (opened, error) {
	switch {
	case !r.creates():
		return opened{}, unix.ENOENT
	}
	if err := c.judge(r.classes(0, true), o.Path, judgement{created: true}); err != nil {
		return opened{}, err
	}
	if err := c.hasRoom(); err != nil {
		return opened{}, err
	}
	var n int
	err := c.withUmask(func() (err error) {
		n, err = unix.Openat(o.Dir, o.Name, int(r.flags|unix.O_EXCL|unix.O_NOCTTY|unix.O_CLOEXEC), r.mode)
		return err
	})
	if errors.Is(err, unix.EEXIST) && !r.has(unix.O_EXCL) {
		c.judged = c.judged[:0]
		return opened{}, errChanged // somebody was faster
	}
	return opened{n, true}, err
}

// openTmpfile makes a file without a name in a directory.
func (c *call) openTmpfile(o *resolve.Object, r openRequest) (opened, error) {
	if !o.Is(unix.S_IFDIR) {
		return opened{}, unix.ENOTDIR
	}
	if err := c.judgeObject(event.Create, o); err != nil {
		return opened{}, err
	}
	var n int
	err := c.withUmask(func() (err error) {
		n, err = unix.Openat(o.FD, ".", int(r.flags&^unix.O_NOFOLLOW)|unix.O_CLOEXEC, r.mode)
		return err
	})
	return opened{n, true}, err
}
