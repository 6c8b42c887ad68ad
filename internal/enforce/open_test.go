package enforce

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// kernelOpens asks the kernel about an open of a file in a directory that does not exist:
// flags are looked at first, so all but EINVAL is that they are in order.
func kernelRefuses(t testing.TB, number uintptr, args ...uintptr) bool {
	t.Helper()
	for len(args) < 6 {
		args = append(args, 0)
	}
	fd, _, errno := unix.Syscall6(number, args[0], args[1], args[2], args[3], args[4], args[5])
	if errno == 0 {
		unix.Close(int(fd))
		t.Error("it was opened")
	}
	return errno == unix.EINVAL
}

var nowhere = [...]byte{'n', 'o', 'n', 'e', '/', 'x', 0}

func TestOpenRequest(t *testing.T) {
	for _, tt := range []struct {
		name        string
		args        []uint64
		flags, mode uint64
		err         error
	}{
		{"open", []uint64{0, unix.O_RDONLY, 0o777}, unix.O_RDONLY, 0, nil},
		{"open", []uint64{0, unix.O_WRONLY | unix.O_CREAT, 0o644}, unix.O_WRONLY | unix.O_CREAT, 0o644, nil},
		{"open", []uint64{0, unix.O_WRONLY | unix.O_CREAT, 0xffff8644 | 0o7777}, unix.O_WRONLY | unix.O_CREAT, 0o7777, nil},
		{"open", []uint64{0, unix.O_RDONLY | 0x10, 0}, unix.O_RDONLY, 0, nil},
		{"open", []uint64{0, unix.O_RDONLY | 0xdead<<32, 0}, unix.O_RDONLY, 0, nil},
		{"openat", []uint64{0, 0, unix.O_RDWR | unix.O_TMPFILE, 0o600}, unix.O_RDWR | unix.O_TMPFILE, 0o600, nil},
		{"openat", []uint64{0, 0, unix.O_RDONLY | unix.O_TMPFILE, 0o600}, 0, 0, unix.EINVAL},
		{"openat", []uint64{0, 0, unix.O_RDWR | unix.O_TMPFILE&^unix.O_DIRECTORY, 0o600}, 0, 0, unix.EINVAL},
		{"openat", []uint64{0, 0, unix.O_CREAT | unix.O_DIRECTORY, 0o600}, 0, 0, unix.EINVAL},
		{"creat", []uint64{0, 0o640}, unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC, 0o640, nil},
	} {
		if _, known := syscalls.Number(nativeABI, tt.name); !known {
			continue // arm64 has openat alone
		}
		c := ownCall(t, tt.name, tt.args...)
		takeFlags(c)
		r, err := c.openRequest()
		if !errors.Is(err, tt.err) || err == nil && (r.flags != tt.flags || uint64(r.mode) != tt.mode) {
			t.Errorf("%s%x: %#x, %#o, %v, want %#x, %#o, %v", tt.name, tt.args, r.flags, r.mode, err, tt.flags, tt.mode, tt.err)
		}
	}
}

// takeFlags is what take does before there is a listener.
func takeFlags(c *call) {
	c.flags = c.spec.Implied
	switch c.spec.Name {
	case "open":
		c.flags = uint64(uint32(c.arg(1)))
	case "openat":
		c.flags |= uint64(uint32(c.arg(2)))
	}
}

func TestFollows(t *testing.T) {
	for flags, want := range map[uint64]bool{
		0: true, unix.O_NOFOLLOW: false, unix.O_CREAT: true, unix.O_EXCL: true, unix.O_CREAT | unix.O_EXCL: false, unix.O_CREAT | unix.O_NOFOLLOW: false,
	} {
		r := openRequest{flags: flags}
		if got := r.follows(); got != want {
			t.Errorf("%#x: %v", flags, got)
		}
	}
}

// FuzzOpenRequest: what the gate says about flags is what the kernel says.
func FuzzOpenRequest(f *testing.F) {
	bits := []uint64{
		0, unix.O_RDWR, unix.O_ACCMODE, unix.O_CREAT, unix.O_CREAT | unix.O_EXCL, unix.O_CREAT | unix.O_DIRECTORY, unix.O_TMPFILE | unix.O_RDWR, unix.O_TMPFILE,
		unix.O_TMPFILE &^ unix.O_DIRECTORY, unix.O_PATH, unix.O_PATH | unix.O_CREAT, unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC, unix.O_SYNC, unix.O_ASYNC | unix.O_DIRECT, unix.O_NOATIME, 1 << 31, 1 << 32, 1 << 40, 0x10, oLargefile,
	}
	for _, flags := range bits {
		for _, mode := range []uint64{0, 0o644, 0o7777, 0o10000, 1 << 32} {
			f.Add(flags, mode, uint64(0), uint16(24), []byte{})
		}
		for _, resolve := range []uint64{unix.RESOLVE_BENEATH, unix.RESOLVE_IN_ROOT, unix.RESOLVE_BENEATH | unix.RESOLVE_IN_ROOT, unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV, resolveCached, 0x40, 1 << 63} {
			f.Add(flags, uint64(0), resolve, uint16(24), []byte{})
		}
	}
	for _, size := range []uint16{0, 8, 23, 25, 32, 4096, 4097, 65535} {
		f.Add(uint64(0), uint64(0), uint64(0), size, []byte{})
		f.Add(uint64(0), uint64(0), uint64(0), size, []byte{0, 0, 1})
	}
	name := uintptr(unsafe.Pointer(&nowhere[0]))
	memory := newRegion(f, 1<<16)
	at := uintptr(memory.at)
	const atCWD = ^uintptr(99) // AT_FDCWD
	f.Fuzz(func(t *testing.T, flags, mode, resolve uint64, size uint16, rest []byte) {
		// open(2).
		c := ownCall(t, "openat", 0, 0, flags, mode)
		takeFlags(c)
		r, err := c.openRequest()
		// Before Linux 6.4 the two made a file, or were told after it.
		both := flags&(unix.O_CREAT|unix.O_DIRECTORY) == unix.O_CREAT|unix.O_DIRECTORY
		path := flags&unix.O_PATH != 0 // never notified
		if refused := kernelRefuses(t, unix.SYS_OPENAT, atCWD, name, uintptr(flags), uintptr(mode)); !both && !path && refused != (errors.Is(err, unix.EINVAL)) {
			t.Errorf("openat with %#x: %v, the kernel refuses it: %v", flags, err, refused)
		}
		if err == nil && (r.flags&^knownFlags != 0 || r.mode&^0o7777 != 0 || r.mode != 0 && r.flags&(unix.O_CREAT|tmpfile) == 0) {
			t.Errorf("openat with %#x, %#o: %+v", flags, mode, r)
		}

		// openat2(2), through memory.
		clear(memory.b)
		memory.put(0, flags, mode, resolve)
		copy(memory.b[24:], rest)
		c = ownCall(t, "openat2", 0, 0, memory.at, uint64(size))
		err = c.takeHow(2)
		taken := err
		if err == nil {
			_, err = c.openRequest()
		}
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT2, atCWD, name, at, uintptr(size), 0, 0)
		if errno == 0 {
			unix.Close(int(fd))
			t.Fatal("it was opened")
		}
		if taken != nil || errno == unix.E2BIG || errno == unix.EFAULT {
			if !errors.Is(taken, errno) {
				t.Errorf("struct open_how of %d bytes: %v, the kernel says %v", size, taken, errno)
			}
			return
		}
		// What is told here before EINVAL: ENOSYS of O_PATH, EAGAIN of RESOLVE_CACHED.
		if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EAGAIN) || both {
			return
		}
		const nonotify = 0x4000000 // __FMODE_NONOTIFY, which the kernel takes off
		if flags&nonotify == 0 && (errno == unix.EINVAL) != (errors.Is(err, unix.EINVAL)) {
			t.Errorf("openat2 with %#x, %#o, %#x: %v, the kernel says %v", flags, mode, resolve, err, errno)
		}
	})
}
