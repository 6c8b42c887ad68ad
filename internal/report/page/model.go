package page

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/report"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// model is what the script gets. Long sections are columns and not rows, and what many
// rows have in common is there once: a page of 50,000 files has a few megabytes.
//
// A process is its place in Processes, a "who" a place in Whos.
type model struct {
	Head    head     `json:"head"`
	Classes []string `json:"classes"` // the bits of a set of classes, from the lowest
	// Errnos says in words what an error means.
	Errnos    map[string]string `json:"errnos"`
	Whos      [][]int           `json:"whos"` // sets of processes, as first, count, first, count, …
	Processes processes         `json:"processes"`
	Syscalls  []call            `json:"syscalls"`
	Files     *files            `json:"files"` // nil if they were not watched
	Programs  []program         `json:"programs"`
	Sockets   []socket          `json:"sockets"` // nil if they were not watched
}

type head struct {
	Tool     string    `json:"tool"`  // that watched
	Maker    string    `json:"maker"` // of the page
	Command  string    `json:"command"`
	Dir      string    `json:"dir"`
	Outcome  string    `json:"outcome"`
	UID      uint32    `json:"uid"`
	Kernel   string    `json:"kernel"`
	Arch     string    `json:"arch"`
	Started  time.Time `json:"started"`
	Duration int64     `json:"duration"` // nanoseconds
	// Results says whether errors could be seen.
	Results bool `json:"results"`
	// Gated says that the trace is of a gate, which sees only what it judges.
	Gated bool `json:"gated"`
	// Incomplete are the sections that may lack something, Missing says what and why,
	// Folded what was taken together.
	Incomplete []string `json:"incomplete"`
	Missing    []string `json:"missing"`
	Folded     []string `json:"folded"`
}

type call struct {
	Name   string  `json:"name"`
	ABI    string  `json:"abi"` // empty if it is that of the machine
	Count  uint64  `json:"count"`
	Errors []count `json:"errors"`
	// By is calls by process: process, calls, process, calls, …
	By   []uint64   `json:"by"`
	Args []argument `json:"args,omitempty"`
}

type argument struct {
	Index  int      `json:"index"`
	Values []string `json:"values"`
	More   bool     `json:"more,omitempty"`
}

type program struct {
	Path        string  `json:"path"`
	Interpreter string  `json:"interpreter,omitempty"`
	Command     string  `json:"command"`
	Process     int     `json:"process"` // -1 if it is not known
	Count       uint64  `json:"count"`
	Errors      []count `json:"errors"`
}

type socket struct {
	Op      string  `json:"op"`
	Kind    string  `json:"kind"`
	Address string  `json:"address"`
	Count   uint64  `json:"count"`
	Errors  []count `json:"errors"`
	Who     int     `json:"who"`
}

// count is how often something was; in JSON a pair.
type count struct {
	name string
	n    uint64
}

func (c count) MarshalJSON() ([]byte, error) {
	b := append([]byte{'['}, strconv.AppendQuote(nil, c.name)...)
	return append(strconv.AppendUint(append(b, ','), c.n, 10), ']'), nil
}

// counts are sorted by number, the largest first.
func counts(all trace.Counts) []count {
	sorted := make([]count, 0, len(all))
	for _, c := range all {
		sorted = append(sorted, count{text(c.Name), c.N})
	}
	slices.SortFunc(sorted, func(a, b count) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
	})
	return sorted
}

// newModel makes the model of a trace, with at most limit entries of files if that can be.
func newModel(d *trace.Document, limit int) *model {
	people := newPeople(d.Processes, d.Merged)
	m := &model{
		Head:      headOf(d),
		Classes:   (^event.Class(0)).Names(),
		Processes: people.columns(),
		Syscalls:  make([]call, 0, len(d.Syscalls)),
		Programs:  make([]program, 0, len(d.Execs)),
	}
	for _, c := range d.Syscalls {
		m.Syscalls = append(m.Syscalls, callOf(c, d.Host.Arch, people))
	}
	if d.Files != nil {
		var folded string
		if m.Files, folded = filesOf(d.Files, people, limit); folded != "" {
			m.Head.Folded = append(m.Head.Folded, folded)
		}
	}
	for _, x := range d.Execs {
		p := program{
			Path: text(x.Path), Interpreter: text(x.Interpreter), Command: command(x.Argv),
			Process: -1, Count: x.Count, Errors: counts(x.Errors),
		}
		if x.Process != nil {
			p.Process = people.place(*x.Process)
		}
		m.Programs = append(m.Programs, p)
	}
	if d.Sockets != nil {
		m.Sockets = make([]socket, 0, len(d.Sockets))
	}
	for _, k := range d.Sockets {
		kind := cmp.Or(k.Protocol, k.Type)
		if k.Family != "inet" || kind == "" {
			kind = k.Family + " " + kind
		}
		m.Sockets = append(m.Sockets, socket{
			Op: text(k.Op), Kind: text(kind), Address: report.Address(k),
			Count: k.Count, Errors: counts(k.Errors), Who: people.who(k.Processes),
		})
	}
	m.Whos = people.whos
	m.Errnos = errnos(d)
	return m
}

func callOf(c *trace.Syscall, native string, people *people) call {
	shown := call{Name: text(c.Name), Count: c.Count, Errors: counts(c.Errors), By: []uint64{}}
	if c.ABI != native {
		shown.ABI = text(c.ABI)
	}
	for _, id := range slices.Sorted(maps.Keys(c.ByProcess)) {
		if place := people.place(id); place >= 0 {
			shown.By = append(shown.By, uint64(place), c.ByProcess[id])
		}
	}
	for _, a := range c.Args {
		values := make([]string, 0, len(a.Values))
		for _, v := range a.Values {
			values = append(values, number(v))
		}
		shown.Args = append(shown.Args, argument{a.Index, values, a.More})
	}
	return shown
}

// number is a value as programmers write it: flags and commands are hexadecimal.
func number(v uint64) string {
	if v < 256 {
		return strconv.FormatUint(v, 10)
	}
	return "0x" + strconv.FormatUint(v, 16)
}

// errnos are the errors that are in the trace, in words.
func errnos(d *trace.Document) map[string]string {
	words := make(map[string]string)
	add := func(all trace.Counts) {
		for _, c := range all {
			if _, ok := words[text(c.Name)]; ok {
				continue
			}
			words[text(c.Name)] = errnoText(c.Name)
		}
	}
	for _, c := range d.Syscalls {
		add(c.Errors)
	}
	for _, f := range d.Files {
		add(f.Errors)
	}
	for _, x := range d.Execs {
		add(x.Errors)
	}
	for _, k := range d.Sockets {
		add(k.Errors)
	}
	return words
}

func errnoText(name string) string {
	if n := event.ErrnoNamed(name); n != 0 {
		return n.Error()
	}
	if len(name) > 8 && name[:8] == "ERESTART" {
		return "interrupted by a signal"
	}
	return ""
}
