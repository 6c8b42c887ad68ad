package policy

import (
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Explanation is why a policy says what it says about one class of access to one object.
type Explanation struct {
	Decision
	// Default is what is said where no rule decides.
	Default event.VerdictKind
	// Others are the rules of that class that are about the object, or nearly, and do
	// not decide: the strongest first.
	Others   []Other
	standing []match // all that are about the object, the strongest first
}

// Other is a rule that does not decide.
type Other struct {
	Rule *Rule
	Why  string
}

// Explain says how the verdict of Decide about a path comes about.
func (p *Policy) Explain(class event.Class, path Path) Explanation {
	return p.explain(p.Decide(class, path), class, path.Exe, func(r *Rule) (match, string) {
		free := *r
		free.Except = nil
		by := free.has(path)
		switch {
		case by == nil:
			return match{}, ""
		case r.has(path) == nil:
			return match{}, "its exceptions leave this out"
		}
		return match{rule: r, by: by}, ""
	})
}

// ExplainAddress says how the verdict of DecideAddress comes about.
func (p *Policy) ExplainAddress(class event.Class, a Address) Explanation {
	return p.explain(p.DecideAddress(class, a), class, a.Exe, func(r *Rule) (match, string) {
		if !r.matchesAddress(class, a) {
			return match{}, ""
		}
		return match{rule: r}, ""
	})
}

// explain looks at each rule of a class: at what it has of the object, or why it has not.
func (p *Policy) explain(d Decision, class event.Class, exe string, look func(*Rule) (match, string)) Explanation {
	var nobody contest
	e := Explanation{Decision: d, Default: nobody.decision(p, class).Verdict}
	var standing []match
	var missed []Other
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Classes&class == 0 {
			continue
		}
		m, why := look(r)
		m.place = i
		switch {
		case why != "":
			missed = append(missed, Other{Rule: r, Why: why})
		case m.rule == nil:
		case !r.isAbout(exe) && exe == "" && r != d.Rule:
			missed = append(missed, Other{Rule: r, Why: "it is for some programs, and which one asks is not known"})
		case !r.isAbout(exe) && exe != "":
			missed = append(missed, Other{Rule: r, Why: "it is for other programs"})
		default:
			standing = append(standing, m)
		}
	}
	slices.SortFunc(standing, func(a, b match) int {
		if a.beats(b) {
			return -1
		}
		return 1
	})
	e.standing = standing
	for _, m := range standing {
		if m.rule != d.Rule {
			e.Others = append(e.Others, Other{m.rule, m.loses(standing[0])})
		}
	}
	e.Others = append(e.Others, missed...)
	return e
}

// loses says why a rule does not decide before another.
func (m match) loses(to match) string {
	switch {
	case to.rule.Verdict == event.VerdictDeny && m.rule.Verdict != event.VerdictDeny:
		return "a deny always wins"
	case m.compare(to) < 0 && m.by != nil && len(m.by.prefix) < len(to.by.prefix):
		return "less of its path is literal"
	case m.compare(to) < 0 && m.by != nil:
		return "it has more wildcards"
	case m.compare(to) < 0:
		return "it says less of the address"
	case len(m.rule.Exe) == 0 && len(to.rule.Exe) > 0:
		return "it is for all programs, and the other for some"
	case rank(m.rule.Verdict) < rank(to.rule.Verdict):
		return "ask goes before allow"
	default:
		return "it says the same, and stands later"
	}
}

// Remedy is what has to change for an access that is not allowed to be allowed.
type Remedy struct {
	// Except are the rules that deny it: each has to leave it out.
	Except []*Rule
	// Change are the rules that ask about it alone.
	Change []*Rule
	// Allow says that a rule is missing that allows it.
	Allow bool
}

// Remedy is what would allow an access to a path or an address.
func (e *Explanation) Remedy() (r Remedy) {
	rest := e.standing
	for len(rest) > 0 && rest[0].rule.Verdict == event.VerdictDeny {
		r.Except, rest = append(r.Except, rest[0].rule), rest[1:]
	}
	for len(rest) > 0 && rest[0].rule.Verdict == event.VerdictAsk && rest[0].isAlone() {
		r.Change, rest = append(r.Change, rest[0].rule), rest[1:]
	}
	switch {
	case len(r.Change) > 0:
	case len(rest) == 0:
		r.Allow = e.Default != event.VerdictAllow
	default:
		r.Allow = rest[0].rule.Verdict == event.VerdictAsk
	}
	return r
}

// isAlone says whether a rule is about no other path.
func (m match) isAlone() bool {
	if m.by == nil {
		return false
	}
	_, literal := m.by.Literal()
	return literal
}
