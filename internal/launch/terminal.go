package launch

import "golang.org/x/sys/unix"

// ownsTerminal reports whether our process group is the foreground group of
// our controlling terminal, so that what is typed there goes to the target
// without our help. Opening /dev/tty fails where there is no such terminal
// (tty(4)).
func ownsTerminal() bool {
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(tty) }()
	group, err := unix.IoctlGetUint32(tty, unix.TIOCGPGRP)
	return err == nil && int(group) == unix.Getpgrp()
}
