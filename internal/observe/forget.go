package observe

import (
	"github.com/turnstile-project/turnstile/internal/event"
)

// forgetAfter is how many processes wait for their rare calls to be taken out of the
// kernel: few enough that those fit (rare_calls, bpf/maps.h), and many because taking
// them out is one of the calls of bpf(2) during which Linux 7 misses others.
const forgetAfter = 64

// forget settles what the kernel side holds of processes that have ended, and
// drops them.
func (o *Observer) forget(sink event.Sink) error {
	if len(o.ended) == 0 {
		return nil
	}
	var key bpfRareKey
	empty, err := isEmpty(o.maps.rareCalls, &key)
	if err != nil {
		return err
	}
	if !empty {
		if len(o.ended) < forgetAfter {
			return nil
		}
		if err := o.sweepRareCalls(sink); err != nil {
			return err
		}
	}
	for _, id := range o.ended {
		if p := o.decoder.processes[id]; p != nil {
			sink.Tally(&event.Tally{Kind: event.TallySettled, Process: &p.Process})
			delete(o.decoder.processes, id)
		}
	}
	o.ended = o.ended[:0]
	return nil
}

// sweepRareCalls settles the rare calls of the processes that have ended.
func (o *Observer) sweepRareCalls(sink event.Sink) error {
	gone := make(map[event.ProcessID]bool, len(o.ended))
	for _, id := range o.ended {
		gone[id] = true
	}
	return take(o.maps.rareCalls,
		func(k *bpfRareKey) bool { return gone[identity(k.Process)] },
		func(k *bpfRareKey, n uint64) { o.tellRareCall(sink, k, n) })
}
