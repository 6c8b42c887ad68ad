package report

import (
	"fmt"
	"maps"
	"slices"

	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Incomplete are the sections of a trace that may lack a fact.
func Incomplete(d *trace.Document) []string {
	parts := []string{}
	add := func(name string, ok bool) {
		if !ok {
			parts = append(parts, name)
		}
	}
	add("syscalls", d.Complete.Syscalls)
	add("processes", d.Complete.Processes)
	add("files", d.Complete.Files == nil || *d.Complete.Files)
	add("sockets", d.Complete.Sockets == nil || *d.Complete.Sockets)
	return parts
}

// Folds say what was taken together to keep the trace small.
func Folds(d *trace.Document) []string { return sentences(d.Folded, foldText) }

// Losses say what was not recorded, and why.
func Losses(d *trace.Document) []string { return sentences(d.Lost, lossText) }

// sentences are about what was counted, by name.
func sentences(counts map[string]uint64, text func(name string, n uint64) string) []string {
	all := []string{}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[name]; n > 0 {
			all = append(all, text(name, n))
		}
	}
	return all
}

func foldText(name string, n uint64) string {
	switch name {
	case "threads":
		return fmt.Sprintf("%d threads had no slot of their own; their calls are counted, but for no process (--max-tasks gives more slots)", n)
	case "processes":
		return fmt.Sprintf("%d processes beyond the limit are grouped by program (--max-processes)", n)
	case "files":
		return fmt.Sprintf("%d accesses to files beyond the limit are grouped by directory (--max-files)", n)
	default:
		return fmt.Sprintf("%d %s beyond the limit", n, quote.Word(name))
	}
}

func lossText(name string, n uint64) string {
	switch name {
	case "ringbuf":
		return fmt.Sprintf("%d records found the ring buffer full (--buffer-size makes it larger)", n)
	case "unreadable":
		return fmt.Sprintf("%d paths, addresses or arguments could not be read from the target's memory", n)
	case "argv":
		return fmt.Sprintf("%d argument lists were too long or could not be read", n)
	case "deep_path":
		return fmt.Sprintf("%d paths were too deep to be resolved; they are as asked", n)
	case "map_full":
		return fmt.Sprintf("%d calls, errors or argument values of kinds that found their table full", n)
	case "untracked":
		return fmt.Sprintf("%d threads could not be followed: their pids are above the limit at the start (kernel.pid_max was raised)", n)
	case "missed":
		return fmt.Sprintf("%d times the kernel did not run an eBPF program because it was running already", n)
	case "io_uring":
		return fmt.Sprintf("what io_uring did: it was set up or entered %d times, and its operations are no system calls", n)
	case "forbidden":
		return fmt.Sprintf("%d programs or threads that this user may not look into", n)
	case "undecoded":
		return fmt.Sprintf("%d records could not be decoded; this is a defect of Turnstile", n)
	default:
		return fmt.Sprintf("%d %s", n, quote.Word(name))
	}
}
