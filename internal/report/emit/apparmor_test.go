package emit

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// parseAppArmor has apparmor_parser compile a profile, without a kernel that knows it.
func parseAppArmor(t *testing.T, text string, options ...string) (string, error) {
	t.Helper()
	testenv.Program(t, "apparmor_parser")
	name := filepath.Join(t.TempDir(), "profile")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("apparmor_parser", append(options, "-Q", "-K", name)...).CombinedOutput() //nolint:gosec // a test
	return string(out), err
}

func TestAppArmorParses(t *testing.T) {
	for kind, flags := range map[profile.ActionKind]string{profile.Errno: " {", profile.Log: " flags=(complain) {", profile.Kill: " flags=(kill) {"} {
		text, err := heldBy(t, &apparmor, sample(), func(p *profile.Profile) { p.Default.Kind = kind })
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, "profile turnstile.prog /usr/bin/prog"+flags) {
			t.Errorf("no %q in\n%s", flags, text)
		}
		if out, err := parseAppArmor(t, text); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if out, err := parseAppArmor(t, strings.Replace(text, "/etc/hosts r", "/etc/hosts z", 1)); err == nil {
			t.Errorf("apparmor_parser takes a permission that there is not\n%s", out)
		}
	}
}

func TestAppArmorFamilies(t *testing.T) {
	d := ofFiles("socket")
	for _, f := range apparmorFamilies {
		d.Sockets = append(d.Sockets, socket(f))
	}
	text, err := heldBy(t, &apparmor, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := parseAppArmor(t, text); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	d.Sockets = append(d.Sockets, socket("77"))
	if _, err := heldBy(t, &apparmor, d, nil); err == nil || !strings.Contains(err.Error(), `"77"`) {
		t.Errorf("a family without a name: %v", err)
	}
}

// TestAppArmorNames has the parser tell the automaton that it makes of a profile, and runs
// that over every name: it accepts those of the profile and no others.
func TestAppArmorNames(t *testing.T) {
	names := oddNames()
	for _, n := range names {
		d := ofFiles()
		d.Files = append(d.Files, file("/d/"+n, event.Read, event.OpOpen))
		text, err := heldBy(t, &apparmor, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		text = strings.Replace(text, "include <abstractions/consoles>", "", 1)
		out, err := parseAppArmor(t, text, "-D", "dfa-states")
		if err != nil {
			t.Errorf("%q: %v\n%s", n, err, out)
			continue
		}
		accepts := automaton(t, out)
		for _, other := range names {
			if accepts("/d/"+other) != (other == n) {
				t.Errorf("the rule of %q has the wrong answer for %q\n%s", n, other, text)
			}
		}
	}
}

var (
	stateLine  = regexp.MustCompile(`^\{(\d+)\} perms: `)
	edgeLine   = regexp.MustCompile(`0x([0-9a-f]+) -> \{(\d+)\}`)
	acceptLine = regexp.MustCompile(`^\{(\d+)\} \(0x`)
)

// automaton reads the last one in the output of apparmor_parser -D dfa-states: that of files.
func automaton(t *testing.T, dump string) func(string) bool {
	t.Helper()
	_, dump, found := strings.Cut(dump[strings.LastIndex(dump, "\n{1} <=="):], "\n")
	if !found {
		t.Fatalf("no automaton in %q", dump)
	}
	type edge struct {
		from int
		by   byte
	}
	edges, accepting, state := make(map[edge]int), make(map[int]bool), 0
	number := func(s string, base int) int {
		n, err := strconv.ParseInt(s, base, 32)
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	for l := range strings.Lines(dump) {
		if m := stateLine.FindStringSubmatch(l); m != nil {
			state = number(m[1], 10)
		} else if m := edgeLine.FindStringSubmatch(l); m != nil {
			edges[edge{state, byte(number(m[1], 16))}] = number(m[2], 10) //nolint:gosec // a byte
		} else if m := acceptLine.FindStringSubmatch(l); m != nil {
			accepting[number(m[1], 10)] = true
		}
	}
	if len(edges) == 0 || len(accepting) == 0 {
		t.Fatalf("the automaton could not be read: %s", dump)
	}
	return func(s string) bool {
		at := 1
		for i := range len(s) {
			if at = edges[edge{at, s[i]}]; at == 0 {
				return false
			}
		}
		return accepting[at]
	}
}

// TestAppArmorManyLinks has more pairs of names than there may be rules for.
func TestAppArmorManyLinks(t *testing.T) {
	d := ofFiles()
	for i := range 51 {
		d.Files = append(d.Files,
			file("/srv/new "+strconv.Itoa(i), event.Create, event.OpLink),
			file("/srv/old "+strconv.Itoa(i), event.Read, event.OpLink))
	}
	text, err := heldBy(t, &apparmor, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	const rule = `link subset /srv/new\0407 -> /**,`
	if n := strings.Count(text, "link "); n != 51 || !strings.Contains(text, rule) || !strings.Contains(text, "# Note: 51 names were given to 51 files") {
		t.Errorf("%d rules for links, and no %q or no note\n%s", n, rule, text)
	}
	if out, err := parseAppArmor(t, text); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := parseAppArmor(t, strings.Replace(text, "link subset ", "link some ", 1)); err == nil {
		t.Errorf("apparmor_parser takes a word that there is not\n%s", out)
	}
}
