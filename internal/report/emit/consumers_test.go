package emit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
	"github.com/turnstile-project/turnstile/internal/profile/baseline"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// native is the ABI of this machine.
func native(t testing.TB) event.ABI {
	abi, ok := map[string]event.ABI{"amd64": event.X8664, "arm64": event.ARM64}[runtime.GOARCH]
	if !ok {
		testenv.Lack(t, "there are no probes for "+runtime.GOARCH)
	}
	return abi
}

// refused is the errno of the profiles here: one that the kernel gives for none of the
// calls.
const refused = unix.EOWNERDEAD

func profileOf(t testing.TB, calls ...string) *trace.Document {
	abi := native(t)
	d := document()
	d.Host.Arch = abi.String()
	for _, name := range calls {
		d.Syscalls = append(d.Syscalls, seen(t, abi, name))
	}
	return d
}

func errnoOptions(runtime string) profile.Options {
	return profile.Options{
		Default:   profile.Action{Kind: profile.Errno, Errno: refused},
		Baselines: baseline.For(runtime),
	}
}

// probe is testdata/probe.c, compiled.
func probe(t testing.TB, flags ...string) string {
	t.Helper()
	testenv.Program(t, "gcc")
	file := filepath.Join(t.TempDir(), "probe")
	args := append([]string{"-O1", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-o", file, "testdata/probe.c"}, flags...)
	run(t, "", exec.Command("gcc", args...))
	return file
}

// run runs a command that has to succeed, in a directory, and is what it wrote to stdout.
func run(t testing.TB, dir string, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%q: %v\n%s%s", cmd.Args, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String()
}

func writeFile(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// underBwrap runs a program with a filter in force.
func underBwrap(t testing.TB, filter []byte, argv ...string) (string, error) {
	t.Helper()
	testenv.Program(t, "bwrap")
	name := filepath.Join(t.TempDir(), "filter")
	writeFile(t, name, filter)
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command("bwrap", append([]string{"--unshare-pid", "--dev-bind", "/", "/", "--seccomp", "3"}, argv...)...)
	cmd.ExtraFiles = []*os.File{f}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return string(out), err
}

func TestFilterUnderBwrap(t *testing.T) {
	program := probe(t)
	for _, tt := range []struct {
		name   string
		action profile.Action
		calls  []string
		want   string
		status int
	}{
		{"refused", profile.Action{Kind: profile.Errno, Errno: refused}, nil, "runs\nerrno 130\n", 0},
		{"ENOSYS", profile.Action{Kind: profile.Errno, Errno: unix.ENOSYS}, nil, "runs\nerrno 038\n", 0},
		{"allowed", profile.Action{Kind: profile.Errno, Errno: refused}, []string{"getppid"}, "runs\nerrno 000\n", 0},
		{"killed", profile.Action{Kind: profile.Kill}, nil, "runs\n", 128 + int(unix.SIGSYS)},
		{"trapped", profile.Action{Kind: profile.Trap}, nil, "runs\n", 128 + int(unix.SIGSYS)},
		{"logged", profile.Action{Kind: profile.Log}, nil, "runs\nerrno 000\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := profileOf(t, append([]string{"write", "exit_group"}, tt.calls...)...)
			o := errnoOptions("bwrap")
			o.Default = tt.action
			out, err := underBwrap(t, written(t, &cbpf, inputOf(t, d, o)), program)
			status := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				status = exit.ExitCode()
			}
			if out != tt.want || status != tt.status {
				t.Errorf("%q with status %d, want %q with %d (%v)", out, status, tt.want, tt.status, err)
			}
		})
	}
	t.Run("a profile without write", func(t *testing.T) { // the control: the filter bites
		// Nor may bwrap write then.
		if out, err := underBwrap(t, written(t, &cbpf, inputOf(t, profileOf(t, "exit_group", "execve", "wait4"), profile.Options{})), program); out != "" {
			t.Errorf("%q (%v), and nothing may be written", out, err)
		}
	})
	t.Run("a profile without the baseline", func(t *testing.T) {
		if out, err := underBwrap(t, written(t, &cbpf, inputOf(t, profileOf(t, "write", "exit_group"), profile.Options{})), program); err == nil {
			t.Errorf("it ran without execve: %q", out)
		}
	})
}
