package policy

import (
	"cmp"

	"github.com/turnstile-project/turnstile/internal/event"
)

// match is a rule that has a path, and the spelling by which it does, or that has the
// address of a socket.
type match struct {
	rule  *Rule
	by    *Pattern // nil for a socket
	place int      // among all rules
}

// compare orders rules that have one object by how much they say of it.
func (m match) compare(other match) int {
	if m.by == nil {
		return m.rule.Socket.compare(other.rule.Socket)
	}
	return m.by.compare(other.by)
}

// beats says which of two rules decides.
func (m match) beats(other match) bool {
	return other.rule == nil || cmp.Or(
		compareBools(m.rule.Verdict == event.VerdictDeny, other.rule.Verdict == event.VerdictDeny),
		m.compare(other),
		compareBools(len(m.rule.Exe) > 0, len(other.rule.Exe) > 0),
		cmp.Compare(rank(m.rule.Verdict), rank(other.rule.Verdict)),
		cmp.Compare(other.place, m.place),
	) > 0
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// contest finds which rule decides about one class.
type contest struct {
	best match
	// perhaps is the best of the rules that ask, if nobody knows whether they are
	// about the program.
	perhaps match
}

// enter is called for each rule that has the path.
func (c *contest) enter(m match, exe string) {
	switch {
	case m.rule.isAbout(exe):
		if m.beats(c.best) {
			c.best = m
		}
	case exe == "" && m.rule.Verdict == event.VerdictAsk:
		if m.beats(c.perhaps) {
			c.perhaps = m
		}
	}
}

// isAbout says whether a rule is about a program. An allow is not about one that is not
// known, and a deny is.
func (r *Rule) isAbout(exe string) bool {
	switch {
	case len(r.Exe) == 0:
		return true
	case exe == "":
		return r.Verdict == event.VerdictDeny
	}
	for i := range r.Exe {
		if r.Exe[i].Match(exe) {
			return true
		}
	}
	return false
}

// decision is the verdict of who has won, or the default.
func (c *contest) decision(p *Policy, class event.Class) Decision {
	d := Decision{Verdict: p.Default}
	if class == event.Stat {
		d.Verdict = event.VerdictAllow
	}
	if c.best.rule != nil {
		d = c.best.rule.decision()
	}
	if d.Verdict == event.VerdictAllow && c.perhaps.rule != nil && c.perhaps.beats(c.best) {
		return c.perhaps.rule.decision()
	}
	return d
}

func (r *Rule) decision() Decision { return Decision{Verdict: r.Verdict, Errno: r.Errno, Rule: r} }

// Stricter says whether a verdict is stricter than another: deny, then ask, then allow.
func Stricter(verdict, than event.VerdictKind) bool { return rank(verdict) > rank(than) }

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
