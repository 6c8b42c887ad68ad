package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/tree"
)

// runFront is what the shell started. It starts the supervisor, as the user of the
// command, and ends as that ends. Should the supervisor be killed, its targets become
// children of this process, which kills them.
func runFront(s *enforceSettings, user *launch.User) error {
	if err := kernel.Check(kernel.Enforce); err != nil {
		return err
	}
	if err := errors.Join(tree.Adopt(), hide()); err != nil {
		return err
	}
	line, err := newLifeline()
	if err != nil {
		return err
	}
	policies, err := handOver(s.files)
	if err != nil {
		return err
	}
	if user != nil && !s.quiet {
		fmt.Fprintf(os.Stderr, "turnstile: the command runs as %s (uid %d); --user root runs it as root\n", user.Name, user.UID)
	}
	tellOpen(os.Stderr, s.policy.Open)
	supervisor, err := launch.Start(launch.Command{
		Path: "/proc/self/exe", // also if the file has been replaced meanwhile
		Argv: append([]string{os.Args[0], "supervise", "--lifeline", strconv.Itoa(line.theirs), "--policies", strconv.Itoa(int(policies.Fd()))}, argumentsOf("enforce")...),
		Env:  user.Environ(os.Environ()),
		User: user,
		Fork: withoutFileCapabilities,
	})
	if err != nil {
		return fmt.Errorf("starting the supervisor: %w", err)
	}
	line.handOver()
	policies.Close()
	status, err := supervisor.Wait()
	tree.Kill()
	if err != nil {
		return err
	}
	if !line.saidGoodbye() {
		return fmt.Errorf("the supervisor ended before its command, with %s; what was left of the command is killed", ending(status))
	}
	if !s.quiet {
		tellChanges(os.Stderr, s.files, user)
	}
	launch.Exit(status)
	return nil
}

// ending says how a process ended.
func ending(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "signal " + event.SignalName(status.Signal())
	}
	return fmt.Sprintf("status %d", status.ExitStatus())
}

// withoutFileCapabilities starts a child that does not get the capabilities of the file of
// Turnstile, with which it may observe: what acts for a target must not have more rights.
func withoutFileCapabilities(start func() error) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("giving up privileges: %w", err)
	}
	return start()
}

// argumentsOf are the arguments of this process behind the name of its command.
func argumentsOf(command string) []string {
	for i, arg := range os.Args {
		if i > 0 && arg == command {
			return os.Args[i+1:]
		}
	}
	return nil
}

// hide keeps others of the same user from looking into this process, and its descriptors
// and memory from being reached by way of /proc.
func hide() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hiding this process: %w", err)
	}
	return nil
}
