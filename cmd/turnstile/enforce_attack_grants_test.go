package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// Below what Landlock grants, opens are left to the kernel, which reads the path again.
// What it finds then has to be granted too, whatever a rule carves out of what is allowed.

// carved is a rule that allows much, and others that take something out of it.
type carved struct {
	rules          []string
	files          []string
	way            string // of the attack
	public, secret string
	performed      bool   // by the gate: nothing around the public file can be granted
	policy         string // what only a policy file can say; $DIR and $PROGRAM stand for themselves
}

var carveOuts = map[string]carved{
	"nothing but what is allowed": {rules: []string{"allow read,list p/**"}, public: "p/file", secret: "s/file"},
	"a deny inside":               {rules: []string{"allow read,list **", "deny read s/**"}, public: "p/file", secret: "s/file"},
	"an ask inside":               {rules: []string{"allow read,list **", "ask read s/**"}, public: "p/file", secret: "s/file"},
	"a glob of one level":         {rules: []string{"allow read,list **", "deny read s*/**"}, public: "p/file", secret: "s/file"},
	"a glob at any depth":         {rules: []string{"allow read,list **", "deny read **/s"}, files: []string{"d/", "d/s=S", "d/p=P"}, public: "d/p", secret: "d/s", performed: true},
	"one pattern":                 {rules: []string{"allow read [o-q]/file"}, public: "p/file", secret: "s/file", performed: true},
	"a file":                      {rules: []string{"allow read,list **", "deny read d/s"}, files: []string{"d/", "d/s=S", "d/p=P"}, public: "d/p", secret: "d/s", performed: true},
	"a file elsewhere":            {rules: []string{"allow read,list **", "deny read s/file"}, public: "p/file", secret: "s/file"},
	"a prefix with a link":        {rules: []string{"allow read,list **", "deny read link/**"}, files: []string{"link -> s"}, public: "p/file", secret: "s/file"},
	"an allow with a link":        {rules: []string{"allow read,list link/**"}, files: []string{"link -> p"}, public: "p/file", secret: "s/file"},
	"another class":               {rules: []string{"allow read,list **", "allow write p/**"}, way: "write", public: "p/file", secret: "s/file"},
	"a deny for one program":      {rules: []string{"allow read,list **"}, policy: `- {deny: [read], paths: ["$DIR/s/**"], exe: ["$PROGRAM"]}`, public: "p/file", secret: "s/file"},
	"an allow for other programs": {rules: []string{"allow read,list p/**"}, policy: `- {allow: [read], paths: ["$DIR/s/**"], exe: [/usr/bin/cat]}`, public: "p/file", secret: "s/file"},
	"a hole in a deny":            {rules: []string{"allow read,list **"}, policy: `- {deny: [read], paths: ["$DIR/**"], except: ["$DIR/p/**"]}`, public: "p/file", secret: "s/file", performed: true},
	"a hole in an allow":          {rules: []string{"allow read,list p/**"}, policy: `- {allow: [read], paths: ["$DIR/**"], except: ["$DIR/s/**"]}`, public: "p/file", secret: "s/file"},
	"a file that is to come":      {rules: []string{"allow read,list,write,delete **", "allow create **", "deny create s/new"}, way: "create", public: "p/new", secret: "s/new"},
	"a tree that is to come":      {rules: []string{"allow read,list,write,delete **", "allow create **", "deny create,write t/**"}, way: "create", files: []string{"t/"}, public: "p/new", secret: "t/new"},
}

func TestAttackFlippedPathBelowGrant(t *testing.T) {
	needsLandlock(t, 3)
	program := attack(t, "flip")
	for name, c := range carveOuts {
		t.Run(name, func(t *testing.T) {
			asEach(t, append([]string{"s/", "p/", "s/file=Secret", "p/file=Public"}, c.files...), func(t *testing.T, a *arena) {
				way := c.way
				if way == "" {
					way = map[bool]string{true: "open", false: "openat"}[a.uid == 0]
				}
				rules := append([]string{"default deny", "allow read /usr/lib/**", "allow exec " + program, "allow read " + program}, c.rules...)
				if c.policy != "" {
					file := filepath.Join(filepath.Dir(a.dir), "policy.yaml")
					write(t, file, "version: 1\ndefault: deny\nrules:\n  "+strings.NewReplacer("$DIR", a.dir, "$PROGRAM", program).Replace(c.policy)+"\n")
					rules = append(rules, "-p", file)
				}
				a.race(t, rules, program, way, attackTries(), a.path(c.public), a.path(c.secret))
				if left := a.leaves(t, rules, c.public, program, way, "1000", a.path(c.public), a.path(c.secret)); left == c.performed {
					t.Errorf("left to the kernel: %v", left)
				}
			})
		})
	}
}

// leaves says whether an open of a file was left to the kernel in a run: then nobody knows
// its result.
func (a *arena) leaves(t testing.TB, rules []string, file string, argv ...string) bool {
	t.Helper()
	got := a.gated(t, append(rules, "-v"), argv...)
	for line := range strings.Lines(got.stderr) {
		if strings.Contains(line, "open") && strings.Contains(line, fmt.Sprintf("%q  allow", a.path(file))) {
			return true
		}
	}
	return false
}

func needsLandlock(t testing.TB, abi int) {
	t.Helper()
	testenv.Root(t)
	testenv.Landlock(t, abi)
}

// system lets shells and the programs of this host run.
func system() []string {
	return []string{"default deny", "allow exec /usr/**", "allow read,list /usr/**", "allow read /etc/ld.so.cache", "allow write /dev/null"}
}

// A file that has other names is judged by all of them.
func TestAttackHardLinkBelowGrant(t *testing.T) {
	needsLandlock(t, 1)
	asEach(t, []string{"s/", "p/", "s/file=Secret", "p/hard => s/file", "p/file=Public"}, func(t *testing.T, a *arena) {
		for _, file := range []string{"p/file", "p/hard"} {
			if got := a.bare(t, "cat", a.path(file)); got.code != 0 {
				t.Errorf("without a gate: %s%s", got.stdout, got.stderr)
			}
			got := a.gated(t, append(system(), "allow read,list **", "deny read s/file"), "cat", a.path(file))
			if secret := file != "p/file"; secret != (got.code != 0) || strings.Contains(got.stdout, "Secret") {
				t.Errorf("%s: %q\n%s", file, got.stdout, got.stderr)
			}
		}
	})
}

// A granted directory does not carry its grant to where the rules say something else.
func TestAttackMovedGrant(t *testing.T) {
	needsLandlock(t, 1)
	program, exchange := attack(t, "flip"), attack(t, "exchange")
	files := []string{"q/", "q/p/", "q/p/key=Public", "p/", "g/", "g/p/", "s/", "s/p/", "s/key=Secret", "s/p/key=Secret"}
	// What is denied may be moved about, as long as it is not read.
	rules := append(system(), "allow exec "+program, "allow read "+program, "allow exec "+exchange, "allow read "+exchange, "allow read,list,write,create,delete q/**", "allow read,list,write,create,delete p/**",
		"allow read,list,write,create,delete g/p/**", "allow list,write,create,delete g/**", "allow list,write,create,delete s/**")
	for name, script := range map[string]string{
		"rename":      "mv -T p s/p/x; mv s/key s/p/x/key; [ -e s/p/x/key ] && { mv s/p s/old; mv s/old/x s/p; }",
		"of a parent": "mv g s/g; mv s/key s/g/p/key; [ -e s/g/p/key ] && { mv s/p s/old; mv s/g/p s/p; }",
		"exchange":    exchange + " p s/p && mv s/key s/p/key",
	} {
		t.Run(name, func(t *testing.T) {
			asEach(t, files, func(t *testing.T, a *arena) {
				script := fmt.Sprintf("cd %s; { %s; } 2>/dev/null; exec %s open %s %s %s", a.dir, script, program, attackTries(), a.path("q/p/key"), a.path("s/p/key"))
				a.race(t, rules, "sh", "-c", script)
			})
		})
	}
}

// What is moved, removed and made again where it may be goes on to work.
func TestAttackMovedGrantWorks(t *testing.T) {
	needsLandlock(t, 1)
	files := []string{"p/", "p/sub/", "p/file=one", "p/sub/file=two", "s/"}
	asEach(t, files, func(t *testing.T, a *arena) {
		const script = `cat p/file && mv p moved && cat moved/file moved/sub/file && mkdir p && echo new >p/file && cat p/file &&
			rm -r moved && mkdir moved && echo again >moved/file && cat moved/file && mv moved p/inside && cat p/inside/file && ls -R`
		argv := []string{"sh", "-c", "cd " + a.dir + " && " + script}
		want := a.bare(t, argv...)
		got := a.gated(t, append(system(), "allow read,list,write,create,delete **", "deny read s/**"), argv...)
		if want.code != 0 || got != want {
			t.Errorf("bare %+v\ngated %+v", want, got)
		}
	})
}

// A mount shows a granted directory under a name that is denied, with another mount below.
func TestAttackMountBelowGrant(t *testing.T) {
	needsLandlock(t, 1)
	program := attack(t, "flip")
	a := newArena(t, 0, "p/", "p/sub/", "p/sub/key=Public", "s/", "s/sub/")
	unmount := func() {
		_ = unix.Unmount(a.path("s/sub"), unix.MNT_DETACH)
		_ = unix.Unmount(a.path("s"), unix.MNT_DETACH)
	}
	t.Cleanup(unmount)
	a.more = func(t testing.TB, dir string) {
		if err := unix.Mount(dir+"/p", dir+"/s", "", unix.MS_BIND, ""); err != nil {
			t.Skipf("no mounts here: %v", err)
		}
		if err := unix.Mount("none", dir+"/s/sub", "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/s/sub/key", []byte("Secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(argv ...string) outcome {
		unmount()
		a.fresh(t)
		return a.run(t, argv...)
	}
	argv := []string{program, "open", attackTries(), a.path("p/sub/key"), a.path("s/sub/key")}
	if n := run(argv...).number(t, "escaped"); n == 0 {
		t.Error("the attack did not win once without a gate")
	}
	got := run(a.gate([]string{"default deny", "allow read /usr/lib/**", "allow exec " + program, "allow read " + program, "allow read,list p/**"}, argv...)...)
	if got.number(t, "escaped") != 0 || got.number(t, "innocent") == 0 {
		t.Errorf("%s%s", got.stdout, got.stderr)
	}
	unmount()
}

// Processes that are not of the command get no signals from it, and its own do.
func TestAttackScopes(t *testing.T) {
	needsLandlock(t, 6)
	program := attack(t, "scopes")
	asEach(t, nil, func(t *testing.T, a *arena) {
		outside := a.command(t, "sleep", "600")
		if err := outside.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = outside.Process.Kill()
			_ = outside.Wait()
		})
		name := fmt.Sprintf("turnstile-test-%d-%d", os.Getpid(), a.uid)
		listener, err := net.Listen("unix", "@"+name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		argv := []string{program, fmt.Sprint(outside.Process.Pid), name}
		for _, rules := range [][]string{nil, {"default deny", "allow read /usr/lib/**", "allow exec " + program, "allow read " + program}} {
			a.refuse(t, rules, func(name, bare string) string {
				switch {
				case name == "outside":
					return "EPERM"
				case name == "abstract" && rules != nil:
					return "EACCES" // no rule allows it
				}
				return bare
			}, argv...)
		}
	})
}
