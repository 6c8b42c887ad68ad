package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// Under sudo the variables of a policy are those of who called it, and the file is read with
// their rights.
func TestPolicyUnderSudo(t *testing.T) {
	testenv.Root(t)
	a := newArena(t, nobody, "open=x\n")
	a.fresh(t)
	a.uid = 0
	policy := filepath.Join(filepath.Dir(a.dir), "policy.yaml")
	run := func(mode os.FileMode) outcome {
		t.Helper()
		const text = "version: 1\ndefault: allow\nrules:\n  - deny: [read]\n    paths: [\"${HOME}/**\"]\n"
		if err := os.WriteFile(policy, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(policy, mode); err != nil {
			t.Fatal(err)
		}
		return a.run(t, "/usr/bin/env", "SUDO_UID=1", "SUDO_GID=1", "SUDO_USER=daemon", "HOME="+a.dir,
			a.turnstile, "enforce", "-q", "-p", policy, "--", "sh", "-c", `echo "$HOME"; cat "$0"; cat "$HOME/nologin" >/dev/null`, a.path("open"))
	}
	got := run(0o644)
	if got.stdout != "/usr/sbin\nx\n" || !strings.Contains(got.stderr, "/usr/sbin/nologin: Permission denied") {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(0o600); got.code != exitUsage || !strings.Contains(got.stderr, fmt.Sprintf("reading the policy: opening %q: permission denied", policy)) || got.stdout != "" {
		t.Errorf("a file of root: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
