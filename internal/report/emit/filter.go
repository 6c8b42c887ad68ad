package emit

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

// filterABI is how a filter tells the ABIs apart.
var filterABI = map[event.ABI]seccomp.ABI{
	event.X8664: seccomp.X8664,
	event.I386:  seccomp.I386,
	event.X32:   seccomp.X32,
	event.ARM64: seccomp.ARM64,
	event.ARM:   seccomp.ARM,
}

// compile makes the filter of a profile: what it allows in each ABI, and the default for
// all else, also for the ABIs that it does not have.
func compile(p *profile.Profile) ([]bpf.RawInstruction, error) {
	other := filterAction(p.Default)
	f := seccomp.Filter{Other: other}
	for _, abi := range p.ABIs {
		t := seccomp.Table{
			ABI: filterABI[abi], Rules: make(map[uint32][]seccomp.Rule),
			Default: other, Limit: profile.NumberLimit, Unknown: other,
		}
		for _, c := range p.CallsOf(abi) {
			t.Rules[uint32(c.Nr)] = filterRules(c)
		}
		f.Tables = append(f.Tables, t)
	}
	return f.Program()
}

func filterRules(c profile.Call) []seccomp.Rule {
	if c.Values == nil {
		return []seccomp.Rule{{Action: seccomp.Allow}}
	}
	var rules []seccomp.Rule
	for _, v := range c.Values.Of {
		rules = append(rules, seccomp.Rule{
			Conditions: []seccomp.Condition{{Arg: uint8(c.Values.Index), Mask: 0xffffffff, Value: v}}, //nolint:gosec // at most 5
			Action:     seccomp.Allow,
		})
	}
	return rules
}

func filterAction(a profile.Action) seccomp.Action {
	switch a.Kind {
	case profile.Kill:
		return seccomp.KillProcess
	case profile.Log:
		return seccomp.Log
	case profile.Trap:
		return seccomp.Trap
	default:
		return seccomp.Errno(a.Errno)
	}
}

// rawFilter is the filter as the kernel takes it: an array of struct sock_filter
// (linux/filter.h) in the byte order of the machine, which is little-endian for all of the ABIs.
func rawFilter(p *profile.Profile) ([]byte, error) {
	program, err := compile(p)
	if err != nil {
		return nil, fmt.Errorf("the calls of the profile: %w", err)
	}
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, program); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
