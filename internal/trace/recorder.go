package trace

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// Options of a Recorder.
type Options struct {
	// Files, Sockets, Results: whether these are watched at all.
	Files, Sockets, Results bool
	// Gate says that the source sees only the calls that it judges: no section is
	// complete.
	Gate bool
	// MaxProcesses and MaxFiles bound the document: what goes beyond is
	// folded. 0 is the default.
	MaxProcesses, MaxFiles int
	// Started is when the run began.
	Started time.Time
}

// The default bounds.
const (
	DefaultMaxProcesses = 10_000
	DefaultMaxFiles     = 1_000_000
)

// Recorder is the [event.Sink] that makes a [Document]. Its memory is bounded by
// the limits of its options and by what lives at one time.
type Recorder struct {
	options   Options
	processes processTable
	calls     map[callKey]*call
	files     fileTable
	execs     execTable
	sockets   socketTable
	repeats   map[uint64]repeat
	lost      map[event.Loss]uint64
	folded    map[string]uint64
}

type callKey struct {
	abi event.ABI
	nr  int32
}

// call is a Syscall on its way.
type call struct {
	count     uint64
	errors    Counts
	byProcess map[int]uint64
	args      map[uint8]*Argument
}

// repeat is what a repetition of an access adds to.
type repeat struct {
	files  []*File
	socket *Socket
	exec   *Exec
	op     event.Op
	errno  event.Errno
	// tallies is how many are to come: several CPUs may have reported it.
	tallies int
}

// NewRecorder returns an empty Recorder.
func NewRecorder(o Options) *Recorder {
	if o.MaxProcesses == 0 {
		o.MaxProcesses = DefaultMaxProcesses
	}
	if o.MaxFiles == 0 {
		o.MaxFiles = DefaultMaxFiles
	}
	folded := make(map[string]uint64)
	return &Recorder{
		options:   o,
		processes: newProcessTable(o, folded),
		calls:     make(map[callKey]*call),
		files:     newFileTable(o.MaxFiles, folded),
		execs:     newExecTable(o.MaxProcesses, folded),
		sockets:   newSocketTable(o.MaxFiles, folded),
		repeats:   make(map[uint64]repeat),
		lost:      make(map[event.Loss]uint64),
		folded:    folded,
	}
}

// Event implements [event.Sink].
func (r *Recorder) Event(e *event.Event) {
	p := r.processes.see(e)
	a := &e.Access
	again := repeat{op: a.Op, errno: e.Outcome.Errno}
	switch {
	case a.Op == event.OpExec:
		again.exec = r.execs.add(e, p)
		if r.options.Files {
			again.files = r.files.add(e, p, 1)
		}
	case a.Op.Category() == event.CategoryFile:
		if r.options.Files {
			again.files = r.files.add(e, p, 1)
		}
	case a.Op.Category() == event.CategoryNetwork:
		if r.options.Sockets {
			again.socket = r.sockets.add(e, p)
		}
		if r.options.Files && len(a.Targets) > 0 {
			again.files = r.files.add(e, p, 1)
		}
	}
	if e.Fold != 0 {
		again.tallies = r.repeats[e.Fold].tallies + 1
		r.repeats[e.Fold] = again
	}
}

// Tally implements [event.Sink].
func (r *Recorder) Tally(t *event.Tally) {
	switch t.Kind {
	case event.TallyCalls:
		r.countCalls(t)
	case event.TallyErrors:
		r.call(t.Call).errors.Add(t.Errno.String(), t.Count)
	case event.TallyArgument:
		r.call(t.Call).argument(t.Index, t.Value)
	case event.TallyRepeats:
		again := r.repeats[t.Fold]
		again.add(t.Count)
		if again.tallies--; again.tallies > 0 {
			r.repeats[t.Fold] = again
		} else {
			delete(r.repeats, t.Fold)
		}
	case event.TallyLost:
		r.lost[t.Loss] += t.Count
	case event.TallyShared:
		r.folded["threads"] += t.Count
	case event.TallySettled:
		r.processes.settle(t.Process.ID)
	}
}

// Flush implements [event.Sink].
func (r *Recorder) Flush() {}

func (r *Recorder) call(c event.Call) *call {
	k := callKey{c.ABI, c.Nr}
	known := r.calls[k]
	if known == nil {
		known = &call{}
		r.calls[k] = known
	}
	return known
}

func (r *Recorder) countCalls(t *event.Tally) {
	c := r.call(t.Call)
	c.count += t.Count
	if t.Process == nil {
		return // a thread that could not be told apart
	}
	if c.byProcess == nil {
		c.byProcess = make(map[int]uint64)
	}
	c.byProcess[r.processes.of(t.Process)] += t.Count
}

// maxValues is how many values of one argument are kept.
const maxValues = 64

func (c *call) argument(index uint8, value uint64) {
	if c.args == nil {
		c.args = make(map[uint8]*Argument)
	}
	a := c.args[index]
	if a == nil {
		a = &Argument{Index: int(index)}
		c.args[index] = a
	}
	i, found := slices.BinarySearch(a.Values, value)
	switch {
	case found:
	case len(a.Values) == maxValues:
		a.More = true
	default:
		a.Values = slices.Insert(a.Values, i, value)
	}
}

func (again *repeat) add(n uint64) {
	if n == 0 {
		return
	}
	for _, f := range again.files {
		f.Ops.Add(again.op.String(), n)
		if again.errno != 0 {
			f.Errors.Add(again.errno.String(), n)
		}
	}
	if s := again.socket; s != nil {
		s.Count += n
		if again.errno != 0 {
			s.Errors.Add(again.errno.String(), n)
		}
	}
	if x := again.exec; x != nil {
		x.Count += n
		if again.errno != 0 {
			x.Errors.Add(again.errno.String(), n)
		}
	}
}

// Document is what was recorded, sorted. Tool, Target, Host and the duration are
// for the caller to fill in.
func (r *Recorder) Document() *Document {
	d := &Document{
		Version:   Version,
		Results:   r.options.Results,
		Complete:  r.complete(),
		Lost:      r.losses(),
		Folded:    maps.Clone(r.folded),
		Started:   r.options.Started,
		Syscalls:  r.syscalls(),
		Execs:     r.execs.all(),
		Processes: r.processes.all(),
	}
	if r.options.Files {
		d.Files = r.files.all()
	}
	if r.options.Sockets {
		d.Sockets = r.sockets.all()
	}
	return d
}

func (r *Recorder) syscalls() []*Syscall {
	all := make([]*Syscall, 0, len(r.calls))
	for k, c := range r.calls {
		s := &Syscall{
			Name: syscalls.Name(k.abi, k.nr), Nr: k.nr, ABI: k.abi.String(),
			Count: c.count, Errors: c.errors, ByProcess: c.byProcess,
		}
		for _, a := range c.args {
			s.Args = append(s.Args, *a)
		}
		slices.SortFunc(s.Args, func(a, b Argument) int { return cmp.Compare(a.Index, b.Index) })
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Syscall) int {
		return cmp.Or(cmp.Compare(a.ABI, b.ABI), cmp.Compare(a.Nr, b.Nr))
	})
	return all
}
