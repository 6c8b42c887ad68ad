package main

import (
	"fmt"
	"os"
	"time"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/outfile"
	"github.com/turnstile-project/turnstile/internal/report"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// decisions are where what the gate decided goes.
type decisions struct {
	sink     event.Sink
	all      bool
	denials  *report.Denials
	log      *os.File
	logLines *report.JSONLines
	recorder *trace.Recorder
	trace    *outfile.File // nil for none and for stdout
	started  time.Time
}

// newDecisions opens everything that will be written, so that a run does not fail at its
// end.
func newDecisions(s *enforceSettings) (*decisions, error) {
	d := &decisions{denials: report.NewDenials(), started: time.Now(), all: s.verbose || s.log != "" || s.output != ""}
	sinks := event.Tee{d.denials}
	if s.verbose {
		sinks = append(sinks, report.NewPrinter(os.Stderr, report.PrinterOptions{Colour: colour(os.Stderr)}))
	}
	if s.log != "" {
		f, err := openPrivate(s.log)
		if err != nil {
			return nil, fmt.Errorf("opening the log: %w", err)
		}
		d.log, d.logLines = f, report.NewJSONLines(f)
		sinks = append(sinks, d.logLines)
	}
	if s.output != "" {
		d.recorder = trace.NewRecorder(trace.Options{Files: true, Sockets: true, Results: true, Gate: true, Started: d.started})
		sinks = append(sinks, d.recorder)
		if s.output != "-" {
			var err error
			if d.trace, err = outfile.Create(s.output, nil); err != nil {
				d.abort()
				return nil, err
			}
		}
	}
	d.sink = sinks
	return d, nil
}

// wantsAll says whether what is allowed is told too.
func (d *decisions) wantsAll() bool { return d.all }

// abort drops the trace if it was not finished.
func (d *decisions) abort() {
	if d.trace != nil {
		d.trace.Abort()
	}
	if d.log != nil {
		d.log.Close()
	}
}

// summarize prints what was not held and what was denied.
func (d *decisions) summarize(s *supervisor) error {
	if s.quiet {
		return nil
	}
	if s.policy.Open != 0 {
		fmt.Fprintf(os.Stderr, "turnstile: NOT ENFORCED: what went through the open side doors: %v\n", s.policy.Open)
	}
	return d.denials.Print(os.Stderr, report.SummaryOptions{Colour: colour(os.Stderr), Rows: summaryRows})
}

// finish writes the trace and prints what was denied.
func (d *decisions) finish(s *supervisor) error {
	if err := d.summarize(s); err != nil {
		return err
	}
	if err := s.gate.Err(); err != nil {
		fmt.Fprintf(os.Stderr, "turnstile: calls were denied for defects of Turnstile: %v\n", err)
	}
	var doc *trace.Document
	if d.recorder != nil {
		doc = d.recorder.Document()
		s.describe(doc)
	}
	if d.logLines != nil {
		if err := d.logLines.End(); err != nil {
			return err
		}
		if err := d.log.Close(); err != nil {
			return fmt.Errorf("closing the log: %w", err)
		}
		d.log = nil
	}
	switch {
	case doc == nil:
		return nil
	case d.trace == nil:
		return trace.Encode(os.Stdout, doc)
	}
	if err := trace.Encode(d.trace, doc); err != nil {
		return err
	}
	return d.trace.Commit()
}

// describe fills in what the recorder does not know.
func (s *supervisor) describe(d *trace.Document) {
	d.Tool = "turnstile " + version()
	d.Duration = time.Since(s.out.started).Nanoseconds()
	d.Host = hostInfo(false)
	d.Target = trace.Target{Argv: s.argv, UID: uint32(os.Getuid())}
	if dir, err := os.Getwd(); err == nil {
		d.Target.Dir = dir
	}
	endWith(&d.Target, s.status)
	d.Open = s.policy.Open.Names()
}
