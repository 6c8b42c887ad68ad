package emit

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

func jailed(t *testing.T, text string, command ...string) (string, error) {
	t.Helper()
	testenv.Root(t) // others have to be in a list of firejail's
	testenv.Program(t, "firejail")
	name := filepath.Join(t.TempDir(), "test.profile")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("firejail", append([]string{"--quiet", "--profile=" + name}, command...)...) //nolint:gosec // a test
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestFirejailNames: every name is either shown, and nothing like it, or refused.
func TestFirejailNames(t *testing.T) {
	var shown []string
	for _, n := range oddNames() {
		d := ofFiles()
		d.Files = append(d.Files, file("/d/"+n, event.Read, event.OpOpen))
		_, err := heldBy(t, &firejail, d, nil)
		switch {
		case err == nil:
			shown = append(shown, n)
		case !strings.Contains(err.Error(), "the path "):
			t.Errorf("%q: %v", n, err)
		}
	}
	if len(shown) < 200 {
		t.Errorf("only %d names are not refused", len(shown))
	}
	slices.Sort(shown)
	shown = slices.Compact(shown)
	d := ofFiles()
	everyCall(t, d)
	dir := plant(t, d, shown)
	for _, unseen := range []string{"unseen", "aXXb", "ab", "a"} {
		if err := os.WriteFile(filepath.Join(dir, unseen), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := heldBy(t, &firejail, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jailed(t, text, "find", dir, "-type", "f", "-printf", `%f\0`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	slices.Sort(got)
	if !slices.Equal(got, shown) {
		t.Errorf("%d files, want %d\n%q\n%q", len(got), len(shown), got, shown)
	}
}

func TestFirejailActions(t *testing.T) {
	for kind, want := range map[profile.ActionKind]string{profile.Errno: "EPERM", profile.Kill: "kill", profile.Log: "log"} {
		d := ofFiles()
		everyCall(t, d)
		text, err := heldBy(t, &firejail, d, func(p *profile.Profile) { p.Default.Kind = kind })
		if err != nil || !strings.Contains(text, "seccomp-error-action "+want+"\n") {
			t.Errorf("%v: %v\n%s", kind, err, text)
		}
		if out, err := jailed(t, text, "true"); err != nil {
			t.Errorf("%v: %v\n%s", kind, err, out)
		}
	}
	if _, err := heldBy(t, &firejail, ofFiles(), func(p *profile.Profile) { p.Default.Kind = profile.Trap }); err == nil {
		t.Error("firejail has no trap")
	}
	d := ofFiles("read", "restart_syscall")
	d.Syscalls[1].ABI = event.I386.String()
	if _, err := heldBy(t, &firejail, d, nil); err == nil || !strings.Contains(err.Error(), "i386") {
		t.Errorf("firejail has no filter for i386: %v", err)
	}
}
