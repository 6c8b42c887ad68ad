package policy

import (
	"github.com/turnstile-project/turnstile/internal/event"
)

// Extent is how much of a directory, and of what is or will be below it, a policy allows,
// whoever asks and whenever.
type Extent uint8

// The extents.
const (
	// Nothing: no rule allows the whole of it, or one that says no could match
	// anywhere below.
	Nothing Extent = iota
	// Some: rules bite below some of its entries, and all of each other entry is
	// allowed.
	Some
	// All of it is allowed.
	All
)

// Extent says how much of a directory is allowed, and which rule is in the way of more,
// nil if none allows it. It looks at patterns, never at what exists. A rule that says
// something else than allow counts wherever it could match, whatever conditions it has.
func (p *Policy) Extent(class event.Class, dir string) (Extent, *Rule) {
	cover := p.cover(class, func(pattern *Pattern) bool { return pattern.covers(pattern.after(dir)) })
	if cover.rule == nil && (p.Default != event.VerdictAllow && class != event.Stat) {
		return Nothing, nil
	}
	extent, biting := All, (*Rule)(nil)
	for q := range p.biting(class, cover) {
		at := q.by.after(dir)
		if at == 0 {
			continue
		}
		if q.by.floats(at) {
			return Nothing, q.rule
		}
		extent, biting = Some, q.rule
	}
	return extent, biting
}

// Always says whether one path is allowed, whoever asks and whenever.
func (p *Policy) Always(class event.Class, path string) bool {
	cover := p.cover(class, func(pattern *Pattern) bool { return pattern.Match(path) })
	for q := range p.biting(class, cover) {
		if q.by.Match(path) {
			return false
		}
	}
	return cover.rule != nil
}

// cover is what decides among the rules that allow whatever else is true.
func (p *Policy) cover(class event.Class, has func(*Pattern) bool) (cover match) {
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Classes&class == 0 || r.Verdict != event.VerdictAllow || len(r.Exe) > 0 || len(r.Except) > 0 {
			continue
		}
		for j := range r.Patterns {
			if m := (match{r, &r.Patterns[j], i}); has(m.by) && m.beats(cover) {
				cover = m
			}
		}
	}
	return cover
}

// biting are the patterns of rules that say no where they match, or ask: where an ask and
// cover both match, and cover beats it, it does not decide.
func (p *Policy) biting(class event.Class, cover match) func(func(match) bool) {
	return func(yield func(match) bool) {
		for i := range p.Rules {
			r := &p.Rules[i]
			if r.Classes&class == 0 || r.Verdict == event.VerdictAllow {
				continue
			}
			for j := range r.Patterns {
				q := match{r, &r.Patterns[j], i}
				if r.Verdict == event.VerdictAsk && cover.rule != nil && cover.beats(q) {
					continue
				}
				if !yield(q) {
					return
				}
			}
		}
	}
}

// floats says whether the pattern can match at any depth below.
func (p *Pattern) floats(at states) bool {
	for i := range p.parts {
		if at&(1<<i) != 0 && p.parts[i].kind == anyDepth {
			return true
		}
	}
	return false
}

// Tree is the directory that a pattern has with all that is below it, if that is what it
// has, and nothing else.
func (p *Pattern) Tree() (dir string, ok bool) {
	n := len(p.parts)
	if n == 0 || p.parts[n-1].kind != anyDepth || p.wildcards != 1 {
		return "", false
	}
	return p.Prefix(), true
}
