package enforce

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/notify"
	"github.com/turnstile-project/turnstile/internal/enforce/plan"
	"github.com/turnstile-project/turnstile/internal/event"
)

// leaveOpen lets the kernel make an open whose path lies in a grant of Landlock, and says
// whether it has. A path with links, or with "..", may lead out of it: that is not left,
// since the policy could allow what Landlock does not, and people are to be told.
func (c *call) leaveOpen(r openRequest) (left bool, err error) {
	o := &c.operands[0]
	// The flags of openat2 are in memory.
	if c.bound == nil || c.is("openat2") || plan.Unbound(r.flags, c.bound.abi) || !isPlainName(o) {
		return false, nil
	}
	name, ok := c.plainPath(o)
	if !ok {
		return false, nil
	}
	has := c.bound.current(c.root, c.received).of(name)
	if has == 0 || c.couldDo(r)&c.filter.Classes&^c.bound.held != 0 {
		return false, nil
	}
	mode, created, err := c.probe(o, r)
	if err != nil {
		return errors.Is(err, unix.ENOENT), err
	}
	classes := r.classes(mode, created)
	decision := c.policy.Decide(classes, c.pathOf(name))
	if classes&c.filter.Classes&^has != 0 || decision.Verdict != event.VerdictAllow {
		return false, nil
	}
	c.judged = append(c.judged, judgement{classes: classes, path: name, mode: mode, created: created, decision: decision})
	c.news.meet(c)
	// CONTINUE. The flags are in a register. The path can be another by now, or lead
	// elsewhere, but Landlock holds each class that an open with these flags could be of
	// and that some rule restricts. It grants only what the policy allows whatever else
	// is true, under any name that its directory has had.
	err = c.listener.Continue(c.notification.ID)
	c.answered = true
	switch {
	case err == nil:
		c.news.tell(c, event.Outcome{})
	case !errors.Is(err, notify.ErrGone): // it comes again, or never
		c.news.fail(err)
	}
	return true, nil
}

// couldDo are the classes that an open with these flags can be of, whatever it finds.
func (c *call) couldDo(r openRequest) event.Class {
	return r.classes(unix.S_IFREG, r.creates()) | r.classes(unix.S_IFDIR, r.creates())
}

// probe looks what a path without links leads to: a directory, something else, or what is
// to be made. The error is ENOENT if it is missing, and another if it is not such a path.
func (c *call) probe(o *operand, r openRequest) (mode uint32, created bool, err error) {
	dir := o.dir
	if dir < 0 {
		dir = c.root
	}
	// It opens nothing: what is no directory is ENOTDIR.
	fd, err := unix.Openat2(dir, o.name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	})
	switch {
	case err == nil:
		_ = unix.Close(fd)
		return unix.S_IFDIR, false, nil
	case errors.Is(err, unix.ENOTDIR):
		return unix.S_IFREG, false, nil
	case errors.Is(err, unix.ENOENT) && r.creates():
		return unix.S_IFREG, true, nil
	}
	return 0, false, err
}
