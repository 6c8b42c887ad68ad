package enforce

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/tracer"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// The test binary plays every part: it supervises, it executes, and it is what is executed.
const executeVariable = "ENFORCE_TEST_EXECUTE"

func init() {
	switch part := os.Getenv(executeVariable); part {
	case "":
	case "supervise":
		os.Setenv(executeVariable, "execute")
		os.Exit(superviseExecutions(os.Args[1]))
	case "execute":
		os.Setenv(executeVariable, "image")
		executeWhileExchanged(os.Args[1])
		os.Exit(0)
	case "image":
		self, err := os.Readlink("/proc/self/exe")
		mustDo(err)
		os.Exit(map[string]int{"allowed": 10, "denied": 20}[filepath.Base(self)])
	}
}

func superviseExecutions(dir string) int {
	pattern, err := policy.ParsePattern(policy.Quote(dir) + "/d*")
	mustDo(err)
	t := tracer.New()
	g, err := New(Options{Tracer: t, Policy: &policy.Policy{Default: event.VerdictAllow, Rules: []policy.Rule{{
		Verdict: event.VerdictDeny, Classes: event.Exec, Patterns: []policy.Pattern{pattern}, Name: "test",
	}}}})
	mustDo(err)
	target, err := launch.Start(launch.Command{Path: "/proc/self/exe", Argv: []string{"test", dir}, Fork: g.Fork, Poll: t.Poll})
	mustDo(err)
	status, err := target.Wait()
	mustDo(err)
	t.WaitAll()
	mustDo(g.Close())
	mustDo(g.Err())
	return status.ExitStatus()
}

// executeWhileExchanged executes what a link leads to, which changes all the time.
func executeWhileExchanged(dir string) {
	link, other := filepath.Join(dir, "link"), filepath.Join(dir, "other")
	go func() {
		for {
			mustDo(unix.Renameat2(unix.AT_FDCWD, link, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE))
		}
	}()
	counts := make(map[string]int)
	for range 300 {
		cmd := exec.Command(link)
		err := cmd.Run()
		switch {
		case cmd.ProcessState == nil && os.IsPermission(err):
			counts["refused"]++
		case cmd.ProcessState == nil:
			counts[err.Error()]++
		default:
			counts[cmd.ProcessState.String()]++
		}
	}
	for what, n := range counts {
		fmt.Println(what, n)
	}
}

// What was executed is what was judged, also on kernels where the whole gate is not tested.
func TestExecutedWhileExchanged(t *testing.T) {
	if err := kernel.Check(kernel.Enforce); err != nil {
		testenv.Lack(t, err.Error())
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"allowed", "denied"} {
		copySelf(t, filepath.Join(dir, name))
	}
	for name, to := range map[string]string{"link": "allowed", "other": "denied"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(part string) string {
		cmd := exec.Command("/proc/self/exe", dir)
		cmd.Env = append(os.Environ(), executeVariable+"="+part)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", part, err, out)
		}
		t.Logf("%s: %s", part, strings.ReplaceAll(string(out), "\n", ", "))
		return string(out)
	}
	if bare := run("execute"); !strings.Contains(bare, "exit status 20 ") {
		t.Error("what is to be denied never ran without a gate")
	}
	gated := run("supervise")
	if strings.Contains(gated, "exit status 20 ") {
		t.Error("what is denied ran")
	}
	for _, what := range []string{"exit status 10 ", "refused "} {
		if !strings.Contains(gated, what) {
			t.Errorf("there is no %q", what)
		}
	}
	for line := range strings.Lines(gated) {
		what := strings.TrimRight(line, " 0123456789\n")
		if what != "exit status" && what != "refused" && what != "signal: killed" {
			t.Errorf("%q", line)
		}
	}
}

func copySelf(t *testing.T, to string) {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755) //nolint:gosec // it is executed
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, self); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
