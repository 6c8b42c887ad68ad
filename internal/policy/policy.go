package policy

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Files are the classes of access that are judged by path.
const Files = event.Read | event.Write | event.Create | event.Delete | event.List | event.Stat |
	event.Attr | event.Exec | event.Connect | event.Bind

// Rule gives a verdict for some classes of access to the paths of its patterns, or to the
// addresses of sockets.
type Rule struct {
	Verdict event.VerdictKind // allow, ask or deny
	Classes event.Class
	// Patterns are the spellings of one pattern: as written, and with its links
	// resolved.
	Patterns []Pattern
	// Socket is what a rule about addresses of sockets has instead.
	Socket *Socket
	// Except are paths that the rule is not about, though its pattern has them.
	Except []Pattern
	// Exe are the programs that the rule is about. Without any it is about all.
	Exe []Pattern
	// Errno is what a denied call gets.
	Errno unix.Errno
	// Name is what people are shown: where the rule stands, or its text.
	Name      string
	respelled [][2]string
}

// Subject is what the rule is about, as it was written.
func (r *Rule) Subject() string {
	if r.Socket != nil {
		return r.Socket.String()
	}
	return r.Patterns[0].String()
}

// Policy is what a command is held to.
type Policy struct {
	Rules []Rule
	// Default is the verdict where no rule matches, for every class but stat, which
	// is allowed.
	Default event.VerdictKind
	// Open are the side doors that are open.
	Open Door
	// Calls are denied whatever their arguments, also those of open doors.
	Calls []CallRule
}

// Decision is a verdict and who said so.
type Decision struct {
	Verdict event.VerdictKind
	Errno   unix.Errno
	Rule    *Rule // nil for the default
}

// By names who decided.
func (d Decision) By() string {
	if d.Rule == nil {
		return "default"
	}
	return d.Rule.Name
}

// Denied is the errno of a denied call.
func (d Decision) Denied() unix.Errno { return cmp.Or(d.Errno, unix.EACCES) }

// Path is the name of a file as the kernel says it, without "//", "." or "..", and the name
// that the process itself has for it: below /proc/self, if it is its own. An empty name is one that is too long to be known, of
// which every rule but an allow is about that has a wildcard.
type Path struct {
	Name, Self string
	// Exe is the program of the process that asks. If it is not known, rules that
	// deny are about it, and rules that allow are not.
	Exe string
}

// Decide gives the verdict for one or several classes of access to a path: the strictest
// of each class's. A deny wins always. Between allow and ask it is the rule with the
// longer literal prefix, then that with fewer wildcards, then that for some programs
// only, then ask. Of rules that say the same the one that is written first is named.
func (p *Policy) Decide(classes event.Class, path Path) Decision {
	return strictest(classes, func(class event.Class) Decision { return p.decideOne(class, path) })
}

// strictest decides about each of some classes.
func strictest(classes event.Class, decide func(event.Class) Decision) Decision {
	s := Decision{Verdict: event.VerdictAllow}
	for class := event.Class(1); class <= classes; class <<= 1 {
		if classes&class == 0 {
			continue
		}
		if d := decide(class); rank(d.Verdict) > rank(s.Verdict) || s.Rule == nil && d.Verdict == s.Verdict {
			s = d
		}
	}
	return s
}

func (p *Policy) decideOne(class event.Class, path Path) Decision {
	var c contest
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Classes&class == 0 {
			continue
		}
		if by := r.has(path); by != nil {
			c.enter(match{r, by, i}, path.Exe)
		}
	}
	return c.decision(p, class)
}

// has is the spelling by which a rule is about a path, nil if it is not.
func (r *Rule) has(path Path) *Pattern {
	if path.Name == "" {
		return r.hasUnknown()
	}
	var best *Pattern
	for i := range r.Patterns {
		by := &r.Patterns[i]
		if (by.Match(path.Name) || path.Self != "" && by.Match(path.Self)) && (best == nil || by.compare(best) > 0) {
			best = by
		}
	}
	if best == nil || r.excepts(path) {
		return nil
	}
	return best
}

// hasUnknown is has for a path that is too long to be known.
func (r *Rule) hasUnknown() *Pattern {
	if r.Verdict == event.VerdictAllow {
		return nil
	}
	for i := range r.Patterns {
		if _, literal := r.Patterns[i].Literal(); !literal {
			return &r.Patterns[i]
		}
	}
	return nil
}

// excepts says whether a path is one that the rule leaves out.
func (r *Rule) excepts(path Path) bool {
	for i := range r.Except {
		if r.Except[i].Match(path.Name) || path.Self != "" && r.Except[i].Match(path.Self) {
			return true
		}
	}
	return false
}

// Asks says whether the policy can say that somebody has to be asked.
func (p *Policy) Asks() bool {
	return p.Default == event.VerdictAsk || slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.Verdict == event.VerdictAsk })
}

// ByProgram says whether it matters to the policy which program asks.
func (p *Policy) ByProgram() bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool { return len(r.Exe) > 0 })
}

// Literals are the paths that rules other than allow name one by one. A file that has
// such a name may have others, which links gave it before the run.
func (p *Policy) Literals() []string {
	var paths []string
	for i := range p.Rules {
		r := &p.Rules[i]
		for j := range r.Patterns {
			if path, literal := r.Patterns[j].Literal(); literal && r.Verdict != event.VerdictAllow {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// Restricted are the classes in which the policy could say something else than allow.
func (p *Policy) Restricted() event.Class {
	var classes event.Class
	if p.Default != event.VerdictAllow {
		classes = Files &^ event.Stat
	}
	for i := range p.Rules {
		if r := &p.Rules[i]; r.Verdict != event.VerdictAllow {
			classes |= r.Classes
		}
	}
	return classes
}

// RestrictedAddresses are the classes in which the policy could say something else than
// allow about addresses of sockets that are no paths.
func (p *Policy) RestrictedAddresses() event.Class {
	if p.Default != event.VerdictAllow {
		return sockets
	}
	var classes event.Class
	for i := range p.Rules {
		if r := &p.Rules[i]; r.Socket != nil && r.Verdict != event.VerdictAllow {
			classes |= r.Classes
		}
	}
	return classes
}
