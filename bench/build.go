package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// build makes the programs of this session: Turnstile as it is released, and the
// loads.
func (b *bench) build(ctx context.Context) error {
	turnstile := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", b.path("turnstile"), "./cmd/turnstile")
	turnstile.Dir = b.root
	turnstile.Env = append(b.env, "CGO_ENABLED=0")
	if err := compile(turnstile); err != nil {
		return err
	}
	for _, load := range []string{"filtered", "loop", "opens", "started", "timed"} {
		source := filepath.Join(b.root, "bench", "testdata", load+".c")
		if err := compile(exec.CommandContext(ctx, "gcc", "-O2", "-Wall", "-pthread", "-o", b.path(load), source)); err != nil {
			return err
		}
	}
	return nil
}

func compile(c *exec.Cmd) error {
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("building with %q: %w\n%s", strings.Join(c.Args, " "), err, out)
	}
	return nil
}
