package observe

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// slots is the memory of the threads' slots, where the kernel side writes. Reading it
// takes no system call, and so nothing that Linux 7 would let be preempted while no
// program of a perf event runs on that CPU (bpf_disable_instrumentation,
// include/linux/bpf.h).
type slots struct {
	n      uint32
	tasks  mapped[bpfTask]
	counts mapped[bpfCounts]
}

func newSlots(coll *ebpf.Collection) slots {
	tasks, counts := coll.Maps[bpfMapTasks], coll.Maps[bpfMapCounts]
	return slots{n: tasks.MaxEntries(), tasks: newMapped[bpfTask](tasks), counts: newMapped[bpfCounts](counts)}
}

// clear makes a slot ready for its next thread.
func (s *slots) clear(slot uint32) error {
	task, err := s.tasks.at(slot)
	if err != nil {
		return err
	}
	counts, err := s.counts.at(slot)
	if err != nil {
		return err
	}
	*counts, *task = bpfCounts{}, bpfTask{}
	return nil
}

// each calls f with the slots that threads have now.
func (s *slots) each(f func(slot uint32, t *bpfTask) error) error {
	for slot := uint32(sharedSlot + 1); slot < s.n; slot++ {
		t, err := s.tasks.at(slot)
		if err != nil {
			return err
		}
		if bpfTaskState(t.State) == bpfTaskStateTASK_FREE {
			continue
		}
		if err := f(slot, t); err != nil {
			return err
		}
	}
	return nil
}

func (s *slots) close() error { return errors.Join(s.tasks.close(), s.counts.close()) }

// mapped is the memory of an array of the kernel side, of elements T. It is mapped in
// pieces, where it is needed: all of a piece counts as memory of this process from
// then on.
type mapped[T any] struct {
	m        *ebpf.Map
	size     int // of an element: they lie 8 bytes apart or a multiple of that (kernel/bpf/arraymap.c)
	perPiece int
	pieces   [][]byte
}

func newMapped[T any](m *ebpf.Map) mapped[T] {
	var element T
	a := mapped[T]{m: m, size: int(unsafe.Sizeof(element)+7) &^ 7}
	a.perPiece = os.Getpagesize() / 8 // a piece ends where a page ends
	a.pieces = make([][]byte, (int(m.MaxEntries())+a.perPiece-1)/a.perPiece)
	return a
}

// at is the element of a slot, in the memory that the kernel side uses.
func (a *mapped[T]) at(slot uint32) (*T, error) {
	piece, i := int(slot)/a.perPiece, int(slot)%a.perPiece
	if piece >= len(a.pieces) || slot >= a.m.MaxEntries() {
		return nil, fmt.Errorf("map %q has no slot %d", a.m, slot)
	}
	if a.pieces[piece] == nil {
		elements := min(a.perPiece, int(a.m.MaxEntries())-piece*a.perPiece)
		mem, err := unix.Mmap(a.m.FD(), int64(piece*a.perPiece*a.size), elements*a.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return nil, fmt.Errorf("mapping slot %d of map %q: %w", slot, a.m, err)
		}
		a.pieces[piece] = mem
	}
	return (*T)(unsafe.Pointer(&a.pieces[piece][i*a.size])), nil
}

func (a *mapped[T]) close() error {
	var err error
	for i, mem := range a.pieces {
		if mem != nil {
			err = errors.Join(err, unix.Munmap(mem))
			a.pieces[i] = nil
		}
	}
	return err
}
