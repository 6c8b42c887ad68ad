package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// The tests in targets_*_test.go watch small C programs from testdata/targets. What
// such a program does is known to the last call, so the trace can be compared with
// numbers and not with what somebody else saw.

// demandComplete fails the test if the trace says that something is missing.
func demandComplete(t testing.TB, r observation) {
	t.Helper()
	if !r.doc.Complete.All() {
		t.Errorf("the trace is incomplete: %s, lost %v", asJSON(t, r.doc.Complete), r.doc.Lost)
	}
}

// demandExit fails the test if Turnstile or, according to the trace, the target
// ended in another way than with this status.
func demandExit(t testing.TB, r observation, code int) {
	t.Helper()
	if r.code != code {
		t.Errorf("turnstile exited with %d, want %d\n%s", r.code, code, r.stderr)
	}
	if s := r.doc.Target.Status; s == nil || *s != code {
		t.Errorf("target.exit_status is %s, want %d", asJSON(t, s), code)
	}
}

// unwatched is the exit code of a command without Turnstile.
func unwatched(t testing.TB, argv ...string) int {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// demandTotals fails the test if one of these calls was not counted that often in
// all.
func demandTotals(t testing.TB, d *trace.Document, want map[string]int) {
	t.Helper()
	for name, n := range want {
		if got := total(d, name); got != n {
			t.Errorf("%s: counted %d times, want %d", name, got, n)
		}
	}
}

// process is the entry of the process that had a pid.
func process(t testing.TB, d *trace.Document, pid int) *trace.Process {
	t.Helper()
	var found []*trace.Process
	for _, p := range d.Processes {
		if int(p.PID) == pid {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		t.Fatalf("the trace has %d processes with pid %d", len(found), pid)
	}
	return found[0]
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// deadline is how long a test waits for what must happen. The machines that run the
// tests with -short are emulated.
func deadline() time.Duration {
	if testing.Short() || stress() {
		return 5 * time.Minute
	}
	return time.Minute
}

// inFull is how much of something a test does: a tenth with -short.
func inFull(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline()); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// running is a turnstile observe that goes on while the test does something.
type running struct {
	*exec.Cmd
	trace, events, out, err string // files
	done                    chan struct{}
}

// startWatching starts turnstile observe with -o, --events and arguments. The
// command inherits files and not pipes, so that nobody waits for a descendant that
// has them open.
func startWatching(t testing.TB, args ...string) *running {
	t.Helper()
	dir := t.TempDir()
	r := &running{
		trace: filepath.Join(dir, "trace"), events: filepath.Join(dir, "events"),
		out: filepath.Join(dir, "stdout"), err: filepath.Join(dir, "stderr"),
		done: make(chan struct{}),
	}
	r.Cmd = exec.Command("turnstile", append([]string{"observe", "-o", r.trace, "--events", r.events}, args...)...)
	r.Stdout, r.Stderr = create(t, r.out), create(t, r.err)
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.Wait()
		close(r.done)
	}()
	t.Cleanup(func() {
		r.Process.Kill()
		<-r.done
	})
	return r
}

// ended says whether turnstile has ended.
func (r *running) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// finish waits for turnstile to end, and reads the trace.
func (r *running) finish(t testing.TB) observation {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(deadline()):
		r.Process.Signal(syscall.SIGQUIT) // a dump of what it waits for
		<-r.done
		t.Fatalf("turnstile did not end\n%s", read(t, r.err))
	}
	o := observation{code: r.ProcessState.ExitCode(), stdout: read(t, r.out), stderr: read(t, r.err)}
	f, err := os.Open(r.trace)
	if err != nil {
		t.Fatalf("no trace; exit code %d\n%s", o.code, o.stderr)
	}
	defer f.Close()
	if o.doc, err = trace.Decode(f); err != nil {
		t.Fatal(err)
	}
	return o
}

// seen says whether events have been written that the test asks for.
func (r *running) seen(t testing.TB, want func(jsonEvent) bool) bool {
	t.Helper()
	return slices.ContainsFunc(readEvents(t, r.events), want)
}

// jsonEvent is a line of --events, as far as the tests look at it.
type jsonEvent struct {
	PID, TID     int
	Comm         string
	Syscall, ABI string
	Op           string
	Errno        string
	Ret          *int64
	Targets      []jsonTarget
	Argv         []string
	ExitStatus   *int `json:"exit_status"`
	Signal       string
	End          bool
	Complete     trace.Complete
	Lost         map[string]uint64
	raw          string
	CommBase64   []byte   `json:"comm_base64"`
	ArgvBase64   [][]byte `json:"argv_base64"`
}

type jsonTarget struct {
	Path, How   string
	PathBase64  []byte `json:"path_base64"`
	Asked       string
	AskedBase64 []byte `json:"asked_base64"`
	Classes     []string
}

func (e *jsonEvent) argv() []string {
	if e.ArgvBase64 == nil {
		return e.Argv
	}
	var argv []string
	for _, a := range e.ArgvBase64 {
		argv = append(argv, string(a))
	}
	return argv
}

func (x *jsonTarget) path() string  { return cmp.Or(x.Path, string(x.PathBase64)) }
func (x *jsonTarget) asked() string { return cmp.Or(x.Asked, string(x.AskedBase64)) }

// readEvents reads the lines of a file of events that are complete.
func readEvents(t testing.TB, file string) []jsonEvent {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		if os.IsNotExist(err) {
			return nil
		}
		t.Fatal(err)
	}
	defer f.Close()
	var all []jsonEvent
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return all // what is behind the last newline is still being written
		}
		if err != nil {
			t.Fatal(err)
		}
		e := jsonEvent{raw: line}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("line %d of the events: %v\n%s", len(all)+1, err, line)
		}
		all = append(all, e)
	}
}

func create(t testing.TB, file string) *os.File {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func read(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fifo makes a named pipe. A target that opens it waits there until the test opens
// the other end.
func fifo(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// open lets through who waits at a named pipe.
func open(t testing.TB, fifo string, flag int) *os.File {
	t.Helper()
	opened := make(chan *os.File, 1)
	go func() {
		f, err := os.OpenFile(fifo, flag, 0)
		if err != nil {
			t.Error(err)
		}
		opened <- f
	}()
	select {
	case f := <-opened:
		t.Cleanup(func() { f.Close() })
		return f
	case <-time.After(deadline()):
		t.Fatal("nobody opens the other end of the pipe")
		return nil
	}
}

// workDir is a new directory under its real name, which is what a trace has.
func workDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// fileLines are the entries of the files section below dir, one a line, with dir
// as ".".
func fileLines(d *trace.Document, dir string) []string {
	var lines []string
	for _, f := range d.Files {
		if f.Path != dir && !strings.HasPrefix(f.Path, dir+"/") {
			continue
		}
		line := fmt.Sprintf("%s %s %s ops{%s}", short(f.Path, dir), f.How, f.Classes, counts(f.Ops))
		if len(f.Errors) > 0 {
			line += fmt.Sprintf(" errors{%s}", counts(f.Errors))
		}
		var asked []string
		for _, a := range f.Asked {
			if a != f.Path {
				asked = append(asked, short(a, dir))
			}
		}
		if asked != nil {
			line += fmt.Sprintf(" asked %q", asked)
		}
		lines = append(lines, line)
	}
	return lines
}

func short(path, dir string) string {
	if path == dir {
		return "."
	}
	if rest, ok := strings.CutPrefix(path, dir+"/"); ok {
		return "./" + rest
	}
	return path
}

func counts(c trace.Counts) string {
	var words []string
	for _, x := range c {
		words = append(words, fmt.Sprintf("%s %d", x.Name, x.N))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// demandLines fails the test at each line that is missing or too much.
func demandLines(t testing.TB, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("not expected: %s", line)
		}
	}
}

// socketLines are the entries of the sockets section, one a line.
func socketLines(d *trace.Document) []string {
	var lines []string
	for _, s := range d.Sockets {
		line := fmt.Sprintf("%s %s %s", s.Op, s.Family, s.Type)
		if s.Protocol != "" {
			line += " " + s.Protocol
		}
		switch {
		case s.Port != nil:
			line += " " + net.JoinHostPort(s.Addr, strconv.Itoa(int(*s.Port)))
		case s.Abstract:
			line += " @" + s.Path
		case s.Path != "":
			line += " " + s.Path
		}
		if len(s.Raw) > 0 {
			line += fmt.Sprintf(" raw %x", s.Raw)
		}
		line += fmt.Sprintf(" count %d", s.Count)
		if len(s.Errors) > 0 {
			line += fmt.Sprintf(" errors{%s}", counts(s.Errors))
		}
		lines = append(lines, line)
	}
	return lines
}

// listener is the port of a TCP server at an address that accepts and says nothing.
func listener(t testing.TB, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		testenv.Lack(t, err.Error())
	}
	t.Cleanup(func() { l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
