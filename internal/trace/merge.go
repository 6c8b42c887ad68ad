package trace

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Origin is one of the runs that a merged document is made of.
type Origin struct {
	Tool     string    `json:"tool"`
	Results  bool      `json:"results"`
	Complete Complete  `json:"complete"`
	Target   Target    `json:"target"`
	Host     Host      `json:"host"`
	Started  time.Time `json:"started"`
	Duration int64     `json:"duration_ns"`
	// FirstProcess is the id of its first process: those of the next origin follow.
	FirstProcess int `json:"first_process"`
}

// Merge makes one document of several. See [Merger].
func Merge(docs ...*Document) *Document {
	var m Merger
	for _, d := range docs {
		m.Add(d)
	}
	return m.Document()
}

// Merger makes one document of several, which it is given one by one so that not all have
// to be in memory. The zero value is ready to use.
//
// Counts are sums and sets are unions. A section is complete only if it is complete in
// every document: one that a document did not watch is there if another did, and
// incomplete. What can have but one value and differs is absent, and told by
// [Document.Merged].
type Merger struct {
	doc   *Document
	calls map[callNumber]*Syscall
	// socket and folded exec entries by what they are about.
	sockets map[SocketKey]*Socket
	folded  map[string]*Exec
}

type callNumber struct {
	abi string
	nr  int32
}

// Add takes in a document. Its entries become those of the result: it must not be used
// any more.
func (m *Merger) Add(d *Document) {
	if m.doc == nil {
		m.begin(d)
	} else {
		if m.doc.Merged == nil {
			m.doc.Merged = []Origin{originOf(m.doc)}
		}
		m.addOrigins(d)
		m.addRun(d)
	}
	ids := m.addProcesses(d)
	for _, s := range d.Syscalls {
		s.renumber(ids)
		m.addSyscall(s)
	}
	for _, f := range d.Files {
		f.Processes = renumber(f.Processes, ids)
	}
	m.doc.Files = mergeFiles(m.doc.Files, d.Files)
	for _, x := range d.Execs {
		m.addExec(x, ids)
	}
	if m.doc.Sockets == nil && d.Sockets != nil {
		m.doc.Sockets = []*Socket{} // watched, which nil says it was not
	}
	for _, s := range d.Sockets {
		s.Processes = renumber(s.Processes, ids)
		m.addSocket(s)
	}
}

// Document is all that was added, nil if nothing was.
func (m *Merger) Document() *Document {
	d := m.doc
	if d == nil || d.Merged == nil {
		return d
	}
	slices.SortFunc(d.Syscalls, func(a, b *Syscall) int {
		return cmp.Or(cmp.Compare(a.ABI, b.ABI), cmp.Compare(a.Nr, b.Nr))
	})
	slices.SortFunc(d.Sockets, compareSockets)
	return d
}

// begin takes what the first document says of its run, and none of the sections yet.
func (m *Merger) begin(d *Document) {
	all := *d
	all.Syscalls, all.Execs, all.Processes = []*Syscall{}, []*Exec{}, []*Process{}
	all.Files, all.Sockets = nil, nil
	m.doc = &all
	m.calls = make(map[callNumber]*Syscall, len(d.Syscalls))
	m.sockets = make(map[SocketKey]*Socket, len(d.Sockets))
	m.folded = make(map[string]*Exec)
}

func originOf(d *Document) Origin {
	return Origin{
		Tool: d.Tool, Results: d.Results, Complete: d.Complete,
		Target: d.Target, Host: d.Host, Started: d.Started, Duration: d.Duration,
	}
}

func (m *Merger) addOrigins(d *Document) {
	origins := d.Merged
	if origins == nil {
		origins = []Origin{originOf(d)}
	}
	for _, o := range origins {
		o.FirstProcess += len(m.doc.Processes)
		m.doc.Merged = append(m.doc.Merged, o)
	}
}

// addRun merges what a document says of the run as a whole.
func (m *Merger) addRun(d *Document) {
	all := m.doc
	if !slices.Contains(strings.Split(all.Tool, ", "), d.Tool) {
		all.Tool += ", " + d.Tool
	}
	all.Results = all.Results && d.Results
	all.Complete = Complete{
		Syscalls:  all.Complete.Syscalls && d.Complete.Syscalls,
		Processes: all.Complete.Processes && d.Complete.Processes,
		Files:     bothComplete(all.Complete.Files, d.Complete.Files),
		Sockets:   bothComplete(all.Complete.Sockets, d.Complete.Sockets),
	}
	all.Lost = addCounts(all.Lost, d.Lost)
	all.Folded = addCounts(all.Folded, d.Folded)
	all.Target = commonTarget(all.Target, d.Target)
	if all.Host.Kernel != d.Host.Kernel {
		all.Host.Kernel = ""
	}
	all.Host.BTF = all.Host.BTF && d.Host.BTF
	for _, door := range d.Open {
		if !slices.Contains(all.Open, door) {
			all.Open = append(all.Open, door)
		}
	}
	slices.Sort(all.Open)
}

// bothComplete is what a section of two documents together is: nil if neither watched it,
// and incomplete if only one did.
func bothComplete(a, b *bool) *bool {
	if a == nil && b == nil {
		return nil
	}
	both := a != nil && *a && b != nil && *b
	return &both
}

func addCounts(a, b map[string]uint64) map[string]uint64 {
	if a == nil {
		a = make(map[string]uint64, len(b))
	}
	for name, n := range b {
		a[name] += n
	}
	return a
}

// commonTarget has of two commands what they have in common. The user is that of the first.
func commonTarget(a, b Target) Target {
	if !slices.Equal(a.Argv, b.Argv) {
		a.Argv = nil
	}
	if a.Dir != b.Dir {
		a.Dir = ""
	}
	if !equal(a.Status, b.Status) || !equal(a.Signal, b.Signal) {
		a.Status, a.Signal = nil, nil
	}
	if a.PID != b.PID {
		a.PID = 0
	}
	if a.Cgroup != b.Cgroup {
		a.Cgroup = ""
	}
	return a
}

func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// addProcesses gives the processes of a document new ids, which it returns by the old
// ones, and puts both on one clock: that of the run which began first.
func (m *Merger) addProcesses(d *Document) map[int]int {
	all := m.doc
	switch {
	case d.Started.IsZero() || d.Started.Equal(all.Started) && d.Duration == all.Duration:
	case all.Started.IsZero():
		all.Started, all.Duration = d.Started, d.Duration
	default:
		end := later(all.Started.Add(time.Duration(all.Duration)), d.Started.Add(time.Duration(d.Duration)))
		if d.Started.Before(all.Started) {
			shift(all.Processes, all.Started.Sub(d.Started))
			all.Started = d.Started
		} else {
			shift(d.Processes, d.Started.Sub(all.Started))
		}
		all.Duration = end.Sub(all.Started).Nanoseconds()
	}
	ids := make(map[int]int, len(d.Processes))
	for _, p := range d.Processes {
		ids[p.ID] = len(all.Processes)
		p.ID = len(all.Processes)
		all.Processes = append(all.Processes, p)
	}
	return ids
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func shift(processes []*Process, by time.Duration) {
	for _, p := range processes {
		p.Started += by.Nanoseconds()
		if p.Exited != nil {
			at := *p.Exited + by.Nanoseconds()
			p.Exited = &at
		}
	}
}

// renumber is a set of ids by their new numbers. An id of no process is left out.
func renumber(set []int, ids map[int]int) []int {
	kept := set[:0]
	for _, id := range set {
		if now, ok := ids[id]; ok {
			kept = append(kept, now)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

func (s *Syscall) renumber(ids map[int]int) {
	if s.ByProcess == nil {
		return
	}
	byProcess := make(map[int]uint64, len(s.ByProcess))
	for id, n := range s.ByProcess {
		if now, ok := ids[id]; ok {
			byProcess[now] += n
		}
	}
	s.ByProcess = byProcess
}

func (m *Merger) addSyscall(s *Syscall) {
	k := callNumber{s.ABI, s.Nr}
	known := m.calls[k]
	if known == nil {
		m.calls[k] = s
		m.doc.Syscalls = append(m.doc.Syscalls, s)
		return
	}
	if strings.HasPrefix(known.Name, "syscall_") {
		known.Name = s.Name // the other Turnstile may have had a newer table
	}
	known.mergeArguments(s)
	known.Count += s.Count
	known.Errors.add(s.Errors)
	for id, n := range s.ByProcess {
		if known.ByProcess == nil {
			known.ByProcess = make(map[int]uint64, len(s.ByProcess))
		}
		known.ByProcess[id] += n
	}
}

// mergeArguments adds the values of another's arguments, as many as a document holds. If
// one has calls whose values it did not record, there may be more.
func (s *Syscall) mergeArguments(other *Syscall) {
	for i := range s.Args {
		if a := &s.Args[i]; other.Count > 0 && other.Argument(a.Index) == nil {
			a.More = true
		}
	}
	for _, a := range other.Args {
		known := s.Argument(a.Index)
		if known == nil {
			a.More = a.More || s.Count > 0
			s.Args = append(s.Args, a)
			continue
		}
		known.Values = append(known.Values, a.Values...)
		slices.Sort(known.Values)
		known.Values = slices.Compact(known.Values)
		known.More = known.More || a.More || len(known.Values) > maxValues
		known.Values = known.Values[:min(len(known.Values), maxValues)]
	}
	slices.SortFunc(s.Args, func(a, b Argument) int { return cmp.Compare(a.Index, b.Index) })
}

func (c *Counts) add(more Counts) {
	for _, x := range more {
		c.Add(x.Name, x.N)
	}
}

func (m *Merger) addExec(x *Exec, ids map[int]int) {
	if x.Process != nil {
		if id, ok := ids[*x.Process]; ok {
			x.Process = &id
			m.doc.Execs = append(m.doc.Execs, x)
			return
		}
		x.Process = nil
	}
	known := m.folded[x.Path]
	if known == nil {
		m.folded[x.Path] = x
		m.doc.Execs = append(m.doc.Execs, x)
		return
	}
	known.Count += x.Count
	known.Errors.add(x.Errors)
}

func (m *Merger) addSocket(s *Socket) {
	k := s.Key()
	known := m.sockets[k]
	if known == nil {
		m.sockets[k] = s
		m.doc.Sockets = append(m.doc.Sockets, s)
		return
	}
	known.Count += s.Count
	known.Errors.add(s.Errors)
	known.Processes = union(known.Processes, s.Processes)
}

func union(a, b []int) []int {
	for _, id := range b {
		a = insert(a, id)
	}
	return a
}

// sortFiles puts files in the order that documents have, with one entry for each path.
func sortFiles(files []*File) []*File {
	if !slices.IsSortedFunc(files, compareFiles) {
		slices.SortStableFunc(files, compareFiles)
	}
	kept := files[:0]
	for _, f := range files {
		if n := len(kept); n > 0 && compareFiles(kept[n-1], f) == 0 {
			kept[n-1].merge(f)
		} else {
			kept = append(kept, f)
		}
	}
	return kept
}

// compareFiles has a directory that stands for files after its own entry.
func compareFiles(a, b *File) int {
	if order := strings.Compare(a.Path, b.Path); order != 0 || a.Folded == b.Folded {
		return order
	}
	if b.Folded {
		return -1
	}
	return 1
}

// mergeFiles is one list of two, of which the first is in order. It is nil if neither has
// any, which is for files that were not watched.
func mergeFiles(a, b []*File) []*File {
	b = sortFiles(b)
	if a == nil {
		return b
	}
	if len(b) == 0 {
		return a
	}
	all := make([]*File, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch order := compareFiles(a[0], b[0]); {
		case order < 0:
			all, a = append(all, a[0]), a[1:]
		case order > 0:
			all, b = append(all, b[0]), b[1:]
		default:
			a[0].merge(b[0])
			all, a, b = append(all, a[0]), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// merge takes in what another document says of the same path.
func (f *File) merge(other *File) {
	for _, asked := range other.Asked {
		if len(f.Asked) < maxAsked && !slices.Contains(f.Asked, asked) {
			f.Asked = append(f.Asked, asked)
		}
	}
	slices.Sort(f.Asked)
	f.How = max(f.How, other.How)
	f.Classes |= other.Classes
	f.Ops.add(other.Ops)
	f.Errors.add(other.Errors)
	f.Verdicts.add(other.Verdicts)
	f.Rule = cmp.Or(other.Rule, f.Rule)
	f.Processes = union(f.Processes, other.Processes)
}
