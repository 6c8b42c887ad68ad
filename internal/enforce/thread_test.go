package enforce

import (
	"runtime"
	"unsafe"
)

// lockForGood makes the thread end with the goroutine.
func lockForGood() { runtime.LockOSThread() }

func addressOfBytes(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }
