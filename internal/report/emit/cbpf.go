package emit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/net/bpf"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

var cbpf = Format{
	Name:      "cbpf",
	For:       "the filter itself, struct sock_filter as seccomp(2) takes them: bwrap --seccomp FD",
	CheckedBy: "the kernel, through bwrap; a simulation of every call",
	Enforces:  true,
	Sections:  profile.Syscalls,
	Runtime:   "bwrap",
	Write: func(w io.Writer, in *Input) error {
		program, err := compile(in.Profile)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		for _, i := range program {
			// The layout of struct sock_filter, include/uapi/linux/filter.h.
			b.Write(binary.NativeEndian.AppendUint16(nil, i.Op))
			b.Write([]byte{i.Jt, i.Jf})
			b.Write(binary.NativeEndian.AppendUint32(nil, i.K))
		}
		_, err = w.Write(b.Bytes())
		return err
	},
}

var filterABI = map[event.ABI]seccomp.ABI{
	event.X8664: seccomp.X8664,
	event.I386:  seccomp.I386,
	event.X32:   seccomp.X32,
	event.ARM64: seccomp.ARM64,
	event.ARM:   seccomp.ARM,
}

// numberLimit is above the numbers of all ABIs: where x32 has a bit of its own.
const numberLimit = 0x40000000

// compile makes the filter of a profile: what it allows in each ABI, and the default for
// all else, also for the ABIs that it does not have.
func compile(p *profile.Profile) ([]bpf.RawInstruction, error) {
	other := filterAction(p.Default)
	f := seccomp.Filter{Other: other}
	for _, abi := range p.ABIs {
		t := seccomp.Table{
			ABI: filterABI[abi], Rules: make(map[uint32][]seccomp.Rule),
			Default: other, Limit: numberLimit, Unknown: other,
		}
		for _, c := range p.CallsOf(abi) {
			if c.Nr < 0 || c.Nr >= numberLimit {
				return nil, fmt.Errorf("call %d of %v cannot be allowed: no call has such a number", c.Nr, abi)
			}
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
