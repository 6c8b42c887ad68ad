package enforce

import (
	"errors"
	"maps"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/plan"
	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/landlock"
	"github.com/turnstile-project/turnstile/internal/policy"
)

// bound is the Landlock ruleset around the target. Below what it grants the kernel may be
// left to open files: it reads the path again, but whatever it finds is granted, or
// Landlock denies it. All grants were allowed by the policy when they were made.
//
// A grant goes with its directory, and the policy by names. So the names of granted
// directories are known at any time, and a rename after which the policy would say less
// of one is refused.
type bound struct {
	ruleset *landlock.Ruleset
	abi     int
	held    event.Class
	grants  atomic.Pointer[grants]
	// moving is held by who changes the names of directories.
	moving  sync.Mutex
	checked atomic.Int64 // nanoseconds since 1970
	// lost says that a granted directory is not where it was, and that it was not the
	// gate that moved it.
	lost atomic.Bool
}

// grants are what is granted, by name. They are never changed, but replaced.
type grants map[string]granted

type granted struct {
	classes  event.Class
	dev, ino uint64
	// directory says that it has all that is below it.
	directory bool
}

// newBound makes the ruleset of a plan, nil if Landlock holds nothing.
func newBound(b *plan.Bound) (*bound, error) {
	if b == nil || b.Held == 0 && b.Network == 0 && b.Scope == 0 {
		return nil, nil
	}
	held, _ := plan.Rights(b.Held, b.ABI)
	ruleset, err := landlock.New(held, b.Network, b.Scope)
	if err != nil {
		return nil, err
	}
	all := make(grants, len(b.Grants))
	for _, g := range b.Grants {
		made, err := grantTo(ruleset, g, b.ABI)
		if errors.Is(err, errChanged) {
			continue
		}
		if err != nil {
			return nil, errors.Join(err, ruleset.Close())
		}
		all[g.Path] = made
	}
	bd := &bound{ruleset: ruleset, abi: b.ABI, held: b.Held}
	bd.grants.Store(&all)
	return bd, nil
}

// grantTo adds a grant to a ruleset. errChanged says that it is not there any more.
func grantTo(ruleset *landlock.Ruleset, g plan.Grant, abi int) (granted, error) {
	fd, err := plan.Open(g.Path)
	if err != nil {
		return granted{}, errChanged
	}
	defer func() { _ = unix.Close(fd) }()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return granted{}, err
	}
	if g.Directory != (stat.Mode&unix.S_IFMT == unix.S_IFDIR) {
		return granted{}, errChanged
	}
	_, rights := plan.Rights(g.Classes, abi)
	if !g.Directory {
		rights &= landlock.OfFiles
	}
	if err := ruleset.Grant(fd, rights); err != nil {
		return granted{}, err
	}
	return granted{g.Classes, stat.Dev, stat.Ino, g.Directory}, nil
}

// enclose puts the ruleset around the calling thread.
func (b *bound) enclose() error {
	return errors.Join(b.ruleset.RestrictThread(), b.ruleset.Close())
}

// of are the classes that are granted for an existing file of a name. What is made or
// removed needs a grant of its directory.
func (g grants) of(name string) event.Class {
	classes := g[name].classes
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '/' {
			if dir := g[name[:max(i, 1)]]; dir.directory {
				classes |= dir.classes
			}
		}
	}
	return classes
}

// current are the grants below which opens may be left to the kernel. Who is not the
// target may move what is granted, which is looked for from time to time: a file is
// forgotten, but of a directory it is not known what it is called now, so then nothing is
// left any more. What is known of the others is kept, for renameIn.
func (b *bound) current(root int, now time.Time) grants {
	const interval = 100 * time.Millisecond
	if last := b.checked.Load(); now.UnixNano()-last > int64(interval) && b.checked.CompareAndSwap(last, now.UnixNano()) {
		b.check(root)
	}
	if b.lost.Load() {
		return nil
	}
	return *b.grants.Load()
}

func (b *bound) check(root int) {
	b.moving.Lock()
	defer b.moving.Unlock()
	for name, g := range *b.grants.Load() {
		switch {
		case g.isAt(root, name):
		case g.directory:
			b.lost.Store(true)
		default:
			b.replaceLocked(func(all grants) { delete(all, name) })
		}
	}
}

// isAt says whether a name leads to what was granted.
func (g *granted) isAt(root int, name string) bool {
	var stat unix.Stat_t
	err := unix.Fstatat(root, "."+name, &stat, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && stat.Dev == g.dev && stat.Ino == g.ino
}

func (b *bound) replaceLocked(change func(grants)) {
	all := maps.Clone(*b.grants.Load())
	change(all)
	b.grants.Store(&all)
}

// unlinkIn removes a name, and the grant that it had: what is made in its place is another
// file.
func (b *bound) unlinkIn(p *resolve.Place, unlink func() error) error {
	if b == nil || len(*b.grants.Load()) == 0 {
		return unlink()
	}
	b.moving.Lock()
	defer b.moving.Unlock()
	name, err := nameIn(p)
	if err != nil {
		return err
	}
	if err := unlink(); err != nil {
		return err
	}
	if _, found := (*b.grants.Load())[name]; found {
		b.replaceLocked(func(all grants) { delete(all, name) })
	}
	return nil
}

// renameIn renames, and carries the names of grants along. A directory is refused to get a
// name under which the policy does not allow all that is granted: Landlock would go on to
// grant it. No directory on either path gets another name meanwhile.
func (c *call) renameIn(from, to *resolve.Place, rename func() error) error {
	b := c.bound
	if b == nil || len(*b.grants.Load()) == 0 {
		return rename()
	}
	b.moving.Lock()
	defer b.moving.Unlock()
	old, err := nameIn(from)
	if err != nil {
		return err
	}
	replaced, err := nameIn(to)
	if err != nil {
		return err
	}
	moved, err := c.movedGrants(old, replaced)
	if err != nil {
		return err
	}
	if err := rename(); err != nil {
		return err
	}
	b.grants.Store(&moved)
	return nil
}

// movedGrants are the grants after a rename.
func (c *call) movedGrants(from, to string) (grants, error) {
	exchange := c.renameFlags()&unix.RENAME_EXCHANGE != 0
	moved := grants{}
	for name, g := range *c.bound.grants.Load() {
		rest, isMoved := below(name, from)
		target := to
		if !isMoved {
			if rest, isMoved = below(name, to); isMoved && !exchange {
				continue // it is replaced
			}
			target = from
		}
		if !isMoved {
			moved[name] = g
			continue
		}
		if by, ok := c.keepsGrant(g, target+rest); !ok {
			c.judged = append(c.judged, judgement{classes: event.Delete | event.Create, path: to, by: by, decision: policy.Decision{Verdict: event.VerdictDeny}})
			return nil, denied{unix.EACCES}
		}
		moved[target+rest] = g
	}
	return moved, nil
}

// keepsGrant says whether all that is granted of a directory is allowed under another name,
// and else which rule is in the way. Who has a file granted could have kept it open.
func (c *call) keepsGrant(g granted, name string) (by string, ok bool) {
	for class := event.Class(1); class <= g.classes && g.directory; class <<= 1 {
		if g.classes&class == 0 {
			continue
		}
		if extent, r := c.policy.Extent(class, name); extent != policy.All {
			return policy.Decision{Rule: r}.By(), false
		}
	}
	return "", true
}

// nameIn is the name of a place now.
func nameIn(p *resolve.Place) (string, error) {
	dir, err := resolve.NameOf(p.Dir)
	if err != nil {
		return "", err
	}
	return path.Join(dir, p.Name), nil
}

// below is what a name has behind that of a directory.
func below(name, dir string) (rest string, has bool) {
	rest, has = strings.CutPrefix(name, dir)
	return rest, has && (rest == "" || rest[0] == '/')
}
