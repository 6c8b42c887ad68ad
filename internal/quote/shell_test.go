package quote

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// words are what paths may be.
var words = []string{
	"", "plain", "/usr/lib/x.so.1", "read:/etc/passwd", "a=b", "-n", "--help", "a b", " ", "  two  ", "tab\there", "new\nline", "\n", "\r\n", "it's", "'", "''", "'''", `"`, `"a"`, `\`, `\\`, `\n`, `a\'b`,
	"$HOME", "$(id)", "`id`", "${x}", "*", "?", "[a]", "{a,b}", "~", "~root", "#x", "!x", "a;b", "a&b", "a|b", "<", ">", "(", ")", "a,b", "%", "+", "@", "^",
	"größe", "日本", "😀", "größe\n", "日本\x01", "😀'\x7f", "\xff", "a\xffb", "\xff0", "\xff\xfeab", "\x01", "\x011", "\x1b[2J", "\x7f", "\u202e", "a\u200bb", "\u009b", "\u00a0", "\ufffd", "\ufffe", "\U000e0041", "\x80", "it's\n", "\"\n\"", "\\\n", "\\'\n", "$'x'\n", "\xc3\x28",
}

func TestShell(t *testing.T) {
	for s, want := range map[string]string{
		"plain": "plain", "/usr/lib/x.so.1": "/usr/lib/x.so.1", "read:/a,b": "read:/a,b", "größe": "größe", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "a\n": `$'a\n'`, "it's\n": `$'it\'s\n'`, "\xff": `$'\xff'`, "~": "'~'", "*": "'*'",
	} {
		if got := Shell(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

// TestShellRoundTrip gives the words to a shell, and looks what it makes of them.
func TestShellRoundTrip(t *testing.T) {
	testenv.Program(t, "bash")
	for _, locale := range []string{"C.UTF-8", "C"} {
		var script strings.Builder
		for _, s := range words {
			script.WriteString("printf '%s\\0' " + Shell(s) + "\n")
		}
		cmd := exec.Command("bash", "-c", script.String())
		cmd.Env = append(os.Environ(), "LC_ALL="+locale)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got := bytes.Split(out, []byte{0})
		if len(got) != len(words)+1 {
			t.Fatalf("%d words, want %d", len(got)-1, len(words))
		}
		for i, s := range words {
			if string(got[i]) != s {
				t.Errorf("in the locale %s, %q is %s and reads as %q", locale, s, Shell(s), got[i])
			}
		}
	}
}

// TestShellIsOneLine: what is shown to people is a line of what can be seen.
func TestShellIsOneLine(t *testing.T) {
	for _, s := range words {
		if got := Shell(s); strings.ContainsAny(got, "\n\r\t\x1b\x7f") || !printable(got) {
			t.Errorf("%q: %q", s, got)
		}
	}
}
