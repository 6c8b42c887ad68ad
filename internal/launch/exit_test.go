package launch

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// fatal are the signals that end a process by default; the exit code is what a
// shell makes of each (signal(7)).
var fatal = []syscall.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGBUS,
	unix.SIGFPE, unix.SIGKILL, unix.SIGUSR1, unix.SIGSEGV, unix.SIGUSR2, unix.SIGPIPE, unix.SIGALRM,
	unix.SIGTERM, unix.SIGSTKFLT, unix.SIGXCPU, unix.SIGXFSZ, unix.SIGVTALRM, unix.SIGPROF,
	unix.SIGIO, unix.SIGPWR, unix.SIGSYS, 34, 64,
}

func TestEndsByTheSameSignal(t *testing.T) {
	for _, sig := range fatal {
		t.Run(fmt.Sprint(int(sig)), func(t *testing.T) {
			// Cores are allowed as far as can be, so that there could be one.
			before := []string{"sh", "-c", `ulimit -S -c "$(ulimit -H -c)"; exec "$@"`, "-"}
			cmd := turnstile(before, "sh", "-c", fmt.Sprintf("kill -%d $$", sig))
			cmd.Dir = t.TempDir()
			output, _ := cmd.CombinedOutput()
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !status.Signaled() || status.Signal() != sig || len(output) > 0 {
				t.Errorf("Turnstile ended with %v and said %q, want signal %d and silence", cmd.ProcessState, output, sig)
			}
			if status.CoreDump() {
				t.Error("Turnstile has dumped core")
			}
			if code := ExitCode(status); code != 128+int(sig) {
				t.Errorf("ExitCode(%v) = %d, want %d", status, code, 128+int(sig))
			}
		})
	}
}

func TestEndsWithTheSameCode(t *testing.T) {
	for _, code := range []int{0, 1, 2, 125, 126, 127, 128, 143, 255} {
		cmd := turnstile(nil, "sh", "-c", fmt.Sprint("exit ", code))
		output, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code || len(output) > 0 {
			t.Errorf("Turnstile ended with %v and said %q, want exit status %d", cmd.ProcessState, output, code)
		}
		if got := ExitCode(cmd.ProcessState.Sys().(syscall.WaitStatus)); got != code {
			t.Errorf("ExitCode = %d, want %d", got, code)
		}
	}
}

// Turnstile hears of its child even where SIGCHLD is ignored, and the kernel
// keeps no status for those who ignore it.
func TestEndsWithIgnoredSIGCHLD(t *testing.T) {
	cmd := turnstile([]string{"env", "--ignore-signal=CHLD"}, "sh", "-c", "exit 5")
	cmd.Run()
	if cmd.ProcessState.ExitCode() != 5 {
		t.Errorf("Turnstile ended with %v, want exit status 5", cmd.ProcessState)
	}
}

// The first process of a pid namespace survives its own signals.
func TestEndsAsFirstProcess(t *testing.T) {
	testenv.Root(t)
	for _, sig := range fatal {
		cmd := turnstile([]string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"},
			"sh", "-c", fmt.Sprintf("kill -%d $$", sig))
		output, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != 128+int(sig) || len(output) > 0 {
			t.Errorf("Turnstile ended with %v and said %q, want exit status %d", cmd.ProcessState, output, 128+int(sig))
		}
	}
}

// A shell says the same of Turnstile as of the target.
func TestShellSeesTheSame(t *testing.T) {
	for _, script := range []string{"exit 3", "kill -TERM $$", "kill -SEGV $$", "no-such-command"} {
		bare := exec.Command("bash", "-c", `"$@"; echo $?`, "-", "sh", "-c", script)
		bare.Stderr = nil
		want, err := bare.Output()
		mustDo(err)
		got, err := turnstile([]string{"bash", "-c", `"$@"; echo $?`, "-"}, "sh", "-c", script).Output()
		mustDo(err)
		if string(got) != string(want) {
			t.Errorf("%q: bash says %q, want %q", script, got, want)
		}
	}
}

// What Turnstile says when there is nothing to execute.
func TestExitCodesOfErrors(t *testing.T) {
	for _, test := range []struct {
		program string
		code    int
		says    string
	}{
		{"no-such-command", 127, `executing "no-such-command": searching PATH: no such file or directory`},
		{"/etc", 126, `executing "/etc": is a directory`},
		{"/etc/passwd", 126, `executing "/etc/passwd": permission denied`},
	} {
		cmd := turnstile(nil, test.program)
		output, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != test.code || strings.TrimSpace(string(output)) != test.says {
			t.Errorf("%q: exit status %d, %q, want %d, %q", test.program, got, output, test.code, test.says)
		}
	}
}
