package enforce

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/plan"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

func TestGrantsOf(t *testing.T) {
	g := grants{
		"/":        {classes: event.Stat, directory: true},
		"/a":       {classes: event.Read, directory: true},
		"/a/b":     {classes: event.Write, directory: true},
		"/a/b/one": {classes: event.Create},
	}
	for name, want := range map[string]event.Class{
		"/": event.Stat, "/x": event.Stat, "/a": event.Stat | event.Read, "/ab": event.Stat, "/a/x/y": event.Stat | event.Read,
		"/a/b/x": event.Stat | event.Read | event.Write, "/a/b/one": event.Stat | event.Read | event.Write | event.Create,
		"/a/b/one/x": event.Stat | event.Read | event.Write,
	} {
		if got := g.of(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestGrantsThatAreMovedByOthers: if a granted directory is not where it was, nothing is
// left to the kernel; a file is forgotten alone.
func TestGrantsThatAreMovedByOthers(t *testing.T) {
	testenv.Landlock(t, 1)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	mustDo(os.Mkdir(in("d"), 0o700))
	mustDo(os.WriteFile(in("f"), nil, 0o600))
	b, err := newBound(&plan.Bound{ABI: 1, Held: event.Read, Grants: []plan.Grant{
		{Path: in("d"), Directory: true, Classes: event.Read}, {Path: in("f"), Classes: event.Read},
		{Path: in("gone"), Classes: event.Read}, {Path: in("f"), Directory: true, Classes: event.Read},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.ruleset.Close()
	root, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(root)
	now := time.Now()
	if all := b.current(root, now); len(all) != 2 {
		t.Fatalf("granted: %v", all)
	}
	mustDo(os.Rename(in("f"), in("g")))
	if all := b.current(root, now.Add(time.Second)); len(all) != 1 || all.of(in("d/x")) != event.Read {
		t.Errorf("without a file: %v", all)
	}
	mustDo(os.Rename(in("d"), in("e")))
	if all := b.current(root, now.Add(2*time.Second)); len(all) != 0 {
		t.Errorf("without a directory: %v", all)
	}
}
