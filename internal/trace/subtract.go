package trace

import "slices"

// Subtract is what b has beyond a: the calls, the classes of access to files, the programs
// and the addresses that a lacks. With values it is also the values of arguments that a
// lacks, and a call that has some has those alone; without, a call that both have is left
// out whatever its arguments.
//
// Counts, errors and processes are those of b. What b may lack, the result may lack; a
// section that a did not watch is that of b as a whole.
func Subtract(b, a *Document, values bool) *Document {
	d := *b
	d.Syscalls = []*Syscall{}
	for x, y := range pairs(a.Syscalls, b.Syscalls, compareCalls) {
		switch {
		case y == nil:
		case x == nil || x.Count == 0 && y.Count > 0:
			d.Syscalls = append(d.Syscalls, y)
		case values:
			if only := newValues(x, y); only != nil {
				beyond := *y
				beyond.Args = only
				d.Syscalls = append(d.Syscalls, &beyond)
			}
		}
	}
	if a.Files != nil && b.Files != nil {
		d.Files = []*File{}
		for _, f := range diffFiles(sortFiles(a.Files), sortFiles(b.Files)) {
			if f.New() {
				beyond := *f.B
				beyond.Classes = f.OnlyB
				d.Files = append(d.Files, &beyond)
			}
		}
	}
	beyond := make(map[string]bool)
	for _, x := range diffExecs(a, b, DiffOptions{}) {
		beyond[x.Path] = x.New()
	}
	d.Execs = slices.DeleteFunc(slices.Clone(b.Execs), func(x *Exec) bool { return !beyond[x.Path] })
	if a.Sockets != nil && b.Sockets != nil {
		d.Sockets = slices.Clone(onlyIn(b.Sockets, a.Sockets))
		if d.Sockets == nil {
			d.Sockets = []*Socket{}
		}
	}
	return &d
}
