package observe

import (
	"crypto/rand"
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// doorbell is the secret by which Turnstile talks to the kernel side: a getppid with
// the secret in arguments that the call does not have (bpf/observe.bpf.c).
type doorbell [2]uint64

func newDoorbell() doorbell {
	var raw [16]byte
	rand.Read(raw[:])
	return doorbell{binary.NativeEndian.Uint64(raw[:]), binary.NativeEndian.Uint64(raw[8:])}
}

func (d doorbell) ring(what bpfBell, args [3]uint64) {
	_, _, _ = unix.RawSyscall6(unix.SYS_GETPPID, uintptr(d[0]), uintptr(d[1]), uintptr(what),
		uintptr(args[0]), uintptr(args[1]), uintptr(args[2]))
}

// giveBack frees slots that have been cleared.
func (d doorbell) giveBack(all []uint32) {
	for some := range slices.Chunk(all, int(bpfBellBELL_SLOTS_MAX)) {
		var args [3]uint64
		for i, slot := range some {
			args[i/4] |= uint64(slot) << (i % 4 * 16)
		}
		d.ring(bpfBellBELL_SLOTS, args)
	}
}

// Fork calls start, which forks the target on the calling thread: the caller has
// locked its goroutine to it. The target is followed from its exec on; what the
// child does before that is not recorded. The kernel side learns who forks it
// without a pid, which would be another one in a pid namespace.
func (o *Observer) Fork(start func() error) error {
	o.bell.ring(bpfBellBELL_LAUNCH, [3]uint64{})
	defer o.bell.ring(bpfBellBELL_LAUNCHED, [3]uint64{})
	return start()
}
