package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// actors says who did something, by the ids of processes.
type actors map[int]*trace.Process

func actorsOf(d *trace.Document) actors { return d.ProcessesByID() }

// maxActors is how many processes are named; the others are counted.
const maxActors = 3

// ofCall names who made a call, those first who made it most.
func (a actors) ofCall(s *trace.Syscall) string { return a.of(byCount(s.ByProcess)) }

// byCount are ids, that with the highest count first.
func byCount(counts map[int]uint64) []int {
	return slices.SortedFunc(maps.Keys(counts), func(x, y int) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y))
	})
}

// of names some processes at the end of a line: by comm[pid] and their programs.
func (a actors) of(ids []int) string {
	var names []string
	more := 0
	for _, id := range ids {
		switch p := a[id]; {
		case p == nil:
		case len(names) == maxActors:
			more++
		default:
			names = append(names, actorText(p))
		}
	}
	if len(names) == 0 {
		return ""
	}
	text := "  by " + strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func actorText(p *trace.Process) string {
	text := fmt.Sprintf("%s[%d]", quote.Word(p.Comm), p.PID)
	if p.Folded > 0 {
		text = fmt.Sprintf("%s (%d processes)", quote.Word(p.Comm), p.Folded)
	}
	if p.Exe != "" {
		text += " " + quote.Word(p.Exe)
	}
	return text
}
