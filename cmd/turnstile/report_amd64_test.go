package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// TestReportArchOfI386 does what TestReportArchOfRealPrograms does with programs of both
// ABIs of the machine.
func TestReportArchOfI386(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "gcc")
	traces := make(map[string]*trace.Document)
	for _, bits := range []string{"-m64", "-m32"} {
		program := filepath.Join(t.TempDir(), "libc")
		if out, err := exec.Command("gcc", bits, "-O1", "-Wall", "-Werror", "-Wno-nonnull", "-pthread", "-o", program, "testdata/targets/libc.c").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		traces[bits] = watched(t, "-q", "--", program, t.TempDir()).doc
	}
	checkTakenOver(t, traces["-m64"], traces["-m32"], event.I386)
}
