package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// markdownRows is how many rows a table has at most: what shows Markdown to people cuts or
// refuses long pages. How many there are beyond is told.
const markdownRows = 250

// Markdown writes a trace as a page for pull requests and wikis, in the dialect with tables
// that GitHub and GitLab have (GFM). Tool is what writes it.
//
// What comes from the target stands in code spans, where nothing is markup: it cannot end a
// cell, make a link, mention anybody or be HTML.
func Markdown(w io.Writer, d *trace.Document, tool string) error {
	p := markdown{d: d, by: actorsOf(d)}
	p.head(tool)
	p.missing()
	p.syscalls()
	p.files()
	p.execs()
	p.sockets()
	p.processes()
	_, err := io.WriteString(w, p.String())
	return err
}

type markdown struct {
	strings.Builder
	d  *trace.Document
	by actors
}

// codeSpan is s as it is, or quoted if it cannot be shown, between as many backticks as it
// takes. Tables end a cell at a bar even in code, unless a backslash is before it.
func codeSpan(s string) string {
	s = quote.Line(s)
	longest, run := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " " // one blank on each side is not part of it
	}
	return fence + strings.ReplaceAll(s, "|", `\|`) + fence
}

func (p *markdown) head(tool string) {
	d := p.d
	title := "several commands"
	switch {
	case len(d.Target.Argv) > 0:
		title = codeOutside(commandText(d.Target.Argv))
	case d.Target.Cgroup != "":
		title = "the cgroup " + codeOutside(d.Target.Cgroup)
	}
	fmt.Fprintf(p, "# What %s does\n\n", title)
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(p, "- %s: %s\n", name, value)
		}
	}
	runs := ""
	if len(d.Merged) > 0 {
		runs = strconv.Itoa(len(d.Merged))
	}
	fact("Runs", runs)
	if d.Target.Dir != "" {
		fact("In", codeOutside(d.Target.Dir))
	}
	if !d.Started.IsZero() {
		fact("Began", d.Started.UTC().Format(time.RFC3339)+", for "+duration(time.Duration(d.Duration)))
	}
	switch {
	case d.Target.Status != nil:
		fact("Exit status", strconv.Itoa(*d.Target.Status))
	case d.Target.Signal != nil:
		fact("Ended by", codeOutside(*d.Target.Signal))
	}
	fact("Machine", strings.TrimSpace(codeOutside(d.Host.Arch)+" "+kernelText(d.Host.Kernel)))
	var calls uint64
	for _, c := range d.Syscalls {
		calls += c.Count
	}
	fact("Calls", fmt.Sprintf("%d, of %s", calls, plural(uint64(len(d.Syscalls)), "kind", "kinds")))
	fact("Processes", strconv.FormatUint(processCount(d), 10))
	fact("Seen by", codeOutside(d.Tool))
	fact("Written by", codeOutside(tool))
}

// codeOutside is a code span that is in no table, where a bar is a bar.
func codeOutside(s string) string { return strings.ReplaceAll(codeSpan(s), `\|`, "|") }

func kernelText(kernel string) string {
	if kernel == "" {
		return ""
	}
	return "with Linux " + codeOutside(kernel)
}

// missing is what whoever reads on has to know first.
func (p *markdown) missing() {
	var gaps []string
	if parts := Incomplete(p.d); len(parts) > 0 {
		gaps = append(gaps, "**Incomplete**: "+strings.Join(parts, ", "))
	}
	for _, text := range Losses(p.d) {
		gaps = append(gaps, "**Lost**: "+codeOutside(text))
	}
	for _, text := range Folds(p.d) {
		gaps = append(gaps, "Folded: "+codeOutside(text))
	}
	for _, section := range []struct {
		watched bool
		text    string
	}{
		{p.d.Files != nil, "Files were not watched (`--files`)"},
		{p.d.Sockets != nil, "Sockets were not watched (`--net`)"},
		{p.d.Results, "How calls ended was not watched (`--errors`)"},
	} {
		if !section.watched {
			gaps = append(gaps, section.text)
		}
	}
	if len(gaps) > 0 {
		p.section("What is missing")
		fmt.Fprintf(p, "- %s\n", strings.Join(gaps, "\n- "))
	}
}

func (p *markdown) section(title string) { fmt.Fprintf(p, "\n## %s\n\n", title) }

// table writes rows, as many as a page can have.
func (p *markdown) table(title string, heads []string, n int, row func(int) []string) {
	if n == 0 {
		return
	}
	p.section(title)
	fmt.Fprintf(p, "| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat("---|", len(heads)))
	for i := range min(n, markdownRows) {
		fmt.Fprintf(p, "| %s |\n", strings.Join(row(i), " | "))
	}
	if n > markdownRows {
		fmt.Fprintf(p, "\nand %d more: `-f json` and `-f html` have them all.\n", n-markdownRows)
	}
}

func (p *markdown) syscalls() {
	all := slices.SortedStableFunc(slices.Values(p.d.Syscalls), func(a, b *trace.Syscall) int {
		return cmp.Or(cmp.Compare(a.ABI, b.ABI), cmp.Compare(b.Count, a.Count))
	})
	for len(all) > 0 {
		abi := all[0].ABI
		n := slices.IndexFunc(all, func(s *trace.Syscall) bool { return s.ABI != abi })
		if n < 0 {
			n = len(all)
		}
		of := all[:n]
		p.table("System calls of "+codeOutside(abi), []string{"Call", "Times", "Errors", "Processes"}, n, func(i int) []string {
			s := of[i]
			return []string{codeSpan(s.Name), strconv.FormatUint(s.Count, 10), countsMarkdown(s.Errors), p.names(byCount(s.ByProcess))}
		})
		all = all[n:]
	}
}

// names are processes by the names of their threads, each once.
func (p *markdown) names(ids []int) string {
	var names []string
	for _, id := range ids {
		if process := p.by[id]; process != nil && !slices.Contains(names, codeSpan(process.Comm)) {
			names = append(names, codeSpan(process.Comm))
		}
	}
	if len(names) > maxActors {
		names = append(names[:maxActors], fmt.Sprintf("%d more", len(names)-maxActors))
	}
	return strings.Join(names, ", ")
}

// countsMarkdown are errors with their counts. Their names are those of a file, which may
// be from anywhere.
func countsMarkdown(c trace.Counts) string {
	words := make([]string, 0, len(c))
	for _, x := range c {
		words = append(words, codeSpan(x.Name)+" "+strconv.FormatUint(x.N, 10))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func (p *markdown) files() {
	p.table("Files", []string{"Path", "Access", "Times", "Errors"}, len(p.d.Files), func(i int) []string {
		f := p.d.Files[i]
		path := codeSpan(f.Path)
		if f.Folded {
			path += " (files in it)"
		}
		return []string{path, strings.ReplaceAll(f.Classes.String(), ",", ", "), strconv.FormatUint(f.Ops.Total(), 10), countsMarkdown(f.Errors)}
	})
}

func (p *markdown) execs() {
	byPath := trace.Programs(p.d)
	paths := make([]string, 0, len(byPath))
	for path := range byPath {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	p.table("Programs", []string{"Program", "Times", "Failed", "Processes"}, len(paths), func(i int) []string {
		x := byPath[paths[i]]
		return []string{codeSpan(paths[i]), strconv.FormatUint(x.Count, 10), strconv.FormatUint(x.Failed, 10), p.names(x.Processes)}
	})
}

func (p *markdown) sockets() {
	p.table("Addresses", []string{"Operation", "Address", "Times", "Errors"}, len(p.d.Sockets), func(i int) []string {
		s := p.d.Sockets[i]
		return []string{codeSpan(s.Op), codeSpan(socketText(s)), strconv.FormatUint(s.Count, 10), countsMarkdown(s.Errors)}
	})
}

func (p *markdown) processes() {
	p.table("Processes", []string{"Pid", "Name", "Program", "Ended"}, len(p.d.Processes), func(i int) []string {
		x := p.d.Processes[i]
		pid := strconv.Itoa(int(x.PID))
		if x.Folded > 0 {
			pid = plural(x.Folded, "process", "processes")
		}
		end := ended(x)
		if end != "" {
			end = codeSpan(end)
		}
		return []string{pid, codeSpan(x.Comm), codeSpan(x.Exe), end}
	})
}
