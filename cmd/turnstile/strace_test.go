package main

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/stracelog"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// TestSameAsStrace watches strace, which watches a program. For every process but
// strace itself, what Turnstile counted is what strace logged.
//
// There is one difference for a reason: the process that strace forks makes a few
// calls before it executes the program, which strace does not log. They are
// measured in a run of their own and expected exactly.
func TestSameAsStrace(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "strace")
	early := callsBeforeExec(t)

	for _, tt := range []struct {
		name  string
		needs []string
		argv  func(t *testing.T) []string
	}{
		{"ls", nil, argv("ls", "-lR", "/etc")},
		{"pipeline", nil, argv("sh", "-c", "cat /etc/passwd | sort | uniq -c | head -3; for i in 1 2 3; do (echo $i; true) | wc -l; done")},
		{"curl", []string{"curl"}, func(t *testing.T) []string {
			return []string{"curl", "-sS", "-o", "/dev/null", localServer(t), localServer(t)}
		}},
		{"python", []string{"python3"}, argv("python3", "-c", pythonThreads)},
		{"git", []string{"git"}, func(t *testing.T) []string { return gitSession(t) }},
		{"go build", []string{"go"}, func(t *testing.T) []string { return goBuild(t) }},
		{"static go", []string{"go"}, func(t *testing.T) []string { return []string{staticGo(t)} }},
		{"posix_spawn and vfork", nil, func(t *testing.T) []string { return []string{target(t, "spawn")} }},
		{"sqlite", []string{"sqlite3"}, func(t *testing.T) []string {
			return []string{"sqlite3", filepath.Join(t.TempDir(), "db"), "create table t(a); insert into t values (1), (2); select sum(a) from t;"}
		}},
		{"tar", []string{"tar", "gzip"}, func(t *testing.T) []string {
			return []string{"tar", "-C", "/etc", "-czf", filepath.Join(t.TempDir(), "x.tgz"), "."}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testenv.Program(t, tt.needs...)
			argv := tt.argv(t)
			log := filepath.Join(t.TempDir(), "log")
			r := watched(t, append([]string{"-q", "--", "strace", "-f", "-o", log}, argv...)...)
			if r.code != 0 {
				t.Fatalf("exit code %d\n%s", r.code, r.stderr)
			}
			compareWithStrace(t, r.doc, parseLog(t, log), early)
		})
	}
}

// callsBeforeExec counts what strace's child does before it executes the program.
func callsBeforeExec(t *testing.T) map[string]int {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	r := watched(t, "-q", "--", "strace", "-f", "-o", log, "true")
	logged := parseLog(t, log)
	if len(logged) != 1 {
		t.Fatalf("strace logged %d processes of true", len(logged))
	}
	early := make(map[string]int)
	for pid, p := range logged {
		for name, n := range callsOf(t, r.doc, pid) {
			if n != p.Calls[name] {
				early[name] = n - p.Calls[name]
			}
		}
	}
	// A handful of calls to stop itself and to set up the exec. Everything that
	// a program does is more.
	if len(early) > 8 || early["openat"] != 0 || early["mmap"] != 0 {
		t.Fatalf("calls of strace's child before its exec: %v", early)
	}
	return early
}

func parseLog(t *testing.T, file string) stracelog.Log {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log, err := stracelog.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return log.Processes()
}

// callsOf are the counts of the process that had a pid.
func callsOf(t *testing.T, d *trace.Document, pid int) map[string]int {
	t.Helper()
	for _, p := range d.Processes {
		if int(p.PID) == pid {
			return calls(d)[p.ID]
		}
	}
	t.Fatalf("the trace has no process %d", pid)
	return nil
}

func compareWithStrace(t *testing.T, d *trace.Document, log stracelog.Log, early map[string]int) {
	t.Helper()
	if !d.Complete.Syscalls || !d.Complete.Processes {
		t.Errorf("the trace is incomplete: %+v, lost %v", d.Complete, d.Lost)
	}
	// Besides strace itself, with the children that it tries ptrace on, the trace
	// has the processes of the log and no more.
	for _, p := range d.Processes {
		if log[int(p.PID)] == nil && filepath.Base(p.Exe) != "strace" {
			t.Errorf("process %d (%s) is not in the log", p.PID, p.Exe)
		}
	}
	first := slices.Min(slices.Collect(maps.Keys(log)))
	compared := 0
	for pid, p := range log {
		got := maps.Clone(callsOf(t, d, pid))
		if pid == first {
			for name, n := range early {
				got[name] -= n
			}
		}
		for _, name := range slices.Sorted(maps.Keys(union(got, p.Calls))) {
			n, most := got[name], p.Calls[name]
			least := most - p.Cut[name]
			if n < least || n > most {
				t.Errorf("process %d: %s: counted %d, strace logged %s", pid, name, n, between(least, most))
			}
			compared += n
		}
	}
	t.Logf("%d processes and %d calls are the same", len(log), compared)
}

func union(a, b map[string]int) map[string]int {
	u := maps.Clone(a)
	for k, v := range b {
		u[k] += v
	}
	return u
}

func between(least, most int) string {
	if least == most {
		return fmt.Sprint(most)
	}
	return fmt.Sprintf("%d, of which %d were cut short", most, most-least)
}

func argv(words ...string) func(*testing.T) []string {
	return func(*testing.T) []string { return words }
}

// localServer is the address of a server that answers on this machine.
func localServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(strings.Repeat("x", 100_000)))
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String() + "/"
}

const pythonThreads = `
import subprocess, threading, os
def work(i):
    with open("/etc/hosts") as f: f.read()
    subprocess.run(["true"])
    subprocess.check_output("echo %d" % i, shell=True)
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
if os.fork() == 0:
    os._exit(0)
os.wait()
`

// gitSession is a command that makes a repository, commits and looks at it.
func gitSession(t *testing.T) []string {
	t.Helper()
	script := `set -e
cd "$1"; git init -q; git config user.email a@b; git config user.name n; git config gc.auto 0; git config maintenance.auto false
for i in 1 2 3; do echo $i > f$i; git add .; git commit -qm "c$i"; done
git log --stat > /dev/null; git status -s; git diff HEAD~1 > /dev/null`
	return []string{"sh", "-c", script, "sh", t.TempDir()}
}

// goBuild is a command that builds a small program with a warm cache.
func goBuild(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example\n\ngo 1.21\n")
	write(t, filepath.Join(dir, "main.go"), "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(1) }\n")
	build := []string{"go", "build", "-C", dir, "-o", filepath.Join(dir, "out"), "."}
	if b, err := exec.Command(build[0], build[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return build
}

// staticGo is a Go program with goroutines, timers and files.
func staticGo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example\n\ngo 1.21\n")
	write(t, filepath.Join(dir, "main.go"), `package main

import ("os"; "sync"; "time"; "runtime")

func main() {
	var wg sync.WaitGroup
	for range make([]int, 50) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range make([]int, 20) { os.ReadFile("/etc/hosts"); time.Sleep(time.Microsecond) }
			runtime.GC()
		}()
	}
	wg.Wait()
}
`)
	out := filepath.Join(dir, "out")
	cmd := exec.Command("go", "build", "-C", dir, "-o", out, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return out
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
