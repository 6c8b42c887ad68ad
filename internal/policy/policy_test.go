package policy

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

func mustPattern(t testing.TB, text string) Pattern {
	t.Helper()
	p, err := ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rules reads "VERDICT CLASS:GLOB" lines.
func rules(t testing.TB, def event.VerdictKind, lines ...string) *Policy {
	t.Helper()
	p := &Policy{Default: def}
	verdicts := map[string]event.VerdictKind{"allow": event.VerdictAllow, "ask": event.VerdictAsk, "deny": event.VerdictDeny}
	for _, line := range lines {
		verdict, text, _ := strings.Cut(line, " ")
		r, err := ParseRule(text, verdicts[verdict], Directories{"/srv/dir", "/home/me"})
		if err != nil {
			t.Fatal(err)
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		has     string
		hasNot  string
	}{
		{"/", "/", "/a"},
		{"/a/b", "/a/b", "/a /a/b/c /a/bc /a/c / /b"},
		{"/a/*", "/a/b /a/.b", "/a /a/b/c"},
		{"/a/**", "/a /a/b /a/.b/c", "/ /ab /b/a"},
		{"/**", "/ /a /a/b", ""},
		{"/**/x", "/x /a/x /a/b/x /x/x", "/ /a /x/y"},
		{"/a/**/x/*.key", "/a/x/1.key /a/b/c/x/2.key", "/a/x /a/x/1.keys /a/1.key /a/x/y/1.key"},
		{"/a/**/**/b", "/a/b /a/c/d/b", "/a"},
		{"/home/*/.ssh/**", "/home/u/.ssh /home/u/.ssh/id /home/u/.ssh/a/b", "/home/.ssh /home/u/ssh /home/u/v/.ssh"},
		{"/a/{x,y*}/z", "/a/x/z /a/yy/z", "/a/z /a/xx/z"},
		{"/a/[!b]c/?", "/a/cc/d", "/a/bc/d /a/cc /a/cc/dd"},
		{`/a/\*`, "/a/*", "/a/b"},
		{"//a//b/", "/a/b", "/a"},
		{"/a\n/*", "/a\n/\xff", "/a/b"},
	} {
		p := mustPattern(t, tt.pattern)
		for _, want := range []bool{true, false} {
			paths := tt.has
			if !want {
				paths = tt.hasNot
			}
			for path := range strings.SplitSeq(paths, " ") {
				if path != "" && p.Match(path) != want {
					t.Errorf("%q has %q: %v", tt.pattern, path, !want)
				}
			}
		}
	}
}

func TestPatternErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"a":                              "does not begin",
		"/a/../b":                        `".."`,
		"/a**":                           "whole component",
		"/[a":                            "other half",
		"/{a/b,c}":                       "two patterns",
		"/\x00":                          "NUL",
		strings.Repeat("/a", maxParts+1): "components",
	} {
		if _, err := ParsePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", pattern, err, want)
		}
	}
}

// random makes a pattern or a path of few names, so that they meet.
func random(r *rand.Rand, names []string) string {
	var b strings.Builder
	for range 1 + r.IntN(4) {
		b.WriteString("/" + names[r.IntN(len(names))])
	}
	return b.String()
}

var (
	patternNames = []string{"a", "b", "ab", "*", "**", "?", "a*", "{a,b}", "**"}
	pathNames    = []string{"a", "b", "ab", "ba"}
)

// naive says what a pattern has, from its definition.
func naive(pattern, path []string) bool {
	switch {
	case len(pattern) == 0:
		return len(path) == 0
	case pattern[0] == "**":
		return naive(pattern[1:], path) || len(path) > 0 && naive(pattern, path[1:])
	default:
		return len(path) > 0 && doublestar.MatchUnvalidated(pattern[0], path[0]) && naive(pattern[1:], path[1:])
	}
}

func TestMatchIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		text, path := random(r, patternNames), random(r, pathNames)
		p := mustPattern(t, text)
		if got, want := p.Match(path), naive(strings.Split(text, "/"), strings.Split(path, "/")); got != want {
			t.Fatalf("%q has %q: %v, want %v", text, path, got, want)
		}
		literal := Literal(text)
		if quoted := mustPattern(t, Quote(text)); !literal.Match(text) || !quoted.Match(text) || literal.Match(text+"x") {
			t.Fatalf("the literal of %q", text)
		}
	}
}

func TestDecide(t *testing.T) {
	p := rules(t, event.VerdictDeny,
		"allow read,list:/usr/**", "ask read:/usr/share/**", "allow read:/usr/share/doc/*",
		"deny read,write=ENOENT:/usr/share/doc/secret", "allow all:**", "deny stat:/hidden/**")
	for _, tt := range []struct {
		classes event.Class
		path    string
		want    event.VerdictKind
		by      string
	}{
		{event.Read, "/usr/bin/ls", event.VerdictAllow, "--allow read,list:/usr/**"},
		{event.Read, "/usr/share/x", event.VerdictAsk, "--ask read:/usr/share/**"},
		{event.Read, "/usr/share/doc/x", event.VerdictAllow, "--allow read:/usr/share/doc/*"},
		{event.Read | event.List, "/usr/share/doc/secret", event.VerdictDeny, "--deny read,write=ENOENT:/usr/share/doc/secret"},
		{event.Write, "/usr/bin/ls", event.VerdictDeny, "default"},
		{event.Read | event.Write, "/srv/dir/a/b", event.VerdictAllow, "--allow all:**"},
		{event.Stat, "/etc", event.VerdictAllow, "default"},
		{event.Stat, "/hidden", event.VerdictDeny, "--deny stat:/hidden/**"},
	} {
		d := p.Decide(tt.classes, Path{Name: tt.path})
		if d.Verdict != tt.want || d.By() != tt.by {
			t.Errorf("%v of %s: %v by %s, want %v by %s", tt.classes, tt.path, d.Verdict, d.By(), tt.want, tt.by)
		}
	}
	if d := p.Decide(event.Read, Path{Name: "/usr/share/doc/secret"}); d.Denied() != unix.ENOENT {
		t.Errorf("errno %v", d.Denied())
	}
	self := rules(t, event.VerdictDeny, "allow read:/proc/self/**")
	if d := self.Decide(event.Read, Path{"/proc/7/maps", "/proc/self/maps"}); d.Verdict != event.VerdictAllow {
		t.Errorf("/proc/self: %v", d)
	}
}

func TestRuleErrors(t *testing.T) {
	for text, want := range map[string]string{
		"/etc/passwd":     "CLASS:GLOB",
		"reed:/etc":       "no class",
		"read=ENOPE:/etc": "no errno",
		"read:/etc/[":     "other half",
		"read:":           "CLASS:GLOB",
		"read,:/etc":      "no class",
		"read:~/x":        "home directory",
		"read=:/etc":      "no errno",
	} {
		if _, err := ParseRule(text, event.VerdictDeny, Directories{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := ParseRule("read=ENOENT:/etc", event.VerdictAllow, Directories{}); err == nil {
		t.Error("an allow with an errno")
	}
}

func TestLoosens(t *testing.T) {
	for _, tt := range []struct {
		name     string
		rule     string
		from, to string
		below    bool
		want     bool
	}{
		{"a denied file to elsewhere", "deny read:/a/s*", "/a/secret", "/a/x", false, true},
		{"a file onto a denied name", "deny read:/a/s*", "/a/x", "/a/secret", false, false},
		{"far from the rule", "deny read:/a/s*", "/b/x", "/b/y", true, false},
		{"the directory of a denied file", "deny read:/a/b/s", "/a/b", "/a/c", true, true},
		{"its grandparent", "deny read:/a/b/s", "/a", "/c", true, true},
		{"into a denied tree", "deny read:/a/**", "/b", "/a/b", true, false},
		{"within a denied tree", "deny read:/a/**", "/a/b", "/a/c", true, false},
		{"out of a denied tree", "deny read:/a/**", "/a/b", "/c", true, true},
		{"below a floating name", "deny read:/a/**/k", "/a/x", "/a/y", true, false},
		{"out of a floating name's tree", "deny read:/a/**/k", "/a/x", "/b/y", true, true},
		{"into a floating name's tree", "deny read:/a/**/k", "/b/x", "/a/y", true, false},
		{"a component of a floating pair", "deny read:/**/x/k", "/a/x", "/a/y", true, true},
		{"another component of it", "deny read:/**/x/k", "/a/z", "/a/y", true, false},
		{"the root of all", "deny read:/a", "/", "/b", true, true},
	} {
		p := rules(t, event.VerdictAllow, tt.rule)
		if d, got := p.Loosens(Path{Name: tt.from}, Path{Name: tt.to}, tt.below); got != tt.want || got && d.Rule == nil {
			t.Errorf("%s: %v (%s)", tt.name, got, d.By())
		}
	}
	p := rules(t, event.VerdictDeny, "allow all:/tmp/**", "allow all:/srv/**", "deny read:/srv/**/*.key")
	if d, got := p.Loosens(Path{Name: "/tmp/d"}, Path{Name: "/srv/d"}, true); got {
		t.Errorf("between two allowed trees: refused by %s", d.By())
	}
	if _, got := p.Loosens(Path{Name: "/srv/d"}, Path{Name: "/tmp/d"}, true); !got {
		t.Error("away from a rule that denies below")
	}
}

// No path below a directory is allowed more after a rename that Loosens lets pass.
func TestLoosensIsSound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var suffixes []string
	for _, a := range append(pathNames, "") {
		for _, b := range append(pathNames, "") {
			suffixes = append(suffixes, filepath.Join("/", a, b))
		}
	}
	passed := 0
	for range 30_000 {
		var lines []string
		for range 1 + r.IntN(3) {
			lines = append(lines, []string{"allow", "ask", "deny"}[r.IntN(3)]+" read:"+random(r, patternNames))
		}
		p := rules(t, []event.VerdictKind{event.VerdictAllow, event.VerdictDeny}[r.IntN(2)], lines...)
		from, to := random(r, pathNames), random(r, pathNames)
		if _, loosens := p.Loosens(Path{Name: from}, Path{Name: to}, true); loosens {
			continue
		}
		passed++
		for _, s := range suffixes {
			before := p.Decide(event.Read, Path{Name: filepath.Join(from, s)})
			after := p.Decide(event.Read, Path{Name: filepath.Join(to, s)})
			if rank(after.Verdict) < rank(before.Verdict) {
				t.Fatalf("%q: %s -> %s passes, and %s is %v before and %v after", lines, from, to, s, before.Verdict, after.Verdict)
			}
		}
	}
	if passed < 5_000 {
		t.Errorf("only %d renames passed: the test says little", passed)
	}
}

func TestBind(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	p := rules(t, event.VerdictAllow, "deny read:"+dir+"/link/not/yet/*.key")
	if err := p.Bind(filepath.EvalSymlinks); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]event.VerdictKind{
		"/link/not/yet/a.key": event.VerdictDeny, "/real/not/yet/a.key": event.VerdictDeny, "/real/a.key": event.VerdictAllow,
	} {
		if got := p.Decide(event.Read, Path{Name: dir + path}).Verdict; got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("/a/**/{b,c}/*.key", "/a/x/b/1.key")
	f.Add("/[!a]/\\*", "/b/*")
	f.Fuzz(func(t *testing.T, text, path string) {
		p, err := ParsePattern(text)
		if err != nil {
			return
		}
		_ = p.Match(path)
		if again := mustPattern(t, p.String()); again.Match(path) != p.Match(path) {
			t.Errorf("%q read twice is two patterns", text)
		}
		if moved := p.WithPrefix(p.Prefix()); moved.Match(path) != p.Match(path) {
			t.Errorf("%q with its own prefix is %q, and differs for %q", text, moved.String(), path)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	p := rules(b, event.VerdictAllow, "deny read:/home/*/.ssh/**", "deny read:/etc/shadow", "deny write:/usr/**")
	for b.Loop() {
		p.Decide(event.Read, Path{Name: "/usr/lib/x86_64-linux-gnu/libc.so.6"})
	}
}
