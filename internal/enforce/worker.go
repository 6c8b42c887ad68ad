package enforce

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/notify"
	"github.com/turnstile-project/turnstile/internal/enforce/plan"
	"github.com/turnstile-project/turnstile/internal/event"
)

// worker is an OS thread that answers calls. It has a umask and credentials of its own,
// and takes no signals: one that came while a descriptor is given away would leave the
// target with an answer and without the descriptor.
type worker struct {
	*Gate
	index int // in the shift
	// acting is whose rights the thread has at the moment.
	acting identity
	own    call
	linked map[string]struct{} // see openPlainly
	room   []byte              // for a path
	more   []byte              // for the second path of a call
	// lastProgram made the call before.
	lastProgram string
}

// newWorker is to be followed by a goroutine that calls become.
func (g *Gate) newWorker() *worker {
	return &worker{Gate: g, acting: g.ours, linked: make(map[string]struct{})}
}

// become makes the calling goroutine a worker for good.
func (w *worker) become() error {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	w.room, w.more = make([]byte, unix.PathMax), make([]byte, unix.PathMax)
	all := unix.Sigset_t{}
	for i := range all.Val {
		all.Val[i] = ^uint64(0)
	}
	// A fault whose signal is blocked would end the process, and not the one call.
	for _, fault := range []unix.Signal{unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP, unix.SIGSYS} {
		all.Val[0] &^= 1 << (fault - 1)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, nil); err != nil {
		return fmt.Errorf("blocking signals: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("getting a umask of its own: %w", err)
	}
	return nil
}

// tenure is how long a worker keeps its processor in the eyes of the Go runtime. That looks
// every 20 µs, by a timer, after who has had one for 10 ms and is in system calls
// (runtime/proc.go, retake), and would interrupt one call in twenty for it.
const tenure = 8 * time.Millisecond

// serve answers calls until nobody makes any more.
func (w *worker) serve() {
	if err := w.become(); err != nil {
		w.news.fail(err)
		return // the others work on
	}
	pending := w.listener.Pending
	var yielded time.Time
	for {
		w.shift.wait(w.index)
		c := w.fresh()
		switch err := w.listener.Receive(&c.notification); {
		case errors.Is(err, notify.ErrEnded):
			return
		case err != nil:
			w.news.fail(err)
			return
		}
		c.received = time.Now()
		w.shift.begin(w.index, c.received, pending)
		c.handle()
		w.shift.end(w.index)
		if c.received.Sub(yielded) > tenure {
			runtime.Gosched()
			yielded = c.received
		}
	}
}

// fresh is the call of the worker, with the room of the one before.
func (w *worker) fresh() *call {
	w.own = call{worker: w, operands: w.own.operands[:0], judged: w.own.judged[:0]}
	return &w.own
}

// handle takes a call from its arguments to its answer. Whatever goes wrong denies it.
func (c *call) handle() {
	defer func() {
		if broken := recover(); broken != nil {
			c.news.fail(fmt.Errorf("answering %s: %v", c.name(), broken))
			c.fail(unix.EACCES)
		}
		c.release()
	}()
	if plan.ChangesCredentials(nativeABI, c.notification.Nr) {
		// Nothing is decided about it, so the kernel may read its arguments again.
		c.varied.Store(true)
		_ = c.listener.Continue(c.notification.ID)
		return
	}
	if err := c.take(); errors.Is(err, errElsewhere) {
		// Nothing is decided.
		_ = c.listener.Continue(c.notification.ID)
		return
	} else if err != nil {
		c.refuse(err)
		return
	}
	if c.answerAgain() {
		return
	}
	c.act()
}

// act does what the call asks for, as the target, and answers.
func (c *call) act() {
	err := c.asTarget(c.perform)
	var wait *waiting
	switch {
	case err == nil:
	case errors.As(err, &wait):
		c.park(wait)
	default:
		c.refuse(err)
	}
}

// perform is the effect of each operation, and its answer.
func (c *call) perform() error {
	switch c.spec.Op {
	case event.OpOpen:
		return c.open()
	case event.OpMkdir, event.OpMknod, event.OpSymlink:
		return c.makeEntry()
	case event.OpUnlink, event.OpRmdir:
		return c.remove()
	case event.OpRename:
		return c.rename()
	case event.OpLink:
		return c.link()
	case event.OpTruncate:
		return c.truncate()
	case event.OpChmod, event.OpChown, event.OpUtime, event.OpSetxattr, event.OpRemovexattr, event.OpSetflags:
		return c.setAttribute()
	case event.OpStat, event.OpAccess, event.OpReadlink, event.OpStatfs, event.OpGetxattr, event.OpListxattr, event.OpHandle:
		return c.look()
	case event.OpWatch:
		return c.watch()
	case event.OpConnect, event.OpBind, event.OpListen, event.OpSend:
		return c.useSocket()
	case event.OpExec:
		return c.execute()
	default:
		return fmt.Errorf("%s has no effect in this gate: %w", c.name(), unix.EPERM)
	}
}
