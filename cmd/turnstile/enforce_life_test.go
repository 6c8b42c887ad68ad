package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// The tests in enforce_life_*_test.go are about the life of a run of turnstile enforce:
// how it begins and ends, what reaches the command and what it leaves behind. Their
// programs are the gate_*.c of testdata/targets.
//
//	TURNSTILE_STRESS=1	as often as it takes to find what is rare

// gateTarget builds a program of testdata/targets where every user can reach it.
func gateTarget(t testing.TB, name string, flags ...string) string {
	t.Helper()
	testenv.Program(t, "install")
	built := target(t, name, flags...)
	out := filepath.Join(reachable(t), name)
	// Not by this process: see newArena.
	if b, err := exec.Command("install", "-m", "755", built, out).CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, b)
	}
	return out
}

// enforce is a turnstile enforce with these flags, as the user of the arena. Nothing is
// denied but what the flags say.
func (a *arena) enforce(flags []string, argv ...string) *exec.Cmd {
	args := slices.Concat([]string{"enforce", "--default", "allow", "--deny", "all:/nonexistent/**"}, flags, []string{"--"}, argv)
	cmd := exec.Command(a.turnstile, args...)
	cmd.Dir = a.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + a.dir, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.uid)}, //nolint:gosec // they are small
		Setsid:     true,
	}
	return cmd
}

// eachUser runs a test as root and as a user without any privilege.
func eachUser(t *testing.T, test func(t *testing.T, a *arena)) {
	t.Helper()
	testenv.Root(t)
	asEach(t, nil, func(t *testing.T, a *arena) {
		a.fresh(t)
		test(t, a)
	})
}

// gatedRun is a turnstile that goes on while the test does something.
type gatedRun struct {
	*exec.Cmd
	t        testing.TB
	out, err string // files: a descendant that has them open keeps nobody waiting
	done     chan struct{}
}

// begin starts a command. It ends with the test, and all of its session does.
func begin(t testing.TB, cmd *exec.Cmd) *gatedRun {
	t.Helper()
	dir := t.TempDir()
	r := &gatedRun{Cmd: cmd, t: t, out: filepath.Join(dir, "stdout"), err: filepath.Join(dir, "stderr"), done: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = create(t, r.out)
	}
	if cmd.Stderr == nil {
		cmd.Stderr = create(t, r.err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(r.done)
	}()
	t.Cleanup(func() {
		if !r.ended() {
			r.Process.Kill()
			<-r.done
		}
		// Who is left in its session ends too. A supervisor that has lost its parent does
		// the rest.
		for _, p := range processes(t) {
			if session, err := unix.Getsid(p.pid); err == nil && session == r.Process.Pid && p.state != 'Z' && !isSupervisor(p.pid) {
				syscall.Kill(p.pid, unix.SIGKILL)
			}
		}
	})
	return r
}

func isSupervisor(pid int) bool {
	cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return bytes.Contains(cmdline, []byte("\x00supervise\x00"))
}

func (r *gatedRun) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// wait waits for turnstile to end.
func (r *gatedRun) wait() syscall.WaitStatus {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(deadline()):
		r.t.Fatalf("turnstile did not end\n%s", r.stderr())
	}
	return r.ProcessState.Sys().(syscall.WaitStatus)
}

// demandExit waits for turnstile to end with a code.
func (r *gatedRun) demandExit(code int) {
	r.t.Helper()
	if status := r.wait(); !status.Exited() || status.ExitStatus() != code {
		r.t.Errorf("turnstile ended with %s, want exit code %d\n%s", ending(status), code, r.stderr())
	}
}

func (r *gatedRun) stdout() string { return read(r.t, r.out) }
func (r *gatedRun) stderr() string { return read(r.t, r.err) }

// says waits until a line of the output begins so, and returns the rest of it.
func (r *gatedRun) says(prefix string) string {
	r.t.Helper()
	return r.awaits(r.out, prefix)
}

// tells is says for stderr.
func (r *gatedRun) tells(prefix string) string {
	r.t.Helper()
	return r.awaits(r.err, prefix)
}

func (r *gatedRun) awaits(file, prefix string) string {
	r.t.Helper()
	for end := time.Now().Add(deadline()); ; time.Sleep(2 * time.Millisecond) {
		ended := r.ended()
		for line := range strings.Lines(read(r.t, file)) {
			if rest, ok := strings.CutPrefix(line, prefix); ok && strings.HasSuffix(line, "\n") {
				return strings.TrimSuffix(rest, "\n")
			}
		}
		if ended || time.Now().After(end) {
			r.t.Fatalf("no line %q (ended: %v)\nstdout: %s\nstderr: %s", prefix, ended, limitLines(read(r.t, r.out)), limitLines(read(r.t, r.err)))
		}
	}
}

func (r *gatedRun) signal(sig syscall.Signal) {
	r.t.Helper()
	if err := r.Process.Signal(sig); err != nil {
		r.t.Fatalf("sending %v: %v", sig, err)
	}
}

// supervisor is the process that turnstile has started, 0 if there is none.
func (r *gatedRun) supervisor() int {
	for _, p := range processes(r.t) {
		if p.ppid == r.Process.Pid {
			return p.pid
		}
	}
	return 0
}

// aProcess is one of the host.
type aProcess struct {
	pid, ppid int
	state     byte
	comm      string
}

func processes(t testing.TB) []aProcess {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var all []aProcess
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended
		}
		before, after, _ := strings.Cut(string(stat), "(")
		i := strings.LastIndexByte(after, ')')
		if before == "" || i < 0 {
			continue
		}
		p := aProcess{pid: pid, comm: after[:i]}
		if _, err := fmt.Sscanf(after[i+1:], " %c %d", &p.state, &p.ppid); err != nil {
			t.Fatalf("%q: %v", stat, err)
		}
		all = append(all, p)
	}
	return all
}

// leftovers are processes that have this name, or a command line with it. Zombies have
// only the name.
func leftovers(t testing.TB, name string) []string {
	t.Helper()
	var left []string
	for _, p := range processes(t) {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		if p.comm == name || bytes.Contains(cmdline, []byte("/"+name+"\x00")) {
			left = append(left, fmt.Sprintf("%d (parent %d, %c) %s %q", p.pid, p.ppid, p.state, p.comm, cmdline))
		}
	}
	return left
}

// demandNobody waits until none of these processes is left.
func demandNobody(t testing.TB, name string) {
	t.Helper()
	var left []string
	for end := time.Now().Add(deadline()); ; time.Sleep(2 * time.Millisecond) {
		if left = leftovers(t, name); left == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d processes are left:\n%s", len(left), limitLines(strings.Join(left, "\n")))
		}
	}
}

// named gives a program a name that no other process has.
func named(t testing.TB, program string) (path, name string) {
	t.Helper()
	name = fmt.Sprintf("g%d-%d", os.Getpid(), nameCounter)
	nameCounter++
	path = filepath.Join(filepath.Dir(program), name)
	if err := os.Link(program, path); err != nil {
		t.Fatal(err)
	}
	return path, name
}

var nameCounter int

func TestEnforceExitCode(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		for _, code := range []int{0, 1, 7, 125, 126, 127, 128, 143, 255} {
			begin(t, a.enforce([]string{"-q"}, "sh", "-c", fmt.Sprint("exit ", code))).demandExit(code)
		}
	})
}

// A shell has to see what it would have seen of the command.
func TestEnforceEndsBySignal(t *testing.T) {
	eachUser(t, func(t *testing.T, a *arena) {
		for _, sig := range []syscall.Signal{
			unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGILL, unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGKILL,
			unix.SIGSEGV, unix.SIGUSR1, unix.SIGPIPE, unix.SIGALRM, unix.SIGTERM, unix.SIGXCPU, unix.SIGSYS, syscall.Signal(40),
		} {
			r := begin(t, a.enforce(nil, "sh", "-c", fmt.Sprintf("ulimit -c 0; kill -%d $$", sig)))
			if status := r.wait(); !status.Signaled() || status.Signal() != sig {
				t.Errorf("turnstile ended with %s, want signal %v\n%s", ending(status), sig, r.stderr())
			}
			if text := r.stderr(); text != "" {
				t.Errorf("after signal %v turnstile says %q", sig, text)
			}
		}
	})
}

// What is sent to turnstile reaches the command, once.
func TestEnforceForwardsSignals(t *testing.T) {
	program := gateTarget(t, "gate_signals")
	eachUser(t, func(t *testing.T, a *arena) {
		r := begin(t, a.enforce([]string{"-q"}, program))
		r.says("ready")
		var want strings.Builder
		for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGINT, unix.SIGQUIT, 40, unix.SIGTERM} {
			fmt.Fprintf(&want, "got %d\n", sig)
			r.signal(sig)
			eventually(t, fmt.Sprintf("signal %d has come", sig), func() bool {
				_, lines, _ := strings.Cut(r.stdout(), "\n")
				return len(lines) >= want.Len()
			})
		}
		r.signal(unix.SIGALRM)
		r.demandExit(7)
		if _, got, _ := strings.Cut(r.stdout(), "\n"); got != want.String() {
			t.Errorf("the command got\n%s, want\n%s", got, want.String())
		}
	})
}

// A command that stops where no shell would continue turnstile goes on when it is told to.
func TestEnforceStoppedCommand(t *testing.T) {
	program := gateTarget(t, "gate_signals")
	eachUser(t, func(t *testing.T, a *arena) {
		r := begin(t, a.enforce([]string{"-q"}, program))
		pid, err := strconv.Atoi(strings.TrimSpace(r.says("ready")))
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			syscall.Kill(pid, unix.SIGSTOP)
			eventually(t, "the command has stopped", func() bool {
				return slices.ContainsFunc(processes(t), func(p aProcess) bool { return p.pid == pid && p.state == 'T' })
			})
			syscall.Kill(pid, unix.SIGCONT)
			eventually(t, "the command goes on", func() bool {
				return strings.Count(r.stdout(), fmt.Sprintf("got %d\n", unix.SIGCONT)) > n
			})
		}
		r.signal(unix.SIGALRM)
		r.demandExit(7)
	})
}

// combined runs a command and returns what it prints.
func combined(t testing.TB, cmd *exec.Cmd) (output string, code int) {
	t.Helper()
	r := begin(t, cmd)
	r.wait()
	return r.stdout() + r.stderr(), r.ProcessState.ExitCode()
}

// finished runs a turnstile to its end.
func (a *arena) finished(t testing.TB, flags []string, argv ...string) outcome {
	t.Helper()
	r := begin(t, a.enforce(flags, argv...))
	r.wait()
	return outcome{r.ProcessState.ExitCode(), r.stdout(), r.stderr()}
}
