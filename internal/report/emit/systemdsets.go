package emit

import (
	_ "embed"
	"slices"
	"strings"
)

// systemdVersion is the one that the sets are from.
const systemdVersion = "systemd 252"

//go:embed systemd-252.txt
var systemdSetsText string

// systemdSets are the members of each set by name: calls, and other sets.
var systemdSets = parseSystemdSets(systemdSetsText)

func parseSystemdSets(text string) map[string][]string {
	sets := make(map[string][]string)
	var set string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if name, rest, ok := strings.Cut(line, ":"); ok {
			set, line = name, rest
		}
		sets[set] = append(sets[set], strings.Fields(line)...)
	}
	return sets
}

// SystemdGroups are the names of the sets of calls that systemd's format can have, sorted.
// @known is none of them: it would allow everything.
func SystemdGroups() []string {
	var names []string
	for name := range systemdSets {
		if name != "@known" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// systemdSet are all calls of a set and of those that it names, sorted.
func systemdSet(name string) []string {
	var calls []string
	for _, member := range systemdSets[name] {
		if strings.HasPrefix(member, "@") {
			calls = append(calls, systemdSet(member)...)
		} else {
			calls = append(calls, member)
		}
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}
