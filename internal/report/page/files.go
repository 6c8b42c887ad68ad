package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// files is a tree as columns, one row for each file and each directory that is a fork
// in the road: a row's children follow it, one deeper. The names on the way to a row,
// joined by slashes, are its path.
type files struct {
	Name  []string `json:"name"`
	Depth []int    `json:"depth"`
	Facts []int    `json:"facts"` // in Of; -1 for a directory of which nothing is told
	Who   []int    `json:"who"`   // -1 for such a directory
	// Of are the different things that were done with files.
	Of []*facts `json:"of"`
	// Asked are other spellings, and Within how many files a row stands for that are
	// not shown by themselves, both by row.
	Asked  map[int][]string `json:"asked"`
	Within map[int]int      `json:"within"`
}

// facts is what was done with a file, or with several.
type facts struct {
	Classes  event.Class `json:"classes"`
	Ops      []count     `json:"ops"`
	Errors   []count     `json:"errors"`
	Verdicts []count     `json:"verdicts"`
	Rule     string      `json:"rule,omitempty"`
	How      string      `json:"how"`
	Folded   bool        `json:"folded,omitempty"` // it stands for files in it, by the trace
}

// filesOf makes the tree. If it has more than limit entries, some directories are shown
// as one entry, and the sentence says so.
func filesOf(all []*trace.File, people *people, limit int) (f *files, folded string) {
	t := treeOf(all)
	opened := t.opened(limit)
	f = &files{
		Name: []string{}, Depth: []int{}, Facts: []int{}, Who: []int{}, Of: []*facts{},
		Asked: map[int][]string{}, Within: map[int]int{},
	}
	known := make(map[string]int)
	hidden := 0
	// prefix is what the only child of a directory takes over from it, depth how deep
	// the children of the node before it are.
	prefix := ""
	depth := make([]int, len(t.nodes))
	for i := 0; i < len(t.nodes); i++ {
		n := &t.nodes[i]
		at := 0
		if n.parent >= 0 {
			at = depth[n.parent]
		}
		name := prefix + component(n.name)
		prefix = ""
		shut := n.children > 0 && !opened[i]
		if n.file == nil && n.children == 1 && !shut {
			prefix = name + "/"
			depth[i] = at
			continue
		}
		depth[i] = at + 1
		row := len(f.Name)
		f.Name = append(f.Name, name)
		f.Depth = append(f.Depth, at)
		told := n.file
		if shut {
			var within int
			told, within = t.together(i)
			f.Within[row] = within
			hidden += within
			i = t.end(i) - 1
		}
		if told == nil {
			f.Facts = append(f.Facts, -1)
			f.Who = append(f.Who, -1)
			continue
		}
		if len(told.Asked) > 0 {
			f.Asked[row] = texts(told.Asked)
		}
		f.Who = append(f.Who, people.who(told.Processes))
		f.Facts = append(f.Facts, f.number(factsOf(told), known))
	}
	if hidden > 0 {
		folded = fmt.Sprintf("%d of %d files are not shown by themselves: some directories are one row here", hidden, len(all))
	}
	return f, folded
}

// component is one name of a path. The empty one is between two slashes.
func component(s string) string {
	if s == "" {
		return `""`
	}
	return text(s)
}

// number is the place of facts in f.Of.
func (f *files) number(x *facts, known map[string]int) int {
	key, err := json.Marshal(x)
	if err != nil {
		panic(err) // numbers and strings
	}
	n, ok := known[string(key)]
	if !ok {
		n = len(f.Of)
		known[string(key)] = n
		f.Of = append(f.Of, x)
	}
	return n
}

func factsOf(f *trace.File) *facts {
	return &facts{
		Classes: f.Classes, Ops: counts(f.Ops), Errors: counts(f.Errors), Verdicts: counts(f.Verdicts),
		Rule: text(f.Rule), How: f.How.String(), Folded: f.Folded,
	}
}

// tree is all files by their names, a directory before what is in it.
type tree struct{ nodes []node }

type node struct {
	name     string
	file     *trace.File // nil if nothing is told of it
	parent   int32       // -1 for none
	children int32
	size     int32 // nodes, with itself and all that is in it
}

// treeOf makes the tree of files. The first name of an absolute path keeps its slash.
func treeOf(all []*trace.File) *tree {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *trace.File) int { return comparePaths(a.Path, b.Path) })
	t := &tree{nodes: make([]node, 0, len(all)+len(all)/4)}
	var way []int32 // the nodes on the way to the last file
	last := ""
	for _, f := range sorted {
		shared := sharedNames(last, f.Path, len(way))
		if shared == len(way) && last == f.Path && shared > 0 {
			shared-- // the same name once more is a row of its own
		}
		way = way[:shared]
		rest := f.Path
		for range shared {
			_, rest, _ = cutName(rest)
		}
		for more := true; more; {
			var name string
			name, rest, more = cutName(rest)
			parent := int32(-1)
			if len(way) > 0 {
				parent = way[len(way)-1]
				t.nodes[parent].children++
			}
			way = append(way, int32(len(t.nodes)))
			t.nodes = append(t.nodes, node{name: name, parent: parent})
		}
		t.nodes[way[len(way)-1]].file = f
		last = f.Path
	}
	for i := len(t.nodes) - 1; i >= 0; i-- {
		t.nodes[i].size++
		if parent := t.nodes[i].parent; parent >= 0 {
			t.nodes[parent].size += t.nodes[i].size
		}
	}
	return t
}

// cutName takes the first name off a path.
func cutName(path string) (name, rest string, more bool) {
	from := 0
	if strings.HasPrefix(path, "/") {
		from = 1
	}
	if i := strings.IndexByte(path[from:], '/'); i >= 0 {
		return path[:from+i], path[from+i+1:], true
	}
	return path, "", false
}

// sharedNames is how many names two paths have in common, of at most n.
func sharedNames(a, b string, n int) int {
	shared := 0
	for shared < n {
		x, restA, moreA := cutName(a)
		y, restB, moreB := cutName(b)
		if x != y {
			break
		}
		shared++
		if !moreA || !moreB {
			break
		}
		a, b = restA, restB
	}
	return shared
}

// comparePaths sorts what is in a directory right behind it: a slash is before every
// other byte.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch x, y := a[i], b[i]; {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		default:
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}
