package policy

import "github.com/turnstile-project/turnstile/internal/event"

// Loosens says whether a file that gets the name to, and had from, would be allowed more
// than before; and if it has files below it, whether one of them could, or would come to
// where it could not be made. Then d says which rule was in the way. It looks at patterns,
// never at what exists.
func (p *Policy) Loosens(from, to Path, hasBelow bool) (d Decision, loosens bool) {
	if from.Name == "" || to.Name == "" {
		classes := p.Restricted()
		return p.Decide(classes, Path{}).refused(), classes != 0
	}
	for class := event.Class(1); class <= Files; class <<= 1 {
		before := p.decideOne(class, from)
		if rank(p.decideOne(class, to).Verdict) < rank(before.Verdict) {
			return before.refused(), true
		}
	}
	if !hasBelow {
		return Decision{}, false
	}
	return p.loosensBelow(from, to)
}

// brings are the classes by which files get to where they were not: what comes with a
// directory was not judged one by one.
const brings = event.Create | event.Write

// loosensBelow compares what the rules say of from/x and to/x, for every x. A rule says
// the same of both if its pattern is in the same states after the two. A rule that has
// all that is below, or nothing of it, is compared with all others like it. What is left
// differs, or depends on which of two rules decides: that is refused.
func (p *Policy) loosensBelow(from, to Path) (Decision, bool) {
	var partial *Rule
	changes := false
	for i := range p.Rules {
		r := &p.Rules[i]
		for j := range r.Patterns {
			pattern := &r.Patterns[j]
			before, after := pattern.after(from.Name), pattern.after(to.Name)
			switch {
			case before == after:
				if !pattern.settled(before) && r.Verdict != event.VerdictDeny {
					partial = r
				}
			case r.Verdict == event.VerdictDeny && before&^after == 0 && r.Classes&brings == 0:
				// What it denied it denies still.
			case pattern.settled(before) && pattern.settled(after):
				changes = true
			default:
				return Decision{Verdict: r.Verdict, Errno: r.Errno, Rule: r}.refused(), true
			}
		}
	}
	if !changes {
		return Decision{}, false
	}
	if partial != nil {
		return Decision{Verdict: partial.Verdict, Rule: partial}.refused(), true
	}
	for class := event.Class(1); class <= Files; class <<= 1 {
		before, after := p.decideAllBelow(class, from), p.decideAllBelow(class, to)
		if rank(after.Verdict) < rank(before.Verdict) {
			return before.refused(), true
		}
		if class&brings != 0 && rank(after.Verdict) > rank(before.Verdict) {
			return after.refused(), true
		}
	}
	return Decision{}, false
}

// decideAllBelow is the verdict of the rules that have all that is below a path.
func (p *Policy) decideAllBelow(class event.Class, path Path) Decision {
	return p.decideBy(class, func(r *Rule) bool {
		for i := range r.Patterns {
			if pattern := &r.Patterns[i]; pattern.covers(pattern.after(path.Name)) {
				return true
			}
		}
		return false
	})
}

// refused is the decision about a new name that a rule is in the way of.
func (d Decision) refused() Decision {
	d.Verdict = event.VerdictDeny
	return d
}
