package profile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// DefaultAlways are calls that nearly every program makes at its end or because of a
// signal, so that a trace may lack them: exit(2) and exit_group(2); rt_sigreturn(2) and
// sigreturn(2), which the kernel itself has a thread make after a handler; and
// restart_syscall(2), which it has it make after a stop. An ABI that lacks one is not
// given it.
var DefaultAlways = []string{"exit", "exit_group", "restart_syscall", "rt_sigreturn", "sigreturn"}

// Selectors are the calls of which [Options.Args] allows one argument only as seen, with
// its index: those whose argument decides what they do at all.
var Selectors = map[string]int{
	"arch_prctl": 0, "bpf": 0, "clone": 0, "ioctl": 1, "keyctl": 0, "personality": 0, "prctl": 0,
	"ptrace": 0, "socket": 0, "socketpair": 0, "unshare": 0,
}

type callKey struct {
	abi event.ABI
	nr  int32
}

// callSet collects calls, each once.
type callSet struct {
	calls map[callKey]*Call
	notes []string
}

func (s *callSet) addSeen(d *trace.Document, args bool) error {
	for _, c := range d.Syscalls {
		if c.Count == 0 {
			continue // of a socketcall: its arguments are told here, its number is not used
		}
		abi, ok := event.ParseABI(c.ABI)
		if !ok {
			return fmt.Errorf("call %q is of unknown ABI %q", c.Name, c.ABI)
		}
		call := s.add(abi, c.Nr, c.Name, Seen)
		if args {
			call.Values = s.seenValues(c)
		}
	}
	return nil
}

// seenValues is what the selector of a call was, nil if it cannot be held to that.
func (s *callSet) seenValues(c *trace.Syscall) *Values {
	index, ok := Selectors[c.Name]
	if !ok {
		return nil
	}
	i := slices.IndexFunc(c.Args, func(a trace.Argument) bool { return a.Index == index })
	switch {
	case i < 0:
		s.note("%s is allowed with all arguments: the trace does not have them (observe --args)", c.Name)
		return nil
	case c.Args[i].More:
		s.note("%s is allowed with all arguments: it had more of them than a trace holds", c.Name)
		return nil
	}
	values := slices.Clone(c.Args[i].Values)
	slices.Sort(values)
	return &Values{index, slices.Compact(values)}
}

func (s *callSet) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// addNames adds the calls of these names that an ABI has, with all arguments.
func (s *callSet) addNames(abi event.ABI, names []string, from string) {
	for _, name := range names {
		nr, ok := syscalls.Number(abi, name)
		if !ok {
			continue
		}
		c := s.add(abi, nr, name, from)
		if c.Values != nil {
			s.note("%s is allowed with all arguments, because of %s", name, from)
			c.Values = nil
		}
	}
}

func (s *callSet) add(abi event.ABI, nr int32, name, from string) *Call {
	if s.calls == nil {
		s.calls = make(map[callKey]*Call)
	}
	k := callKey{abi, nr}
	c := s.calls[k]
	if c == nil {
		c = &Call{ABI: abi, Nr: nr, Name: name}
		s.calls[k] = c
	}
	if !slices.Contains(c.From, from) {
		c.From = append(c.From, from)
	}
	return c
}

// abis are those of the calls, that of the machine first.
func (s *callSet) abis(native string) []event.ABI {
	var abis []event.ABI
	if abi, ok := event.ParseABI(native); ok {
		abis = append(abis, abi)
	}
	for _, abi := range event.ABIs() {
		if !slices.Contains(abis, abi) && s.hasABI(abi) {
			abis = append(abis, abi)
		}
	}
	return abis
}

func (s *callSet) sorted(abis []event.ABI) []Call {
	calls := make([]Call, 0, len(s.calls))
	for _, c := range s.calls {
		calls = append(calls, *c)
	}
	slices.SortFunc(calls, func(a, b Call) int {
		return cmp.Or(cmp.Compare(slices.Index(abis, a.ABI), slices.Index(abis, b.ABI)), cmp.Compare(a.Nr, b.Nr))
	})
	return calls
}

func (s *callSet) hasABI(abi event.ABI) bool {
	for k := range s.calls {
		if k.abi == abi {
			return true
		}
	}
	return false
}
