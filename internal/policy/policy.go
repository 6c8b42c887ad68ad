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
	// Errno is what a denied call gets.
	Errno unix.Errno
	// Name is what people are shown: where the rule stands, or its text.
	Name string
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

// Path is the name of a file, and the name that the process itself has for it: below
// /proc/self, if it is its own. An empty name is one that is too long to be known, of
// which every rule but an allow is about that has a wildcard.
type Path struct{ Name, Self string }

func (r *Rule) matches(p Path) bool {
	if r.Socket != nil {
		return false
	}
	if p.Name == "" {
		_, literal := r.Patterns[0].Literal()
		return r.Verdict != event.VerdictAllow && !literal
	}
	for i := range r.Patterns {
		if r.Patterns[i].Match(p.Name) || p.Self != "" && r.Patterns[i].Match(p.Self) {
			return true
		}
	}
	return false
}

// Decide gives the verdict for one or several classes of access to a path: the strictest
// of each class's. A deny wins always. Between allow and ask it is the rule with the
// longer literal prefix, then that with fewer wildcards, then ask.
func (p *Policy) Decide(classes event.Class, path Path) Decision {
	strictest := Decision{Verdict: event.VerdictAllow}
	for class := event.Class(1); class <= classes; class <<= 1 {
		if classes&class == 0 {
			continue
		}
		if d := p.decideOne(class, path); rank(d.Verdict) > rank(strictest.Verdict) || strictest.Rule == nil && d.Verdict == strictest.Verdict {
			strictest = d
		}
	}
	return strictest
}

func (p *Policy) decideOne(class event.Class, path Path) Decision {
	return p.decideBy(class, func(r *Rule) bool { return r.matches(path) })
}

func (p *Policy) decideBy(class event.Class, matches func(*Rule) bool) Decision {
	best := Decision{Verdict: p.Default}
	if class == event.Stat {
		best.Verdict = event.VerdictAllow
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Classes&class == 0 || !matches(r) {
			continue
		}
		if r.Verdict == event.VerdictDeny {
			return Decision{r.Verdict, r.Errno, r}
		}
		if best.Rule == nil || r.beats(best.Rule) {
			best = Decision{Verdict: r.Verdict, Rule: r}
		}
	}
	return best
}

// beats says whether a rule decides before another, neither being a deny.
func (r *Rule) beats(other *Rule) bool {
	if order := r.compare(other); order != 0 {
		return order > 0
	}
	return rank(r.Verdict) > rank(other.Verdict)
}

// compare orders rules that are about one object by how much they say of it.
func (r *Rule) compare(other *Rule) int {
	if r.Socket != nil {
		return r.Socket.compare(other.Socket)
	}
	prefix, wildcards := r.Patterns[0].specificity()
	otherPrefix, otherWildcards := other.Patterns[0].specificity()
	return cmp.Or(cmp.Compare(prefix, otherPrefix), cmp.Compare(wildcards, otherWildcards))
}

// rank orders verdicts from the loosest to the strictest.
func rank(v event.VerdictKind) int {
	switch v {
	case event.VerdictAllow:
		return 0
	case event.VerdictAsk:
		return 1
	default:
		return 2
	}
}

// Asks says whether the policy can say that somebody has to be asked.
func (p *Policy) Asks() bool {
	return p.Default == event.VerdictAsk || slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.Verdict == event.VerdictAsk })
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
