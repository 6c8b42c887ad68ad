package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// reported runs turnstile report, and returns what it wrote to stdout and stderr.
func reported(t testing.TB, args ...string) (stdout []byte, stderr string) {
	t.Helper()
	var out, told bytes.Buffer
	cmd := exec.Command("turnstile", append([]string{"report"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &told
	if err := cmd.Run(); err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, told.String())
	}
	return out.Bytes(), told.String()
}

// observed writes a trace of a command and returns the name of the file.
func observed(t testing.TB, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace.json")
	cmd := exec.Command("turnstile", append([]string{"observe", "-q", "-o", file, "--strict"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	return file
}

// filtered runs a command under a filter, which bwrap loads.
func filtered(t testing.TB, filter []byte, argv ...string) (string, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "filter")
	if err := os.WriteFile(name, filter, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command("bwrap", append([]string{"--dev-bind", "/", "/", "--seccomp", "3"}, argv...)...)
	cmd.ExtraFiles = []*os.File{f}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestReportFilterOfPrograms holds real programs to what they were seen to do: they do it
// again, and what they were not seen to do is refused with the errno that was asked for.
func TestReportFilterOfPrograms(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "bwrap", "python3", "curl", "gzip")
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		argv  []string
		other []string // the same program, doing something else
		says  string
	}{
		{"cat", []string{"cat", file}, []string{"cat", "--version", "/dev/null"}, ""},
		{"curl", []string{"curl", "-s", "file://" + file}, []string{"curl", "-sS", "http://127.0.0.1:1/"}, "ould"},
		{"gzip", []string{"gzip", "-c", file}, []string{"gzip", "-k", file}, "peration not permitted"},
		{"python3", []string{"python3", "-c", "import json, threading; print(json.dumps([1]))"},
			[]string{"python3", "-c", "import os; os.mkdir('" + dir + "/new')"}, "Operation not permitted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plain, err := exec.Command(tt.argv[0], tt.argv[1:]...).Output()
			if err != nil {
				t.Fatal(err)
			}
			filter, _ := reported(t, "-f", "cbpf", "--args", observed(t, append([]string{"--args", "--"}, tt.argv...)...))
			if out, err := filtered(t, filter, tt.argv...); out != string(plain) || err != nil {
				t.Errorf("held: %q (%v), alone %q", out, err, plain)
			}
			if tt.says == "" {
				return
			}
			if out, err := filtered(t, filter, tt.other...); err == nil || !strings.Contains(out, tt.says) {
				t.Errorf("%q: %q (%v), want an error with %q", tt.other, out, err, tt.says)
			}
		})
	}
	t.Run("errno", func(t *testing.T) {
		seen := observed(t, "--", "python3", "-c", "print(1)")
		script := "import os\ntry: os.mkdir('" + dir + "/new')\nexcept OSError as e: print(e.errno)"
		for errno, want := range map[string]string{"EPERM": "1\n", "ENOSYS": "38\n", "EXDEV": "18\n"} {
			filter, _ := reported(t, "-f", "cbpf", "--errno", errno, seen)
			if out, err := filtered(t, filter, "python3", "-c", script); out != want {
				t.Errorf("%s: %q (%v), want %q", errno, out, err, want)
			}
		}
		filter, _ := reported(t, "-f", "cbpf", "--default-action", "kill", seen)
		out, err := filtered(t, filter, "python3", "-c", script)
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 128+31 {
			t.Errorf("kill: %q (%v)", out, err)
		}
	})
}

// TestReportArchOfRealPrograms takes the trace of a program over to another ABI, and finds
// there what the same program was seen to do under it.
func TestReportArchOfRealPrograms(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		abi      event.ABI
	}{{"x86_64", "arm64", event.ARM64}, {"arm64", "x86_64", event.X8664}} {
		t.Run(tt.abi.String(), func(t *testing.T) {
			var docs []*trace.Document
			for _, arch := range []string{tt.from, tt.to} {
				d, err := readTrace("testdata/same-"+arch+".json", &bytes.Buffer{})
				if err != nil {
					t.Fatal(err)
				}
				docs = append(docs, d)
			}
			checkTakenOver(t, docs[0], docs[1], tt.abi)
		})
	}
}

func checkTakenOver(t *testing.T, from, there *trace.Document, abi event.ABI) {
	t.Helper()
	p, err := profile.New(from, profile.Options{ABIs: []event.ABI{abi}, Always: profile.DefaultAlways})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range there.Syscalls {
		if _, known := syscalls.Known(abi, c.Nr); !known || c.ABI != abi.String() || c.Count == 0 {
			continue
		}
		n++
		if !slices.ContainsFunc(p.CallsOf(abi), func(a profile.Call) bool { return a.Nr == c.Nr }) {
			t.Errorf("%s, which the program makes on %v, is not allowed there", c.Name, abi)
		}
	}
	if n < 30 {
		t.Errorf("only %d calls compared", n)
	}
}

// What a profile allows beyond the trace is in its comments and on stderr.
func TestReportNotesGoToStderr(t *testing.T) {
	out, told := reported(t, "-f", "systemd", "--allow-incomplete", "--args", "--groups", "@basic-io", "--arch", "arm64", "testdata/calls.json")
	for _, want := range []string{
		"@basic-io of systemd 252 was asked for", "systemd allows @default whatever a list says",
		"nobody watched the program on arm64", "openat for open", "a unit file has no arguments",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("stderr lacks %q:\n%s", want, told)
		}
		if !bytes.Contains(out, []byte("# Note: ")) || !bytes.Contains(out, []byte(want)) {
			t.Errorf("the comments lack %q:\n%s", want, out)
		}
	}
	if _, told := reported(t, "-q", "-f", "systemd", "--allow-incomplete", "testdata/calls.json"); told != "" {
		t.Errorf("with --quiet stderr has %q", told)
	}
}
