package kernel

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listenerFacts are the errnos that a listener of a dying thread gave.
type listenerFacts struct {
	install unix.Errno
	// The rest is asked only if install is 0.
	send, addFD, addFDSend, setFlags unix.Errno
}

// tryListener gathers the facts on a thread that ends at once.
func tryListener() (facts listenerFacts) {
	onDyingThread(func() { facts = tryListenerHere() })
	return facts
}

// tryListenerHere installs a filter with a listener on the calling thread. The
// filter allows every call, so nothing is ever notified and the thread
// goes on as before.
func tryListenerHere() (facts listenerFacts) {
	var fd uintptr
	if fd, facts.install = installListener(); facts.install == 0 {
		defer closeProbe(int(fd))
		facts.ask(fd)
	}
	return facts
}

func installListener() (fd uintptr, errno unix.Errno) {
	// For this thread only. Without CAP_SYS_ADMIN the kernel takes no filter
	// from a thread that could still gain privileges.
	if _, _, errno := unix.Syscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		return 0, errno
	}
	allow := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
	filter := unix.SockFprog{Len: 1, Filter: &allow}
	fd, _, errno = unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&filter)))
	return fd, errno
}

// The requests that golang.org/x/sys/unix has no names for, from
// include/uapi/linux/seccomp.h.
const (
	ioctlNotifAddFD    = 0x40182103
	ioctlNotifSetFlags = 0x40082104
)

// ask sends requests about notification 0, which does not exist: the kernel says
// ENOENT after it has found everything else in order, and EINVAL if it does not
// know a request or a flag (kernel/seccomp.c).
func (facts *listenerFacts) ask(listener uintptr) {
	ioctl := func(request, arg uintptr) unix.Errno {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, listener, request, arg)
		return errno
	}
	type notifResponse struct {
		id    uint64
		val   int64
		errno int32
		flags uint32
	}
	response := notifResponse{flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	facts.send = ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&response)))

	type notifAddFD struct {
		id                              uint64
		flags, srcFD, newFD, newFDFlags uint32
	}
	add := notifAddFD{srcFD: uint32(listener)}
	facts.addFD = ioctl(ioctlNotifAddFD, uintptr(unsafe.Pointer(&add)))
	add.flags = unix.SECCOMP_ADDFD_FLAG_SEND
	facts.addFDSend = ioctl(ioctlNotifAddFD, uintptr(unsafe.Pointer(&add)))

	facts.setFlags = ioctl(ioctlNotifSetFlags, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
}

func (facts listenerFacts) continued() answer { return seccompAnswer(facts.send, unix.ENOENT) }
func (facts listenerFacts) addedFD() answer   { return seccompAnswer(facts.addFD, unix.ENOENT) }
func (facts listenerFacts) sentFD() answer    { return seccompAnswer(facts.addFDSend, unix.ENOENT) }
func (facts listenerFacts) wokeUp() answer    { return seccompAnswer(facts.setFlags, 0) }

func (facts listenerFacts) installed() answer {
	if facts.install == unix.EBUSY {
		return forbidden("a supervisor listens to this process already, and a second one is not allowed (EBUSY)",
			"run it outside of that sandbox")
	}
	return seccompAnswer(facts.install, 0)
}

// listenerAnswer gives what judge makes of the facts, or why there are none.
func (s *session) listenerAnswer(judge func(listenerFacts) answer) answer {
	facts := s.listener()
	if facts.install != 0 {
		a := facts.installed()
		a.Reason = fmt.Sprintf("no listener to ask: %s", a.Reason)
		return a
	}
	return judge(facts)
}
