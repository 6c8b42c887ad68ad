package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// timing is what testdata/opens.c found out about single opens, in ns.
type timing struct{ p50, p99, mean float64 }

func mean(t timing) float64 { return t.mean }

// openFiles are the paths of a session that are opened.
type openFiles struct {
	plain   string // an ordinary file, by a path without any link
	linked  string // the same through a link to its directory
	secret  string // one that the rule denies
	missing string
	rule    string
}

// makeOpenFiles makes them, in a directory whose own path has no link.
func (b *bench) makeOpenFiles() (openFiles, error) {
	dir, err := filepath.EvalSymlinks(b.dir)
	if err != nil {
		return openFiles{}, fmt.Errorf("resolving the directory of the session: %w", err)
	}
	in := func(names ...string) string { return filepath.Join(append([]string{dir, "opened"}, names...)...) }
	if err := os.RemoveAll(in()); err != nil {
		return openFiles{}, fmt.Errorf("removing the files to open: %w", err)
	}
	f := openFiles{
		plain: in("plain", "file"), linked: in("link", "file"), secret: in("secret", "file"), missing: in("plain", "missing"),
		rule: "read:" + in("secret") + "/**",
	}
	for _, file := range []string{f.plain, f.secret} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return openFiles{}, fmt.Errorf("making a directory for a file to open: %w", err)
		}
		if err := os.WriteFile(file, []byte("opened\n"), 0o644); err != nil {
			return openFiles{}, fmt.Errorf("making a file to open: %w", err)
		}
	}
	if err := os.Symlink("plain", in("link")); err != nil {
		return openFiles{}, fmt.Errorf("making a link: %w", err)
	}
	return f, nil
}

// opens times opens at the end of a command line, so many in each of some threads.
// All of them have to end with an error, or none where it is 0.
func (b *bench) opens(ctx context.Context, line []string, file string, want syscall.Errno, threads, calls int) (timing, error) {
	result := b.path("timing")
	if err := os.RemoveAll(result); err != nil {
		return timing{}, fmt.Errorf("removing %q: %w", result, err)
	}
	argv := []string{b.path("opens"), result, file, strconv.Itoa(int(want)), strconv.Itoa(threads), strconv.Itoa(calls)}
	if _, err := b.run(ctx, slices.Concat(line, argv)...); err != nil {
		return timing{}, err
	}
	text, err := os.ReadFile(result)
	if err != nil {
		return timing{}, fmt.Errorf("reading %q: %w", result, err)
	}
	var t timing
	if _, err := fmt.Sscan(string(text), &t.p50, &t.p99, &t.mean); err != nil {
		return timing{}, fmt.Errorf("parsing the times of opens, %q: %w", text, err)
	}
	return t, nil
}
