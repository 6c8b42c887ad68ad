package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// findTree is where findCommand looks at every file.
func (b *bench) findTree() string {
	if b.quick {
		return "/usr/bin"
	}
	return "/usr"
}

func (b *bench) findCommand() []string {
	return []string{"find", b.findTree(), "-type", "f", "-newermt", "2000-01-01"}
}

func makeFind(_ context.Context, b *bench) (workload, error) {
	argv := b.findCommand()
	return workload{
		name: "find", title: "find",
		text: "`find /usr -type f -newermt 2000-01-01` does nothing but list directories and stat\n" +
			"files, each another one: the worst for who notes files.",
		argv: argv, tree: b.findTree(), rounds: 7, straceRounds: 1,
		prepare: b.warm(argv),
	}, nil
}

// warm reads again what a short workload needs: a kernel that reclaims memory ahead
// of need drops it during the longer variants.
func (b *bench) warm(argv []string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		_, err := b.run(ctx, argv...)
		return nil, err
	}
}

// makeGoBuild builds a part of the standard library, and not of Turnstile: what is
// measured stays the same when Turnstile changes.
func makeGoBuild(ctx context.Context, b *bench) (workload, error) {
	pkg := "net/http"
	if b.quick {
		pkg = "internal/abi"
	}
	root, err := b.command(ctx, []string{"go", "env", "GOROOT"}).Output()
	if err != nil {
		return workload{}, fmt.Errorf("finding the sources of the standard library: %w", err)
	}
	cache := b.path("gocache")
	return workload{
		name: "go-build", title: "go build",
		text: "`go build -a net/http` with an empty build cache: compilers, as many at a time as\nthere are CPUs.",
		argv: []string{"go", "build", "-a", pkg}, tree: strings.TrimSpace(string(root)), policy: "policies/build.yaml", rounds: 3, straceRounds: 1,
		prepare: func(context.Context) ([]string, error) {
			if err := os.RemoveAll(cache); err != nil {
				return nil, fmt.Errorf("emptying the build cache: %w", err)
			}
			return []string{"GOCACHE=" + cache, "CGO_ENABLED=0"}, nil
		},
	}, nil
}

func makeGitLog(ctx context.Context, b *bench) (workload, error) {
	repository := b.path("repository")
	if err := b.makeRepository(ctx, repository, b.either(2000, 100)); err != nil {
		return workload{}, err
	}
	argv := []string{"git", "-C", repository, "log", "--stat"}
	return workload{
		name: "git-log", title: "git log",
		text: "`git log --stat` of a generated repository with 2,000 commits.",
		argv: argv, tree: repository, rounds: 5, straceRounds: 2,
		prepare: b.warm(argv),
	}, nil
}

func makeForkScript(_ context.Context, b *bench) (workload, error) {
	script := `i=0; while [ $i -lt "$1" ]; do /bin/true; i=$((i+1)); done`
	return workload{
		name: "fork-script", title: "fork script",
		text: "A shell script that runs /bin/true 2,000 times: processes that live for a\nmillisecond.",
		argv: []string{"sh", "-c", script, "sh", strconv.Itoa(b.either(2000, 100))}, tree: "/usr", rounds: 7, straceRounds: 2,
		prepare: b.warm([]string{"/bin/true"}),
	}, nil
}

func makeCBuild(_ context.Context, b *bench) (workload, error) {
	project := b.path("project")
	if err := writeProject(project, b.either(30, 4)); err != nil {
		return workload{}, err
	}
	objects := filepath.Join(project, objectDir)
	return workload{
		name: "c-build", title: "C build",
		text: "`make -j2` of a generated program of 30 C files with 8 functions each: a compiler,\nwhich opens many headers, and an assembler for each.",
		argv: []string{"make", "-s", "-j2", "-C", project}, tree: project, rounds: 5, straceRounds: 2,
		prepare: func(context.Context) ([]string, error) {
			if err := os.RemoveAll(objects); err != nil {
				return nil, fmt.Errorf("emptying the directory of objects: %w", err)
			}
			if err := os.Mkdir(objects, 0o755); err != nil {
				return nil, fmt.Errorf("making the directory of objects: %w", err)
			}
			return nil, nil
		},
	}, nil
}
