package enforce

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
)

// look is stat and all others that tell what a file is like: they are made here, on the
// pinned object, and what they say is written to the target's memory.
func (c *call) look() error {
	o, err := c.existing(c.followsLook())
	if err != nil {
		return err
	}
	defer o.Close()
	if err := c.judgeObject(event.Stat, &o); err != nil {
		return err
	}
	switch c.spec.Op {
	case event.OpStat:
		return c.stat(&o)
	case event.OpAccess:
		return c.access(&o)
	case event.OpReadlink:
		return c.readlink(&o)
	case event.OpStatfs:
		return c.statfs(&o)
	case event.OpGetxattr:
		return c.getxattr(&o)
	case event.OpListxattr:
		return c.listxattr(&o)
	default:
		return c.handleOf(&o)
	}
}

// followsLook says whether a link that is the last name is followed.
func (c *call) followsLook() bool {
	switch c.spec.Name {
	case "lstat", "readlink", "readlinkat", "lgetxattr", "llistxattr":
		return false
	case "name_to_handle_at":
		return c.flags&unix.AT_SYMLINK_FOLLOW != 0
	case "stat", "access", "faccessat", "statfs", "getxattr", "listxattr":
		return true
	default:
		return c.flags&unix.AT_SYMLINK_NOFOLLOW == 0
	}
}

// result writes what a call said and lets it return a value.
func (c *call) result(address uint64, b []byte, value int) error {
	if err := c.write(address, b); err != nil {
		return err
	}
	return c.returns(int64(value))
}

// noName is the empty path of calls with AT_EMPTY_PATH.
var noName [1]byte

func (c *call) stat(o *resolve.Object) error {
	switch c.spec.Name {
	case "statx":
		var b [unsafe.Sizeof(unix.Statx_t{})]byte
		flags := c.flags&statxSync | unix.AT_EMPTY_PATH
		if _, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(o.FD), uintptr(unsafe.Pointer(&noName[0])), uintptr(flags), uintptr(c.arg(3)), uintptr(unsafe.Pointer(&b[0])), 0); errno != 0 {
			return errno
		}
		return c.result(c.arg(4), b[:], 0)
	case "file_getattr":
		return c.fileAttributes(o)
	}
	// The layout is the kernel's, which package unix has.
	b := unsafe.Slice((*byte)(unsafe.Pointer(&o.Stat)), unsafe.Sizeof(o.Stat))
	if c.is("newfstatat") {
		return c.result(c.arg(2), b, 0)
	}
	return c.result(c.arg(1), b, 0)
}

// fileAttributes is file_getattr(2) (Linux 6.17).
func (c *call) fileAttributes(o *resolve.Object) error {
	const sysFileGetattr = 468
	if c.arg(3) > pageSize {
		return unix.E2BIG
	}
	b := make([]byte, max(1, c.arg(3)))
	if _, _, errno := unix.Syscall6(sysFileGetattr, uintptr(o.FD), uintptr(unsafe.Pointer(&noName[0])), uintptr(unsafe.Pointer(&b[0])), uintptr(c.arg(3)), unix.AT_EMPTY_PATH, 0); errno != 0 {
		return errno
	}
	return c.result(c.arg(2), b[:c.arg(3)], 0)
}

func (c *call) accessMode() uint32 {
	if c.is("access") {
		return uint32(c.arg(1))
	}
	return uint32(c.arg(2))
}

// access asks about who acts: see [call.actor].
func (c *call) access(o *resolve.Object) error {
	if err := unix.Faccessat2(o.FD, "", c.accessMode(), unix.AT_EMPTY_PATH|unix.AT_EACCESS); err != nil {
		return err
	}
	return c.returns(0)
}

// linkRoom is where the text of a link goes.
func (c *call) linkRoom() (address uint64, size int) {
	if c.is("readlink") {
		return c.arg(1), int(int32(c.arg(2)))
	}
	return c.arg(2), int(int32(c.arg(3)))
}

func (c *call) readlink(o *resolve.Object) error {
	address, size := c.linkRoom()
	if !o.Is(unix.S_IFLNK) {
		if c.operands[0].name == "" {
			return unix.ENOENT
		}
		return unix.EINVAL
	}
	b := make([]byte, min(size, unix.PathMax))
	n := 0
	var err error
	switch o.Path {
	case "/proc/self": // is whoever asks
		n = copy(b, strconv.Itoa(c.tgid()))
	case "/proc/thread-self":
		n = copy(b, fmt.Sprintf("%d/task/%d", c.tgid(), c.tid()))
	default:
		err = c.mayBeOwn(o, func() (err error) {
			n, err = unix.Readlinkat(o.FD, "", b)
			return err
		})
	}
	if err != nil {
		return err
	}
	return c.result(address, b[:n], n)
}

// mayBeOwn runs f with the rights of this process if an object is the target's own below
// /proc: it may always look there itself.
func (c *call) mayBeOwn(o *resolve.Object, f func() error) (err error) {
	if c.selfName(o.Path) == "" {
		return f()
	}
	c.asTracer(func() { err = f() })
	return err
}

func (c *call) statfs(o *resolve.Object) error {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(o.FD, &fs); err != nil {
		return err
	}
	return c.result(c.arg(1), unsafe.Slice((*byte)(unsafe.Pointer(&fs)), unsafe.Sizeof(fs)), 0)
}

func (c *call) getxattr(o *resolve.Object) error {
	name, value, size := c.arg(1), c.arg(2), c.arg(3)
	if c.is("getxattrat") {
		var x [16]byte // struct xattr_args
		if err := c.takeStruct(c.arg(4), c.arg(5), x[:]); err != nil {
			return err
		}
		if binary.NativeEndian.Uint32(x[12:]) != 0 {
			return unix.EINVAL
		}
		name, value, size = c.arg(3), binary.NativeEndian.Uint64(x[0:]), uint64(binary.NativeEndian.Uint32(x[8:]))
	}
	text, err := c.xattrName(name)
	if err != nil {
		return err
	}
	b := make([]byte, min(size, maxXattr))
	n, err := unix.Getxattr(resolve.LinkTo(o.FD), text, b)
	if err != nil {
		return err
	}
	return c.result(value, b[:min(n, len(b))], n)
}

func (c *call) listxattr(o *resolve.Object) error {
	list, size := c.arg(1), c.arg(2)
	if c.is("listxattrat") {
		list, size = c.arg(3), c.arg(4)
	}
	b := make([]byte, min(size, maxXattr))
	n, err := unix.Listxattr(resolve.LinkTo(o.FD), b)
	if err != nil {
		return err
	}
	return c.result(list, b[:min(n, len(b))], n)
}

// handleOf is name_to_handle_at(2).
func (c *call) handleOf(o *resolve.Object) error {
	const head, most = 8, 128 // struct file_handle, MAX_HANDLE_SZ
	var b [head + most]byte
	if err := c.read(c.arg(2), b[:head]); err != nil {
		return err
	}
	room := binary.NativeEndian.Uint32(b[:])
	if room > most {
		return unix.EINVAL
	}
	var mount [8]byte
	flags := c.flags&^uint64(unix.AT_SYMLINK_FOLLOW) | unix.AT_EMPTY_PATH
	_, _, errno := unix.Syscall6(unix.SYS_NAME_TO_HANDLE_AT, uintptr(o.FD), uintptr(unsafe.Pointer(&noName[0])), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&mount[0])), uintptr(flags), 0)
	if errno != 0 && errno != unix.EOVERFLOW {
		return errno
	}
	const uniqueMount = 1 // AT_HANDLE_MNT_ID_UNIQUE, include/uapi/linux/fcntl.h
	size := 4
	if c.flags&uniqueMount != 0 {
		size = 8
	}
	if err := c.write(c.arg(3), mount[:size]); err != nil {
		return err
	}
	n := head
	if errno == 0 {
		n += int(binary.NativeEndian.Uint32(b[:]))
	}
	if err := c.write(c.arg(2), b[:n]); err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return c.returns(0)
}

// watch is inotify_add_watch, and fanotify_mark on a descriptor that was there before.
func (c *call) watch() error {
	if c.is("fanotify_mark") {
		return unix.EPERM // no filter lets a target have such a descriptor
	}
	mask := uint32(c.arg(2))
	o, err := c.existing(mask&unix.IN_DONT_FOLLOW == 0)
	if err != nil {
		return err
	}
	defer o.Close()
	if err := c.judgeObject(event.List, &o); err != nil {
		return err
	}
	fd, err := c.descriptor(int32(c.arg(0)))
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	watch, err := unix.InotifyAddWatch(fd, resolve.LinkTo(o.FD), mask&^unix.IN_DONT_FOLLOW)
	if err != nil {
		return err
	}
	return c.returns(int64(watch))
}
