package observe

import (
	"github.com/turnstile-project/turnstile/internal/event"
)

// sweepAfter is how many entries of ended processes may stay in the map of folds.
const sweepAfter = foldEntries / 4

// foldCount knows how many entries of the map of folds belong to whom, to say
// when the entries of ended processes are worth a sweep.
type foldCount struct {
	of    map[event.ProcessID]int
	stale map[event.ProcessID]bool
	n     int // entries of stale processes
}

func (f *foldCount) note(id event.ProcessID) {
	if f.of == nil {
		f.of = make(map[event.ProcessID]int)
	}
	f.of[id]++
}

func (f *foldCount) end(id event.ProcessID) {
	n := f.of[id]
	if n == 0 {
		return
	}
	delete(f.of, id)
	if f.stale == nil {
		f.stale = make(map[event.ProcessID]bool)
	}
	f.stale[id] = true
	f.n += n
}

// forget settles what the kernel side holds of processes that have ended, and
// drops them.
func (o *Observer) forget(sink event.Sink) error {
	if len(o.ended) == 0 {
		return nil
	}
	gone := make(map[event.ProcessID]bool, len(o.ended))
	for _, id := range o.ended {
		gone[id] = true
		o.folds.end(id)
	}
	if err := o.sweepRareCalls(sink, gone); err != nil {
		return err
	}
	if o.folds.n > sweepAfter {
		if err := o.sweepFolds(sink, o.folds.stale); err != nil {
			return err
		}
		o.folds.n = 0
		clear(o.folds.stale)
	}
	for id := range gone {
		p := o.decoder.processes.get(id)
		sink.Tally(&event.Tally{Kind: event.TallySettled, Process: &p.Process})
		delete(o.decoder.processes, id)
	}
	o.ended = o.ended[:0]
	return nil
}
