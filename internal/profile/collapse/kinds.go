package collapse

import (
	"fmt"
	"slices"
	"strings"
)

// Kinds is a set of ways in which files are taken together.
type Kinds uint8

// The kinds.
const (
	// Home, CWD and Tmp put variables in the place of directories. Tmp is for names of
	// temporary files too, and for numbers of processes and terminals.
	Home Kinds = 1 << iota
	CWD
	Tmp
	// Versions and Hashes put wildcards in names.
	Versions
	Hashes
	// Dirs takes many files of a directory together.
	Dirs
	// Addresses takes together the ports that the kernel chooses, and the addresses of
	// servers elsewhere.
	Addresses

	None Kinds = 0
	All        = Home | CWD | Tmp | Versions | Hashes | Dirs | Addresses
)

var kindNames = []string{"home", "cwd", "tmp", "versions", "hashes", "dirs", "addresses"}

// KindNames are the names of all kinds.
func KindNames() []string { return slices.Clone(kindNames) }

// Parse reads lists of names with commas between them; "all" and "none" are names too.
func Parse(lists []string) (Kinds, error) {
	var k Kinds
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			switch i := slices.Index(kindNames, name); {
			case i >= 0:
				k |= 1 << i
			case name == "all":
				k |= All
			case name != "none":
				return 0, fmt.Errorf("%q is none of %s, all and none", name, strings.Join(kindNames, ", "))
			}
		}
	}
	return k, nil
}

func (k Kinds) has(kind Kinds) bool { return k&kind != 0 }

// Names of the kinds in the set.
func (k Kinds) Names() []string {
	var names []string
	for i, n := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}
