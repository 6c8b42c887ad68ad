package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// SummaryOptions say how [Summary] prints.
type SummaryOptions struct {
	Colour bool
	// Rows is how many rows a table has at most, 0 for all.
	Rows int
}

// Summary prints what a run was about: the calls made most, the files touched
// most, the errors, the processes, and what is missing.
func Summary(w io.Writer, d *trace.Document, o SummaryOptions) error {
	s := summary{Writer: bufio.NewWriter(w), style: style{o.Colour}, rows: o.Rows}
	s.headline(d)
	s.syscalls(d)
	s.files(d)
	s.sockets(d)
	s.execs(d)
	s.processes(d)
	s.missing(d)
	return s.Flush()
}

type summary struct {
	*bufio.Writer
	style style
	rows  int
}

func (s *summary) headline(d *trace.Document) {
	var calls uint64
	for _, c := range d.Syscalls {
		calls += c.Count
	}
	parts := []string{
		plural(calls, "call", "calls") + " of " + plural(uint64(len(d.Syscalls)), "kind", "kinds"),
		plural(processCount(d), "process", "processes"),
	}
	if d.Files != nil {
		parts = append(parts, plural(uint64(len(d.Files)), "file", "files"))
	}
	if d.Sockets != nil {
		parts = append(parts, plural(uint64(len(d.Sockets)), "socket address", "socket addresses"))
	}
	fmt.Fprintf(s, "turnstile: %s in %s\n", strings.Join(parts, ", "), duration(time.Duration(d.Duration)))
}

func processCount(d *trace.Document) uint64 {
	n := uint64(len(d.Processes))
	for _, p := range d.Processes {
		if p.Folded > 0 {
			n += p.Folded - 1
		}
	}
	return n
}

func (s *summary) syscalls(d *trace.Document) {
	if len(d.Syscalls) == 0 {
		return
	}
	all := slices.Clone(d.Syscalls)
	slices.SortStableFunc(all, func(a, b *trace.Syscall) int { return cmp.Compare(b.Count, a.Count) })
	native := d.Host.Arch
	t := s.table("calls", "errors", "syscall")
	for _, c := range all {
		name := quote.Word(c.Name)
		if c.ABI != native {
			name += " (" + quote.Word(c.ABI) + ")"
		}
		failed := ""
		if n := c.Errors.Total(); n > 0 {
			failed = strconv.FormatUint(n, 10)
			name += "  " + s.style.dim(countsText(c.Errors))
		} else if !d.Results {
			failed = "?"
		}
		t.row(strconv.FormatUint(c.Count, 10), failed, name)
	}
	t.end()
}

func (s *summary) files(d *trace.Document) {
	if len(d.Files) == 0 {
		return
	}
	all := slices.Clone(d.Files)
	slices.SortStableFunc(all, func(a, b *trace.File) int { return cmp.Compare(b.Ops.Total(), a.Ops.Total()) })
	t := s.table("ops", "errors", "file")
	for _, f := range all {
		failed := ""
		if n := f.Errors.Total(); n > 0 {
			failed = strconv.FormatUint(n, 10)
		}
		name := quote.Always(f.Path)
		if f.Folded {
			name += " (files in it)"
		}
		t.row(strconv.FormatUint(f.Ops.Total(), 10), failed, name+"  "+s.style.dim(f.Classes.String()))
	}
	t.end()
}

func (s *summary) sockets(d *trace.Document) {
	if len(d.Sockets) == 0 {
		return
	}
	all := slices.Clone(d.Sockets)
	slices.SortStableFunc(all, func(a, b *trace.Socket) int { return cmp.Compare(b.Count, a.Count) })
	t := s.table("count", "errors", "socket")
	for _, k := range all {
		failed := ""
		if n := k.Errors.Total(); n > 0 {
			failed = strconv.FormatUint(n, 10)
		}
		t.row(strconv.FormatUint(k.Count, 10), failed, quote.Word(k.Op)+" "+socketText(k)+"  "+s.style.dim(countsText(k.Errors)))
	}
	t.end()
}

// socketText is the address of a socket on one line.
func socketText(k *trace.Socket) string {
	words := []string{quote.Word(k.Family)}
	if k.Type != "" {
		words = append(words, quote.Word(k.Type))
	}
	if k.Protocol != "" {
		words = append(words, quote.Word(k.Protocol))
	}
	if address := Address(k); address != "" {
		words = append(words, address)
	}
	return strings.Join(words, " ")
}

// Address is where a socket leads to, "" if it has no address. Paths are quoted.
func Address(k *trace.Socket) string {
	switch {
	case k.Port != nil && strings.Contains(k.Addr, ":"):
		return fmt.Sprintf("[%s]:%d", quote.Word(k.Addr), *k.Port)
	case k.Port != nil:
		return fmt.Sprintf("%s:%d", quote.Word(k.Addr), *k.Port)
	case k.Abstract:
		return "@" + quote.Always(k.Path)
	case k.Path != "":
		return quote.Always(k.Path)
	default:
		return ""
	}
}

func (s *summary) execs(d *trace.Document) {
	counts := make(map[string]uint64)
	for _, x := range d.Execs {
		if n := x.Count - x.Errors.Total(); n > 0 {
			counts[x.Path] += n
		}
	}
	if len(counts) == 0 {
		return
	}
	paths := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	t := s.table("runs", "", "program")
	for _, p := range paths {
		t.row(strconv.FormatUint(counts[p], 10), "", quote.Always(p))
	}
	t.end()
}

func (s *summary) processes(d *trace.Document) {
	if len(d.Processes) < 2 {
		return
	}
	calls := make(map[int]uint64)
	for _, c := range d.Syscalls {
		for id, n := range c.ByProcess {
			calls[id] += n
		}
	}
	all := slices.Clone(d.Processes)
	slices.SortStableFunc(all, func(a, b *trace.Process) int { return cmp.Compare(calls[b.ID], calls[a.ID]) })
	t := s.table("calls", "ended", "process")
	for _, p := range all {
		name := fmt.Sprintf("%s[%d]", quote.Word(p.Comm), p.PID)
		if p.Folded > 0 {
			name = fmt.Sprintf("%s (%d processes)", quote.Word(p.Comm), p.Folded)
		}
		t.row(strconv.FormatUint(calls[p.ID], 10), ended(p), name+"  "+s.style.dim(quote.Always(p.Exe)))
	}
	t.end()
}

func ended(p *trace.Process) string {
	switch {
	case p.Signal != nil:
		return quote.Word(*p.Signal)
	case p.Status != nil:
		return strconv.Itoa(*p.Status)
	default:
		return ""
	}
}

// missing says what the trace may lack and why.
func (s *summary) missing(d *trace.Document) {
	for _, text := range Folds(d) {
		fmt.Fprintf(s, "turnstile: folded: %s\n", text)
	}
	for _, text := range Losses(d) {
		fmt.Fprintf(s, "turnstile: %s %s\n", s.style.red("lost:"), text)
	}
	if parts := Incomplete(d); len(parts) > 0 {
		fmt.Fprintf(s, "turnstile: %s: %s\n", s.style.red("incomplete"), strings.Join(parts, ", "))
	}
}

func countsText(c trace.Counts) string {
	var words []string
	for _, x := range c {
		words = append(words, fmt.Sprintf("%s %d", quote.Word(x.Name), x.N))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func plural(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatUint(n, 10) + " " + many
}

// duration is d with the digits that matter.
func duration(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	default:
		return d.Round(100 * time.Microsecond).String()
	}
}

// table is two columns of numbers and one of text.
type table struct {
	s    *summary
	more int
	n    int
}

func (s *summary) table(first, second, third string) *table {
	fmt.Fprintf(s, "\n%s\n", s.style.bold(strings.TrimRight(fmt.Sprintf("%10s %8s  %s", first, second, third), " ")))
	return &table{s: s}
}

func (t *table) row(first, second, third string) {
	if t.s.rows > 0 && t.n == t.s.rows {
		t.more++
		return
	}
	t.n++
	fmt.Fprintf(t.s, "%10s %8s  %s\n", first, second, strings.TrimRight(third, " "))
}

func (t *table) end() {
	if t.more > 0 {
		fmt.Fprintf(t.s, "%s\n", t.s.style.dim(fmt.Sprintf("%10s %8s  and %d more (-o writes them all)", "", "", t.more)))
	}
}
