package trace

import (
	"cmp"
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Difference is what tells two documents, A and B, apart. Of an entry that only one of
// them has the other is nil. Entries are sorted as documents are.
type Difference struct {
	Syscalls []CallDifference
	Files    []FileDifference
	Execs    []ExecDifference
	Sockets  []SocketDifference
}

// DifferenceSections are the sections of a difference, in the order in which they are told.
var DifferenceSections = []string{"syscalls", "files", "execs", "sockets"}

// CallDifference is a system call that one document lacks, or that had other arguments or
// other ends.
type CallDifference struct {
	A, B *Syscall
	// Values are those that only B has, of the arguments that both have recorded.
	Values []Argument
	// Errors are those that only B has, if both watched the end of calls. They are no
	// reason to say that B has something new: how calls end is luck in part.
	Errors Counts
}

// FileDifference is a path of which one document has classes that the other lacks.
type FileDifference struct {
	Path         string
	A, B         *File
	OnlyA, OnlyB event.Class
}

// ExecDifference is a program that only one document has, or that was only tried to start
// in the one and ran in the other.
type ExecDifference struct {
	Path string
	A, B *Program
}

// Program is all about the starts of one path.
type Program struct {
	Count, Failed uint64
	Processes     []int
}

// Ran says whether the program was started, and not only tried to.
func (p *Program) Ran() bool { return p.Count > p.Failed }

// SocketDifference is an address that only one document has.
type SocketDifference struct{ A, B *Socket }

// DiffOptions say what is compared, and what is the same in two documents.
type DiffOptions struct {
	// Sections are those that are compared: see [DifferenceSections].
	Sections []string
	// Path is the name that stands for a path when two are compared, such as one
	// without the random part of a temporary name; nil for the path itself.
	Path func(string) string
}

// Diff compares two documents. A section that one of them did not watch is not compared.
func Diff(a, b *Document, o DiffOptions) *Difference {
	d := &Difference{}
	for _, section := range o.Sections {
		switch section {
		case "syscalls":
			d.Syscalls = diffCalls(a, b)
		case "execs":
			d.Execs = diffExecs(a, b, o)
		case "files":
			if a.Files != nil && b.Files != nil {
				d.Files = diffFiles(o.files(a), o.files(b))
			}
		case "sockets":
			if a.Sockets != nil && b.Sockets != nil {
				d.Sockets = diffSockets(a, b)
			}
		}
	}
	return d
}

// New says whether B has something that A lacks: a call, a value of an argument, a file or
// a class of access to it, a program, an address.
func (d *Difference) New() bool {
	return slices.ContainsFunc(d.Syscalls, CallDifference.New) ||
		slices.ContainsFunc(d.Files, FileDifference.New) ||
		slices.ContainsFunc(d.Execs, ExecDifference.New) ||
		slices.ContainsFunc(d.Sockets, func(s SocketDifference) bool { return s.A == nil })
}

// New says whether B has the call or a value of its arguments, and A has not.
func (c CallDifference) New() bool {
	return c.B != nil && (c.A == nil || c.A.Count == 0 && c.B.Count > 0 || len(c.Values) > 0)
}

// New says whether B has the path, or a class of access to it, and A has not.
func (f FileDifference) New() bool { return f.B != nil && (f.A == nil || f.OnlyB != 0) }

// New says whether B has the program and A has not, or only tried to start it.
func (x ExecDifference) New() bool {
	return x.B != nil && (x.A == nil || x.B.Ran() && !x.A.Ran())
}

func compareCalls(a, b *Syscall) int {
	return cmp.Or(cmp.Compare(a.ABI, b.ABI), cmp.Compare(a.Nr, b.Nr))
}

func diffCalls(a, b *Document) []CallDifference {
	var all []CallDifference
	for x, y := range pairs(a.Syscalls, b.Syscalls, compareCalls) {
		c := CallDifference{A: x, B: y}
		if x != nil && y != nil {
			c.Values = newValues(x, y)
			if a.Results && b.Results {
				c.Errors = newErrors(x, y)
			}
		}
		if x == nil || y == nil || c.New() || c.Errors != nil {
			all = append(all, c)
		}
	}
	return all
}

// newValues are the values that b has and a has not. Where a document does not hold all
// values of an argument that is not known.
func newValues(a, b *Syscall) []Argument {
	var all []Argument
	for _, of := range b.Args {
		was := a.Argument(of.Index)
		if was == nil || was.More {
			continue
		}
		only := slices.DeleteFunc(slices.Clone(of.Values), func(v uint64) bool { return slices.Contains(was.Values, v) })
		if len(only) > 0 || of.More {
			all = append(all, Argument{Index: of.Index, Values: only, More: of.More})
		}
	}
	return all
}

func newErrors(a, b *Syscall) Counts {
	var only Counts
	for _, x := range b.Errors {
		if a.Errors.Get(x.Name) == 0 {
			only = append(only, x)
		}
	}
	return only
}

// files are the files of a document by the names that they are compared by.
func (o DiffOptions) files(d *Document) []*File {
	if o.Path == nil {
		return sortFiles(d.Files)
	}
	files := make([]*File, 0, len(d.Files))
	for _, f := range d.Files {
		named := &File{Path: o.Path(f.Path), Folded: f.Folded}
		named.merge(f)
		files = append(files, named)
	}
	return sortFiles(files)
}

func diffFiles(a, b []*File) []FileDifference {
	var all []FileDifference
	for x, y := range pairs(a, b, compareFiles) {
		f := FileDifference{A: x, B: y}
		if x != nil {
			f.Path, f.OnlyA = x.Path, x.Classes
		}
		if y != nil {
			f.Path, f.OnlyB = y.Path, y.Classes
		}
		f.OnlyA, f.OnlyB = f.OnlyA&^f.OnlyB, f.OnlyB&^f.OnlyA
		if f.OnlyA|f.OnlyB != 0 || x == nil || y == nil {
			all = append(all, f)
		}
	}
	return all
}

func diffExecs(a, b *Document, o DiffOptions) []ExecDifference {
	one, other := programs(a, o.Path), programs(b, o.Path)
	paths := make([]string, 0, len(one)+len(other))
	for path := range one {
		paths = append(paths, path)
	}
	for path := range other {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var all []ExecDifference
	for _, path := range slices.Compact(paths) {
		x, y := one[path], other[path]
		if x == nil || y == nil || x.Ran() != y.Ran() {
			all = append(all, ExecDifference{path, x, y})
		}
	}
	return all
}

// Programs are the programs of a document by path.
func Programs(d *Document) map[string]*Program { return programs(d, nil) }

func programs(d *Document, name func(string) string) map[string]*Program {
	all := make(map[string]*Program)
	for _, x := range d.Execs {
		path := x.Path
		if name != nil {
			path = name(path)
		}
		p := all[path]
		if p == nil {
			p = &Program{}
			all[path] = p
		}
		p.Count += x.Count
		p.Failed += x.Errors.Total()
		if x.Process != nil {
			p.Processes = insert(p.Processes, *x.Process)
		}
	}
	return all
}

// comparedKey is what an address is compared by. The port of a peer that was accepted is
// the next one free there.
func (s *Socket) comparedKey() SocketKey {
	k := s.Key()
	if s.Op == event.OpAccept.String() {
		k.Port = 0
	}
	return k
}

func diffSockets(a, b *Document) []SocketDifference {
	var all []SocketDifference
	for _, s := range onlyIn(a.Sockets, b.Sockets) {
		all = append(all, SocketDifference{A: s})
	}
	for _, s := range onlyIn(b.Sockets, a.Sockets) {
		all = append(all, SocketDifference{B: s})
	}
	slices.SortStableFunc(all, func(x, y SocketDifference) int { return compareSockets(cmp.Or(x.A, x.B), cmp.Or(y.A, y.B)) })
	return all
}

// onlyIn are the addresses that others has not, each once.
func onlyIn(sockets, others []*Socket) []*Socket {
	known := make(map[SocketKey]bool, len(others))
	for _, s := range others {
		known[s.comparedKey()] = true
	}
	var only []*Socket
	for _, s := range sockets {
		if k := s.comparedKey(); !known[k] {
			known[k] = true
			only = append(only, s)
		}
	}
	return only
}

// pairs goes through two lists, of which each has an entry once, in their common order.
// Of what one list lacks its side is nil.
func pairs[E any](a, b []*E, compare func(a, b *E) int) func(func(a, b *E) bool) {
	return func(yield func(a, b *E) bool) {
		a, b := inOrder(a, compare), inOrder(b, compare)
		for len(a) > 0 || len(b) > 0 {
			var x, y *E
			var order int
			switch {
			case len(a) == 0:
				order = 1
			case len(b) == 0:
				order = -1
			default:
				order = compare(a[0], b[0])
			}
			if order <= 0 {
				x, a = a[0], a[1:]
			}
			if order >= 0 {
				y, b = b[0], b[1:]
			}
			if !yield(x, y) {
				return
			}
		}
	}
}

func inOrder[E any](list []*E, compare func(a, b *E) int) []*E {
	if slices.IsSortedFunc(list, compare) {
		return list
	}
	return slices.SortedStableFunc(slices.Values(list), compare)
}
