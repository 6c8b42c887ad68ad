package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// takeOver adds an ABI that nobody watched: the calls that were seen in others, under the
// names that they have there.
func (s *callSet) takeOver(from []event.ABI, to event.ABI) {
	if s.hasABI(to) {
		return // it was watched, which is better
	}
	var others, none []string
	for _, c := range s.seenIn(from) {
		names := kin(c.ABI, to, c.Name)
		for _, name := range names {
			s.assume(to, name, c)
		}
		switch {
		case len(names) == 0:
			none = append(none, c.Name)
		case !slices.Equal(names, []string{c.Name}):
			others = append(others, instead(c.Name, names))
		}
	}
	if name := startup[to]; name != "" {
		if nr, ok := syscalls.Number(to, name); ok {
			s.add(to, nr, name, Assumed)
			others = append(others, name+" at the start of every program")
		}
	}
	s.note("nobody watched the program on %v: the calls are those of %s, by the names that they have there", to, abiNames(from))
	if len(others) > 0 {
		s.note("on %v the C library makes other calls: %s", to, strings.Join(others, "; "))
	}
	if len(none) > 0 {
		s.note("%v has nothing in place of %s", to, strings.Join(none, ", "))
	}
}

// instead says which calls are allowed for one.
func instead(name string, names []string) string {
	if slices.Contains(names, name) {
		others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
		return fmt.Sprintf("%s and %s", name, strings.Join(others, ", "))
	}
	return fmt.Sprintf("%s for %s", strings.Join(names, ", "), name)
}

// onABI are names that were found on another ABI as this one has them.
func onABI(abi event.ABI, names []string) []string {
	var found []string
	for _, name := range names {
		found = append(found, successor(abi, name)...)
	}
	return found
}

// assume adds a call for one that was seen in another ABI. The arguments of a call are
// the same in all; those of another call are not.
func (s *callSet) assume(to event.ABI, name string, seen *Call) {
	nr, _ := syscalls.Number(to, name)
	_, known := s.calls[callKey{to, nr}]
	c := s.add(to, nr, name, Assumed)
	switch {
	case name != seen.Name:
		s.widen(c, fmt.Sprintf("%v makes them in place of others", to))
	case !known:
		c.Values = seen.Values
	case c.Values != nil && seen.Values != nil:
		c.Values = c.Values.with(seen.Values)
	default:
		c.Values = nil
	}
}

// with are the values of both.
func (v *Values) with(o *Values) *Values {
	of := slices.Concat(v.Of, o.Of)
	slices.Sort(of)
	return &Values{v.Index, slices.Compact(of)}
}

// seenIn are the calls of ABIs that were seen, by ABI and number.
func (s *callSet) seenIn(abis []event.ABI) []*Call {
	var seen []*Call
	for k, c := range s.calls {
		if slices.Contains(abis, k.abi) && slices.Contains(c.From, Seen) {
			seen = append(seen, c)
		}
	}
	slices.SortFunc(seen, func(a, b *Call) int { return cmp.Or(cmp.Compare(a.ABI, b.ABI), cmp.Compare(a.Nr, b.Nr)) })
	return seen
}

func abiNames(abis []event.ABI) string {
	names := make([]string, 0, len(abis))
	for _, abi := range abis {
		names = append(names, abi.String())
	}
	return strings.Join(names, ", ")
}
