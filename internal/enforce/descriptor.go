package enforce

import (
	"golang.org/x/sys/unix"
)

// descriptor is a copy of a descriptor of the target: the same open file.
func (c *call) descriptor(number int32) (fd int, err error) {
	c.asTracer(func() { fd, err = c.copyDescriptor(number) })
	return fd, err
}

func (c *call) copyDescriptor(number int32) (int, error) {
	if number < 0 {
		return -1, unix.EBADF
	}
	pid, err := unix.PidfdOpen(c.tid(), unix.PIDFD_THREAD)
	if err != nil { // before Linux 6.9, for a thread that is not the first
		pid, err = unix.PidfdOpen(c.tgid(), 0)
	}
	if err != nil {
		return -1, unix.EACCES
	}
	defer func() { _ = unix.Close(pid) }()
	fd, err := unix.PidfdGetfd(pid, int(number), 0)
	if err == unix.EBADF {
		return -1, err
	}
	if err != nil {
		return -1, unix.EACCES
	}
	if !c.listener.Valid(c.notification.ID) {
		_ = unix.Close(fd)
		return -1, unix.EACCES
	}
	return fd, nil
}
