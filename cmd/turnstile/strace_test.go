package main

import (
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
	"github.com/turnstile-project/turnstile/internal/trace/strace"
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
			logged := readLog(t, log)
			if !logged.Complete.Syscalls {
				t.Errorf("the log is incomplete: %+v, lost %v", logged.Complete, logged.Lost)
			}
			compareWithStrace(t, r.doc, logged, early)
		})
	}
}

// callsBeforeExec counts what strace's child does before it executes the program.
func callsBeforeExec(t *testing.T) map[string]int {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	r := watched(t, "-q", "--", "strace", "-f", "-o", log, "true")
	logged := readLog(t, log)
	if len(logged.Processes) != 1 {
		t.Fatalf("strace logged %d processes of true", len(logged.Processes))
	}
	pid := int(logged.Processes[0].PID)
	early := make(map[string]int)
	calls := callsOf(t, logged, pid)
	for name, n := range callsOf(t, r.doc, pid) {
		if n != calls[name] {
			early[name] = n - calls[name]
		}
	}
	// A handful of calls to stop itself and to set up the exec. Everything that
	// a program does is more.
	if len(early) > 8 || early["openat"] != 0 || early["mmap"] != 0 {
		t.Fatalf("calls of strace's child before its exec: %v", early)
	}
	return early
}

func readLog(t *testing.T, file string) *trace.Document {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := strace.Read(f, machineABI())
	if err != nil {
		t.Fatal(err)
	}
	return d
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

func compareWithStrace(t *testing.T, d, log *trace.Document, early map[string]int) {
	t.Helper()
	if !d.Complete.Syscalls || !d.Complete.Processes {
		t.Errorf("the trace is incomplete: %+v, lost %v", d.Complete, d.Lost)
	}
	logged := make(map[int]bool)
	for _, p := range log.Processes {
		logged[int(p.PID)] = true
	}
	// Besides strace itself, with the children that it tries ptrace on, the trace
	// has the processes of the log and no more.
	for _, p := range d.Processes {
		if !logged[int(p.PID)] && filepath.Base(p.Exe) != "strace" {
			t.Errorf("process %d (%s) is not in the log", p.PID, p.Exe)
		}
	}
	compared := 0
	// Of the calls that never returned the kernel may have made none.
	spare := int(log.Lost["unreturned"])
	for i, p := range log.Processes {
		pid := int(p.PID)
		got, want := maps.Clone(callsOf(t, d, pid)), callsOf(t, log, pid)
		if i == 0 {
			for name, n := range early {
				got[name] -= n
			}
		}
		for _, name := range slices.Sorted(maps.Keys(union(got, want))) {
			spare -= want[name] - got[name]
			if got[name] > want[name] || spare < 0 {
				t.Errorf("process %d: %s: counted %d, strace logged %d", pid, name, got[name], want[name])
			}
			compared += got[name]
		}
		compareProcesses(t, d, p)
	}
	t.Logf("%d processes and %d calls are the same", len(log.Processes), compared)
}

// compareProcesses compares what both know of a process.
func compareProcesses(t *testing.T, d *trace.Document, logged *trace.Process) {
	t.Helper()
	i := slices.IndexFunc(d.Processes, func(p *trace.Process) bool { return p.PID == logged.PID })
	if i < 0 {
		return // told before
	}
	p := d.Processes[i]
	if !reflect.DeepEqual(p.Status, logged.Status) || !reflect.DeepEqual(p.Signal, logged.Signal) {
		t.Errorf("process %d ended otherwise than strace logged", p.PID)
	}
	if logged.PPID != 0 && p.PPID != logged.PPID && len(d.Processes) < 50 {
		t.Errorf("process %d has parent %d, strace logged %d", p.PID, p.PPID, logged.PPID)
	}
}

func union(a, b map[string]int) map[string]int {
	u := maps.Clone(a)
	for k, v := range b {
		u[k] += v
	}
	return u
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
