package enforce

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/notify"
	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
)

// fifos are opens of FIFOs that wait for the other end (fifo(7)). One thread looks after
// all of them: thousands may wait, and none of them may keep the one that it waits for
// from being opened.
type fifos struct {
	mu      sync.Mutex
	waiting []*fifo
	more    chan struct{}
}

// fifo is one open that waits.
type fifo struct {
	id      uint64 // of the notification
	call    *call  // nil while it is on its way here
	gone    bool   // nobody waits any more
	tried   bool   // after it was parked
	request openRequest
	object  int // O_PATH
	inode   uint64
	// reader is the descriptor of an open for reading, which is there from the
	// beginning: who opens the other end finds it. -1 for writing.
	reader int
	// met says that there was somebody at the other end, who may have left already;
	// writer is the descriptor that was opened for writing meanwhile, or -1.
	met    bool
	writer int
}

// newFIFOs is to be followed by a goroutine that looks after them.
func newFIFOs() *fifos { return &fifos{more: make(chan struct{}, 1)} }

// openFIFO opens a FIFO, or lets the open wait.
func (c *call) openFIFO(o *resolve.Object, r openRequest) (opened, error) {
	if r.creates() {
		if err := c.maySpoil(o); err != nil {
			return opened{}, err
		}
	}
	c.pipes.mu.Lock()
	defer c.pipes.mu.Unlock()
	c.pipes.dropGone(o.Stat.Ino, c.listener)
	n, err := c.reopen(o, r)
	switch mode := r.flags & unix.O_ACCMODE; {
	case r.has(unix.O_NONBLOCK), mode != unix.O_RDONLY && mode != unix.O_WRONLY:
	case mode == unix.O_RDONLY && err == nil && !hasWriter(n):
		return opened{}, c.waitFor(o, r, n)
	case mode == unix.O_WRONLY && errors.Is(err, unix.ENXIO):
		return opened{}, c.waitFor(o, r, -1)
	}
	if err != nil {
		return opened{}, err
	}
	c.meet(o.Stat.Ino, r.flags)
	return opened{n, true}, setFlags(n, r.flags)
}

// waitFor is the error of an open that has to wait, and is among those that do from now
// on.
func (c *call) waitFor(o *resolve.Object, r openRequest, reader int) error {
	object := -1
	if reader < 0 { // for the next try
		var err error
		if object, err = unix.FcntlInt(uintptr(o.FD), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return err
		}
	}
	w := &fifo{id: c.notification.ID, request: r, object: object, inode: o.Stat.Ino, reader: reader, writer: -1}
	c.pipes.waiting = append(c.pipes.waiting, w)
	return &waiting{fifo: w}
}

// meet is called by who has opened a FIFO, and holds the descriptor: those who wait for
// that must not miss it, however short the target keeps it.
func (w *worker) meet(inode, flags uint64) {
	mode := flags & unix.O_ACCMODE
	for _, f := range w.pipes.waiting {
		switch {
		case f.inode != inode || f.met || !w.listener.Valid(f.id):
		case f.reader >= 0 && mode != unix.O_RDONLY:
			f.met = true
		case f.reader < 0 && mode != unix.O_WRONLY:
			// Its rights were looked at when it was tried first.
			w.asTracer(func() {
				if n, err := resolve.Reopen(f.object, reopenFlags(f.request)|unix.O_NONBLOCK); err == nil {
					f.met, f.writer = true, n
				}
			})
		}
	}
	w.pipes.look()
}

// add says whose open it is that waits.
func (f *fifos) add(w *fifo, c *call) {
	f.mu.Lock()
	w.call = c
	f.mu.Unlock()
	f.look()
}

// dropGone closes the descriptors of opens of a FIFO that nobody waits for any more: who
// opens the other end must not find them.
func (f *fifos) dropGone(inode uint64, l *notify.Listener) {
	for _, w := range f.waiting {
		if w.inode == inode && w.reader >= 0 && !l.Valid(w.id) {
			_ = unix.Close(w.reader)
			w.reader, w.gone = -1, true
		}
	}
}

// look has the waiting ones looked at: an end was opened.
func (f *fifos) look() {
	select {
	case f.more <- struct{}{}:
	default:
	}
}

func (f *fifo) close() {
	for _, fd := range []int{f.object, f.reader, f.writer} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// attendFIFOs answers the opens that need not wait any more. Ends that processes outside
// open are found by looking now and then.
func (w *worker) attendFIFOs() {
	if err := w.become(); err != nil {
		w.news.fail(err)
	}
	const interval = 20 * time.Millisecond
	var tick <-chan time.Time
	for {
		all := false
		select {
		case <-w.pipes.more:
		case <-tick:
			all, tick = true, nil
		}
		started := time.Now()
		w.pipes.mu.Lock()
		w.pipes.waiting = slices.DeleteFunc(w.pipes.waiting, func(f *fifo) bool {
			return (all || f.hasNews()) && w.tryFIFO(f)
		})
		left := len(w.pipes.waiting)
		w.pipes.mu.Unlock()
		if left > 0 && tick == nil {
			tick = time.After(max(interval, 10*time.Since(started)))
		}
	}
}

// hasNews says whether something is known to have changed for an open.
func (f *fifo) hasNews() bool {
	return f.met || f.gone || f.call != nil && (!f.tried || f.call.wait.withdrawn.Load())
}

// tryFIFO answers an open if its other end is there, or nobody waits for it any more.
func (w *worker) tryFIFO(f *fifo) (done bool) {
	c := f.call
	if c == nil {
		return false
	}
	c.worker, f.tried = w, true
	defer func() {
		if broken := recover(); broken != nil {
			w.news.fail(fmt.Errorf("opening a FIFO: %v", broken))
			c.fail(unix.EACCES)
			done = true
		}
		if done {
			f.close()
			c.parked.remove(c.wait)
			c.wait = nil
			c.release()
		}
	}()
	if f.gone || !w.listener.Valid(f.id) || !f.met && c.wait.withdrawn.Load() {
		c.withdraw(c.wait)
		return true
	}
	n := -1
	switch {
	case f.writer >= 0:
		n, f.writer = f.writer, -1
	case f.reader >= 0 && (f.met || hasWriter(f.reader)):
		n, f.reader = f.reader, -1
	case f.reader < 0:
		err := c.asTarget(func() (err error) {
			n, err = resolve.Reopen(f.object, reopenFlags(f.request)|unix.O_NONBLOCK)
			return err
		})
		if errors.Is(err, unix.ENXIO) {
			return false
		}
		if err != nil {
			c.refuse(err)
			return true
		}
	default:
		return false
	}
	if err := setFlags(n, f.request.flags); err != nil {
		_ = unix.Close(n)
		c.refuse(err)
		return true
	}
	w.meet(f.inode, f.request.flags)
	if err := c.give(n, f.request.flags&unix.O_CLOEXEC != 0, true); err != nil {
		c.refuse(err)
	}
	return true
}

// hasWriter says whether somebody has a FIFO open for writing, or has left something in
// it: tee(2) copies nothing, and says what it would have waited for.
//
// A writer that has come and gone since the FIFO was opened leaves a hangup.
func hasWriter(reader int) bool {
	polled := []unix.PollFd{{Fd: int32(reader), Events: unix.POLLIN}}
	if n, err := unix.Poll(polled, 0); err == nil && n > 0 {
		return true
	}
	nowhere, err := scratchPipe()
	if err != nil {
		return false
	}
	const nonblock = 2 // SPLICE_F_NONBLOCK, include/linux/splice.h
	n, err := unix.Tee(reader, nowhere, 1, nonblock)
	return n > 0 || errors.Is(err, unix.EAGAIN)
}

// scratchPipe is the end of a pipe for what is never left in it: a FIFO with something in
// it polls as readable.
var scratchPipe = sync.OnceValues(func() (int, error) {
	var ends [2]int
	err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK)
	return ends[1], err
})
