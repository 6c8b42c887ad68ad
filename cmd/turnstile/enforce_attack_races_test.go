package main

import (
	"os"
	"testing"
)

var twoFiles = []string{"secret=Secret", "public=Public"}

// The same with names that differ in one byte, which is written at once.
var oneByte = []string{"s=Secret", "p=Public"}

// A verdict holds for the bytes that were judged, and the call is done with those bytes,
// whatever the thread beside it writes into them.
func TestAttackFlippedPath(t *testing.T) {
	program := attack(t, "flip")
	for _, way := range []string{"open", "openat", "openat2"} {
		t.Run(way, func(t *testing.T) {
			asEach(t, oneByte, func(t *testing.T, a *arena) {
				a.race(t, []string{"deny read s"}, program, way, attackTries(), a.path("p"), a.path("s"))
			})
		})
	}
}

func TestAttackFlippedFlags(t *testing.T) {
	program := attack(t, "flip")
	asEach(t, oneByte, func(t *testing.T, a *arena) {
		a.race(t, []string{"deny write s"}, program, "how", attackTries(), a.path("p"), a.path("s"))
	})
}

// The calls that change a file by its path.
func TestAttackFlippedPathOfChange(t *testing.T) {
	program := attack(t, "flip")
	for way, rule := range map[string]string{
		"chmod":    "deny attr s",
		"truncate": "deny write s",
		"unlink":   "deny delete s",
	} {
		t.Run(way, func(t *testing.T) {
			asEach(t, oneByte, func(t *testing.T, a *arena) {
				a.race(t, []string{rule}, program, way, attackTries(), a.path("p"), a.path("s"))
			})
		})
	}
}

// A path that cannot be read is EFAULT. It is never left to the kernel to read it, as it
// may find it then.
func TestAttackVanishingPage(t *testing.T) {
	program := attack(t, "page")
	for _, way := range []string{"protect", "unmap"} {
		t.Run(way, func(t *testing.T) {
			asEach(t, twoFiles, func(t *testing.T, a *arena) {
				got := a.race(t, []string{"deny read secret"}, program, way, attackTries(), a.path("public"), a.path("secret"))
				if n := got.number(t, "odd"); n != 0 {
					t.Errorf("%d opens failed, and neither with EFAULT nor with EACCES:\n%s", n, got.stdout)
				}
			})
		})
	}
}

func TestAttackPathAtEdge(t *testing.T) {
	program := attack(t, "edge")
	asEach(t, []string{"file=x"}, func(t *testing.T, a *arena) {
		a.same(t, program, a.dir, "file")
		a.refuse(t, []string{"deny read file"}, func(name, bare string) string {
			if bare == "ok" {
				return "EACCES"
			}
			return bare
		}, program, a.dir, "file")
	})
}

func TestAttackFromThread(t *testing.T) {
	program := attack(t, "threads")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		a.refuse(t, []string{"deny read secret"}, denies([]string{"leader_there_secret", "own_files_secret", "leader_gone_secret"}), program, a.dir)
	})
}

// What is known of a process before it executes a program is not true afterwards.
func TestAttackAcrossExec(t *testing.T) {
	program := attack(t, "execs")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		const times = "300"
		got := a.race(t, []string{"deny read secret"}, program, times, a.path("public"), a.path("secret"))
		if got.results()["innocent"] != times {
			t.Errorf("the public file could not be opened each of %s times:\n%s%s", times, got.stdout, got.stderr)
		}
	})
}

var twoDirectories = []string{"secret/", "public/", "base/", "secret/file=Secret", "public/file=Public"}

// What a path leads to changes while it is resolved.
func TestAttackSwap(t *testing.T) {
	program := attack(t, "swap")
	for _, way := range []string{"directory", "file", "link", "chdir", "descriptor"} {
		t.Run(way, func(t *testing.T) {
			asEach(t, twoDirectories, func(t *testing.T, a *arena) {
				rules := []string{"deny read secret/**"}
				if a.uid != 0 {
					rules = []string{"default deny", "allow all base/**", "allow all public/**", "allow read " + program, "allow exec " + program}
				}
				a.race(t, rules, program, way, attackTries(), a.dir)
			})
		})
	}
}

// Below a descriptor of a directory, names are what the directory is called when they
// are used, not what it was called when it was opened.
func TestAttackMovedDirectory(t *testing.T) {
	program := attack(t, "outside")
	files := []string{"public/moved/", "public/moved/file=P", "secret/"}
	asEach(t, files, func(t *testing.T, a *arena) {
		for _, gate := range []bool{false, true} {
			a.fresh(t)
			argv, after := []string{program, a.path("public/moved"), "1"}, "ok 1\ndenied 0\nodd 0\n"
			if gate {
				argv, after = a.gate([]string{"deny read secret/**"}, argv...), "ok 0\ndenied 1\nodd 0\n"
			}
			got := a.meet(t, func() {
				if err := os.Rename(a.path("public/moved"), a.path("secret/moved")); err != nil {
					t.Fatal(err)
				}
			}, argv...)
			got.demandCode(t, "moved", 0)
			if want := "before ok\n" + after; got.stdout != want {
				t.Errorf("gate %v: %q, want %q", gate, got.stdout, want)
			}
		}
	})
}

// While somebody moves the directory to and fro, each open is either allowed or denied.
func TestAttackMovingDirectory(t *testing.T) {
	program := attack(t, "outside")
	files := []string{"public/moved/", "public/moved/file=P", "secret/"}
	asEach(t, files, func(t *testing.T, a *arena) {
		for _, gate := range []bool{false, true} {
			a.fresh(t)
			argv := []string{program, a.path("public/moved"), attackTries()}
			if gate {
				argv = a.gate([]string{"deny read secret/**"}, argv...)
			}
			stop, stopped := make(chan struct{}), make(chan struct{})
			got := a.meet(t, func() {
				go func() {
					defer close(stopped)
					for {
						select {
						case <-stop:
							return
						default:
						}
						os.Rename(a.path("public/moved"), a.path("secret/moved"))
						os.Rename(a.path("secret/moved"), a.path("public/moved"))
					}
				}()
			}, argv...)
			close(stop)
			<-stopped
			got.demandCode(t, "moving", 0)
			ok, denied, odd := got.number(t, "ok"), got.number(t, "denied"), got.number(t, "odd")
			if ok == 0 || odd != 0 || gate == (denied == 0) {
				t.Errorf("gate %v: %d ok, %d denied, %d failed in another way", gate, ok, denied, odd)
			}
		}
	})
}
