package policy

import (
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Compiled is a policy whose rules are found by the names in a path, so that it does not
// matter how many are about other paths. Its rules must not change any more.
type Compiled struct {
	*Policy
	root node
	// sockets are the rules about addresses.
	sockets []match
}

// node is a directory in which the literal prefix of some rule ends, or one above.
type node struct {
	children map[string]*node
	// alone are the patterns for this one path, and open those that go on.
	alone, open []match
	classes     event.Class // that alone and open are about
}

// Compile makes the tree of a policy.
func (p *Policy) Compile() *Compiled {
	c := &Compiled{Policy: p}
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Socket != nil {
			c.sockets = append(c.sockets, match{rule: r, place: i})
		}
		for j := range r.Patterns {
			by := &r.Patterns[j]
			n := c.root.make(by.prefix)
			n.classes |= r.Classes
			if _, literal := by.Literal(); literal {
				n.alone = append(n.alone, match{r, by, i})
			} else {
				n.open = append(n.open, match{r, by, i})
			}
		}
	}
	return c
}

// make is the node of a path, which is made if there is none.
func (n *node) make(path string) *node {
	for name := range components(path) {
		next := n.children[name]
		if next == nil {
			next = &node{}
			if n.children == nil {
				n.children = make(map[string]*node)
			}
			n.children[name] = next
		}
		n = next
	}
	return n
}

// Decide is [Policy.Decide].
func (c *Compiled) Decide(classes event.Class, path Path) Decision {
	if path.Name == "" {
		return c.Policy.Decide(classes, path)
	}
	return strictest(classes, func(class event.Class) Decision {
		var best contest
		c.root.enter(&best, class, path.Name, path)
		if path.Self != "" {
			c.root.enter(&best, class, path.Self, path)
		}
		return best.decision(c.Policy, class)
	})
}

// DecideAddress is [Policy.DecideAddress].
func (c *Compiled) DecideAddress(class event.Class, a Address) Decision {
	var best contest
	for _, m := range c.sockets {
		if m.rule.Classes&class != 0 && m.rule.matchesAddress(class, a) {
			best.enter(m, a.Exe)
		}
	}
	return best.decision(c.Policy, class)
}

// enter enters the rules that have a name of a path into a contest.
func (n *node) enter(best *contest, class event.Class, name string, path Path) {
	for rest := name; n != nil; {
		if rest == "/" {
			rest = ""
		}
		if n.classes&class != 0 {
			if rest == "" {
				for i := range n.alone {
					n.alone[i].enter(best, class, path)
				}
			}
			for i := range n.open {
				if n.open[i].by.matchRest(rest) {
					n.open[i].enter(best, class, path)
				}
			}
		}
		if rest == "" {
			return
		}
		var next string
		next, rest = cutName(rest)
		n = n.children[next]
	}
}

// cutName takes the first name off a path that begins with a slash.
func cutName(path string) (name, rest string) {
	end := 1
	for end < len(path) && path[end] != '/' {
		end++
	}
	return path[1:end], path[end:]
}

func (m *match) enter(best *contest, class event.Class, path Path) {
	if m.rule.Classes&class != 0 && !m.rule.excepts(path) {
		best.enter(*m, path.Exe)
	}
}

// Loosens is [Policy.Loosens].
func (c *Compiled) Loosens(from, to Path, hasBelow bool) (Decision, bool) {
	return loosens(c.Policy, c, from, to, hasBelow)
}

// at implements rulebook.
func (c *Compiled) at(path Path) []match {
	var found []match
	for _, name := range []string{path.Name, path.Self} {
		if name == "" {
			continue
		}
		for n, rest := range c.root.along(name) {
			if rest == "" {
				found = append(found, n.alone...)
			}
			for _, m := range n.open {
				if m.by.matchRest(rest) {
					found = append(found, m)
				}
			}
		}
	}
	return slices.DeleteFunc(found, func(m match) bool { return m.rule.excepts(path) })
}

// around implements rulebook.
func (c *Compiled) around(paths ...string) []*Rule {
	var places []int
	add := func(matches []match) {
		for _, m := range matches {
			places = append(places, m.place)
		}
	}
	for _, path := range paths {
		for n, rest := range c.root.along(path) {
			if rest != "" {
				add(n.open)
				continue
			}
			n.visit(func(n *node) {
				add(n.alone)
				add(n.open)
			})
		}
	}
	slices.Sort(places)
	var rules []*Rule
	for _, i := range slices.Compact(places) {
		rules = append(rules, &c.Rules[i])
	}
	return rules
}

// along goes from the root to the node of a path, as far as there are nodes, and says
// what is left of the path at each.
func (n *node) along(path string) func(func(*node, string) bool) {
	return func(yield func(*node, string) bool) {
		for at, rest := n, strings.TrimSuffix(path, "/"); at != nil; {
			if !yield(at, rest) || rest == "" {
				return
			}
			var name string
			name, rest = cutName(rest)
			at = at.children[name]
		}
	}
}

// visit calls f for a node and all below it.
func (n *node) visit(f func(*node)) {
	f(n)
	for _, child := range n.children {
		child.visit(f)
	}
}
