package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// bench is one session: what was built for it, and what it has found so far.
type bench struct {
	options
	root  string // of the module
	dir   string // for everything that is built and written; removed at the end
	env   []string
	peers map[string]bool
	load  company
	page  page
}

func newBench(ctx context.Context, o options) (*bench, error) {
	b := &bench{options: o, env: environment(), peers: map[string]bool{}, page: page{unjudged: o.quick}}
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("finding the module: %w", err)
	}
	b.root = filepath.Dir(strings.TrimSpace(string(mod)))
	if b.dir, err = os.MkdirTemp("", "turnstile-bench-"); err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	if b.load, err = readLoad(); err == nil {
		err = b.build(ctx)
	}
	if err != nil {
		b.close()
		return nil, err
	}
	b.findPeers(ctx)
	return b, nil
}

// close removes the directory. One that stays behind spoils no figure.
func (b *bench) close() { _ = os.RemoveAll(b.dir) }

// path is a file in the directory of this session.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// observe is a command line that runs argv under turnstile observe.
func (b *bench) observe(flags []string, argv ...string) []string {
	line := append([]string{b.path("turnstile"), "observe", "-q"}, flags...)
	return append(append(line, "--"), argv...)
}

// enforce is a command line that runs what is appended to it under turnstile enforce,
// which denies one thing and lets everything else pass.
func (b *bench) enforce(deny string) []string {
	return []string{b.path("turnstile"), "enforce", "-q", "--default", "allow", "--deny", deny, "--"}
}

// either is a size for a full run and one for a quick run.
func (b *bench) either(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// roundsOf is how many rounds an experiment gets that needs n.
func (b *bench) roundsOf(n int) int {
	switch {
	case b.rounds > 0:
		return b.rounds
	case b.quick:
		return min(n, 2)
	default:
		return n
	}
}

// environment is what the measured commands get. Without the variables of sudo
// the target stays root under turnstile, as it is under the others; messages are
// in one language, and no user's configuration of git matters.
func environment() []string {
	env := []string{"LC_ALL=C", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SUDO_") && !strings.HasPrefix(v, "LC_ALL=") && !strings.HasPrefix(v, "GIT_") {
			env = append(env, v)
		}
	}
	return env
}
