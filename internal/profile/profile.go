package profile

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Profile is what a program is allowed.
type Profile struct {
	// Tool made the traces, Argv is the command that they are of, as far as they agree.
	Tool string
	Argv []string
	// Default is for the calls that are not allowed.
	Default Action
	// NoNewPrivileges says whether the program runs with no_new_privs set
	// (prctl(2)), which some runtimes need less for.
	NoNewPrivileges bool
	// ABIs are those of the calls, that of the machine first.
	ABIs []event.ABI
	// Calls are allowed, sorted by ABI and number, each once.
	Calls []Call
	// Baselines are what is allowed for the sake of a runtime.
	Baselines []*baseline.Baseline
	// Files and Sockets are nil if they were not watched. Files are sorted by pattern.
	Files   []File
	Sockets []*trace.Socket
	// WideAddresses says that an address elsewhere may be another one the next time, and
	// a port that the kernel chose another port.
	WideAddresses bool
	// Closed and Widened are about those patterns among Files that have more than
	// what was seen.
	Closed  []Closed
	Widened []Widened
	// Incomplete are the sections that may lack a fact.
	Incomplete Sections
	// Notes are what whoever uses the profile should know: what is wider than what
	// was seen, and why. Each is one sentence.
	Notes []string
}

// Call is one system call of one ABI.
type Call struct {
	ABI  event.ABI
	Nr   int32
	Name string
	// Values is what one argument has to be, nil if the arguments do not matter.
	Values *Values
	// From is why the call is there: [Seen], [Assumed], [Always], or the name of a
	// baseline.
	From []string
}

// Why a call is in a profile, beside the names of baselines.
const (
	Seen    = "seen"
	Assumed = "assumed" // nobody watched this ABI: the like was seen in another
	Always  = "always"
)

// Values are what an argument may be. Arguments are compared as the kernel takes them: as
// 32 bits, whatever is in the upper half of the register.
type Values struct {
	Index int
	Of    []uint64 // sorted
}

// Action is what happens to a call.
type Action struct {
	Kind ActionKind
	// Errno is what the call fails with, for [Errno].
	Errno unix.Errno
}

// ActionKind is one of the actions of seccomp(2).
type ActionKind uint8

// The actions.
const (
	_ ActionKind = iota
	Errno
	Kill // the whole process
	Log
	Trap
)

var actionNames = [...]string{Errno: "errno", Kill: "kill", Log: "log", Trap: "trap"}

func (k ActionKind) String() string { return actionNames[k] }

// fatal is whether a runtime should be kept from all of its own calls being acted on: it
// dies of them, or the log is about it and not about the program.
func (k ActionKind) fatal() bool { return k == Kill || k == Trap || k == Log }

// ParseAction is the kind of a name.
func ParseAction(name string) (ActionKind, bool) {
	i := slices.Index(actionNames[1:], name)
	return ActionKind(i + 1), i >= 0
}

func (a Action) String() string {
	if a.Kind == Errno {
		return fmt.Sprintf("%v %v", a.Kind, event.Errno(a.Errno))
	}
	return a.Kind.String()
}

// Options decide what a profile has beside what was seen.
type Options struct {
	Default         Action
	NoNewPrivileges bool
	// Baselines are added for the runtimes that have to start the program.
	Baselines []*baseline.Baseline
	// Always are names of calls that every program needs and that a trace may lack.
	Always []string
	// Args allows some calls only with arguments as seen: see [Selectors].
	Args bool
	// Vocabulary is that of those who read the profile.
	Vocabulary Vocabulary
	// Paths are what is allowed with files, nil for those of the trace, each by itself.
	Paths *Paths
	// ABIs are added to those of the trace, with the calls that the program is expected
	// to make there.
	ABIs []event.ABI
	// WideAddresses is that of the profile.
	WideAddresses bool
}

// New makes the profile of a trace.
func New(d *trace.Document, o Options) (*Profile, error) {
	p := &Profile{
		Tool: d.Tool, Argv: d.Target.Argv,
		Default: o.Default, NoNewPrivileges: o.NoNewPrivileges, Baselines: o.Baselines,
		Sockets: d.Sockets, WideAddresses: o.WideAddresses, Incomplete: IncompleteOf(d),
	}
	b := callSet{}
	if err := b.addSeen(d, o.Args); err != nil {
		return nil, err
	}
	watched := b.abis(d.Host.Arch)
	for _, abi := range o.ABIs {
		b.takeOver(watched, abi)
	}
	p.ABIs = b.abis(d.Host.Arch)
	b.noteAbsent(p.ABIs, o.Always)
	situation := baseline.Situation{NoNewPrivileges: o.NoNewPrivileges, Fatal: o.Default.Kind.fatal()}
	for _, abi := range p.ABIs {
		b.addNames(abi, o.Always, Always)
		for _, base := range o.Baselines {
			b.addNames(abi, onABI(abi, base.Calls(situation)), base.Name)
		}
	}
	p.Calls = b.sorted(p.ABIs)
	p.Notes = b.told()
	if err := p.leaveOut(o.Vocabulary); err != nil {
		return nil, err
	}
	p.addPaths(d, o.Paths)
	return p, nil
}

// CallsOf are the calls of one ABI.
func (p *Profile) CallsOf(abi event.ABI) []Call {
	var calls []Call
	for _, c := range p.Calls {
		if c.ABI == abi {
			calls = append(calls, c)
		}
	}
	return calls
}

// addPaths adds what is allowed with files, if they were watched.
func (p *Profile) addPaths(d *trace.Document, paths *Paths) {
	if d.Files == nil {
		return
	}
	if paths == nil {
		seen, notes := SeenFiles(d)
		paths = &Paths{Files: Literals(seen), Notes: notes}
	}
	p.Files, p.Closed, p.Widened = paths.Files, paths.Closed, paths.Widened
	p.Notes = append(p.Notes, paths.Notes...)
}
