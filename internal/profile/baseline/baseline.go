// Package baseline has the system calls that a runtime itself makes after it has put a
// seccomp filter in force, or has the program make: without them the program does not
// even start under its own profile. Each list is named after the runtime and the version
// that it was measured with, and says where it comes from.
package baseline

import (
	"bufio"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed *.txt
var files embed.FS

// Baseline is what one runtime needs.
type Baseline struct {
	// Name is that of the runtime and the version, as runc-1.1.
	Name string
	// Runtime is the program.
	Runtime string
	// Provenance says what it was measured with and how, in lines.
	Provenance []string

	calls, early []string
}

// Calls are the names of the calls, sorted. If the program runs with no_new_privs, the
// runtime may load the filter later, and needs less.
func (b *Baseline) Calls(noNewPrivileges bool) []string {
	if noNewPrivileges {
		return b.calls
	}
	return b.early
}

// All are the baselines, by name.
func All() []*Baseline { return all }

// For are the baselines of a runtime or of a name, newest last; none if it is not known.
func For(name string) []*Baseline {
	var found []*Baseline
	for _, b := range all {
		if b.Runtime == name || b.Name == name {
			found = append(found, b)
		}
	}
	return found
}

var all = func() []*Baseline {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // they are in the binary
	}
	var list []*Baseline
	for _, e := range entries {
		b, err := read(e.Name())
		if err != nil {
			panic(err)
		}
		list = append(list, b)
	}
	return list
}()

// read takes one file: comments are its provenance, then lines of names, and those after
// a line "without no_new_privs:" are needed only then.
func read(file string) (*Baseline, error) {
	text, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	b := &Baseline{Name: strings.TrimSuffix(path.Base(file), ".txt")}
	b.Runtime, _, _ = strings.Cut(b.Name, "-")
	list := &b.calls
	s := bufio.NewScanner(strings.NewReader(string(text)))
	for s.Scan() {
		switch line := strings.TrimSpace(s.Text()); {
		case strings.HasPrefix(line, "#"):
			b.Provenance = append(b.Provenance, strings.TrimSpace(line[1:]))
		case line == "without no_new_privs:":
			list = &b.early
		case strings.Contains(line, ":"):
			return nil, fmt.Errorf("baseline %q: line %q is no list of calls", file, line)
		default:
			*list = append(*list, strings.Fields(line)...)
		}
	}
	b.early = append(b.early, b.calls...)
	for _, l := range []*[]string{&b.calls, &b.early} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	return b, nil
}
