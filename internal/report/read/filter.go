package read

import (
	"maps"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Filter is a filter of system calls by name, as libseccomp(3) builds one.
type Filter struct {
	// ABIs are those that the filter has rules for, nil if it is no matter. Calls of
	// others get Foreign.
	ABIs    []event.ABI
	Foreign Action
	// Default is for calls that no rule is about.
	Default Action
	rules   map[string][]Rule
}

// Rule says what happens to a call if all of its conditions hold.
type Rule struct {
	Action     Action
	Conditions []Condition
	// Caveat is on what the rule depends that is not known, "" if it is sure.
	Caveat string
}

// Action is what happens to a call.
type Action struct {
	// Allows is set if the call is made all the same.
	Allows bool
	// Text says it of the call: "fails with EPERM".
	Text string
	// Errno is what it fails with, 0 if something else happens.
	Errno unix.Errno
}

// Condition is about one argument, of which all 64 bits are compared.
type Condition struct {
	Index int
	Holds func(value uint64) bool
}

func (f *Filter) add(name string, r Rule) {
	if f.rules == nil {
		f.rules = make(map[string][]Rule)
	}
	f.rules[name] = append(f.rules[name], r)
}

// verdict is what a filter says of a call that was seen.
type verdict struct {
	action Action
	// unknown says why it cannot be told, "" if it can.
	unknown string
	// index and values are an argument that is not allowed, if others of it are.
	index  int
	values []uint64
	why    string
}

const (
	noRule      = "no rule allows it"
	noName      = "it has no name by which a rule could allow it"
	foreign     = "calls of this ABI are not allowed"
	noArguments = "it is allowed with some arguments only, and the trace does not have them (observe --args)"
	moreThan    = "it is allowed with some arguments only, and had more of them than a trace holds"
	together    = "it is allowed with some arguments only, and a trace does not say which of them were used together"
	inMemory    = "it is allowed with some arguments only, and what the trace has of them is no register"
)

// judge says what happens to a call of an ABI.
func (f *Filter) judge(abi event.ABI, s *trace.Syscall) verdict {
	if f.ABIs != nil && !slices.Contains(f.ABIs, abi) {
		return verdict{action: f.Foreign, why: foreign}
	}
	rules := f.rules[s.Name]
	// A rule without conditions stands for all that have some; of two, the first.
	if i := slices.IndexFunc(rules, func(r Rule) bool { return len(r.Conditions) == 0 }); i >= 0 {
		return verdict{action: rules[i].Action, why: whyOf(rules[i])}
	}
	if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Action.Allows != f.Default.Allows }) {
		return verdict{action: f.Default, why: noRule}
	}
	return f.judgeArguments(s, rules)
}

func whyOf(r Rule) string {
	if r.Action.Allows {
		return ""
	}
	if r.Caveat != "" {
		return r.Caveat
	}
	return "a rule denies it"
}

// maxCombinations bounds how many combinations of arguments are looked at.
const maxCombinations = 4096

// judgeArguments is judge for a call whose arguments matter.
func (f *Filter) judgeArguments(s *trace.Syscall, rules []Rule) verdict {
	var indexes []int
	for _, r := range rules {
		for _, c := range r.Conditions {
			if !slices.Contains(indexes, c.Index) {
				indexes = append(indexes, c.Index)
			}
		}
	}
	slices.Sort(indexes)
	combinations := []map[int]uint64{{}}
	for _, index := range indexes {
		a := s.Argument(index)
		switch {
		case a == nil || len(a.Values) == 0:
			return verdict{unknown: noArguments}
		case s.Name == "clone3" && index == 0:
			return verdict{unknown: inMemory} // the trace has the flags in the struct
		case a.More:
			return verdict{unknown: moreThan}
		case len(combinations)*len(a.Values) > maxCombinations:
			return verdict{unknown: together}
		}
		combinations = combine(combinations, index, a.Values)
	}
	var denied []map[int]uint64
	action := Action{Allows: true}
	for _, c := range combinations {
		if a := f.decide(rules, c); !a.Allows {
			denied, action = append(denied, c), a
		}
	}
	switch {
	case len(denied) == 0:
		return verdict{action: action}
	case len(indexes) == 1:
		v := verdict{action: action, why: "not with this argument", index: indexes[0]}
		for _, c := range denied {
			v.values = append(v.values, c[v.index])
		}
		return v
	case len(denied) == len(combinations):
		return verdict{action: action, why: "not with these arguments"}
	default:
		return verdict{unknown: together}
	}
}

func combine(all []map[int]uint64, index int, values []uint64) []map[int]uint64 {
	var more []map[int]uint64
	for _, c := range all {
		for _, v := range values {
			one := maps.Clone(c)
			one[index] = v
			more = append(more, one)
		}
	}
	return more
}

// decide is what happens to a call with these arguments. If rules contradict each other,
// which libseccomp refuses, the one counts that does not allow it.
func (f *Filter) decide(rules []Rule, args map[int]uint64) Action {
	var found *Action
	for i := range rules {
		r := &rules[i]
		holds := !slices.ContainsFunc(r.Conditions, func(c Condition) bool { return !c.Holds(args[c.Index]) })
		if holds && (found == nil || !r.Action.Allows) {
			found = &r.Action
		}
	}
	if found == nil {
		return f.Default
	}
	return *found
}
