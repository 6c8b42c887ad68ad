package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// namedCall is a call for those who know one list of names for several ABIs.
type namedCall struct {
	name string
	abis []event.ABI
	// values is nil if the arguments do not matter in one of the ABIs.
	values *profile.Values
	from   []string
}

// named are the calls of some ABIs by name, sorted.
func named(p *profile.Profile, abis []event.ABI) []namedCall {
	var calls []namedCall
	at := make(map[string]int)
	for _, c := range p.Calls {
		if !slices.Contains(abis, c.ABI) {
			continue
		}
		i, ok := at[c.Name]
		if !ok {
			at[c.Name] = len(calls)
			calls = append(calls, namedCall{c.Name, []event.ABI{c.ABI}, c.Values, slices.Clone(c.From)})
			continue
		}
		calls[i].add(c)
	}
	slices.SortFunc(calls, func(a, b namedCall) int { return strings.Compare(a.name, b.name) })
	return calls
}

// add takes in the same call of another ABI.
func (n *namedCall) add(c profile.Call) {
	n.abis = append(n.abis, c.ABI)
	for _, from := range c.From {
		if !slices.Contains(n.from, from) {
			n.from = append(n.from, from)
		}
	}
	if n.values == nil || c.Values == nil || n.values.Index != c.Values.Index {
		n.values = nil
		return
	}
	of := slices.Concat(n.values.Of, c.Values.Of)
	slices.Sort(of)
	n.values = &profile.Values{Index: n.values.Index, Of: slices.Compact(of)}
}

// widened says what one list of names allows some ABIs beyond the profile.
func widened(p *profile.Profile, abis []event.ABI) []string {
	if len(abis) < 2 {
		return nil
	}
	calls := named(p, abis)
	var notes []string
	for _, abi := range abis {
		var more, wider []string
		for _, c := range calls {
			_, exists := syscalls.Number(abi, c.name)
			switch {
			case exists && !slices.Contains(c.abis, abi):
				more = append(more, c.name)
			case exists && !sameValues(valuesOf(p, abi, c.name), c.values):
				wider = append(wider, c.name)
			}
		}
		if len(more) > 0 {
			notes = append(notes, fmt.Sprintf("names are for all of %s: %v gets %s from the others", abiList(abis), abi, strings.Join(more, ", ")))
		}
		if len(wider) > 0 {
			notes = append(notes, fmt.Sprintf("names are for all of %s: %v gets the arguments that the others have of %s", abiList(abis), abi, strings.Join(wider, ", ")))
		}
	}
	return notes
}

// byLibseccomp says what libseccomp, which all consumers of names use, adds by itself: for
// a call that i386 can make in two ways, both.
func byLibseccomp(p *profile.Profile) []string {
	var calls, through []string
	for _, c := range p.CallsOf(event.I386) {
		m := profile.Multiplexer(c.Name)
		nr, _ := syscalls.Number(event.I386, m)
		if m == "" || slices.ContainsFunc(p.Calls, func(o profile.Call) bool { return o.ABI == event.I386 && o.Nr == nr }) {
			continue
		}
		calls, through = append(calls, c.Name), append(through, m)
	}
	if len(calls) == 0 {
		return nil
	}
	slices.Sort(through)
	return []string{fmt.Sprintf("libseccomp allows i386 the same also through %s, with all arguments: %s",
		strings.Join(slices.Compact(through), " and "), strings.Join(calls, ", "))}
}

func valuesOf(p *profile.Profile, abi event.ABI, name string) *profile.Values {
	i := slices.IndexFunc(p.Calls, func(c profile.Call) bool { return c.ABI == abi && c.Name == name })
	if i < 0 {
		return nil
	}
	return p.Calls[i].Values
}

func sameValues(a, b *profile.Values) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Index == b.Index && slices.Equal(a.Of, b.Of)
}

func abiList(abis []event.ABI) string {
	var names []string
	for _, a := range abis {
		names = append(names, a.String())
	}
	return strings.Join(names, ", ")
}
