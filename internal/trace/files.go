package trace

import (
	"path"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
)

// fileTable collects files by path. Beyond the limit it collects directories.
type fileTable struct {
	limit  int
	folded map[string]uint64
	byPath map[string]*File
	dirs   int // entries that stand for a directory
}

func newFileTable(limit int, folded map[string]uint64) fileTable {
	return fileTable{limit: limit, folded: folded, byPath: make(map[string]*File)}
}

// maxAsked is how many spellings of one path are kept.
const maxAsked = 16

// add takes in the targets of an event of process id, which happened n times.
func (t *fileTable) add(e *event.Event, id int, n uint64) []*File {
	var files []*File
	for i := range e.Access.Targets {
		target := &e.Access.Targets[i]
		if target.Asked == nil && target.Path == nil {
			continue
		}
		f := t.file(target)
		f.How = max(f.How, target.How)
		f.Classes |= target.Class
		f.ask(target.Asked)
		f.Ops.Add(e.Access.Op.String(), n)
		if e.Outcome.Errno != 0 {
			f.Errors.Add(e.Outcome.Errno.String(), n)
		}
		if v := e.Verdict; v.Kind != event.VerdictNone {
			f.Verdicts.Add(v.Kind.String(), n)
			f.Rule = v.By
		}
		f.Processes = insert(f.Processes, id)
		files = append(files, f)
	}
	return files
}

// file is the entry for a target.
func (t *fileTable) file(target *event.Target) *File {
	name := target.Path
	if name == nil {
		name = target.Asked // relative to we do not know what
	}
	if f := t.byPath[string(name)]; f != nil {
		return f
	}
	if len(t.byPath)-t.dirs < t.limit {
		f := &File{Path: string(name)}
		t.byPath[f.Path] = f
		return f
	}
	t.folded["files"]++
	return t.directory(string(name))
}

// directory is the entry for the directory of a path. Of a million directories
// even those are folded, into the root.
func (t *fileTable) directory(name string) *File {
	dir := path.Dir(name)
	if t.dirs >= t.limit {
		dir = "/"
	}
	key := dir + "/" // differs from the directory's own entry
	f := t.byPath[key]
	if f == nil {
		f = &File{Path: dir, Folded: true}
		t.byPath[key] = f
		t.dirs++
	}
	return f
}

// ask notes a path as passed, if it says more than the path itself.
func (f *File) ask(asked []byte) {
	if asked == nil || f.Folded || len(f.Asked) == maxAsked {
		return
	}
	if slices.Contains(f.Asked, string(asked)) {
		return
	}
	if f.Asked == nil && f.Path == string(asked) {
		f.Asked = []string{f.Path} // shares the bytes
		return
	}
	f.Asked = append(f.Asked, strings.Clone(string(asked)))
}

// insert adds id to a sorted set.
func insert(set []int, id int) []int {
	if n := len(set); n == 0 || set[n-1] < id {
		return append(set, id)
	}
	i, found := slices.BinarySearch(set, id)
	if found {
		return set
	}
	return slices.Insert(set, i, id)
}

func (t *fileTable) all() []*File {
	all := make([]*File, 0, len(t.byPath))
	for _, f := range t.byPath {
		slices.Sort(f.Asked)
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
	return all
}
