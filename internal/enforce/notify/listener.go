// Package notify speaks with the listener of a seccomp filter (seccomp_unotify(2)):
// it receives notifications of calls and answers them.
//
// It copies what the kernel says and decides nothing. The memory that the arguments of
// a call point to belongs to the target, and is for others to read, once.
package notify

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Listener is the descriptor of a filter with SECCOMP_RET_USER_NOTIF. Its methods may be
// called from several threads at a time. They expect that the calling goroutine is
// locked to a thread on which all signals are blocked: a signal within
// [Listener.AddAndReturn] leaves the target with an answer and without a descriptor.
type Listener struct {
	fd int
	// Killable says that a call which was received waits for its answer until the
	// target is killed. Before Linux 5.19 a signal takes it back, and it is made
	// again.
	Killable bool
	addSends bool
}

// Close lets all calls that wait for an answer, and all that come, fail with ENOSYS.
func (l *Listener) Close() error { return unix.Close(l.fd) }

// Notification is a call that waits for an answer: struct seccomp_notif.
type Notification struct {
	ID    uint64
	TID   uint32 // in the pid namespace of the caller, 0 if it has none there
	flags uint32
	Nr    int32
	Arch  uint32 // AUDIT_ARCH_*
	IP    uint64
	Args  [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

// addFD is struct seccomp_notif_addfd.
type addFD struct {
	id                              uint64
	flags, srcFD, newFD, newFDFlags uint32
}

// The requests that golang.org/x/sys/unix has no names for, from
// include/uapi/linux/seccomp.h.
const (
	ioctlAddFD    = 0x40182103
	ioctlSetFlags = 0x40082104
)

// ErrGone says that a call does not wait any more: its thread has ended, or a signal has
// taken the call back.
var ErrGone = errors.New("the call does not wait for an answer any more")

// ErrEnded says that the last process with the filter has ended.
var ErrEnded = errors.New("no process has the filter any more")

// Receive waits for the next notification.
func (l *Listener) Receive(n *Notification) error {
	for {
		*n = Notification{} // the kernel wants zeros
		switch _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(l.fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(n))); errno {
		case 0:
			return nil
		case unix.EINTR:
		case unix.ENOENT:
			// The call was taken back, or, since Linux 6.11, the last process
			// with the filter has ended.
			if l.ended() {
				return ErrEnded
			}
		default:
			return fmt.Errorf("receiving a notification: %w", errno)
		}
	}
}

// Pending says whether another call waits to be received.
func (l *Listener) Pending() bool {
	polled := unix.PollFd{Fd: int32(l.fd), Events: unix.POLLIN}
	n, _, _ := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&polled)), 1, uintptr(unsafe.Pointer(&unix.Timespec{})), 0, 0, 0)
	return n == 1 && polled.Revents&unix.POLLIN != 0
}

func (l *Listener) ended() bool {
	polled := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}
	_, err := unix.Poll(polled, 0)
	return err == nil && polled[0].Revents&unix.POLLHUP != 0
}

// Valid reports whether a call still waits. Whatever was opened below /proc for its
// thread before belongs to that thread then.
func (l *Listener) Valid(id uint64) bool {
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(l.fd), unix.SECCOMP_IOCTL_NOTIF_ID_VALID, uintptr(unsafe.Pointer(&id)))
		if errno != unix.EINTR { // of a thread that takes signals
			return errno == 0
		}
	}
}

// Return lets a call return a value without being made.
func (l *Listener) Return(id uint64, value int64) error {
	return l.send(&response{id: id, val: value})
}

// Fail lets a call fail without being made.
func (l *Listener) Fail(id uint64, errno unix.Errno) error {
	return l.send(&response{id: id, errno: -int32(errno)})
}

// Continue lets the kernel make the call. It reads the arguments again, which the target
// may have changed.
func (l *Listener) Continue(id uint64) error {
	return l.send(&response{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
}

func (l *Listener) send(r *response) error {
	for {
		switch _, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(l.fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(r))); errno {
		case 0:
			return nil
		case unix.EINTR:
		case unix.ENOENT:
			return ErrGone
		default:
			return fmt.Errorf("answering a notification: %w", errno)
		}
	}
}

// AddAndReturn gives the target a copy of a descriptor and lets its call return the number
// of that. An error of the target's limits is EMFILE.
func (l *Listener) AddAndReturn(id uint64, fd int, closeOnExec bool) error {
	if l.addSends {
		_, err := l.add(id, fd, closeOnExec, unix.SECCOMP_ADDFD_FLAG_SEND)
		return err
	}
	number, err := l.Add(id, fd, closeOnExec) // before Linux 5.14
	if err != nil {
		return err
	}
	return l.Return(id, int64(number))
}

// Add gives the target a copy of a descriptor. Its call waits on.
func (l *Listener) Add(id uint64, fd int, closeOnExec bool) (number int, err error) {
	return l.add(id, fd, closeOnExec, 0)
}

func (l *Listener) add(id uint64, fd int, closeOnExec bool, flags uint32) (number int, err error) {
	a := addFD{id: id, flags: flags, srcFD: uint32(fd)}
	if closeOnExec {
		a.newFDFlags = unix.O_CLOEXEC
	}
	n, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(l.fd), ioctlAddFD, uintptr(unsafe.Pointer(&a)))
	switch errno {
	case 0:
		return int(n), nil
	case unix.ENOENT:
		return 0, ErrGone
	default:
		return 0, fmt.Errorf("giving a descriptor to the target: %w", errno)
	}
}
