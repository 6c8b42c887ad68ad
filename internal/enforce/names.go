package enforce

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
)

// makeEntry is mkdir, mknod and symlink.
func (c *call) makeEntry() error {
	text, err := c.linkText()
	if err != nil {
		return err
	}
	p, err := c.place(0)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := c.isFree(&p); err != nil {
		return err
	}
	if err := c.judgePlace(event.Create, &p, judgement{created: true}); err != nil {
		return err
	}
	c.naming.RLock()
	defer c.naming.RUnlock()
	err = c.withUmask(func() error {
		switch c.spec.Name {
		case "symlink", "symlinkat":
			return unix.Symlinkat(text, p.Dir, p.Name)
		case "mkdir":
			return unix.Mkdirat(p.Dir, p.Name, uint32(c.arg(1)))
		case "mkdirat":
			return unix.Mkdirat(p.Dir, p.Name, uint32(c.arg(2)))
		case "mknod":
			return makeNode(&p, uint32(c.arg(1)), c.arg(2))
		default:
			return makeNode(&p, uint32(c.arg(2)), c.arg(3))
		}
	})
	if err != nil {
		return err
	}
	return c.returns(0)
}

// isFree says EEXIST if something has the name already: then nothing is made, and nothing
// is to be judged. mkdir -p relies on it.
func (c *call) isFree(p *resolve.Place) error {
	if p.Fixed {
		return nil
	}
	if o, err := c.target.At(p); err == nil {
		o.Close()
		return unix.EEXIST
	}
	return nil
}

// linkText copies what a symbolic link is to say.
func (c *call) linkText() (string, error) {
	if c.spec.Op != event.OpSymlink {
		return "", nil
	}
	text, err := c.readString(c.arg(0), c.more)
	if err != nil {
		return "", err
	}
	if len(text) == 0 {
		return "", unix.ENOENT
	}
	return string(text), nil
}

// makeNode is mknod(2), but for devices: by one of them a disk is read past the names of
// its files. /dev/null and its like are harmless, and a whiteout, device 0, is none.
func makeNode(p *resolve.Place, mode uint32, device uint64) error {
	kind := mode & unix.S_IFMT
	if kind == unix.S_IFBLK || kind == unix.S_IFCHR && uint32(device) != 0 && !isMemory(uint64(uint32(device))) {
		return unix.EPERM
	}
	return unix.Mknodat(p.Dir, p.Name, mode, int(device))
}

// judgePlace asks the policy about a name that is made, removed or replaced. Of ".", ".."
// and "/" nothing comes but the kernel's error.
func (c *call) judgePlace(classes event.Class, p *resolve.Place, j judgement) error {
	if p.Fixed {
		return nil
	}
	return c.judge(classes, p.Path, j)
}

// remove is unlink and rmdir.
func (c *call) remove() error {
	p, err := c.place(0)
	if err != nil {
		return err
	}
	defer p.Close()
	// What is not there is not denied.
	if o, err := c.target.At(&p); err == nil {
		mode := o.Stat.Mode
		o.Close()
		if err := c.judgePlace(event.Delete, &p, judgement{mode: mode}); err != nil {
			return err
		}
	} else if !errors.Is(err, unix.ENOENT) || c.judgePlaceQuietly(event.Delete, &p) != nil {
		return err
	}
	flags := 0
	switch {
	case c.is("rmdir"):
		flags = unix.AT_REMOVEDIR
	case c.is("unlinkat"):
		flags = int(c.flags)
	}
	c.naming.RLock()
	defer c.naming.RUnlock()
	err = c.bound.unlinkIn(&p, func() error { return unix.Unlinkat(p.Dir, p.Name, flags) })
	if err != nil {
		return err
	}
	return c.returns(0)
}

// judgePlaceQuietly is judgePlace for what was not there a moment ago: it may come, but
// nobody is asked or told about it.
func (c *call) judgePlaceQuietly(classes event.Class, p *resolve.Place) error {
	if p.Fixed || c.wouldAllow(classes, p.Path) {
		return nil
	}
	return unix.ENOENT
}

// rename gives a file another name, between pinned directories.
func (c *call) rename() error {
	from, err := c.place(0)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := c.place(1)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := c.judgeRename(&from, &to); err != nil {
		return err
	}
	c.naming.RLock()
	defer c.naming.RUnlock()
	err = c.renameIn(&from, &to, func() error {
		return unix.Renameat2(from.Dir, from.Name, to.Dir, to.Name, uint(c.renameFlags()))
	})
	if err != nil {
		return err
	}
	return c.returns(0)
}

func (c *call) renameFlags() uint64 {
	if c.is("renameat2") {
		return c.flags
	}
	return 0
}

// judgeRename asks about both names, and about what each gets by the other's. If one of
// them is not there, or cannot be renamed, the kernel says so.
func (c *call) judgeRename(from, to *resolve.Place) error {
	if from.Fixed || to.Fixed {
		return nil
	}
	if from.Dev != to.Dev {
		return unix.EXDEV
	}
	old, err := c.target.At(from)
	if err != nil {
		return err
	}
	defer old.Close()
	exchange := c.renameFlags()&unix.RENAME_EXCHANGE != 0
	replaced, err := c.target.At(to)
	switch {
	case err == nil:
		defer replaced.Close()
		if c.renameFlags()&unix.RENAME_NOREPLACE != 0 {
			return unix.EEXIST
		}
	case !errors.Is(err, unix.ENOENT) || exchange:
		return err
	}
	oldClasses, newClasses := event.Delete, event.Create
	if exchange {
		oldClasses |= event.Create
	}
	if c.renameFlags()&unix.RENAME_NOREPLACE == 0 && (replaced.Exists() || !c.wouldAllow(event.Delete, to.Path)) {
		// It may be made meanwhile, so where a delete is denied a rename to what is
		// not there must not replace anything.
		if replaced.Exists() {
			newClasses |= event.Delete
		} else {
			c.flags |= unix.RENAME_NOREPLACE
		}
	}
	if err := c.judge(oldClasses, from.Path, judgement{mode: old.Stat.Mode}); err != nil {
		return err
	}
	if err := c.judge(newClasses, to.Path, judgement{created: true}); err != nil {
		return err
	}
	if err := c.judgeMove(from.Path, to.Path, old.Is(unix.S_IFDIR)); err != nil {
		return err
	}
	if exchange {
		return c.judgeMove(to.Path, from.Path, replaced.Is(unix.S_IFDIR))
	}
	return nil
}

// link gives a file one more name.
func (c *call) link() error {
	follow := c.is("linkat") && c.flags&unix.AT_SYMLINK_FOLLOW != 0
	o, err := c.existing(follow)
	if err != nil {
		return err
	}
	defer o.Close()
	to, err := c.place(1)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := c.isFree(&to); err != nil {
		return err
	}
	if err := c.judgeObject(event.Read, &o); err != nil {
		return err
	}
	if err := c.judgePlace(event.Create, &to, judgement{created: true}); err != nil {
		return err
	}
	if o.Named() && !to.Fixed {
		if err := c.judgeMove(o.Path, to.Path, false); err != nil {
			return err
		}
	}
	c.naming.RLock()
	defer c.naming.RUnlock()
	if err := unix.Linkat(unix.AT_FDCWD, resolve.LinkTo(o.FD), to.Dir, to.Name, unix.AT_SYMLINK_FOLLOW); err != nil {
		return err
	}
	return c.returns(0)
}
