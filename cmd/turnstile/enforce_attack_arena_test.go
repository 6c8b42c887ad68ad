package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/policy"
)

// arena is where an attack takes place: a directory that belongs to who attacks.
type arena struct {
	dir       string
	uid       int
	turnstile string
	files     []string                        // what is in the directory before each run, see lay
	more      func(t testing.TB, dir string)  // does what files cannot say
	attr      func(attr *syscall.SysProcAttr) // changes how a run starts
	stdin     *os.File
}

// newArena is one for this user. lay says what names are.
func newArena(t testing.TB, uid int, files ...string) *arena {
	t.Helper()
	base := reachable(t)
	a := &arena{dir: filepath.Join(base, "a"), uid: uid, turnstile: "turnstile", files: files}
	if uid != 0 {
		self, err := exec.LookPath("turnstile")
		if err != nil {
			t.Fatal(err)
		}
		a.turnstile = filepath.Join(base, "turnstile")
		// By another program: a child of a test beside this one that has the copy open to
		// write would be in the way of running it.
		if out, err := exec.Command("cp", "--dereference", self, a.turnstile).CombinedOutput(); err != nil {
			t.Fatalf("cp: %v\n%s", err, out)
		}
	}
	return a
}

// asEach runs a test as root and as a user without any privilege.
func asEach(t *testing.T, files []string, test func(t *testing.T, a *arena)) {
	t.Helper()
	for _, uid := range []int{0, nobody} {
		t.Run(map[int]string{0: "root", nobody: "nobody"}[uid], func(t *testing.T) {
			test(t, newArena(t, uid, files...))
		})
	}
}

// fresh makes the directory anew, so that each run begins with the same.
func (a *arena) fresh(t testing.TB) {
	t.Helper()
	if err := os.RemoveAll(a.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(a.dir, 0o755); err != nil { //nolint:gosec // see reachable
		t.Fatal(err)
	}
	lay(t, a.dir, a.files)
	err := filepath.WalkDir(a.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, a.uid, a.uid))
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.more != nil {
		a.more(t, a.dir)
	}
}

// lay makes files: "name/" is a directory, "name -> text" a symbolic link, "name => file"
// a hard link, "name|" a named pipe, and "name=content" a file.
func lay(t testing.TB, dir string, files []string) {
	t.Helper()
	for _, f := range files {
		var err error
		if name, text, ok := strings.Cut(f, " -> "); ok {
			err = os.Symlink(text, filepath.Join(dir, name))
		} else if name, old, ok := strings.Cut(f, " => "); ok {
			err = os.Link(filepath.Join(dir, old), filepath.Join(dir, name))
		} else if name, ok := strings.CutSuffix(f, "|"); ok {
			err = syscall.Mkfifo(filepath.Join(dir, name), 0o644)
		} else if name, content, ok := strings.Cut(f, "="); ok {
			err = os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644) //nolint:gosec // see reachable
		} else {
			err = os.MkdirAll(filepath.Join(dir, f), 0o755) //nolint:gosec // see reachable
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (a *arena) path(name string) string { return filepath.Join(a.dir, name) }

// outcome is how a run ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// command is one that runs as the attacker, in a process group of its own, which ends
// with the test.
func (a *arena) command(t testing.TB, argv ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline())
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.WaitDelay = 5 * time.Second
	if a.stdin != nil {
		cmd.Stdin = a.stdin
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.uid)}, //nolint:gosec // they are small
		Setpgid:    true,
	}
	if a.attr != nil {
		a.attr(cmd.SysProcAttr)
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

func (a *arena) run(t testing.TB, argv ...string) outcome {
	t.Helper()
	return ended(t, a.command(t, argv...))
}

// ended runs a command to its end.
func ended(t testing.TB, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v\n%s%s", cmd.Args, err, &stdout, &stderr)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// bare runs a command without Turnstile.
func (a *arena) bare(t testing.TB, argv ...string) outcome {
	t.Helper()
	a.fresh(t)
	return a.run(t, argv...)
}

// gated runs it under turnstile enforce. A rule is "deny read GLOB" or "default deny"; a
// glob that is not absolute begins in the directory of the arena. What is no rule is a
// flag.
func (a *arena) gated(t testing.TB, rules []string, argv ...string) outcome {
	t.Helper()
	a.fresh(t)
	return a.run(t, a.gate(rules, argv...)...)
}

func (a *arena) gate(rules []string, argv ...string) []string {
	gate := []string{a.turnstile, "enforce"}
	if !slices.ContainsFunc(rules, func(r string) bool { return strings.HasPrefix(r, "default ") }) {
		gate = append(gate, "--default", "allow")
	}
	if !slices.Contains(rules, "-v") {
		gate = append(gate, "-q")
	}
	if slices.Contains(rules, "default deny") && !slices.ContainsFunc(rules, func(r string) bool { return strings.HasPrefix(r, "allow exec ") }) {
		gate = append(gate, "--allow", "exec:/**")
	}
	for _, rule := range rules {
		words := strings.SplitN(rule, " ", 3)
		switch {
		case len(words) == 1:
			gate = append(gate, rule)
		case words[0] == "default":
			gate = append(gate, "--default", words[1])
		default:
			glob := words[2]
			if !filepath.IsAbs(glob) && !policy.IsSocket(glob) {
				glob = a.path(glob)
			}
			gate = append(gate, "--"+words[0], words[1]+":"+glob)
		}
	}
	return append(append(gate, "--"), argv...)
}

// meet runs a command that stops after its first line. What the test does then lies
// between, and a byte on its stdin lets it go on.
func (a *arena) meet(t testing.TB, between func(), argv ...string) outcome {
	t.Helper()
	cmd := a.command(t, argv...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	first, err := lines.ReadString('\n')
	if err == nil {
		between()
		_, err = stdin.Write([]byte("x"))
	}
	rest, _ := io.ReadAll(lines)
	cmd.Wait()
	if err != nil {
		t.Errorf("%q: %v", argv, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), first + string(rest), stderr.String()}
}

// setXattr gives a file an attribute, where its file system has such.
func setXattr(t testing.TB, file, name string) {
	t.Helper()
	if err := unix.Setxattr(file, name, []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
}

func chown(t testing.TB, file string, uid int) {
	t.Helper()
	if err := os.Lchown(file, uid, uid); err != nil {
		t.Fatal(err)
	}
}
