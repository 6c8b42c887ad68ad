// Package testenv is what the tests of the kernel side share: it says loudly why a
// test cannot run here, and fails a test that is skipped although it could.
package testenv

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// strict is set where everything is expected to run: by make test as root, and in
// the machines of the matrix. A skip is then a failure.
func strict() bool { return os.Getenv("TURNSTILE_TEST_STRICT") != "" }

// Root skips the test unless it runs as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Lack(t, "it needs root")
	}
}

// Program skips the test if a program is not installed.
func Program(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			Lack(t, "the program "+name+" is not installed (make test-tools installs it)")
		}
	}
}

// Lack skips the test for a reason that must not occur where everything is
// expected to run.
func Lack(t testing.TB, reason string) {
	t.Helper()
	if strict() {
		t.Fatalf("cannot run: %s", reason)
	}
	t.Skipf("SKIPPED: %s", strings.TrimSpace(reason))
}
