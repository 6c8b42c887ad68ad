package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
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
		b, err := json.Marshal(f.value)
		if err != nil {
			return err
		}
		lead := ","
		if i == 0 {
			lead = "{"
		}
		fmt.Fprintf(w, "%s\n%q: %s", lead, f.name, b)
	}
	if err := section(w, "syscalls", d.Syscalls); err != nil {
		return err
	}
	if d.Files != nil {
		if err := section(w, "files", d.Files); err != nil {
			return err
		}
	}
	if err := section(w, "execs", d.Execs); err != nil {
		return err
	}
	if d.Sockets != nil {
		if err := section(w, "sockets", d.Sockets); err != nil {
			return err
		}
	}
	if err := section(w, "processes", d.Processes); err != nil {
		return err
	}
	_, err := w.WriteString("\n}\n")
	return err
}

func section[T any](w *bufio.Writer, name string, entries []T) error {
	fmt.Fprintf(w, ",\n%q: [", name)
	for i, e := range entries {
		b, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encoding an entry of %q: %w", name, err)
		}
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteByte('\n')
		w.Write(b)
	}
	_, err := w.WriteString("]")
	return err
}

// Decode reads a document and refuses a version that it does not know.
func Decode(r io.Reader) (*Document, error) {
	var d Document
	if err := json.NewDecoder(r).Decode(&d); err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	if d.Version != Version {
		return nil, fmt.Errorf("reading the trace: version %d is not known; this Turnstile reads version %d", d.Version, Version)
	}
	return &d, nil
}
