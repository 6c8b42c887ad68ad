package enforce

import (
	"encoding/binary"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/notify"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// ownCall is a call of this process itself, whose memory is read as a target's.
func ownCall(t testing.TB, name string, args ...uint64) *call {
	t.Helper()
	nr, ok := syscalls.Number(nativeABI, name)
	if !ok {
		t.Fatalf("no call %q", name)
	}
	c := &call{worker: &worker{Gate: &Gate{listener: &notify.Listener{}}}, spec: syscalls.Lookup(nativeABI, nr)}
	c.notification.Nr, c.notification.TID = nr, uint32(os.Getpid())
	copy(c.notification.Args[:], args)
	c.who = &status{tgid: os.Getpid()}
	return c
}

// region is memory of this process outside of what Go moves and collects.
type region struct {
	b  []byte
	at uint64
}

func newRegion(t testing.TB, size int) region {
	t.Helper()
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(b) })
	return region{b, uint64(uintptr(unsafe.Pointer(&b[0])))}
}

func (r region) put(offset int, words ...uint64) {
	for i, w := range words {
		binary.NativeEndian.PutUint64(r.b[offset+8*i:], w)
	}
}

func countDescriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
