package observe

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Observer follows processes. Its methods are called in this order: [Open],
// [Observer.Attach], one of [Observer.Fork], [Observer.FollowTree] (or nothing
// for a cgroup), [Observer.Run] and [Observer.Close]. Run may be started before
// Fork, in another goroutine.
type Observer struct {
	options Options
	bell    doorbell
	coll    *loaded
	maps    kernelMaps
	slots   slots
	vars    variables
	links   []link.Link
	reader  *ringbuf.Reader
	decoder *decoder

	// What Run keeps from tick to tick.
	raw       ringbuf.Record
	settling  []uint32 // slots of ended threads
	ended     []event.ProcessID
	undecoded uint64
	strays    int64
	ticks     int

	living           sync.Mutex // guards decoder against Living
	idle             chan struct{}
	busy, idleClosed bool
}

type kernelMaps struct {
	endedSlots                          *ebpf.Map
	rareCalls, errors, arguments, folds *ebpf.Map
	ring                                *ebpf.Map
}

type variables struct {
	live, lost, shared *ebpf.Variable
}

// Open loads the programs for what o asks for into the kernel. Nothing is
// watched before [Observer.Attach].
func Open(o Options) (*Observer, error) {
	bell := newDoorbell()
	coll, err := load(&o, bell)
	if err != nil {
		return nil, err
	}
	obs := &Observer{
		options: o,
		bell:    bell,
		coll:    coll,
		decoder: newDecoder(),
		slots:   newSlots(coll.Collection),
		idle:    make(chan struct{}),
		maps: kernelMaps{
			endedSlots: coll.Maps[bpfMapEndedSlots],
			rareCalls:  coll.Maps[bpfMapRareCalls],
			errors:     coll.Maps[bpfMapErrors],
			arguments:  coll.Maps[bpfMapArguments],
			folds:      coll.Maps[bpfMapFolds],
			ring:       coll.Maps[bpfMapRing],
		},
		vars: variables{
			live:   coll.Variables[bpfVarLive],
			lost:   coll.Variables[bpfVarLost],
			shared: coll.Variables[bpfVarShared],
		},
	}
	if obs.reader, err = ringbuf.NewReader(obs.maps.ring); err != nil {
		obs.Close()
		return nil, fmt.Errorf("opening the ring buffer: %w", err)
	}
	if o.Cgroup != "" {
		if err := setCgroup(coll.Maps[bpfMapCgroups], o.Cgroup); err != nil {
			obs.Close()
			return nil, err
		}
	}
	return obs, nil
}

// Attach begins to watch. From now on every process of the host pays for the
// hooks, so Run is to follow soon.
func (o *Observer) Attach() error {
	for _, h := range o.coll.hooks {
		p := o.coll.Programs[h.program]
		if p == nil {
			continue // optional, and refused
		}
		l, err := h.attach(p)
		if err != nil && h.optional {
			continue
		}
		if err != nil {
			return err
		}
		o.links = append(o.links, l)
	}
	return nil
}

// detach ends the watch.
func (o *Observer) detach() error {
	var errs []error
	for _, l := range slices.Backward(o.links) {
		errs = append(errs, l.Close())
	}
	o.links = nil
	return wrap("detaching", errors.Join(errs...))
}

// Close frees everything in the kernel. It may be called at any time, and twice.
func (o *Observer) Close() error {
	err := o.detach()
	if o.reader != nil {
		err = errors.Join(err, o.reader.Close())
	}
	err = errors.Join(err, o.slots.close())
	o.coll.Close()
	return err
}

// alive is how many threads are followed now.
func (o *Observer) alive() int64 {
	var n int64
	if err := o.vars.live.Get(&n); err != nil {
		return 0
	}
	return n - o.strays
}

// Threads is how many threads are followed now.
func (o *Observer) Threads() int { return int(max(0, o.alive())) }

// Living are the processes that are followed now, as far as Run has got.
func (o *Observer) Living() []event.Process {
	o.living.Lock()
	defer o.living.Unlock()
	var all []event.Process
	for _, p := range o.decoder.processes {
		if p.told && !p.ended {
			all = append(all, p.Process)
		}
	}
	return all
}

// Idle is closed when somebody was followed and nobody is any more.
func (o *Observer) Idle() <-chan struct{} { return o.idle }
