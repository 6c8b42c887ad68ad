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
func Folds(d *trace.Document) []string {
	return sentences(d.Folded, foldTexts, "%d %s beyond the limit")
}

// Losses say what was not recorded, and why.
func Losses(d *trace.Document) []string { return sentences(d.Lost, lossTexts, "%d %s") }

// sentences are about what was counted, by name: each has a text for the number, or, since
// a trace may be of a newer Turnstile, that of all others for the number and the name.
func sentences(counts map[string]uint64, texts map[string]string, other string) []string {
	all := []string{}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		n := counts[name]
		if n == 0 {
			continue
		}
		if text, known := texts[name]; known {
			all = append(all, fmt.Sprintf(text, n))
		} else {
			all = append(all, fmt.Sprintf(other, n, quote.Word(name)))
		}
	}
	return all
}

var foldTexts = map[string]string{
	"threads":   "%d threads had no slot of their own; their calls are counted, but for no process (--max-tasks gives more slots)",
	"processes": "%d processes beyond the limit are grouped by program (--max-processes)",
	"files":     "%d accesses to files beyond the limit are grouped by directory (--max-files)",
}

var lossTexts = map[string]string{
	"ringbuf":    "%d records found the ring buffer full (--buffer-size makes it larger)",
	"unreadable": "%d paths, addresses or arguments could not be read from the target's memory",
	"argv":       "%d argument lists were too long or could not be read",
	"deep_path":  "%d paths were too deep to be resolved; they are as asked",
	"map_full":   "%d calls, errors or argument values of kinds that found their table full",
	"untracked":  "%d threads could not be followed: their pids are above the limit at the start (kernel.pid_max was raised)",
	"missed":     "%d times the kernel did not run an eBPF program because it was running already",
	"io_uring":   "what io_uring did: it was set up or entered %d times, and its operations are no system calls",
	"forbidden":  "%d programs or threads that this user may not look into",
	"undecoded":  "%d records could not be decoded; this is a defect of Turnstile",

	// Of logs of strace, and of sandprint's traces (docs/formats.md, "Traces from elsewhere").
	"log_begins":          "%d calls or processes began before the log",
	"log_ends":            "%d calls or processes went on when the log ended",
	"unknown_parent":      "%d processes or threads were made by nobody in the log (strace -f follows all)",
	"not_followed":        "%d processes or threads were made and not logged (strace -f follows them)",
	"filtered":            "%d kinds of calls that nearly every program makes are not in the log (strace without -e trace= and -z writes all)",
	"unknown_abi":         "%d calls whose ABI is not certain (strace -n writes the numbers)",
	"multiplexed":         "%d calls of i386 that may have been socketcall or ipc (strace -n writes the numbers)",
	"unknown_interpreter": "%d programs whose interpreter the log does not have",
	"unreadable_path":     "%d paths or flags that were not written",
	"unreadable_address":  "%d addresses of sockets that were not written, or are not known",
	"unknown_directory":   "%d paths relative to a directory that the log does not tell (strace -y does)",
	"unknown_descriptor":  "%d files named by a descriptor alone (strace -y tells which)",
	"unreturned":          "%d calls in which the thread was killed, perhaps before they began",
	"uncounted":           "%d traces of sandprint, which does not say what it dropped and did not see",
}
