package emit

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

var docker = Format{
	Name:       "docker",
	For:        "docker run --security-opt seccomp=FILE, and podman",
	CheckedBy:  "github.com/moby/profiles, whose result runc loads",
	Enforces:   true,
	Sections:   profile.Syscalls,
	Vocabulary: profile.Names,
	Runtime:    "runc",
	Notes:      dockerNotes,
	Write:      writeDocker,
}

// machine is what Docker runs on, with the ABIs that its kernel has.
type machine struct {
	// goArch is the name that rules have for it, main the ABI of the machine itself.
	goArch string
	main   event.ABI
	abis   []event.ABI
}

// machines have the ABIs of a profile, each one once. A 32-bit ABI is that of a 32-bit
// machine only if the 64-bit one has no calls.
func machines(abis []event.ABI) []machine {
	var list []machine
	for _, m := range []machine{
		{"amd64", event.X8664, []event.ABI{event.X8664, event.I386, event.X32}},
		{"x86", event.I386, []event.ABI{event.I386}},
		{"arm64", event.ARM64, []event.ABI{event.ARM64, event.ARM}},
		{"arm", event.ARM, []event.ABI{event.ARM}},
	} {
		taken := slices.ContainsFunc(list, func(l machine) bool { return slices.Contains(l.abis, m.main) })
		m.abis = slices.DeleteFunc(slices.Clone(m.abis), func(a event.ABI) bool { return !slices.Contains(abis, a) })
		if !taken && slices.Contains(m.abis, m.main) {
			list = append(list, m)
		}
	}
	return list
}

func dockerNotes(in *Input) []string {
	var notes []string
	for _, m := range machines(in.Profile.ABIs) {
		notes = append(notes, widened(in.Profile, m.abis)...)
	}
	notes = append(notes, byLibseccomp(in.Profile)...)
	return append(notes, byRuntimes(in.Profile)...)
}

func writeDocker(w io.Writer, in *Input) error {
	p := in.Profile
	out := seccomp.Seccomp{LinuxSeccomp: specs.LinuxSeccomp{
		DefaultAction: ociAction(p.Default.Kind), DefaultErrnoRet: ociErrno(p.Default),
	}}
	all := machines(p.ABIs)
	for _, m := range all {
		arch := seccomp.Architecture{Arch: ociArch[m.main], SubArches: []specs.Arch{}}
		for _, abi := range m.abis {
			if abi != m.main {
				arch.SubArches = append(arch.SubArches, ociArch[abi])
			}
		}
		out.ArchMap = append(out.ArchMap, arch)
	}
	out.Syscalls = dockerRules(p, all)
	if rules := out.Syscalls; len(rules) > 0 {
		rules[0].Comment = strings.Join(append(about(in, profile.Syscalls, dockerNotes(in)), rules[0].Comment), "\n")
	}
	return writeJSON(w, out)
}

// dockerGroup is what the calls of some rules have in common: the machine that they are
// for, if it is not all, and why they are there.
type dockerGroup struct{ arch, from string }

// dockerRules are the rules for all machines, and for each those for what the others do
// not allow, or not in the same way.
func dockerRules(p *profile.Profile, all []machine) []*seccomp.Syscall {
	groups := make(map[dockerGroup][]namedCall)
	put := func(arch string, c namedCall) {
		g := dockerGroup{arch, strings.Join(c.from, ", ")}
		groups[g] = append(groups[g], c)
	}
	on := make([]map[string]namedCall, len(all))
	for i, m := range all {
		on[i] = byName(p, m.abis)
	}
	for _, c := range named(p, p.ABIs) {
		if !slices.ContainsFunc(on, func(m map[string]namedCall) bool { return !sameOn(m, c) }) {
			put("", c)
			continue
		}
		for i, m := range on {
			if theirs, ok := m[c.name]; ok {
				put(all[i].goArch, theirs)
			}
		}
	}
	var rules []*seccomp.Syscall
	for _, g := range slices.SortedFunc(maps.Keys(groups), func(a, b dockerGroup) int {
		return cmp.Or(strings.Compare(a.arch, b.arch), strings.Compare(a.from, b.from))
	}) {
		for _, r := range ociRules(groups[g]) {
			rule := &seccomp.Syscall{LinuxSyscall: r, Comment: g.from}
			if g.arch != "" {
				rule.Includes = &seccomp.Filter{Arches: []string{g.arch}}
			}
			rules = append(rules, rule)
		}
	}
	return rules
}

func byName(p *profile.Profile, abis []event.ABI) map[string]namedCall {
	calls := named(p, abis)
	found := make(map[string]namedCall, len(calls))
	for _, c := range calls {
		found[c.name] = c
	}
	return found
}

// sameOn says whether a machine allows a call as all of them together do.
func sameOn(m map[string]namedCall, c namedCall) bool {
	theirs, ok := m[c.name]
	return ok && sameValues(theirs.values, c.values)
}
