package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/trace"
)

// modes are the ways to watch that differ in which hooks are attached and which
// calls are planned. What is counted must not depend on them.
var modes = [][]string{
	{"-q", "--"},
	{"-q", "--errors", "--"},
	{"-q", "--files", "--net", "--"},
	{"-q", "--args", "--"},
	{"-q", "--all", "--"},
}

// Recording begins at the exec of the target: nothing of what Turnstile's own child
// does before that may reach a trace, or every profile has it.
func TestTraceHasOnlyCallsOfTarget(t *testing.T) {
	needObserve(t)
	program := target(t, "witness", "-nostdlib", "-ffreestanding")
	for _, mode := range modes {
		r := watched(t, append(mode, program)...)
		demandExit(t, r, 7)
		demandComplete(t, r)
		var got []string
		for _, s := range r.doc.Syscalls {
			got = append(got, s.ABI+" "+s.Name+" "+asJSON(t, s.Count)+asJSON(t, s.ByProcess)+asJSON(t, s.Errors))
		}
		arch := r.doc.Host.Arch
		demandLines(t, got, []string{arch + ` getpid 3{"0":3}{}`, arch + ` exit_group 1{"0":1}{}`})
	}
}

// Turnstile ends as the command ended: by the same signal, too.
func TestEndsAsTarget(t *testing.T) {
	needObserve(t)
	for _, code := range []string{"0", "1", "42", "125", "255"} {
		r := watched(t, "-q", "--", "sh", "-c", "exit "+code)
		if asJSON(t, r.code) != code || asJSON(t, r.doc.Target.Status) != code || r.doc.Target.Signal != nil {
			t.Errorf("exit %s: turnstile exited with %d, the trace has %s", code, r.code, asJSON(t, r.doc.Target))
		}
	}
	for _, s := range []syscall.Signal{unix.SIGTERM, unix.SIGKILL, unix.SIGSEGV, unix.SIGABRT, unix.SIGPIPE, unix.SIGUSR1, unix.SIGINT, 40} {
		name := strings.TrimPrefix(unix.SignalName(s), "SIG")
		if name == "" {
			name = "40"
		}
		file := filepath.Join(t.TempDir(), "trace")
		cmd := exec.Command("turnstile", "observe", "-q", "-o", file, "--", "sh", "-c", "kill -"+name+" $$")
		r := finish(t, cmd, file)
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !status.Signaled() || status.Signal() != s || status.CoreDump() {
			t.Errorf("%s: turnstile ended with %#x\n%s", name, status, r.stderr)
		}
		if r.doc == nil || r.doc.Target.Signal == nil || r.doc.Target.Status != nil {
			t.Fatalf("%s: the trace does not have it", name)
		}
		// Real-time signals have no name that everybody uses; any will do.
		if got, want := *r.doc.Target.Signal, unix.SignalName(s); got == "" || want != "" && got != want {
			t.Errorf("%s: the trace says %q", name, got)
		}
		p := r.doc.Processes[0]
		if p.Signal == nil || *p.Signal != *r.doc.Target.Signal || p.Status != nil {
			t.Errorf("%s: the process is %s", name, asJSON(t, p))
		}
	}
}

// What cannot be run ends as in a shell, and leaves nothing behind.
func TestCannotBeRun(t *testing.T) {
	needObserve(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "plain"), "text\n")
	for _, tt := range []struct {
		name string
		args []string
		code int
		word string
	}{
		{"not found", []string{"--", "no-such-command"}, 127, "no-such-command"},
		{"no such path", []string{"--", dir + "/missing"}, 127, dir + "/missing"},
		{"not executable", []string{"--", dir + "/plain"}, 126, dir + "/plain"},
		{"a directory", []string{"--", dir}, 126, dir},
		{"no command", nil, 2, "no command"},
		{"a flag as command", []string{"--", "-x"}, 2, "-x"},
		{"unknown flag", []string{"--no-such-flag", "true"}, 2, "no-such-flag"},
		{"command and pid", []string{"--pid", "1", "--", "true"}, 2, "--pid"},
		{"no such user", []string{"--user", "no-such-user", "--", "true"}, 125, "no-such-user"},
		{"size", []string{"--buffer-size", "5000", "--", "true"}, 2, "5000"},
		{"events to nowhere", []string{"--events", dir + "/missing/events", "--", "true"}, 125, dir + "/missing/events"},
	} {
		t.Run(tt.name, func(t *testing.T) { demandRefused(t, tt.args, tt.code, tt.word) })
	}
	out := filepath.Join(dir, "nowhere", "trace")
	b, err := exec.Command("turnstile", "observe", "-o", out, "--", "touch", dir+"/ran").CombinedOutput()
	if err == nil || !strings.Contains(string(b), out) {
		t.Errorf("a trace that cannot be written: %v, %q", err, b)
	}
	if _, err := os.Stat(dir + "/ran"); err == nil {
		t.Errorf("the command was run although its trace could not be written")
	}
}

// The streams of the target are its own, to the last byte.
func TestStreamsPassThrough(t *testing.T) {
	needObserve(t)
	in := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(in)
	for _, mode := range [][]string{{"-q"}, {"--files"}, {"--all"}} {
		cmd := exec.Command("turnstile", append(append([]string{"observe"}, mode...), "--", "sh", "-c", "cat; echo of the target >&2")...)
		cmd.Stdin = bytes.NewReader(in)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || !bytes.Equal(out, in) {
			t.Errorf("%q: %d bytes of %d came through, %v", mode, len(out), len(in), err)
		}
		if mode[0] == "-q" && stderr.String() != "of the target\n" {
			t.Errorf("stderr is %q", stderr.String())
		}
		if n := strings.Count(stderr.String(), "of the target\n"); n != 1 {
			t.Errorf("%q: the target's line is %d times in stderr", mode, n)
		}
	}
}

// With -o - the trace follows what the target wrote.
func TestTraceToStdout(t *testing.T) {
	needObserve(t)
	out, err := exec.Command("turnstile", "observe", "-q", "-o", "-", "--", "sh", "-c", "echo hello; exit 4").Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 4 {
		t.Errorf("turnstile ended with %v, want exit status 4", err)
	}
	rest, ok := bytes.CutPrefix(out, []byte("hello\n"))
	if !ok {
		t.Fatalf("stdout is %.100q", out)
	}
	d, err := trace.Decode(bytes.NewReader(rest))
	if err != nil {
		t.Fatal(err)
	}
	if d.Target.Status == nil || *d.Target.Status != 4 || total(d, "write") != 1 {
		t.Errorf("the trace has %s and %d write", asJSON(t, d.Target), total(d, "write"))
	}
}

// What a process can find out about itself is the same with Turnstile as without.
func TestTargetDoesNotNotice(t *testing.T) {
	needObserve(t)
	look := []string{"sh", "-c", `
grep -E '^(Sig[^Q]|Shd|Cap|Groups|Uid|Gid|Umask|NoNewPrivs|Seccomp|TracerPid)' /proc/self/status
ulimit -Sa; ulimit -Ha; ls -l /proc/self/fd | sed 's/.*-> //; s/[0-9]\{2,\}/N/'; env | sort; pwd; umask
cat /proc/self/oom_score_adj /proc/self/cgroup /proc/self/coredump_filter /proc/self/timerslack_ns
cut -d' ' -f 7,8,18,19,40,41 /proc/self/stat`}
	run := func(argv ...string) string {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "ODD=\xff\n")
		b, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		return string(b)
	}
	want := strings.Split(run(look...), "\n")
	for _, mode := range modes {
		got := strings.Split(run(append(append([]string{"turnstile", "observe"}, mode...), look...)...), "\n")
		demandLines(t, got, want)
	}
}

// However Turnstile ends, nothing stays attached and the target lives on.
func TestKilledTurnstileLeavesNothing(t *testing.T) {
	needObserve(t)
	pipe := fifo(t)
	r := startWatching(t, "-q", "--files", "--", "sh", "-c", `read line < "$1"; echo "$line" > "$1.answer"`, "sh", pipe)
	eventually(t, "the target waits", func() bool {
		return r.ended() || r.seen(t, func(e jsonEvent) bool { return e.Op == "exec" })
	})
	held := programsOf(t, r.Process.Pid)
	if len(held) < 5 {
		t.Fatalf("turnstile holds the programs %v", held)
	}
	if err := r.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-r.done
	eventually(t, "the programs are gone", func() bool {
		return !slices.ContainsFunc(held, func(id ebpf.ProgramID) bool {
			p, err := ebpf.NewProgramFromID(id)
			if err == nil {
				p.Close()
			}
			return err == nil
		})
	})
	if _, err := open(t, pipe, os.O_WRONLY).WriteString("alive\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the target answers", func() bool {
		answer, err := os.ReadFile(pipe + ".answer")
		return err == nil && string(answer) == "alive\n"
	})
	if _, err := os.Stat(r.trace); err == nil {
		t.Error("there is half a trace")
	}
}

// programsOf are the eBPF programs that a process has open (proc_pid_fdinfo(5)).
func programsOf(t *testing.T, pid int) []ebpf.ProgramID {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	var ids []ebpf.ProgramID
	for _, file := range files {
		for line := range strings.Lines(read(t, file)) {
			var id ebpf.ProgramID
			if _, err := fmt.Sscanf(line, "prog_id: %d", &id); err == nil && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
