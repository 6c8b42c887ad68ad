package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// suite is a test binary that runs in the machines.
type suite struct {
	pkg string
	// skip are tests that need something no machine of the matrix has: a Go
	// toolchain, a network, a configured sudo. They are about programs and not
	// about kernels.
	skip string
}

var suites = []suite{
	{pkg: "internal/kernel"},
	{pkg: "internal/launch"},
	{pkg: "internal/observe"},
	{pkg: "internal/seccomp"},
	{pkg: "internal/enforce"},
	{pkg: "internal/enforce/memory"},
	{pkg: "internal/enforce/plan"},
	{pkg: "internal/enforce/resolve"},
	{pkg: "internal/landlock"},
	{pkg: "internal/tree"},
	{pkg: "cmd/turnstile", skip: wholeGate + "|TestUnderSudo|TestSameAsStrace/(curl|python|git|go build|static go)"},
}

// wholeGate are the tests of enforce as a whole, and those of reports. They want files with attributes, other
// users and many programs, which the machines do not have yet; the parts of the gate are
// tested there.
const wholeGate = "TestAttack|TestEnforce|TestTransparent|TestListing|TestScriptEnforce|TestReadyPolicies|TestPolicy|TestReport"

// build is what was built for one processor.
type build struct {
	arch    *arch
	init    string            // the program in guest/
	tests   map[string]string // test binary by package
	targets []string          // the programs of cmd/turnstile/testdata/{targets,attacks}
}

// targetFlags are the flags that the tests build some target programs with, and
// x86Only are the programs that are about calls of x86.
var (
	targetFlags = map[string][]string{
		"m32":     {"-m32"},
		"same":    {"-nostdlib", "-ffreestanding"},
		"witness": {"-nostdlib", "-ffreestanding"},
	}
	x86Only = map[string]bool{"abis": true, "m32": true}
)

func newBuild(ctx context.Context, a *arch, dir string) (*build, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	b := &build{arch: a, init: filepath.Join(dir, "init"), tests: map[string]string{}}
	if err := b.goTool(ctx, "build", "-o", b.init, "./matrix/guest"); err != nil {
		return nil, err
	}
	for _, s := range suites {
		binary := filepath.Join(dir, strings.ReplaceAll(s.pkg, "/", "-")+".test")
		if err := b.goTool(ctx, "test", "-c", "-o", binary, "./"+s.pkg); err != nil {
			return nil, err
		}
		b.tests[s.pkg] = binary
	}
	var sources []string
	for _, dir := range []string{"targets", "attacks"} {
		found, err := filepath.Glob("cmd/turnstile/testdata/" + dir + "/*.c")
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("no programs in %s: run this in the root of the repository: %w", dir, err)
		}
		sources = append(sources, found...)
	}
	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".c")
		if x86Only[name] && a != amd64 {
			continue
		}
		out := filepath.Join(dir, name)
		args := slices.Concat(a.cc[1:], []string{"-O1", "-static", "-pthread", "-o", out, source}, targetFlags[name])
		if err := command(ctx, nil, a.cc[0], args...); err != nil {
			return nil, err
		}
		b.targets = append(b.targets, out)
	}
	return b, nil
}

func (b *build) goTool(ctx context.Context, args ...string) error {
	return command(ctx, []string{"CGO_ENABLED=0", "GOARCH=" + b.arch.deb}, "go", args...)
}

func command(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
