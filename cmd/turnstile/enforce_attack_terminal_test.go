package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Names are bytes of the command. None that a terminal obeys reaches the terminal, and
// none makes a line that looks as if Turnstile said it.
func TestAttackTerminalEscapes(t *testing.T) {
	program := attack(t, "escapes")
	asEach(t, []string{"from=x"}, func(t *testing.T, a *arena) {
		for _, rules := range [][]string{
			{"-v", "deny read,write,create,delete **"},
			{"-v", "deny read /nonexistent/**", "deny create /nonexistent/**"},
			{"-v", "--perform-all", "deny delete *"},
		} {
			log := a.dir + ".log"
			write(t, log, "")
			chown(t, log, a.uid)
			got := a.gated(t, append(rules, "--log="+log), program, a.dir)
			got.demandCode(t, "gated", 0)
			if got.stderr == "" {
				t.Errorf("%q: it says nothing", rules)
			}
			for line := range strings.Lines(got.stderr) {
				for _, c := range strings.TrimSuffix(line, "\n") {
					if c == utf8.RuneError || !unicode.IsPrint(c) {
						t.Errorf("%q: stderr has %q in the line %q", rules, c, line)
						break
					}
				}
				if strings.HasPrefix(line, "turnstile: forged") {
					t.Errorf("%q: the command forged a line of turnstile", rules)
				}
			}
			for line := range strings.Lines(read(t, log)) {
				if !json.Valid([]byte(line)) {
					t.Errorf("%q: the log has a line that is no JSON: %q", rules, line)
				}
			}
		}
	})
}
