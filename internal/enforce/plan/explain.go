package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/landlock"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/seccomp"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// Explain prints what holds what, and why: the part of Landlock, the part of the filter,
// and who does what is left.
func Explain(w io.Writer, b *Bound, filter Options) error {
	e := &explanation{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
	e.landlock(b)
	e.notes(b)
	e.filter(filter)
	e.fast(b)
	e.effects(b)
	return e.Flush()
}

type explanation struct{ *tabwriter.Writer }

func (e *explanation) line(format string, args ...any) { fmt.Fprintf(e, format+"\n", args...) }

func (e *explanation) landlock(b *Bound) {
	switch {
	case b.ABI == 0:
		e.line("Landlock: none on this kernel. The gate performs all that it allows.")
		return
	case b.Held == 0:
		e.line("Landlock (ABI %d): holds no files. The gate performs all that it allows.", b.ABI)
	default:
		e.line("Landlock (ABI %d): denies %s wherever it is not granted.", b.ABI, names(b.Held))
		e.line("Granted, because nothing else is said about it or what is below it. An open of a")
		e.line("path without links there is judged, and left to the kernel:")
		for _, g := range b.Grants {
			e.line("  %s\t%s", below(g), names(g.Classes))
		}
	}
	if b.Scope&landlock.Signals != 0 {
		e.line("Signals reach no process but the command and what it has started.")
	}
	if b.Network != 0 {
		e.line("TCP sockets are connected and bound by the gate alone.")
	}
	if b.Scope&landlock.AbstractSockets != 0 {
		e.line("Abstract sockets of other processes are reached by the gate alone.")
	}
}

func below(g Grant) string {
	name := quote.Word(g.Path)
	if g.Directory {
		name = quote.Word(strings.TrimSuffix(g.Path, "/") + "/**")
	}
	return name
}

func (e *explanation) notes(b *Bound) {
	if len(b.Notes) == 0 {
		return
	}
	e.line("\nNot granted, so that the gate performs what is allowed of it:")
	for _, n := range b.Notes {
		about := names(n.Classes)
		if n.Path != "" {
			about = quote.Word(n.Path) + ": " + about
		}
		e.line("  %s: %s", strings.TrimPrefix(about, ": "), n.Reason)
	}
}

// filter tells what becomes of calls, by what the first rule without a condition says.
func (e *explanation) filter(o Options) {
	table := Filter(o).Tables[0]
	calls := map[string][]string{}
	for _, nr := range syscalls.All(o.ABI) {
		name := syscalls.Name(o.ABI, nr)
		spec := syscalls.Lookup(o.ABI, nr)
		switch action, some := actionsOf(table, uint32(nr)); {
		case action != seccomp.Notify && !some && action != seccomp.Allow:
			calls["refused"] = append(calls["refused"], name)
		case (action == seccomp.Notify || some) && spec != nil && spec.Effect() != syscalls.EffectNone:
			effect := spec.Effect().String()
			calls[effect] = append(calls[effect], name)
		}
	}
	judged := o.Classes &^ o.Fast
	if !o.Verify {
		judged &^= event.Exec
	}
	e.line("\nThe filter wakes the gate for calls that could %s.", names(judged))
	for _, group := range []struct{ effect, title string }{
		{"inject", "It opens the file and gives it over"},
		{"perform", "It makes the call itself"},
		{"perform+write", "It makes the call itself and writes the result"},
		{"verify", "It lets the kernel make it, and looks what came of it"},
	} {
		if len(calls[group.effect]) > 0 {
			e.wrapped(group.title+":", calls[group.effect])
		}
	}
	e.wrapped("The filter itself refuses:", calls["refused"])
	e.line("All other calls, and those whose registers say that no rule is about them, run as ever.")
}

// actionsOf are what becomes of a call: whatever its registers say, and whether the gate
// is woken for some of them.
func actionsOf(table seccomp.Table, nr uint32) (always seccomp.Action, notified bool) {
	for _, r := range table.Rules[nr] {
		notified = notified || r.Action == seccomp.Notify
		if len(r.Conditions) == 0 {
			return r.Action, notified
		}
	}
	return table.Default, notified
}

// wrapped prints a list in lines of at most 88 characters.
func (e *explanation) wrapped(title string, words []string) {
	const most = 88
	e.line("  %s", title)
	line := "   "
	for _, word := range slices.Sorted(slices.Values(words)) {
		if len(line)+1+len(word) > most {
			e.line("%s", line)
			line = "   "
		}
		line += " " + word
	}
	e.line("%s", line)
}

func (e *explanation) fast(b *Bound) {
	if b.Fast == 0 {
		e.line("\n--fast changes nothing: of no class the grants are all that the rules say.")
		return
	}
	e.line("\n--fast leaves %s to Landlock alone: nobody is woken, and what is", names(b.Fast))
	e.line("denied fails with EACCES and is not told.")
}

// effects are what Landlock cannot do here, and what it does besides.
func (e *explanation) effects(b *Bound) {
	e.line("\nWhat Landlock does not hold here, and who does:")
	e.line("  attr, stat, exec, bind, and connect by path; renames and links: the gate")
	if b.ABI < abiTruncate {
		e.line("  truncating without writing (ABI 3, Linux 6.2): the gate")
	}
	if b.ABI < abiScopes {
		e.line("  signals and abstract sockets (ABI 6, Linux 6.12): nobody")
	}
	if b.Held != 0 {
		e.line("What Landlock does besides:")
		e.line("  mount calls fail with EPERM; core dumps are written below grants only; POSIX")
		e.line("  message queues are opened only if /dev/mqueue is mounted and granted")
	}
	if b.Held != 0 || b.Network != 0 || b.Scope != 0 {
		e.line("  processes that the command did not start cannot be traced, nor their memory,")
		e.line("  environment or descriptors be read below /proc")
	}
}

func names(classes event.Class) string {
	if classes == 0 {
		return "nothing"
	}
	return strings.Join(classes.Names(), ", ")
}
