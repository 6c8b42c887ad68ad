package policy

import (
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
)

// rulebook is how the rules are found that have to do with a path.
type rulebook interface {
	// at are the rules that have a path, whichever program asks.
	at(path Path) []match
	// around are, at least, the rules that have one of some paths or could have
	// something below it.
	around(paths ...string) []*Rule
}

// naming are the classes of access to a name and not to the file that has it. What has
// nothing below it is not made or removed by another of its names, so that these may be
// allowed more: both names are judged by themselves.
const naming = event.Create | event.Delete

// Loosens says whether a file that gets the name to, and had from, would be allowed more
// than before, to whatever program; and if it has files below it, whether one of them
// could, or would come to where it could not be made. Then the
// decision says which rule was in the way. It looks at patterns, never at what exists.
func (p *Policy) Loosens(from, to Path, hasBelow bool) (Decision, bool) {
	return loosens(p, p, from, to, hasBelow)
}

// at implements rulebook.
func (p *Policy) at(path Path) []match {
	var found []match
	for i := range p.Rules {
		if by := p.Rules[i].has(path); by != nil {
			found = append(found, match{&p.Rules[i], by, i})
		}
	}
	return found
}

// around implements rulebook.
func (p *Policy) around(...string) []*Rule {
	rules := make([]*Rule, len(p.Rules))
	for i := range p.Rules {
		rules[i] = &p.Rules[i]
	}
	return rules
}

func loosens(p *Policy, book rulebook, from, to Path, hasBelow bool) (Decision, bool) {
	if from.Name == "" || to.Name == "" {
		classes := p.Restricted()
		return p.Decide(classes, Path{}).refused(), classes != 0
	}
	before, after := book.at(from), book.at(to)
	for class := event.Class(1); class <= Files; class <<= 1 {
		if !hasBelow && class&naming != 0 {
			continue
		}
		if d, worse := p.compare(class, before, after, false); worse {
			return d.refused(), true
		}
	}
	if !hasBelow {
		return Decision{}, false
	}
	return p.loosensBelow(book.around(from.Name, to.Name), from.Name, to.Name)
}

// brings are the classes by which files get to where they were not: what comes with a
// directory was not judged one by one.
const brings = event.Create | event.Write

// loosensBelow compares what the rules say of from/x and to/x, for every x. A rule says
// the same of both if its patterns are in the same states after the two. A rule that has
// all that is below, or nothing of it, is compared with all others like it. What is left
// differs, or depends on which of two rules decides: that is refused.
func (p *Policy) loosensBelow(rules []*Rule, from, to string) (Decision, bool) {
	var partial *Rule
	var before, after []match // of the rules that have all that is below
	changes := false
	for place, r := range rules {
		b := r.below(from, to)
		switch {
		case b.same:
			if !b.settled && r.Verdict != event.VerdictDeny {
				partial = r
			}
		case r.Verdict == event.VerdictDeny && b.grows && r.Classes&brings == 0:
			// What it denied it denies still.
		case b.settled:
			changes = true
		default:
			return r.decision().refused(), true
		}
		if by := r.covers(from); by != nil {
			before = append(before, match{r, by, place})
		}
		if by := r.covers(to); by != nil {
			after = append(after, match{r, by, place})
		}
	}
	if !changes {
		return Decision{}, false
	}
	if partial != nil {
		return partial.decision().refused(), true
	}
	for class := event.Class(1); class <= Files; class <<= 1 {
		if d, worse := p.compare(class, before, after, class&brings != 0); worse {
			return d.refused(), true
		}
	}
	return Decision{}, false
}

// below is what a rule says of all that is below two directories.
type below struct {
	same    bool // of both
	settled bool // it has all that is below each, or nothing
	grows   bool // what it has below the first it has below the second
}

func (r *Rule) below(from, to string) below {
	b := below{same: true, settled: true, grows: true}
	reached := false
	for i := range r.Patterns {
		pattern := &r.Patterns[i]
		before, after := pattern.after(from), pattern.after(to)
		reached = reached || before|after != 0
		b.same = b.same && before == after
		b.settled = b.settled && pattern.settled(before) && pattern.settled(after)
		b.grows = b.grows && before&^after == 0
	}
	if !reached {
		return b
	}
	for i := range r.Except {
		pattern := &r.Except[i]
		before, after := pattern.after(from), pattern.after(to)
		b.same = b.same && before == after
		b.settled = b.settled && pattern.settled(before) && pattern.settled(after)
		b.grows = b.grows && after&^before == 0
	}
	return b
}

// covers is the spelling by which a rule has all that is below a path, nil if it does not.
func (r *Rule) covers(path string) *Pattern {
	for i := range r.Except {
		if except := &r.Except[i]; !except.over(except.after(path)) {
			return nil
		}
	}
	var best *Pattern
	for i := range r.Patterns {
		if by := &r.Patterns[i]; by.covers(by.after(path)) && (best == nil || by.compare(best) > 0) {
			best = by
		}
	}
	return best
}

// compare says whether the rules after allow more in a class than those before, or, if
// more is as bad, less, to any program. A program that is not known is one to which only
// the rules that deny are about, so the conditions of each verdict are looked at apart.
func (p *Policy) compare(class event.Class, before, after []match, eitherWay bool) (Decision, bool) {
	var conditions []*Rule
	for _, m := range slices.Concat(before, after) {
		if r := m.rule; r.Classes&class != 0 && len(r.Exe) > 0 && !slices.ContainsFunc(conditions, r.sameCondition) {
			conditions = append(conditions, r)
		}
	}
	const most = 8 // 256 ways in which they are met
	if len(conditions) > most {
		return conditions[0].decision(), true
	}
	for met := range 1 << len(conditions) {
		holds := func(r *Rule) bool {
			i := slices.IndexFunc(conditions, r.sameCondition)
			return i < 0 || met&(1<<i) != 0
		}
		was, is := p.among(class, before, holds), p.among(class, after, holds)
		switch {
		case rank(is.Verdict) < rank(was.Verdict):
			return was, true
		case eitherWay && rank(is.Verdict) > rank(was.Verdict):
			return is, true
		}
	}
	return Decision{}, false
}

// sameCondition says whether two rules of one verdict are about the same programs.
func (r *Rule) sameCondition(other *Rule) bool {
	return r.Verdict == other.Verdict && samePatterns(r.Exe, other.Exe)
}

// among decides between some rules.
func (p *Policy) among(class event.Class, rules []match, holds func(*Rule) bool) Decision {
	var c contest
	for _, m := range rules {
		if m.rule.Classes&class != 0 && holds(m.rule) && m.beats(c.best) {
			c.best = m
		}
	}
	return c.decision(p, class)
}

// refused is the decision about a new name that a rule is in the way of.
func (d Decision) refused() Decision {
	d.Verdict = event.VerdictDeny
	return d
}
