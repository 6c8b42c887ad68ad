package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/cilium/ebpf/btf"
	"github.com/urfave/cli/v2"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/observe"
	"github.com/turnstile-project/turnstile/internal/quote"
	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/tree"
)

// session is one run of observe, from the flags to the exit.
type session struct {
	*settings
	user     *launch.User
	observer *observe.Observer
	watch    *watch
	out      *outputs

	attached  trace.Target // what --pid found
	concluded bool
	// Of the command, once it has ended.
	ended  bool
	status syscall.WaitStatus
}

func newSession(c *cli.Context) (*session, error) {
	settings, err := readSettings(c)
	if err != nil {
		return nil, err
	}
	s := &session{settings: settings}
	if len(s.argv) > 0 {
		if s.user, err = chooseUser(s.settings.user); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// chooseUser is who the command runs as, nil for the user of Turnstile. The name is that
// of --user.
func chooseUser(name string) (*launch.User, error) {
	if name != "" {
		return launch.LookupUser(name)
	}
	return launch.InvokingUser()
}

// run is the whole life of the session. If a command was run, it ends the process
// as the command ended.
func (s *session) run() error {
	if err := s.open(); err != nil {
		return err
	}
	defer s.observer.Close()
	var err error
	if s.out, err = newOutputs(s); err != nil {
		return err
	}
	defer s.out.abort()

	var interrupts <-chan os.Signal
	if len(s.argv) == 0 {
		var stop func()
		interrupts, stop = launch.Interrupts()
		defer stop()
	}
	// Every process of the host pays from here on.
	if err := s.observer.Attach(); err != nil {
		return err
	}
	s.watch = startWatch(s.observer, s.out.sink)
	if len(s.argv) > 0 {
		err = s.runCommand()
	} else {
		err = s.attend(interrupts)
	}
	if err = errors.Join(err, s.conclude(err == nil)); err != nil {
		return err
	}
	if s.ended {
		return s.endAsCommand()
	}
	return s.strictness()
}

// conclude ends the watch and writes what it found, once. If the run failed there
// is nothing to write.
func (s *session) conclude(ok bool) error {
	if s.concluded {
		return nil
	}
	s.concluded = true
	if err := s.watch.end(); err != nil || !ok {
		return err
	}
	return s.out.finish(s)
}

// endAsCommand ends this process. With --strict a trace that lacks something makes
// a success a failure.
func (s *session) endAsCommand() error {
	if s.status.Exited() && s.status.ExitStatus() == 0 {
		if err := s.strictness(); err != nil {
			return err
		}
	}
	s.observer.Close()
	launch.Exit(s.status)
	return nil
}

// errIncomplete is for --strict. What is missing has been said.
type errIncomplete struct{}

func (errIncomplete) Error() string { return "--strict: the trace is incomplete" }
func (errIncomplete) ExitCode() int { return exitIncomplete }

func (s *session) strictness() error {
	if s.strict && !s.out.document.Complete.All() {
		return errIncomplete{}
	}
	return nil
}

// open loads the programs.
func (s *session) open() error {
	o := observe.Options{
		Files: s.files, Net: s.net, Errors: s.errors, Args: s.args, All: s.all,
		Cgroup: s.cgroup, Tree: s.pid, Tasks: s.maxTasks, RingBytes: s.bufferSize,
	}
	if s.btf != "" {
		types, err := loadBTF(s.btf)
		if err != nil {
			return err
		}
		o.KernelTypes = types
	}
	// Loading makes much garbage of what is needed once, and people wait.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var err error
	s.observer, err = observe.Open(o)
	return err
}

// loadBTF reads the types of the kernel from a file.
func loadBTF(file string) (*btf.Spec, error) {
	if observe.Restricted() {
		// The types decide where the programs read kernel memory.
		return nil, errors.New("--btf is for root: with capabilities from the file, the types have to be those of the running kernel")
	}
	types, err := btf.LoadSpec(file)
	if err != nil {
		return nil, fmt.Errorf("reading kernel types from %q: %w", file, err)
	}
	return types, nil
}

// runCommand starts the command and waits for it, and for all that it started.
func (s *session) runCommand() error {
	if s.user != nil {
		s.out.say("the command runs as %s (uid %d); --user root runs it as root", s.user.Name, s.user.UID)
	}
	target, err := launch.Start(launch.Command{
		Argv: s.argv,
		Env:  s.user.Environ(os.Environ()),
		User: s.user,
		Fork: s.observer.Fork,
	})
	if err != nil {
		return err
	}
	waited := make(chan error, 1)
	go func() {
		var err error
		s.status, err = target.Wait()
		waited <- err
	}()
	if err := s.waitFor(waited); err != nil {
		return err
	}
	s.ended = true
	if s.noWait || s.concluded {
		return nil
	}
	return s.waitForDescendants()
}

// waitFor waits for the command itself. If the time to watch is over before, the
// command goes on without.
func (s *session) waitFor(waited <-chan error) error {
	select {
	case err := <-waited:
		return err
	case <-s.watch.done:
		return s.watch.err
	case <-after(s.duration):
		s.out.say("%v are over; the command goes on without being watched", s.duration)
		if err := s.conclude(true); err != nil {
			return err
		}
		return <-waited
	}
}

// grace is how long the last threads may take to be noticed as ended before the
// user is told who is waited for.
const grace = 100 * time.Millisecond

func (s *session) waitForDescendants() error {
	interrupts, stop := launch.Interrupts()
	defer stop()
	_ = s.observer.Hurry() // or else Run looks at the end of its interval
	told := time.After(grace)
	for {
		select {
		case <-s.observer.Idle():
			return nil
		case <-s.watch.done:
			return s.watch.err
		case <-interrupts:
			return nil
		case <-after(s.duration):
			return nil
		case <-told:
			s.out.say("%s has ended; waiting for what it started: %s (Ctrl-C ends the watch)", quote.Word(s.argv[0]), names(s.living()))
		}
	}
}

// living are the processes that are still watched.
func (s *session) living() []tree.Process {
	var all []tree.Process
	for _, p := range s.observer.Living() {
		all = append(all, tree.Process{PID: int(p.ID.PID), Comm: p.Comm})
	}
	return all
}

// attend watches what is running until it ends, the time is over, or the user
// ends the watch.
func (s *session) attend(interrupts <-chan os.Signal) error {
	idle := s.observer.Idle()
	if s.pid != 0 {
		s.attached = targetOf(s.pid)
		if err := s.observer.FollowTree(); err != nil {
			return err
		}
	} else {
		idle = nil // tasks may come to a cgroup at any time
	}
	select {
	case <-idle:
	case <-s.watch.done:
		return s.watch.err
	case <-interrupts:
	case <-after(s.duration):
	}
	return nil
}

// after is time.After for a duration that may be 0, for ever.
func after(d time.Duration) <-chan time.Time {
	if d == 0 {
		return nil
	}
	return time.After(d)
}

// watch is a running [observe.Observer].
type watch struct {
	observer *observe.Observer
	stop     chan struct{}
	done     chan struct{} // closed when Run has returned err
	err      error
}

func startWatch(o *observe.Observer, sink event.Sink) *watch {
	w := &watch{observer: o, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		w.err = o.Run(sink, w.stop)
		close(w.done)
	}()
	return w
}

// end makes Run return and waits for that.
func (w *watch) end() error {
	close(w.stop)
	_ = w.observer.Hurry() // or else Run looks at the end of its interval
	<-w.done
	return w.err
}
