package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// beside runs during while a process at the end of a command line of turnstile is
// idle. It has run another command before.
func (b *bench) beside(ctx context.Context, line, before []string, during func() error) error {
	ready := b.path("ready")
	if err := os.RemoveAll(ready); err != nil {
		return fmt.Errorf("removing %q: %w", ready, err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := b.command(ctx, slices.Concat(line, []string{"sh", "-c", `"$@" && : > "$0" && exec sleep 1d`, ready}, before))
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting turnstile: %w", err)
	}
	err := awaitFile(ctx, ready)
	if err == nil {
		err = during()
	}
	stop()
	c.Wait() // it was killed, and says so
	return err
}

// awaitFile waits until a file is there.
func awaitFile(ctx context.Context, file string) error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		switch _, err := os.Stat(file); {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("waiting for %q: %w", file, err)
		case time.Now().After(deadline):
			return fmt.Errorf("waiting for %q: it does not appear", file)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
