package event

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Errno is the error number of a call, 0 for success.
type Errno uint16

// Results that the kernel uses inside and that a tracer sees before the signal
// code turns them into EINTR or a restart (include/linux/errno.h).
var restartNames = map[Errno]string{
	512: "ERESTARTSYS",
	513: "ERESTARTNOINTR",
	514: "ERESTARTNOHAND",
	515: "ENOIOCTLCMD",
	516: "ERESTART_RESTARTBLOCK",
	517: "EPROBE_DEFER",
	524: "ENOTSUPP",
	530: "EIOCBRETRY",
}

// String is the symbol of errno(3), or "errno N".
func (e Errno) String() string {
	if n := unix.ErrnoName(unix.Errno(e)); n != "" {
		return n
	}
	if n, ok := restartNames[e]; ok {
		return n
	}
	return "errno " + strconv.Itoa(int(e))
}
