package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// No spelling of a call is weaker than another: the old ones, those with a directory,
// those that came later, and those with an object instead of a name.
func TestAttackSpellings(t *testing.T) {
	program := attack(t, "spellings")
	files := []string{"p/", "p/secret=Secret", "p/dir/", "f/", "f/free=Public", "f/free.d/"}
	for _, tt := range []struct {
		class, rule, name string
	}{
		{class: "read", name: "secret"},
		{class: "write", name: "secret"},
		{class: "create", name: "new"},
		{class: "delete", name: "secret"},
		{class: "rmdir", rule: "delete", name: "dir"},
		{class: "attr", name: "secret"},
		{class: "list", name: "dir"},
		{class: "stat", name: "secret"},
	} {
		t.Run(tt.class, func(t *testing.T) {
			rule := tt.class
			if tt.rule != "" {
				rule = tt.rule
			}
			for _, glob := range []string{"p/" + tt.name, "p/**", "*/" + tt.name} {
				t.Run(glob, func(t *testing.T) {
					asEach(t, files, func(t *testing.T, a *arena) {
						a.more = func(t testing.TB, dir string) {
							for _, name := range []string{"user.x", "user.y", "user.z"} {
								setXattr(t, filepath.Join(dir, "p", "secret"), name)
							}
						}
						want := allButInnocent()
						if tt.class == "stat" {
							want = exceptWithoutAccess(want)
						}
						a.refuse(t, []string{"deny " + rule + " " + glob}, want, program, tt.class, a.path("p/"+tt.name), a.path("f/free"))
					})
				})
			}
		})
	}
}

// exceptWithoutAccess is an expectation but for O_PATH: a descriptor without access cannot
// be given away, so openat is let through, and openat2 has to be tried in another way.
func exceptWithoutAccess(want expectation) expectation {
	return func(name, bare string) string {
		switch name {
		case "open_path", "open_path_nofollow":
			return bare
		case "openat2_path":
			return "ENOSYS"
		}
		return want(name, bare)
	}
}

// Under a policy that allows a little, what it does not name is refused by every spelling.
func TestAttackSpellingsByDefault(t *testing.T) {
	program := attack(t, "spellings")
	files := []string{"p/", "p/secret=Secret", "p/dir/", "f/", "f/free=Public", "f/free.d/"}
	for class, name := range map[string]string{"read": "secret", "write": "secret", "create": "new", "delete": "secret", "rmdir": "dir", "attr": "secret", "list": "dir"} {
		t.Run(class, func(t *testing.T) {
			asEach(t, files, func(t *testing.T, a *arena) {
				a.more = func(t testing.TB, dir string) {
					for _, name := range []string{"user.x", "user.y", "user.z"} {
						setXattr(t, filepath.Join(dir, "p", "secret"), name)
					}
				}
				rules := []string{"default deny", "allow all f/**"}
				control := a.bare(t, program, class, a.path("p/"+name), a.path("f/free")).results()
				got := a.gated(t, rules, program, class, a.path("p/"+name), a.path("f/free"))
				for _, name := range slices.Sorted(maps.Keys(control)) {
					switch result := got.results()[name]; {
					case strings.HasPrefix(name, "innocent"):
						if result != "ok" {
							t.Errorf("%s: %q\n%s", name, result, got.stderr)
						}
					case control[name] == "ok" && result == "ok", result == "":
						t.Errorf("%s: %q, and without a gate %q", name, result, control[name])
					}
				}
			})
		})
	}
}

// Names that do not exist yet are protected as those that do: program hooks, the files
// that a shell reads at its start.
func TestAttackNewNames(t *testing.T) {
	program := attack(t, "spellings")
	files := []string{".git/hooks/", "f/", "f/free=Public", "f/free.d/"}
	asEach(t, files, func(t *testing.T, a *arena) {
		for rule, path := range map[string]string{
			"deny create .git/hooks/**":                ".git/hooks/post-merge",
			"deny create .bash_aliases":                ".bash_aliases",
			"deny create,write **/hooks/*":             ".git/hooks/pre-commit",
			"deny create .{bash,zsh}_*":                ".zsh_aliases",
			"deny create .git/hooks/p*-m[a-e]rge":      ".git/hooks/post-merge",
			"deny create,write,delete .git/hooks/new*": ".git/hooks/new",
		} {
			a.refuse(t, []string{rule}, allButInnocent(), program, "create", a.path(path), a.path("f/free"))
		}
	})
}

func TestAttackOldABIs(t *testing.T) {
	program := attack(t, "old_abi")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		control := a.bare(t, program, a.path("secret"), a.path("public")).results()
		if control["high_bits"] != "ok" {
			t.Errorf("high_bits: without a gate it is %q: the attack proves nothing", control["high_bits"])
		}
		if control["int80_getpid"] == "ok" && control["int80_open"] != "ok" {
			t.Errorf("int80_open: without a gate it is %q: the attack proves nothing", control["int80_open"])
		}
		for _, rules := range [][]string{{"deny read,write,attr secret"}, {"deny connect /nonexistent"}} {
			got := a.gated(t, rules, program, a.path("secret"), a.path("public"))
			got.demandCode(t, "gated", 0)
			for name, result := range got.results() {
				want := "ENOSYS"
				switch name {
				case "innocent":
					want = "ok"
				case "high_bits":
					want = "ok"
					if strings.Contains(rules[0], "read") {
						want = "EACCES"
					}
				}
				if result != want {
					t.Errorf("%q: %s: %q, want %q", rules, name, result, want)
				}
			}
		}
	})
}

// Attributes change through descriptors that may only read.
func TestAttackByDescriptor(t *testing.T) {
	program := attack(t, "by_descriptor")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		a.more = func(t testing.TB, dir string) {
			setXattr(t, filepath.Join(dir, "secret"), "user.z")
			setXattr(t, filepath.Join(dir, "public"), "user.z")
		}
		a.refuse(t, []string{"deny attr secret"}, denies([]string{"secret_"}), program, "calls", "0", a.path("public"), a.path("secret"))
	})
}

func TestAttackReplacedDescriptor(t *testing.T) {
	program := attack(t, "by_descriptor")
	for _, way := range []string{"mode", "time"} {
		t.Run(way, func(t *testing.T) {
			asEach(t, twoFiles, func(t *testing.T, a *arena) {
				a.race(t, []string{"deny attr secret"}, program, way, attackTries(), a.path("public"), a.path("secret"))
			})
		})
	}
}

// What moves content between files needs both open. That is so without a gate, and stays
// so.
func TestAttackCopies(t *testing.T) {
	program := attack(t, "copies")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		control := a.bare(t, program, a.dir, "secret", "public")
		if r := control.results(); r["secret_copy_file_range"] != "ok" || r["secret_read"] != "ok" {
			t.Errorf("without a gate: the attack proves nothing\n%s", control.stdout)
		}
		got := a.gated(t, []string{"deny read secret"}, program, a.dir, "secret", "public")
		got.demandCode(t, "gated", 0)
		for name, result := range got.results() {
			if strings.HasPrefix(name, "secret_") && result == "ok" || strings.HasPrefix(name, "place_") && result != "EBADF" {
				t.Errorf("%s: %q", name, result)
			}
			if bare := control.results()[name]; strings.HasPrefix(name, "public_") && result != bare {
				t.Errorf("%s: %q, want %q", name, result, bare)
			}
		}
	})
}

// A device is another name for what it leads to. That of a disk has all files.
func TestAttackDevices(t *testing.T) {
	program := attack(t, "devices")
	a := newArena(t, 0)
	control := a.bare(t, program, a.dir)
	control.demandCode(t, "bare", 0)
	bare := control.results()
	if bare["null_opened"] != "ok" {
		testenv.Lack(t, "devices cannot be made here: "+bare["null"])
	}
	for _, rules := range [][]string{
		{"deny read /nonexistent/**", "deny create /nonexistent/**"},
		// Where nobody forbids to make files, a disk is read past a rule as well.
		{"deny read /nonexistent/**"},
	} {
		got := a.gated(t, rules, program, a.dir)
		got.demandCode(t, "gated", 0)
		for _, name := range slices.Sorted(maps.Keys(got.results())) {
			want := bare[name]
			if device, _, _ := strings.Cut(name, "_"); slices.Contains([]string{"memory", "disk"}, device) {
				want = "EPERM"
			}
			if result := got.results()[name]; result != want {
				t.Errorf("%q: %s: %q, want %q", rules, name, result, want)
			}
		}
	}
}

// A shell is the innocent program of each: a whole pipeline under the rules of an attack.
func TestAttackPipelines(t *testing.T) {
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		script := `i=0; while [ $i -lt 100 ]; do echo $i | cat | cat; i=$((i+1)); done; cat "$0" || echo refused`
		got := a.gated(t, []string{"deny read secret"}, "sh", "-c", script, a.path("secret"))
		got.demandCode(t, "gated", 0)
		want, err := exec.Command("seq", "0", "99").Output()
		if err != nil {
			t.Fatal(err)
		}
		if got.stdout != string(want)+"refused\n" {
			t.Errorf("the pipelines said %q\n%s", got.stdout, got.stderr)
		}
		if _, err := os.Stat(a.path("secret")); err != nil {
			t.Error(err)
		}
	})
}
