package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/report"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// headOf is what the trace is of, and how good it is.
func headOf(d *trace.Document) head {
	h := head{
		Tool: text(d.Tool), Command: subject(d.Target), Dir: text(d.Target.Dir),
		Outcome: outcome(d.Target), UID: d.Target.UID,
		Kernel: text(d.Host.Kernel), Arch: text(d.Host.Arch),
		Started: d.Started, Duration: d.Duration, Results: d.Results,
		Gated:      slices.ContainsFunc(d.Files, func(f *trace.File) bool { return len(f.Verdicts) > 0 }) && len(d.Syscalls) == 0,
		Incomplete: report.Incomplete(d), Missing: report.Losses(d), Folded: report.Folds(d),
	}
	if n := len(d.Merged); n > 0 {
		h.Folded = append(h.Folded, fmt.Sprintf("%d runs are shown together, each from its own start", n))
		h.Command = subjects(d)
	}
	if h.Gated {
		h.Missing = append(h.Missing, "it is of turnstile enforce: what no rule could say no to is not in it, nor are calls and programs")
	}
	if !d.Results {
		h.Missing = append(h.Missing, "the end of calls was not watched: there are no errors here (observe --errors)")
	}
	if len(d.Open) > 0 {
		h.Missing = append(h.Missing, fmt.Sprintf("side doors of the gate were open, by which more could be done than is told: %s", command(d.Open)))
	}
	return h
}

// subject is the command of a trace, or what was attached to.
func subject(t trace.Target) string {
	switch {
	case t.Cgroup != "":
		return "cgroup " + text(t.Cgroup)
	case len(t.Argv) > 0:
		return command(t.Argv)
	case t.PID != 0:
		return fmt.Sprintf("process %d", t.PID)
	default:
		return "a command that is not known"
	}
}

// subjects are the commands of runs that were merged, each once.
func subjects(d *trace.Document) string {
	var all []string
	for _, o := range d.Merged {
		if s := subject(o.Target); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	const most = 5
	if more := len(all) - most; more > 0 {
		all = append(all[:most], fmt.Sprintf("… (%d more)", more))
	}
	return strings.Join(all, "; ")
}

func outcome(t trace.Target) string {
	switch {
	case t.Signal != nil:
		return "killed by " + text(*t.Signal)
	case t.Status != nil:
		return fmt.Sprintf("exited with %d", *t.Status)
	default:
		return "not seen to end"
	}
}
