package kernel

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Seccomp filters and what hangs on a listener.
const (
	SeccompFilter     ID = "seccomp.filter"
	SeccompUserNotif  ID = "seccomp.user_notif"
	SeccompListener   ID = "seccomp.listener"
	SeccompContinue   ID = "seccomp.continue"
	SeccompAddFD      ID = "seccomp.addfd"
	SeccompAddFDSend  ID = "seccomp.addfd_send"
	SeccompTsyncESRCH ID = "seccomp.tsync_esrch"
	SeccompKillable   ID = "seccomp.wait_killable"
	SeccompSyncWakeUp ID = "seccomp.sync_wake_up"
)

const seccompConfig = "CONFIG_SECCOMP_FILTER"

var seccompFeatures = []entry{
	{Feature{
		ID: SeccompFilter, Name: "seccomp filters", Since: "3.17", Config: seccompConfig, Needs: required(Enforce),
		Without: "No call can be stopped.",
	}, func(*session) answer { return filterFlagAnswer(0) }},
	{Feature{
		ID: SeccompUserNotif, Name: "seccomp user notification", Since: "5.0", Config: seccompConfig, Needs: required(Enforce),
		Without: "No call can be judged by a program.",
	}, userNotifAnswer},
	{Feature{
		ID: SeccompListener, Name: "seccomp listener for this process", Since: "5.0", Config: seccompConfig, Needs: required(Enforce),
		Without: "No call can be judged by a program.",
	}, func(s *session) answer { return s.listener().installed() }},
	{Feature{
		ID: SeccompContinue, Name: "seccomp CONTINUE", Since: "5.5", Config: seccompConfig, Needs: required(Enforce),
		Without: "Every notified call would have to be performed by the supervisor, exec among them, which cannot be.",
	}, func(s *session) answer { return s.listenerAnswer(listenerFacts.continued) }},
	{Feature{
		ID: SeccompAddFD, Name: "seccomp ADDFD", Since: "5.9", Config: seccompConfig, Needs: required(Enforce),
		Without: "An open cannot be performed for the target, only let through, and that is a race which the target can win.",
	}, func(s *session) answer { return s.listenerAnswer(listenerFacts.addedFD) }},
	{Feature{
		ID: SeccompAddFDSend, Name: "seccomp ADDFD with SEND", Since: "5.14", Config: seccompConfig, Needs: optional(Enforce),
		Without: "An open takes one more call, and a descriptor may stay in a target that was interrupted between the two.",
	}, func(s *session) answer { return s.listenerAnswer(listenerFacts.sentFD) }},
	{Feature{
		ID: SeccompTsyncESRCH, Name: "seccomp TSYNC_ESRCH", Since: "5.7", Config: seccompConfig,
		Without: "Nothing that Turnstile needs: it starts its targets with one thread.",
	}, func(*session) answer {
		return filterFlagAnswer(unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
	}},
	{Feature{
		ID: SeccompKillable, Name: "seccomp WAIT_KILLABLE_RECV", Since: "5.19", Config: seccompConfig, Needs: optional(Enforce),
		Without: "A signal to the target takes back a call that is being judged; it is then judged again.",
	}, func(*session) answer {
		return filterFlagAnswer(unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
	}},
	{Feature{
		ID: SeccompSyncWakeUp, Name: "seccomp SYNC_WAKE_UP", Since: "6.6", Config: seccompConfig, Needs: optional(Enforce),
		Without: "A judged call takes a little longer.",
	}, func(s *session) answer { return s.listenerAnswer(listenerFacts.wokeUp) }},
}

// filterFlagAnswer asks for a filter with flags at address 0. The kernel looks
// at the flags first: EFAULT means that it knows them all (seccomp(2)).
func filterFlagAnswer(flags uintptr) answer {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, 0)
	return seccompAnswer(errno, unix.EFAULT)
}

// seccompAnswer judges a seccomp(2) call that ends with known if the kernel
// knows what was asked for.
func seccompAnswer(errno, known unix.Errno) answer {
	switch errno {
	case known:
		return present("")
	case unix.EINVAL:
		return lacking("the kernel does not know it (EINVAL)")
	case unix.EOPNOTSUPP:
		return lacking("the kernel does not know it (EOPNOTSUPP)")
	case unix.ENOSYS:
		return lacking("the kernel has no seccomp(2) (ENOSYS)")
	case unix.EPERM, unix.EACCES:
		return forbidden(fmt.Sprintf("seccomp(2) answers %s: a filter around this process forbids it", named(errno)),
			"run it outside of that sandbox, or let the sandbox's profile allow seccomp(2)")
	default:
		return unknown("seccomp(2) answers "+named(errno), "")
	}
}

// userNotifAnswer asks whether the action exists and how large its messages
// are, which a newer kernel may extend.
func userNotifAnswer(*session) answer {
	action := uint32(unix.SECCOMP_RET_USER_NOTIF)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return seccompAnswer(errno, 0)
	}
	var sizes struct{ notification, response, data uint16 }
	_, _, errno = unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_NOTIF_SIZES, 0, uintptr(unsafe.Pointer(&sizes)))
	a := seccompAnswer(errno, 0)
	if a.State == Present {
		a.Detail = fmt.Sprintf("notification %d bytes, response %d", sizes.notification, sizes.response)
	}
	return a
}
