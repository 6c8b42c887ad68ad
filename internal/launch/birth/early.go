//go:build (amd64 || arm64) && !cgo && go1.26 && !go1.27

package birth

import (
	"syscall"
	_ "unsafe" // for go:linkname

	"golang.org/x/sys/unix"
)

// mmapHook is the pointer that runtime.mmap calls through when it is not nil.
// The assembly in this package gives it its first value, hook. The type is
// uintptr, not a pointer, so that writing it needs no write barrier.
//
//go:linkname mmapHook _cgo_mmap
var mmapHook uintptr

// hook turns the C calling convention, in which the runtime calls mmapHook,
// into a call of firstMmap.
func hook()

// Only assembly calls these.
var _, _ = hook, firstMmap

// firstMmap looks around, takes the hook out, so that the runtime makes its
// further calls itself, and does the mmap(2) that was asked for. As in C the
// result is an address or, below 4096, an errno.
//
//go:nosplit
func firstMmap(addr, length, prot, flags, fd, offset uintptr) uintptr {
	mmapHook = 0
	early = true
	look()
	r, _, errno := syscall.RawSyscall6(unix.SYS_MMAP, addr, length, prot, flags, fd, offset)
	if errno != 0 {
		return uintptr(errno)
	}
	return r
}
