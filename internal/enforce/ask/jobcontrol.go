package ask

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// unstoppable keeps this process from being stopped for what this goroutine does
// with a terminal while the process is in the background. Changes go through then,
// and reads fail with EIO (termios(3), tty_ioctl(4)).
func unstoppable() (undo func()) {
	runtime.LockOSThread()
	var stops, before unix.Sigset_t
	stops.Val[0] = 1<<(unix.SIGTTIN-1) | 1<<(unix.SIGTTOU-1)
	_ = unix.PthreadSigmask(unix.SIG_BLOCK, &stops, &before) // fails for nothing but wrong arguments
	return func() {
		_ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
		runtime.UnlockOSThread()
	}
}
