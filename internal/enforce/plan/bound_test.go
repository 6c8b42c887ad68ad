package plan

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// fakeFiles are paths: those that end in a slash are directories.
type fakeFiles struct {
	paths  []string
	linked []string // have two names
	mounts []Mount
	// linkers have to be granted.
	linkers []string
}

func (f fakeFiles) Look(name string) (Entry, error) {
	switch {
	case slices.Contains(f.paths, name+" ->"):
		return Entry{}, errLink
	case slices.Contains(f.paths, strings.TrimSuffix(name, "/")+"/"):
		return Entry{Directory: true, Names: 2}, nil
	case slices.Contains(f.linked, name):
		return Entry{Names: 2}, nil
	case slices.Contains(f.paths, name):
		return Entry{Names: 1}, nil
	}
	return Entry{}, errMissing
}

func (f fakeFiles) Directories(dir string) (names []string, err error) {
	for _, p := range f.paths {
		if name, ok := strings.CutSuffix(p, "/"); ok && name != "" && path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	return names, nil
}

func (f fakeFiles) Linkers() []string { return f.linkers }

func (f fakeFiles) Mounts() ([]Mount, error) { return f.mounts, nil }

// usual is a small system.
var usual = fakeFiles{
	paths: []string{
		"/", "/etc/", "/etc/hosts", "/etc/shadow", "/home/", "/home/u/", "/home/u/.ssh/", "/home/u/.ssh/id", "/home/u/src/", "/home/u/src/.git/", "/home/u/src/.git/hooks/",
		"/home/u/src/lib/", "/lib ->", "/proc/", "/tmp/", "/usr/", "/usr/bin/", "/usr/lib/", "/dev/", "/dev/null",
	},
	mounts: []Mount{{1, "/", "/", false}, {2, "/", "/proc", true}},
}

// dynamic has a dynamic linker.
var dynamic = fakeFiles{paths: append(slices.Clone(usual.paths), "/usr/lib/ld.so"), mounts: usual.mounts, linkers: []string{"/usr/lib/ld.so"}}

// parse reads "VERDICT CLASS:GLOB" lines.
func parse(t testing.TB, def event.VerdictKind, lines ...string) *policy.Policy {
	t.Helper()
	p := &policy.Policy{Default: def}
	for _, line := range lines {
		verdict, text, _ := strings.Cut(line, " ")
		r, err := policy.ParseRule(text, map[string]event.VerdictKind{"allow": event.VerdictAllow, "ask": event.VerdictAsk, "deny": event.VerdictDeny}[verdict], policy.Directories{})
		if err != nil {
			t.Fatal(err)
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

func bind(t testing.TB, p *policy.Policy, abi int, files Files) *Bound {
	t.Helper()
	b, err := Bind(p, abi, files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// granted is what a bound grants, as "path classes" lines.
func (b *Bound) granted() string {
	var lines []string
	for _, g := range b.Grants {
		if g.Path == "/usr/bin" {
			continue
		}
		name := g.Path
		if g.Directory {
			name = strings.TrimSuffix(name, "/") + "/"
		}
		lines = append(lines, name+" "+g.Classes.String())
	}
	return strings.Join(lines, "; ")
}

func TestGrants(t *testing.T) {
	twice := usual
	twice.mounts = append(slices.Clone(usual.mounts), Mount{1, "/home/u/src", "/srv", false})
	linked := usual
	linked.linked = []string{"/etc/shadow"}
	for _, tt := range []struct {
		name  string
		files fakeFiles
		rules []string
		want  string
		fast  event.Class
	}{
		{"a tree", usual, []string{"allow read,list:/usr/**"}, "/usr/ read,list", holdable},
		{"all but what names processes", usual, []string{"allow read:/**"}, "/dev/ read; /etc/ read; /home/ read; /tmp/ read; /usr/ read", holdable &^ event.Read},
		{"a deny inside", usual, []string{"allow read:/home/u/**", "deny read:/home/u/.ssh/**"}, "/home/u/src/ read", holdable &^ event.Read},
		{"a deny of what does not exist yet", usual, []string{"allow write:/home/u/**", "deny write:/home/u/.profile"}, "/home/u/.ssh/ write; /home/u/src/ write", holdable &^ event.Write},
		{"a deny two levels below", usual, []string{"allow write:/home/u/src/**", "deny write:/home/u/src/.git/hooks/**"}, "/home/u/src/lib/ write", holdable &^ event.Write},
		{"a deny of another class", usual, []string{"allow read,write:/home/u/src/**", "deny write:/home/u/src/.git/**"}, "/home/u/src/ read; /home/u/src/lib/ write", holdable &^ event.Write},
		{"a glob inside", usual, []string{"allow read:/home/u/src/**", "deny read:/**/*.key"}, "", 0},
		{"a glob of one level", usual, []string{"allow read:/home/**", "deny read:/home/*/.ssh/**"}, "/home/u/src/ read", holdable &^ event.Read},
		{"an ask inside", usual, []string{"allow read:/home/u/**", "ask read:/home/u/src/**"}, "/home/u/.ssh/ read", holdable &^ event.Read},
		{"an ask around", usual, []string{"ask read:/home/**", "allow read:/home/u/src/**"}, "/home/u/src/ read", holdable &^ event.Read},
		{"one file", usual, []string{"allow read,write:/dev/null", "allow read:/etc/hosts"}, "/dev/null read,write; /etc/hosts read", holdable},
		{"one file to make and remove", usual, []string{"allow read,create,delete:/etc/hosts"}, "/etc/hosts read", event.Read | event.Write | event.List},
		{"a directory alone", usual, []string{"allow list:/tmp"}, "", holdable &^ event.List},
		{"what does not exist yet", usual, []string{"allow read:/srv/**", "allow read:/tmp/**"}, "/tmp/ read", holdable &^ event.Read},
		{"a spelling with links", usual, []string{"allow read:/lib/**", "allow read:/usr/lib/**"}, "/usr/lib/ read", holdable},
		{"a pattern that is no tree", usual, []string{"allow read:/home/u/src/**/*.c", "allow read:/tmp/**"}, "/tmp/ read", holdable &^ event.Read},
		{"another mount of it", twice, []string{"allow read:/home/u/src/**", "allow read:/tmp/**"}, "/tmp/ read", holdable &^ event.Read},
		{"another mount of it that is allowed", twice, []string{"allow read:/home/u/src/**", "allow read:/srv/**"}, "/home/u/src/ read", holdable &^ event.Read},
		{"a denied file with other names", linked, []string{"allow read,list:/tmp/**", "deny read:/etc/shadow"}, "/tmp/ list", holdable &^ event.Read},
		{"an errno of its own", usual, []string{"allow read,list:/tmp/**", "deny read=ENOENT:/etc/shadow"}, "/tmp/ read,list", holdable &^ event.Read},
		{"a name that is bound", usual, []string{"allow read,create,delete,bind:/tmp/**"}, "/tmp/ read,create,delete", event.Read | event.Write | event.List},
		{"a tree in a tree", usual, []string{"allow read:/home/u/src/**", "allow read,list:/home/**"}, "/home/ read,list", holdable},
	} {
		rules := append([]string{"allow read,exec:/usr/bin/**"}, tt.rules...)
		b := bind(t, parse(t, event.VerdictDeny, rules...), 7, tt.files)
		if got := b.granted(); got != tt.want {
			t.Errorf("%s: granted %q, want %q\n%v", tt.name, got, tt.want, b.Notes)
		}
		if b.Fast != tt.fast {
			t.Errorf("%s: fast %v, want %v", tt.name, b.Fast, tt.fast)
		}
	}
}

func TestBindHoldsNothing(t *testing.T) {
	mounts := parse(t, event.VerdictDeny, "allow list:/tmp/**")
	mounts.Open = policy.DoorMount
	for name, b := range map[string]*Bound{
		"mounts are let be":     bind(t, mounts, 7, usual),
		"no Landlock":           bind(t, parse(t, event.VerdictDeny, "allow read:/tmp/**"), 0, usual),
		"allowed by default":    bind(t, parse(t, event.VerdictAllow, "deny read:/tmp/**"), 7, usual),
		"nothing to be granted": bind(t, parse(t, event.VerdictDeny, "allow read:/srv/**"), 7, usual),
		"the linker is not":     bind(t, parse(t, event.VerdictDeny, "allow read:/tmp/**"), 7, dynamic),
	} {
		if b.Held != 0 || b.Fast != 0 || len(b.Grants) != 0 || len(b.Notes) == 0 {
			t.Errorf("%s: %+v", name, b)
		}
	}
	if b := bind(t, parse(t, event.VerdictAsk, "allow list:/tmp/**"), 7, usual); b.Fast != 0 || b.Held == 0 {
		t.Errorf("who is to be asked is asked: %+v", b)
	}
}

// TestPrograms: reads are held where all that may be executed may be read.
func TestPrograms(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules []string
		held  bool
	}{
		{"no program", nil, true},
		{"what may be read", []string{"allow exec:/usr/lib/**"}, true},
		{"some of it", []string{"allow exec:/usr/lib/*/x"}, true},
		{"one file", []string{"allow exec:/usr/x"}, true},
		{"what may not be read", []string{"allow exec:/usr/**", "allow exec:/home/u/src/**"}, false},
		{"what may not always be read", []string{"allow exec:/usr/**", "deny read:/usr/lib/x"}, false},
		{"what is asked about", []string{"ask exec:/home/u/src/**"}, false},
		{"some of what may not be read", []string{"allow exec:/home/*/bin/x"}, false},
		{"by another spelling", []string{"allow exec:/lib/**", "allow exec:/usr/lib/**"}, true},
		{"what is in memory", []string{"allow exec:/memfd:*"}, true},
		{"what is denied", []string{"allow exec:/usr/**", "deny exec:/home/**"}, true},
	} {
		b := bind(t, parse(t, event.VerdictDeny, append(tt.rules, "allow read,list:/usr/**")...), 7, dynamic)
		if (b.Held&event.Read != 0) != tt.held || b.Held&event.List == 0 {
			t.Errorf("%s: held %v\n%v", tt.name, b.Held, b.Notes)
		}
	}
}

// TestGrantsAreBounded: a policy cannot make the start take forever.
func TestGrantsAreBounded(t *testing.T) {
	many := fakeFiles{paths: []string{"/", "/d/"}, mounts: usual.mounts}
	for i := range 2 * maxGrants {
		many.paths = append(many.paths, fmt.Sprintf("/d/%d/", i))
	}
	b := bind(t, parse(t, event.VerdictDeny, "allow list:/d/**", "deny list:/d/0/x"), 7, many)
	if n := len(b.Grants); n < maxGrants/2 || n > maxGrants+1 {
		t.Errorf("%d grants", n)
	}
}

func TestNamesByMounts(t *testing.T) {
	mounts := []Mount{{1, "/", "/", false}, {1, "/a", "/m", false}, {1, "/a/b/c", "/n", false}, {2, "/", "/a/other", false}}
	for dir, want := range map[string]string{
		"/a": "/m", "/a/b": "/m/b", "/m/b": "/a/b", "/a/b/c/d": "/m/b/c/d /n/d", "/n": "/a/b/c /m/b/c", "/b": "", "/a/other/x": "", "/": "",
	} {
		if got := strings.Join(namesByMounts(mounts, dir), " "); got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
}

// TestExplain: what people are told, on kernels with each version of Landlock.
func TestExplain(t *testing.T) {
	p := parse(t, event.VerdictDeny,
		"allow read,list,exec:/usr/**", "allow read:/lib/**", "allow read,write:/dev/null", "allow read,write,create,delete,list:/home/u/src/**",
		"deny write,create:/home/u/src/.git/hooks/**", "ask read:/home/u/**", "allow read,list:/tmp/new/**", "allow attr:/home/u/src/**")
	for abi := range 8 {
		var text bytes.Buffer
		if err := Explain(&text, bind(t, p, abi, usual), Options{ABI: event.X8664, Classes: p.Restricted(), Verify: true}); err != nil {
			t.Fatal(err)
		}
		testenv.Golden(t, fmt.Sprintf("explain-abi%d.golden", abi), text.Bytes())
	}
}
