package event

import (
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Errno is the error number of a call, 0 for success.
type Errno uint16

// Results that the kernel uses inside. A tracer sees the first before the signal code
// turns them into EINTR or a restart; others escape now and then (include/linux/errno.h).
var insideNames = map[Errno]string{
	512: "ERESTARTSYS",
	513: "ERESTARTNOINTR",
	514: "ERESTARTNOHAND",
	515: "ENOIOCTLCMD",
	516: "ERESTART_RESTARTBLOCK",
	517: "EPROBE_DEFER",
	518: "EOPENSTALE",
	519: "ENOPARAM",
	521: "EBADHANDLE",
	522: "ENOTSYNC",
	523: "EBADCOOKIE",
	524: "ENOTSUPP",
	525: "ETOOSMALL",
	526: "ESERVERFAULT",
	527: "EBADTYPE",
	528: "EJUKEBOX",
	529: "EIOCBQUEUED",
	530: "ERECALLCONFLICT",
}

// String is the symbol of errno(3), or "errno N". Of two, it is the one that the kernel and
// strace(1) have.
func (e Errno) String() string {
	if e == Errno(unix.EOPNOTSUPP) {
		return "EOPNOTSUPP" // to package unix it is ENOTSUP
	}
	if n := unix.ErrnoName(unix.Errno(e)); n != "" {
		return n
	}
	if n, ok := insideNames[e]; ok {
		return n
	}
	return "errno " + strconv.Itoa(int(e))
}

var results = sync.OnceValue(func() map[string]Errno {
	const maxErrno = 133 // EHWPOISON (include/uapi/asm-generic/errno.h)
	byName := make(map[string]Errno)
	for e := Errno(1); e <= maxErrno; e++ {
		if unix.ErrnoName(unix.Errno(e)) != "" { // 41 and 58 are none
			byName[e.String()] = e
		}
	}
	// The second names (errno(3)).
	byName["EWOULDBLOCK"], byName["EDEADLOCK"], byName["ENOTSUP"] = byName["EAGAIN"], byName["EDEADLK"], byName["EOPNOTSUPP"]
	for e, name := range insideNames {
		byName[name] = e
	}
	return byName
})

// ResultNamed is the error of a name that [Errno.String] gives or errno(3) has, 0 if there
// is none.
func ResultNamed(name string) Errno { return results()[name] }

// ErrnoNamed is the error of a name of errno(3), 0 if there is none.
func ErrnoNamed(name string) unix.Errno {
	e := ResultNamed(name)
	if _, inside := insideNames[e]; inside {
		return 0
	}
	return unix.Errno(e)
}
