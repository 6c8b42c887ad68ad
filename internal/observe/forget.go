package observe

import (
	"github.com/turnstile-project/turnstile/internal/event"
)

// forget settles what the kernel side holds of processes that have ended, and
// drops them.
func (o *Observer) forget(sink event.Sink) error {
	if len(o.ended) == 0 {
		return nil
	}
	gone := make(map[event.ProcessID]bool, len(o.ended))
	for _, id := range o.ended {
		gone[id] = true
	}
	if err := o.sweepRareCalls(sink, gone); err != nil {
		return err
	}
	for id := range gone {
		p := o.decoder.processes.get(id)
		sink.Tally(&event.Tally{Kind: event.TallySettled, Process: &p.Process})
		delete(o.decoder.processes, id)
	}
	o.ended = o.ended[:0]
	return nil
}
