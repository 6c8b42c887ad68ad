package profile

import (
	"maps"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/trace"
)

// Selectors are the calls of which [Options.Args] allows one argument only as seen, with
// its index: those whose argument decides what they do at all. The kernel takes each as 32
// bits, or knows no value that is longer, so that 32 bits are compared.
var Selectors = map[string]int{
	"arch_prctl": 0, "bpf": 0, "clone": 0, "ioctl": 1, "keyctl": 0, "personality": 0, "prctl": 0,
	"ptrace": 0, "socket": 0, "socketpair": 0, "unshare": 0,
}

// unfiltered are calls that do what a selector decides of others, but have it in memory,
// where a filter cannot look.
var unfiltered = map[string]string{
	"clone3":     "its flags are",
	"socketcall": "the family of a socket is",
}

// Why a call is not held to arguments.
const (
	notTold = "the trace does not have them (observe --args)"
	tooMany = "they had more of them than a trace holds"
)

// seenValues is what the selector of a call was, nil if it cannot be held to that.
func (s *callSet) seenValues(name string, args []trace.Argument) *Values {
	if what, ok := unfiltered[name]; ok {
		s.note("%s is allowed as a whole: %s in memory, where a filter cannot look", name, what)
	}
	index, ok := Selectors[name]
	if !ok {
		return nil
	}
	i := slices.IndexFunc(args, func(a trace.Argument) bool { return a.Index == index })
	switch {
	case i < 0 || len(args[i].Values) == 0:
		s.wider(name, notTold)
		return nil
	case args[i].More:
		s.wider(name, tooMany)
		return nil
	}
	values := make([]uint64, 0, len(args[i].Values))
	for _, v := range args[i].Values {
		values = append(values, uint64(uint32(v)))
	}
	slices.Sort(values)
	return &Values{index, slices.Compact(values)}
}

// widen allows a call with all arguments.
func (s *callSet) widen(c *Call, reason string) {
	if c.Values != nil {
		s.wider(c.Name, reason)
		c.Values = nil
	}
}

func (s *callSet) wider(name, reason string) {
	if s.wide == nil {
		s.wide = make(map[string][]string)
	}
	s.wide[reason] = append(s.wide[reason], name)
}

// told are all notes, each once.
func (s *callSet) told() []string {
	notes := slices.Clone(s.notes)
	for _, reason := range slices.Sorted(maps.Keys(s.wide)) {
		names := slices.Compact(slices.Sorted(slices.Values(s.wide[reason])))
		notes = append(notes, "with all arguments are allowed "+strings.Join(names, ", ")+": "+reason)
	}
	var once []string
	for _, n := range notes {
		if !slices.Contains(once, n) {
			once = append(once, n)
		}
	}
	return once
}
