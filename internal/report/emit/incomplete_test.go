package emit

import (
	"bytes"
	"errors"
	"testing"

	"github.com/turnstile-project/turnstile/internal/profile"
)

// What somebody is held to is not made of a trace that may lack some of it, unless that is
// asked for; then the output says so, where there is room for it.
func TestIncomplete(t *testing.T) {
	for _, f := range Formats() {
		for _, section := range []profile.Sections{profile.Syscalls, profile.Processes, profile.Files, profile.Sockets} {
			t.Run(f.Name+" "+section.String(), func(t *testing.T) {
				in := inputOf(t, sample(), profile.Options{})
				if err := f.Check(in.Profile); err != nil {
					t.Fatalf("a whole trace is refused: %v", err)
				}
				in.Profile.Incomplete = section
				var refused *IncompleteError
				used := f.Enforces && f.Sections&section != 0
				if got := errors.As(f.Check(in.Profile), &refused); got != used {
					t.Errorf("refused: %v, and it uses it: %v", got, used)
				}
				if !used || f == &cbpf { // which is a program, and nothing beside
					return
				}
				want := "INCOMPLETE: the trace may lack facts about " + section.String()
				if out := written(t, f, in); !bytes.Contains(out, []byte(want)) {
					t.Errorf("it does not say so:\n%s", out)
				}
			})
		}
	}
}
