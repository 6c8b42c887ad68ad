package enforce

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
)

// setAttribute is chmod, chown, utime and the like: of a path, or of a descriptor, which
// may be one that only reads.
func (c *call) setAttribute() error {
	o, err := c.existing(c.followsAttribute())
	if err != nil {
		return err
	}
	defer o.Close()
	set, err := c.attributeSetter()
	if err != nil {
		return err
	}
	if err := c.judgeObject(event.Attr, &o); err != nil {
		return err
	}
	if c.spec.Operands[0].FD >= 0 {
		// The descriptor itself: some filesystems want it to be open.
		fd, err := c.descriptor(c.operands[0].number)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		var stat unix.Stat_t
		if unix.Fstat(fd, &stat) != nil || stat.Dev != o.Stat.Dev || stat.Ino != o.Stat.Ino {
			return unix.EBADF // another thread has put something else in its place
		}
		if err := set.descriptor(fd); err != nil {
			return err
		}
		return c.returns(0)
	}
	if err := set.path(&o); err != nil {
		return err
	}
	return c.returns(0)
}

func (c *call) hasATFlags() bool {
	return c.is("fchmodat2", "fchownat", "utimensat", "setxattrat", "removexattrat", "file_setattr")
}

// followsAttribute says whether a link that is the last name is followed.
func (c *call) followsAttribute() bool {
	switch {
	case c.is("lchown", "lsetxattr", "lremovexattr"):
		return false
	case c.hasATFlags():
		return c.flags&unix.AT_SYMLINK_NOFOLLOW == 0
	default:
		return true
	}
}

// setter changes an attribute, of a pinned object or of a descriptor.
type setter struct {
	path       func(*resolve.Object) error
	descriptor func(fd int) error
}

// attributeSetter copies the rest of the arguments.
func (c *call) attributeSetter() (setter, error) {
	switch c.spec.Op {
	case event.OpChmod:
		return c.chmod(), nil
	case event.OpChown:
		return c.chown(), nil
	case event.OpUtime:
		return c.utime()
	case event.OpSetxattr:
		if c.is("file_setattr") {
			return c.setFileAttributes()
		}
		return c.setxattr()
	case event.OpRemovexattr:
		return c.removexattr()
	default:
		return c.setFlagsByIoctl()
	}
}

func (c *call) chmod() setter {
	mode := uint32(c.arg(1))
	if c.is("fchmodat", "fchmodat2") {
		mode = uint32(c.arg(2))
	}
	return setter{
		path: func(o *resolve.Object) error {
			if o.Is(unix.S_IFLNK) {
				return unix.EOPNOTSUPP
			}
			return unix.Fchmodat(unix.AT_FDCWD, resolve.LinkTo(o.FD), mode, 0)
		},
		descriptor: func(fd int) error { return unix.Fchmod(fd, mode) },
	}
}

func (c *call) chown() setter {
	uid, gid := int(int32(c.arg(1))), int(int32(c.arg(2)))
	if c.is("fchownat") {
		uid, gid = int(int32(c.arg(2))), int(int32(c.arg(3)))
	}
	return setter{
		path:       func(o *resolve.Object) error { return unix.Fchownat(o.FD, "", uid, gid, unix.AT_EMPTY_PATH) },
		descriptor: func(fd int) error { return unix.Fchown(fd, uid, gid) },
	}
}

// utime copies two times, of one of three forms. None at all is now.
func (c *call) utime() (setter, error) {
	index := 1
	if c.is("utimensat", "futimesat") {
		index = 2
	}
	var times *[2]unix.Timespec
	if address := c.arg(index); address != 0 {
		var b [32]byte
		size := len(b)
		if c.is("utime") {
			size = 16
		}
		if err := c.read(address, b[:size]); err != nil {
			return setter{}, err
		}
		word := func(i int) int64 { return int64(binary.NativeEndian.Uint64(b[8*i:])) }
		switch c.spec.Name {
		case "utime":
			times = &[2]unix.Timespec{{Sec: word(0)}, {Sec: word(1)}}
		case "utimes", "futimesat":
			for _, i := range []int{1, 3} {
				if word(i) < 0 || word(i) >= 1_000_000 {
					return setter{}, unix.EINVAL
				}
			}
			times = &[2]unix.Timespec{{Sec: word(0), Nsec: word(1) * 1000}, {Sec: word(2), Nsec: word(3) * 1000}}
		default:
			times = &[2]unix.Timespec{{Sec: word(0), Nsec: word(1)}, {Sec: word(2), Nsec: word(3)}}
		}
	}
	return setter{path: func(o *resolve.Object) error { return utimes(o, times) }}, nil
}

// utimes is utimensat(2), with no times for now.
func utimes(o *resolve.Object, times *[2]unix.Timespec) error {
	path, err := unix.BytePtrFromString(resolve.LinkTo(o.FD))
	if err != nil {
		return err
	}
	dir := unix.AT_FDCWD
	if _, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(dir), uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(times)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// xattrName copies the name of an attribute.
func (c *call) xattrName(address uint64) (string, error) {
	name, err := c.readString(address, c.more)
	const most = 255 // XATTR_NAME_MAX, include/uapi/linux/limits.h
	switch {
	case errors.Is(err, unix.ENAMETOOLONG), err == nil && (len(name) == 0 || len(name) > most):
		return "", unix.ERANGE
	case err != nil:
		return "", err
	}
	return string(name), nil
}

// maxXattr is XATTR_SIZE_MAX, include/uapi/linux/limits.h.
const maxXattr = 65536

func (c *call) setxattr() (setter, error) {
	name, value, size, flags := c.arg(1), c.arg(2), c.arg(3), int(int32(c.arg(4)))
	if c.is("setxattrat") {
		var x [16]byte // struct xattr_args
		if err := c.takeStruct(c.arg(4), c.arg(5), x[:]); err != nil {
			return setter{}, err
		}
		name, value = c.arg(3), binary.NativeEndian.Uint64(x[0:])
		size, flags = uint64(binary.NativeEndian.Uint32(x[8:])), int(binary.NativeEndian.Uint32(x[12:]))
	}
	if flags&^(unix.XATTR_CREATE|unix.XATTR_REPLACE) != 0 {
		return setter{}, unix.EINVAL
	}
	text, err := c.xattrName(name)
	if err != nil {
		return setter{}, err
	}
	if size > maxXattr {
		return setter{}, unix.E2BIG
	}
	data := make([]byte, size)
	if err := c.read(value, data); err != nil {
		return setter{}, err
	}
	return setter{
		path:       func(o *resolve.Object) error { return unix.Setxattr(resolve.LinkTo(o.FD), text, data, flags) },
		descriptor: func(fd int) error { return unix.Fsetxattr(fd, text, data, flags) },
	}, nil
}

func (c *call) removexattr() (setter, error) {
	name := c.arg(1)
	if c.is("removexattrat") {
		name = c.arg(3)
	}
	text, err := c.xattrName(name)
	if err != nil {
		return setter{}, err
	}
	return setter{
		path:       func(o *resolve.Object) error { return unix.Removexattr(resolve.LinkTo(o.FD), text) },
		descriptor: func(fd int) error { return unix.Fremovexattr(fd, text) },
	}, nil
}

// takeStruct copies a struct that newer kernels may have more of, which has to be zero.
func (c *call) takeStruct(address, size uint64, b []byte) error {
	switch {
	case size < uint64(len(b)):
		return unix.EINVAL
	case size > pageSize:
		return unix.E2BIG
	}
	all := make([]byte, size)
	if err := c.read(address, all); err != nil {
		return err
	}
	for _, x := range all[len(b):] {
		if x != 0 {
			return unix.E2BIG
		}
	}
	copy(b, all)
	return nil
}

// setFileAttributes is file_setattr(2) (Linux 6.17).
func (c *call) setFileAttributes() (setter, error) {
	if c.arg(3) > pageSize {
		return setter{}, unix.E2BIG
	}
	b := make([]byte, max(1, c.arg(3)))
	if err := c.read(c.arg(2), b[:c.arg(3)]); err != nil {
		return setter{}, err
	}
	return setter{path: func(o *resolve.Object) error {
		empty := [1]byte{}
		if _, _, errno := unix.Syscall6(sysFileSetattr, uintptr(o.FD), uintptr(unsafe.Pointer(&empty[0])), uintptr(unsafe.Pointer(&b[0])), uintptr(c.arg(3)), unix.AT_EMPTY_PATH, 0); errno != 0 {
			return errno
		}
		return nil
	}}, nil
}

// sysFileSetattr is file_setattr, the same on all architectures of Linux.
const sysFileSetattr = 469

// setFlagsByIoctl is one of the commands in syscalls.AttributeIoctls.
func (c *call) setFlagsByIoctl() (setter, error) {
	const sizeShift, sizeMask = 16, 1<<14 - 1 // _IOC_SIZE, include/uapi/asm-generic/ioctl.h
	command := uint32(c.arg(1))
	b := make([]byte, max(8, command>>sizeShift&sizeMask))
	size := max(4, int(command>>sizeShift&sizeMask))
	if command == unix.FS_IOC_SETFLAGS {
		size = 4 // it says long and means int (ioctl_iflags(2))
	}
	if err := c.read(c.arg(2), b[:size]); err != nil {
		return setter{}, err
	}
	return setter{descriptor: func(fd int) error {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(command), uintptr(unsafe.Pointer(&b[0]))); errno != 0 {
			return errno
		}
		return nil
	}}, nil
}

// truncate cuts or grows a file.
func (c *call) truncate() error {
	o, err := c.existing(true)
	if err != nil {
		return err
	}
	defer o.Close()
	if err := c.judgeObject(event.Write, &o); err != nil {
		return err
	}
	length := int64(c.arg(1))
	if err := c.limitSize(&o, length); err != nil {
		return err
	}
	if err := unix.Truncate(resolve.LinkTo(o.FD), length); err != nil {
		return err
	}
	return c.returns(0)
}
