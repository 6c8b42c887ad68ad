package enforce

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/notify"
	"github.com/turnstile-project/turnstile/internal/event"
)

// returns lets the call return a value.
func (c *call) returns(value int64) error {
	c.news.meet(c)
	c.settle(event.Outcome{Known: true, Ret: value}, c.listener.Return(c.notification.ID, value), -1)
	return nil
}

// fail lets the call fail.
func (c *call) fail(errno unix.Errno) {
	if c.answered {
		return
	}
	c.news.meet(c)
	c.settle(event.Outcome{Known: true, Errno: event.Errno(errno)}, c.listener.Fail(c.notification.ID, errno), -1)
}

// give gives the target a copy of a descriptor and lets the call return its number. What
// was opened is closed here before the target runs on, if it would notice: a program that
// is open for writing cannot be executed, and a pipe has no end while somebody holds it.
func (c *call) give(fd int, closeOnExec, noticed bool) error {
	c.news.meet(c)
	if !noticed {
		err := c.listener.AddAndReturn(c.notification.ID, fd, closeOnExec)
		if err != nil && !errors.Is(err, notify.ErrGone) {
			_ = unix.Close(fd)
			return err
		}
		c.settle(event.Outcome{Known: true}, err, fd)
		return nil
	}
	number, err := c.listener.Add(c.notification.ID, fd, closeOnExec)
	if err != nil && !errors.Is(err, notify.ErrGone) {
		_ = unix.Close(fd)
		return err
	}
	if err != nil {
		c.settle(event.Outcome{Known: true}, err, fd)
		return nil
	}
	_ = unix.Close(fd)
	return c.returns(int64(number))
}

// settle ends the call: it is told, and what the target did not get is kept for it.
func (c *call) settle(outcome event.Outcome, err error, fd int) {
	c.answered = true
	if errors.Is(err, notify.ErrGone) && c.undone.keep(c, outcome, fd) {
		return
	}
	if fd >= 0 {
		_ = unix.Close(fd)
	}
	if err != nil && !errors.Is(err, notify.ErrGone) {
		c.news.fail(err)
		return
	}
	c.news.tell(c, outcome)
}
