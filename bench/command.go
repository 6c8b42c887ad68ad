package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what a command used, as testdata/timed.c measured it from outside.
type usage struct {
	forked time.Duration // since boot
	wall   time.Duration
	cpu    time.Duration // of it and of all that it waited for
	peak   int64         // bytes: the largest of all these processes
}

// patience is for a command that hangs: nothing that is measured takes so long.
const patience = 10 * time.Minute

// run runs a command to its end. Its output goes to /dev/null.
func (b *bench) run(ctx context.Context, argv ...string) (usage, error) {
	return b.runWith(ctx, nil, argv...)
}

// runWith is run with additional variables in the environment.
func (b *bench) runWith(ctx context.Context, env []string, argv ...string) (usage, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var stderr bytes.Buffer
	c := b.command(ctx, b.timed("usage", argv))
	c.Env = append(c.Env, env...)
	c.Stderr = &stderr
	if err := c.Run(); err != nil {
		return usage{}, fmt.Errorf("running %q: %w\n%s", strings.Join(argv, " "), errors.Join(err, context.Cause(ctx)), tail(stderr.String()))
	}
	return b.usageIn("usage")
}

// timed is a command line that runs argv and puts its usage into a file.
func (b *bench) timed(name string, argv []string) []string {
	return append([]string{b.path("timed"), b.path(name)}, argv...)
}

// usageIn reads such a file.
func (b *bench) usageIn(name string) (usage, error) {
	text, err := os.ReadFile(b.path(name))
	if err != nil {
		return usage{}, fmt.Errorf("reading the usage of a command: %w", err)
	}
	var forked, wall, cpu, peak int64
	if _, err := fmt.Sscan(string(text), &forked, &wall, &cpu, &peak); err != nil {
		return usage{}, fmt.Errorf("parsing usage %q: %w", text, err)
	}
	return usage{
		forked: time.Duration(forked), wall: time.Duration(wall),
		cpu: time.Duration(cpu) * time.Microsecond, peak: peak << 10,
	}, nil
}

// command prepares a command in a session of its own, which is killed as a whole:
// tracers and what they trace must not outlive an interrupted harness.
func (b *bench) command(ctx context.Context, argv []string) *exec.Cmd {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = b.env
	c.Dir = b.dir
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Cancel = func() error { return unix.Kill(-c.Process.Pid, unix.SIGKILL) }
	c.WaitDelay = 5 * time.Second
	return c
}

// tail is the end of what a command printed.
func tail(s string) string {
	const enough = 1000
	if len(s) > enough {
		s = "…" + s[len(s)-enough:]
	}
	return strings.TrimSpace(s)
}
