package trace

import (
	"fmt"
	"unique"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/wire"
)

// The types here are the JSON form of those in document.go that hold strings of
// the target. Such a string X that is not UTF-8 is written as X_base64; a list
// with one such string in it is base64 as a whole.

type wireTarget struct {
	Argv       []string `json:"argv,omitempty"`
	ArgvBase64 [][]byte `json:"argv_base64,omitempty"`
	Dir        string   `json:"cwd,omitempty"`
	DirBase64  []byte   `json:"cwd_base64,omitempty"`
	Status     *int     `json:"exit_status"`
	Signal     *string  `json:"signal"`
	UID        uint32   `json:"uid"`
	PID        int      `json:"pid,omitzero"`
	Cgroup     string   `json:"cgroup,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (t Target) MarshalJSON() ([]byte, error) { return json.Marshal(t.wire(), deterministic) }

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Target) UnmarshalJSON(b []byte) error {
	var w wireTarget
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*t = w.target()
	return nil
}

func (t Target) wire() *wireTarget {
	w := &wireTarget{Status: t.Status, Signal: t.Signal, UID: t.UID, PID: t.PID, Cgroup: t.Cgroup}
	w.Argv, w.ArgvBase64 = wire.Texts(t.Argv)
	w.Dir, w.DirBase64 = wire.Text(t.Dir)
	return w
}

func (w *wireTarget) target() Target {
	return Target{
		Argv: wire.FromTexts(w.Argv, w.ArgvBase64), Dir: wire.FromText(w.Dir, w.DirBase64),
		Status: w.Status, Signal: w.Signal, UID: w.UID, PID: w.PID, Cgroup: w.Cgroup,
	}
}

type wireFile struct {
	Path        string   `json:"path,omitempty"`
	PathBase64  []byte   `json:"path_base64,omitempty"`
	Asked       []string `json:"asked,omitempty"`
	AskedBase64 [][]byte `json:"asked_base64,omitempty"`
	How         string   `json:"how"`
	Classes     classes  `json:"classes"`
	Ops         Counts   `json:"ops"`
	Errors      Counts   `json:"errors,omitempty"`
	Processes   []int    `json:"processes"`
	Verdicts    Counts   `json:"verdicts,omitempty"`
	Rule        string   `json:"rule,omitempty"`
	Folded      bool     `json:"folded,omitzero"`
}

// MarshalJSON implements [json.Marshaler].
func (f *File) MarshalJSON() ([]byte, error) { return json.Marshal(f.wire(), deterministic) }

func (f *File) wire() *wireFile {
	w := &wireFile{
		How: f.How.String(), Classes: classes(f.Classes), Ops: f.Ops, Errors: f.Errors,
		Processes: f.Processes, Verdicts: f.Verdicts, Rule: f.Rule, Folded: f.Folded,
	}
	w.Path, w.PathBase64 = wire.Text(f.Path)
	w.Asked, w.AskedBase64 = wire.Texts(f.Asked)
	return w
}

func (w *wireFile) file() (*File, error) {
	how, ok := event.ParseHow(w.How)
	if !ok {
		return nil, fmt.Errorf("file with unknown %q: %q", "how", w.How)
	}
	f := &File{
		Path: wire.FromText(w.Path, w.PathBase64), Asked: wire.FromTexts(w.Asked, w.AskedBase64),
		How: how, Classes: event.Class(w.Classes), Ops: w.Ops, Errors: w.Errors,
		Processes: w.Processes, Verdicts: w.Verdicts, Rule: unique.Make(w.Rule).Value(), Folded: w.Folded,
	}
	for i := range f.Asked {
		if f.Asked[i] == f.Path {
			f.Asked[i] = f.Path // shares the bytes
		}
	}
	return f, nil
}

// classes are a set of classes; in JSON, a list of their names.
type classes event.Class

// MarshalJSONTo implements [json.MarshalerTo].
func (c classes) MarshalJSONTo(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, name := range event.Class(c).Names() {
		if err := e.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndArray)
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (c *classes) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '[' {
		return fmt.Errorf("%q are no %v", "classes", t.Kind())
	}
	*c = 0
	for d.PeekKind() != ']' {
		if t, err = d.ReadToken(); err != nil {
			return err
		}
		class, ok := event.ParseClass(t.String())
		if !ok {
			return fmt.Errorf("file of unknown class %q", t.String())
		}
		*c |= classes(class)
	}
	_, err = d.ReadToken()
	return err
}

type wireExec struct {
	Path              string   `json:"path,omitempty"`
	PathBase64        []byte   `json:"path_base64,omitempty"`
	Interpreter       string   `json:"interpreter,omitempty"`
	InterpreterBase64 []byte   `json:"interpreter_base64,omitempty"`
	Argv              []string `json:"argv,omitempty"`
	ArgvBase64        [][]byte `json:"argv_base64,omitempty"`
	Process           *int     `json:"process,omitempty"`
	Count             uint64   `json:"count"`
	Errors            Counts   `json:"errors,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (e *Exec) MarshalJSON() ([]byte, error) { return json.Marshal(e.wire(), deterministic) }

func (e *Exec) wire() *wireExec {
	w := &wireExec{Process: e.Process, Count: e.Count, Errors: e.Errors}
	w.Path, w.PathBase64 = wire.Text(e.Path)
	w.Interpreter, w.InterpreterBase64 = wire.Text(e.Interpreter)
	w.Argv, w.ArgvBase64 = wire.Texts(e.Argv)
	return w
}

func (w *wireExec) exec() *Exec {
	return &Exec{
		Path: wire.FromText(w.Path, w.PathBase64), Interpreter: wire.FromText(w.Interpreter, w.InterpreterBase64),
		Argv: wire.FromTexts(w.Argv, w.ArgvBase64), Process: w.Process, Count: w.Count, Errors: w.Errors,
	}
}

type wireSocket struct {
	Op         string  `json:"op"`
	Family     string  `json:"family"`
	Type       string  `json:"type,omitempty"`
	Protocol   string  `json:"protocol,omitempty"`
	Addr       string  `json:"addr,omitempty"`
	Port       *uint16 `json:"port,omitempty"`
	Path       string  `json:"path,omitempty"`
	PathBase64 []byte  `json:"path_base64,omitempty"`
	Abstract   bool    `json:"abstract,omitzero"`
	Raw        []byte  `json:"raw_base64,omitempty"`
	Count      uint64  `json:"count"`
	Errors     Counts  `json:"errors,omitempty"`
	Processes  []int   `json:"processes"`
}

// MarshalJSON implements [json.Marshaler].
func (s *Socket) MarshalJSON() ([]byte, error) { return json.Marshal(s.wire(), deterministic) }

func (s *Socket) wire() *wireSocket {
	w := &wireSocket{
		Op: s.Op, Family: s.Family, Type: s.Type, Protocol: s.Protocol, Addr: s.Addr, Port: s.Port,
		Abstract: s.Abstract, Raw: s.Raw, Count: s.Count, Errors: s.Errors, Processes: s.Processes,
	}
	w.Path, w.PathBase64 = wire.Text(s.Path)
	return w
}

func (w *wireSocket) socket() *Socket {
	return &Socket{
		Op: w.Op, Family: w.Family, Type: w.Type, Protocol: w.Protocol, Addr: w.Addr, Port: w.Port,
		Path: wire.FromText(w.Path, w.PathBase64), Abstract: w.Abstract, Raw: w.Raw,
		Count: w.Count, Errors: w.Errors, Processes: w.Processes,
	}
}

type wireProcess struct {
	ID         int     `json:"id"`
	PID        int32   `json:"pid"`
	PPID       int32   `json:"ppid"`
	Comm       string  `json:"comm,omitempty"`
	CommBase64 []byte  `json:"comm_base64,omitempty"`
	Exe        string  `json:"exe,omitempty"`
	ExeBase64  []byte  `json:"exe_base64,omitempty"`
	UID        uint32  `json:"uid"`
	Started    int64   `json:"started_ns"`
	Exited     *int64  `json:"exited_ns,omitempty"`
	Status     *int    `json:"exit_status"`
	Signal     *string `json:"signal"`
	Folded     uint64  `json:"folded,omitzero"`
}

// MarshalJSON implements [json.Marshaler].
func (p *Process) MarshalJSON() ([]byte, error) { return json.Marshal(p.wire(), deterministic) }

func (p *Process) wire() *wireProcess {
	w := &wireProcess{
		ID: p.ID, PID: p.PID, PPID: p.PPID, UID: p.UID, Started: p.Started, Exited: p.Exited,
		Status: p.Status, Signal: p.Signal, Folded: p.Folded,
	}
	w.Comm, w.CommBase64 = wire.Text(p.Comm)
	w.Exe, w.ExeBase64 = wire.Text(p.Exe)
	return w
}

func (w *wireProcess) process() *Process {
	return &Process{
		ID: w.ID, PID: w.PID, PPID: w.PPID, Comm: wire.FromText(w.Comm, w.CommBase64),
		Exe: wire.FromText(w.Exe, w.ExeBase64), UID: w.UID, Started: w.Started, Exited: w.Exited,
		Status: w.Status, Signal: w.Signal, Folded: w.Folded,
	}
}
