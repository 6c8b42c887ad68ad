package main

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// The execs have the program that was asked for, who interprets it, and what the new
// image got as its arguments.
func TestExecs(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	for name, text := range map[string]string{
		"script":  "#!/bin/sh\n:\n",
		"outer":   "#!" + dir + "/script with one argument\n",
		"no_line": "exit 0\n",
	} {
		write(t, filepath.Join(dir, name), text)
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	shell := realPath(t, "/bin/sh")
	yes := realPath(t, "/bin/true")
	fexec := target(t, "fexec")
	script := `cd "$1"; ./script a; ./outer b; "$2" /bin/true; PATH=/nowhere:/also/nowhere; no_such_program; /bin/true; exit 0`
	for _, mode := range [][]string{{"-q"}, {"-q", "--files"}, {"-q", "--all"}} {
		r := watched(t, append(mode, "--", "sh", "-c", script, "sh", dir, fexec)...)
		demandExit(t, r, 0)
		demandComplete(t, r)
		var got []string
		for _, x := range r.doc.Execs {
			line := fmt.Sprintf("%s %q", short(x.Path, dir), x.Argv)
			if x.Interpreter != "" {
				line += " by " + x.Interpreter
			}
			if len(x.Errors) > 0 {
				line += fmt.Sprintf(" errors{%s}", counts(x.Errors))
			}
			got = append(got, fmt.Sprintf("%s count %d", line, x.Count))
		}
		want := []string{
			fmt.Sprintf("%s %q count 1", shell, []string{"sh", "-c", script, "sh", dir, fexec}),
			fmt.Sprintf("./script %q by %s count 1", []string{"/bin/sh", "./script", "a"}, shell),
			fmt.Sprintf("./outer %q by %s count 1", []string{"/bin/sh", dir + "/script", "with one argument", "./outer", "b"}, shell),
			fmt.Sprintf("%s %q count 1", fexec, []string{fexec, "/bin/true"}),
			fmt.Sprintf("%s %q count 1", yes, []string{"named"}),
			fmt.Sprintf("%s %q count 1", yes, []string{"/bin/true"}),
		}
		demandLines(t, got, want)
		for _, x := range r.doc.Execs {
			p := r.doc.Processes[*x.Process]
			if x.Path == yes && p.Exe != yes {
				t.Errorf("process %d executed %s last, but its exe is %s", p.PID, x.Path, p.Exe)
			}
		}
	}
}

func realPath(t *testing.T, path string) string {
	t.Helper()
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// Everything that an execve maps or interprets is executed: the program, each
// script of a chain, their interpreter, and the ELF interpreter.
func TestExecIsEveryImage(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	for name, text := range map[string]string{
		"inner": "#!/bin/sh\n:\n",
		"outer": "#!" + dir + "/inner\n",
	} {
		write(t, filepath.Join(dir, name), text)
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := watched(t, "-q", "--files", "--", dir+"/outer")
	demandExit(t, r, 0)
	demandComplete(t, r)
	want := []string{dir + "/outer", dir + "/inner", realPath(t, "/bin/sh")}
	if loader := loaderOf(t, "/bin/sh"); loader != "" {
		want = append(want, realPath(t, loader))
	}
	for _, path := range want {
		if !slices.ContainsFunc(r.doc.Files, func(f *trace.File) bool { return f.Path == path && f.Classes&event.Exec != 0 }) {
			t.Errorf("%s is not among the files of class exec", path)
		}
	}
}

// loaderOf is the ELF interpreter of a program, "" for a static one.
func loaderOf(t *testing.T, program string) string {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		b := make([]byte, p.Filesz)
		if _, err := p.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		return strings.TrimRight(string(b), "\x00")
	}
	return ""
}

// Arguments are recorded whole up to a limit that builds stay below. Beyond it they
// are cut, and the trace says so.
func TestLongArguments(t *testing.T) {
	needObserve(t)
	for length, whole := range map[int]bool{16_000: true, 20_000: false} {
		long := strings.Repeat("x", length)
		r := watched(t, "-q", "--", "true", long)
		demandExit(t, r, 0)
		argv := r.doc.Execs[0].Argv
		if len(argv) != 2 || (argv[1] == long) != whole || !strings.HasPrefix(long, argv[1]) {
			t.Errorf("%d bytes: argv has %d strings", length, len(argv))
		}
		if r.doc.Complete.Processes != whole || (r.doc.Lost["argv"] == 0) != whole {
			t.Errorf("%d bytes: complete is %s, lost %v", length, asJSON(t, r.doc.Complete), r.doc.Lost)
		}
	}
}
