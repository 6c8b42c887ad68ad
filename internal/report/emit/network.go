package emit

import (
	"cmp"
	"slices"

	"github.com/turnstile-project/turnstile/internal/trace"
)

// socketKind is a family of sockets with a type, "" if only the family is known.
type socketKind struct{ Family, Type string }

// socketKinds are the kinds of sockets that were used or made. Known is set if the trace
// has the families of all that were made (observe --args), used or not.
func socketKinds(in *Input) (kinds []socketKind, known bool) {
	known = true
	for _, s := range in.Profile.Sockets {
		kinds = append(kinds, socketKind{s.Family, s.Type})
	}
	for _, c := range in.Trace.Syscalls {
		if c.Name != "socket" && c.Name != "socketpair" {
			continue
		}
		i := slices.IndexFunc(c.Args, func(a trace.Argument) bool { return a.Index == 0 })
		if i < 0 || c.Args[i].More {
			known = false
			continue
		}
		for _, v := range c.Args[i].Values {
			family := trace.FamilyName(uint16(v)) //nolint:gosec // the kernel takes no other
			if !slices.ContainsFunc(kinds, func(k socketKind) bool { return k.Family == family }) {
				kinds = append(kinds, socketKind{Family: family})
			}
		}
	}
	slices.SortFunc(kinds, func(a, b socketKind) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Type, b.Type))
	})
	return slices.Compact(kinds), known
}

// leaves reports whether sockets reach beyond the machine's own files and kernel.
func leaves(kinds []socketKind) bool {
	return slices.ContainsFunc(kinds, func(k socketKind) bool { return k.Family != "unix" && k.Family != "netlink" })
}

// calls reports whether one of these was seen.
func calls(in *Input, names ...string) bool {
	return slices.ContainsFunc(in.Trace.Syscalls, func(c *trace.Syscall) bool { return c.Count > 0 && slices.Contains(names, c.Name) })
}

// program is the one that was run, "" if the trace began with a process that was there or
// is of several commands.
func program(in *Input) string {
	if t := in.Trace.Target; t.PID != 0 || t.Cgroup != "" || len(in.Profile.Argv) == 0 || len(in.Trace.Execs) == 0 {
		return ""
	}
	return in.Trace.Execs[0].Path
}
