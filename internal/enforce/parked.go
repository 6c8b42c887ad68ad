package enforce

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/ask"
	"github.com/turnstile-project/turnstile/internal/event"
)

// waiting is the error of a call that cannot be answered at once: the user has to be
// asked, or what it asks for may block.
type waiting struct {
	question  *ask.Question // nil if it may block
	fifo      *fifo         // that it waits for
	judgement judgement
}

func (*waiting) Error() string { return "the call has to wait" }

// mayWait is for what could block: it goes on if the thread is one that may.
func (c *call) mayWait() error {
	if c.mayBlock {
		return nil
	}
	return &waiting{}
}

// How many calls may be blocked in the kernel, and how many that the user has answered may
// be made, at one time: each has a thread. Calls beyond wait for their turn; those that
// need no thread of these are answered as ever.
const (
	maxBlocked  = 256
	maxAnswered = 16
)

// parked are the calls that wait.
type parked struct {
	blocked, answered chan struct{} // what is sent is a place
	mu                sync.Mutex
	tickets           map[*ticket]struct{}
	more              chan struct{}
}

// ticket is a call that waits.
type ticket struct {
	gate   *Gate
	call   *call
	cancel context.CancelFunc
	// withdrawn says that nobody waits for the answer, or that a signal came first.
	withdrawn atomic.Bool
	// thread is blocked in a system call for it, 0 if none is.
	thread atomic.Int32
	// restart says that the thread itself has a signal to deal with, and unclaimed
	// how often its process was seen to have one that no thread took.
	restart   bool
	unclaimed int
}

// cancelSignal interrupts a blocked system call of a worker. Its default is to be
// ignored, nobody sends it to processes that have not asked for it, and the Go runtime
// has no use for it.
const cancelSignal = unix.SIGIO

func (p *parked) open(g *Gate) error {
	p.blocked = make(chan struct{}, maxBlocked)
	p.answered = make(chan struct{}, maxAnswered)
	p.tickets = make(map[*ticket]struct{})
	p.more = make(chan struct{}, 1)
	if err := catchCancel(); err != nil {
		return err
	}
	go p.attend(g)
	return nil
}

// catchCancel gives the signal a handler that does not restart what it interrupts: Go
// asks for SA_RESTART (runtime/os_linux.go, setsig).
func catchCancel() error {
	signal.Notify(make(chan os.Signal, 1), cancelSignal)
	var action struct{ handler, flags, restorer, mask uintptr } // struct kernel_sigaction
	const setSize = 8
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(cancelSignal), 0, uintptr(unsafe.Pointer(&action)), setSize, 0, 0); errno != 0 {
		return fmt.Errorf("reading the action of a signal: %w", errno)
	}
	const saRestart = 0x10000000 // SA_RESTART, include/uapi/asm-generic/signal-defs.h
	action.flags &^= saRestart
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(cancelSignal), uintptr(unsafe.Pointer(&action)), 0, setSize, 0, 0); errno != 0 {
		return fmt.Errorf("setting the action of a signal: %w", errno)
	}
	return nil
}

// park lets a call wait, and the worker go on.
func (c *call) park(w *waiting) {
	ctx, cancel := context.WithCancel(context.Background())
	later := c.handOver()
	t := &ticket{gate: c.Gate, cancel: cancel, call: later}
	later.wait, later.judged = t, nil
	g := c.Gate
	g.parked.add(t)
	if w.fifo != nil {
		later.unpin() // it is known which FIFO it is
		g.pipes.add(w.fifo, later)
		return
	}
	go func() {
		defer cancel()
		defer g.parked.remove(t)
		later.resumeAfter(ctx, w)
	}()
}

// handOver gives the call to somebody else than the worker.
func (c *call) handOver() *call {
	later := *c
	later.worker = c.newWorker()
	later.operands, later.judged = slices.Clone(c.operands), slices.Clone(c.judged)
	if later.target.AsTracer != nil {
		later.target.AsTracer = func(f func()) { later.asTracer(f) }
	}
	later.target.TGID = func() int { return later.tgid() }
	c.operands, c.answered = c.operands[:0], true
	return &later
}

// resumeAfter answers a call after its wait: it is done again from where its arguments
// were copied.
func (c *call) resumeAfter(ctx context.Context, w *waiting) {
	defer func() {
		if broken := recover(); broken != nil {
			c.news.fail(fmt.Errorf("answering %s: %v", c.name(), broken))
			c.fail(unix.EACCES)
		}
		c.wait = nil
		c.release()
	}()
	t := c.wait
	places := c.parked.blocked
	if w.question != nil {
		if !c.ask(ctx, w) {
			c.withdraw(t)
			return
		}
		places = c.parked.answered
	}
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-ctx.Done():
		c.withdraw(t)
		return
	}
	c.mayBlock = w.question == nil
	err := c.become() // not before there is a place: a thread is dear
	if err == nil {
		err = c.asTarget(c.perform)
	}
	again, isWait := errors.AsType[*waiting](err)
	switch {
	case err == nil:
	case t.withdrawn.Load():
		c.withdraw(t)
	case isWait:
		c.wait = nil
		c.park(again)
	default:
		c.refuse(err)
	}
}

// ask asks the user, and says whether the call goes on.
func (c *call) ask(ctx context.Context, w *waiting) bool {
	answer := c.desk.Ask(ctx, w.question)
	if answer.Err != nil {
		c.news.fail(answer.Err)
	}
	if ctx.Err() != nil {
		return false
	}
	if !answer.Allow {
		j := w.judgement
		j.decision.Verdict, j.by = event.VerdictDeny, answer.By
		c.judged = append(c.judged, j)
		c.fail(unix.EACCES)
		return false
	}
	c.granted = append(c.granted, grant{w.judgement.classes, w.judgement.path})
	return true
}

// withdraw answers a call that is not waited for any more. If a signal came for its
// thread, the call is restarted or interrupted, as the handler says. ERESTARTSYS must not
// be given to a thread without one: nobody would translate it.
func (c *call) withdraw(t *ticket) {
	if c.answered {
		return
	}
	if c.sent > 0 {
		_ = c.returns(int64(c.sent))
		return
	}
	const restart = unix.Errno(512) // ERESTARTSYS, include/linux/errno.h
	errno := unix.EINTR
	if t.restart && !c.limited {
		errno = restart
	}
	c.answered = true
	_ = c.listener.Fail(c.notification.ID, errno)
}

// blockingly makes a system call that may block until the ticket is withdrawn. Without a
// ticket it must not block.
func (c *call) blockingly(f func() error) error {
	t := c.wait
	if t == nil {
		return f()
	}
	if err := maskCancel(unix.SIG_UNBLOCK); err != nil {
		return err
	}
	t.thread.Store(int32(unix.Gettid()))
	var err error
	for !t.withdrawn.Load() {
		if err = f(); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	t.thread.Store(0)
	if maskErr := maskCancel(unix.SIG_BLOCK); maskErr != nil {
		panic(maskErr)
	}
	return err
}

func maskCancel(how int) error {
	var set unix.Sigset_t
	set.Val[0] = 1 << (cancelSignal - 1)
	return unix.PthreadSigmask(how, &set, nil)
}

func (p *parked) add(t *ticket) {
	p.mu.Lock()
	p.tickets[t] = struct{}{}
	p.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default:
	}
}

func (p *parked) remove(t *ticket) {
	p.mu.Lock()
	delete(p.tickets, t)
	p.mu.Unlock()
}

// attend looks after the calls that wait: one whose thread has ended, or has a signal to
// deal with, is withdrawn.
func (p *parked) attend(g *Gate) {
	const interval = 20 * time.Millisecond
	room := make([]byte, 8192)
	for range p.more {
		for {
			p.mu.Lock()
			tickets := make([]*ticket, 0, len(p.tickets))
			for t := range p.tickets {
				tickets = append(tickets, t)
			}
			p.mu.Unlock()
			if len(tickets) == 0 {
				break
			}
			started := time.Now()
			for _, t := range tickets {
				t.check(g, room)
			}
			// No more than a tenth of a CPU goes into this.
			time.Sleep(max(interval, 10*time.Since(started)))
		}
	}
}

// check withdraws a ticket that is not waited for any more.
func (t *ticket) check(g *Gate, room []byte) {
	if t.withdrawn.Load() || !g.listener.Valid(t.call.notification.ID) {
		t.withdraw()
		return
	}
	p, err := readPending("/proc/"+strconv.Itoa(int(t.call.notification.TID))+"/status", room)
	if err != nil {
		return
	}
	switch {
	case p.own != 0 || p.shared != 0 && p.threads == 1:
		t.restart = true
	case p.shared == 0:
		t.unclaimed = 0
		return
	default:
		// The kernel has chosen a thread to deal with it, most likely another: but
		// that would have done so by now, if it did not wait here too.
		const long = 5
		if t.unclaimed++; t.unclaimed < long {
			return
		}
	}
	t.withdraw()
}

// withdraw wakes whoever waits for the ticket's sake, again and again, since a signal may
// come before the system call that it is to interrupt.
func (t *ticket) withdraw() {
	t.withdrawn.Store(true)
	t.cancel()
	t.gate.pipes.look()
	if thread := t.thread.Load(); thread != 0 {
		_ = unix.Tgkill(unix.Getpid(), int(thread), cancelSignal)
	}
}
