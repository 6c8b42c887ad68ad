package event

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// SignalName is the name of a signal, such as SIGTERM. Real-time signals are
// counted from the first one of the kernel, as strace does: SIGRT_2 is the one that
// glibc calls SIGRTMIN (signal(7)).
func SignalName(s syscall.Signal) string {
	const rtMin = 32 // SIGRTMIN, include/uapi/asm-generic/signal.h
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return "SIGRT_" + strconv.Itoa(int(s)-rtMin)
}
