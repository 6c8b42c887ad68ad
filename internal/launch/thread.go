package launch

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onOwnThread runs f on an OS thread that runs nothing else before it ends,
// and returns its error. What f changes for its thread ends with the thread.
func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			// Never unlocked: the thread ends with this goroutine.
			done <- f()
			return
		}
		// This is the main thread, which Go would park for good instead
		// (runtime/proc.go, mexit), and which stands for the process in
		// many places of /proc. While we hold it, f gets another.
		done <- onOwnThread(f)
		runtime.UnlockOSThread()
	}()
	return <-done
}
