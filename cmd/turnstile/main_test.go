package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// TestMain makes the test binary play turnstile as well: the tests find it in PATH.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"turnstile": main, "landlocked": landlocked})
}

// needObserve skips a test that cannot watch anything here.
func needObserve(t testing.TB) {
	t.Helper()
	testenv.Root(t)
	if err := kernel.Check(kernel.Observe); err != nil {
		testenv.Lack(t, err.Error())
	}
}

// observation is a run of turnstile observe that has ended.
type observation struct {
	code           int
	stdout, stderr string
	doc            *trace.Document
}

// watched runs turnstile observe with -o and arguments, and reads the trace.
func watched(t testing.TB, args ...string) observation {
	t.Helper()
	r := tryWatch(t, args...)
	if r.doc == nil {
		t.Fatalf("turnstile observe %q wrote no trace; exit code %d\n%s", args, r.code, r.stderr)
	}
	return r
}

func tryWatch(t testing.TB, args ...string) observation {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace.json")
	cmd := exec.Command("turnstile", append([]string{"observe", "-o", file}, args...)...)
	return finish(t, cmd, file)
}

// finish runs a command that writes a trace to file.
func finish(t testing.TB, cmd *exec.Cmd, file string) observation {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := observation{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if f, err := os.Open(file); err == nil {
		defer f.Close()
		if r.doc, err = trace.Decode(f); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// calls are the counts of calls in a trace by process id and name; names of other
// ABIs than the machine's have the ABI in front.
func calls(d *trace.Document) map[int]map[string]int {
	all := make(map[int]map[string]int)
	for _, s := range d.Syscalls {
		name := s.Name
		if s.ABI != d.Host.Arch {
			name = s.ABI + ":" + name
		}
		for id, n := range s.ByProcess {
			if all[id] == nil {
				all[id] = make(map[string]int)
			}
			all[id][name] += int(n)
		}
	}
	return all
}

// total is how often a call was made, by all.
func total(d *trace.Document, name string) int {
	var n uint64
	for _, s := range d.Syscalls {
		if s.Name == name && s.ABI == d.Host.Arch {
			n += s.Count
		}
	}
	return int(n)
}

// target builds a program from testdata/targets and returns its path.
func target(t testing.TB, name string, flags ...string) string {
	t.Helper()
	if dir := os.Getenv("TURNSTILE_TARGETS"); dir != "" {
		return filepath.Join(dir, name)
	}
	testenv.Program(t, "gcc")
	out := filepath.Join(t.TempDir(), name)
	args := append([]string{"-O1", "-Wall", "-Werror", "-static", "-pthread", "-o", out, filepath.Join("testdata", "targets", name+".c")}, flags...)
	if b, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, b)
	}
	return out
}
