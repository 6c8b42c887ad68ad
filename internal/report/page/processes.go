package page

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/turnstile-project/turnstile/internal/trace"
)

// processes are columns, one row for each process of the trace, a parent before its
// children. What is not known is -1 or empty.
type processes struct {
	PID     []int32  `json:"pid"`
	Parent  []int    `json:"parent"`
	Comm    []string `json:"comm"`
	Exe     []string `json:"exe"`
	UID     []uint32 `json:"uid"`
	Started []int64  `json:"started"` // nanoseconds since the start of the run
	Ended   []*int64 `json:"ended"`
	Status  []*int   `json:"status"`
	Signal  []string `json:"signal"`
	Folded  []uint64 `json:"folded"` // how many processes the row stands for, 0 for one
}

// people knows the processes by their ids, and the sets of them that occur.
type people struct {
	all    []*trace.Process
	parent []int
	places map[int]int
	whos   [][]int
	known  map[string]int
}

// newPeople takes the processes of one run, or of several that were merged: those are the
// origins, and a parent is of the same run.
func newPeople(all []*trace.Process, origins []trace.Origin) *people {
	p := &people{all: slices.Clone(all), places: make(map[int]int, len(all)), whos: [][]int{}, known: make(map[string]int)}
	slices.SortStableFunc(p.all, func(a, b *trace.Process) int { return cmp.Compare(a.Started, b.Started) })
	type pidOf struct {
		run int
		pid int32
	}
	last := make(map[pidOf]int) // the process that has a pid by now
	for i, x := range p.all {
		p.places[x.ID] = i
		run := 0
		for run < len(origins) && origins[run].FirstProcess <= x.ID {
			run++
		}
		parent, ok := last[pidOf{run, x.PPID}]
		if !ok || x.Folded > 0 {
			parent = -1
		}
		p.parent = append(p.parent, parent)
		if x.Folded == 0 {
			last[pidOf{run, x.PID}] = i
		}
	}
	return p
}

// place is the row of the process with an id, -1 if there is none.
func (p *people) place(id int) int {
	if place, ok := p.places[id]; ok {
		return place
	}
	return -1
}

// who is the number of a set of processes.
func (p *people) who(ids []int) int {
	places := make([]int, 0, len(ids))
	for _, id := range ids {
		if place := p.place(id); place >= 0 {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	places = slices.Compact(places)
	runs := []int{}
	for i, place := range places {
		if i > 0 && places[i-1] == place-1 {
			runs[len(runs)-1]++
			continue
		}
		runs = append(runs, place, 1)
	}
	key := fmt.Sprint(runs)
	n, ok := p.known[key]
	if !ok {
		n = len(p.whos)
		p.known[key] = n
		p.whos = append(p.whos, runs)
	}
	return n
}

func (p *people) columns() processes {
	c := processes{
		PID: []int32{}, Parent: p.parent, Comm: []string{}, Exe: []string{}, UID: []uint32{},
		Started: []int64{}, Ended: []*int64{}, Status: []*int{}, Signal: []string{}, Folded: []uint64{},
	}
	if c.Parent == nil {
		c.Parent = []int{}
	}
	for _, x := range p.all {
		signal := ""
		if x.Signal != nil {
			signal = text(*x.Signal)
		}
		c.PID = append(c.PID, x.PID)
		c.Comm = append(c.Comm, text(x.Comm))
		c.Exe = append(c.Exe, text(x.Exe))
		c.UID = append(c.UID, x.UID)
		c.Started = append(c.Started, x.Started)
		c.Ended = append(c.Ended, x.Exited)
		c.Status = append(c.Status, x.Status)
		c.Signal = append(c.Signal, signal)
		c.Folded = append(c.Folded, x.Folded)
	}
	return c
}
