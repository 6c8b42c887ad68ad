package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// readTraces reads traces, and makes one of them. What one of them did not watch and
// another did is told on w.
func readTraces(names []string, w io.Writer) (*trace.Document, error) {
	if len(names) == 0 {
		return nil, usagef("no trace; for example: %q", "turnstile report -f oci trace.json")
	}
	var all trace.Merger
	var without gaps
	for _, name := range names {
		d, err := readTrace(name, w)
		if err != nil {
			return nil, err
		}
		without.add(name, d)
		all.Add(d)
	}
	without.tell(w)
	return all.Document(), nil
}

// notes is where to tell what is no error: nowhere if somebody asked for that.
func notes(c *cli.Context) io.Writer {
	if c.Bool("quiet") {
		return io.Discard
	}
	return c.App.ErrWriter
}

// minus is what a trace has beyond some others; with values also of arguments. That one of
// them lacks something is told on w: it counts as beyond it.
func minus(d *trace.Document, names []string, values bool, w io.Writer) (*trace.Document, error) {
	for _, name := range names {
		other, err := readTraces([]string{name}, w)
		if err != nil {
			return nil, err
		}
		switch {
		case d.Files != nil && other.Files == nil:
			fmt.Fprintf(w, "turnstile: %s did not watch files: all that are there count as beyond it\n", quote.Word(name))
		case d.Sockets != nil && other.Sockets == nil:
			fmt.Fprintf(w, "turnstile: %s did not watch sockets: all that are there count as beyond it\n", quote.Word(name))
		case !other.Complete.All():
			fmt.Fprintf(w, "turnstile: %s is incomplete: what it lacks counts as beyond it\n", quote.Word(name))
		}
		d = trace.Subtract(d, other, values)
	}
	return d, nil
}

// memoryLimit is what the garbage collector keeps to, if it can: a trace of a million
// files and a profile of it stay below 1 GiB.
const memoryLimit = 960 << 20

// readTrace reads a trace, of our own or of another program; "-" is stdin. How far it is, is
// told on w.
func readTrace(name string, w io.Writer) (*trace.Document, error) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	f, err := openTrace(name)
	if err != nil {
		return nil, usageError{err}
	}
	defer f.Close()
	p := newProgress(f, name, w)
	d, err := decodeTrace(p)
	p.end()
	if err != nil {
		return nil, usageError{fmt.Errorf("%q: %w", name, err)}
	}
	return d, nil
}

// gaps collects which traces did not watch what.
type gaps struct {
	of    int
	files []string
	nets  []string
}

func (g *gaps) add(name string, d *trace.Document) {
	g.of++
	if d.Files == nil {
		g.files = append(g.files, name)
	}
	if d.Sockets == nil {
		g.nets = append(g.nets, name)
	}
}

// tell says of what only some traces watched that it is incomplete.
func (g *gaps) tell(w io.Writer) {
	for _, section := range []struct {
		name    string
		without []string
	}{{"files", g.files}, {"sockets", g.nets}} {
		if len(section.without) == g.of {
			continue
		}
		for _, name := range section.without {
			fmt.Fprintf(w, "turnstile: %s did not watch %s: those of the other traces count as incomplete\n", quote.Word(name), section.name)
		}
	}
}
