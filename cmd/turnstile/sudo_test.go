package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// TestUnderSudo calls turnstile by the real sudo, as a user without privilege who
// may do that.
func TestUnderSudo(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "sudo")
	binary, dir := copyForNobody(t)
	// sudo reads its rules from a file of root's; this one is for this test.
	rules := "/etc/sudoers.d/turnstile-test"
	if err := os.WriteFile(rules, []byte("nobody ALL=(root) NOPASSWD: "+binary+"\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(rules) })

	sudo := func(args ...string) observation {
		file := filepath.Join(dir, "trace.json")
		os.Remove(file)
		cmd := exec.Command("sudo", append([]string{"-n", binary, "observe", "-o", file}, args...)...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		r := finish(t, cmd, file)
		if r.doc == nil {
			t.Fatalf("no trace; exit code %d\n%s", r.code, r.stderr)
		}
		return r
	}

	r := sudo("--", "sh", "-c", "id -u; id -g; echo $HOME $USER $LOGNAME; touch made")
	if got, want := r.stdout, "65534\n65534\n/nonexistent nobody nobody\n"; got != want {
		t.Errorf("the target said %q, want %q", got, want)
	}
	if !strings.Contains(r.stderr, "turnstile: the command runs as nobody (uid 65534); --user root runs it as root\n") {
		t.Errorf("nothing says who the command runs as:\n%s", r.stderr)
	}
	if r.doc.Target.UID != nobody {
		t.Errorf("the trace says uid %d", r.doc.Target.UID)
	}
	for _, name := range []string{"made", "trace.json"} {
		var st syscall.Stat_t
		if err := syscall.Stat(filepath.Join(dir, name), &st); err != nil {
			t.Fatal(err)
		}
		if st.Uid != nobody {
			t.Errorf("%s belongs to uid %d", name, st.Uid)
		}
	}

	if r := sudo("-q", "--user", "root", "--", "id", "-u"); r.stdout != "0\n" {
		t.Errorf("with --user root the target ran as %q", r.stdout)
	}

	// A path that only root may write is not written on the user's behalf.
	protected := filepath.Join(t.TempDir(), "root-only")
	if err := os.WriteFile(protected, []byte("whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.json")
	if err := os.Symlink(protected, link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sudo", "-n", binary, "observe", "-q", "-o", link, "--", "true")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 125 {
		t.Errorf("writing root's file through a link: %v\n%s", err, &stderr)
	}
	if b, err := os.ReadFile(protected); err != nil || string(b) != "whole" {
		t.Errorf("root's file is %q, %v", b, err)
	}
}
