package birth

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Signals are numbered from 1 to 64, and their sets have 8 bytes, on every
// architecture that this package is built for (signal(7)).
const (
	signals = 64
	setSize = signals / 8
)

// What look saw.
var (
	looked  bool
	early   bool
	blocked uint64
	// A struct kernel_sigaction: handler, flags, restorer, mask
	// (include/linux/signal_types.h).
	actions [signals + 1][4]uintptr
	closed  [3]bool
)

// look asks the kernel for everything that the package answers. It runs before
// the runtime has a heap, on a stack that does not grow: nothing here may
// allocate or be preempted. What cannot be asked stays zero: SIG_DFL, not
// blocked, open.
//
//go:nosplit
func look() {
	looked = true
	_, _, _ = syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, 0,
		uintptr(unsafe.Pointer(&blocked)), setSize, 0, 0)
	for n := range actions {
		_, _, _ = syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(n), 0,
			uintptr(unsafe.Pointer(&actions[n])), setSize, 0, 0)
	}
	for fd := range closed {
		_, _, errno := syscall.RawSyscall6(unix.SYS_FCNTL, uintptr(fd), unix.F_GETFD, 0, 0, 0, 0)
		closed[fd] = errno == syscall.EBADF
	}
}

// Where nothing of ours ran before the runtime, look late: that still has the
// truth about SIGHUP, SIGINT and the job control signals.
func init() {
	if !looked {
		look()
	}
}

// Early reports whether the answers date from before the Go runtime. They do
// in a build for amd64 or arm64 without cgo, by a version of Go that the hook
// is known to work with. Elsewhere they are what the runtime left.
func Early() bool { return early }

// Ignored reports whether the process was started with sig ignored.
func Ignored(sig syscall.Signal) bool {
	const sigIgn = 1 // SIG_IGN, include/uapi/asm-generic/signal-defs.h
	return 0 < sig && sig <= signals && actions[sig][0] == sigIgn
}

// Blocked is the set of signals that the process was started with as its
// mask. Signal n is bit n-1.
func Blocked() uint64 { return blocked }

// Closed reports whether the process was started with the standard descriptor
// fd closed.
func Closed(fd int) bool {
	return 0 <= fd && fd < len(closed) && closed[fd]
}
