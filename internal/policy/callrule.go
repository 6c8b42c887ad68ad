package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// CallRule denies system calls whatever their arguments. It is stronger than all that
// opens a door or allows a file.
type CallRule struct {
	// Calls are names of system calls, not of groups: see [ParseCalls].
	Calls []string
	// Kill ends the process that makes a call, with SIGSYS; else the call fails with
	// Errno, which is EPERM if it is 0.
	Kill  bool
	Errno unix.Errno
	// Name is what people are shown: where the rule stands, or its text.
	Name string
}

// ParseCallRule reads the rule of a flag: NAME, or @GROUP, and =ERRNO or =kill.
func ParseCallRule(text string) (CallRule, error) {
	r := CallRule{Name: "--deny-call " + text}
	name, how, found := strings.Cut(text, "=")
	r.Kill = how == "kill"
	if found && !r.Kill {
		if r.Errno = event.ErrnoNamed(how); r.Errno == 0 {
			return r, fmt.Errorf("%q: %q is no errno, and not kill; for example: ENOSYS", text, how)
		}
	}
	var err error
	r.Calls, err = ParseCalls(name)
	return r, err
}

// ParseCalls are the system calls that a name stands for: itself, or with "@" those of a
// group. One that no architecture has is an error.
func ParseCalls(name string) ([]string, error) {
	if strings.HasPrefix(name, "@") {
		if calls := groupMembers(name); calls != nil {
			return calls, nil
		}
		if near := Nearest(name, CallGroups()); near != "" {
			return nil, fmt.Errorf("%q is no group of system calls; did you mean %q?", name, near)
		}
		return nil, fmt.Errorf("%q is no group of system calls; they are %s", name, strings.Join(CallGroups(), ", "))
	}
	names := callNames()
	if slices.Contains(names, name) {
		return []string{name}, nil
	}
	if slices.Contains(CallGroups(), "@"+name) {
		return nil, fmt.Errorf("%q is no system call; the group is %q", name, "@"+name)
	}
	if near := Nearest(name, names); near != "" {
		return nil, fmt.Errorf("%q is no system call; did you mean %q?", name, near)
	}
	return nil, fmt.Errorf("%q is no system call", name)
}

// callNames are the calls of the architectures that Turnstile enforces on. A policy that
// names a call of one is no error on the other.
func callNames() []string {
	var names []string
	for _, abi := range []event.ABI{event.X8664, event.ARM64} {
		for _, nr := range syscalls.All(abi) {
			names = append(names, syscalls.Name(abi, nr))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Fails is the errno of the calls, where they do not kill.
func (r *CallRule) Fails() unix.Errno { return cmp.Or(r.Errno, unix.EPERM) }

// FindCallRule is the rule that denies a call, by any of its names, nil if none does: the
// first, where several do, but one that kills goes before one that does not.
func FindCallRule(rules []CallRule, names ...string) *CallRule {
	var found *CallRule
	for i := range rules {
		r := &rules[i]
		denies := slices.ContainsFunc(names, func(name string) bool { return slices.Contains(r.Calls, name) })
		if denies && (found == nil || r.Kill && !found.Kill) {
			found = r
		}
	}
	return found
}
