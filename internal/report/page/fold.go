package page

import (
	"slices"
	"sort"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// maxEntries is how many entries the tree of files has at most. A browser is fluent
// with them, and the page has some 10 MB.
const maxEntries = 100_000

// widest is how many children a directory may have to be shown with them, so that there
// are at most limit entries. What stands at the root is always shown.
func (t *tree) widest(limit int) int {
	most := 0
	for i := range t.nodes {
		most = max(most, int(t.nodes[i].children))
	}
	shown := make([]bool, len(t.nodes))
	fits := func(width int) bool {
		entries := 0
		for i := range t.nodes {
			parent := t.nodes[i].parent
			shown[i] = parent < 0 || shown[parent] && int(t.nodes[parent].children) <= width
			if shown[i] {
				entries++
			}
		}
		return entries <= limit
	}
	narrower := sort.Search(most, func(n int) bool { return fits(most - n) })
	return most - narrower
}

// end is the node behind everything that is in node i.
func (t *tree) end(i int) int {
	end := i + 1
	for end < len(t.nodes) && int(t.nodes[end].parent) >= i {
		end++
	}
	return end
}

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
