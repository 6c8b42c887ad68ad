package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// healthy is what a machine says in which all is well.
const healthy = `[    0.000000] Linux version 6.12
@matrix features {"bpf.loop":"present","bpf.fentry":"missing"}
@matrix begin cmd/turnstile
=== RUN   TestFiles
--- PASS: TestFiles (7.60s)
    --- PASS: TestFiles/all (1.72s)
=== RUN   TestFentry
    targets_test.go:10: SKIPPED: the kernel has no fentry
--- SKIP: TestFentry (0.00s)
PASS

@matrix end cmd/turnstile 0

@matrix done
[    9.000000] reboot: Power down
`

func resultOf(console string) *result {
	r := newResult(io.Discard, rows[0], "linux-image", "")
	for line := range strings.Lines(console) {
		r.read(strings.TrimRight(line, "\n"))
	}
	r.close(1)
	return r
}

func TestHealthyMachine(t *testing.T) {
	r := resultOf(healthy)
	if !r.ok() || r.passed != 2 || r.features["bpf.loop"] != "present" {
		t.Errorf("%+v", r)
	}
	if want := []string{"cmd/turnstile.TestFentry"}; !slices.Equal(r.skipped["the kernel has no fentry"], want) {
		t.Errorf("skipped: %v", r.skipped)
	}
}

// TestSickMachines: everything that can go wrong is a failure.
func TestSickMachines(t *testing.T) {
	for name, change := range map[string][2]string{
		"a test fails":           {"--- PASS: TestFiles (7.60s)", "--- FAIL: TestFiles (7.60s)"},
		"a binary fails":         {"end cmd/turnstile 0", "end cmd/turnstile 2"},
		"a binary does not end":  {"@matrix end cmd/turnstile 0", ""},
		"it does not get to end": {"@matrix done", ""},
		"it stops in the middle": {healthy[strings.Index(healthy, "=== RUN   TestFentry"):], ""},
		"it says nothing":        {healthy, ""},
		"process 1 fails":        {"@matrix done", "@matrix failed mounting /proc: EPERM\n@matrix done"},
		"a panic":                {"=== RUN   TestFentry", "[    5.1] Kernel panic - not syncing: Attempted to kill init!"},
		"a bug that it survives": {"=== RUN   TestFentry", "[    5.1] BUG: unable to handle page fault for address: 0"},
		"a warning":              {"=== RUN   TestFentry", "[    5.1] WARNING: CPU: 0 PID: 1 at kernel/bpf/syscall.c:1"},
		"a skip without reason":  {"    targets_test.go:10: SKIPPED: the kernel has no fentry\n", ""},
		"no answers of doctor":   {"@matrix features ", "features "},
	} {
		t.Run(name, func(t *testing.T) {
			console := strings.Replace(healthy, change[0], change[1], 1)
			if console == healthy {
				t.Fatal("the console is not changed")
			}
			if r := resultOf(console); r.ok() {
				t.Errorf("all is well with\n%s", console)
			}
		})
	}
}
