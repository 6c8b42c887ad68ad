// Package lint finds what is no error in a policy file and yet hardly meant: rules that
// never decide, that contradict each other, that repeat what others say or allow very much.
//
// It looks at patterns, never at what exists. Start reading at [Check].
package lint

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
)

// Finding is something to look at.
type Finding struct {
	lang.Place
	Text string
}

// Check looks at a policy as it was written. Home is that of the user.
func Check(f *lang.File, home string) []Finding {
	c := checker{File: f, home: home}
	for i := range f.Policy.Rules {
		if !c.neverDecides(i) {
			c.contradicts(i)
			c.allowsMuch(i)
		}
		c.leavesOutNothing(i)
		c.trustsWritable(i)
	}
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(c.findings)
}

type checker struct {
	*lang.File
	home     string
	findings []Finding
}

func (c *checker) find(rule int, format string, args ...any) {
	c.findings = append(c.findings, Finding{c.Places[rule], fmt.Sprintf(format, args...)})
}

func (c *checker) line(rule int) int { return c.Places[rule].Line }

func (c *checker) rule(i int) *policy.Rule { return &c.Policy.Rules[i] }

// neverDecides finds a rule that another takes everything from.
func (c *checker) neverDecides(i int) bool {
	for j := range c.Policy.Rules {
		switch {
		case c.Policy.Overrides(j, i) && c.rule(j).Verdict == event.VerdictDeny && c.rule(i).Verdict != event.VerdictDeny:
			c.find(i, "this never decides: all of it is denied in line %d, and a deny always wins", c.line(j))
		case c.Policy.Overrides(j, i):
			c.find(i, "this never decides: line %d is about all of it, and goes before it", c.line(j))
		case c.Policy.Repeats(i, j):
			c.find(i, "this says nothing new: line %d denies all of it", c.line(j))
		default:
			continue
		}
		return true
	}
	return false
}

// contradicts finds a rule of another verdict about the same.
func (c *checker) contradicts(i int) {
	one := c.rule(i)
	for j := range i {
		other := c.rule(j)
		both := one.Classes & other.Classes
		if both != 0 && one.Verdict != other.Verdict && one.Subject() == other.Subject() && len(one.Exe)+len(other.Exe)+len(one.Except)+len(other.Except) == 0 {
			c.find(i, "this contradicts line %d: that says %s to %s of the same, this says %s", c.line(j), other.Verdict, both, one.Verdict)
			return
		}
	}
}

// changes are the classes by which files become others.
const changes = event.Write | event.Create | event.Delete | event.Attr

// allowsMuch finds rules that allow more than most programs need.
func (c *checker) allowsMuch(i int) {
	r := c.rule(i)
	if r.Verdict != event.VerdictAllow {
		return
	}
	if r.Socket != nil {
		if s := r.Socket.String(); s == "tcp:*" || s == "udp:*" || s == "ip:*" {
			c.find(i, "this allows %s with every address; say which, or which ports", r.Classes)
		}
		return
	}
	all, _ := policy.ParsePattern("/**")
	if most := r.Classes &^ (event.List | event.Stat); most != 0 && r.Patterns[0].Contains(&all) {
		c.find(i, "this allows %s of every file; say which", most)
		return
	}
	trees := []string{"/etc", "/usr", "/boot", "/dev", "/proc", "/sys", "/root", "/var", "/run"}
	if c.home != "" {
		trees = append(trees, c.home)
	}
	for _, dir := range trees {
		tree, err := policy.ParsePattern(policy.Quote(dir) + "/**")
		if err == nil && r.Classes&changes != 0 && r.Patterns[0].Contains(&tree) {
			c.find(i, "this allows %s of all that is below %q; say what", r.Classes&changes, dir)
			return
		}
	}
}

// leavesOutNothing finds exceptions that none of a rule's paths has.
func (c *checker) leavesOutNothing(i int) {
	r := c.rule(i)
	if i > 0 && c.rule(i-1).Name == r.Name {
		return // looked at with the first of its paths
	}
	for k := range r.Except {
		except := &r.Except[k]
		outside := true
		for j := i; j < len(c.Policy.Rules) && c.rule(j).Name == r.Name; j++ {
			if other := c.rule(j); other.Socket == nil && !except.Apart(&other.Patterns[0]) {
				outside = false
			}
		}
		if outside {
			c.find(i, "the exception %q leaves out nothing: none of the paths has it", except.String())
		}
	}
}

// trustsWritable finds conditions that whoever is held by the policy can meet: by writing
// to the program.
func (c *checker) trustsWritable(i int) {
	r := c.rule(i)
	if r.Verdict == event.VerdictDeny {
		return
	}
	for k := range r.Exe {
		path, literal := r.Exe[k].Literal()
		if literal && c.Policy.Decide(event.Write, policy.Path{Name: path, Exe: "/"}).Verdict == event.VerdictAllow {
			c.find(i, "the condition holds nobody off: the policy allows to write to %q, which then does whatever it is made to do", path)
		}
	}
}
