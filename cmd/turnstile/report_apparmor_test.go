package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// loadAppArmor gives a profile to the kernel, and takes it away when the test has ended.
func loadAppArmor(t *testing.T, file string) {
	t.Helper()
	ran(t, exec.Command("apparmor_parser", "--replace", "--skip-cache", file), "/")      //nolint:gosec // a test
	t.Cleanup(func() { ran(t, exec.Command("apparmor_parser", "--remove", file), "/") }) //nolint:gosec // a test
}

// TestAppArmorHolds: a program works under the profile of it that the kernel has, and what
// was not seen is refused; without the profile it works.
func TestAppArmorHolds(t *testing.T) {
	testenv.AppArmor(t)
	needObserve(t)
	testenv.Program(t, "sqlite3", "apparmor_parser")
	dir, secret := realTemp(t), filepath.Join(realTemp(t), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	sqlite := func(db, sql string) *exec.Cmd {
		return exec.Command("/usr/bin/sqlite3", db, sql) //nolint:gosec // a test
	}
	const work = "create table t(x); insert into t values(7); select x from t; drop table t"
	const planted = "/etc/turnstile-probe"
	t.Cleanup(func() { os.Remove(planted) })
	probe := "select readfile('" + secret + "') is null, writefile('" + planted + "', 'x') is null"

	trace := filepath.Join(t.TempDir(), "trace.json")
	ran(t, exec.Command("turnstile", "observe", "-q", "--files", "--net", "--args", "-o", trace, "--", "/usr/bin/sqlite3", "db", work), dir) //nolint:gosec // a test
	if got := ran(t, sqlite("db", probe), dir); got != "0|0\n" {
		t.Fatalf("without a profile: %q", got)
	}
	for _, collapse := range []string{"none", "all"} {
		t.Run("collapse "+collapse, func(t *testing.T) {
			loadAppArmor(t, profileFile(t, "apparmor", trace, "--collapse", collapse))
			if got := ran(t, sqlite("db", work), dir); got != "7\n" {
				t.Errorf("what was seen: %q", got)
			}
			if got := ran(t, sqlite("db", probe), dir); got != "1|1\n" {
				t.Errorf("what was not seen: %q, want it to fail", got)
			}
		})
	}
	t.Run("log", func(t *testing.T) {
		loadAppArmor(t, profileFile(t, "apparmor", trace, "--default-action", "log"))
		if got := ran(t, sqlite("db", probe), dir); got != "0|0\n" {
			t.Errorf("what was not seen: %q, want it to work", got)
		}
	})
	t.Run("kill", func(t *testing.T) {
		loadAppArmor(t, profileFile(t, "apparmor", trace, "--default-action", "kill"))
		if got := ran(t, sqlite("db", work), dir); got != "7\n" {
			t.Errorf("what was seen: %q", got)
		}
		cmd := sqlite("db", probe)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
			t.Errorf("what was not seen: %v, %q, want it to be killed", cmd.ProcessState, out)
		}
	})
}

// TestAppArmorOfAScript: a profile of a shell holds what it starts, too. It is for one
// start: no other shell has it.
func TestAppArmorOfAScript(t *testing.T) {
	testenv.AppArmor(t)
	needObserve(t)
	testenv.Program(t, "aa-exec", "apparmor_parser")
	dir := realTemp(t)
	const script = `mkdir d && echo x >d/f && cat d/f && rm -r d; [ -z "$1" ] || cat "$1"`
	argv := []string{"/bin/sh", "-c", script, "-"}
	trace := filepath.Join(t.TempDir(), "trace.json")
	ran(t, exec.Command("turnstile", append([]string{"observe", "-q", "--files", "--net", "--args", "-o", trace, "--"}, argv...)...), dir) //nolint:gosec // a test
	file := profileFile(t, "apparmor", trace)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, head, _ := strings.Cut(string(text), "\nprofile ")
	head, _, _ = strings.Cut(head, " {")
	name, attached, ok := strings.Cut(head, " ")
	if !ok {
		t.Fatalf("the profile has no path: %q", head)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), " "+attached+" {", " {", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	loadAppArmor(t, file)
	held := append([]string{"-p", name, "--"}, argv...)
	if got := ran(t, exec.Command("aa-exec", held...), dir); got != "x\n" { //nolint:gosec // a test
		t.Errorf("what was seen: %q", got)
	}
	if got := ran(t, exec.Command(argv[0], append(argv[1:], "/etc/group")...), dir); !strings.HasPrefix(got, "x\nroot:") { //nolint:gosec // a test
		t.Errorf("without the profile: %q", got)
	}
	cmd := exec.Command("aa-exec", append(held, "/etc/group")...) //nolint:gosec // a test
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.HasPrefix(string(out), "x\n") || !strings.Contains(string(out), "Permission denied") {
		t.Errorf("what was not seen: %v, %q", err, out)
	}
}
