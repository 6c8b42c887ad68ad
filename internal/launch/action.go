package launch

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// action is a struct kernel_sigaction: handler, flags, restorer, mask
// (include/linux/signal_types.h).
type action [4]uintptr

// The actions without a handler (include/uapi/asm-generic/signal-defs.h).
var (
	byDefault = action{0} // SIG_DFL
	ignore    = action{1} // SIG_IGN
)

// setAction changes what the kernel does on sig, past the Go runtime, which
// has no way back to the default for the signals that it handles, and gives
// what it did before. SIGKILL refuses, being always at its default; nothing
// else can go wrong.
func setAction(sig syscall.Signal, next action) (before action) {
	const setSize = 8 // of a set of signals, in bytes
	_, _, _ = syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(&next)), uintptr(unsafe.Pointer(&before)), setSize, 0, 0)
	return before
}

// suffer has sig do to this process what it does by default, if wanted says so
// once the signal is pending, and returns if the process goes on after that.
//
// Asking so late is for signals that stop: a SIGCONT takes back those that are
// pending (signal(7)). One that comes while wanted looks around therefore
// undoes this stop, as it has undone what wanted looks for.
//
// The signal goes to the calling thread, which gets it no later than at the end
// of the system call that unblocks it; one sent to the process could end up in
// any thread at any time.
func suffer(sig syscall.Signal, wanted func() bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	before := setAction(sig, byDefault)
	defer func() { setAction(sig, before) }()

	var only, mask unix.Sigset_t
	only.Val[(sig-1)/64] = 1 << ((sig - 1) % 64)
	_ = unix.PthreadSigmask(unix.SIG_BLOCK, &only, &mask)
	defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &mask, nil) }()

	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
	if !wanted() {
		setAction(sig, ignore) // which forgets it (sigaction(2))
	}
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &only, nil)
}

// always wants it.
func always() bool { return true }
