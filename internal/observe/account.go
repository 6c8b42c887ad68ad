package observe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/turnstile-project/turnstile/internal/event"
)

// The kernel side only counts, in the slots of the threads and in hashes. Here
// the counts become tallies: those of a thread when it has ended, the others at
// the end of the run.

// endedSlots takes the slots of threads that have ended.
func (o *Observer) endedSlots(slots []uint32) ([]uint32, error) {
	for {
		var slot uint32
		err := o.maps.endedSlots.LookupAndDelete(nil, &slot)
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return slots, nil
		}
		if err != nil {
			return slots, fmt.Errorf("taking the slot of an ended thread: %w", err)
		}
		slots = append(slots, slot)
	}
}

// settle passes on the counts of a thread that has ended, and clears its slot.
func (o *Observer) settle(slot uint32, sink event.Sink) error {
	t, err := o.slots.tasks.at(slot)
	if err != nil {
		return err
	}
	switch bpfTaskState(t.State) {
	case bpfTaskStateTASK_ARMED:
		// Never became the target.
	case bpfTaskStateTASK_STRAY:
		o.strays--
	default:
		if err := o.tellSlot(slot, t, sink); err != nil {
			return err
		}
		if t.Last != 0 {
			o.settleProcess(t, sink)
		}
	}
	return o.slots.clear(slot)
}

// tellSlot passes on the counts of a thread that was followed.
func (o *Observer) tellSlot(slot uint32, t *bpfTask, sink event.Sink) error {
	p := o.decoder.processes.get(identity(t.Process))
	if !p.told {
		if bpfTaskState(t.State) == bpfTaskStateTASK_WITHHELD {
			return nil
		}
		// The record of its beginning was lost; the slot has it as well.
		sink.Event(o.decoder.forkOf(p, t))
	}
	return o.readCounts(slot, p, sink)
}

func (o *Observer) settleProcess(t *bpfTask, sink event.Sink) {
	p := o.decoder.processes.get(identity(t.Process))
	if !p.ended {
		sink.Event(o.decoder.exitOf(p, t))
	}
	o.ended = append(o.ended, p.ID)
}

func (o *Observer) readCounts(slot uint32, p *process, sink event.Sink) error {
	counts, err := o.slots.counts.at(slot)
	if err != nil {
		return err
	}
	t := event.Tally{Kind: event.TallyCalls}
	if p != nil {
		t.Process = &p.Process
	}
	for nr, n := range &counts.N {
		if n != 0 {
			t.Call = event.Call{ABI: o.decoder.abis[0], Nr: int32(nr)}
			t.Count = n
			sink.Tally(&t)
		}
	}
	return nil
}

// settleAll passes on everything that the kernel side still holds. No program
// must be attached any more.
func (o *Observer) settleAll(sink event.Sink) error {
	if o.alive() > 0 {
		if err := o.slots.each(func(slot uint32, t *bpfTask) error { return o.tellSlot(slot, t, sink) }); err != nil {
			return err
		}
	}
	if err := o.readCounts(sharedSlot, nil, sink); err != nil {
		return err
	}
	return errors.Join(
		o.settleRareCalls(sink),
		o.settleErrors(sink),
		o.settleArguments(sink),
		o.settleFolds(sink),
		o.settleLosses(sink),
	)
}

func (o *Observer) abi(i uint16) event.ABI {
	if int(i) < len(o.decoder.abis) {
		return o.decoder.abis[i]
	}
	return event.ABIUnknown
}

func (o *Observer) settleErrors(sink event.Sink) error {
	return each(o.maps.errors, func(k *bpfErrorKey, n uint64) {
		sink.Tally(&event.Tally{
			Kind: event.TallyErrors, Count: n, Errno: event.Errno(k.Err),
			Call: event.Call{ABI: o.abi(k.Abi), Nr: k.Nr},
		})
	})
}

func (o *Observer) settleArguments(sink event.Sink) error {
	return each(o.maps.arguments, func(k *bpfArgumentKey, n uint64) {
		sink.Tally(&event.Tally{
			Kind: event.TallyArgument, Count: n, Index: uint8(k.Index), Value: k.Value,
			Call: event.Call{ABI: o.abi(k.Abi), Nr: k.Nr},
		})
	})
}

func (o *Observer) settleRareCalls(sink event.Sink) error {
	return each(o.maps.rareCalls, func(k *bpfRareKey, n uint64) { o.tellRareCall(sink, k, n) })
}

func (o *Observer) tellRareCall(sink event.Sink, k *bpfRareKey, n uint64) {
	t := event.Tally{
		Kind: event.TallyCalls, Count: n,
		Call: event.Call{ABI: o.abi(uint16(k.Abi)), Nr: k.Nr},
	}
	if k.Process.Pid != 0 {
		t.Process = &o.decoder.processes.get(identity(k.Process)).Process
	}
	sink.Tally(&t)
}

// settleFolds passes on the repeats of what no new access has made the kernel side
// forget.
func (o *Observer) settleFolds(sink event.Sink) error {
	if o.maps.folds.MaxEntries() == 1 {
		return nil // nothing was folded
	}
	keys := make([]uint32, 1024)
	sets := make([]bpfFoldSet, len(keys))
	var cursor ebpf.MapBatchCursor
	for {
		n, err := o.maps.folds.BatchLookup(&cursor, keys, sets, nil)
		for _, set := range sets[:n] {
			for _, f := range set.Fold {
				if f.Hash[0] != 0 {
					sink.Tally(&event.Tally{Kind: event.TallyRepeats, Count: f.Repeats, Fold: f.Hash[0]})
				}
			}
		}
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the folds: %w", err)
		}
	}
}

func (o *Observer) settleLosses(sink event.Sink) error {
	var lost [kernelLosses]uint64
	if err := o.vars.lost.Get(&lost); err != nil {
		return fmt.Errorf("reading the losses: %w", err)
	}
	for i, n := range lost {
		if n != 0 {
			sink.Tally(&event.Tally{Kind: event.TallyLost, Count: n, Loss: event.Loss(i)})
		}
	}
	var shared uint64
	if err := o.vars.shared.Get(&shared); err != nil {
		return fmt.Errorf("reading how many threads shared a slot: %w", err)
	}
	if shared != 0 {
		sink.Tally(&event.Tally{Kind: event.TallyShared, Count: shared})
	}
	if n := o.missed(); n != 0 {
		sink.Tally(&event.Tally{Kind: event.TallyLost, Count: n, Loss: event.LossMissed})
	}
	if n := o.undecoded; n != 0 {
		sink.Tally(&event.Tally{Kind: event.TallyLost, Count: n, Loss: event.LossUndecoded})
	}
	return nil
}

// kernelLosses are the losses that the kernel side counts itself: LOSSES,
// bpf/records.h.
const kernelLosses = event.LossForbidden + 1

// missed is how often the kernel did not run a program because it was running on
// that CPU already (since 5.12, which counts it).
func (o *Observer) missed() uint64 {
	var n uint64
	for name, p := range o.coll.Programs {
		if h, _ := o.coll.hooks.of(name); h.optional {
			continue
		}
		if s, err := p.Stats(); err == nil {
			n += s.RecursionMisses
		}
	}
	return n
}

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
