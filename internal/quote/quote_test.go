package quote

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestForms(t *testing.T) {
	for _, tt := range []struct{ s, always, word, line string }{
		{"", `""`, `""`, `""`},
		{"sh", `"sh"`, "sh", "sh"},
		{"/tmp/größe", `"/tmp/größe"`, "/tmp/größe", "/tmp/größe"},
		{"two words", `"two words"`, `"two words"`, "two words"},
		{" indented", `" indented"`, `" indented"`, `" indented"`},
		{`"quoted"`, `"\"quoted\""`, `"\"quoted\""`, `"\"quoted\""`},
		{`a "b"`, `"a \"b\""`, `"a \"b\""`, `a "b"`},
		{"sh[1]", `"sh[1]"`, `"sh[1]"`, "sh[1]"},
		{"a\nb", `"a\nb"`, `"a\nb"`, `"a\nb"`},
		{"\x1b]0;x\a", `"\x1b]0;x\a"`, `"\x1b]0;x\a"`, `"\x1b]0;x\a"`},
		{"\u009b2J", `"\u009b2J"`, `"\u009b2J"`, `"\u009b2J"`},
		{"a\u202eb", `"a\u202eb"`, `"a\u202eb"`, `"a\u202eb"`},
		{"a\u200bb", `"a\u200bb"`, `"a\u200bb"`, `"a\u200bb"`},
		{"a\u00a0b", `"a\u00a0b"`, `"a\u00a0b"`, `"a\u00a0b"`},
		{"a\xffb", `"a\xffb"`, `"a\xffb"`, `"a\xffb"`},
		{"a\ufffdb", `"a` + "\ufffd" + `b"`, `"a` + "\ufffd" + `b"`, `"a` + "\ufffd" + `b"`},
	} {
		if got := Always(tt.s); got != tt.always {
			t.Errorf("Always(%q) = %s, want %s", tt.s, got, tt.always)
		}
		if got := Always([]byte(tt.s)); got != tt.always {
			t.Errorf("Always(bytes of %q) = %s, want %s", tt.s, got, tt.always)
		}
		if got := Word(tt.s); got != tt.word {
			t.Errorf("Word(%q) = %s, want %s", tt.s, got, tt.word)
		}
		if got := Line(tt.s); got != tt.line {
			t.Errorf("Line(%q) = %s, want %s", tt.s, got, tt.line)
		}
	}
}

// FuzzQuote: whatever a string has, its forms are one line of printable UTF-8, and
// tell it from every other string.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "sh", "two words", `"`, "\x1b[2J", "\u202e\u2066", "\u009b", "\xff\x00", "a\r\nb", "\U000e0041", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, form := range map[string]string{"Always": Always(s), "Word": Word(s), "Line": Line(s)} {
			if !utf8.ValidString(form) || strings.ContainsFunc(form, func(r rune) bool { return !strconv.IsPrint(r) }) {
				t.Errorf("%s(%q) is %q", name, s, form)
			}
			back := form
			if strings.HasPrefix(form, `"`) {
				var err error
				if back, err = strconv.Unquote(form); err != nil {
					t.Errorf("%s(%q) is %q: %v", name, s, form, err)
				}
			}
			if back != s {
				t.Errorf("%s(%q) reads as %q", name, s, back)
			}
		}
		if strings.ContainsFunc(strings.TrimPrefix(Word(s), Always(s)), separates) {
			t.Errorf("Word(%q) is more than one word", s)
		}
	})
}
