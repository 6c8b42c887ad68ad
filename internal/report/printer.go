package report

import (
	"bufio"
	"io"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// PrinterOptions say what a [Printer] prints and how.
type PrinterOptions struct {
	// Calls prints every event; otherwise only accesses are printed.
	Calls  bool
	Colour bool
}

// Printer is the [event.Sink] that prints a line for each event:
//
//	comm[pid] op detail "path" = result
type Printer struct {
	w       *bufio.Writer
	options PrinterOptions
	style   style
	line    []byte
}

// NewPrinter returns a Printer that writes to w.
func NewPrinter(w io.Writer, o PrinterOptions) *Printer {
	return &Printer{w: bufio.NewWriterSize(w, 1<<15), options: o, style: style{o.Colour}}
}

// Event implements [event.Sink].
func (p *Printer) Event(e *event.Event) {
	if !p.options.Calls && (e.Access.Op == event.OpNone || e.Access.Op == event.OpFork || e.Access.Op == event.OpExit) {
		return
	}
	b := append(p.line[:0], quote.Word(e.Process.Comm)...)
	b = append(b, '[')
	b = strconv.AppendInt(b, int64(e.Process.ID.PID), 10)
	b = append(b, "] "...)
	b = append(b, p.style.bold(opName(e))...)
	b = appendDetail(b, e)
	b = appendTargets(b, &e.Access)
	b = p.appendResult(b, e)
	if e.Verdict.Kind != event.VerdictNone {
		b = append(b, p.style.dim("  "+e.Verdict.Kind.String()+" by "+quote.Line(e.Verdict.By))...)
	}
	b = append(b, '\n')
	p.line = b
	p.w.Write(b)
}

// Tally implements [event.Sink]. Tallies are not events: the summary has them.
func (p *Printer) Tally(*event.Tally) {}

// Flush implements [event.Sink]. Nobody can be told that stderr is gone, so its
// errors are not.
func (p *Printer) Flush() { _ = p.w.Flush() }

func opName(e *event.Event) string {
	if e.Access.Op != event.OpNone {
		return e.Access.Op.String()
	}
	return syscalls.Name(e.Call.ABI, e.Call.Nr)
}

func appendDetail(b []byte, e *event.Event) []byte {
	switch a := &e.Access; a.Op {
	case event.OpOpen:
		b = append(b, ' ')
		b = append(b, openMode(a)...)
	case event.OpFork:
		b = append(b, " from "...)
		b = strconv.AppendInt(b, int64(e.Process.Parent.PID), 10)
	case event.OpExec:
		if e.Argv != nil {
			b = append(b, ' ')
			b = appendArgv(b, e.Argv)
		}
	case event.OpConnect, event.OpBind, event.OpListen, event.OpAccept, event.OpSend:
		b = append(b, ' ')
		b = appendSocket(b, a)
	}
	return b
}

// openMode is what an open asked for, in few letters.
func openMode(a *event.Access) string {
	flags := a.Flags
	if flags&unix.O_PATH != 0 {
		return "path"
	}
	mode := [...]string{"r", "w", "rw", "ioctl"}[flags&unix.O_ACCMODE]
	if flags&unix.O_TMPFILE == unix.O_TMPFILE {
		return mode + ",tmpfile"
	}
	if len(a.Targets) > 0 && a.Targets[0].Created {
		mode += ",create"
	}
	if flags&unix.O_TRUNC != 0 {
		mode += ",trunc"
	}
	return mode
}

// maxArgv is how many bytes of the arguments of a program are shown.
const maxArgv = 160

func appendArgv(b []byte, argv [][]byte) []byte {
	start := len(b)
	b = append(b, '[')
	for i, arg := range argv {
		if i > 0 {
			b = append(b, ' ')
		}
		if len(b)-start > maxArgv {
			b = append(b, "..."...)
			break
		}
		b = append(b, quote.Always(arg)...)
	}
	return append(b, ']')
}

func appendSocket(b []byte, a *event.Access) []byte {
	s := &a.Socket
	name := trace.FamilyName(s.Family)
	if s.TypeKnown {
		switch protocol := trace.ProtocolName(s.Family, s.Protocol); {
		case s.Addr.IsValid() && protocol != "":
			name = protocol
		case protocol != "":
			name += " " + trace.TypeName(s.Type) + " " + protocol
		default:
			name += " " + trace.TypeName(s.Type)
		}
	}
	b = append(b, name...)
	switch {
	case s.Addr.IsValid():
		b = append(b, ' ')
		if s.Addr.Is6() {
			b = append(b, '[')
			b = s.Addr.AppendTo(b)
			b = append(b, ']')
		} else {
			b = s.Addr.AppendTo(b)
		}
		b = append(b, ':')
		b = strconv.AppendUint(b, uint64(s.Port), 10)
	case s.Abstract:
		b = append(b, " @"...)
		b = append(b, quote.Always(s.Path)...)
	case len(s.Path) > 0 && len(a.Targets) == 0:
		b = append(b, ' ')
		b = append(b, quote.Always(s.Path)...)
	case len(s.Raw) > 0:
		b = append(b, ' ')
		b = append(b, quote.Always(s.Raw)...)
	}
	return b
}

func appendTargets(b []byte, a *event.Access) []byte {
	first := true
	for i := range a.Targets {
		t := &a.Targets[i]
		name := t.Path
		if name == nil {
			name = t.Asked
		}
		if name == nil {
			continue
		}
		if a.Op == event.OpExec && !first && t.Asked == nil {
			continue // the ELF interpreter: every dynamic program has it
		}
		if first {
			b = append(b, ' ')
		} else if a.Op == event.OpExec {
			b = append(b, " by "...)
		} else {
			b = append(b, " -> "...)
		}
		first = false
		b = append(b, quote.Always(name)...)
	}
	return b
}

func (p *Printer) appendResult(b []byte, e *event.Event) []byte {
	switch {
	case e.Access.Op == event.OpFork:
		return b
	case e.Access.Op == event.OpExit && e.Exit.Signaled():
		return append(append(b, " = "...), p.style.red(event.SignalName(e.Exit.Signal()))...)
	case e.Access.Op == event.OpExit:
		b = append(b, " = "...)
		return strconv.AppendInt(b, int64(e.Exit.ExitStatus()), 10)
	case !e.Outcome.Known:
		return b
	case e.Outcome.Errno != 0:
		return append(append(b, " = "...), p.style.red("-"+e.Outcome.Errno.String())...)
	case e.Access.Op == event.OpMapExec:
		return b // an address says nothing
	default:
		b = append(b, " = "...)
		return strconv.AppendInt(b, e.Outcome.Ret, 10)
	}
}
