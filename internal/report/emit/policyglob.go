package emit

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/profile"
)

// policyBases are the variables of a policy.
var policyBases = map[profile.Base]string{profile.Root: "", profile.Home: "${HOME}", profile.CWD: "${CWD}", profile.Tmp: "${TMPDIR}"}

// policyGlob is a pattern as a policy has it. A wildcard at the beginning of a name does
// not have the dot of a hidden file. A byte that is in no UTF-8 is any one character: a
// policy is text.
func policyGlob(p *profile.Pattern) string {
	var b strings.Builder
	b.WriteString(policyBases[p.Base])
	for _, n := range p.Names() {
		b.WriteByte('/')
		if len(n) == 0 {
			b.WriteString("**")
		}
		for i, piece := range n {
			switch {
			case i == 1 && n[0] == "":
				b.WriteString("[!.]*")
			case i > 0:
				b.WriteByte('*')
			}
			b.WriteString(policyLiteral(piece))
		}
	}
	if p.Tree {
		b.WriteString("/**")
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

func policyLiteral(piece string) string {
	quoted := policy.Quote(piece)
	if utf8.ValidString(quoted) {
		return quoted
	}
	var b strings.Builder
	for len(quoted) > 0 {
		r, size := utf8.DecodeRuneInString(quoted)
		if r == utf8.RuneError && size == 1 {
			b.WriteByte('?')
		} else {
			b.WriteString(quoted[:size])
		}
		quoted = quoted[size:]
	}
	return b.String()
}

// checkGlob refuses what a policy cannot have.
func checkGlob(glob string) error {
	full := glob
	for _, variable := range policyBases {
		if variable != "" {
			if rest, is := strings.CutPrefix(full, variable); is {
				full = "/x" + rest
			}
		}
	}
	if _, err := policy.ParsePattern(full); err != nil {
		return fmt.Errorf("%q cannot be in a policy: %w", glob, err)
	}
	return nil
}
