package tree

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// pidOf is si_pid of a child, which follows three ints and, where pointers have 8 bytes, 4
// bytes of padding (include/uapi/asm-generic/siginfo.h).
func pidOf(info *unix.Siginfo) int {
	const offset = 16
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), offset)))
}
