package launch

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The tests need programs that they can watch from outside: a Turnstile, a
// target that tells which signals it got, a shell with job control. The test
// binary plays them when this variable says so.
const roleVariable = "LAUNCH_TEST_ROLE"

// The target has its role from its arguments, since Turnstile adds nothing to
// its environment.
const targetRole = "be the target"

// The program that plays the roles.
var self = "/proc/self/exe"

// Where roles that talk to a test write their lines. It is passed on from
// Turnstile to target like any inherited descriptor.
const logFD = 3

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	os.Unsetenv(roleVariable)
	switch role {
	case "":
		if len(os.Args) > 1 && os.Args[1] == targetRole {
			playTarget()
		}
		os.Exit(runTests(m))
	case "turnstile":
		playTurnstile(nil)
	case "turnstile as invoking user":
		user, err := InvokingUser()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(125)
		}
		playTurnstile(user)
	case "look up":
		user, err := LookupUser(os.Args[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%+v\n", user)
		os.Exit(0)
	case "turnstile that writes":
		target := mustStart(Command{Argv: os.Args[1:]})
		fmt.Fprintln(os.Stderr, "to nobody")
		fmt.Fprintln(os.Stdout, "to somebody")
		finish(target)
	case "turnstile that waits on":
		playWaitingTurnstile()
	case "shell":
		playShell()
	}
	panic("no role " + role)
}

// runTests gives the roles a program that every user may execute, and runs the
// tests.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "launch-test-")
	mustDo(err)
	defer os.RemoveAll(dir)
	mustDo(os.Chmod(dir, 0o755))
	binary, err := os.ReadFile("/proc/self/exe")
	mustDo(err)
	self = filepath.Join(dir, "launch-test")
	mustDo(os.WriteFile(self, binary, 0o755))
	return m.Run()
}

// playTurnstile runs the command in its arguments from start to end.
func playTurnstile(user *User) {
	// What an observer has open, and what is not to reach the target.
	for _, name := range []string{"/dev/null", "/etc/passwd", "/proc/self/stat"} {
		if _, err := os.Open(name); err != nil {
			panic(err)
		}
	}
	target := mustStart(Command{Argv: os.Args[1:], Env: user.Environ(os.Environ()), User: user})
	finish(target)
}

func finish(target *Target) {
	status, err := target.Wait()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(125)
	}
	Exit(status)
}

// playWaitingTurnstile goes on after its child has ended, as observe does when
// there are descendants left, until it is interrupted. The test says on the
// standard input when to begin to listen.
func playWaitingTurnstile() {
	target := mustStart(Command{Argv: os.Args[1:]})
	if _, err := target.Wait(); err != nil {
		panic(err)
	}
	say("turnstile waits")
	bufio.NewReader(os.Stdin).ReadString('\n')
	interrupted, stop := Interrupts()
	say("turnstile listens")
	s := <-interrupted
	stop()
	say("turnstile %v", unix.SignalName(s.(syscall.Signal)))
	os.Exit(0)
}

func mustStart(c Command) *Target {
	target, err := Start(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if failed, ok := errors.AsType[*ExecError](err); ok {
			os.Exit(failed.ExitCode())
		}
		os.Exit(125)
	}
	return target
}

// playTarget says which signals it gets, and ends with SIGUSR2.
func playTarget() {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP, unix.SIGALRM,
		unix.SIGCONT, unix.SIGUSR1, unix.SIGUSR2, syscall.Signal(40))
	if len(os.Args) > 2 && os.Args[2] == "unstoppable" {
		signal.Notify(signals, unix.SIGTSTP)
	}
	say("target %d", os.Getpid())
	for s := range signals {
		if s == unix.SIGUSR2 {
			os.Exit(7)
		}
		name := unix.SignalName(s.(syscall.Signal))
		if name == "" {
			name = fmt.Sprint(int(s.(syscall.Signal)))
		}
		say("target %s", name)
	}
}

// playShell is a shell with one job. Its arguments are "fg" or "bg", the role of
// the job, and the job's arguments. It says what becomes of the job, and
// continues it as the lines of descriptor 4 say.
func playShell() {
	job := exec.Command(self, os.Args[3:]...)
	job.Stdin, job.Stdout, job.Stderr = os.Stdin, os.Stdout, os.Stderr
	job.ExtraFiles = []*os.File{os.NewFile(logFD, "log")}
	job.Env = append(os.Environ(), roleVariable+"="+os.Args[2])
	job.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: os.Args[1] == "fg"}
	mustDo(job.Start())
	pid := job.Process.Pid
	say("job %d", pid)

	go func() {
		blockTTOU()
		for lines := bufio.NewScanner(os.NewFile(4, "orders")); lines.Scan(); {
			if lines.Text() == "fg" {
				mustDo(unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, pid))
			}
			mustDo(unix.Kill(-pid, unix.SIGCONT))
		}
	}()
	blockTTOU()
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, unix.WUNTRACED, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			panic(err)
		case status.Stopped():
			mustDo(unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp()))
			say("stopped %s", unix.SignalName(status.StopSignal()))
		case status.Exited():
			say("exited %d", status.ExitStatus())
			os.Exit(0)
		case status.Signaled():
			say("killed %s", unix.SignalName(status.Signal()))
			os.Exit(0)
		}
	}
}

// blockTTOU lets this thread hand the terminal to another group while its own
// is in the background (tcsetpgrp(3)).
func blockTTOU() {
	runtime.LockOSThread()
	var set unix.Sigset_t
	set.Val[0] = 1 << (unix.SIGTTOU - 1)
	mustDo(unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil))
}

// say writes one line, whole, to whoever reads the log.
func say(format string, args ...any) {
	_, err := unix.Write(logFD, fmt.Appendf(nil, format+"\n", args...))
	mustDo(err)
}

func mustDo(err error) {
	if err != nil {
		panic(err)
	}
}
