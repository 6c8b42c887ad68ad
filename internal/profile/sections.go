package profile

import (
	"strings"

	"github.com/turnstile-project/turnstile/internal/trace"
)

// Sections is a set of the sections of a trace.
type Sections uint8

// The sections.
const (
	Syscalls Sections = 1 << iota
	Processes
	Files
	Sockets

	AllSections = Syscalls | Processes | Files | Sockets
)

var sectionNames = [...]string{"syscalls", "processes", "files", "sockets"}

// Names of the sections in the set.
func (s Sections) Names() []string {
	var names []string
	for i, n := range sectionNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

func (s Sections) String() string { return strings.Join(s.Names(), ", ") }

// IncompleteOf are the sections that may lack a fact: one that was not watched lacks all.
func IncompleteOf(d *trace.Document) Sections {
	var s Sections
	add := func(section Sections, ok bool) {
		if !ok {
			s |= section
		}
	}
	add(Syscalls, d.Complete.Syscalls)
	add(Processes, d.Complete.Processes)
	add(Files, d.Complete.Files != nil && *d.Complete.Files)
	add(Sockets, d.Complete.Sockets != nil && *d.Complete.Sockets)
	return s
}
