package plan

import "github.com/turnstile-project/turnstile/internal/seccomp"

// anyInt is the mask of an int, of which the kernel looks at 32 bits.
const anyInt = 0xffffffff

// when is the rule for an argument that has a value under a mask.
func when(arg uint8, mask, value uint64, action seccomp.Action) seccomp.Rule {
	return seccomp.Rule{Conditions: []seccomp.Condition{{Arg: arg, Mask: mask, Value: value}}, Action: action}
}

// both is a rule with the conditions of all, and the action of the first.
func both(first seccomp.Rule, more ...seccomp.Rule) seccomp.Rule {
	for _, r := range more {
		first.Conditions = append(first.Conditions, r.Conditions...)
	}
	return first
}
