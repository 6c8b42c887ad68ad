package report

import (
	"encoding/json"
	"io"

	"github.com/turnstile-project/turnstile/internal/report/read"
	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/wire"
)

// CheckVersion is that of the JSON form of a check, which docs/formats.md has.
const CheckVersion = 1

// CheckJSON writes what came of a check as one JSON object.
func CheckJSON(w io.Writer, c *Checked) error {
	out := struct {
		Version    int           `json:"version"`
		Allowed    bool          `json:"allowed"`
		File       string        `json:"file,omitempty"`
		FileBase64 []byte        `json:"file_base64,omitempty"`
		Format     string        `json:"format"`
		Findings   []findingJSON `json:"findings"`
		Notes      []string      `json:"notes"`
		Incomplete []string      `json:"incomplete"`
	}{
		Version: CheckVersion, Allowed: !c.Denied(), Format: c.Profile.Format,
		Findings: []findingJSON{}, Notes: []string{}, Incomplete: []string{},
	}
	out.File, out.FileBase64 = wire.Text(c.Name)
	out.Notes = append(out.Notes, c.Profile.Notes...)
	out.Incomplete = append(out.Incomplete, c.Lacks.Names()...)
	by := actorsOf(c.Trace)
	for i := range c.Findings {
		out.Findings = append(out.Findings, findingJSONOf(&c.Findings[i], by))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

type findingJSON struct {
	Verdict    string          `json:"verdict"`
	Kind       string          `json:"kind"`
	Name       string          `json:"name,omitempty"`
	Nr         *int32          `json:"nr,omitempty"`
	ABI        string          `json:"abi,omitempty"`
	Argument   *trace.Argument `json:"argument,omitempty"`
	Path       string          `json:"path,omitempty"`
	PathBase64 []byte          `json:"path_base64,omitempty"`
	Folded     bool            `json:"folded,omitempty"`
	Socket     *trace.Socket   `json:"socket,omitempty"`
	Classes    []string        `json:"classes,omitempty"`
	Count      uint64          `json:"count"`
	Processes  []actorJSON     `json:"processes"`
	What       string          `json:"what,omitempty"`
	Why        string          `json:"why"`
	Add        string          `json:"add,omitempty"`
}

func findingJSONOf(f *read.Finding, by actors) findingJSON {
	j := findingJSON{Verdict: "denied", Classes: f.Classes.Names(), What: f.What, Why: f.Why, Add: f.Add}
	if f.Unknown {
		j.Verdict = "unknown"
	}
	switch {
	case f.Call != nil:
		j.Kind, j.Name, j.Nr, j.ABI, j.Count = "syscall", f.Call.Name, &f.Call.Nr, f.Call.ABI, f.Call.Count
		if f.Values != nil {
			j.Argument = &trace.Argument{Index: f.Index, Values: f.Values}
		}
		j.Processes = by.json(byCount(f.Call.ByProcess), f.Call.ByProcess)
	case f.File != nil:
		j.Kind, j.Folded, j.Count = "file", f.File.Folded, f.File.Ops.Total()
		j.Path, j.PathBase64 = wire.Text(f.File.Path)
		j.Processes = by.json(f.File.Processes, nil)
	case f.Exec != nil:
		j.Kind, j.Count, j.Processes = "exec", f.Exec.Count, []actorJSON{}
		j.Path, j.PathBase64 = wire.Text(f.Exec.Path)
		if f.Exec.Process != nil {
			j.Processes = by.json([]int{*f.Exec.Process}, nil)
		}
	case f.Socket != nil:
		j.Kind, j.Socket, j.Count = "socket", f.Socket, f.Socket.Count
		j.Processes = by.json(f.Socket.Processes, nil)
	}
	return j
}
