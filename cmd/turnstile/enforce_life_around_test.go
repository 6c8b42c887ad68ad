package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// There can be one listener: a turnstile in a turnstile says so and starts nothing.
func TestEnforceNested(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		self, err := exec.LookPath(a.turnstile)
		if err != nil {
			t.Fatal(err)
		}
		o := a.finished(t, nil, self, "enforce", "--default", "allow", "--deny", "read:/x", "--", "touch", a.path("ran"))
		o.demandCode(t, "a turnstile in a turnstile", 125)
		if !strings.Contains(o.stderr, "a supervisor listens to this process already, and a second one is not allowed (EBUSY)") {
			t.Errorf("stderr: %s", o.stderr)
		}
		if exists(a.path("ran")) {
			t.Error("the command ran")
		}
	})
}

// Debuggers are told that they may not, and the rest goes on.
func TestEnforceDebuggers(t *testing.T) {
	program := gateTarget(t, "gate_around")
	eachUser(t, func(t *testing.T, a *arena) {
		a.files = []string{"denied="}
		a.fresh(t)
		o := a.finished(t, []string{"-q", "--deny", "read:" + a.path("denied")}, program, a.path("denied"))
		o.demandCode(t, "gated", 0)
		want := "traceme EPERM\nattach EPERM\nseize EPERM\nread-child EPERM\nread-supervisor EPERM\nsupervisor-mem EACCES\nsupervisor-fd EACCES\ndenied EACCES\n"
		if o.stdout != want {
			t.Errorf("the program said\n%s, want\n%s", o.stdout, want)
		}
	})
}

// strace in a turnstile is told EPERM, and says so.
func TestEnforceStrace(t *testing.T) {
	testenv.Program(t, "strace")
	eachUser(t, func(t *testing.T, a *arena) {
		o := a.finished(t, []string{"-q"}, "strace", "-o", "/dev/null", "true")
		if o.code == 0 || !strings.Contains(o.stderr, "Operation not permitted") {
			t.Errorf("strace: exit code %d\n%s", o.code, o.stderr)
		}
	})
}

// As the first process of a pid namespace turnstile cannot die of a signal of its own, and
// exits as a shell would say it.
func TestEnforceFirstProcess(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "unshare")
	program := gateTarget(t, "gate_signals")
	a := newArena(t, 0, "denied=")
	a.fresh(t)
	inside := func(argv ...string) *gatedRun {
		cmd := a.enforce([]string{"-q", "--deny", "read:" + a.path("denied")}, argv...)
		before(t, cmd, []string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"})
		return begin(t, cmd)
	}
	inside("sh", "-c", "exit 5").demandExit(5)
	inside("sh", "-c", "kill -TERM $$").demandExit(143)
	inside("sh", "-c", "kill -KILL $$").demandExit(137)
	inside("sh", "-c", "(setsid sleep 0.1 &); cat "+a.path("denied")+"; exit 6").demandExit(6)

	r := inside(program)
	r.says("ready")
	first := r.supervisor() // unshare's child, which is turnstile
	syscall.Kill(first, unix.SIGTERM)
	r.says("got 15")
	syscall.Kill(first, unix.SIGALRM)
	r.demandExit(7)
}

// Under sudo the command runs as who called it, and so does the supervisor: what acts for
// the command must not have more rights.
func TestEnforceUnderSudo(t *testing.T) {
	testenv.Root(t)
	testenv.Program(t, "sudo")
	binary, dir := copyForNobody(t)
	rules := "/etc/sudoers.d/turnstile-enforce-test"
	if err := os.WriteFile(rules, []byte("nobody ALL=(root) NOPASSWD: "+binary+"\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(rules) })
	secret := dir + "/secret"
	write(t, secret, "secret\n")
	sudo := func(args ...string) *gatedRun {
		cmd := exec.Command("sudo", append([]string{"-n", binary, "enforce", "--default", "allow", "--deny", "read:" + secret}, args...)...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Setsid: true}
		return begin(t, cmd)
	}
	who := `id -u; id -g; echo $HOME $USER $LOGNAME; cat secret; touch made; echo ready; read x <go`
	if err := syscall.Mkfifo(dir+"/go", 0o666); err != nil {
		t.Fatal(err)
	}
	chown(t, dir+"/go", nobody)

	r := sudo("--log", "log", "-o", "trace", "--", "sh", "-c", who)
	r.says("ready")
	front := 0
	for _, p := range processes(t) {
		if cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid)); strings.HasPrefix(string(cmdline), binary+"\x00enforce\x00") {
			front = p.pid
		}
	}
	supervisors := 0
	for _, p := range processes(t) {
		if p.ppid == front && isSupervisor(p.pid) {
			supervisors++
			status := read(t, fmt.Sprintf("/proc/%d/status", p.pid))
			for _, line := range []string{"Uid:\t65534\t65534\t65534\t65534\n", "Gid:\t65534\t65534\t65534\t65534\n", "CapPrm:\t0000000000000000\n"} {
				if !strings.Contains(status, "\n"+line) {
					t.Errorf("the supervisor has no %q:\n%s", line, status)
				}
			}
		}
	}
	if supervisors != 1 {
		t.Errorf("there are %d supervisors ", supervisors)
	}
	open(t, dir+"/go", os.O_WRONLY).WriteString("x\n")
	r.demandExit(0)
	want := "65534\n65534\n/nonexistent nobody nobody\nready\n"
	if got := r.stdout(); got != want {
		t.Errorf("the command said %q, want %q", got, want)
	}
	const line = "turnstile: the command runs as nobody (uid 65534); --user root runs it as root\n"
	if text := r.stderr(); strings.Count(text, line) != 1 || !strings.Contains(text, "Permission denied") {
		t.Errorf("stderr: %s", text)
	}
	for _, name := range []string{"made", "log", "trace"} {
		var st syscall.Stat_t
		if err := syscall.Stat(dir+"/"+name, &st); err != nil || st.Uid != nobody {
			t.Errorf("%s belongs to uid %d, %v", name, st.Uid, err)
		}
	}

	r = sudo("-q", "--user", "root", "--", "id", "-u")
	r.demandExit(0)
	if r.stdout() != "0\n" || r.stderr() != "" {
		t.Errorf("with --user root the command said %q, and stderr is %q", r.stdout(), r.stderr())
	}

	// A file that only root may write is not written on the user's behalf.
	link := dir + "/link"
	protected := t.TempDir() + "/root-only"
	if err := os.WriteFile(protected, []byte("whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Symlink(protected, link); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--log", "-o"} {
		r = sudo(flag, link, "--", "true")
		if r.wait(); read(t, protected) != "whole" {
			t.Errorf("%s wrote root's file", flag)
		}
	}
}
