package emit

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	sets "github.com/turnstile-project/turnstile/internal/systemd"
)

var systemd = Format{
	Name:       "systemd",
	For:        "a drop-in for a service: NAME.service.d/seccomp.conf",
	CheckedBy:  "systemd-analyze verify",
	Enforces:   true,
	Sections:   profile.Syscalls,
	Vocabulary: profile.Names,
	Notes:      systemdNotes,
	Write:      writeSystemd,
}

// implied is the set that systemd adds to every list of what is allowed (systemd.exec(5)).
const implied = "@default"

func writeSystemd(w io.Writer, in *Input) error {
	p := in.Profile
	calls := named(p, p.ABIs)
	switch {
	case len(calls) == 0:
		return fmt.Errorf("the profile allows no call, and to systemd an empty list means no filter at all")
	case p.Default.Kind == profile.Trap:
		return fmt.Errorf("systemd cannot have other calls trap (--default-action errno, kill or log)")
	}
	for _, line := range about(in, profile.Syscalls, systemdNotes(in)) {
		fmt.Fprintf(w, "# %s\n", line)
	}
	fmt.Fprint(w, "# Remove a SystemCallFilter= that the unit has itself: lists are joined, and the first one says of what kind.\n",
		"\n[Service]\n",
		"# What a service starts gets no rights that it lacks, from no set-user-ID program either.\n",
		"NoNewPrivileges=yes\n")
	fmt.Fprintf(w, "SystemCallArchitectures=%s\n", strings.Join(systemdArchs(p.ABIs), " "))
	key := "SystemCallFilter="
	switch p.Default.Kind {
	case profile.Errno:
		fmt.Fprintf(w, "SystemCallErrorNumber=%v\n", event.Errno(p.Default.Errno))
	case profile.Kill:
		fmt.Fprintln(w, "SystemCallErrorNumber=kill")
	case profile.Log:
		key = "SystemCallLog=~" // all but these are logged
	}
	for _, line := range fold(systemdWords(calls, in.Groups), 96) {
		fmt.Fprintln(w, key+line)
	}
	if families, ok := socketFamilies(calls); ok && p.Default.Kind != profile.Log {
		fmt.Fprintf(w, "RestrictAddressFamilies=%s\n", strings.Join(families, " "))
	}
	return nil
}

// systemdArchs are the architectures: the 64-bit ABIs are each native on its machine, so
// that one file is for both.
func systemdArchs(abis []event.ABI) []string {
	names := map[event.ABI]string{
		event.X8664: "native", event.ARM64: "native", event.I386: "x86", event.X32: "x32", event.ARM: "arm",
	}
	var archs []string
	for _, abi := range abis {
		if !slices.Contains(archs, names[abi]) {
			archs = append(archs, names[abi])
		}
	}
	return archs
}

// systemdWords are the groups that were asked for, and the calls that are in none of them.
func systemdWords(calls []namedCall, groups []string) []string {
	words := slices.Compact(slices.Sorted(slices.Values(groups)))
	var covered []string
	for _, g := range words {
		covered = append(covered, sets.Set(g)...)
	}
	for _, c := range calls {
		if !slices.Contains(covered, c.name) {
			words = append(words, c.name)
		}
	}
	return words
}

// socketFamilies are the families that sockets may have, if the profile says and unit
// files have names for all.
func socketFamilies(calls []namedCall) (names []string, ok bool) {
	i := slices.IndexFunc(calls, func(c namedCall) bool { return c.name == "socket" })
	if i < 0 || calls[i].values == nil {
		return nil, false
	}
	for _, v := range calls[i].values.Of {
		name, known := familyNames[v]
		if !known {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

func systemdNotes(in *Input) []string {
	p := in.Profile
	calls := named(p, p.ABIs)
	notes := append(widened(p, p.ABIs), byLibseccomp(p)...)
	if p.Default.Kind != profile.Log {
		notes = append(notes, overGrant(p.ABIs, calls, implied, nil,
			fmt.Sprintf("systemd allows %s whatever a list says", implied))...)
		for _, g := range in.Groups {
			if g != implied {
				notes = append(notes, overGrant(p.ABIs, calls, g, sets.Set(implied),
					fmt.Sprintf("%s of %s was asked for", g, sets.Version))...)
			}
		}
	}
	return append(notes, systemdLimits(p, calls)...)
}

// overGrant tells which calls of a set the profile does not have.
func overGrant(abis []event.ABI, calls []namedCall, set string, but []string, why string) []string {
	var more []string
	for _, name := range sets.Set(set) {
		exists := slices.ContainsFunc(abis, func(a event.ABI) bool { _, ok := syscalls.Number(a, name); return ok })
		if exists && !slices.ContainsFunc(calls, func(c namedCall) bool { return c.name == name }) && !slices.Contains(but, name) {
			more = append(more, name)
		}
	}
	if len(more) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d calls more than the profile has: %s", why, len(more), strings.Join(more, ", "))}
}

// systemdLimits tell what a unit file cannot say of this profile.
func systemdLimits(p *profile.Profile, calls []namedCall) []string {
	var notes, whole, unknown []string
	known := sets.Set("@known")
	for _, c := range calls {
		if c.values != nil && c.name != "socket" {
			whole = append(whole, c.name)
		}
		if !slices.Contains(known, c.name) {
			unknown = append(unknown, c.name)
		}
	}
	if _, ok := socketFamilies(calls); !ok && slices.ContainsFunc(calls, func(c namedCall) bool { return c.name == "socket" && c.values != nil }) {
		whole = append(whole, "socket")
	}
	if len(whole) > 0 {
		notes = append(notes, "a unit file has no arguments: with all of them are allowed "+strings.Join(whole, ", "))
	}
	if len(unknown) > 0 {
		notes = append(notes, fmt.Sprintf("%s does not know %s: it warns and refuses the call", sets.Version, strings.Join(unknown, ", ")))
	}
	if p.Default.Kind == profile.Log {
		notes = append(notes, "with SystemCallLog= systemd refuses nothing: what the service calls beyond the list is logged")
	}
	return notes
}
