package collapse

import (
	"cmp"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

// paths are the patterns, with what stays closed beside them and what is told of them.
func (c *collapser) paths(seen []profile.SeenFile) *profile.Paths {
	known := make([]string, len(seen))
	for i := range seen {
		known[i] = seen[i].Path
	}
	slices.Sort(known)
	p := &profile.Paths{Files: make([]profile.File, 0, len(c.files)), Notes: c.notes}
	for _, f := range c.files {
		if f.covered {
			continue
		}
		pattern := f.pattern()
		p.Files = append(p.Files, profile.File{Pattern: pattern, Classes: f.classes, Code: f.code, Missing: f.missing})
		if f.tree {
			p.Closed = append(p.Closed, c.closedIn(f, pattern)...)
		}
		if f.wide && f.classes&^event.Stat != 0 {
			p.Widened = append(p.Widened, profile.Widened{Pattern: pattern, Classes: f.classes &^ event.Stat, Seen: f.seen, Example: f.example(known)})
		}
	}
	slices.SortStableFunc(p.Widened, func(a, b profile.Widened) int { return cmp.Compare(b.Seen, a.Seen) })
	p.Closed = c.except(p.Closed)
	return p
}

// closedIn is what stays closed in a tree.
func (c *collapser) closedIn(f *file, tree profile.Pattern) []profile.Closed {
	closed := c.closed(tree, f.classes)
	if f.base.Base == profile.CWD && f.path == "" && c.HomeDir != "" {
		// The working directory of the next run may be the home directory.
		closed = append(closed, c.closedHome(profile.Pattern{Base: profile.Home, At: c.HomeDir}, f.classes)...)
	}
	return closed
}

// except leaves out of what is closed the files that were seen. What was not done with them
// stays closed for each.
func (c *collapser) except(closed []profile.Closed) []profile.Closed {
	closed = sortedOnce(closed)
	var more []profile.Closed
	for _, f := range c.files {
		if f.tree || f.kept >= len(namesOf(f.path)) && !strings.Contains(f.path, "/.") {
			continue
		}
		names := f.absolute()
		for i := range closed {
			x := &closed[i]
			if !meet(encoded(x.Pattern), names) || x.Classes&f.classes == 0 {
				continue
			}
			x.Except = append(x.Except, f.pattern())
			if rest := x.Classes &^ f.classes; rest != 0 {
				more = append(more, profile.Closed{Pattern: f.pattern(), Classes: rest, Why: x.Why})
			}
		}
	}
	return append(closed, sortedOnce(more)...)
}

// sortedOnce are things that are closed by pattern, each once.
func sortedOnce(closed []profile.Closed) []profile.Closed {
	compare := func(a, b profile.Closed) int {
		return cmp.Or(strings.Compare(a.Pattern.String(), b.Pattern.String()), cmp.Compare(a.Classes, b.Classes))
	}
	slices.SortFunc(closed, compare)
	return slices.CompactFunc(closed, func(a, b profile.Closed) bool { return compare(a, b) == 0 })
}

// encoded are the names of a pattern as this package compares them.
func encoded(p profile.Pattern) []string {
	names := namesOf(strings.TrimSuffix(p.At, "/"))
	for _, n := range p.Names() {
		if len(n) == 0 {
			names = append(names, anyDepth)
		} else {
			names = append(names, strings.Join(n, wild))
		}
	}
	if p.Tree {
		names = append(names, anyDepth)
	}
	return names
}

// example is a file of the pattern that was not seen.
func (f *file) example(known []string) string {
	for _, word := range []string{"other", "1234", "else", "any", "unseen"} {
		path := f.base.at + strings.ReplaceAll(f.path, wild, word)
		if f.tree {
			path += "/" + word
		}
		if _, seen := slices.BinarySearch(known, path); !seen {
			return path
		}
	}
	return ""
}
