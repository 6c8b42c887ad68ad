package policy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

func mustPattern(t testing.TB, text string) Pattern {
	p, err := ParsePattern(text)
	if err != nil {
		t.Helper()
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
	if d := self.Decide(event.Read, Path{Name: "/proc/7/maps", Self: "/proc/self/maps"}); d.Verdict != event.VerdictAllow {
		t.Errorf("/proc/self: %v", d)
	}
}

// What Contains and Apart say is true of every path.
func TestContains(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	contained, apart := 0, 0
	for range 20_000 {
		p, q := mustPattern(t, random(r, patternNames)), mustPattern(t, random(r, patternNames))
		contains, areApart := p.Contains(&q), p.Apart(&q)
		for range 10 {
			path := random(r, pathNames)
			if contains && q.Match(path) && !p.Match(path) {
				t.Fatalf("%s has all of %s, but not %s", p.text, q.text, path)
			}
			if areApart && q.Match(path) && p.Match(path) {
				t.Fatalf("%s and %s are apart, and both have %s", p.text, q.text, path)
			}
		}
		contained, apart = contained+btoi(contains), apart+btoi(areApart)
	}
	if contained < 1000 || apart < 1000 {
		t.Errorf("%d contained and %d apart: the test says little", contained, apart)
	}
	for _, pair := range []string{"/a/** /a", "/a/** /a/b/*", "/** /a/**/b", "/a/**/b /a/c/**/b", "/a/* /a/b*", "/*/x /a*/x"} {
		big, small, _ := strings.Cut(pair, " ")
		p, q := mustPattern(t, big), mustPattern(t, small)
		if !p.Contains(&q) || q.Contains(&p) {
			t.Errorf("%s: %v, and turned round %v", pair, p.Contains(&q), q.Contains(&p))
		}
	}
}

// A rule of which Overrides says that another takes everything from it never decides, and
// one that Repeats another is not missed.
func TestOverrides(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	overridden, repeated := 0, 0
	for range 20_000 {
		p := randomPolicy(t, r)
		for i := range p.Rules {
			p.Rules[i].Patterns = p.Rules[i].Patterns[:1] // as written
		}
		for i := range p.Rules {
			var dead, again bool
			for j := range p.Rules {
				dead = dead || p.Overrides(j, i)
				again = again || p.Repeats(i, j)
			}
			overridden, repeated = overridden+btoi(dead), repeated+btoi(again)
			without := &Policy{Default: p.Default, Rules: slices.Delete(slices.Clone(p.Rules), i, i+1)}
			for range 5 {
				path := Path{Name: random(r, pathNames), Exe: programs[r.IntN(len(programs))]}
				d := p.Decide(event.Read, path)
				if dead && d.Rule == &p.Rules[i] {
					t.Fatalf("%s: %d is overridden, and decides about %+v", p.describe(), i, path)
				}
				if other := without.Decide(event.Read, path); again && other.Verdict != d.Verdict {
					t.Fatalf("%s: %d says nothing new, and without it %+v is %v", p.describe(), i, path, other.Verdict)
				}
			}
		}
	}
	if overridden < 500 || repeated < 200 {
		t.Errorf("%d overridden and %d repeated: the test says little", overridden, repeated)
	}
}

// An explanation has the verdict of the policy, names each rule once, and what it says would
// allow an access does.
func TestExplain(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	tried := 0
	for range 20_000 {
		p := randomPolicy(t, r)
		path := Path{Name: random(r, pathNames), Exe: programs[r.IntN(len(programs))]}
		e := p.Explain(event.Read, path)
		if d := p.Decide(event.Read, path); e.Decision != d {
			t.Fatalf("%s: %+v is %v, explained as %v", p.describe(), path, d, e.Decision)
		}
		for i, other := range e.Others {
			if other.Rule == e.Rule || other.Why == "" || slices.ContainsFunc(e.Others[:i], func(o Other) bool { return o.Rule == other.Rule }) {
				t.Fatalf("%s: %+v: %s is told twice", p.describe(), path, other.Rule.Name)
			}
		}
		if e.Verdict == event.VerdictAllow || path.Exe == "" {
			continue
		}
		tried++
		text := p.describe()
		remedy := e.Remedy()
		for _, rule := range remedy.Except {
			rule.Except = append(rule.Except, Literal(path.Name))
		}
		for _, rule := range remedy.Change {
			rule.Verdict = event.VerdictAllow
		}
		if remedy.Allow {
			p.Rules = append(p.Rules, Rule{Verdict: event.VerdictAllow, Classes: event.Read, Patterns: []Pattern{Literal(path.Name)}})
		}
		if d := p.Decide(event.Read, path); d.Verdict != event.VerdictAllow {
			t.Fatalf("%s: %+v is %v by %s after all that would allow it: %+v", text, path, d.Verdict, d.By(), remedy)
		}
	}
	if tried < 5000 {
		t.Errorf("%d remedies: the test says little", tried)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
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
	// That a name may be made or removed says nothing of the file that gets it.
	p = rules(t, event.VerdictDeny, "allow read:/srv/**", "allow read,create,delete:/tmp/**", "allow read,write,create:/home/**")
	if d, got := p.Loosens(Path{Name: "/srv/f"}, Path{Name: "/tmp/f"}, false); got {
		t.Errorf("a file that may only be read gets another name: refused by %s", d.By())
	}
	if _, got := p.Loosens(Path{Name: "/srv/f"}, Path{Name: "/home/f"}, false); !got {
		t.Error("a file that may only be read gets a name by which it is written to")
	}
}

// randomPolicy has up to four rules, with exceptions and programs.
func randomPolicy(t testing.TB, r *rand.Rand) *Policy {
	p := &Policy{Default: []event.VerdictKind{event.VerdictAllow, event.VerdictAsk, event.VerdictDeny}[r.IntN(3)]}
	some := func(most int) (patterns []Pattern) {
		for range r.IntN(most) {
			patterns = append(patterns, mustPattern(t, random(r, patternNames)))
		}
		return patterns
	}
	for i := range 1 + r.IntN(4) {
		rule := Rule{
			Verdict: []event.VerdictKind{event.VerdictAllow, event.VerdictAsk, event.VerdictDeny}[r.IntN(3)],
			Classes: event.Class(1 + r.IntN(3)), // read, write
			Except:  some(3),
			Name:    strconv.Itoa(i),
		}
		rule.Patterns = append(some(2), mustPattern(t, random(r, patternNames)))
		if r.IntN(3) == 0 {
			for range 1 + r.IntN(2) {
				rule.Exe = append(rule.Exe, mustPattern(t, []string{"/bin/a", "/bin/b", "/bin/*", "/**"}[r.IntN(4)]))
			}
		}
		p.Rules = append(p.Rules, rule)
	}
	return p
}

func (p *Policy) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "default %v", p.Default)
	for _, r := range p.Rules {
		fmt.Fprintf(&b, "; %s: %v %v", r.Name, r.Verdict, r.Classes)
		for kind, patterns := range [][]Pattern{r.Patterns, r.Except, r.Exe} {
			for _, pattern := range patterns {
				fmt.Fprintf(&b, " %s%s", []string{"", "except ", "exe "}[kind], pattern.text)
			}
		}
	}
	return b.String()
}

// naiveDecide is what a policy says of one class, from the words of its documentation.
func naiveDecide(p *Policy, class event.Class, path, exe string) event.VerdictKind {
	have := func(patterns []Pattern, path string) bool {
		return slices.ContainsFunc(patterns, func(pattern Pattern) bool {
			return naive(strings.Split(pattern.text, "/"), strings.Split(path, "/"))
		})
	}
	// Of a program that is not known the strictest is said of all that it could be.
	if exe == "" {
		strictest := event.VerdictAllow
		var conditions []int
		for i := range p.Rules {
			if len(p.Rules[i].Exe) > 0 {
				conditions = append(conditions, i)
			}
		}
		for met := range 1 << len(conditions) {
			q := &Policy{Default: p.Default, Rules: slices.Clone(p.Rules)}
			for n, i := range conditions {
				if met&(1<<n) == 0 {
					q.Rules[i].Classes = 0
				} else {
					q.Rules[i].Exe = []Pattern{mustPattern(nil, "/**")}
				}
			}
			if v := naiveDecide(q, class, path, "/any"); rank(v) > rank(strictest) {
				strictest = v
			}
		}
		return strictest
	}
	type found struct{ prefix, literals, exe, rank int }
	var best *found
	for _, r := range p.Rules {
		if r.Classes&class == 0 || have(r.Except, path) || len(r.Exe) > 0 && !have(r.Exe, exe) {
			continue
		}
		for _, pattern := range r.Patterns {
			if !have([]Pattern{pattern}, path) {
				continue
			}
			if r.Verdict == event.VerdictDeny {
				return event.VerdictDeny
			}
			f := found{exe: min(len(r.Exe), 1), rank: rank(r.Verdict)}
			names := strings.Split(pattern.text, "/")[1:]
			for i, name := range names {
				switch {
				case i > 0 && name == "**" && names[i-1] == "**":
					// Twice any depth is any depth.
				case strings.ContainsAny(name, "*?[{"):
					f.literals--
				case f.literals == 0:
					f.prefix += 1 + len(name)
				}
			}
			if best == nil || slices.Compare([]int{f.prefix, f.literals, f.exe, f.rank}, []int{best.prefix, best.literals, best.exe, best.rank}) > 0 {
				best = &f
			}
		}
	}
	if best == nil {
		return p.Default
	}
	return []event.VerdictKind{event.VerdictAllow, event.VerdictAsk}[best.rank]
}

var programs = []string{"", "/bin/a", "/bin/b", "/usr/c"}

// The tree of rules says what the list of them says, by the same rule, and that is what
// the words say.
func TestDecideIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 30_000 {
		p := randomPolicy(t, r)
		c := p.Compile()
		for range 4 {
			path := Path{Name: random(r, pathNames), Exe: programs[r.IntN(len(programs))]}
			if r.IntN(4) == 0 {
				path.Self = random(r, pathNames)
			}
			for _, class := range []event.Class{event.Read, event.Write, event.Read | event.Write} {
				want, got := p.Decide(class, path), c.Decide(class, path)
				if got != want {
					t.Fatalf("%s: %v of %+v: %v by %s, want %v by %s", p.describe(), class, path, got.Verdict, got.By(), want.Verdict, want.By())
				}
			}
			if path.Self == "" {
				if got, want := p.Decide(event.Read, path).Verdict, naiveDecide(p, event.Read, path.Name, path.Exe); got != want {
					t.Fatalf("%s: %+v: %v, want %v", p.describe(), path, got, want)
				}
			}
		}
	}
}

// No path below a directory is allowed more after a rename that Loosens lets pass,
// whichever program asks.
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
		p := randomPolicy(t, r)
		c := p.Compile()
		from, to := random(r, pathNames), random(r, pathNames)
		d, loosens := p.Loosens(Path{Name: from}, Path{Name: to}, true)
		if d2, loosens2 := c.Loosens(Path{Name: from}, Path{Name: to}, true); d != d2 || loosens != loosens2 {
			t.Fatalf("%s: %s -> %s: %v by %s of the list, %v by %s of the tree", p.describe(), from, to, loosens, d.By(), loosens2, d2.By())
		}
		if loosens {
			continue
		}
		passed++
		for _, s := range suffixes {
			for _, exe := range programs {
				before := p.Decide(event.Read, Path{Name: filepath.Join(from, s), Exe: exe})
				after := p.Decide(event.Read, Path{Name: filepath.Join(to, s), Exe: exe})
				if rank(after.Verdict) < rank(before.Verdict) {
					t.Fatalf("%s: %s -> %s passes, and %s is %v before and %v after for %q", p.describe(), from, to, s, before.Verdict, after.Verdict, exe)
				}
				created := event.Write
				before, after = p.Decide(created, Path{Name: filepath.Join(from, s), Exe: exe}), p.Decide(created, Path{Name: filepath.Join(to, s), Exe: exe})
				if s != "/" && before.Verdict != after.Verdict {
					t.Fatalf("%s: %s -> %s passes, and brings %s to where it is %v, not %v, for %q", p.describe(), from, to, s, after.Verdict, before.Verdict, exe)
				}
			}
		}
	}
	if passed < 3_000 {
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

// FuzzDecide compares the tree with the list, for paths and patterns that nobody thought of.
func FuzzDecide(f *testing.F) {
	f.Add("/a/b", "/a/**", "/**/b", "/a/b", "/bin/x", uint8(0x1b))
	f.Add("/a", "/", "/a/*/{b,c}", "/a/x/c", "", uint8(0xe4))
	f.Fuzz(func(t *testing.T, one, two, except, path, exe string, bits uint8) {
		p := &Policy{Default: event.VerdictAllow}
		verdicts := []event.VerdictKind{event.VerdictAllow, event.VerdictAsk, event.VerdictDeny}
		for i, text := range []string{one, two} {
			pattern, err := ParsePattern(text)
			if err != nil {
				return
			}
			r := Rule{Verdict: verdicts[int(bits>>(2*i)&3)%3], Classes: event.Read, Patterns: []Pattern{pattern}}
			if left, err := ParsePattern(except); err == nil && bits&(16<<i) != 0 {
				r.Except = []Pattern{left}
			}
			if program, err := ParsePattern(two); err == nil && bits&(64<<i) != 0 {
				r.Exe = []Pattern{program}
			}
			p.Rules = append(p.Rules, r)
		}
		if !strings.HasPrefix(path, "/") || path != filepath.Clean(path) {
			return // no name of the kernel is like that
		}
		asked := Path{Name: path, Exe: exe}
		if got, want := p.Compile().Decide(event.Read, asked), p.Decide(event.Read, asked); got != want {
			t.Errorf("%s: %q by %q: %v by the tree, %v by the list", p.describe(), path, exe, got.Verdict, want.Verdict)
		}
	})
}

// The cost of a decision does not depend on how many paths are named.
func BenchmarkDecideAmong(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		p := rules(b, event.VerdictDeny, "allow read:/usr/**", "deny read:/home/*/.ssh/**")
		for i := range n {
			text := fmt.Sprintf("/usr/share/%d/%d", i%100, i)
			p.Rules = append(p.Rules, Rule{Verdict: event.VerdictDeny, Classes: event.Read, Patterns: []Pattern{Literal(text)}})
		}
		c := p.Compile()
		path := Path{Name: "/usr/share/7/libc.so.6"}
		b.Run(fmt.Sprintf("rules=%d/tree", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Decide(event.Read, path)
			}
		})
		b.Run(fmt.Sprintf("rules=%d/list", n), func(b *testing.B) {
			for b.Loop() {
				p.Decide(event.Read, path)
			}
		})
	}
}

// A decision needs no memory.
func TestDecideAllocatesNothing(t *testing.T) {
	p := rules(t, event.VerdictDeny, "allow read:/usr/**", "deny read:/home/*/.ssh/**", "ask write:/usr/{a,b}/**")
	p.Rules[0].Except = []Pattern{mustPattern(t, "/usr/share/**/*.key")}
	p.Rules[0].Exe = []Pattern{mustPattern(t, "/usr/bin/*")}
	c := p.Compile()
	path := Path{Name: "/usr/share/a/b", Self: "/proc/self/x", Exe: "/usr/bin/cat"}
	if n := testing.AllocsPerRun(100, func() { c.Decide(event.Read|event.Write, path) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := rules(b, event.VerdictAllow, "deny read:/home/*/.ssh/**", "deny read:/etc/shadow", "deny write:/usr/**")
	for b.Loop() {
		p.Decide(event.Read, Path{Name: "/usr/lib/x86_64-linux-gnu/libc.so.6"})
	}
}
