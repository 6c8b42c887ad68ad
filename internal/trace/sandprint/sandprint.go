// Package sandprint reads the traces of sandprint, a profiler of system calls
// (trace.json, schema version 1).
//
// Such a trace has the system calls with their numbers, and no more than that. It does not
// say what was dropped, and has the number of a 32-bit call as if it were one of the
// machine, so nothing made of it is ever complete. Start reading at [Read].
package sandprint

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/jsonstream"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// schemaVersion is the one that is known.
const schemaVersion = 1

// maxProcesses bounds the processes of a trace.
const maxProcesses = 100_000

// maxNumber bounds the numbers of calls. sandprint itself counts those below 512.
const maxNumber = 4096

// fields are those of a trace.
var fields = []string{"schema_version", "arch", "target_argv", "events", "counts"}

// HasField says whether a trace of sandprint begins with a field of this name.
func HasField(name string) bool { return slices.Contains(fields, name) }

// Read reads a trace.
func Read(r io.Reader) (*trace.Document, error) {
	d := &reader{json: jsonstream.New(r), processes: make(map[int32]*process), counts: make(map[int32]uint64), names: make(map[int32]string)}
	if err := d.json.Document(d.field); err != nil {
		return nil, fmt.Errorf("reading the trace of sandprint: %w", err)
	}
	return d.document()
}

type reader struct {
	json    *jsonstream.Decoder
	version int
	arch    string
	argv    []string
	// counts are exact; the events are as many as were not dropped.
	counts      map[int32]uint64
	names       map[int32]string
	processes   map[int32]*process
	first, last uint64
}

// process is what events tell of one process.
type process struct {
	event.Process
	first uint64
	calls map[int32]uint64
}

// call is one event, or a count.
type call struct {
	Time  uint64  `json:"timestamp_ns"`
	PID   int32   `json:"tgid"`
	Nr    int32   `json:"syscall_nr"`
	Name  *string `json:"syscall_name"`
	Comm  string  `json:"comm"`
	Count uint64  `json:"count"`
}

func (d *reader) field(name string) error {
	switch name {
	case "schema_version":
		return d.json.Value(&d.version)
	case "arch":
		return d.json.Value(&d.arch)
	case "target_argv":
		return d.json.Value(&d.argv)
	case "events":
		return d.calls(d.event)
	case "counts":
		return d.calls(func(c *call) error { d.counts[c.Nr] += c.Count; return nil })
	}
	return d.json.Skip()
}

// calls reads a list of events or counts.
func (d *reader) calls(take func(*call) error) error {
	return d.json.List(func(int) error {
		var c call
		if err := d.json.Value(&c); err != nil {
			return err
		}
		if c.Nr < 0 || c.Nr >= maxNumber {
			return fmt.Errorf("there is no call %d", c.Nr)
		}
		if c.Name != nil {
			if known, ok := d.names[c.Nr]; ok && known != *c.Name {
				return fmt.Errorf("call %d is %q, and %q before", c.Nr, *c.Name, known)
			} else if !ok {
				d.names[c.Nr] = *c.Name
			}
		}
		return take(&c)
	})
}

func (d *reader) event(c *call) error {
	p := d.processes[c.PID]
	if p == nil {
		if len(d.processes) >= maxProcesses {
			return fmt.Errorf("there are more than %d processes", maxProcesses)
		}
		p = &process{first: c.Time, calls: make(map[int32]uint64)}
		p.ID = event.ProcessID{PID: c.PID, Start: c.Time}
		p.UID = trace.UnknownUID
		d.processes[c.PID] = p
		if len(d.processes) == 1 {
			d.first = c.Time
		}
	}
	d.first, d.last = min(d.first, c.Time), max(d.last, c.Time)
	p.Comm = strings.Clone(c.Comm)
	p.calls[c.Nr]++
	return nil
}

// abis are the ABIs of the architectures, as Rust calls these.
var abis = map[string]event.ABI{"x86_64": event.X8664, "aarch64": event.ARM64}

func (d *reader) document() (*trace.Document, error) {
	if d.version != schemaVersion {
		return nil, fmt.Errorf("schema version %d of sandprint is not known; this Turnstile reads version %d", d.version, schemaVersion)
	}
	abi, ok := abis[d.arch]
	if !ok {
		return nil, fmt.Errorf("the trace of sandprint is of %q; those that are known: x86_64, aarch64", d.arch)
	}
	for _, nr := range slices.Sorted(maps.Keys(d.names)) {
		if err := checkName(abi, nr, d.names[nr]); err != nil {
			return nil, fmt.Errorf("reading the trace of sandprint: %w", err)
		}
	}
	doc := d.record(abi)
	doc.Tool = "sandprint"
	doc.Started = time.Time{}
	doc.Duration = int64(d.last - d.first)
	doc.Host.Arch = abi.String()
	doc.Complete = trace.Complete{}
	doc.Lost = map[string]uint64{"uncounted": 1} // it does not say how much
	doc.Target = trace.Target{Argv: d.argv, UID: trace.UnknownUID}
	if len(d.argv) == 1 {
		if pid, ok := strings.CutPrefix(d.argv[0], "pid:"); ok { // it was attached to
			doc.Target.Argv = nil
			doc.Target.PID, _ = strconv.Atoi(pid)
		}
	}
	return doc, nil
}

// record makes a document of the calls.
func (d *reader) record(abi event.ABI) *trace.Document {
	rec := trace.NewRecorder(trace.Options{Started: time.Unix(0, 0)})
	told := make(map[int32]uint64)
	for _, p := range slices.SortedFunc(maps.Values(d.processes), func(a, b *process) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.ID.PID, b.ID.PID))
	}) {
		p.Started = time.Unix(0, int64(p.first-d.first))
		rec.Event(&event.Event{Process: &p.Process, Time: p.Started, Access: event.Access{Op: event.OpFork}})
		for nr, n := range p.calls {
			told[nr] += n
			rec.Tally(&event.Tally{Kind: event.TallyCalls, Process: &p.Process, Call: event.Call{ABI: abi, Nr: nr}, Count: n})
		}
	}
	for nr, n := range d.counts { // what was dropped is of no process
		if n > told[nr] {
			rec.Tally(&event.Tally{Kind: event.TallyCalls, Call: event.Call{ABI: abi, Nr: nr}, Count: n - told[nr]})
		}
	}
	return rec.Document()
}

// checkName refuses a name that is not that of its number.
func checkName(abi event.ABI, nr int32, name string) error {
	known, ok := syscalls.Known(abi, nr)
	other, elsewhere := syscalls.Number(abi, name)
	if ok && known != name || elsewhere && other != nr {
		return fmt.Errorf("call %d of %v is %q, and no %q", nr, abi, syscalls.Name(abi, nr), name)
	}
	return nil
}
