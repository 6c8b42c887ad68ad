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

type callKey struct {
	abi event.ABI
	nr  int32
}

// callSet collects calls, each once.
type callSet struct {
	calls map[callKey]*Call
	notes []string
	// wide are names of calls that are not held to arguments, by the reason.
	wide map[string][]string
}

func (s *callSet) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
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
		// The number is what was called. The name in a trace may be anything.
		call := s.add(abi, c.Nr, syscalls.Name(abi, c.Nr), Seen)
		if args {
			call.Values = s.seenValues(call.Name, c.Args)
		}
	}
	return nil
}

// addNames adds the calls of these names that an ABI has, with all arguments.
func (s *callSet) addNames(abi event.ABI, names []string, from string) {
	for _, name := range names {
		if nr, ok := syscalls.Number(abi, name); ok {
			s.widen(s.add(abi, nr, name, from), "because of "+from)
		}
	}
}

// noteAbsent tells which of the names that somebody asked for no ABI has.
func (s *callSet) noteAbsent(abis []event.ABI, names []string) {
	for _, name := range names {
		if !slices.Contains(DefaultAlways, name) && !slices.ContainsFunc(abis, func(a event.ABI) bool { return has(a, name) }) {
			s.note("%s is not added: no ABI of the profile has such a call", name)
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
