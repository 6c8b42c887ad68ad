package collapse

import (
	"path"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

// How many files of a directory stand for all of it.
const (
	// siblings with the same classes and ending, for those with that ending.
	siblings = 8
	// descendants in so many directories, for the whole tree.
	descendants, branches = 24, 4
)

// use is what is done with files that are taken together. What is executed, connected to
// or bound is never.
type use struct {
	classes event.Class
	changes bool
}

var (
	reading  = use{event.Read | event.List | event.Stat, false}
	changing = use{reading.classes | changes, true}
)

// has says whether a file is one of those. One that has several names is not: its names
// are to be allowed the same, and not what a directory is.
func (u use) has(f *file) bool {
	if f.tree || f.linked || f.code&profile.Program != 0 || f.kept < len(namesOf(f.path)) {
		return false
	}
	classes := f.classes
	if f.code != 0 {
		classes &^= event.Exec // it is not executed by its name
	}
	return classes&^u.classes == 0 && classes&^event.Stat != 0 && (classes&changes != 0) == u.changes
}

// depth is how many names below its base a directory has at least of which all may be used,
// and whether any may.
func (u use) depth(f *file) (least int, may bool) {
	names := namesOf(f.path)
	switch f.base.Base {
	case profile.CWD:
		if !u.changes {
			return 0, true
		}
		return 1, true
	case profile.Tmp:
		return 1, true
	case profile.Home:
		return 2, true
	}
	const fixed = 3 // /usr/lib/python3, /usr/share/zoneinfo
	if len(names) == 0 {
		return fixed, false
	}
	switch first := names[0]; {
	case first == "proc", first == "sys", first == "dev", first == "run":
		return fixed, false
	case u.changes && (public[first] || first == "etc" || first == "boot"):
		return fixed, false
	}
	return fixed, true
}

// takeTogether puts patterns for directories in the place of many files with one use.
func (c *collapser) takeTogether(u use) {
	var some, rest []*file
	programs := c.movesPrograms()
	for _, f := range c.files {
		if u.has(f) && (!programs || !f.renamed) {
			some = append(some, f)
		} else {
			rest = append(rest, f)
		}
	}
	t := together{collapser: c, use: u, out: rest}
	if u.changes {
		for _, f := range rest {
			if f.linked {
				t.linked = append(t.linked, f)
			}
		}
	}
	for from := 0; from < len(some); {
		to := from
		for to < len(some) && some[to].base == some[from].base {
			to++
		}
		t.directory(some[from:to], "")
		from = to
	}
	c.files = t.out
}

// together takes files of one base and one use together.
type together struct {
	*collapser
	use
	out []*file
	// linked are files that no pattern of changes has to have.
	linked []*file
}

// directory takes what is at and below one directory together, in order.
func (t *together) directory(files []*file, dir string) {
	if tree := t.tree(files, dir); tree != nil {
		t.out = append(t.out, tree)
		return
	}
	var leaves []*file
	for from := 0; from < len(files); {
		f := files[from]
		if f.path == dir {
			t.out = append(t.out, f)
			from++
			continue
		}
		name, _, _ := strings.Cut(f.path[len(dir)+1:], "/")
		child := dir + "/" + name
		to := from
		for to < len(files) && isAtOrBelow(files[to].path, child) {
			to++
		}
		if to == from+1 && f.path == child {
			leaves = append(leaves, f)
		} else {
			t.directory(files[from:to], child)
		}
		from = to
	}
	t.stars(leaves, dir)
}

func isAtOrBelow(path, dir string) bool {
	return strings.HasPrefix(path, dir) && (len(path) == len(dir) || path[len(dir)] == '/')
}

// tree is the pattern for all below a directory, nil if there is too little in it that was
// used, or something that must not be.
func (t *together) tree(files []*file, dir string) *file {
	if len(files) < descendants {
		return nil
	}
	least, may := t.depth(files[0])
	if !may || strings.Count(dir, "/") < least {
		return nil
	}
	tree := &file{base: files[0].base, path: dir, tree: true, wide: true, kept: len(dir)}
	last, children := "", 0
	for _, f := range files {
		tree.take(f)
		if len(f.path) == len(dir) {
			continue
		}
		if name, _, isDir := strings.Cut(f.path[len(dir)+1:], "/"); isDir && name != last {
			last = name
			children++
		}
	}
	tree.classes |= event.List & t.classes
	if children < branches || !t.mayBe(tree) {
		return nil
	}
	return tree
}

// mayBe says whether a pattern has nothing that it must not have.
func (t *together) mayBe(f *file) bool {
	names := f.absolute()
	return !t.meets(names, f.classes) &&
		!slices.ContainsFunc(t.linked, func(linked *file) bool { return meet(names, linked.absolute()) })
}

// take adds what a file is allowed, without what is not taken together.
func (f *file) take(other *file) {
	f.classes |= other.classes & (event.Read | event.List | event.Stat | changes | event.Exec)
	f.code |= other.code
	f.seen += other.seen
	f.renamed = f.renamed || other.renamed
}

// shape is what siblings that are taken together have in common.
type shape struct {
	classes event.Class
	code    profile.Code
	missing bool
	hidden  bool // a wildcard at the beginning does not have it
	end     string
}

// stars puts patterns in the place of many files of one directory.
func (t *together) stars(leaves []*file, dir string) {
	groups := make(map[shape][]*file)
	for _, f := range leaves {
		s := shapeOf(f)
		groups[s] = append(groups[s], f)
	}
	for s, members := range groups {
		star := &file{base: members[0].base, path: dir + "/" + wild + s.end, wide: true, missing: s.missing, kept: len(dir) + 1}
		for _, f := range members {
			star.take(f)
		}
		if !s.hidden && len(members) >= siblings && t.mayAll(star, dir) {
			members = []*file{star}
		}
		t.out = append(t.out, members...)
	}
}

func shapeOf(f *file) shape {
	name := path.Base(f.path)
	return shape{f.classes &^ event.Stat, f.code, f.missing, strings.HasPrefix(name, "."), ending(name)}
}

// mayAll says whether a pattern for files of one directory may be.
func (t *together) mayAll(g *file, dir string) bool {
	least, may := t.depth(g)
	return may && strings.Count(dir, "/") >= least && t.mayBe(g)
}

// ending is what kind of file a name says it is, "" if it does not.
func ending(name string) string {
	if i := strings.Index(name, ".so."); i > 0 {
		return ".so." + wild
	}
	const long = len(".sqlite")
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || strings.Contains(name[i:], wild) || len(name)-i > long {
		return ""
	}
	return name[i:]
}

// isAbove says whether another file is at or below this one.
func (f *file) isAbove(other *file) bool {
	return f.base == other.base && isAtOrBelow(other.path, f.path)
}

// absorb leaves out what a tree above it has.
func (c *collapser) absorb() {
	var above []*file
	programs := c.movesPrograms()
	out := c.files[:0]
	for _, f := range c.files {
		for len(above) > 0 && !above[len(above)-1].isAbove(f) {
			above = above[:len(above)-1]
		}
		for _, tree := range above {
			if f != tree && f.code&profile.Program == 0 && (!programs || !f.renamed) && f.classes&^(tree.classes|event.Stat) == 0 {
				tree.take(f)
				f.covered = true
				break
			}
		}
		if f.covered && !f.linked && f.kept >= len(namesOf(f.path)) {
			continue // nothing beside the tree is about it
		}
		if f.tree {
			above = append(above, f)
		}
		out = append(out, f)
	}
	clear(c.files[len(out):])
	c.files = out
}
