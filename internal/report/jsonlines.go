package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/wire"
)

// JSONLines is the [event.Sink] that writes one JSON object a line for each
// event; docs/formats.md describes them.
type JSONLines struct {
	w   *bufio.Writer
	err error
}

// NewJSONLines returns a JSONLines that writes to w.
func NewJSONLines(w io.Writer) *JSONLines {
	return &JSONLines{w: bufio.NewWriterSize(w, 1<<16)}
}

type jsonEvent struct {
	Time       time.Time    `json:"time"`
	PID        int32        `json:"pid"`
	TID        int32        `json:"tid"`
	PPID       int32        `json:"ppid,omitempty"`
	Comm       string       `json:"comm,omitempty"`
	CommBase64 []byte       `json:"comm_base64,omitempty"`
	Category   string       `json:"category"`
	Syscall    string       `json:"syscall,omitempty"`
	ABI        string       `json:"abi,omitempty"`
	Args       []uint64     `json:"args,omitempty"`
	Op         string       `json:"op,omitempty"`
	Flags      uint64       `json:"flags,omitempty"`
	Targets    []jsonTarget `json:"targets,omitempty"`
	Socket     *jsonSocket  `json:"socket,omitempty"`
	Argv       []string     `json:"argv,omitempty"`
	ArgvBase64 [][]byte     `json:"argv_base64,omitempty"`
	Ret        *int64       `json:"ret,omitempty"`
	Errno      string       `json:"errno,omitempty"`
	ExitStatus *int         `json:"exit_status,omitempty"`
	Signal     string       `json:"signal,omitempty"`
	*jsonVerdict
}

// jsonVerdict is what a gate adds.
type jsonVerdict struct {
	UID       uint32 `json:"uid"`
	Exe       string `json:"exe,omitempty"`
	ExeBase64 []byte `json:"exe_base64,omitempty"`
	Verdict   string `json:"verdict"`
	Rule      string `json:"rule"`
	Latency   int64  `json:"latency_ns"`
}

type jsonTarget struct {
	Path        string   `json:"path,omitempty"`
	PathBase64  []byte   `json:"path_base64,omitempty"`
	How         string   `json:"how"`
	Asked       string   `json:"asked,omitempty"`
	AskedBase64 []byte   `json:"asked_base64,omitempty"`
	Base        string   `json:"base,omitempty"`
	BaseBase64  []byte   `json:"base_base64,omitempty"`
	Classes     []string `json:"classes"`
	Created     bool     `json:"created,omitempty"`
}

type jsonSocket struct {
	Family     string  `json:"family"`
	Type       string  `json:"type,omitempty"`
	Protocol   string  `json:"protocol,omitempty"`
	Addr       string  `json:"addr,omitempty"`
	Port       *uint16 `json:"port,omitempty"`
	Path       string  `json:"path,omitempty"`
	PathBase64 []byte  `json:"path_base64,omitempty"`
	Abstract   bool    `json:"abstract,omitempty"`
	Raw        []byte  `json:"raw_base64,omitempty"`
}

// Event implements [event.Sink].
func (j *JSONLines) Event(e *event.Event) {
	out := jsonEvent{
		Time: e.Time, PID: e.Process.ID.PID, TID: e.TID, PPID: e.Process.Parent.PID,
		Category: e.Category.String(), Flags: e.Access.Flags,
	}
	out.Comm, out.CommBase64 = wire.Text(e.Process.Comm)
	if e.Call.Nr >= 0 || e.Call.ABI != event.ABIUnknown {
		out.Syscall = syscalls.Name(e.Call.ABI, e.Call.Nr)
		out.ABI = e.Call.ABI.String()
		out.Args = e.Call.Args[:]
	}
	if e.Access.Op != event.OpNone {
		out.Op = e.Access.Op.String()
	}
	for i := range e.Access.Targets {
		out.Targets = append(out.Targets, targetOf(&e.Access.Targets[i]))
	}
	if e.Access.Op.Category() == event.CategoryNetwork {
		out.Socket = socketOf(&e.Access.Socket)
	}
	out.Argv, out.ArgvBase64 = wire.Texts(e.Argv)
	switch {
	case e.Access.Op == event.OpExit && e.Exit.Signaled():
		out.Signal = event.SignalName(e.Exit.Signal())
	case e.Access.Op == event.OpExit:
		status := e.Exit.ExitStatus()
		out.ExitStatus = &status
	case e.Outcome.Errno != 0:
		out.Errno = e.Outcome.Errno.String()
	case e.Outcome.Known:
		out.Ret = &e.Outcome.Ret
	}
	if v := e.Verdict; v.Kind != event.VerdictNone {
		out.jsonVerdict = &jsonVerdict{UID: e.Process.UID, Verdict: v.Kind.String(), Rule: v.By, Latency: v.Took.Nanoseconds()}
		out.Exe, out.ExeBase64 = wire.Text(e.Process.Exe)
	}
	j.write(out)
}

// Tally implements [event.Sink]. Tallies are not events: the last line has what
// matters of them.
func (j *JSONLines) Tally(*event.Tally) {}

// Flush implements [event.Sink].
func (j *JSONLines) Flush() {
	if j.err == nil {
		j.err = j.w.Flush()
	}
}

// Finish writes the last line, which says what is missing above it, and ends.
func (j *JSONLines) Finish(d *trace.Document) error {
	j.write(struct {
		End      bool              `json:"end"`
		Complete trace.Complete    `json:"complete"`
		Lost     map[string]uint64 `json:"lost"`
	}{true, d.Complete, d.Lost})
	return j.End()
}

// End writes what is left. Its error is the first of all writes.
func (j *JSONLines) End() error {
	j.Flush()
	if j.err != nil {
		return fmt.Errorf("writing events: %w", j.err)
	}
	return nil
}

func (j *JSONLines) write(v any) {
	if j.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = j.w.Write(append(b, '\n'))
	}
	j.err = err
}

func targetOf(t *event.Target) jsonTarget {
	out := jsonTarget{How: t.How.String(), Classes: t.Class.Names(), Created: t.Created}
	if out.Classes == nil {
		out.Classes = []string{}
	}
	out.Path, out.PathBase64 = wire.Text(t.Path)
	out.Asked, out.AskedBase64 = wire.Text(t.Asked)
	out.Base, out.BaseBase64 = wire.Text(t.Base)
	return out
}

func socketOf(s *event.Socket) *jsonSocket {
	out := &jsonSocket{Family: trace.FamilyName(s.Family), Abstract: s.Abstract, Raw: s.Raw}
	if s.TypeKnown {
		out.Type, out.Protocol = trace.TypeName(s.Type), trace.ProtocolName(s.Family, s.Protocol)
	}
	if s.Addr.IsValid() {
		out.Addr, out.Port = s.Addr.String(), &s.Port
	}
	out.Path, out.PathBase64 = wire.Text(s.Path)
	return out
}
