package trace

import (
	"errors"
	"fmt"
	"io"

	"github.com/turnstile-project/turnstile/internal/jsonstream"
)

// Decode reads a document, entry by entry: what it needs beyond the document is the size
// of the largest entry. Fields that it does not know are passed over. It refuses a version
// that it does not know, a field that is there twice, and what follows the document.
// Errors say at which byte.
func Decode(r io.Reader) (*Document, error) {
	d := &decoder{json: jsonstream.New(r)}
	err := d.json.Document(d.field)
	if err == nil && d.doc.Version == 0 {
		err = errors.New("it has no version")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	return &d.doc, nil
}

type decoder struct {
	json *jsonstream.Decoder
	doc  Document
}

// field reads the value of a field.
func (d *decoder) field(name string) error {
	doc := &d.doc
	var err error
	switch name {
	case "version":
		if err := d.json.Value(&doc.Version); err != nil || doc.Version == Version {
			return err
		}
		// Whatever else there is may be different.
		return fmt.Errorf("version %d is not known; this Turnstile reads version %d", doc.Version, Version)
	case "tool":
		return d.json.Value(&doc.Tool)
	case "results":
		return d.json.Value(&doc.Results)
	case "complete":
		return d.json.Value(&doc.Complete)
	case "lost":
		return d.json.Value(&doc.Lost)
	case "folded":
		return d.json.Value(&doc.Folded)
	case "target":
		return d.json.Value(&doc.Target)
	case "host":
		return d.json.Value(&doc.Host)
	case "started":
		return d.json.Value(&doc.Started)
	case "duration_ns":
		return d.json.Value(&doc.Duration)
	case "open":
		return d.json.Value(&doc.Open)
	case "merged":
		return d.json.Value(&doc.Merged)
	case "syscalls":
		doc.Syscalls, err = entries(d, func(s *Syscall) (*Syscall, error) { e := *s; return &e, nil })
	case "files":
		doc.Files, err = entries(d, (*wireFile).file)
	case "execs":
		doc.Execs, err = entries(d, func(w *wireExec) (*Exec, error) { return w.exec(), nil })
	case "sockets":
		doc.Sockets, err = entries(d, func(w *wireSocket) (*Socket, error) { return w.socket(), nil })
	case "processes":
		doc.Processes, err = entries(d, func(w *wireProcess) (*Process, error) { return w.process(), nil })
	default:
		return d.json.Skip()
	}
	return err
}

// entries reads a section whose entries have the form W.
func entries[W, T any](d *decoder, entry func(*W) (*T, error)) ([]*T, error) {
	if d.json.Null() {
		return nil, nil // the section was not watched
	}
	all := []*T{}
	var blank, w W // one for all entries: it is on the heap
	err := d.json.List(func(int) error {
		if d.json.Null() {
			return errors.New("it is null")
		}
		w = blank
		if err := d.json.Value(&w); err != nil {
			return err
		}
		e, err := entry(&w)
		all = append(all, e)
		return err
	})
	return all, err
}
