package collapse

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Options say what is taken together, and where the machine has its directories.
type Options struct {
	Kinds
	// HomeDir, WorkingDir and TmpDir are paths without links, "" if they are not known.
	HomeDir, WorkingDir, TmpDir string
}

// Of is what the files of a trace come to.
func Of(d *trace.Document, o Options) *profile.Paths {
	seen, notes := profile.SeenFiles(d)
	c := collapser{
		Options: o, bases: o.bases(), catalogue: newCatalogue(o.HomeDir), pids: pidsOf(d),
		fans: make(map[string]struct{}), notes: notes, files: make([]*file, 0, len(seen)),
	}
	for i := range seen {
		c.add(&seen[i])
	}
	c.spread()
	c.merge()
	if o.has(Dirs) {
		c.takeTogether(reading)
		c.takeTogether(changing)
		c.merge()
		c.absorb()
	}
	c.letMove()
	return c.paths(seen)
}

type collapser struct {
	Options
	*catalogue
	bases []base
	pids  map[string]struct{}
	// fans are directories, as bases and paths, with directories named by the first
	// bytes of hashes.
	fans  map[string]struct{}
	notes []string
	files []*file
}

// file is a pattern in the making.
type file struct {
	base    *base
	path    string // below the base; names with [wild]
	tree    bool   // all below is meant too
	classes event.Class
	code    profile.Code
	missing bool
	seen    int
	wide    bool // it has, or may have, more than was seen
	// renamed and linked are those of a [profile.SeenFile].
	renamed, linked bool
	// covered says that a tree allows it.
	covered bool
	// names from kept on stay as they are.
	kept int
}

// base is where patterns start.
type base struct {
	profile.Base
	at string // "" for the root
}

// bases are the directories that are variables, and at last the root.
func (o *Options) bases() []base {
	var all []base
	add := func(kind Kinds, b profile.Base, at string) {
		if at = path.Clean("/" + at); o.has(kind) && at != "/" {
			all = append(all, base{b, at})
		}
	}
	add(CWD, profile.CWD, o.WorkingDir)
	add(Tmp, profile.Tmp, o.TmpDir)
	add(Home, profile.Home, o.HomeDir)
	slices.SortStableFunc(all, func(a, b base) int { return cmp.Compare(len(b.at), len(a.at)) })
	return append(all, base{})
}

// split is the base of a path, and the rest of it.
func (c *collapser) split(p string) (*base, string) {
	for i := range c.bases {
		b := &c.bases[i]
		if rest, is := strings.CutPrefix(p, b.at); is && (rest == "" || rest[0] == '/') {
			return b, strings.TrimSuffix(rest, "/")
		}
	}
	return nil, "" // not reached: the root has all
}

// pidsOf are the numbers of processes that are long enough to be told from counters.
func pidsOf(d *trace.Document) map[string]struct{} {
	pids := make(map[string]struct{})
	for _, p := range d.Processes {
		const counter = 100
		if p.PID >= counter {
			pids[strconv.Itoa(int(p.PID))] = struct{}{}
		}
	}
	return pids
}

// add makes a pattern of a file.
func (c *collapser) add(s *profile.SeenFile) {
	b, rest := c.split(s.Path)
	f := &file{base: b, classes: s.Classes, code: s.Code, missing: s.Missing, seen: 1, renamed: s.Renamed, linked: s.Linked}
	absolute, names := namesOf(s.Path), namesOf(rest)
	skip := len(absolute) - len(names)
	f.kept = max(c.keeps(absolute, s.Classes)-skip, 0)
	if s.Missing && f.kept < len(names) {
		return // it is not asked about unless somebody puts it there
	}
	if s.Folded && (f.kept < len(names) || c.meets(append(absolute, wild), s.Classes)) {
		c.notes = append(c.notes, "files in \""+s.Path+"\" are not allowed: the trace does not say which were used, and it has sensitive ones")
		return
	}
	if special, is := c.special(names, b); is {
		f.path, f.kept = special, 0
	} else {
		f.path = c.general(f, rest, names, absolute)
	}
	if s.Folded {
		f.path += "/" + wild
		f.kept++
	}
	f.wide = strings.Contains(f.path, wild)
	c.files = append(c.files, f)
}

// special is for files of the kernel whose names are numbers.
func (c *collapser) special(names []string, b *base) (string, bool) {
	if b.at != "" || !c.has(Tmp) || len(names) < 3 {
		return "", false
	}
	isNumber := func(name string) bool { return name != "" && all(name, isDigit) }
	switch {
	case names[0] == "dev" && names[1] == "pts" && isNumber(names[2]):
		return "/dev/pts/" + wild, true
	case names[0] != "proc":
		return "", false
	}
	changed := slices.Clone(names)
	if isNumber(names[1]) && len(names) == 3 && isTold(names[2]) {
		changed[1] = wild
	}
	if names[1] == "self" && len(names) > 3 && slices.Contains([]string{"task", "fd", "fdinfo"}, names[2]) && isNumber(names[3]) {
		changed[3] = wild
	}
	return "/" + strings.Join(changed, "/"), true
}

// isTold says whether a file of a process in /proc is what ps(1) reads, with nothing in it
// that a process keeps for itself.
func isTold(name string) bool {
	return slices.Contains([]string{"stat", "statm", "status", "comm", "cmdline", "cgroup"}, name)
}

// general puts wildcards in the names of a path.
func (c *collapser) general(f *file, path string, names, absolute []string) string {
	changed := slices.Clone(names)
	for i, name := range names {
		if i < f.kept {
			last := i == len(names)-1
			made := event.Class(0)
			if last {
				made = f.classes & (event.Create | event.Delete)
			}
			changed[i] = c.name(name, c.placeOf(f.base, absolute, len(absolute)-len(names)+i), made)
			if last && c.has(Tmp) && isGitProbe(f, names) {
				changed[i] = name[:1] + wild
			}
		}
	}
	if c.has(Hashes) {
		c.findFans(f, names, changed)
	}
	for i, name := range changed {
		depth := len(absolute) - len(names) + i + 1
		if name != names[i] && (depth <= c.deepest || inHidden(changed[:i])) && c.meets(append(absolute[:depth-1-i:depth-1-i], changed[:i+1]...), f.classes) {
			changed[i] = names[i] // it would be something sensitive, too
		}
	}
	if slices.Equal(changed, names) {
		return path // most are as they were, and share their bytes with the trace
	}
	return "/" + strings.Join(changed, "/")
}

// inHidden says whether one of some names is that of a hidden directory.
func inHidden(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, ".") })
}

// name puts wildcards in one name.
func (c *collapser) name(name string, where place, made event.Class) string {
	if c.has(Tmp) {
		name = randomless(name, where, made)
		if where == temporary || made&event.Create != 0 {
			name = c.pidless(name)
		}
	}
	if c.has(Hashes) && len(name) >= minHash {
		name = hashless(name)
	}
	if c.has(Versions) {
		name = versionless(name)
	}
	return name
}

// isGitProbe says whether a file is what git-init makes and removes to see whether links
// can be made: a t and bytes of mkstemp(3) in .git.
func isGitProbe(f *file, names []string) bool {
	const made, length = event.Create | event.Delete, len("t") + madeUp
	n := len(names)
	return f.classes&made == made && n > 1 && names[n-2] == ".git" && len(names[n-1]) == length && names[n-1][0] == 't' && all(names[n-1], isAlnum)
}

// pidless puts a wildcard in the place of the number of a process.
func (c *collapser) pidless(name string) string {
	for i := 0; i < len(name); i++ {
		if !isDigit(name[i]) {
			continue
		}
		end := run(name, i, isDigit)
		if _, is := c.pids[name[i:end]]; is {
			return name[:i] + wild + name[end:]
		}
		i = end
	}
	return name
}

// placeOf says where the name at index i of a path is.
func (c *collapser) placeOf(b *base, absolute []string, i int) place {
	if b.Base == profile.Tmp && i == len(namesOf(b.at)) {
		return temporary
	}
	switch {
	case i == 1 && absolute[0] == "tmp",
		i == 2 && absolute[0] == "var" && absolute[1] == "tmp",
		i == 2 && absolute[0] == "dev" && absolute[1] == "shm":
		return temporary
	}
	return elsewhere
}

// findFans notes directories over which hashes are spread.
func (c *collapser) findFans(f *file, names, changed []string) {
	for i := 1; i < len(names) && i < f.kept; i++ {
		first := i
		for first > 0 && first > i-2 && isFan(names[first-1]) {
			first--
		}
		if first < i && isSpread(names[i], changed[i]) {
			for k := first; k < i; k++ {
				c.fans[f.base.at+"/"+strings.Join(changed[:k], "/")] = struct{}{}
				changed[k] = wild
			}
		}
	}
}

// isSpread says whether a name is a hash, perhaps with a short end.
func isSpread(name, changed string) bool {
	return strings.HasPrefix(changed, wild) && len(name) >= minHash && isHex(name[0])
}

// spread puts wildcards in the place of the first bytes of hashes where no hash follows:
// the directories themselves, and other files in them.
func (c *collapser) spread() {
	if len(c.fans) == 0 {
		return
	}
	for _, f := range c.files {
		names := namesOf(f.path)
		for i := 0; i < len(names) && i < f.kept; i++ {
			if !isFan(names[i]) {
				continue
			}
			if _, is := c.fans[f.base.at+"/"+strings.Join(names[:i], "/")]; is {
				names[i], f.wide = wild, true
			}
		}
		if f.wide {
			f.path = ""
			if len(names) > 0 {
				f.path = "/" + strings.Join(names, "/")
			}
		}
	}
}

// merge sorts the patterns, and makes one of those that are the same.
func (c *collapser) merge() {
	slices.SortFunc(c.files, compareFiles)
	out := c.files[:0]
	for _, f := range c.files {
		if n := len(out); n > 0 && compareFiles(out[n-1], f) == 0 {
			last := out[n-1]
			last.classes |= f.classes
			last.code |= f.code
			last.missing = last.missing && f.missing
			last.seen += f.seen
			last.renamed, last.linked = last.renamed || f.renamed, last.linked || f.linked
			continue
		}
		out = append(out, f)
	}
	clear(c.files[len(out):])
	c.files = out
}

func compareFiles(a, b *file) int {
	return cmp.Or(cmp.Compare(a.base.Base, b.base.Base), comparePaths(a.path, b.path), compareBools(a.tree, b.tree))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// comparePaths orders paths so that what is below a directory comes right behind it.
func comparePaths(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			switch {
			case a[i] == '/':
				return -1
			case b[i] == '/':
				return 1
			}
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// absolute are the names of a pattern from the root.
func (f *file) absolute() []string {
	names := namesOf(f.base.at + f.path)
	if f.tree {
		names = append(names, anyDepth)
	}
	return names
}

// pattern is the one that was made.
func (f *file) pattern() profile.Pattern {
	literal, rest := f.path, ""
	if i := strings.Index(f.path, wild); i >= 0 {
		i = strings.LastIndexByte(f.path[:i], '/')
		literal, rest = f.path[:i], f.path[i:]
	}
	p := profile.LiteralBelow(f.base.Base, f.base.at, literal)
	for _, name := range namesOf(rest) {
		p = p.With(profile.Name(strings.Split(name, wild)))
	}
	p.Tree = f.tree
	return p
}
