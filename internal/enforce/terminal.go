package enforce

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/procstat"
)

// openTerminal opens /dev/tty, which is the controlling terminal of whoever opens it. If
// the target has another one than this process, that is opened by its own name.
func (c *call) openTerminal(r openRequest) (opened, error) {
	theirs, err := procstat.Read("/proc/" + strconv.Itoa(c.tid()) + "/stat")
	if err != nil {
		return opened{}, unix.ENXIO
	}
	ours, err := procstat.Read("/proc/self/stat")
	if err != nil || theirs.TTY == 0 {
		return opened{}, unix.ENXIO
	}
	name := "/dev/tty"
	if theirs.Session != ours.Session || theirs.TTY != ours.TTY {
		name = terminalName(theirs.TTY)
	}
	flags := int(r.flags&^(unix.O_CREAT|unix.O_EXCL)) | unix.O_NOCTTY | unix.O_CLOEXEC
	n, err := unix.Open(name, flags, 0)
	if err != nil {
		return opened{}, err
	}
	var stat unix.Stat_t
	if name != "/dev/tty" && (unix.Fstat(n, &stat) != nil || stat.Rdev != deviceOf(theirs.TTY)) {
		_ = unix.Close(n)
		return opened{}, unix.ENXIO
	}
	return opened{n, true}, nil
}

// deviceOf turns tty_nr of proc_pid_stat(5) into a device: new_encode_dev,
// include/linux/kdev_t.h.
func deviceOf(tty uint32) uint64 {
	return unix.Mkdev(tty>>8&0xfff, tty&0xff|tty>>12&0xfff00)
}

// terminalName is the name of a terminal (Documentation/admin-guide/devices.txt).
func terminalName(tty uint32) string {
	device := deviceOf(tty)
	const consoles, firstPTS, lastPTS, perMajor = 4, 136, 143, 1 << 8
	switch major, minor := unix.Major(device), unix.Minor(device); {
	case major >= firstPTS && major <= lastPTS:
		return fmt.Sprint("/dev/pts/", (major-firstPTS)*perMajor+minor)
	case major == consoles && minor < 64:
		return fmt.Sprint("/dev/tty", minor)
	case major == consoles:
		return fmt.Sprint("/dev/ttyS", minor-64)
	default:
		return fmt.Sprintf("/dev/char/%d:%d", major, minor)
	}
}
