package read

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Finding is something that was seen and that a profile does not allow, or of which it
// cannot be told. It is about one of Call, File, Exec and Socket.
type Finding struct {
	Call   *trace.Syscall
	File   *trace.File
	Exec   *trace.Exec
	Socket *trace.Socket

	// ABI is that of a call, with the Index of an argument and its Values that are not
	// allowed, if others are.
	ABI    event.ABI
	Index  int
	Values []uint64
	// Classes are those of the access that are not allowed.
	Classes event.Class

	// Unknown says that it cannot be told.
	Unknown bool
	// What happens to it, and Why, as the ends of sentences.
	What, Why string
	// Add is what to change for it to be allowed, "" if that is not known.
	Add string
}

// Check is what a trace has that the profile does not allow, in the order of the trace.
func (p *Profile) Check(d *trace.Document) []Finding {
	var all []Finding
	for _, s := range d.Syscalls {
		if s.Count > 0 {
			all = append(all, p.checkCall(s)...)
		}
	}
	if p.objects != nil {
		all = append(all, p.objects(d)...)
	}
	return all
}

// checkCall judges one call. One without a name that fails with ENOSYS fails as where the
// kernel does not have it, which is what report leaves it to.
func (p *Profile) checkCall(s *trace.Syscall) []Finding {
	abi, _ := event.ParseABI(s.ABI)
	_, named := syscalls.Known(abi, s.Nr)
	for _, f := range p.Filters {
		v := f.judge(abi, s)
		switch {
		case v.unknown != "":
			return []Finding{{Call: s, ABI: abi, Unknown: true, Why: v.unknown}}
		case !v.action.Allows && !named && v.action.Errno == unix.ENOSYS:
		case !v.action.Allows && !named:
			return []Finding{{Call: s, ABI: abi, What: v.action.Text, Why: noName}}
		case !v.action.Allows:
			found := Finding{Call: s, ABI: abi, Index: v.index, Values: v.values, What: v.action.Text, Why: v.why}
			found.Add = p.line(&found)
			return []Finding{found}
		}
	}
	return nil
}

// Lacks are the sections that the profile judges, and that a trace may lack something of:
// what the trace does not have cannot be found.
func (p *Profile) Lacks(d *trace.Document) profile.Sections {
	sections := p.sections
	if len(p.Filters) > 0 {
		sections |= profile.Syscalls
	}
	return profile.IncompleteOf(d) & sections
}
