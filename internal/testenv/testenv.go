// Package testenv is what the tests of the kernel side share: it says loudly why a
// test cannot run here, and fails a test that is skipped although it could.
package testenv

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// strict is set where everything is expected to run: by make test as root. A skip
// for any reason but the kernel is then a failure.
func strict() bool { return os.Getenv("TURNSTILE_TEST_STRICT") != "" }

// Root skips the test unless it runs as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		lack(t, "it needs root")
	}
}

// Kernel skips the test if the kernel lacks a feature. It fails the test if the
// kernel is new enough to have it, and nothing forbids it.
func Kernel(t testing.TB, ids ...kernel.ID) {
	t.Helper()
	running, err := kernel.Running()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range kernel.Probe(ids...) {
		if r.Present() {
			continue
		}
		since, err := kernel.ParseVersion(r.Since)
		switch {
		case r.Cause == kernel.CausePolicy:
			t.Skipf("SKIPPED: %s: %s", r.Name, r.Reason)
		case r.Cause == kernel.CausePrivilege:
			lack(t, r.Reason)
		case err == nil && running.AtLeast(since.Major, since.Minor):
			t.Fatalf("%s is missing although Linux has it since %s and this is %v: %s", r.Name, r.Since, running, r.Reason)
		default:
			t.Skipf("SKIPPED: %s, since Linux %s: %s", r.Name, r.Since, r.Reason)
		}
	}
}

// Program skips the test if a program is not installed.
func Program(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			lack(t, "the program "+name+" is not installed (make test-tools installs it)")
		}
	}
}

// Lack skips the test for a reason that must not occur where everything is
// expected to run.
func Lack(t testing.TB, reason string) {
	t.Helper()
	lack(t, reason)
}

func lack(t testing.TB, reason string) {
	t.Helper()
	if strict() {
		t.Fatalf("cannot run: %s", reason)
	}
	t.Skipf("SKIPPED: %s", strings.TrimSpace(reason))
}
