package observe

import (
	"crypto/rand"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// doorbell is the secret by which a thread of Turnstile tells the kernel side
// that it is about to fork the target, or that it has done so: a getppid with
// the secret in arguments that the call does not have. The kernel side then
// follows the children of that thread from their exec on. This needs no pid,
// which would be another one in a pid namespace.
type doorbell [2]uint64

func newDoorbell() doorbell {
	var raw [16]byte
	rand.Read(raw[:])
	return doorbell{binary.NativeEndian.Uint64(raw[:]), binary.NativeEndian.Uint64(raw[8:])}
}

func (d doorbell) ring(armed uintptr) {
	_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, uintptr(d[0]), uintptr(d[1]), armed)
}

// Fork calls start, which forks the target on the calling thread: the caller has
// locked its goroutine to it. The target is followed from its exec on; what the
// child does before that is not recorded.
func (o *Observer) Fork(start func() error) error {
	o.bell.ring(1)
	defer o.bell.ring(0)
	return start()
}
