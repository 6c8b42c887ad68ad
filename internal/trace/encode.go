package trace

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Encode writes d as JSON, one entry of a section a line.
func Encode(w io.Writer, d *Document) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if err := encode(b, d); err != nil {
		return fmt.Errorf("writing the trace: %w", err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing the trace: %w", err)
	}
	return nil
}

// deterministic has maps written in the order of their keys. What HTML and JavaScript
// could take for their own is escaped, as encoding/json does.
var deterministic = json.JoinOptions(json.Deterministic(true), jsontext.EscapeForHTML(true), jsontext.EscapeForJS(true))

func encode(w *bufio.Writer, d *Document) error {
	type field struct {
		name  string
		value any
	}
	head := []field{
		{"version", d.Version}, {"tool", d.Tool}, {"results", d.Results},
		{"complete", d.Complete}, {"lost", d.Lost}, {"folded", d.Folded},
		{"target", d.Target}, {"host", d.Host},
		{"started", d.Started}, {"duration_ns", d.Duration},
	}
	if d.Open != nil {
		head = append(head, field{"open", d.Open})
	}
	if d.Merged != nil {
		head = append(head, field{"merged", d.Merged})
	}
	for i, f := range head {
		b, err := json.Marshal(f.value, deterministic)
		if err != nil {
			return err
		}
		lead := ","
		if i == 0 {
			lead = "{"
		}
		fmt.Fprintf(w, "%s\n%q: %s", lead, f.name, b)
	}
	if err := section(w, "syscalls", d.Syscalls, func(s *Syscall) *Syscall { return s }); err != nil {
		return err
	}
	if d.Files != nil {
		if err := section(w, "files", d.Files, (*File).wire); err != nil {
			return err
		}
	}
	if err := section(w, "execs", d.Execs, (*Exec).wire); err != nil {
		return err
	}
	if d.Sockets != nil {
		if err := section(w, "sockets", d.Sockets, (*Socket).wire); err != nil {
			return err
		}
	}
	if err := section(w, "processes", d.Processes, (*Process).wire); err != nil {
		return err
	}
	_, err := w.WriteString("\n}\n")
	return err
}

// section writes entries in their form W.
func section[T, W any](w *bufio.Writer, name string, entries []*T, form func(*T) *W) error {
	fmt.Fprintf(w, ",\n%q: [", name)
	var line bytes.Buffer
	e := jsontext.NewEncoder(&line, deterministic)
	for i, entry := range entries {
		line.Reset()
		e.Reset(&line, deterministic)
		if err := json.MarshalEncode(e, form(entry)); err != nil {
			return fmt.Errorf("encoding an entry of %q: %w", name, err)
		}
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteByte('\n')
		w.Write(bytes.TrimSuffix(line.Bytes(), []byte{'\n'}))
	}
	_, err := w.WriteString("]")
	return err
}
