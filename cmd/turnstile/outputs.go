package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/outfile"
	"github.com/turnstile-project/turnstile/internal/report"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// summaryRows is how many rows a table of the summary has.
const summaryRows = 10

// outputs are where what is seen goes.
type outputs struct {
	quiet    bool
	sink     event.Sink
	recorder *trace.Recorder
	document *trace.Document // once finished
	started  time.Time

	events     *os.File
	eventLines *report.JSONLines
	trace      *outfile.File // nil for none and for stdout
	status     *statusLine
}

// newOutputs opens everything that will be written, so that a run does not fail at
// its end.
func newOutputs(s *session) (*outputs, error) {
	o := &outputs{quiet: s.quiet, started: time.Now()}
	o.recorder = trace.NewRecorder(trace.Options{
		Files: s.files, Sockets: s.net, Results: s.files || s.net || s.errors || s.all,
		MaxProcesses: s.maxProcesses, MaxFiles: s.maxFiles,
		Started: o.started,
	})
	sinks := event.Tee{o.recorder}
	if (s.files || s.net || s.all) && !s.quiet {
		sinks = append(sinks, report.NewPrinter(os.Stderr, report.PrinterOptions{Calls: s.all, Colour: colour(os.Stderr)}))
	}
	if len(s.argv) == 0 && !s.quiet && isTerminal(os.Stderr) {
		o.status = newStatusLine(os.Stderr, s.observer)
		sinks = append(sinks, o.status)
	}
	if s.events != "" {
		if err := o.openEvents(s); err != nil {
			return nil, err
		}
		sinks = append(sinks, o.eventLines)
	}
	if s.output != "" && s.output != "-" {
		var err error
		if o.trace, err = outfile.Create(s.output, s.user); err != nil {
			o.abort()
			return nil, err
		}
	}
	o.sink = sinks
	return o, nil
}

func (o *outputs) openEvents(s *session) error {
	err := s.user.Do(func() (err error) {
		o.events, err = openPrivate(s.events)
		return err
	})
	if err != nil {
		return fmt.Errorf("opening the file for events: %w", err)
	}
	o.eventLines = report.NewJSONLines(o.events)
	return nil
}

// openPrivate opens a file to be written anew. It is for its owner alone, as arguments of
// programs hold secrets.
func openPrivate(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return f, err
	}
	return f, f.Chmod(0o600) // also a file that was there
}

// abort drops the trace if it was not finished.
func (o *outputs) abort() {
	if o.trace != nil {
		o.trace.Abort()
	}
	if o.events != nil {
		o.events.Close()
	}
}

// say prints a line for the user.
func (o *outputs) say(format string, args ...any) {
	if !o.quiet {
		fmt.Fprintf(os.Stderr, "turnstile: "+format+"\n", args...)
	}
}

// finish writes the trace and prints the summary.
func (o *outputs) finish(s *session) error {
	o.document = o.recorder.Document()
	s.describe(o.document)
	if o.status != nil {
		o.status.clear()
	}
	if !o.quiet {
		// Whether or not somebody can read the summary, the trace is to be written.
		_ = report.Summary(os.Stderr, o.document, report.SummaryOptions{Colour: colour(os.Stderr), Rows: summaryRows})
	}
	if o.eventLines != nil {
		if err := o.eventLines.Finish(o.document); err != nil {
			return err
		}
	}
	switch {
	case s.output == "-":
		return trace.Encode(os.Stdout, o.document)
	case o.trace != nil:
		if err := trace.Encode(o.trace, o.document); err != nil {
			return err
		}
		return o.trace.Commit()
	}
	return nil
}

// describe fills in what the recorder does not know.
func (s *session) describe(d *trace.Document) {
	d.Tool = "turnstile " + version()
	d.Duration = time.Since(s.out.started).Nanoseconds()
	d.Host = hostInfo(s.btf == "")
	d.Target = trace.Target{Argv: s.argv, UID: uint32(os.Getuid()), PID: s.pid, Cgroup: s.cgroup}
	if s.user != nil {
		d.Target.UID = s.user.UID
	}
	if s.pid != 0 {
		d.Target = s.attached
	}
	if dir, err := os.Getwd(); err == nil && len(s.argv) > 0 {
		d.Target.Dir = dir
	}
	if !s.ended {
		return
	}
	endWith(&d.Target, s.status)
}

// endWith notes how a command ended.
func endWith(t *trace.Target, status syscall.WaitStatus) {
	if status.Signaled() {
		name := event.SignalName(status.Signal())
		t.Signal = &name
		return
	}
	code := launch.ExitCode(status)
	t.Status = &code
}

func hostInfo(btf bool) trace.Host {
	h := trace.Host{BTF: btf}
	h.Kernel, h.Arch, _ = kernel.Release() // cannot fail where observe works
	if h.Arch == "aarch64" {
		h.Arch = event.ARM64.String()
	}
	return h
}

// targetOf is what can be told of a running process; what cannot be read is absent.
func targetOf(pid int) trace.Target {
	t := trace.Target{PID: pid}
	proc := "/proc/" + strconv.Itoa(pid)
	if b, err := os.ReadFile(proc + "/cmdline"); err == nil && len(b) > 0 {
		t.Argv = strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	}
	var st unix.Stat_t
	if err := unix.Stat(proc, &st); err == nil {
		t.UID = st.Uid
	}
	if dir, err := os.Readlink(proc + "/cwd"); err == nil {
		t.Dir = dir
	}
	return t
}
