package report

import (
	"io"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/wire"
)

// DifferenceVersion is that of the JSON form of a difference, which docs/formats.md has.
const DifferenceVersion = 1

// DifferenceJSON writes what tells two documents apart as one JSON object.
func DifferenceJSON(w io.Writer, a, b Compared, d *trace.Difference, sections []string) error {
	actorsA, actorsB := actorsOf(a.Document), actorsOf(b.Document)
	out := struct {
		Version  int                       `json:"version"`
		New      bool                      `json:"new"`
		A        comparedJSON              `json:"a"`
		B        comparedJSON              `json:"b"`
		Sections map[string]comparisonJSON `json:"sections"`
		Syscalls []callDifferenceJSON      `json:"syscalls"`
		Files    []fileDifferenceJSON      `json:"files"`
		Execs    []execDifferenceJSON      `json:"execs"`
		Sockets  []socketDifferenceJSON    `json:"sockets"`
	}{
		Version: DifferenceVersion, New: d.New(), A: comparedJSONOf(a), B: comparedJSONOf(b),
		Sections: make(map[string]comparisonJSON),
		Syscalls: []callDifferenceJSON{}, Files: []fileDifferenceJSON{}, Execs: []execDifferenceJSON{}, Sockets: []socketDifferenceJSON{},
	}
	for _, section := range trace.DifferenceSections {
		if slices.Contains(sections, section) {
			c := compare(section, a.Document, b.Document)
			out.Sections[section] = comparisonJSON{c.possible(), c.a, c.b}
		}
	}
	for _, c := range d.Syscalls {
		out.Syscalls = append(out.Syscalls, callDifferenceJSONOf(c, actorsA, actorsB))
	}
	for _, f := range d.Files {
		out.Files = append(out.Files, fileDifferenceJSONOf(f, actorsA, actorsB))
	}
	for _, x := range d.Execs {
		out.Execs = append(out.Execs, execDifferenceJSONOf(x, actorsA, actorsB))
	}
	for _, s := range d.Sockets {
		out.Sockets = append(out.Sockets, socketDifferenceJSONOf(s, actorsA, actorsB))
	}
	// Of a million differences encoding/json would have the whole text in memory, twice.
	e := jsontext.NewEncoder(w, jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false), jsontext.WithIndent("  "))
	return json.MarshalEncode(e, out)
}

type comparedJSON struct {
	File       string   `json:"file,omitempty"`
	FileBase64 []byte   `json:"file_base64,omitempty"`
	Argv       []string `json:"argv,omitempty"`
	ArgvBase64 [][]byte `json:"argv_base64,omitempty"`
	Results    bool     `json:"results"`
}

func comparedJSONOf(c Compared) comparedJSON {
	j := comparedJSON{Results: c.Results}
	j.File, j.FileBase64 = wire.Text(c.Name)
	j.Argv, j.ArgvBase64 = wire.Texts(c.Target.Argv)
	return j
}

type comparisonJSON struct {
	Compared bool  `json:"compared"`
	A        *bool `json:"complete_a,omitempty"`
	B        *bool `json:"complete_b,omitempty"`
}

// has says in which of the documents something is.
func has(inA, inB bool) string {
	switch {
	case inA && inB:
		return "both"
	case inA:
		return "a"
	default:
		return "b"
	}
}

type actorJSON struct {
	ID         int    `json:"id"`
	PID        int32  `json:"pid"`
	Comm       string `json:"comm,omitempty"`
	CommBase64 []byte `json:"comm_base64,omitempty"`
	Exe        string `json:"exe,omitempty"`
	ExeBase64  []byte `json:"exe_base64,omitempty"`
	Count      uint64 `json:"count,omitempty"`
}

// json are some processes, with their counts if there are any.
func (a actors) json(ids []int, counts map[int]uint64) []actorJSON {
	all := []actorJSON{}
	for _, id := range ids {
		p := a[id]
		if p == nil {
			continue
		}
		j := actorJSON{ID: id, PID: p.PID, Count: counts[id]}
		j.Comm, j.CommBase64 = wire.Text(p.Comm)
		j.Exe, j.ExeBase64 = wire.Text(p.Exe)
		all = append(all, j)
	}
	return all
}

type callDifferenceJSON struct {
	In        string           `json:"in"`
	New       bool             `json:"new"`
	Name      string           `json:"name"`
	Nr        int32            `json:"nr"`
	ABI       string           `json:"abi"`
	CountA    uint64           `json:"count_a"`
	CountB    uint64           `json:"count_b"`
	Values    []trace.Argument `json:"new_values,omitempty"`
	Errors    trace.Counts     `json:"new_errors,omitempty"`
	Processes []actorJSON      `json:"processes"`
}

func callDifferenceJSONOf(c trace.CallDifference, a, b actors) callDifferenceJSON {
	j := callDifferenceJSON{In: has(c.A != nil, c.B != nil), New: c.New(), Values: c.Values, Errors: c.Errors}
	if c.A != nil {
		j.Name, j.Nr, j.ABI, j.CountA = c.A.Name, c.A.Nr, c.A.ABI, c.A.Count
		j.Processes = a.json(byCount(c.A.ByProcess), c.A.ByProcess)
	}
	if c.B != nil {
		j.Name, j.Nr, j.ABI, j.CountB = c.B.Name, c.B.Nr, c.B.ABI, c.B.Count
		j.Processes = b.json(byCount(c.B.ByProcess), c.B.ByProcess)
	}
	return j
}

type fileDifferenceJSON struct {
	In         string      `json:"in"`
	New        bool        `json:"new"`
	Path       string      `json:"path,omitempty"`
	PathBase64 []byte      `json:"path_base64,omitempty"`
	Folded     bool        `json:"folded,omitempty"`
	OnlyA      []string    `json:"classes_only_a,omitempty"`
	OnlyB      []string    `json:"classes_only_b,omitempty"`
	CountA     uint64      `json:"count_a"`
	CountB     uint64      `json:"count_b"`
	Processes  []actorJSON `json:"processes"`
}

func fileDifferenceJSONOf(f trace.FileDifference, a, b actors) fileDifferenceJSON {
	j := fileDifferenceJSON{In: has(f.A != nil, f.B != nil), New: f.New(), OnlyA: f.OnlyA.Names(), OnlyB: f.OnlyB.Names()}
	j.Path, j.PathBase64 = wire.Text(f.Path)
	if f.A != nil {
		j.CountA, j.Folded, j.Processes = f.A.Ops.Total(), f.A.Folded, a.json(f.A.Processes, nil)
	}
	if f.B != nil {
		j.CountB, j.Folded, j.Processes = f.B.Ops.Total(), f.B.Folded, b.json(f.B.Processes, nil)
	}
	return j
}

type execDifferenceJSON struct {
	In         string      `json:"in"`
	New        bool        `json:"new"`
	Path       string      `json:"path,omitempty"`
	PathBase64 []byte      `json:"path_base64,omitempty"`
	CountA     uint64      `json:"count_a"`
	CountB     uint64      `json:"count_b"`
	FailedA    uint64      `json:"failed_a"`
	FailedB    uint64      `json:"failed_b"`
	Processes  []actorJSON `json:"processes"`
}

func execDifferenceJSONOf(x trace.ExecDifference, a, b actors) execDifferenceJSON {
	j := execDifferenceJSON{In: has(x.A != nil, x.B != nil), New: x.New()}
	j.Path, j.PathBase64 = wire.Text(x.Path)
	if x.A != nil {
		j.CountA, j.FailedA, j.Processes = x.A.Count, x.A.Failed, a.json(x.A.Processes, nil)
	}
	if x.B != nil {
		j.CountB, j.FailedB, j.Processes = x.B.Count, x.B.Failed, b.json(x.B.Processes, nil)
	}
	return j
}

type socketDifferenceJSON struct {
	In        string        `json:"in"`
	New       bool          `json:"new"`
	Socket    *trace.Socket `json:"socket"`
	Processes []actorJSON   `json:"processes"`
}

func socketDifferenceJSONOf(s trace.SocketDifference, a, b actors) socketDifferenceJSON {
	if s.B == nil {
		return socketDifferenceJSON{In: "a", Socket: s.A, Processes: a.json(s.A.Processes, nil)}
	}
	return socketDifferenceJSON{In: "b", New: true, Socket: s.B, Processes: b.json(s.B.Processes, nil)}
}
