package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// The suites would pass as well if nothing were gated.
func TestTransparentRunsAreGated(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "setpriv")
	for _, as := range []runAs{userRoot, userNobody, userDropped} {
		p := newPlace(t, as)
		w := workload{script: "gated"}
		bare, gated := p.run(t, w), p.run(t, w, p.gate()...)
		if !strings.Contains(bare.stdout, "Seccomp:\t0") {
			t.Errorf("%s, bare: %s%s", as.name, bare.stdout, bare.stderr)
		}
		if p.gate() != nil && !strings.Contains(gated.stdout, "Seccomp:\t2") {
			t.Errorf("%s, gated: %s%s", as.name, gated.stdout, gated.stderr)
		}
	}
}

// The listing of a tree tells trees apart that differ in one thing only.
func TestListingTellsTreesApart(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "setfacl", "setfattr")
	const same = "echo one >file; mkdir dir; ln -s file soft; mkfifo fifo; mknod null c 1 3; "
	seen := make(map[string]string)
	for _, change := range []string{
		"true",
		"echo two >file",
		"rm file",
		"touch new",
		"chmod 600 file",
		"chmod u+s file",
		"chmod +t dir",
		"chown 1 file",
		"chgrp 1 dir",
		"chown -h 1 soft",
		"ln -sf dir soft",
		"ln file hard",
		"ln file dir/hard",
		"ln file hard; ln fifo dir/hard",
		"touch -d 2001-01-01 file",
		"touch -d 2001-01-01T00:00:00.000000001 file",
		"touch -h -d 2001-01-01 soft",
		"setfattr -n user.a -v 1 file",
		"setfattr -n user.a -v 2 file",
		"setfacl -m u:1:r file",
		"setfacl -d -m u:1:r dir",
		"rm null; mknod null c 1 5",
		"truncate -s 1M dir/zeros",
		"head -c 1M /dev/zero >dir/zeros",
	} {
		dir := t.TempDir()
		cmd := exec.Command("sh", "-ec", "umask 022; "+same+change)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", change, err, out)
		}
		text := listing(t, dir, time.Now(), nil)
		if other, ok := seen[text]; ok {
			t.Errorf("%q and %q give the same listing:\n%s", change, other, text)
		}
		seen[text] = change
	}
}

// A file whose bytes differ from run to run counts as the same, one that is gone does not.
func TestListingOfOpaqueFile(t *testing.T) {
	list := func(content string) string {
		dir := t.TempDir()
		if content != "" {
			write(t, filepath.Join(dir, "a.log"), content)
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return listing(t, dir, time.Now(), []string{"*.log"})
	}
	if a, b := list("one"), list("two"); a != b {
		t.Errorf("%s\ndiffers from\n%s", a, b)
	}
	if a, b := list("one"), list(""); a == b {
		t.Errorf("a missing file is not seen:\n%s", a)
	}
}
