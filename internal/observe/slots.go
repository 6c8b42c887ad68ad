package observe

import (
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"
)

// slots is the memory of the threads' slots, where the kernel side writes. Reading it
// takes no system call, and so nothing that Linux 7 would let be preempted while no
// program of a perf event runs on that CPU (bpf_disable_instrumentation,
// include/linux/bpf.h).
type slots struct {
	n                uint32
	taskMem, callMem *ebpf.Memory
}

func mapSlots(coll *ebpf.Collection) (s slots, err error) {
	tasks := coll.Maps[bpfMapTasks]
	s.n = tasks.MaxEntries()
	if s.taskMem, err = tasks.Memory(); err != nil {
		return s, fmt.Errorf("mapping the slots: %w", err)
	}
	if s.callMem, err = coll.Maps[bpfMapCounts].Memory(); err != nil {
		return s, fmt.Errorf("mapping the counts: %w", err)
	}
	return s, nil
}

// task is what a slot says now.
func (s *slots) task(slot uint32) (t bpfTask, err error) {
	if _, err := s.taskMem.ReadAt(bytesOf(&t), offset(slot, &t)); err != nil {
		return t, fmt.Errorf("reading slot %d: %w", slot, err)
	}
	return t, nil
}

// setState changes the state of a slot and nothing else.
func (s *slots) setState(slot uint32, state bpfTaskState) error {
	var t bpfTask
	at := offset(slot, &t) + int64(unsafe.Offsetof(t.State))
	if _, err := s.taskMem.WriteAt([]byte{byte(state)}, at); err != nil {
		return fmt.Errorf("marking slot %d: %w", slot, err)
	}
	return nil
}

// counts reads the calls that were counted in a slot.
func (s *slots) counts(slot uint32, c *bpfCounts) error {
	if _, err := s.callMem.ReadAt(bytesOf(c), offset(slot, c)); err != nil {
		return fmt.Errorf("reading the counts of slot %d: %w", slot, err)
	}
	return nil
}

// clear makes a slot ready for its next thread.
func (s *slots) clear(slot uint32) error {
	if _, err := s.callMem.WriteAt(bytesOf(&noCounts), offset(slot, &noCounts)); err != nil {
		return fmt.Errorf("clearing the counts of slot %d: %w", slot, err)
	}
	if _, err := s.taskMem.WriteAt(bytesOf(&noTask), offset(slot, &noTask)); err != nil {
		return fmt.Errorf("clearing slot %d: %w", slot, err)
	}
	return nil
}

var (
	noCounts bpfCounts
	noTask   bpfTask
)

// each calls f with the slots that threads have now.
func (s *slots) each(f func(slot uint32, t *bpfTask) error) error {
	for slot := uint32(sharedSlot + 1); slot < s.n; slot++ {
		t, err := s.task(slot)
		if err != nil {
			return err
		}
		if bpfTaskState(t.State) == bpfTaskStateTASK_FREE {
			continue
		}
		if err := f(slot, &t); err != nil {
			return err
		}
	}
	return nil
}

// offset is where the element of a slot is: the elements of an array lie 8 bytes apart
// or a multiple of that (kernel/bpf/arraymap.c).
func offset[T any](slot uint32, element *T) int64 {
	return int64(slot) * int64((unsafe.Sizeof(*element)+7)&^7)
}

func bytesOf[T any](v *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) }
