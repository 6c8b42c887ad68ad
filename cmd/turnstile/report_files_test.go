package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// held runs a command under what one format makes of a trace.
type held struct {
	format string
	needs  func(testing.TB)
	run    func(file string, argv []string) *exec.Cmd
}

// holders are the consumers of the formats that are about files.
func holders() []held {
	return []held{
		{"bwrap", func(t testing.TB) { testenv.Program(t, "bwrap") }, func(file string, argv []string) *exec.Cmd {
			return exec.Command("sh", append([]string{file}, argv...)...) //nolint:gosec // a test
		}},
		{"firejail", func(t testing.TB) { testenv.Program(t, "firejail") }, func(file string, argv []string) *exec.Cmd {
			return exec.Command("firejail", append([]string{"--quiet", "--profile=" + file}, argv...)...) //nolint:gosec // a test
		}},
		{"landlock", func(t testing.TB) { testenv.Landlock(t, 6) }, func(file string, argv []string) *exec.Cmd {
			return exec.Command("landlocked", append([]string{file}, argv...)...) //nolint:gosec // a test
		}},
	}
}

// profileFile is a profile of a trace in a file.
func profileFile(t testing.TB, format, trace string, options ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), format+".profile")
	if b, err := exec.Command("turnstile", append(append([]string{"report", "-q", "-f", format, "-o", out}, options...), trace)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return out
}

// heldWorkload is something that people run.
type heldWorkload struct {
	name string
	argv []string
	// prepare makes what it needs in its directory, done checks what it left and takes
	// that away.
	prepare func(t *testing.T, dir string)
	done    func(t *testing.T, dir, stdout string)
}

const pythonWorkload = `
import json, os, sys
os.makedirs("out/deep", exist_ok=True)
with open("out/deep/file.tmp", "w") as f: f.write("x")
os.rename("out/deep/file.tmp", "out/deep/file")
print(open("out/deep/file").read() + json.dumps(os.path.exists("/etc/hostname")))
def probe(name, f):
    try: f(); print(name, "worked")
    except OSError as e: print(name, "failed")
if os.environ.get("PROBE"):
    probe("file", lambda: open(os.environ["PROBE"]).read())
    probe("write", lambda: open("/etc/turnstile-probe", "w"))
    probe("call", lambda: os.sched_yield())
`

func heldWorkloads(t *testing.T) []heldWorkload {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "served") }))
	t.Cleanup(server.Close)
	exists := func(names ...string) func(*testing.T, string, string) {
		return func(t *testing.T, dir, _ string) {
			for _, n := range names {
				if _, err := os.Stat(filepath.Join(dir, n)); err != nil {
					t.Error(err)
				}
				os.RemoveAll(filepath.Join(dir, strings.Split(n, "/")[0]))
			}
		}
	}
	return []heldWorkload{
		{name: "python", argv: []string{"/usr/bin/python3", "-c", pythonWorkload}, done: func(t *testing.T, dir, stdout string) {
			if !strings.HasPrefix(stdout, "xtrue\n") {
				t.Errorf("%q", stdout)
			}
			exists("out/deep/file")(t, dir, stdout)
		}},
		{name: "git", argv: []string{"/usr/bin/git", "clone", "-q", "source", "clone"}, prepare: func(t *testing.T, dir string) {
			shell(t, dir, "git init -q source && cd source && echo x >file && git add file && git -c user.name=a -c user.email=a@example.com commit -qm first")
		}, done: exists("clone/file")},
		{name: "gcc", argv: []string{"/usr/bin/gcc", "-O1", "-o", "hello", "hello.c"}, prepare: func(t *testing.T, dir string) {
			shell(t, dir, `printf '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n' >hello.c`)
		}, done: exists("hello")},
		{name: "curl", argv: []string{"/usr/bin/curl", "-s", server.URL}, done: func(t *testing.T, _, stdout string) {
			if stdout != "served\n" {
				t.Errorf("%q", stdout)
			}
		}},
	}
}

func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// realTemp is a new directory by its real name.
func realTemp(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestReportOfFilesHolds: what was seen works under the profile that is made of it, in the
// hands of each consumer.
func TestReportOfFilesHolds(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "git", "gcc", "curl", "python3")
	for _, w := range heldWorkloads(t) {
		t.Run(w.name, func(t *testing.T) {
			dir := realTemp(t)
			if w.prepare != nil {
				w.prepare(t, dir)
			}
			trace := filepath.Join(t.TempDir(), "trace.json")
			cmd := exec.Command("turnstile", append([]string{"observe", "-q", "--files", "--net", "--args", "-o", trace, "--"}, w.argv...)...) //nolint:gosec // a test
			w.done(t, dir, ran(t, cmd, dir))
			for _, h := range holders() {
				t.Run(h.format, func(t *testing.T) {
					h.needs(t)
					w.done(t, dir, ran(t, h.run(profileFile(t, h.format, trace), w.argv), dir))
					w.done(t, dir, ran(t, h.run(profileFile(t, h.format, trace, "--collapse", "all"), w.argv), dir))
				})
			}
			t.Run("apparmor", func(t *testing.T) {
				testenv.Program(t, "apparmor_parser")
				for _, collapse := range []string{"none", "all"} {
					ran(t, exec.Command("apparmor_parser", "-Q", "-K", profileFile(t, "apparmor", trace, "--collapse", collapse)), dir) //nolint:gosec // a test
				}
			})
		})
	}
}

func ran(t testing.TB, cmd *exec.Cmd, dir string, env ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, &stdout, &stderr, append(os.Environ(), env...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%q: %v\n%s%s", cmd.Args, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// TestReportOfFilesRefuses: what was not seen fails: another file, a write, a call (which
// Landlock does not hold). Without a profile all of it works.
func TestReportOfFilesRefuses(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "python3")
	argv := []string{"/usr/bin/python3", "-c", pythonWorkload}
	dir, secret := realTemp(t), filepath.Join(realTemp(t), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove("/etc/turnstile-probe") })
	trace := filepath.Join(t.TempDir(), "trace.json")
	ran(t, exec.Command("turnstile", append([]string{"observe", "-q", "--files", "--net", "--args", "-o", trace, "--"}, argv...)...), dir) //nolint:gosec // a test
	if got := ran(t, exec.Command(argv[0], argv[1:]...), dir, "PROBE="+secret); got != "xtrue\nfile worked\nwrite worked\ncall worked\n" { //nolint:gosec // a test
		t.Fatalf("without a profile: %q", got)
	}
	for _, h := range holders() {
		t.Run(h.format, func(t *testing.T) {
			h.needs(t)
			want := "xtrue\nfile failed\nwrite failed\ncall failed\n"
			if h.format == "landlock" {
				want = strings.Replace(want, "call failed", "call worked", 1)
			}
			if got := ran(t, h.run(profileFile(t, h.format, trace), argv), dir, "PROBE="+secret); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// TestReportBwrapOfUser: the script works for whoever has no privilege.
func TestReportBwrapOfUser(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "python3", "bwrap")
	const nobody = 65534
	dir := realTemp(t)
	for d := dir; d != "/"; d = filepath.Dir(d) {
		if info, err := os.Stat(d); err != nil || info.Mode()&0o001 == 0 && os.Chmod(d, info.Mode()|0o011) != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	argv := []string{"/usr/bin/python3", "-c", pythonWorkload}
	trace := filepath.Join(dir, "trace.json")
	ran(t, exec.Command("turnstile", append([]string{"observe", "-q", "--files", "--net", "--args", "--user", "nobody", "-o", trace, "--"}, argv...)...), dir) //nolint:gosec // a test
	text, err := os.ReadFile(profileFile(t, "bwrap", trace))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-s", "--")
	cmd.Stdin = bytes.NewReader(text)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if got := ran(t, cmd, dir, "PROBE=/etc/shells", "TMPDIR=/tmp"); got != "xtrue\nfile failed\nwrite failed\ncall failed\n" {
		t.Errorf("%q", got)
	}
}

// TestReportLandlockPorts: only the ports that were used can be connected to.
func TestReportLandlockPorts(t *testing.T) {
	needObserve(t)
	testenv.Landlock(t, 6)
	testenv.Program(t, "curl")
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	dir, trace := realTemp(t), filepath.Join(t.TempDir(), "trace.json")
	ran(t, exec.Command("turnstile", "observe", "-q", "--files", "--net", "--args", "-o", trace, "--", "/usr/bin/curl", "-s", server.URL), dir) //nolint:gosec // a test
	file := profileFile(t, "landlock", trace)
	ran(t, exec.Command("landlocked", file, "/usr/bin/curl", "-s", server.URL), dir) //nolint:gosec // a test
	cmd := exec.Command("landlocked", file, "/usr/bin/curl", "-sS", "http://"+other.Addr().String())
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "Failed to connect") && !strings.Contains(string(out), "Couldn't connect") {
		t.Errorf("%v\n%s", err, out)
	}
}
