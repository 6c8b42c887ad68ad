package main

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layImages puts the programs of testdata/attacks/image.c into an arena, by these names.
func (a *arena) layImages(t testing.TB, names ...string) {
	image := attack(t, "image")
	a.more = func(t testing.TB, dir string) {
		for _, name := range names {
			install(t, a, image, filepath.Join(dir, name))
		}
	}
}

// install copies a program, by another one: see newArena.
func install(t testing.TB, a *arena, from, to string) {
	t.Helper()
	owner := strconv.Itoa(a.uid)
	if out, err := exec.Command("install", "-m", "755", "-o", owner, "-g", owner, from, to).CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
}

// dynamicLinker is the one of this system.
func dynamicLinker(t testing.TB) string {
	t.Helper()
	for _, pattern := range []string{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"} {
		if found, err := filepath.EvalSymlinks(pattern); err == nil {
			return found
		}
	}
	t.Fatal("there is no dynamic linker")
	return ""
}

// Whatever leads to a program that is denied, not one instruction of it runs.
func TestAttackExecutes(t *testing.T) {
	program, linker := attack(t, "executes"), dynamicLinker(t)
	files := []string{"sub/", "link -> denied", "runs_allowed.text=#!allowed\n", "text=text", "nonsense.text=nonsense"}
	asEach(t, files, func(t *testing.T, a *arena) {
		a.layImages(t, "allowed", "denied", "ddeleted")
		images := a.more
		a.more = func(t testing.TB, dir string) {
			images(t, dir)
			install(t, a, linker, filepath.Join(dir, "dlinker"))
			install(t, a, linker, filepath.Join(dir, "linker"))
			install(t, a, "/bin/true", filepath.Join(dir, "dtrue"))
			for _, name := range []string{"runs_allowed", "nonsense"} {
				install(t, a, filepath.Join(dir, name+".text"), filepath.Join(dir, name))
			}
			lay(t, dir, []string{"hard => denied"})
		}
		// A rule about one name is about all names of the file.
		rules := []string{"deny exec denied", "deny exec d*"}
		a.refuse(t, rules, denies([]string{"denied_"}), program, a.dir, linker)

		t.Run("by default", func(t *testing.T) {
			rules := []string{"default deny", "allow read,write,create,delete,list,attr /**",
				"allow exec " + program, "allow exec [a-ce-z]*"}
			// The hard link is a name that is allowed, and a linker needs no right.
			a.refuse(t, rules, denies([]string{"denied_", "memory"}, "denied_hard_link", "denied_linker"), program, a.dir, linker)
		})
	})
}

// The same where the way to the program changes after it was judged.
func TestAttackFlippedExec(t *testing.T) {
	program := attack(t, "flip_exec")
	for way, file := range map[string]string{
		"execve": "", "execveat": "", "peer": "", "from_thread": "",
		"exchange": "other -> d", "script": "other -> d", "linker": "other -> ld.so",
	} {
		t.Run(way, func(t *testing.T) {
			asEach(t, nil, func(t *testing.T, a *arena) {
				names := []string{"allowed", "denied"}
				switch {
				case file == "":
					names = []string{"a", "d"}
				case way == "linker":
					// What the program needs is not to be what is executed.
					a.files = []string{"a -> true", "other -> " + dynamicLinker(t)}
				case way == "script":
					a.files = []string{"a -> script", "script.text=#!allowed\n", "other -> denied"}
				default:
					a.files = []string{"a -> allowed", "other -> denied"}
				}
				a.layImages(t, names...)
				images := a.more
				a.more = func(t testing.TB, dir string) {
					images(t, dir)
					switch way {
					case "script":
						install(t, a, filepath.Join(dir, "script.text"), filepath.Join(dir, "script"))
					case "linker":
						install(t, a, "/bin/true", filepath.Join(dir, "true"))
						install(t, a, "/bin/false", filepath.Join(dir, "dfalse"))
					}
				}
				got := a.race(t, []string{"deny exec d*"}, program, way, execTries(), a.dir)
				if got.number(t, "odd") != 0 || got.number(t, "refused") == 0 {
					t.Errorf("%+v", got)
				}
				t.Logf("%s: %s", way, strings.ReplaceAll(got.stdout, "\n", ", "))
			})
		})
	}
}

// execTries is how often a race of execve is tried.
func execTries() string {
	if stress() {
		return "50000"
	}
	return strconv.Itoa(inFull(2_000))
}
