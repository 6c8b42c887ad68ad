package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// What a program does on behalf of another has to be what the other would have done. The
// tests here compare what a program finds bare and gated.

func TestAttackFIFOs(t *testing.T) {
	program := attack(t, "fifos")
	asEach(t, nil, func(t *testing.T, a *arena) { a.same(t, program, a.dir) })
}

// However many wait for the other end of a pipe, who opens that end gets it.
func TestAttackCrowdAtFIFO(t *testing.T) {
	program := attack(t, "fifos")
	a := newArena(t, 0)
	for _, gate := range []bool{false, true} {
		a.fresh(t)
		argv := []string{program, a.dir, "300"}
		if gate {
			argv = a.gate(nowhere, argv...)
		}
		got := a.run(t, argv...)
		got.demandCode(t, "crowd", 0)
		if got.number(t, "crowd") != 300 || got.results()["beside_crowd"] != "ok" {
			t.Errorf("gate %v:\n%s%s", gate, got.stdout, got.stderr)
		}
	}
}

func TestAttackNewModes(t *testing.T) {
	program := attack(t, "new_modes")
	testenv.Program(t, "setfacl")
	asEach(t, []string{"plain/", "setgid/", "acl/"}, func(t *testing.T, a *arena) {
		a.more = func(t testing.TB, dir string) {
			// A group that who makes files there is not in.
			setgid := filepath.Join(dir, "setgid")
			if err := os.Lchown(setgid, a.uid, 1); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(setgid, 0o777|os.ModeSetgid); err != nil {
				t.Fatal(err)
			}
			if b, err := exec.Command("setfacl", "-d", "-m", "u:1:rwx,g::rx,o::x", filepath.Join(dir, "acl")).CombinedOutput(); err != nil {
				t.Fatalf("setfacl: %v\n%s", err, b)
			}
		}
		a.same(t, program, a.dir)
	})
}

func TestAttackExclusive(t *testing.T) {
	program := attack(t, "exclusive")
	asEach(t, nil, func(t *testing.T, a *arena) {
		a.same(t, program, a.dir, fmt.Sprint(inFull(500)))
	})
}

// A descriptor without access cannot be given away, so openat2 with O_PATH is ENOSYS.
func TestAttackOpenFlags(t *testing.T) {
	program := attack(t, "open_flags")
	files := []string{"dir/", "file=content", "link -> file", "link_to_dir -> dir", "fifo|"}
	asEach(t, files, func(t *testing.T, a *arena) { a.sameAs(t, without(`openat2 \S+ read path .*`), program, a.dir) })
}

func TestAttackTerminals(t *testing.T) {
	program := attack(t, "tty")
	asEach(t, nil, func(t *testing.T, a *arena) {
		t.Run("without one", func(t *testing.T) {
			a.attr = func(attr *syscall.SysProcAttr) { attr.Setpgid, attr.Setsid = false, true }
			a.sameAs(t, tookByOpen, program)
		})
		t.Run("with one", func(t *testing.T) {
			a.attr = func(attr *syscall.SysProcAttr) {
				attr.Setpgid, attr.Setsid, attr.Setctty, attr.Ctty = false, true, true, 0
			}
			for _, flags := range [][]string{nil, {"--perform-all"}} {
				a.stdin = terminal(t)
				want := a.bare(t, program)
				if !strings.Contains(want.stdout, "at_start_controls 1") {
					t.Fatalf("there is no terminal:\n%s", want.stdout)
				}
				a.stdin = terminal(t)
				got := a.gated(t, append(flags, nowhere...), program)
				if diff := attackDiff(tookByOpen(want.stdout), tookByOpen(got.stdout)); diff != "" || got.code != want.code {
					t.Errorf("%q: exit code %d, want %d; stdout: -bare +gated\n%s\n%s", flags, got.code, want.code, diff, got.stderr)
				}
			}
		})
	})
}

// terminal is the side of a new pseudo terminal that programs use.
func terminal(t testing.TB) *os.File {
	t.Helper()
	_, slave := testenv.Terminal(t)
	if err := os.Chmod(slave.Name(), 0o666); err != nil { //nolint:gosec // the user nobody has it
		t.Fatal(err)
	}
	return slave
}

func TestAttackLimits(t *testing.T) {
	program := attack(t, "limits")
	asEach(t, []string{"file=abc"}, func(t *testing.T, a *arena) { a.sameAs(t, without(`full_missing .*`), program, a.dir) })
}

// The kernel protects what others have put into a directory like /tmp.
func TestAttackSticky(t *testing.T) {
	program := attack(t, "sticky")
	for owner, name := range map[int]string{0: "of root", 1: "of another user"} {
		t.Run(name, func(t *testing.T) {
			a := newArena(t, nobody)
			a.more = func(t testing.TB, dir string) {
				for sub, mode := range map[string]os.FileMode{"sticky": 0o777 | os.ModeSticky, "plain": 0o777, "group": 0o775 | os.ModeSticky} {
					sub = filepath.Join(dir, sub)
					lay(t, dir, []string{filepath.Base(sub) + "/"})
					lay(t, sub, []string{"file=x", "closed=x", "fifo|", "link -> file"})
					for _, f := range []string{"file", "closed", "fifo", "link"} {
						chown(t, filepath.Join(sub, f), owner)
					}
					for f, m := range map[string]os.FileMode{"file": 0o666, "fifo": 0o666, "closed": 0o600, "": mode} {
						if err := os.Chmod(filepath.Join(sub, f), m); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := os.Lchown(filepath.Join(dir, "group"), 0, nobody); err != nil {
					t.Fatal(err)
				}
			}
			a.same(t, program, a.path("sticky"), a.path("plain"), a.path("group"))
		})
	}
}

// Turnstile that root started does nothing for a process that is not root any more which
// that process could not do.
func TestAttackDroppedRights(t *testing.T) {
	program := attack(t, "drop")
	for _, way := range []string{"all", "user", "effective", "fsuid", "capabilities", "thread", "process"} {
		t.Run(way, func(t *testing.T) {
			a := newArena(t, 0, "file=x", "group=x", "closed/", "closed/inside=x", "closed/empty/", "open/", "others/", "others/file=x")
			var socket net.Listener
			a.more = func(t testing.TB, dir string) {
				for f, m := range map[string]os.FileMode{"file": 0o600, "group": 0o640, "closed": 0o700, "open": 0o777, "others/file": 0o400} {
					if err := os.Chmod(filepath.Join(dir, f), m); err != nil {
						t.Fatal(err)
					}
				}
				chown(t, filepath.Join(dir, "others", "file"), 1)
				var err error
				if socket, err = net.Listen("unix", filepath.Join(dir, "socket")); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { socket.Close() })
				if err := os.Chmod(filepath.Join(dir, "socket"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if way == "all" {
				if r := a.bare(t, program, way, a.dir).results(); r["read"] != "EACCES" || r["mine"] != "100640 uid 65534 gid 65534" {
					t.Errorf("without a gate: the attack proves nothing: %q", r)
				}
			}
			a.same(t, program, way, a.dir)
		})
	}
}

func TestAttackLeases(t *testing.T) {
	program := attack(t, "leases")
	asEach(t, []string{"file=x", "locked=x"}, func(t *testing.T, a *arena) { a.same(t, program, a.dir) })
}

func TestAttackBusyPrograms(t *testing.T) {
	program := attack(t, "busy")
	asEach(t, nil, func(t *testing.T, a *arena) { a.same(t, program, a.dir, "300") })
}

var interruptions = regexp.MustCompile(`(?m)^interrupted \d+\n`)

func TestAttackSignals(t *testing.T) {
	program := attack(t, "storm")
	for _, way := range []string{"children", "timer"} {
		t.Run(way, func(t *testing.T) {
			asEach(t, nil, func(t *testing.T, a *arena) {
				clean := func(s string) string { return s }
				if way == "children" {
					// A signal that comes before the call is received interrupts it, whatever
					// the supervisor does.
					clean = func(s string) string { return interruptions.ReplaceAllString(s, "") }
				}
				a.sameAs(t, clean, program, way, a.dir, fmt.Sprint(inFull(500)))
			})
		})
	}
}

// Nobody without privilege may look into a process that is not dumpable. What was denied
// to it is denied still, and it can go on with its work.
func TestAttackNotDumpable(t *testing.T) {
	program := attack(t, "dumpable")
	asEach(t, twoFiles, func(t *testing.T, a *arena) {
		a.same(t, program, a.path("public"), a.path("secret"))
		a.refuse(t, []string{"deny read secret"}, denies([]string{"secret", "child_secret"}), program, a.path("public"), a.path("secret"))
	})
}

// tookByOpen takes out that a session leader gets a controlling terminal by opening one:
// for that it has to open it itself.
var tookByOpen = without(`took_by_open .*`)

// without takes lines out of an output that differ for a reason.
func without(line string) func(string) string {
	pattern := regexp.MustCompile(`(?m)^(?:` + line + `)\n`)
	return func(text string) string { return pattern.ReplaceAllString(text, "") }
}
