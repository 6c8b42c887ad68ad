package launch

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exit ends this process as the target ended: with the same exit code, or by
// the same signal, so that whoever waits for it sees what it would have seen
// of the target. A process that its own signals cannot end, the first of a pid
// namespace (pid_namespaces(7)), exits with ExitCode instead.
func Exit(status syscall.WaitStatus) {
	if status.Signaled() {
		dumpNothing()
		suffer(status.Signal(), always)
	}
	os.Exit(ExitCode(status))
}

// ExitCode is the status as a shell's $? has it: the exit code, or 128 and the
// signal.
func ExitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// dumpNothing keeps this process from leaving a core file, which would not be
// the target's. The limit does not hold for a core that is piped to a program,
// being undumpable does (core(5)).
func dumpNothing() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
