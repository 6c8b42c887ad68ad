package emit

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// everyCall makes all calls of this machine's own ABI part of a trace.
func everyCall(t testing.TB, d *trace.Document) {
	t.Helper()
	abi := map[string]event.ABI{"amd64": event.X8664, "arm64": event.ARM64}[runtime.GOARCH]
	d.Host.Arch = abi.String()
	for _, nr := range syscalls.All(abi) {
		d.Syscalls = append(d.Syscalls, &trace.Syscall{Name: syscalls.Name(abi, nr), Nr: nr, ABI: abi.String(), Count: 1})
	}
}

// system adds what is needed to run the programs of this machine.
func system(p *profile.Profile) {
	for _, dir := range []string{"/usr", "/lib", "/lib64", "/etc"} {
		tree := profile.Literal(dir)
		tree.Tree = true
		p.Files = append(p.Files, profile.File{Pattern: tree, Classes: event.Read | event.Exec | event.List})
	}
}

func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "run.sh")
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	return name
}

// TestBwrapNames: in the sandbox are the files of odd names that were seen, and none of
// those that were not; whatever shell runs the script.
func TestBwrapNames(t *testing.T) {
	testenv.Root(t) // others may not be allowed user namespaces
	testenv.Program(t, "bwrap", "bash", "dash", "find")
	d := ofFiles()
	everyCall(t, d)
	dir := plant(t, d, oddNames())
	for _, unseen := range []string{"unseen", "aXXb", "ab"} {
		if err := os.WriteFile(filepath.Join(dir, unseen), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.Target.Dir = dir
	text, err := heldBy(t, &bwrap, d, system)
	if err != nil {
		t.Fatal(err)
	}
	file := script(t, text)
	want := oddNames()
	for i, n := range want {
		want[i] = filepath.Join(dir, n)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	for _, shell := range [][]string{{"dash"}, {"bash"}, {"env", "LC_ALL=C.UTF-8", "bash", "--posix"}} {
		out, err := exec.Command(shell[0], append(shell[1:], file, "find", dir, "-type", "f", "-print0")...).Output() //nolint:gosec // a test
		if err != nil {
			t.Fatalf("%v: %v\n%s", shell, err, out)
		}
		got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%v: %d files, want %d\n%q\n%q", shell, len(got), len(want), got, want)
		}
	}
}

// TestBwrapArguments: the command of the trace comes out of the script as it went in.
func TestBwrapArguments(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "bwrap")
	d := ofFiles()
	everyCall(t, d)
	d.Target.Dir = "/"
	d.Target.Argv = append([]string{"/usr/bin/printf", `%s\0`, ""}, oddNames()...)
	text, err := heldBy(t, &bwrap, d, system)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", script(t, text)).Output() //nolint:gosec // a test
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Join(d.Target.Argv[2:], "\x00") + "\x00"; string(out) != want {
		t.Errorf("%q, want %q", out, want)
	}
}

// TestBwrapLinks: symbolic links lead where they lead outside, also those of directories and
// chains of them; what a loop leads to is not there.
func TestBwrapLinks(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "bwrap")
	d := ofFiles()
	everyCall(t, d)
	dir := plant(t, d, []string{"real\n"})
	for name, to := range map[string]string{"first": "second", "second": "real\n", "up": "../" + filepath.Base(dir) + "/first", "here": dir, "loop": "loop", "gone": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	d.Files[0].Asked = []string{dir + "/up", dir + "/here/first", dir + "/loop", dir + "/gone", "here/here/up"}
	d.Target.Dir = dir
	text, err := heldBy(t, &bwrap, d, system)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", script(t, text), "cat", dir+"/up", dir+"/here/first", "here/here/up", dir+"/real\n") //nolint:gosec // a test
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if out, err := cmd.Output(); err != nil || string(out) != "xxxx" {
		t.Errorf("%q, %v\n%s", out, err, stderr.String())
	}
}

// TestBwrapNestedTrees: a directory that is written to may be in a tree that is only read,
// and the other way round.
func TestBwrapNestedTrees(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "bwrap")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"read/write", "write/read"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d := ofFiles()
	everyCall(t, d)
	d.Files = append(d.Files, file(dir+"/read/write/new", event.Create|event.Write, event.OpOpen), file(dir+"/write/new", event.Create|event.Write, event.OpOpen))
	text, err := heldBy(t, &bwrap, d, func(p *profile.Profile) {
		system(p)
		for _, sub := range []string{"/read", "/write/read"} {
			tree := profile.Literal(dir + sub)
			tree.Tree = true
			p.Files = append(p.Files, profile.File{Pattern: tree, Classes: event.Read})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", script(t, text), "sh", "-c", `cd "$1" && for f in read/x read/write/new write/new write/read/x; do true 2>/dev/null > $f && echo $f; done`, "sh", dir).CombinedOutput() //nolint:gosec // a test
	if string(out) != "read/write/new\nwrite/new\nwrite/read/x\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestBwrapWildcards: a wildcard stands for the files that are there, and what is around it
// only for itself.
func TestBwrapWildcards(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "bwrap", "find")
	d := ofFiles()
	everyCall(t, d)
	dir := plant(t, d, []string{"lib[1] '$x.so.1", "lib[1] '$x.so.22", "lib1 '$x.so.1", "other"})
	d.Files = nil
	text, err := heldBy(t, &bwrap, d, func(p *profile.Profile) {
		system(p)
		pattern := profile.Literal(dir).With(profile.Name{"lib[1] '$x.so.", ""})
		p.Files = append(p.Files, profile.File{Pattern: pattern, Classes: event.Read})
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", script(t, text), "find", dir, "-type", "f", "-printf", `%f\n`).Output() //nolint:gosec // a test
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	if want := []string{"lib[1] '$x.so.1", "lib[1] '$x.so.22"}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("%q, want %q; %v", lines, want, err)
	}
}
