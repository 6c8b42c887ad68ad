package notify

import (
	"fmt"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Install puts a filter with a listener around the calling thread, and with it around
// all that this thread will fork. The thread gives up gaining privileges by execve(2).
//
// The descriptor of the listener is close-on-exec, and what the thread forks does not
// need it: nothing has to be handed over.
func Install(program []bpf.RawInstruction) (*Listener, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("giving up privileges: %w", err)
	}
	l := &Listener{Killable: true}
	var errno unix.Errno
	l.fd, errno = load(program, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
	if errno == unix.EINVAL { // before Linux 5.19
		l.Killable = false
		l.fd, errno = load(program, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
	}
	switch errno {
	case 0:
	case unix.EBUSY:
		return nil, fmt.Errorf("installing the seccomp filter: another supervisor listens to this process already, and a second one is not allowed: %w", errno)
	default:
		return nil, fmt.Errorf("installing the seccomp filter: %w", errno)
	}
	l.wakeSoon()
	l.addSends = l.knowsAddAndSend()
	return l, nil
}

func load(program []bpf.RawInstruction, flags uintptr) (int, unix.Errno) {
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0]))}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&filter)))
	return int(fd), errno
}

// wakeSoon lets the kernel run who receives on the CPU of the target, which is about to
// sleep (SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6). Without it calls take longer.
func (l *Listener) wakeSoon() {
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(l.fd), ioctlSetFlags, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
}

// knowsAddAndSend asks about a notification that does not exist: ENOENT comes after the
// flags were found in order (kernel/seccomp.c).
func (l *Listener) knowsAddAndSend() bool {
	a := addFD{flags: unix.SECCOMP_ADDFD_FLAG_SEND, srcFD: uint32(l.fd)}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(l.fd), ioctlAddFD, uintptr(unsafe.Pointer(&a)))
	return errno == unix.ENOENT
}
