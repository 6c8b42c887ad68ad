package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// nobody is a user without any privilege.
const nobody = 65534

// copyForNobody is a copy of turnstile in a directory that nobody may use.
func copyForNobody(t *testing.T) (binary, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "turnstile-test-") //nolint:usetesting // the user nobody has to reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	self, err := exec.LookPath("turnstile")
	if err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "turnstile")
	copyFile(t, self, binary, 0o755)
	return binary, dir
}

// setcapped is such a copy that has the capabilities for observe from its file.
func setcapped(t *testing.T) (binary, dir string) {
	t.Helper()
	needObserve(t)
	testenv.Program(t, "setcap")
	binary, dir = copyForNobody(t)
	if out, err := exec.Command("setcap", enough(t), binary).CombinedOutput(); err != nil {
		t.Fatalf("setcap: %v\n%s", err, out)
	}
	letNobodyOpenEvents(t)
	return binary, dir
}

// letNobodyOpenEvents does what doctor says on kernels where observe needs it.
func letNobodyOpenEvents(t *testing.T) {
	t.Helper()
	if kernel.Probe(kernel.NoPreemption).Get(kernel.NoPreemption).Detail != kernel.PerfEvents {
		return
	}
	remountTracefs(t, "gid="+strconv.Itoa(nobody)+",mode=0750")
	t.Cleanup(func() { remountTracefs(t, "gid=0,mode=0700") })
	const paranoid = "/proc/sys/kernel/perf_event_paranoid"
	before, err := os.ReadFile(paranoid)
	if err != nil {
		t.Fatal(err)
	}
	write(t, paranoid, "2")
	t.Cleanup(func() { write(t, paranoid, string(before)) })
}

func remountTracefs(t *testing.T, options string) {
	t.Helper()
	if err := syscall.Mount("", "/sys/kernel/tracing", "", syscall.MS_REMOUNT, options); err != nil {
		t.Fatalf("remounting tracefs with %q: %v", options, err)
	}
}

// enough are the capabilities that observe needs, as setcap takes them. Before 5.11
// maps count against a limit that has to be raised.
func enough(t *testing.T) string {
	t.Helper()
	v, err := kernel.Running()
	if err != nil {
		t.Fatal(err)
	}
	if v.AtLeast(5, 11) {
		return "cap_bpf,cap_perfmon=ep"
	}
	return "cap_bpf,cap_perfmon,cap_sys_resource=ep"
}

// asNobody runs a command of a user without privilege, which writes a trace.
func asNobody(t *testing.T, dir, binary string, args ...string) observation {
	t.Helper()
	file := filepath.Join(dir, "trace.json")
	os.Remove(file)
	cmd := exec.Command(binary, append([]string{"observe", "-o", file}, args...)...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return finish(t, cmd, file)
}

func TestSetcapIsEnough(t *testing.T) {
	binary, dir := setcapped(t)
	r := asNobody(t, dir, binary, "--files", "--net", "--args", "--", "/bin/sh", "-c", "/bin/ls /etc >/dev/null; id -u")
	if r.code != 0 || r.doc == nil {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	if strings.TrimSpace(r.stdout) != strconv.Itoa(nobody) {
		t.Errorf("the target ran as %q", r.stdout)
	}
	if !r.doc.Complete.All() || len(r.doc.Processes) != 3 || total(r.doc, "execve") == 0 {
		t.Errorf("complete %+v, lost %v, %d processes", r.doc.Complete, r.doc.Lost, len(r.doc.Processes))
	}
}

// TestSetcapWithoutTracefs: the numbers of perf events are nothing that observe cannot
// do without. It may miss calls then, and must not hide that.
func TestSetcapWithoutTracefs(t *testing.T) {
	binary, dir := setcapped(t)
	preempted := kernel.Probe(kernel.NoPreemption).Get(kernel.NoPreemption).Detail == kernel.PerfEvents
	if preempted {
		remountTracefs(t, "gid=0,mode=0700")
	}
	r := asNobody(t, dir, binary, "--files", "--", "/bin/true")
	if r.code != 0 || r.doc == nil {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	if missed := r.doc.Lost["missed"] != 0; r.doc.Complete.All() == missed || missed && !preempted {
		t.Errorf("complete %+v, lost %v", r.doc.Complete, r.doc.Lost)
	}
}

func TestWithoutPrivilege(t *testing.T) {
	binary, dir := setcapped(t)
	if out, err := exec.Command("setcap", "-r", binary).CombinedOutput(); err != nil {
		t.Fatalf("setcap: %v\n%s", err, out)
	}
	r := asNobody(t, dir, binary, "--", "true")
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	if r.code != 125 || len(lines) != 2 || r.doc != nil {
		t.Fatalf("exit code %d and %d lines\n%s", r.code, len(lines), r.stderr)
	}
	if !strings.Contains(lines[0], "CAP_BPF") || !strings.Contains(lines[1], "setcap "+enough(t)) {
		t.Errorf("the lines do not say what is missing and what to type:\n%s", r.stderr)
	}
}

// TestSetcapIsNoSpy: with capabilities from the file a user may not look at
// processes of others.
func TestSetcapIsNoSpy(t *testing.T) {
	binary, dir := setcapped(t)

	t.Run("a process of root", func(t *testing.T) {
		r := asNobody(t, dir, binary, "--pid", strconv.Itoa(os.Getpid()), "--duration", "10s")
		if r.code != 125 || r.doc != nil || !strings.Contains(r.stderr, "not allowed to look into the process") {
			t.Errorf("exit code %d\n%s", r.code, r.stderr)
		}
	})
	t.Run("a cgroup with processes of root", func(t *testing.T) {
		cgroup := testCgroup(t)
		join(t, cgroup, os.Getpid())
		r := asNobody(t, dir, binary, "--cgroup", cgroup, "--duration", "10s")
		if r.code != 125 || r.doc != nil || !strings.Contains(r.stderr, "not allowed to look into the process") {
			t.Errorf("exit code %d\n%s", r.code, r.stderr)
		}
	})
	t.Run("a program that is set-user-ID", func(t *testing.T) {
		suid := filepath.Join(dir, "suid")
		copyFile(t, "/bin/cat", suid, 0o755)
		if err := os.Chmod(suid, os.ModeSetuid|0o755); err != nil { // its owner is root
			t.Fatal(err)
		}
		secret := filepath.Join(dir, "secret-name")
		write(t, secret, "x")
		if err := os.Chmod(secret, 0o600); err != nil {
			t.Fatal(err)
		}
		r := asNobody(t, dir, binary, "--files", "--", "/bin/sh", "-c", suid+" "+secret+"; true")
		if r.code != 0 || r.doc == nil || r.stdout != "x" {
			t.Fatalf("exit code %d, stdout %q\n%s", r.code, r.stdout, r.stderr)
		}
		if r.doc.Lost["forbidden"] == 0 || r.doc.Complete.Syscalls || *r.doc.Complete.Files {
			t.Errorf("complete %+v, lost %v", r.doc.Complete, r.doc.Lost)
		}
		for _, f := range r.doc.Files {
			if f.Path == secret {
				t.Errorf("the trace has %q, which a program of root opened", f.Path)
			}
		}
	})
	t.Run("types of the kernel from a file", func(t *testing.T) {
		r := asNobody(t, dir, binary, "--btf", "/sys/kernel/btf/vmlinux", "--", "true")
		if r.code != 125 || !strings.Contains(r.stderr, "--btf") {
			t.Errorf("exit code %d\n%s", r.code, r.stderr)
		}
	})
	t.Run("control: a process of one's own", func(t *testing.T) {
		sleeper := exec.Command("sleep", "1000")
		sleeper.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := sleeper.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sleeper.Process.Kill(); sleeper.Wait() })
		r := asNobody(t, dir, binary, "--pid", strconv.Itoa(sleeper.Process.Pid), "--duration", "50ms")
		if r.code != 0 || r.doc == nil || len(r.doc.Processes) != 1 || !r.doc.Complete.All() {
			t.Errorf("exit code %d\n%s", r.code, r.stderr)
		}
	})
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, mode); err != nil {
		t.Fatal(err)
	}
}

// testCgroup is a new cgroup v2 directory.
func testCgroup(t *testing.T) string {
	t.Helper()
	mount, err := kernel.FindCgroup2()
	if err != nil {
		testenv.Lack(t, err.Error())
	}
	dir, err := os.MkdirTemp(mount.Dir, "turnstile-test-") //nolint:usetesting // a cgroup
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// join moves a process into a cgroup, and back to the root of the hierarchy when
// the test ends.
func join(t *testing.T, cgroup string, pid int) {
	t.Helper()
	move := func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
	}
	if err := move(cgroup); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { move(filepath.Dir(cgroup)) })
}
