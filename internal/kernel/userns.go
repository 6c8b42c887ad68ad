package kernel

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// userNamespaceAnswer starts a child in a new user namespace, which is to execute
// a file of no name and so ends at once. ENOENT says that it came that far. On
// its way it calls chroot(2), because Ubuntu's AppArmor lets anybody
// create a namespace but no capability be used in it.
func userNamespaceAnswer(*session) answer {
	err := childInUserNamespace("")
	if is(err, unix.ENOENT) {
		if err = childInUserNamespace("/"); is(err, unix.ENOENT) {
			return present("")
		}
		return userNamespaceForbidden("created, but without capabilities", err)
	}
	switch {
	case is(err, unix.EINVAL):
		return lacking("the kernel has no user namespaces (EINVAL)")
	case is(err, unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EUSERS):
		return userNamespaceForbidden("creating one is refused", err)
	default:
		return unknown("starting a child in a new user namespace: "+named(err), "")
	}
}

func childInUserNamespace(root string) error {
	_, err := syscall.ForkExec("", []string{""}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: unix.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: unix.Getegid(), Size: 1}},
		Chroot:      root,
	}})
	return err
}

// userNamespaceForbidden looks for the setting behind a refusal
// (user_namespaces(7); the first is Debian's, the last Ubuntu's).
func userNamespaceForbidden(what string, err error) answer {
	for _, setting := range []struct{ name, off, on string }{
		{"kernel.unprivileged_userns_clone", "0", "1"},
		{"user.max_user_namespaces", "0", "15000"},
		{"kernel.apparmor_restrict_unprivileged_userns", "1", "0"},
	} {
		value, readErr := sysctl(setting.name)
		if readErr == nil && value == setting.off {
			return forbidden(what+": "+setting.name+" is "+value+" ("+named(err)+")",
				"sudo sysctl "+setting.name+"="+setting.on)
		}
	}
	return forbidden(what+" ("+named(err)+"): by a seccomp filter, a security module, a limit or a chroot", "")
}
