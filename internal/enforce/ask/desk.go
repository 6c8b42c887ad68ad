package ask

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// maxWaiting bounds the different questions that wait.
const maxWaiting = 4096

// Why a [Desk] denies without asking.
const (
	byWithdrawn = "withdrawn"
	byFull      = "too many questions wait"
	byRefusals  = "denied by the user three times"
)

// Desk stands between the calls that wait and one [Asker]. It asks one question
// at a time, the oldest first. Calls that want the same of the same object while
// they wait are one question and get one answer, whichever processes make them.
// What was answered for the run is not asked again, nor what a process wants of an
// object that the user has denied it three times.
type Desk struct {
	asker Asker

	mu     sync.Mutex
	memory memory
	// waiting are the questions without an answer, among them the one that is
	// being asked. queue are the others in their order.
	waiting map[subject]*inquiry
	queue   []*inquiry
	// serving says that a goroutine asks. It ends with the queue.
	serving bool
}

// inquiry is a question and all who wait for its answer.
type inquiry struct {
	subject  subject
	question *Question
	// waiters counts the calls of each process. When there are none ctx
	// ends.
	waiters  map[process]int
	ctx      context.Context
	withdraw context.CancelFunc
	// answer is there once answered is closed.
	answered chan struct{}
	answer   Answer
}

// NewDesk is a desk before an asker.
func NewDesk(a Asker) *Desk {
	return &Desk{asker: a, memory: newMemory(), waiting: make(map[subject]*inquiry)}
}

// Ask waits for the answer to q. When ctx ends the call leaves, denied; when the
// last has left a question it is withdrawn.
func (d *Desk) Ask(ctx context.Context, q *Question) Answer {
	s := subject{q.Classes, string(q.Path)}
	p := process{q.PID, q.Start}
	in, answer := d.join(s, p, q)
	if in == nil {
		return answer
	}
	select {
	case <-in.answered:
		return in.answer
	case <-ctx.Done():
		d.leave(in, p)
		return Answer{By: byWithdrawn}
	}
}

// join makes p wait for an answer about s, unless it has one at once.
func (d *Desk) join(s subject, p process, q *Question) (*inquiry, Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if answer, known := d.memory.recall(s); known {
		return nil, answer
	}
	if d.memory.tired(p, s.path) {
		return nil, Answer{By: byRefusals}
	}
	in := d.waiting[s]
	if in == nil {
		if len(d.waiting) == maxWaiting {
			return nil, Answer{By: byFull}
		}
		in = d.open(s, q)
	}
	in.waiters[p]++
	return in, Answer{}
}

// open puts a question in the queue, and has somebody look after that.
func (d *Desk) open(s subject, q *Question) *inquiry {
	in := &inquiry{subject: s, question: q, waiters: make(map[process]int), answered: make(chan struct{})}
	in.ctx, in.withdraw = context.WithCancel(context.Background())
	d.waiting[s] = in
	d.queue = append(d.queue, in)
	if !d.serving {
		d.serving = true
		go d.serve()
	}
	return in
}

// leave takes one call of p away from those that wait.
func (d *Desk) leave(in *inquiry, p process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if in.waiters[p]--; in.waiters[p] == 0 {
		delete(in.waiters, p)
	}
	if len(in.waiters) > 0 || d.waiting[in.subject] != in {
		return
	}
	// Whoever comes now with the same opens a question of its own: this one
	// is being taken off the screen, if it is there.
	delete(d.waiting, in.subject)
	d.queue = slices.DeleteFunc(d.queue, func(other *inquiry) bool { return other == in })
	in.withdraw()
}

// serve asks until there is nothing left to ask.
func (d *Desk) serve() {
	for in := d.next(); in != nil; in = d.next() {
		d.conclude(in, d.ask(in))
	}
}

// ask puts one question to the asker. If that breaks, nobody has allowed anything.
func (d *Desk) ask(in *inquiry) (a Answer) {
	defer func() {
		if broken := recover(); broken != nil {
			err := fmt.Errorf("asking about %q: %v", in.question.Path, broken)
			a = Answer{By: err.Error(), Err: err}
		}
	}()
	return d.asker.Ask(in.ctx, in.question)
}

// next is the oldest question that has no answer yet. Those that an earlier
// answer covers get that.
func (d *Desk) next() *inquiry {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.queue) > 0 {
		in := d.queue[0]
		d.queue = slices.Delete(d.queue, 0, 1)
		answer, known := d.memory.recall(in.subject)
		if !known {
			return in
		}
		d.settle(in, answer)
	}
	d.serving = false
	return nil
}

// conclude remembers the answer and gives it to those who wait. A user's answer
// for the run counts even if all have left just then.
func (d *Desk) conclude(in *inquiry, answer Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if answer.By == ByUser {
		d.memory.learn(in.subject, answer, in.waiters)
	}
	d.settle(in, answer)
}

func (d *Desk) settle(in *inquiry, answer Answer) {
	if d.waiting[in.subject] == in {
		delete(d.waiting, in.subject)
	}
	in.answer = answer
	close(in.answered)
	in.withdraw() // nobody asks any more; it only frees what ctx holds
}
