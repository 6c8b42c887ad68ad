package seccomp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Action is what a filter answers: SECCOMP_RET_* and its data, as in
// include/uapi/linux/seccomp.h.
type Action uint32

// The actions. An errno has one of its own: see [Errno].
const (
	Allow       Action = unix.SECCOMP_RET_ALLOW
	Log         Action = unix.SECCOMP_RET_LOG
	Notify      Action = unix.SECCOMP_RET_USER_NOTIF
	Trap        Action = unix.SECCOMP_RET_TRAP
	KillThread  Action = unix.SECCOMP_RET_KILL_THREAD
	KillProcess Action = unix.SECCOMP_RET_KILL_PROCESS
)

// Errno is the action that makes a call fail without being made.
func Errno(errno unix.Errno) Action {
	return unix.SECCOMP_RET_ERRNO | Action(errno)&unix.SECCOMP_RET_DATA
}

func (a Action) String() string {
	switch a {
	case Allow:
		return "allow"
	case Log:
		return "log"
	case Notify:
		return "notify"
	case Trap:
		return "trap"
	case KillThread:
		return "kill thread"
	case KillProcess:
		return "kill process"
	}
	if a&unix.SECCOMP_RET_ACTION_FULL == unix.SECCOMP_RET_ERRNO {
		return "errno " + unix.ErrnoName(unix.Errno(a&unix.SECCOMP_RET_DATA))
	}
	return fmt.Sprintf("action %#x", uint32(a))
}
