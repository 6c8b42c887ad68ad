// Package baseline has the system calls that a runtime itself makes after it has put a
// seccomp filter in force, or has the program make: without them the program does not
// even start under its own profile. Each list is named after the runtime and the version
// that it was measured with, and says where it comes from.
package baseline

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
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

	calls map[Situation][]string
}

// Situation is what decides how much a runtime needs.
type Situation struct {
	// NoNewPrivileges is set if the program runs with no_new_privs (prctl(2)): the
	// runtime may load the filter later, when more has been done already.
	NoNewPrivileges bool
	// Fatal is set if a call that is not allowed does not just fail: then all calls
	// are needed that the runtime makes, not only those that it cannot do without.
	Fatal bool
}

// Calls are the names of the calls, sorted. An ABI may lack some of them.
func (b *Baseline) Calls(s Situation) []string { return b.calls[s] }

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
	slices.SortFunc(list, func(a, b *Baseline) int {
		return cmp.Or(strings.Compare(a.Runtime, b.Runtime), compareVersions(a.Name, b.Name))
	})
	return list
}()

// compareVersions compares the numbers in two names: 1.8 is older than 1.21.
func compareVersions(a, b string) int {
	numbers := func(name string) (all []int) {
		for field := range strings.FieldsFuncSeq(name, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.Atoi(field) // digits
			all = append(all, n)
		}
		return all
	}
	return slices.Compare(numbers(a), numbers(b))
}

// sections are the lines that the lists of a file stand below, with the situations in
// which they are needed. Those above the first are needed always.
var sections = map[string]func(Situation) bool{
	"":                      func(Situation) bool { return true },
	"without no_new_privs:": func(s Situation) bool { return !s.NoNewPrivileges },
	"if a refusal kills:":   func(s Situation) bool { return s.Fatal },
	"if a refusal kills, without no_new_privs:": func(s Situation) bool { return s.Fatal && !s.NoNewPrivileges },
}

// read takes one file.
func read(file string) (*Baseline, error) {
	text, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	b, err := parse(strings.TrimSuffix(path.Base(file), ".txt"), string(text))
	if err != nil {
		return nil, fmt.Errorf("baseline %q: %w", file, err)
	}
	return b, nil
}

// parse takes the text of a file: comments are its provenance, then there are lines of
// names in [sections].
func parse(name, text string) (*Baseline, error) {
	b := &Baseline{Name: name, calls: make(map[Situation][]string)}
	b.Runtime, _, _ = strings.Cut(name, "-")
	needed := sections[""]
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(line, "#"); ok {
			b.Provenance = append(b.Provenance, strings.TrimSpace(comment))
			continue
		}
		if strings.HasSuffix(line, ":") {
			var known bool
			if needed, known = sections[line]; !known {
				return nil, fmt.Errorf("line %q begins no list that is known", line)
			}
			continue
		}
		for call := range strings.FieldsSeq(line) {
			if strings.ContainsFunc(call, notInName) {
				return nil, fmt.Errorf("%q is no name of a call", call)
			}
			b.add(call, needed)
		}
	}
	if len(b.Provenance) == 0 {
		return nil, errors.New("it does not say where it comes from")
	}
	return b, nil
}

func notInName(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }

func (b *Baseline) add(call string, needed func(Situation) bool) {
	for _, s := range []Situation{{}, {NoNewPrivileges: true}, {Fatal: true}, {NoNewPrivileges: true, Fatal: true}} {
		if list := b.calls[s]; needed(s) && !slices.Contains(list, call) {
			b.calls[s] = append(list, call)
			slices.Sort(b.calls[s])
		}
	}
}
