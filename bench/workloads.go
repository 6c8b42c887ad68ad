package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

// findCommand looks at every file below /usr.
func (b *bench) findCommand() []string {
	dir := "/usr"
	if b.quick {
		dir = "/usr/bin"
	}
	return []string{"find", dir, "-type", "f", "-newermt", "2000-01-01"}
}

func measureFind(ctx context.Context, b *bench) error {
	argv := b.findCommand()
	return measureWorkload(ctx, b, workload{
		name: "find", title: "find",
		text: "`find /usr -type f -newermt 2000-01-01` does nothing but list directories and stat\n" +
			"files, each another one: the worst that can happen to --files.",
		argv: argv, limit: 1.5, rounds: 7, straceRounds: 1,
		prepare: b.warm(argv),
	})
}

// warm reads again what a short workload needs: a kernel that reclaims memory ahead
// of need drops it during the longer variants.
func (b *bench) warm(argv []string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		_, err := b.run(ctx, argv...)
		return nil, err
	}
}

// measureGoBuild builds a part of the standard library, and not of Turnstile: what
// is measured stays the same when Turnstile changes.
func measureGoBuild(ctx context.Context, b *bench) error {
	pkg := "net/http"
	if b.quick {
		pkg = "internal/abi"
	}
	cache := b.path("gocache")
	return measureWorkload(ctx, b, workload{
		name: "go-build", title: "go build",
		text: "`go build -a net/http` with an empty build cache: compilers, as many at a time as\nthere are CPUs.",
		argv: []string{"go", "build", "-a", pkg}, limit: 1.10, rounds: 3, straceRounds: 1,
		prepare: func(context.Context) ([]string, error) {
			if err := os.RemoveAll(cache); err != nil {
				return nil, fmt.Errorf("emptying the build cache: %w", err)
			}
			return []string{"GOCACHE=" + cache, "CGO_ENABLED=0"}, nil
		},
	})
}

func measureGitLog(ctx context.Context, b *bench) error {
	repository := b.path("repository")
	if err := b.makeRepository(ctx, repository, b.either(2000, 100)); err != nil {
		return err
	}
	argv := []string{"git", "-C", repository, "log", "--stat"}
	return measureWorkload(ctx, b, workload{
		name: "git-log", title: "git log",
		text: "`git log --stat` of a generated repository with 2,000 commits.",
		argv: argv, limit: 1.10, rounds: 7, straceRounds: 2,
		prepare: b.warm(argv),
	})
}

func measureForkScript(ctx context.Context, b *bench) error {
	script := `i=0; while [ $i -lt "$1" ]; do /bin/true; i=$((i+1)); done`
	return measureWorkload(ctx, b, workload{
		name: "fork-script", title: "fork script",
		text: "A shell script that runs /bin/true 2,000 times: processes that live for a\nmillisecond.",
		argv: []string{"sh", "-c", script, "sh", strconv.Itoa(b.either(2000, 100))}, limit: 1.3, rounds: 7, straceRounds: 2,
		prepare: b.warm([]string{"/bin/true"}),
	})
}
