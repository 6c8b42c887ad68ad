package emit

import (
	"encoding/json"
	"io"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

var oci = Format{
	Name:       "oci",
	For:        "linux.seccomp of a container's config.json, and Localhost profiles of containerd and CRI-O",
	CheckedBy:  "runc, crun",
	Enforces:   true,
	Sections:   profile.Syscalls,
	Vocabulary: profile.Names,
	Runtime:    "runc",
	Notes:      ociNotes,
	Write: func(w io.Writer, in *Input) error {
		return writeJSON(w, ociProfile{mayLack(in.Profile, profile.Syscalls), linuxSeccomp(in.Profile)})
	},
}

// ociProfile has a field more than the specification, which runtimes pass over.
type ociProfile struct {
	Incomplete string `json:"x-incomplete,omitempty"`
	*specs.LinuxSeccomp
}

func ociNotes(in *Input) []string {
	notes := append(widened(in.Profile, in.Profile.ABIs), byLibseccomp(in.Profile)...)
	return append(notes, byRuntimes(in.Profile)...)
}

// byRuntimes says what older runtimes do not take.
func byRuntimes(p *profile.Profile) []string {
	if p.Default.Kind != profile.Kill {
		return nil
	}
	return []string{"SCMP_ACT_KILL_PROCESS needs runc 1.1, libseccomp 2.4 and Linux 4.14: older ones know SCMP_ACT_KILL, which ends a thread only"}
}

// linuxSeccomp is a profile as the runtime specification has it (config-linux.md).
func linuxSeccomp(p *profile.Profile) *specs.LinuxSeccomp {
	s := &specs.LinuxSeccomp{DefaultAction: ociAction(p.Default.Kind), DefaultErrnoRet: ociErrno(p.Default)}
	for _, abi := range p.ABIs {
		s.Architectures = append(s.Architectures, ociArch[abi])
	}
	s.Syscalls = ociRules(named(p, p.ABIs))
	return s
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

// ociErrno is nil if the action takes none: runtimes refuse one then.
func ociErrno(a profile.Action) *uint {
	if a.Kind != profile.Errno {
		return nil
	}
	errno := uint(a.Errno)
	return &errno
}

// ociRules are one rule with all calls whose arguments do not matter, and one for each
// value of an argument that does. A rule is for all architectures that have the name.
func ociRules(calls []namedCall) []specs.LinuxSyscall {
	plain := specs.LinuxSyscall{Action: specs.ActAllow}
	var rules []specs.LinuxSyscall
	for _, c := range calls {
		if c.values == nil {
			plain.Names = append(plain.Names, c.name)
			continue
		}
		for _, v := range c.values.Of {
			rules = append(rules, specs.LinuxSyscall{
				Names: []string{c.name}, Action: specs.ActAllow,
				Args: []specs.LinuxSeccompArg{{Index: uint(c.values.Index), Op: specs.OpMaskedEqual, Value: 0xffffffff, ValueTwo: v}},
			})
		}
	}
	if len(plain.Names) > 0 {
		rules = append([]specs.LinuxSyscall{plain}, rules...)
	}
	return rules
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
