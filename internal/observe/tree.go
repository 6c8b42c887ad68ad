package observe

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/procstat"
)

// ErrNoProcess says that the process to attach to does not exist.
var ErrNoProcess = errors.New("no such process")

// ErrForbidden says that the caller may not look into a process: ptrace(2) would
// refuse it too.
var ErrForbidden = errors.New("not allowed to look into the process")

// FollowTree follows the running process [Options.Tree] with all its threads and
// descendants. It comes after [Observer.Attach]: children that are forked from
// then on are followed by the hooks, and those that were there are looked for
// until a pass over all tasks finds nobody new.
func (o *Observer) FollowTree() error {
	it, err := link.AttachIter(link.IterOptions{Program: o.coll.Programs[bpfProgAdoptTree]})
	if err != nil {
		return fmt.Errorf("attaching the task iterator: %w", err)
	}
	defer it.Close()
	for {
		before, err := o.adopted()
		if err != nil {
			return err
		}
		if err := runIterator(it); err != nil {
			return err
		}
		switch after, err := o.adopted(); {
		case err != nil:
			return err
		case after == 0:
			return fmt.Errorf("process %d: %w", o.options.Tree, ErrNoProcess)
		case after == before:
			return o.mayLook()
		}
	}
}

func runIterator(it *link.Iter) error {
	r, err := it.Open()
	if err != nil {
		return fmt.Errorf("opening the task iterator: %w", err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		return fmt.Errorf("running the task iterator: %w", err)
	}
	return nil
}

func (o *Observer) adopted() (n uint64, err error) {
	return n, wrap("reading how many tasks were adopted", o.coll.Variables[bpfVarAdopted].Get(&n))
}

// mayLook fails if the kernel side withheld one of the tasks that were found.
func (o *Observer) mayLook() error {
	var lost [kernelLosses]uint64
	if err := o.vars.lost.Get(&lost); err != nil {
		return fmt.Errorf("reading the losses: %w", err)
	}
	if n := lost[event.LossForbidden]; n != 0 {
		return fmt.Errorf("process %d or a descendant (%d threads): %w", o.options.Tree, n, ErrForbidden)
	}
	return nil
}

// Two things can happen in the moment in which the iterator adopts a thread. The
// thread may end, after its exit hook has run: then nobody tells that it ended. Or
// it is new, and the fork hook gives it a slot at the same time: then one of the two
// slots is nobody's. findStrays looks for slots whose thread is gone and was not
// told of, so that the watch of a tree ends with the tree.
func (o *Observer) findStrays() error {
	var stray []uint32
	err := o.slots.each(func(slot uint32, t *bpfTask) error {
		if t.Ended == 0 && bpfTaskState(t.State) == bpfTaskStateTASK_FOLLOWED && isGone(t) {
			stray = append(stray, slot)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, slot := range stray {
		t, err := o.slots.tasks.at(slot)
		if err != nil {
			return err
		}
		if t.Ended != 0 {
			continue // its hook has run meanwhile
		}
		t.State = uint8(bpfTaskStateTASK_STRAY)
		o.strays++
	}
	return nil
}

// isGone says whether the thread in a slot has ended.
func isGone(t *bpfTask) bool {
	stat, err := procstat.Read(fmt.Sprintf("/proc/%d/task/%d/stat", t.Process.Pid, t.Tid))
	if err != nil {
		return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH)
	}
	return stat.Gone()
}
