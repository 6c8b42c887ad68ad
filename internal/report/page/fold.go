package page

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// maxEntries is how many entries the tree of files has at most. A browser is fluent
// with them, and the page has some 10 MB.
const maxEntries = 100_000

// opened says of each directory whether what is in it is shown: those with few children
// before those with many, from the root down, until there would be more than limit
// entries. What stands at the root is always shown.
func (t *tree) opened(limit int) []bool {
	opened := make([]bool, len(t.nodes))
	left := limit
	var within directories
	push := func(i int) {
		left--
		if t.nodes[i].children > 0 {
			heap.Push(&within, directory{t.nodes[i].children, i})
		}
	}
	for i := 0; i < len(t.nodes); i = t.end(i) {
		push(i)
	}
	for len(within) > 0 {
		d := heap.Pop(&within).(directory)
		if int(d.children) > left {
			break // the others have no fewer
		}
		opened[d.node] = true
		for i := d.node + 1; i < t.end(d.node); i = t.end(i) {
			push(i)
		}
	}
	return opened
}

// directories is a heap of those that could be opened next, that with the fewest
// children on top.
type directories []directory

type directory struct {
	children int32
	node     int
}

func (d directories) Len() int { return len(d) }
func (d directories) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(d[i].children, d[j].children), cmp.Compare(d[i].node, d[j].node)) < 0
}
func (d directories) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *directories) Push(x any)   { *d = append(*d, x.(directory)) }
func (d *directories) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// end is the node behind everything that is in node i.
func (t *tree) end(i int) int { return i + int(t.nodes[i].size) }

// together is node i and everything in it as one file, and how many files are in it.
func (t *tree) together(i int) (f *trace.File, within int) {
	f = &trace.File{How: event.HowFD}
	who := make(map[int]struct{})
	end := t.end(i)
	for j := i; j < end; j++ {
		x := t.nodes[j].file
		if x == nil {
			continue
		}
		if j > i {
			within++
		}
		f.Classes |= x.Classes
		f.How = min(f.How, x.How)
		add(&f.Ops, x.Ops)
		add(&f.Errors, x.Errors)
		add(&f.Verdicts, x.Verdicts)
		for _, id := range x.Processes {
			who[id] = struct{}{}
		}
	}
	for id := range who {
		f.Processes = append(f.Processes, id)
	}
	slices.Sort(f.Processes)
	return f, within
}

func add(sum *trace.Counts, more trace.Counts) {
	for _, c := range more {
		sum.Add(c.Name, c.N)
	}
}
