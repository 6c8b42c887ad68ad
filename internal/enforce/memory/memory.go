// Package memory copies the memory of the target, once: what was copied is what is
// judged and what is done, whatever the target writes there afterwards.
//
// Addresses, contents and lengths are the target's, and hostile. The package decides
// nothing. Start reading at [Memory].
package memory

import (
	"bytes"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Memory is the address space of a thread.
type Memory int

var pageSize = uint64(os.Getpagesize())

// String copies a path into room: EFAULT if it is not in readable memory, ENAMETOOLONG
// if it has no end within PATH_MAX. No page is touched beyond the one where it ends. The
// result is room's, or new if it did not fit.
func (m Memory) String(addr uint64, room []byte) ([]byte, error) {
	text := room[:0]
	for len(text) < unix.PathMax {
		at := addr + uint64(len(text))
		n := int(min(pageSize-at%pageSize, uint64(unix.PathMax-len(text))))
		if len(text) == 0 {
			n = min(n, usual)
		}
		if cap(text)-len(text) < n {
			text = append(make([]byte, 0, unix.PathMax), text...)
		}
		piece := text[len(text) : len(text)+n]
		if n, err := m.read(at, piece); err != nil {
			return nil, err
		} else if n < len(piece) {
			return nil, unix.EFAULT
		}
		if end := bytes.IndexByte(piece, 0); end >= 0 {
			return text[:len(text)+end], nil
		}
		text = text[:len(text)+n]
	}
	return nil, unix.ENAMETOOLONG
}

// usual is longer than most paths: to ask for less is faster.
const usual = 256

// Read copies all of b.
func (m Memory) Read(addr uint64, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := m.read(addr, b)
	if err == nil && n < len(b) {
		err = unix.EFAULT
	}
	return err
}

// Write copies all of b to the target.
func (m Memory) Write(addr uint64, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	local := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
	remote := unix.RemoteIovec{Base: uintptr(addr), Len: len(b)}
	n, _, errno := unix.RawSyscall6(unix.SYS_PROCESS_VM_WRITEV, uintptr(m),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	switch {
	case errno != 0:
		return meaning(errno)
	case int(n) < len(b):
		return unix.EFAULT
	}
	return nil
}

func (m Memory) read(addr uint64, b []byte) (int, error) {
	local := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
	remote := unix.RemoteIovec{Base: uintptr(addr), Len: len(b)}
	n, _, errno := unix.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(m),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	if errno != 0 {
		return 0, meaning(errno)
	}
	return int(n), nil
}

// meaning is what the target is told. EPERM is about us: it may not be looked into, and
// its call is refused.
func meaning(errno unix.Errno) error {
	switch errno {
	case unix.EFAULT:
		return unix.EFAULT
	default:
		return unix.EACCES
	}
}
