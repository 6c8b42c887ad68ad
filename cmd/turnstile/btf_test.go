package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTypesFromFile: on a kernel that does not describe its types, or seems not to, they
// come from a file.
func TestTypesFromFile(t *testing.T) {
	needObserve(t)
	dir := workDir(t)
	types := filepath.Join(dir, "types")
	copyFile(t, "/sys/kernel/btf/vmlinux", types, 0o644)
	trace := filepath.Join(dir, "trace.json")
	hidden := func(env []string, flags ...string) observation {
		script := `mount -t tmpfs none /sys/kernel/btf && exec turnstile observe "$@"`
		args := append([]string{"-m", "sh", "-c", script, "sh", "-q", "--files", "-o", trace}, flags...)
		cmd := exec.Command("unshare", append(args, "--", "cat", "/etc/passwd")...)
		cmd.Env = append(cmd.Environ(), env...)
		return finish(t, cmd, trace)
	}

	r := hidden(nil)
	if r.code != 125 || r.doc != nil || r.stdout != "" {
		t.Errorf("without types: exit code %d\n%s", r.code, r.stderr)
	}
	for _, want := range []string{"/sys/kernel/btf/vmlinux does not exist", "--btf FILE", "btfhub-archive"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the error does not say %q:\n%s", want, r.stderr)
		}
	}
	for name, r := range map[string]observation{
		"--btf":         hidden(nil, "--btf", types),
		"TURNSTILE_BTF": hidden([]string{"TURNSTILE_BTF=" + types}),
	} {
		demandExit(t, r, 0)
		// Linux 7 without types of its own has only hooks that miss calls.
		if missed := r.doc.Lost["missed"] != 0; r.doc.Complete.All() == missed {
			t.Errorf("%s: complete %s, lost %v", name, asJSON(t, r.doc.Complete), r.doc.Lost)
		}
		if r.doc.Host.BTF || total(r.doc, "execve") != 0 || total(r.doc, "openat") == 0 {
			t.Errorf("%s: %s", name, asJSON(t, r.doc.Syscalls))
		}
	}
}
