package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce"
	"github.com/turnstile-project/turnstile/internal/enforce/ask"
	"github.com/turnstile-project/turnstile/internal/enforce/plan"
	"github.com/turnstile-project/turnstile/internal/enforce/tracer"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/landlock"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/tree"
)

// supervisor is one run of enforce, from the flags to the exit.
type supervisor struct {
	*enforceSettings
	gate   *enforce.Gate
	tracer *tracer.Tracer
	out    *decisions
	status syscall.WaitStatus
}

// runSupervisor gates the command and all that it starts, and ends when the last of them
// has ended, as the command ended.
func runSupervisor(settings *enforceSettings, line int) error {
	unix.CloseOnExec(line)
	// Whatever ends this run, enforce is told that it was not a mishap.
	defer goodbye(line)
	s := &supervisor{enforceSettings: settings}
	if err := errors.Join(tree.Adopt(), hide()); err != nil {
		return err
	}
	go dieWith(line)
	if err := closeInherited(settings.keep); err != nil {
		return err
	}
	if err := s.protectFiles(); err != nil {
		return err
	}
	options := enforce.Options{
		Policy: settings.policy, Fast: settings.fast, PerformAll: settings.performAll, Front: os.Getppid(),
	}
	var err error
	if options.Bound, err = s.bound(); err != nil {
		return err
	}
	if s.explain {
		return options.Explain(os.Stdout)
	}
	s.tellFast(options.Bound.Fast)
	if s.out, err = newDecisions(settings); err != nil {
		return err
	}
	defer s.out.abort()
	s.tracer = tracer.New()
	options.Sink, options.Quiet, options.Asker, options.Tracer = s.out.sink, !s.out.wantsAll(), s.asker(), s.tracer
	if s.gate, err = enforce.New(options); err != nil {
		return err
	}
	if err := s.runCommand(); err != nil {
		// It may be the policy that does not let it start.
		err = errors.Join(s.gate.Close(), s.out.summarize(s), err)
		leaving.Lock()
		return err
	}
	if err := errors.Join(s.gate.Close(), s.out.finish(s)); err != nil {
		return err
	}
	leaving.Lock()
	goodbye(line)
	launch.Exit(s.status)
	return nil
}

// closeInherited keeps the descriptors above 2 that this process was given from the
// command: they lead past the gate.
func closeInherited(keep []int) error {
	for _, fd := range keep {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return fmt.Errorf("keeping descriptor %d: %w", fd, err)
		}
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("listing descriptors: %w", err)
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name.Name()); err == nil && fd > 2 && !slices.Contains(keep, fd) {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// protectFiles adds rules by which the command cannot change what is written about it, nor
// what it will be held to the next time.
func (s *supervisor) protectFiles() error {
	for _, name := range []string{s.log, s.output} {
		if name == "" || name == "-" {
			continue
		}
		dir, base, err := realPlace(name)
		if err != nil {
			return err
		}
		// The trace is written beside its place first.
		for _, text := range []string{policy.Quote(base), "." + policy.Quote(base) + ".*"} {
			if err := s.protect(policy.Quote(dir)+"/"+text, "turnstile, which writes it"); err != nil {
				return err
			}
		}
	}
	for _, file := range s.files {
		if !file.Regular {
			continue
		}
		dir, base, err := realPlace(file.Name)
		if err != nil {
			return err
		}
		paths := []string{filepath.Join(dir, base)}
		if path, err := resolveLinks(paths[0]); err == nil && path != paths[0] {
			paths = append(paths, path)
		}
		for _, path := range paths {
			if err := s.protect(policy.Quote(path), "turnstile, which reads it"); err != nil {
				return err
			}
		}
	}
	return nil
}

// realPlace is the real directory of a file, and the file's name in it.
func realPlace(name string) (dir, base string, err error) {
	path, err := filepath.Abs(name)
	if err == nil {
		dir, err = resolveLinks(filepath.Dir(path))
	}
	if err != nil {
		return "", "", fmt.Errorf("finding %q: %w", name, err)
	}
	return dir, filepath.Base(path), nil
}

// protect adds a rule by which the command cannot change some files.
func (s *supervisor) protect(glob, by string) error {
	pattern, err := policy.ParsePattern(glob)
	if err != nil {
		return err
	}
	s.policy.Rules = append(s.policy.Rules, policy.Rule{
		Verdict: event.VerdictDeny, Classes: event.Write | event.Create | event.Delete | event.Attr,
		Patterns: []policy.Pattern{pattern}, Name: by,
	})
	return nil
}

// bound is what Landlock is to hold the command to.
func (s *supervisor) bound() (*plan.Bound, error) {
	if s.performAll {
		return plan.Bind(s.policy, 0, plan.Host{})
	}
	abi, err := landlock.Version()
	if err != nil {
		abi = 0 // it is never needed: turnstile doctor says what is missing
	}
	return plan.Bind(s.policy, abi, plan.Host{})
}

// tellFast says what nobody will hear of.
func (s *supervisor) tellFast(classes event.Class) {
	switch {
	case !s.fast || s.quiet:
	case classes == 0:
		fmt.Fprintln(os.Stderr, "turnstile: --fast changes nothing: no class is held by Landlock alone; --explain says why")
	default:
		fmt.Fprintf(os.Stderr, "turnstile: --fast: the kernel alone holds %s: what it denies fails with EACCES, and is told nowhere\n", classes)
	}
}

// asker is who is asked, nil if no rule asks.
func (s *supervisor) asker() ask.Asker {
	if !s.policy.Asks() {
		return nil
	}
	return ask.NewTerminal()
}

// runCommand starts the command and waits for it, and for all that it started.
func (s *supervisor) runCommand() error {
	target, err := launch.Start(launch.Command{Argv: s.argv, Fork: s.gate.Fork, Poll: s.tracer.Poll})
	if err != nil {
		return err
	}
	if s.status, err = target.Wait(); err != nil {
		return err
	}
	return s.waitForDescendants()
}

// waitForDescendants waits until nobody is left. A Ctrl-C kills them.
func (s *supervisor) waitForDescendants() error {
	interrupts, stop := launch.Interrupts()
	defer stop()
	alone := make(chan struct{})
	go func() {
		s.tracer.WaitAll()
		close(alone)
	}()
	told := time.After(grace)
	for {
		select {
		case <-alone:
			return nil
		case <-interrupts:
			tree.Kill()
			return nil
		case <-told:
			if !s.quiet {
				fmt.Fprintf(os.Stderr, "turnstile: %s has ended; waiting for what it started: %s (Ctrl-C kills it)\n", quote.Word(s.argv[0]), names(tree.Descendants()))
			}
		}
	}
}
