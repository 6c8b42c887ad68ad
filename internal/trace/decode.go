package trace

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Decode reads a document, entry by entry: what it needs beyond the document is the size
// of the largest entry. Fields that it does not know are passed over. It refuses a version
// that it does not know, a field that is there twice, and what follows the document.
// Errors say at which byte.
//
// It uses what is to become encoding/json/v2, with which a trace of a million files takes
// a third of the time.
func Decode(r io.Reader) (*Document, error) {
	d := &decoder{json: jsontext.NewDecoder(r)}
	if err := d.document(); err != nil {
		return nil, fmt.Errorf("reading the trace, byte %d: %w", d.json.InputOffset(), err)
	}
	return &d.doc, nil
}

type decoder struct {
	json *jsontext.Decoder
	doc  Document
}

func (d *decoder) document() error {
	if err := d.open('{', "object"); err != nil {
		return err
	}
	for d.json.PeekKind() != '}' {
		t, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		name := t.String()
		if err := d.field(name); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if name == "version" && d.doc.Version != Version {
			return versionError(d.doc.Version)
		}
	}
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	if d.doc.Version != Version {
		return versionError(d.doc.Version)
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end of the trace")
	}
	return nil
}

func versionError(version int) error {
	return fmt.Errorf("version %d is not known; this Turnstile reads version %d", version, Version)
}

// field reads the value of a field.
func (d *decoder) field(name string) error {
	doc := &d.doc
	var err error
	switch name {
	case "version":
		return d.value(&doc.Version)
	case "tool":
		return d.value(&doc.Tool)
	case "results":
		return d.value(&doc.Results)
	case "complete":
		return d.value(&doc.Complete)
	case "lost":
		return d.value(&doc.Lost)
	case "folded":
		return d.value(&doc.Folded)
	case "target":
		return d.value(&doc.Target)
	case "host":
		return d.value(&doc.Host)
	case "started":
		return d.value(&doc.Started)
	case "duration_ns":
		return d.value(&doc.Duration)
	case "open":
		return d.value(&doc.Open)
	case "merged":
		return d.value(&doc.Merged)
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
		return d.json.SkipValue()
	}
	return err
}

func (d *decoder) value(v any) error { return json.UnmarshalDecode(d.json, v) }

// entries reads a section whose entries have the form W.
func entries[W, T any](d *decoder, entry func(*W) (*T, error)) ([]*T, error) {
	if d.json.PeekKind() == 'n' {
		return nil, d.json.SkipValue() // the section was not watched
	}
	if err := d.open('[', "list"); err != nil {
		return nil, err
	}
	all := []*T{}
	var blank, w W // one for all entries: it is on the heap
	for d.json.PeekKind() != ']' {
		if d.json.PeekKind() == 'n' {
			return nil, fmt.Errorf("entry %d is null", len(all))
		}
		w = blank
		if err := d.value(&w); err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(all), err)
		}
		e, err := entry(&w)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(all), err)
		}
		all = append(all, e)
	}
	_, err := d.json.ReadToken()
	return all, err
}

// open reads the token that begins an object or a list.
func (d *decoder) open(kind jsontext.Kind, what string) error {
	t, err := d.json.ReadToken()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err == nil && t.Kind() != kind {
		err = fmt.Errorf("a %v where an %s should be", t.Kind(), what)
	}
	return err
}
