package ask

import (
	"fmt"
	"strings"

	"github.com/turnstile-project/turnstile/internal/quote"
)

// choice is an answer that a key gives, and the words that confirm it.
type choice struct {
	answer Answer
	said   string
}

var (
	allowOnce = choice{Answer{Allow: true, By: ByUser}, "allowed once"}
	allowRun  = choice{Answer{Allow: true, Run: true, By: ByUser}, "allowed for this run"}
	denyOnce  = choice{Answer{By: ByUser}, "denied once"}
	denyRun   = choice{Answer{Run: true, By: ByUser}, "denied for this run"}
)

// keys are the keys that answer. What is pressed by habit denies.
var keys = map[byte]choice{
	'a':  allowOnce,
	'A':  allowRun,
	'd':  denyOnce,
	'D':  denyRun,
	'\r': denyOnce,
	'\n': denyOnce,
	// Ctrl-C and Ctrl-D, where the target has them come as bytes.
	0x03: denyOnce,
	0x04: denyOnce,
}

const keyExplain = '?'

// choices is the line that the cursor waits on. It fits into 80 columns.
const choices = "[a]llow once, [A]llow this run, [d]eny once (Enter), [D]eny this run, [?]: "

// newline also returns the carriage, which the terminal may have been told not to
// do by itself.
const newline = "\r\n"

// page writes what is shown. Strings from the target are quoted.
type page struct {
	strings.Builder
	colour bool
}

// question is what is shown of q above the choices.
func (p *page) question(q *Question) {
	p.WriteString(newline) // the target may have left the cursor anywhere
	p.WriteString(p.bold(fmt.Sprintf("turnstile: %s wants to %v %s (%v)", who(q.Comm, q.PID), q.Op, shorten(q.Path), q.Classes)))
	p.WriteString(newline)
	if q.Asked != nil {
		p.field("passed as", shorten(q.Asked))
	}
	program := "unknown"
	if q.Exe != "" {
		program = shorten(q.Exe)
	}
	program += fmt.Sprintf(", uid %d", q.UID)
	if parent, found := find(q.PPID); found {
		program += ", started by " + who(parent.comm, q.PPID)
	}
	p.field("program", program)
	p.field("rule", quote.Line(q.Rule))
}

// explanation is what there is to know beyond the question.
func (p *page) explanation(q *Question) {
	p.WriteString(newline)
	if len(q.Path) > maxShown {
		p.field("whole path", quote.Always(q.Path))
	}
	if q.Allow != "" {
		p.field("allow with", quote.Line(q.Allow))
	}
	for _, a := range lineage(q.PPID) {
		started := who(a.comm, a.pid)
		if a.exe != "" {
			started += " " + shorten(a.exe)
		}
		p.field("started by", started)
	}
}

func (p *page) field(name, value string) {
	fmt.Fprintf(p, "    %-10s  %s%s", name, value, newline)
}

func (p *page) bold(s string) string {
	if !p.colour {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

func who(comm string, pid int32) string { return fmt.Sprintf("%s[%d]", quote.Word(comm), pid) }

// maxShown is how many bytes of a name are shown. A longer one could push the rest
// of the question off the screen.
const maxShown = 512

// shorten quotes s, and leaves out the middle if it is long.
func shorten[S string | []byte](s S) string {
	if len(s) <= maxShown {
		return quote.Always(s)
	}
	const half = maxShown / 2
	return fmt.Sprintf("%s...%s (%d bytes)", quote.Always(s[:half]), quote.Always(s[len(s)-half:]), len(s))
}
