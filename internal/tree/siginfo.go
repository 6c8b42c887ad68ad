package tree

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// siPID is si_pid, which follows three ints and, where pointers have 8 bytes, 4 bytes of
// padding (include/uapi/asm-generic/siginfo.h).
func siPID(info *unix.Siginfo) *int32 {
	const offset = 16
	return (*int32)(unsafe.Add(unsafe.Pointer(info), offset))
}
