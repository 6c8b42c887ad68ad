package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// workshop is where machines are made ready.
type workshop struct {
	cache  string            // of kernels and packages, kept
	dir    string            // what is built here, not kept
	builds map[string]*build // by Debian's name of the processor
}

func newWorkshop() (*workshop, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("finding a place for the kernels: %w", err)
	}
	dir, err := os.MkdirTemp("", "turnstile-matrix-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	return &workshop{cache: filepath.Join(cache, "turnstile", "kernels"), dir: dir, builds: map[string]*build{}}, nil
}

func (w *workshop) clear() { _ = os.RemoveAll(w.dir) }

// prepare fetches the kernel of a row and makes the disk for it.
func (w *workshop) prepare(ctx context.Context, r row, tests string) (*machine, error) {
	b, err := w.build(ctx, r.arch)
	if err != nil {
		return nil, err
	}
	k, err := fetchKernel(ctx, r, w.cache)
	if err != nil {
		return nil, err
	}
	programs, err := fetchPrograms(ctx, r.arch, w.cache)
	if err != nil {
		return nil, err
	}
	disk := filepath.Join(w.dir, r.name+".cpio")
	if err := writeImage(ctx, disk, b, programs, tests); err != nil {
		return nil, err
	}
	return &machine{row: r, kernel: k, disk: disk, log: filepath.Join(w.cache, "logs", r.name+".log")}, nil
}

// build is what was built for a processor, once.
func (w *workshop) build(ctx context.Context, a *arch) (*build, error) {
	if b := w.builds[a.deb]; b != nil {
		return b, nil
	}
	b, err := newBuild(ctx, a, filepath.Join(w.dir, a.deb))
	if err != nil {
		return nil, fmt.Errorf("building for %s: %w", a.deb, err)
	}
	w.builds[a.deb] = b
	return b, nil
}
