package emit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
)

func TestGoSource(t *testing.T) {
	native(t)
	d := profileOf(t, "write", "exit_group")
	d.Target.Argv = hostile
	in := inputOf(t, d, errnoOptions("go"))
	dir := t.TempDir()
	main, err := os.ReadFile("testdata/main.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module probe\n\ngo 1.25\n"))
	writeFile(t, filepath.Join(dir, "main.go"), main)
	source := filepath.Join(dir, "seccompfilter", "filter.go")
	writeFile(t, source, written(t, &goSource, in))
	if out := run(t, dir, exec.Command("gofmt", "-l", ".")); out != "" {
		t.Errorf("gofmt would change %s", out)
	}
	run(t, dir, exec.Command("go", "vet", "./..."))
	run(t, dir, exec.Command("go", "build", "-o", "probe", "."))
	if got, want := run(t, dir, exec.Command(filepath.Join(dir, "probe"))), strings.Repeat("130\n", 8); got != want {
		t.Errorf("%q, want %q: every thread is held", got, want)
	}
	// The control: with the call in the profile the same program makes it.
	in = inputOf(t, profileOf(t, "write", "exit_group", "getppid"), errnoOptions("go"))
	writeFile(t, source, written(t, &goSource, in))
	if got, want := run(t, dir, exec.Command("go", "run", ".")), strings.Repeat("0\n", 8); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	in = inputOf(t, everything(event.X8664, event.I386, event.ARM64, event.ARM), errnoOptions("none"))
	writeFile(t, source, written(t, &goSource, in))
	for _, arch := range []string{"386", "arm64"} {
		cmd := exec.Command("go", "vet", "./seccompfilter")
		cmd.Env = append(os.Environ(), "GOARCH="+arch, "CGO_ENABLED=0")
		run(t, dir, cmd)
	}
}
