package emit

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

var oci = Format{
	Name:      "oci",
	For:       "linux.seccomp of a container's config.json, and Localhost profiles of containerd and CRI-O",
	CheckedBy: "runc, crun",
	Enforces:  true,
	Sections:  profile.Syscalls,
	Runtime:   "runc",
	Write: func(w io.Writer, in *Input) error {
		s, err := linuxSeccomp(in.Profile)
		if err != nil {
			return err
		}
		return writeJSON(w, s)
	},
}

// linuxSeccomp is a profile as the runtime specification has it (config-linux.md).
func linuxSeccomp(p *profile.Profile) (*specs.LinuxSeccomp, error) {
	s := &specs.LinuxSeccomp{DefaultAction: ociAction(p.Default.Kind)}
	if p.Default.Kind == profile.Errno {
		errno := uint(p.Default.Errno)
		s.DefaultErrnoRet = &errno
	}
	for _, abi := range p.ABIs {
		s.Architectures = append(s.Architectures, ociArch[abi])
	}
	rules, err := ociRules(p)
	s.Syscalls = rules
	return s, err
}

var ociArch = map[event.ABI]specs.Arch{
	event.X8664: specs.ArchX86_64,
	event.I386:  specs.ArchX86,
	event.X32:   specs.ArchX32,
	event.ARM64: specs.ArchAARCH64,
	event.ARM:   specs.ArchARM,
}

func ociAction(k profile.ActionKind) specs.LinuxSeccompAction {
	switch k {
	case profile.Kill:
		return specs.ActKillProcess
	case profile.Log:
		return specs.ActLog
	case profile.Trap:
		return specs.ActTrap
	default:
		return specs.ActErrno
	}
}

// ociRules are one rule with all calls whose arguments do not matter, and one for each
// value of an argument that does. A rule is for all architectures that have the name.
func ociRules(p *profile.Profile) ([]specs.LinuxSyscall, error) {
	plain := specs.LinuxSyscall{Action: specs.ActAllow}
	var rules []specs.LinuxSyscall
	for _, c := range p.Calls {
		if _, known := syscalls.Known(c.ABI, c.Nr); !known {
			return nil, fmt.Errorf("call %d of %v has no name, and this format has names only", c.Nr, c.ABI)
		}
		if c.Values == nil {
			plain.Names = append(plain.Names, c.Name)
			continue
		}
		for _, v := range c.Values.Of {
			rules = append(rules, specs.LinuxSyscall{
				Names: []string{c.Name}, Action: specs.ActAllow,
				Args: []specs.LinuxSeccompArg{{Index: uint(c.Values.Index), Op: specs.OpMaskedEqual, Value: 0xffffffff, ValueTwo: v}},
			})
		}
	}
	if len(plain.Names) > 0 {
		rules = append([]specs.LinuxSyscall{plain}, rules...)
	}
	return rules, nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
