package policy

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
)

func TestExtent(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules []string
		dir   string
		want  Extent
		by    string
	}{
		{"nobody allows it", []string{"allow read:/a/**"}, "/b", Nothing, ""},
		{"another class", []string{"allow write:/a/**"}, "/a", Nothing, ""},
		{"only a part", []string{"allow read:/a/b/**"}, "/a", Nothing, ""},
		{"only one level", []string{"allow read:/a/*"}, "/a", Nothing, ""},
		{"only some names", []string{"allow read:/a/**/*.c"}, "/a", Nothing, ""},
		{"the tree of a rule", []string{"allow read:/a/**"}, "/a", All, ""},
		{"and below", []string{"allow read:/a/**"}, "/a/b/c", All, ""},
		{"all trees", []string{"allow read:/**"}, "/", All, ""},
		{"a deny inside", []string{"allow read:/a/**", "deny read:/a/b/**"}, "/a", Some, "--deny read:/a/b/**"},
		{"beside that deny", []string{"allow read:/a/**", "deny read:/a/b/**"}, "/a/c", All, ""},
		{"below that deny", []string{"allow read:/a/**", "deny read:/a/b/**"}, "/a/b/c", Nothing, "--deny read:/a/b/**"},
		{"one file", []string{"allow read:/a/**", "deny read:/a/b/c"}, "/a/b", Some, "--deny read:/a/b/c"},
		{"the directory itself", []string{"allow list:/a/**", "deny list:/a"}, "/a", Some, "--deny list:/a"},
		{"a deny of another class", []string{"allow read:/a/**", "deny write:/a/b"}, "/a", All, ""},
		{"a deny elsewhere", []string{"allow read:/a/**", "deny read:/ab/**"}, "/a", All, ""},
		{"a glob of one level", []string{"allow read:/a/**", "deny read:/a/*/k"}, "/a", Some, "--deny read:/a/*/k"},
		{"not two levels below", []string{"allow read:/a/**", "deny read:/a/*/k"}, "/a/b/c", All, ""},
		{"a glob at any depth", []string{"allow read:/a/**", "deny read:/a/**/*.key"}, "/a/b", Nothing, "--deny read:/a/**/*.key"},
		{"a glob of everywhere", []string{"allow read:/a/**", "deny read:/**/.env"}, "/a/b", Nothing, "--deny read:/**/.env"},
		{"an ask inside", []string{"allow read:/a/**", "ask read:/a/b/**"}, "/a", Some, "--ask read:/a/b/**"},
		{"an ask around", []string{"allow read:/a/b/**", "ask read:/a/**"}, "/a/b", All, ""},
		{"an ask as strong", []string{"allow read:/a/**", "ask read:/a/**"}, "/a", Nothing, "--ask read:/a/**"},
		{"an ask that is weaker than one of two", []string{"allow read:/a/**", "allow read:/a/b/**", "ask read:/a/**/k"}, "/a/b", All, ""},
	} {
		p := rules(t, event.VerdictDeny, tt.rules...)
		class := event.Read
		if slices.Contains(tt.rules, "deny list:/a") {
			class = event.List
		}
		got, r := p.Extent(class, tt.dir)
		by := ""
		if r != nil {
			by = r.Name
		}
		if got != tt.want || by != tt.by {
			t.Errorf("%s: %d by %q, want %d by %q", tt.name, got, by, tt.want, tt.by)
		}
	}
}

// Everything below a directory that is allowed as a whole is allowed, and so it is below
// each entry of one that is allowed in part, if the entry says so.
func TestExtentIsSound(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var suffixes []string
	for _, a := range append(pathNames, "") {
		for _, b := range append(pathNames, "") {
			for _, c := range append(pathNames, "") {
				suffixes = append(suffixes, filepath.Join("/", a, b, c))
			}
		}
	}
	found := 0
	for range 60_000 {
		lines := []string{"allow read:" + random(r, patternNames) + "/**"}
		for range r.IntN(3) {
			lines = append(lines, []string{"allow", "ask", "deny"}[r.IntN(3)]+" read:"+random(r, patternNames))
		}
		p := rules(t, []event.VerdictKind{event.VerdictAsk, event.VerdictDeny}[r.IntN(2)], lines...)
		dir := random(r, pathNames)
		if extent, _ := p.Extent(event.Read, dir); extent != All {
			continue
		}
		found++
		for _, s := range suffixes {
			if d := p.Decide(event.Read, Path{Name: filepath.Join(dir, s)}); d.Verdict != event.VerdictAllow {
				t.Fatalf("%q: all of %s is allowed, and %s is not, by %s", lines, dir, filepath.Join(dir, s), d.By())
			}
		}
	}
	if found < 2_000 {
		t.Errorf("only %d directories were allowed: the test says little", found)
	}
}

func TestAlways(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules []string
		want  bool
	}{
		{"nobody says so", []string{"allow read:/b"}, false},
		{"its name", []string{"allow read:/a"}, true},
		{"a deny", []string{"allow read:/a", "deny read:/*"}, false},
		{"an ask that is weaker", []string{"allow read:/a", "ask read:/*"}, true},
		{"an ask that is as strong", []string{"allow read:/a", "ask read:/a"}, false},
	} {
		if got := rules(t, event.VerdictDeny, tt.rules...).Always(event.Read, "/a"); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestExtentKnowsRules: a condition that a rule gets has to be thought of in cover, which
// must not take a rule for one that always allows.
func TestExtentKnowsRules(t *testing.T) {
	known := []string{"Verdict", "Classes", "Patterns", "Socket", "Except", "Exe", "Errno", "Name", "respelled"}
	for field := range reflect.TypeFor[Rule]().Fields() {
		if !slices.Contains(known, field.Name) {
			t.Errorf("what does %s mean for Policy.Extent?", field.Name)
		}
	}
}
