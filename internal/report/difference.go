package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Compared is one of two documents that are compared.
type Compared struct {
	// Name is what people call it: its file.
	Name string
	*trace.Document
}

// Difference prints what tells two documents apart, as diff -u does: what begins with -
// only a has, and what begins with + only b. Of a call that both have, how it ended
// differently is told without a sign. Only some sections are shown.
func Difference(w io.Writer, a, b Compared, d *trace.Difference, sections []string, colour bool) error {
	p := differencePrinter{Writer: bufio.NewWriter(w), style: style{colour}, a: actorsOf(a.Document), b: actorsOf(b.Document)}
	p.heading("---", a)
	p.heading("+++", b)
	for _, section := range trace.DifferenceSections {
		if !slices.Contains(sections, section) {
			continue
		}
		comparison := compare(section, a.Document, b.Document)
		p.tell(section, comparison, a, b)
		switch section {
		case "syscalls":
			p.calls(d.Syscalls)
		case "files":
			p.files(d.Files)
		case "execs":
			p.execs(d.Execs)
		case "sockets":
			p.sockets(d.Sockets)
		}
	}
	return p.Flush()
}

// comparison says how far a section can be compared: whether each document has all of it,
// nil if it did not watch it.
type comparison struct{ a, b *bool }

func compare(section string, a, b *trace.Document) comparison {
	return comparison{completeness(section, a), completeness(section, b)}
}

func completeness(section string, d *trace.Document) *bool {
	switch section {
	case "files":
		return d.Complete.Files
	case "sockets":
		return d.Complete.Sockets
	case "execs":
		return &d.Complete.Processes
	default:
		return &d.Complete.Syscalls
	}
}

// possible says whether both documents have the section at all.
func (c comparison) possible() bool { return c.a != nil && c.b != nil }

type differencePrinter struct {
	*bufio.Writer
	style style
	a, b  actors
	// title is what the next line stands under, until it is written.
	title string
}

func (p *differencePrinter) heading(sign string, c Compared) {
	of := quote.Word(c.Name)
	if len(c.Target.Argv) > 0 {
		of += "  " + commandText(c.Target.Argv)
	}
	fmt.Fprintf(p, "%s\n", p.style.bold(sign+" "+of))
}

// commandText is a command as it could be typed, cut if it is long.
func commandText(argv []string) string {
	words := make([]string, len(argv))
	for i, arg := range argv {
		words[i] = quote.Shell(arg)
	}
	const most = 100
	text := []rune(strings.Join(words, " "))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// tell says what keeps a section from being compared well.
func (p *differencePrinter) tell(section string, c comparison, a, b Compared) {
	if c.a == nil && c.b == nil {
		return
	}
	p.title = section
	for _, side := range []struct {
		name     string
		complete *bool
		then     string
	}{{a.Name, c.a, "what it lacks may be told as new"}, {b.Name, c.b, "it may have more that is new"}} {
		switch {
		case side.complete == nil:
			p.line(' ', "not compared: "+quote.Word(side.name)+" did not watch them")
		case !*side.complete && c.possible():
			p.line(' ', quote.Word(side.name)+" is incomplete: "+side.then)
		}
	}
}

// line writes a line, after its title if it is the first below it.
func (p *differencePrinter) line(sign rune, text string) {
	if p.title != "" {
		fmt.Fprintf(p, "%s\n", p.style.bold("@@ "+p.title+" @@"))
		p.title = ""
	}
	line := strings.TrimRight(string(sign)+" "+text, " ")
	switch sign {
	case '-':
		line = p.style.red(line)
	case '+':
		line = p.style.green(line)
	}
	fmt.Fprintf(p, "%s\n", line)
}

func (p *differencePrinter) calls(all []trace.CallDifference) {
	abi := ""
	for _, c := range all {
		if c.B == nil {
			p.underABI(&abi, c.A)
			p.line('-', callText(c.A)+p.a.ofCall(c.A))
			continue
		}
		p.underABI(&abi, c.B)
		switch {
		case c.A == nil:
			p.line('+', callText(c.B)+p.b.ofCall(c.B))
		case c.New():
			p.line('+', callText(c.B)+valuesText(c.Values)+p.b.ofCall(c.B))
		}
		if len(c.Errors) > 0 {
			p.line(' ', fmt.Sprintf("%8s  %s  ended otherwise: %s", "", quote.Word(c.B.Name), countsText(c.Errors)))
		}
	}
}

func (p *differencePrinter) underABI(abi *string, s *trace.Syscall) {
	if *abi != s.ABI {
		*abi = s.ABI
		p.title = "syscalls of " + quote.Word(s.ABI)
	}
}

func callText(s *trace.Syscall) string { return fmt.Sprintf("%8d  %s", s.Count, quote.Word(s.Name)) }

// valuesText are values of arguments that are new. Small numbers are told as such, others
// as programs have them in their source.
func valuesText(args []trace.Argument) string {
	var b strings.Builder
	for _, a := range args {
		fmt.Fprintf(&b, "  argument %d:", a.Index)
		for _, v := range a.Values {
			if v < 256 {
				fmt.Fprintf(&b, " %d", v)
			} else {
				fmt.Fprintf(&b, " %#x", v)
			}
		}
		if a.More {
			b.WriteString(" and more")
		}
	}
	return b.String()
}

func (p *differencePrinter) files(all []trace.FileDifference) {
	line := func(sign rune, f *trace.File, only event.Class, by actors) {
		name := quote.Always(f.Path)
		if f.Folded {
			name += " (files in it)"
		}
		p.line(sign, fmt.Sprintf("%8d  %s  %s%s", f.Ops.Total(), only, name, by.of(f.Processes)))
	}
	for _, f := range all {
		if f.A != nil && (f.B == nil || f.OnlyA != 0) {
			line('-', f.A, f.OnlyA, p.a)
		}
		if f.B != nil && (f.A == nil || f.OnlyB != 0) {
			line('+', f.B, f.OnlyB, p.b)
		}
	}
}

func (p *differencePrinter) execs(all []trace.ExecDifference) {
	line := func(sign rune, path string, x *trace.Program, by actors) {
		what := ""
		if !x.Ran() {
			what = "  failed"
		}
		p.line(sign, fmt.Sprintf("%8d  %s%s%s", x.Count, quote.Always(path), what, by.of(x.Processes)))
	}
	for _, x := range all {
		if x.A != nil {
			line('-', x.Path, x.A, p.a)
		}
		if x.B != nil {
			line('+', x.Path, x.B, p.b)
		}
	}
}

func (p *differencePrinter) sockets(all []trace.SocketDifference) {
	line := func(sign rune, s *trace.Socket, by actors) {
		p.line(sign, fmt.Sprintf("%8d  %s %s%s", s.Count, quote.Word(s.Op), socketText(s), by.of(s.Processes)))
	}
	for _, s := range all {
		if s.A != nil {
			line('-', s.A, p.a)
		} else {
			line('+', s.B, p.b)
		}
	}
}
