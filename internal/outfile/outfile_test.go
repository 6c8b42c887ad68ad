package outfile

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommitReplaces(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	write(t, name, "old")
	out := create(t, name)
	out.Write([]byte("new"))
	if got := read(t, name); got != "old" {
		t.Errorf("before the commit the file is %q", got)
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, name); got != "new" {
		t.Errorf("after the commit the file is %q", got)
	}
	out.Abort()
	if diff := cmp.Diff([]string{"f"}, list(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestAbortLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	write(t, name, "old")
	out := create(t, name)
	out.Write([]byte("new"))
	out.Abort()
	if got := read(t, name); got != "old" {
		t.Errorf("the file is %q", got)
	}
	if diff := cmp.Diff([]string{"f"}, list(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := out.Commit(); err != nil || read(t, name) != "old" {
		t.Errorf("a commit after the abort: %v", err)
	}
}

func TestThroughLinks(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a")
	for from, to := range map[string]string{"a": "b", "b": filepath.Join(dir, "c")} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	out := create(t, name)
	out.Write([]byte("x"))
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(dir, "c")); got != "x" {
		t.Errorf("the file is %q", got)
	}
	if _, err := os.Readlink(name); err != nil {
		t.Errorf("the link is gone: %v", err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(dir, "loop"), nil); err == nil {
		t.Error("no error for a link to itself")
	}
}

func TestNotRegular(t *testing.T) {
	out := create(t, "/dev/null")
	if _, err := out.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := out.Commit(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode()&os.ModeDevice == 0 {
		t.Fatalf("/dev/null is no device any more: %v, %v", info, err)
	}
}

// A shell passes the pipe of >(command) as the name of a descriptor.
func TestPipeOfAShell(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := create(t, fmt.Sprintf("/dev/fd/%d", w.Fd()))
	w.Close()
	if _, err := out.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := out.Commit(); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "x" {
		t.Errorf("the reader has %q, %v", b, err)
	}
}

func TestFullDevice(t *testing.T) {
	out := create(t, "/dev/full")
	if _, err := out.Write([]byte("x")); err == nil || err.Error() != `writing "/dev/full": no space left on device` {
		t.Errorf("error %v", err)
	}
	out.Abort()
}

func create(t *testing.T, name string) *File {
	t.Helper()
	out, err := Create(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
