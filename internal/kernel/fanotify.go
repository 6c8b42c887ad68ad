package kernel

import (
	"golang.org/x/sys/unix"
)

// File system events of fanotify(7).
const (
	FanotifyPrivileged   ID = "fanotify.privileged"
	FanotifyUnprivileged ID = "fanotify.unprivileged"
	FanotifyPidfd        ID = "fanotify.pidfd"
	FanotifyPermission   ID = "fanotify.permission"
)

const fanotifyConfig = "CONFIG_FANOTIFY"

var fanotifyFeatures = []entry{
	{Feature{
		ID: FanotifyPrivileged, Name: "fanotify", Since: "2.6.37", Config: fanotifyConfig, Needs: required(Watch),
		Without: "A file system cannot be watched.",
	}, func(s *session) answer { return s.fanotifyAnswer(unix.FAN_CLASS_NOTIF) }},
	{Feature{
		ID: FanotifyUnprivileged, Name: "fanotify without privilege", Since: "5.13", Config: fanotifyConfig,
		Without: "Nothing that Turnstile needs: such a group is not told which process it was.",
	}, (*session).fanotifyUnprivilegedAnswer},
	{Feature{
		ID: FanotifyPidfd, Name: "fanotify with pidfds", Since: "5.15", Config: fanotifyConfig, Needs: optional(Watch),
		Without: "A process that ended early may be taken for the next one with its number.",
	}, func(s *session) answer { return s.fanotifyAnswer(unix.FAN_CLASS_NOTIF | unix.FAN_REPORT_PIDFD) }},
	{Feature{
		ID: FanotifyPermission, Name: "fanotify permission events", Since: "2.6.37", Config: "CONFIG_FANOTIFY_ACCESS_PERMISSIONS", Needs: optional(Watch),
		Without: "Accesses can be reported but not held.",
	}, (*session).fanotifyPermissionAnswer},
}

// fanotifyAnswer opens a group and marks nothing.
func (s *session) fanotifyAnswer(flags uint) answer {
	fd, err := unix.FanotifyInit(flags|unix.FAN_CLOEXEC, unix.O_RDONLY)
	if err == nil {
		_ = unix.Close(fd)
	}
	return s.judgeFanotify(err)
}

func (s *session) judgeFanotify(err error) answer {
	switch {
	case err == nil:
		return present("")
	case is(err, unix.ENOSYS):
		return lacking("the kernel has no fanotify (ENOSYS)")
	case is(err, unix.EINVAL):
		return lacking("the kernel does not know it (EINVAL)")
	case is(err, unix.EPERM):
		return s.refused(err, CapSysAdmin)
	default:
		// EMFILE: the user has as many groups as allowed.
		return unknown("fanotify_init(2) answers "+named(err), "")
	}
}

// fanotifyUnprivilegedAnswer asks as anybody would, without CAP_SYS_ADMIN
// (7cea2a3c505e, "fanotify: support limited functionality for unprivileged users").
func (s *session) fanotifyUnprivilegedAnswer() answer {
	var a answer
	onDyingThread(func() {
		if err := s.capabilities.setEffective(s.capabilities.Effective.without(CapSysAdmin)); err != nil {
			a = unknown("dropping CAP_SYS_ADMIN: "+named(err), "")
			return
		}
		a = s.fanotifyAnswer(unix.FAN_CLASS_NOTIF | unix.FAN_REPORT_FID)
	})
	switch {
	case a.State != Missing || a.Cause == CauseKernel:
		return a
	case s.olderThan("5.13"):
		return lacking("the kernel asks for CAP_SYS_ADMIN (EPERM)")
	default:
		return forbidden("fanotify_init(2) answers EPERM: a seccomp filter or a security module forbids it", "")
	}
}

// fanotifyPermissionAnswer marks a directory that cannot be: the kernel looks
// at the events before the descriptor, with EINVAL for those that it was not
// built for and EBADF otherwise (do_fanotify_mark in
// fs/notify/fanotify/fanotify_user.c).
func (s *session) fanotifyPermissionAnswer() answer {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY)
	if err != nil {
		return s.judgeFanotify(err)
	}
	defer closeProbe(fd)
	err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_PERM, -1, "")
	if is(err, unix.EBADF) {
		return present("")
	}
	return s.judgeFanotify(err)
}
