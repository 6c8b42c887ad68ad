package observe

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/turnstile-project/turnstile/internal/event"
)

// pollInterval is how long a record waits in the ring buffer at most. The kernel
// side wakes the reader before that if the buffer fills.
const pollInterval = 20 * time.Millisecond

// Run passes what happens to sink until stop is closed, then ends the watch,
// passes on the rest, and returns. All calls of sink come from here.
func (o *Observer) Run(sink event.Sink, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return o.finish(sink)
		default:
		}
		if err := o.tick(sink, time.Now().Add(pollInterval)); err != nil {
			return errors.Join(err, o.detach())
		}
		if o.ticks++; o.options.Tree != 0 && o.ticks%strayTicks == 0 {
			if err := o.findStrays(); err != nil {
				return errors.Join(err, o.detach())
			}
		}
		o.noteIdle()
	}
}

// strayTicks is how many ticks pass between two looks for strays.
const strayTicks = 50

// Hurry makes Run look at once instead of at the end of its interval.
func (o *Observer) Hurry() error { return o.reader.Flush() }

// finish detaches and passes on what is left.
func (o *Observer) finish(sink event.Sink) error {
	if err := o.detach(); err != nil {
		return err
	}
	// The second tick settles what ended during the first.
	for range 2 {
		if err := o.tick(sink, time.Now()); err != nil {
			return err
		}
	}
	return o.settleAll(sink)
}

// tick waits for records until the deadline, passes them on, and settles the
// threads that had ended when it began: their last records are among these.
func (o *Observer) tick(sink event.Sink, deadline time.Time) error {
	var err error
	if o.settling, err = o.endedSlots(o.settling[:0]); err != nil {
		return err
	}
	backlog := o.reader.AvailableBytes()
	o.reader.SetDeadline(deadline)
	more, err := o.read()
	if err != nil {
		return err
	}

	o.living.Lock()
	defer o.living.Unlock()
	for n := 0; more; n++ {
		backlog -= len(o.raw.RawSample)
		o.pass(sink)
		if n%256 == 255 && backlog <= 0 && time.Now().After(deadline) {
			break // records come faster than they are read: let the rest have a turn
		}
		if more, err = o.read(); err != nil {
			return err
		}
	}
	for _, slot := range o.settling {
		if err := o.settle(slot, sink); err != nil {
			return err
		}
	}
	o.bell.giveBack(o.settling)
	if err := o.forget(sink); err != nil {
		return err
	}
	sink.Flush()
	return nil
}

// read gets the next record. False after the deadline, when there is none.
func (o *Observer) read() (bool, error) {
	err := o.reader.ReadInto(&o.raw)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, ringbuf.ErrFlushed):
		return false, nil
	default:
		return false, fmt.Errorf("reading the ring buffer: %w", err)
	}
}

// pass gives the event of the record to the sink.
func (o *Observer) pass(sink event.Sink) {
	e, err := o.decoder.decode(o.raw.RawSample)
	if err != nil {
		o.undecoded++
		return
	}
	if e == nil {
		return
	}
	if f := o.decoder.record.Forgotten; f != 0 {
		sink.Tally(&event.Tally{Kind: event.TallyRepeats, Count: o.decoder.record.Repeats, Fold: f})
	}
	sink.Event(e)
}

// noteIdle closes the idle channel once the last thread has ended. A short run is
// over before anybody looks how many threads there are, but not without a trace.
func (o *Observer) noteIdle() {
	o.busy = o.busy || len(o.settling) > 0 || len(o.decoder.processes) > 0
	if o.busy && !o.idleClosed && o.alive() <= 0 {
		o.idleClosed = true
		close(o.idle)
	}
}
