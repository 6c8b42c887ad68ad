package enforce

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/enforce/ask"
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/launch"
	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// A gate cannot be put around the tests themselves. This variable has the test binary
// supervise a command with a gate that is broken in some way.
const brokenVariable = "ENFORCE_TEST_BROKEN"

func init() {
	if broken := os.Getenv(brokenVariable); broken != "" {
		os.Unsetenv(brokenVariable)
		os.Exit(superviseBroken(broken, os.Args[1], os.Args[2:]))
	}
}

// superviseBroken runs a command that is asked about a file: for changing its mode, or for
// reading it.
func superviseBroken(broken, file string, argv []string) int {
	classes := event.Read
	if broken == "policy" {
		classes = event.Attr
	}
	pattern, err := policy.ParsePattern(policy.Quote(file))
	mustDo(err)
	o := Options{Policy: &policy.Policy{Default: event.VerdictAllow, Rules: []policy.Rule{{
		Verdict: event.VerdictAsk, Classes: classes, Patterns: []policy.Pattern{pattern}, Name: "test",
	}}}, Asker: panicker{}}
	g, err := New(o)
	mustDo(err)
	target, err := launch.Start(launch.Command{Argv: argv, Fork: func(start func() error) error {
		return g.Fork(func() error {
			switch broken {
			case "policy":
				g.policy = nil
			case "desk":
				g.desk = new(ask.Desk)
			}
			return start()
		})
	}})
	mustDo(err)
	status, err := target.Wait()
	mustDo(err)
	mustDo(g.Close())
	fmt.Fprintln(os.Stderr, "defects:", g.Err())
	return status.ExitStatus()
}

// panicker is somebody to ask who is not up to it.
type panicker struct{}

func (panicker) Ask(context.Context, *ask.Question) ask.Answer { panic("the asker is broken") }

func mustDo(err error) {
	if err != nil {
		panic(err)
	}
}

// A defect denies the one call that meets it. The run goes on, and its end tells.
func TestPanicDeniesOneCall(t *testing.T) {
	if err := kernel.Check(kernel.Enforce); err != nil {
		testenv.Lack(t, err.Error())
	}
	for _, test := range []struct{ broken, command, defect string }{
		{"policy", "chmod 600", "answering fchmodat"}, // on the thread that receives
		{"desk", "cat", "answering openat"},           // on that of a call that waits
		{"asker", "cat", "the asker is broken"},       // on nobody's
	} {
		t.Run(test.broken, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"broken", "open"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(name+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			script := fmt.Sprintf(`for i in 1 2 3; do %s broken; echo $?; cat open; done; exit 7`, test.command)
			cmd := exec.Command("/proc/self/exe", filepath.Join(dir, "broken"), "sh", "-c", script)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), brokenVariable+"="+test.broken, "LC_ALL=C")
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != 7 {
				t.Errorf("exit code %d, want 7", code)
			}
			if got, want := stdout.String(), strings.Repeat("1\nopen\n", 3); got != want {
				t.Errorf("stdout is %q, want %q", got, want)
			}
			if n := strings.Count(stderr.String(), "Permission denied"); n != 3 {
				t.Errorf("the command was denied %d calls, want 3", n)
			}
			if _, defects, _ := strings.Cut(stderr.String(), "defects:"); !strings.Contains(defects, test.defect) {
				t.Errorf("nothing tells of %q", test.defect)
			}
			if t.Failed() {
				t.Logf("stderr: %.2000s", &stderr)
			}
		})
	}
}
