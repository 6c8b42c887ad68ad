package emit

import (
	"fmt"
	"io"

	"github.com/turnstile-project/turnstile/internal/profile"
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
	// Runtime is the one whose baseline the output has unless another is asked for.
	Runtime string
	// Write writes it.
	Write func(w io.Writer, in *Input) error
}

// Input is what a format writes.
type Input struct {
	// Trace is what was seen. Formats that enforce use the profile of it.
	Trace   *trace.Document
	Profile *profile.Profile
}

// Formats are all formats, in the order in which they are listed.
func Formats() []*Format {
	return []*Format{
		&jsonFormat,
		&oci,
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

// Check refuses what would be enforced although it may lack something.
func (f *Format) Check(p *profile.Profile) error {
	if missing := p.Incomplete & f.Sections; f.Enforces && missing != 0 {
		return fmt.Errorf("the trace may lack facts about %v, which %q uses: what is made of it may deny what the program needs (--allow-incomplete makes it all the same)", missing, f.Name)
	}
	return nil
}
