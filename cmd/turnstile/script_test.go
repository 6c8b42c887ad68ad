package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/landlock"
)

// TestScript runs the scripts of testdata/script: the command line as a user sees it.
func TestScript(t *testing.T) {
	runScripts(t, "testdata/script/any")
}

// TestScriptObserve runs those that watch something.
func TestScriptObserve(t *testing.T) {
	needObserve(t)
	runScripts(t, "testdata/script/observe", "NUMBERS="+target(t, "numbers"))
}

func runScripts(t *testing.T, dir string, variables ...string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:           dir,
		UpdateScripts: os.Getenv("UPDATE_GOLDEN") != "",
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, variables...)
			// Whoever runs the tests by sudo is not part of them.
			for _, name := range []string{"SUDO_UID", "SUDO_GID", "SUDO_USER"} {
				env.Setenv(name, "")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":  cmdCode,
			"tmpfs": cmdTmpfs,
			"mode":  cmdMode,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "observe":
				return kernel.Check(kernel.Observe) == nil, nil
			case "landlock":
				_, err := landlock.Version()
				return err == nil, nil
			}
			return false, fmt.Errorf("no condition %q", name)
		},
	})
}

// cmdCode runs a command that has to exit with a code: code 2 turnstile -x.
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [argument...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdTmpfs mounts a filesystem of a size: tmpfs 64k dir.
func cmdTmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs size dir")
	}
	dir := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(unix.Mount("none", dir, "tmpfs", 0, "size="+args[0]))
	ts.Defer(func() { unix.Unmount(dir, unix.MNT_DETACH) })
}

// cmdMode checks the permissions of a file: mode 600 file.
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode octal file")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := info.Mode().Perm(); got != os.FileMode(want) {
		ts.Fatalf("mode of %s is %o, want %o", args[1], got, want)
	}
}
