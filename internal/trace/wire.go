package trace

import (
	"encoding/json"
	"fmt"

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
	PID        int      `json:"pid,omitempty"`
	Cgroup     string   `json:"cgroup,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (t Target) MarshalJSON() ([]byte, error) {
	w := wireTarget{Status: t.Status, Signal: t.Signal, UID: t.UID, PID: t.PID, Cgroup: t.Cgroup}
	w.Argv, w.ArgvBase64 = wire.Texts(t.Argv)
	w.Dir, w.DirBase64 = wire.Text(t.Dir)
	return json.Marshal(w)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Target) UnmarshalJSON(b []byte) error {
	var w wireTarget
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*t = Target{
		Argv: wire.FromTexts(w.Argv, w.ArgvBase64), Dir: wire.FromText(w.Dir, w.DirBase64),
		Status: w.Status, Signal: w.Signal, UID: w.UID, PID: w.PID, Cgroup: w.Cgroup,
	}
	return nil
}

type wireFile struct {
	Path        string   `json:"path,omitempty"`
	PathBase64  []byte   `json:"path_base64,omitempty"`
	Asked       []string `json:"asked,omitempty"`
	AskedBase64 [][]byte `json:"asked_base64,omitempty"`
	How         string   `json:"how"`
	Classes     []string `json:"classes"`
	Ops         Counts   `json:"ops"`
	Errors      Counts   `json:"errors,omitempty"`
	Processes   []int    `json:"processes"`
	Verdicts    Counts   `json:"verdicts,omitempty"`
	Rule        string   `json:"rule,omitempty"`
	Folded      bool     `json:"folded,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (f *File) MarshalJSON() ([]byte, error) {
	w := wireFile{
		How: f.How.String(), Classes: f.Classes.Names(), Ops: f.Ops, Errors: f.Errors,
		Processes: f.Processes, Verdicts: f.Verdicts, Rule: f.Rule, Folded: f.Folded,
	}
	w.Path, w.PathBase64 = wire.Text(f.Path)
	w.Asked, w.AskedBase64 = wire.Texts(f.Asked)
	if w.Classes == nil {
		w.Classes = []string{}
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (f *File) UnmarshalJSON(b []byte) error {
	var w wireFile
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	how, ok := event.ParseHow(w.How)
	if !ok {
		return fmt.Errorf("file with unknown %q: %q", "how", w.How)
	}
	var classes event.Class
	for _, name := range w.Classes {
		c, ok := event.ParseClass(name)
		if !ok {
			return fmt.Errorf("file of unknown class %q", name)
		}
		classes |= c
	}
	*f = File{
		Path: wire.FromText(w.Path, w.PathBase64), Asked: wire.FromTexts(w.Asked, w.AskedBase64),
		How: how, Classes: classes, Ops: w.Ops, Errors: w.Errors,
		Processes: w.Processes, Verdicts: w.Verdicts, Rule: w.Rule, Folded: w.Folded,
	}
	return nil
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
func (e *Exec) MarshalJSON() ([]byte, error) {
	w := wireExec{Process: e.Process, Count: e.Count, Errors: e.Errors}
	w.Path, w.PathBase64 = wire.Text(e.Path)
	w.Interpreter, w.InterpreterBase64 = wire.Text(e.Interpreter)
	w.Argv, w.ArgvBase64 = wire.Texts(e.Argv)
	return json.Marshal(w)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (e *Exec) UnmarshalJSON(b []byte) error {
	var w wireExec
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*e = Exec{
		Path: wire.FromText(w.Path, w.PathBase64), Interpreter: wire.FromText(w.Interpreter, w.InterpreterBase64),
		Argv: wire.FromTexts(w.Argv, w.ArgvBase64), Process: w.Process, Count: w.Count, Errors: w.Errors,
	}
	return nil
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
	Abstract   bool    `json:"abstract,omitempty"`
	Raw        []byte  `json:"raw_base64,omitempty"`
	Count      uint64  `json:"count"`
	Errors     Counts  `json:"errors,omitempty"`
	Processes  []int   `json:"processes"`
}

// MarshalJSON implements [json.Marshaler].
func (s *Socket) MarshalJSON() ([]byte, error) {
	w := wireSocket{
		Op: s.Op, Family: s.Family, Type: s.Type, Protocol: s.Protocol, Addr: s.Addr, Port: s.Port,
		Abstract: s.Abstract, Raw: s.Raw, Count: s.Count, Errors: s.Errors, Processes: s.Processes,
	}
	w.Path, w.PathBase64 = wire.Text(s.Path)
	return json.Marshal(w)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Socket) UnmarshalJSON(b []byte) error {
	var w wireSocket
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*s = Socket{
		Op: w.Op, Family: w.Family, Type: w.Type, Protocol: w.Protocol, Addr: w.Addr, Port: w.Port,
		Path: wire.FromText(w.Path, w.PathBase64), Abstract: w.Abstract, Raw: w.Raw,
		Count: w.Count, Errors: w.Errors, Processes: w.Processes,
	}
	return nil
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
	Folded     uint64  `json:"folded,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (p *Process) MarshalJSON() ([]byte, error) {
	w := wireProcess{
		ID: p.ID, PID: p.PID, PPID: p.PPID, UID: p.UID, Started: p.Started, Exited: p.Exited,
		Status: p.Status, Signal: p.Signal, Folded: p.Folded,
	}
	w.Comm, w.CommBase64 = wire.Text(p.Comm)
	w.Exe, w.ExeBase64 = wire.Text(p.Exe)
	return json.Marshal(w)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Process) UnmarshalJSON(b []byte) error {
	var w wireProcess
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*p = Process{
		ID: w.ID, PID: w.PID, PPID: w.PPID, Comm: wire.FromText(w.Comm, w.CommBase64),
		Exe: wire.FromText(w.Exe, w.ExeBase64), UID: w.UID, Started: w.Started, Exited: w.Exited,
		Status: w.Status, Signal: w.Signal, Folded: w.Folded,
	}
	return nil
}
