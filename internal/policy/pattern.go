package policy

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Pattern is a glob over absolute paths. Within a component `*`, `?`, `[...]` and `{a,b}`
// match as in a shell, also the dot that a name begins with; a component `**` is any
// number of components, none among them, so /d/** has /d itself.
type Pattern struct {
	text  string
	parts []part
	// prefix are the components before the first that is not literal, as a path, and
	// depth is how many they are.
	prefix string
	depth  int
	// wildcards is how many components are not literal.
	wildcards int
}

// part is one component of a pattern.
type part struct {
	text string
	kind partKind
}

type partKind uint8

const (
	literal partKind = iota
	glob
	anyDepth // **
)

// maxParts is how many components a set of states has room for.
const maxParts = 63

// ParsePattern reads a glob.
func ParsePattern(text string) (Pattern, error) {
	p := Pattern{text: text}
	switch {
	case !strings.HasPrefix(text, "/"):
		return p, fmt.Errorf("pattern %q does not begin with \"/\"", text)
	case strings.IndexByte(text, 0) >= 0:
		return p, fmt.Errorf("pattern %q has a NUL", text)
	case !doublestar.ValidatePattern(text):
		return p, fmt.Errorf("pattern %q has a bracket, a brace or a backslash without its other half", text)
	}
	for component := range components(text) {
		next, err := parsePart(component)
		if err != nil {
			return p, fmt.Errorf("pattern %q: %w", text, err)
		}
		if n := len(p.parts); next.kind == anyDepth && n > 0 && p.parts[n-1].kind == anyDepth {
			continue
		}
		p.parts = append(p.parts, next)
	}
	if len(p.parts) > maxParts {
		return p, fmt.Errorf("pattern %q has more than %d components", text, maxParts)
	}
	p.measure()
	return p, nil
}

func parsePart(component string) (part, error) {
	switch {
	case component == "**":
		return part{component, anyDepth}, nil
	case component == "." || component == "..":
		return part{}, fmt.Errorf("a component %q is in no path that is judged", component)
	case strings.Contains(component, "**"):
		return part{}, errors.New(`"**" has to be a whole component`)
	case !doublestar.ValidatePattern(component):
		return part{}, errors.New(`a bracket or brace cannot hold a "/"; write two patterns`)
	case strings.ContainsAny(component, `*?[]{}\`):
		return part{component, glob}, nil
	default:
		return part{component, literal}, nil
	}
}

// Literal is the pattern that a path alone matches.
func Literal(path string) Pattern {
	p := Pattern{text: Quote(path)}
	for component := range components(path) {
		p.parts = append(p.parts, part{component, literal})
	}
	p.measure()
	return p
}

// Quote is the text of the pattern that a path alone matches.
func Quote(path string) string {
	if !strings.ContainsAny(path, `*?[]{}\`) {
		return path
	}
	var b strings.Builder
	for i := range len(path) {
		if strings.IndexByte(`*?[]{}\`, path[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// components goes through the names of a path.
func components(path string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(path) > 0 {
			if path[0] == '/' {
				path = path[1:]
				continue
			}
			end := strings.IndexByte(path, '/')
			if end < 0 {
				end = len(path)
			}
			if !yield(path[:end]) {
				return
			}
			path = path[end:]
		}
	}
}

// measure finds what is known of the pattern before it is compared with a path.
func (p *Pattern) measure() {
	var b strings.Builder
	p.depth, p.wildcards = 0, 0
	for i, part := range p.parts {
		if part.kind != literal {
			p.wildcards++
		} else if p.wildcards == 0 {
			b.WriteByte('/')
			b.WriteString(part.text)
			p.depth = i + 1
		}
	}
	p.prefix = b.String()
}

// String is the pattern as it was written.
func (p *Pattern) String() string { return p.text }

// Prefix is the path of the components before the first wildcard, "/" if there is none.
func (p *Pattern) Prefix() string {
	if p.prefix == "" {
		return "/"
	}
	return p.prefix
}

// Literal is the one path that the pattern has, if it is only one.
func (p *Pattern) Literal() (path string, literal bool) {
	return p.Prefix(), p.wildcards == 0
}

// WithPrefix is the pattern with another path in the place of its prefix: the same files
// under the name that they have when links are resolved.
func (p *Pattern) WithPrefix(prefix string) Pattern {
	other := Literal(prefix)
	rest := p.parts[p.depth:]
	other.parts = append(other.parts, rest...)
	other.measure()
	for _, part := range rest {
		other.text = strings.TrimSuffix(other.text, "/") + "/" + part.text
	}
	return other
}

// states is a set of places in a pattern, bit i for the place before parts[i], where a
// path that was read up to some component can be.
type states uint64

// after reads a whole path. What may follow depends on the result alone.
func (p *Pattern) after(path string) states {
	if !strings.HasPrefix(path, p.prefix) {
		return p.afterOutside(path)
	}
	at := p.open(1)
	for name := range components(path) {
		if at = p.step(at, name); at == 0 {
			break
		}
	}
	return at
}

// afterOutside is after for a path that does not begin with the prefix: it can only lead
// to it.
func (p *Pattern) afterOutside(path string) states {
	if path == "/" {
		path = ""
	}
	if strings.HasPrefix(p.prefix, path) && p.prefix[len(path)] == '/' {
		return 1 << strings.Count(path, "/")
	}
	return 0
}

// step reads one name.
func (p *Pattern) step(at states, name string) states {
	var next states
	for rest := at; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(uint64(rest))
		if i == len(p.parts) {
			continue
		}
		switch part := &p.parts[i]; part.kind {
		case anyDepth:
			next |= 1 << i
		case literal:
			if part.text == name {
				next |= 1 << (i + 1)
			}
		case glob:
			if doublestar.MatchUnvalidated(part.text, name) {
				next |= 1 << (i + 1)
			}
		}
	}
	return p.open(next)
}

// open adds the places behind each ** , which may be nothing.
func (p *Pattern) open(at states) states {
	for i := range p.parts {
		if at&(1<<i) != 0 && p.parts[i].kind == anyDepth {
			at |= 1 << (i + 1)
		}
	}
	return at
}

// Match says whether the pattern has a path, which is absolute and has no "." or "..".
func (p *Pattern) Match(path string) bool {
	if !strings.HasPrefix(path, p.prefix) {
		return false
	}
	return p.matchRest(path[len(p.prefix):])
}

// matchRest is Match for what is left of a path behind the prefix, with its slash.
func (p *Pattern) matchRest(rest string) bool {
	if rest != "" && rest[0] != '/' {
		return false
	}
	at := p.open(1 << p.depth)
	for name := range components(rest) {
		if p.covers(at) {
			return true
		}
		if at = p.step(at, name); at == 0 {
			return false
		}
	}
	return at&p.end() != 0
}

// end is the state in which all of the pattern was read.
func (p *Pattern) end() states { return 1 << len(p.parts) }

// settled says whether what follows has no part in the result: all of it matches, or
// nothing.
func (p *Pattern) settled(at states) bool { return p.over(at) || p.covers(at) }

// over says whether nothing that follows matches.
func (p *Pattern) over(at states) bool { return at&^p.end() == 0 }

// covers says whether all that follows matches.
func (p *Pattern) covers(at states) bool {
	n := len(p.parts)
	return n > 0 && p.parts[n-1].kind == anyDepth && at&(1<<(n-1)) != 0
}

// compare orders patterns by how much they say: by the length of what is literal at the
// beginning, then by how few wildcards there are.
func (p *Pattern) compare(other *Pattern) int {
	return cmp.Or(cmp.Compare(len(p.prefix), len(other.prefix)), cmp.Compare(other.wildcards, p.wildcards))
}

// Contains says that each path that another pattern has this one has too. It can miss that
// it is so, never that it is not.
func (p *Pattern) Contains(other *Pattern) bool {
	if !strings.HasPrefix(other.prefix, p.prefix) {
		return false
	}
	at := p.open(1)
	for _, part := range other.parts {
		switch part.kind {
		case literal:
			at = p.step(at, part.text)
		case glob:
			at = p.stepGlob(at, part.text)
		case anyDepth:
			at = p.open(p.staying(at))
		}
	}
	return at&p.end() != 0
}

// stepGlob reads any name that a glob has.
func (p *Pattern) stepGlob(at states, text string) states {
	var next states
	for i := range p.parts {
		switch part := &p.parts[i]; {
		case at&(1<<i) == 0:
		case part.kind == anyDepth:
			next |= 1 << i
		case part.kind == glob && (part.text == "*" || part.text == text):
			next |= 1 << (i + 1)
		}
	}
	return p.open(next)
}

// staying are the states that remain whatever names follow.
func (p *Pattern) staying(at states) states {
	var stay states
	for i := range p.parts {
		if at&(1<<i) != 0 && p.parts[i].kind == anyDepth {
			stay |= 1 << i
		}
	}
	return stay
}

// Apart says that no path is had by both patterns. It can miss that it is so, never that
// it is not.
func (p *Pattern) Apart(other *Pattern) bool {
	a, b := p.prefix, other.prefix
	_, aLiteral := p.Literal()
	_, bLiteral := other.Literal()
	switch {
	case aLiteral:
		return !other.Match(p.Prefix())
	case bLiteral:
		return !p.Match(other.Prefix())
	default:
		return !strings.HasPrefix(a+"/", b+"/") && !strings.HasPrefix(b+"/", a+"/")
	}
}
