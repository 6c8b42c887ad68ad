package enforce

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// undelivered are results that their calls did not wait for. Before Linux 5.19 a signal
// takes a call back after it was received, and the target makes it again: what was done
// must not be done twice.
type undelivered struct {
	mu      sync.Mutex
	results []result // the newest last
}

// result is what a call would have got.
type result struct {
	tid      uint32
	nr       int32
	args     [6]uint64
	operands []string
	outcome  event.Outcome
	fd       int // -1 if it is no descriptor
}

// maxUndelivered bounds the results. What is older will not be asked for any more.
const maxUndelivered = 256

// keep stores the result of a call, if it can come again, and says so.
func (u *undelivered) keep(c *call, outcome event.Outcome, fd int) bool {
	if c.listener.Killable || outcome.Errno != 0 {
		return false // it is dead, or fails again
	}
	r := result{tid: c.notification.TID, nr: c.notification.Nr, args: c.notification.Args, outcome: outcome, fd: fd}
	for _, o := range c.operands {
		r.operands = append(r.operands, o.name)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.results = append(u.results, r)
	if len(u.results) > maxUndelivered {
		u.results[0].drop()
		u.results = slices.Delete(u.results, 0, 1)
	}
	return true
}

func (r *result) drop() {
	if r.fd >= 0 {
		_ = unix.Close(r.fd)
	}
}

// take finds the result of a call that was made before, and forgets what else its thread
// has left: it goes on without.
func (u *undelivered) take(c *call) (found result, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.results = slices.DeleteFunc(u.results, func(r result) bool {
		if r.tid != c.notification.TID {
			return false
		}
		if r.nr == c.notification.Nr && r.args == c.notification.Args && slices.EqualFunc(r.operands, c.operands, func(name string, o operand) bool { return name == o.name }) {
			found, ok = r, true
		} else {
			r.drop()
		}
		return true
	})
	return found, ok
}

// answerAgain gives a call what it would have got the first time, if there is such.
func (c *call) answerAgain() bool {
	if c.listener.Killable {
		return false
	}
	r, ok := c.undone.take(c)
	if !ok {
		return false
	}
	if r.fd >= 0 {
		_ = c.give(r.fd, c.flags&unix.O_CLOEXEC != 0, false)
		return true
	}
	_ = c.returns(r.outcome.Ret)
	return true
}
