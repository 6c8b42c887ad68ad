package policy

import (
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Overrides says that one rule, named by its place, decides wherever another could, so that
// the other never does. It can miss that it is so, never that it is not.
func (p *Policy) Overrides(one, other int) bool {
	a, b := &p.Rules[one], &p.Rules[other]
	return p.takesIn(one, other) && a.asMatch(one).beats(b.asMatch(other))
}

// Repeats says that one deny says nothing that another, named by its place, does not say.
func (p *Policy) Repeats(one, other int) bool {
	a, b := &p.Rules[one], &p.Rules[other]
	return one != other && a.Verdict == event.VerdictDeny && b.Verdict == event.VerdictDeny && a.decision().Denied() == b.decision().Denied() &&
		p.takesIn(other, one) && (other < one || !p.takesIn(one, other))
}

// takesIn says that a rule is about all that another is about.
func (p *Policy) takesIn(one, other int) bool {
	a, b := &p.Rules[one], &p.Rules[other]
	if one == other || b.Classes&^a.Classes != 0 || len(a.Exe) > 0 && !samePatterns(a.Exe, b.Exe) {
		return false
	}
	if a.Socket != nil || b.Socket != nil {
		return a.Socket != nil && b.Socket != nil && a.Socket.text == b.Socket.text
	}
	if !a.Patterns[0].Contains(&b.Patterns[0]) {
		return false
	}
	return samePatterns(a.Except, b.Except) ||
		!slices.ContainsFunc(a.Except, func(e Pattern) bool { return !e.Apart(&b.Patterns[0]) })
}

func (r *Rule) asMatch(place int) match {
	if r.Socket != nil {
		return match{rule: r, place: place}
	}
	return match{r, &r.Patterns[0], place}
}

func samePatterns(a, b []Pattern) bool {
	return slices.EqualFunc(a, b, func(a, b Pattern) bool { return a.text == b.text })
}
