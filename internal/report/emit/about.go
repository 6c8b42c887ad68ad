package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/quote"
)

// about are the lines that say what an output is, for the comments of a format, which
// uses these sections and has these notes. None of them can end a line, a comment of any
// kind, or continue on the next line.
func about(in *Input, used profile.Sections, notes []string) []string {
	p := in.Profile
	lines := []string{fmt.Sprintf("Made by %s of a trace of: %s", in.Tool, command(p.Argv))}
	if used&profile.Syscalls != 0 {
		lines = append(lines, "Other calls: "+p.Default.String())
	}
	if incomplete := mayLack(p, used); incomplete != "" {
		lines = append(lines, incomplete)
	}
	for _, b := range p.Baselines {
		lines = append(lines, fmt.Sprintf("With what %s needs: %s", b.Name, strings.Join(b.Provenance, " ")))
	}
	if always := callsFrom(p, profile.Always); used&profile.Syscalls != 0 && len(always) > 0 {
		lines = append(lines, "Allowed always: "+strings.Join(always, ", "))
	}
	for _, n := range slices.Concat(p.Notes, notes) {
		lines = append(lines, "Note: "+n)
	}
	for i, line := range lines {
		lines[i] = comment(line)
	}
	return lines
}

// mayLack says that one of these sections is incomplete, "" if none is. Every output has
// it that has room for text.
func mayLack(p *profile.Profile, used profile.Sections) string {
	missing := p.Incomplete & used
	if missing == 0 {
		return ""
	}
	return fmt.Sprintf("INCOMPLETE: the trace may lack facts about %v, so this may deny what the program needs.", missing)
}

// callsFrom are the names of the calls that are there for this reason only.
func callsFrom(p *profile.Profile, from string) []string {
	var names []string
	for _, c := range p.Calls {
		if slices.Equal(c.From, []string{from}) {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// command is the command line as a shell has it, cut where nobody reads on.
func command(argv []string) string {
	const most = 400 // bytes
	var words []string
	length := 0
	for _, arg := range argv {
		if length += len(arg) + 1; length > most {
			return strings.Join(append(words, "..."), " ")
		}
		words = append(words, quote.Shell(arg))
	}
	return strings.Join(words, " ")
}

// comment is a line that no language takes for the end of its comment: */ ends one of C,
// and a backslash at the end, also as the trigraph, continues one that ends with the line.
func comment(line string) string {
	line = quote.Line(line)
	line = strings.ReplaceAll(line, "*/", "* /")
	line = strings.ReplaceAll(line, "/*", "/ *") // after the other, or /*/ would keep one
	if strings.HasSuffix(line, `\`) || strings.HasSuffix(line, "??/") {
		return line + " ."
	}
	return line
}

// fold breaks words into lines of at most width bytes, where a word fits.
func fold(words []string, width int) []string {
	var lines []string
	for _, w := range words {
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(w) <= width {
			lines[n-1] += " " + w
		} else {
			lines = append(lines, w)
		}
	}
	return lines
}
