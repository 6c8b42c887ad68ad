package emit

import (
	"fmt"
	"io"

	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/collapse"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Format is a way to write what was seen, or what is allowed.
type Format struct {
	Name string
	// For says what it is for, and CheckedBy which program checks or loads it.
	For, CheckedBy string
	// Enforces is set if somebody is held to the output. Sections are those of the
	// trace that it uses: if one is incomplete, an enforcing format is refused.
	Enforces bool
	Sections profile.Sections
	// Vocabulary is what calls are called in it.
	Vocabulary profile.Vocabulary
	// Runtime is the one whose baseline the output has unless another is asked for.
	Runtime string
	// Collapse is how files are taken together unless something else is asked for.
	Collapse collapse.Kinds
	// Notes are what whoever uses the output should know beside the notes of the profile:
	// what this format cannot say, and what that allows. Each is one sentence.
	Notes func(in *Input) []string
	// Write writes it.
	Write func(w io.Writer, in *Input) error
}

// AllNotes are those of the profile and those of the format, after what may be missing.
func (f *Format) AllNotes(in *Input) []string {
	var notes []string
	if incomplete := mayLack(in.Profile, f.Sections); incomplete != "" {
		notes = append(notes, incomplete)
	}
	notes = append(notes, in.Profile.Notes...)
	if f.Notes != nil {
		notes = append(notes, f.Notes(in)...)
	}
	return notes
}

// Input is what a format writes.
type Input struct {
	// Trace is what was seen.
	Trace *trace.Document
	// Profile is that of the trace. Only formats that enforce have one.
	Profile *profile.Profile
	// Tool is what writes it, with the version.
	Tool string
	// Groups are the sets of calls, such as @file-system, that systemd's format names in
	// place of the calls in them.
	Groups []string
	// made is what a format made of it for its notes, and writes then.
	made any
}

// once is what a format makes of an input: its notes and what it writes are of the same,
// which of a million files takes a while.
func once[T any](in *Input, made func(*Input) *T) *T {
	if known, ok := in.made.(*T); ok {
		return known
	}
	m := made(in)
	in.made = m
	return m
}

// Formats are all formats, in the order in which they are listed.
func Formats() []*Format {
	return []*Format{
		&textFormat,
		&markdown,
		&html,
		&jsonFormat,
		&oci,
		&docker,
		&k8s,
		&systemd,
		&seccompH,
		&goSource,
		&cbpf,
		&apparmor,
		&firejail,
		&bwrap,
		&landlock,
		&policyFormat,
	}
}

// Named is the format of a name, nil if there is none.
func Named(name string) *Format {
	for _, f := range Formats() {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// IncompleteError says that what is made of a trace may deny what the program needs.
type IncompleteError struct {
	Format  string
	Missing profile.Sections
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("the trace may lack facts about %v, which %q uses: what is made of it may deny what the program needs (--allow-incomplete makes it all the same)", e.Missing, e.Format)
}

// Check refuses, by an [*IncompleteError], what would be enforced although it may lack
// something.
func (f *Format) Check(p *profile.Profile) error {
	if missing := p.Incomplete & f.Sections; f.Enforces && missing != 0 {
		return &IncompleteError{f.Name, missing}
	}
	return nil
}
