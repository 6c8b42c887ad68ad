package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// What is generated is what make can build.
func TestProjectBuilds(t *testing.T) {
	testenv.Program(t, "make", "gcc")
	dir := filepath.Join(t.TempDir(), "project")
	if err := writeProject(dir, 3); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, objectDir), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("make", "-s", "-j2", "-C", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("make: %v\n%s", err, out)
	}
	objects, err := filepath.Glob(filepath.Join(dir, objectDir, "*.o"))
	if err != nil || len(objects) != 3 {
		t.Errorf("objects %q, %v, want 3", objects, err)
	}
}
