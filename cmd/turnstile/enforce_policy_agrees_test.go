package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/policy/lang"
)

// What "policy explain" says of a generated policy is what a program gets that makes the
// access on the real kernel. A run makes many accesses, half of them as another program.
//
//	TURNSTILE_STRESS=1	10,000 accesses by each user; else 2,000

// access is one call of the program, and the classes that it asks for.
type access struct {
	op, path string
	classes  event.Class
	exe      string
	allowed  unix.Errno // what it gets where it is allowed
}

// agreement makes policies and accesses that meet often: of few names.
type agreement struct {
	*rand.Rand
	*arena
	programs [2]string
}

func TestEnforceDoesWhatIsExplained(t *testing.T) {
	program := attack(t, "accesses")
	eachUser(t, func(t *testing.T, a *arena) {
		g := &agreement{rand.New(rand.NewPCG(9, uint64(a.uid))), a, [2]string{}}
		for i, name := range []string{"one", "two"} {
			g.programs[i] = filepath.Join(filepath.Dir(a.dir), name)
			copyProgram(t, program, g.programs[i])
		}
		a.attr = nobodyToAsk
		policies := 20
		if stress() {
			policies = 100
		}
		verdicts := map[event.VerdictKind]int{}
		for range policies {
			g.compare(t, verdicts)
			if t.Failed() {
				return
			}
		}
		for _, v := range []event.VerdictKind{event.VerdictAllow, event.VerdictDeny, event.VerdictAsk} {
			if verdicts[v] < policies*10 {
				t.Errorf("%d of the accesses are %v: the test says little", verdicts[v], v)
			}
		}
	})
}

// names are the directories of the tree, two deep; each has files, and a socket.
var treeNames = []string{"a", "b", "ab"}

// tree lays out the files, with links to some.
func (g *agreement) tree(t *testing.T) {
	t.Helper()
	files := []string{"link -> a", "a/back -> ../b"}
	dirs := []string{""}
	for _, name := range treeNames {
		dirs = append(dirs, name+"/")
		for _, below := range treeNames {
			dirs = append(dirs, name+"/"+below+"/")
		}
	}
	for _, dir := range dirs {
		files = append(files, dir+"f=x", dir+"g=x", dir+"x=x")
		if dir != "" {
			files = append([]string{dir}, files...)
		}
	}
	// Directories before what is in them.
	var ordered []string
	for _, wantDir := range []bool{true, false} {
		for _, f := range files {
			if strings.HasSuffix(f, "/") == wantDir {
				ordered = append(ordered, f)
			}
		}
	}
	g.files = ordered
	g.more = func(t testing.TB, dir string) {
		for _, d := range dirs {
			conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, d, "s"), Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			chown(t, filepath.Join(dir, d, "s"), g.uid)
			if err := os.Chmod(filepath.Join(dir, d, "x"), 0o755); err != nil { //nolint:gosec // see reachable
				t.Fatal(err)
			}
		}
	}
	g.fresh(t)
}

// dir is a directory of the tree, sometimes by a link.
func (g *agreement) anyDir() string {
	path := g.dir
	if g.IntN(6) == 0 {
		return filepath.Join(path, []string{"link", "a/back", "link/back"}[g.IntN(3)])
	}
	for range g.IntN(3) {
		path = filepath.Join(path, treeNames[g.IntN(len(treeNames))])
	}
	return path
}

var operations = []struct {
	op      string
	classes event.Class
	names   []string // in a directory; "" for itself
	allowed unix.Errno
}{
	{"read", event.Read, []string{"f", "g"}, 0},
	{"write", event.Write, []string{"f", "g"}, 0},
	{"list", event.List, []string{""}, 0},
	{"stat", event.Stat, []string{"", "f", "g", "s"}, 0},
	{"attr", event.Attr, []string{"f", "g"}, 0},
	{"delete", event.Delete, []string{"f", "g"}, unix.ENOTDIR},
	{"create", event.Create, []string{"new1", "new2", "other"}, 0},
	{"connect", event.Connect, []string{"s"}, 0},
	{"exec", event.Exec, []string{"x"}, unix.ENOEXEC},
	{"bind", event.Bind | event.Create, []string{"n1", "n2", "z"}, 0},
}

func (g *agreement) accesses() (all []access) {
	made := map[string]bool{}
	for len(all) < 100 {
		o := operations[g.IntN(len(operations))]
		x := access{op: o.op, path: filepath.Join(g.anyDir(), o.names[g.IntN(len(o.names))]), classes: o.classes, allowed: o.allowed}
		if o.classes&event.Create != 0 {
			dir, err := filepath.EvalSymlinks(filepath.Dir(x.path))
			if err != nil || made[filepath.Join(dir, filepath.Base(x.path))] {
				continue // it would be there
			}
			made[filepath.Join(dir, filepath.Base(x.path))] = true
		}
		x.exe = g.programs[len(all)/50]
		all = append(all, x)
	}
	return all
}

func (g *agreement) glob() string {
	names := []string{"a", "b", "ab", "*", "**", "a*", "{a,b}", "[!b]", "f", "?", "x", "s", "new*", "n1", "link"}
	path := g.dir
	for range g.IntN(4) {
		path += "/" + names[g.IntN(len(names))]
	}
	if g.IntN(3) == 0 {
		path += "/**"
	}
	return path
}

func (g *agreement) globs(most int) string {
	var globs []string
	for range 1 + g.IntN(most) {
		globs = append(globs, strconv.Quote(g.glob()))
	}
	return "[" + strings.Join(globs, ", ") + "]"
}

// policyText is a policy. That the programs are executed is not what this is about.
func (g *agreement) policyText() string {
	verdicts := []string{"allow", "deny", "ask"}
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\ndefault: %s\nrules:\n  - allow: [exec, read]\n    paths: [%q, %q]\n", verdicts[g.IntN(3)], g.programs[0], g.programs[1])
	for range 1 + g.IntN(6) {
		verdict := verdicts[g.IntN(3)]
		classes := event.Class(g.Uint32()) & policy.Files
		if classes == 0 {
			continue
		}
		fmt.Fprintf(&b, "  - %s: [%s]\n    paths: %s\n", verdict, strings.Join(classes.Names(), ", "), g.globs(3))
		if g.IntN(3) == 0 {
			fmt.Fprintf(&b, "    except: %s\n", g.globs(2))
		}
		if g.IntN(4) == 0 {
			fmt.Fprintf(&b, "    exe: [%q]\n", []string{g.programs[0], g.programs[1], filepath.Dir(g.programs[0]) + "/t*"}[g.IntN(3)])
		}
		if verdict == "deny" && g.IntN(2) == 0 {
			fmt.Fprintf(&b, "    errno: %s\n", []string{"ENOENT", "EROFS", "EXDEV"}[g.IntN(3)])
		}
	}
	return b.String()
}

// compare makes the accesses of one policy.
func (g *agreement) compare(t *testing.T, verdicts map[event.VerdictKind]int) {
	t.Helper()
	g.tree(t)
	text, accesses := g.policyText(), g.accesses()
	file := filepath.Join(filepath.Dir(g.dir), "policy.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // see reachable
		t.Fatal(err)
	}
	p, err := mergeFiles([]policyFile{{Name: file, Text: []byte(text)}}, lang.Variables{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := p.Bind(resolveLinks); err != nil {
		t.Fatal(err)
	}
	// Before the run, which makes files.
	want, said := make([]unix.Errno, len(accesses)), make([]string, len(accesses))
	var input strings.Builder
	for i, x := range accesses {
		fmt.Fprintf(&input, "%s %s\n", x.op, x.path)
		want[i], said[i] = x.explained(t, p, verdicts)
	}
	stdin, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if _, err := stdin.WriteString(input.String()); err != nil {
		t.Fatal(err)
	}
	if _, err := stdin.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	g.stdin = stdin
	out := g.run(t, g.turnstile, "enforce", "-q", "-p", file, "--", g.programs[0], "50", g.programs[1], "50")
	got := strings.Fields(out.stdout)
	if out.code != 0 || len(got) != len(accesses) {
		t.Fatalf("exit code %d, %d results\n%s\n%s", out.code, len(got), out.stderr, text)
	}
	for i, x := range accesses {
		if n, _ := strconv.Atoi(got[i]); unix.Errno(n) != want[i] {
			t.Errorf("%s %s by %s: errno %v, want %v\n%s\n%s\n%s", x.op, x.path, filepath.Base(x.exe), unix.Errno(n), want[i], said[i], text, out.stderr)
			return
		}
	}
}

// explained is the errno that an access gets by what is explained of each of its classes,
// and the explanation.
func (x *access) explained(t *testing.T, p *policy.Policy, verdicts map[event.VerdictKind]int) (unix.Errno, string) {
	t.Helper()
	var strictest policy.Explanation
	var said strings.Builder
	for class := event.Class(1); class <= x.classes; class <<= 1 {
		if x.classes&class == 0 {
			continue
		}
		asked := explainer{policy: p, class: class, asked: x.path, exe: x.exe}
		if err := asked.print(&said); err != nil {
			t.Fatal(err)
		}
		path, err := asked.judged()
		if err != nil {
			t.Fatal(err)
		}
		e := asked.explain(path)
		// The strictest decides, and before the default a rule.
		if strictest.Verdict == event.VerdictNone || policy.Stricter(e.Verdict, strictest.Verdict) ||
			e.Verdict == strictest.Verdict && strictest.Rule == nil {
			strictest = e
		}
	}
	verdicts[strictest.Verdict]++
	switch strictest.Verdict {
	case event.VerdictAllow:
		return x.allowed, said.String()
	case event.VerdictAsk:
		return unix.EACCES, said.String()
	default:
		return strictest.Denied(), said.String()
	}
}

// nobodyToAsk starts a run without a terminal.
func nobodyToAsk(attr *syscall.SysProcAttr) { attr.Setpgid, attr.Setsid = false, true }

// copyProgram makes a copy that all may execute.
func copyProgram(t testing.TB, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o755); err != nil { //nolint:gosec // see reachable
		t.Fatal(err)
	}
}
