// Package systemd has what systemd knows by name: the sets of system calls that unit files
// can name, such as @file-system. It reads no file of the machine that it runs on, whose
// systemd may be another.
package systemd

import (
	_ "embed"
	"slices"
	"strings"
)

// Version is the systemd that the sets are from.
const Version = "systemd 252"

//go:embed sets-252.txt
var text string

// sets are the members of each set by name: calls, and other sets.
var sets = parse(text)

func parse(text string) map[string][]string {
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

// Groups are the names of the sets that a list can have, sorted. @known is none of them: it
// would allow every call that this systemd knows.
func Groups() []string {
	var names []string
	for name := range sets {
		if name != "@known" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Set are all calls of a set and of those that it names, sorted; nil if there is no such
// set.
func Set(name string) []string {
	var calls []string
	for _, member := range sets[name] {
		if strings.HasPrefix(member, "@") {
			calls = append(calls, Set(member)...)
		} else {
			calls = append(calls, member)
		}
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}
