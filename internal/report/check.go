package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/report/read"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Checked is what came of a check.
type Checked struct {
	// Name is the file of the profile.
	Name     string
	Profile  *read.Profile
	Trace    *trace.Document
	Findings []read.Finding
	// Lacks are the sections of the trace that may lack something which the profile would
	// not allow.
	Lacks profile.Sections
}

// Denied says whether something is not allowed, and Unknown whether something cannot be told.
func (c *Checked) Denied() bool { return c.count(false) > 0 }

// Unknown says whether something cannot be told, or may not have been seen.
func (c *Checked) Unknown() bool { return c.Lacks != 0 || c.count(true) > 0 }

func (c *Checked) count(unknown bool) (n int) {
	for i := range c.Findings {
		if c.Findings[i].Unknown == unknown {
			n++
		}
	}
	return n
}

// Check prints what was seen and is not allowed, a line for each, and below it what to
// change. Each line can be read by itself, as in the log of a job.
func Check(w io.Writer, c *Checked, colour bool) error {
	b := bufio.NewWriter(w)
	s, by := style{colour}, actorsOf(c.Trace)
	name := quote.Word(c.Name)
	for i := range c.Findings {
		f := &c.Findings[i]
		verdict := s.red("not allowed")
		if f.Unknown {
			verdict = s.yellow("not known")
		}
		fmt.Fprintf(b, "%s: %s: %s%s: %s\n", name, verdict, subjectText(f), strings.Replace(by.ofFinding(f), " ", ",", 1), reasonText(f))
		if f.Add != "" {
			fmt.Fprintf(b, "    %s\n", quote.Line(f.Add))
		}
	}
	for _, note := range c.Profile.Notes {
		fmt.Fprintf(b, "%s: note: %s\n", name, quote.Line(note))
	}
	if c.Lacks != 0 {
		fmt.Fprintf(b, "%s: note: the trace may lack facts about %v: what it does not have is not found\n", name, c.Lacks)
	}
	return b.Flush()
}

// subjectText is what a finding is about.
func subjectText(f *read.Finding) string {
	switch {
	case f.Call != nil:
		text := fmt.Sprintf("syscall %s (%s)", quote.Word(f.Call.Name), quote.Word(f.Call.ABI))
		if f.Values != nil {
			text += valuesText([]trace.Argument{{Index: f.Index, Values: f.Values}})
		}
		return text + ", " + times(f.Call.Count)
	case f.File != nil:
		text := fmt.Sprintf("%s of %s", f.Classes, quote.Always(f.File.Path))
		if f.File.Folded {
			text += " (files in it)"
		}
		return text + ", " + times(f.File.Ops.Total())
	case f.Exec != nil:
		return "exec of " + quote.Always(f.Exec.Path) + ", " + times(f.Exec.Count)
	default:
		return quote.Word(f.Socket.Op) + " " + socketText(f.Socket) + ", " + times(f.Socket.Count)
	}
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return plural(n, "time", "times")
}

func reasonText(f *read.Finding) string {
	if f.What == "" {
		return quote.Line(f.Why)
	}
	return quote.Line(f.Why + ", and it " + f.What)
}

// ofFinding names who did what a finding is about.
func (a actors) ofFinding(f *read.Finding) string {
	switch {
	case f.Call != nil:
		return a.ofCall(f.Call)
	case f.File != nil:
		return a.of(f.File.Processes)
	case f.Exec != nil && f.Exec.Process != nil:
		return a.of([]int{*f.Exec.Process})
	case f.Socket != nil:
		return a.of(f.Socket.Processes)
	default:
		return ""
	}
}
