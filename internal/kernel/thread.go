package kernel

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// onDyingThread runs f on an OS thread of its own, which ends with f and takes
// along whatever f did to itself: a seccomp filter, no_new_privs, dropped
// capabilities. It returns when the thread is gone.
//
// The runtime ends a thread whose goroutine returns while locked to it, except
// for the main thread, which it parks for ever. So the main thread is
// never used: a filter there would stay, and /proc/PID/status shows the main
// thread for the process. Threads that the runtime starts meanwhile
// come from a template thread, not from a locked one, so they inherit nothing.
//
// A child that an unlocked goroutine started with Pdeathsig gets its signal if
// the runtime picks the starter's thread here: probe before starting one.
func onDyingThread(f func()) {
	tid := make(chan int)
	var run func()
	run = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// Holding the main thread keeps the next goroutine off it.
			defer runtime.UnlockOSThread()
			moved := make(chan struct{})
			go func() {
				defer close(moved)
				run()
			}()
			<-moved
			return
		}
		f()
		tid <- unix.Gettid()
	}
	go run()
	waitForEnd(<-tid)
}

// waitForEnd polls, because nothing announces the end of a thread. It gives up
// after a time that only a stopped machine could need.
func waitForEnd(tid int) {
	for range 1000 {
		if unix.Tgkill(unix.Getpid(), tid, 0) == unix.ESRCH {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}
