package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// companion is a program that runs beside Turnstile and does as it is told.
type companion struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startCompanion(t testing.TB, argv ...string) *companion {
	t.Helper()
	c := &companion{Cmd: exec.Command(argv[0], argv[1:]...)}
	var err error
	if c.in, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	return c
}

func (c *companion) tell(t testing.TB, letter string) {
	t.Helper()
	if _, err := io.WriteString(c.in, letter); err != nil {
		t.Fatal(err)
	}
}

// hear reads lines until one that begins with a word, and returns that line's other
// fields and all lines before.
func (c *companion) hear(t testing.TB, word string) (fields, before []string) {
	t.Helper()
	for {
		line, err := c.out.ReadString('\n')
		if err != nil {
			t.Fatalf("the program says no %q: %v", word, err)
		}
		f := strings.Fields(line)
		if f[0] == word {
			return f[1:], before
		}
		before = append(before, strings.TrimSpace(line))
	}
}

// end closes the companion's input and demands that it ends well.
func (c *companion) end(t testing.TB) {
	t.Helper()
	c.in.Close()
	if err := c.Wait(); err != nil {
		t.Errorf("the watched program came to harm: %v", err)
	}
}

// Attaching to a tree that changes all the time finds who is there, and misses
// nobody who comes.
func TestAttachToForkingTree(t *testing.T) {
	needObserve(t)
	program := target(t, "forker")
	for _, tt := range []struct {
		name    string
		argv    []string
		mode    []string
		command []string // as the trace has it
	}{
		{"counts", []string{program}, []string{"-q"}, []string{program}},
		{"all", []string{program}, []string{"-q", "--all"}, []string{program}},
		// Without its first thread a process has no command line (proc(5)).
		{"leaderless", []string{program, "leaderless"}, []string{"-q"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			forker := startCompanion(t, tt.argv...)
			pid := forker.Process.Pid
			ready, _ := forker.hear(t, "ready")
			old, err := strconv.Atoi(ready[0])
			if err != nil {
				t.Fatal(err)
			}
			const rounds = 3
			for round := range rounds {
				r := startWatching(t, append(tt.mode, "--pid", strconv.Itoa(pid))...)
				for _, adopted := range []int{pid, old} {
					eventually(t, fmt.Sprintf("process %d is adopted", adopted), func() bool {
						return r.ended() || r.seen(t, func(e jsonEvent) bool { return e.Op == "fork" && e.PID == adopted })
					})
				}
				forker.tell(t, "m")
				_, children := forker.hear(t, "enough")
				last := round == rounds-1
				if last {
					forker.tell(t, "w")
					forker.hear(t, "worked")
				}
				r.Process.Signal(syscall.SIGINT)
				o := r.finish(t)
				if o.code != 0 {
					t.Fatalf("exit code %d after SIGINT\n%s", o.code, o.stderr)
				}
				demandComplete(t, o)
				if target := o.doc.Target; target.PID != pid || target.Status != nil || target.Signal != nil || !slices.Equal(target.Argv, tt.command) {
					t.Errorf("target is %s", asJSON(t, target))
				}
				demandChildren(t, o.doc, pid, children)
				if !last {
					forker.tell(t, "g")
					continue
				}
				// The thread and the child were there before; what they do now counts.
				for _, p := range []int{pid, old} {
					if n := calls(o.doc)[process(t, o.doc, p).ID]["getppid"]; n != 100 {
						t.Errorf("process %d made %d getppid, want 100", p, n)
					}
				}
			}
			forker.end(t)
		})
	}
}

// demandChildren fails the test unless the children of pid that are listed in lines
// made three getppid each.
func demandChildren(t testing.TB, d *trace.Document, pid int, lines []string) {
	t.Helper()
	if len(lines) != 300 {
		t.Fatalf("%d children, want 300", len(lines))
	}
	by := calls(d)
	got := make(map[string][]int)
	for _, p := range d.Processes {
		if int(p.PPID) == pid {
			line := fmt.Sprintf("child %d", p.PID)
			got[line] = append(got[line], by[p.ID]["getppid"])
		}
	}
	missing := 0
	for _, line := range lines {
		if !slices.Contains(got[line], 3) {
			missing++
			t.Logf("%s made %v getppid, want 3", line, got[line])
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d children are not as they were; folded %v, total %d", missing, len(lines), d.Folded, total(d, "getppid"))
	}
}

// The watch of a tree ends with the tree, also when processes end in the moment in
// which they are found.
func TestAttachEndsWithTree(t *testing.T) {
	needObserve(t)
	program := target(t, "forker")
	for range 5 {
		forker := startCompanion(t, program)
		forker.hear(t, "ready")
		r := startWatching(t, "-q", "--pid", strconv.Itoa(forker.Process.Pid))
		eventually(t, "the process is adopted", func() bool {
			return r.ended() || r.seen(t, func(e jsonEvent) bool { return e.Op == "fork" && e.PID == forker.Process.Pid })
		})
		forker.tell(t, "w") // or the first child would stay
		forker.hear(t, "worked")
		forker.end(t)
		o := r.finish(t)
		if o.code != 0 {
			t.Errorf("exit code %d\n%s", o.code, o.stderr)
		}
		demandComplete(t, o)
		if p := process(t, o.doc, forker.Process.Pid); p.Status == nil || *p.Status != 0 {
			t.Errorf("the process ended with %s, want 0", asJSON(t, p.Status))
		}
	}
}

func TestDurationEndsAttach(t *testing.T) {
	needObserve(t)
	forker := startCompanion(t, target(t, "forker"))
	forker.hear(t, "ready")
	r := startWatching(t, "-q", "--duration", "200ms", "--pid", strconv.Itoa(forker.Process.Pid))
	o := r.finish(t)
	if o.code != 0 {
		t.Errorf("exit code %d\n%s", o.code, o.stderr)
	}
	if p := process(t, o.doc, forker.Process.Pid); p.Started >= 0 {
		t.Errorf("the process was there before, but its start is %d", p.Started)
	}
	if d := o.doc.Target; d.PID != forker.Process.Pid || len(d.Argv) != 1 || d.Argv[0] != forker.Path || d.Dir == "" {
		t.Errorf("target is %s", asJSON(t, d))
	}
	if err := forker.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the watched process is gone: %v", err)
	}
	forker.tell(t, "m")
	forker.hear(t, "enough")
	forker.end(t)
}

// When the time is over the command goes on without being watched, and Turnstile
// still ends as it does.
func TestDurationLeavesCommand(t *testing.T) {
	needObserve(t)
	begin, end := fifo(t), fifo(t)
	r := startWatching(t, "--duration", "200ms", "--", "sh", "-c", `read line < "$1"; echo "$line" > "$2"; exit 6`, "sh", begin, end)
	eventually(t, "the trace is written", func() bool {
		b, err := os.ReadFile(r.trace)
		return err == nil && len(b) > 0
	})
	if r.ended() {
		t.Errorf("turnstile did not wait for the command")
	}
	w := open(t, begin, os.O_WRONLY)
	io.WriteString(w, "hello\n")
	w.Close()
	out := open(t, end, os.O_RDONLY)
	if b, err := io.ReadAll(out); err != nil || string(b) != "hello\n" {
		t.Errorf("the command wrote %q, %v", b, err)
	}
	o := r.finish(t)
	if o.code != 6 {
		t.Errorf("exit code %d, want 6\n%s", o.code, o.stderr)
	}
	if o.doc.Target.Status != nil || o.doc.Target.Signal != nil {
		t.Errorf("the trace knows how the command ended, which was later: %s", asJSON(t, o.doc.Target))
	}
}

// A process that is not there is no process to watch.
func TestAttachToNobody(t *testing.T) {
	needObserve(t)
	zombie := exec.Command("true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	defer zombie.Wait()
	stat := filepath.Join("/proc", strconv.Itoa(zombie.Process.Pid), "stat")
	eventually(t, "the process is a zombie", func() bool { return strings.Contains(read(t, stat), ") Z ") })
	for _, tt := range []struct {
		name string
		pid  string
	}{
		{"zombie", strconv.Itoa(zombie.Process.Pid)},
		// The first number that is too high for a pid.
		{"never there", strings.TrimSpace(read(t, "/proc/sys/kernel/pid_max"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			demandRefused(t, []string{"--pid", tt.pid}, 125, tt.pid, "no such process")
		})
	}
}

// demandRefused runs turnstile observe, which has to end with a code, a message with
// these words, and without leaving a file.
func demandRefused(t testing.TB, args []string, code int, words ...string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("turnstile", append([]string{"observe", "-o", filepath.Join(dir, "trace")}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Run()
	if n := cmd.ProcessState.ExitCode(); n != code {
		t.Errorf("%q: exit code %d, want %d", args, n, code)
	}
	message := stderr.String()
	for line := range strings.Lines(message) {
		if !strings.HasPrefix(line, "turnstile: ") {
			t.Errorf("%q: a line that does not begin with turnstile: %q", args, line)
		}
	}
	for _, word := range words {
		if !strings.Contains(message, word) {
			t.Errorf("%q: the message has no %q: %s", args, word, message)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%q: files are left: %v, %v", args, left, err)
	}
}

// work makes the companion work n times.
func (c *companion) work(t testing.TB, letter string, n int) {
	t.Helper()
	for range n {
		c.tell(t, letter)
		if _, err := c.out.ReadByte(); err != nil {
			t.Fatal(err)
		}
	}
}

// newCgroup makes a cgroup v2 directory.
func newCgroup(t testing.TB) string {
	t.Helper()
	mount, err := kernel.FindCgroup2()
	if err != nil {
		testenv.Lack(t, err.Error())
	}
	dir, err := os.MkdirTemp(mount.Dir, "turnstile-test-") //nolint:usetesting // a cgroup
	if err != nil {
		testenv.Lack(t, err.Error())
	}
	t.Cleanup(func() {
		// A process that has just ended may still count as being there.
		eventually(t, "the cgroup is empty", func() bool { return os.Remove(dir) == nil })
	})
	return dir
}

func moveTo(t testing.TB, cgroup string, pid int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		t.Fatal(err)
	}
}

// A cgroup is watched by where a task is when it makes a call.
func TestCgroup(t *testing.T) {
	needObserve(t)
	program := target(t, "worker")
	for _, mode := range [][]string{{"-q"}, {"-q", "--errors"}, {"-q", "--all"}} {
		t.Run(strings.Join(mode, " "), func(t *testing.T) {
			dir := newCgroup(t)
			below := filepath.Join(dir, "below")
			if err := os.Mkdir(below, 0o755); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				eventually(t, "the cgroup is empty", func() bool { return os.Remove(below) == nil })
			})
			var inside, deep, later, leaver, outside *companion
			for _, c := range []**companion{&inside, &deep, &later, &leaver, &outside} {
				*c = startCompanion(t, program)
			}
			moveTo(t, dir, inside.Process.Pid)
			moveTo(t, below, deep.Process.Pid)
			moveTo(t, dir, leaver.Process.Pid)

			r := startWatching(t, append(mode, "--cgroup", dir)...)
			eventually(t, "the watch has begun", func() bool {
				inside.work(t, "x", 1)
				return r.ended() || r.seen(t, func(e jsonEvent) bool { return e.PID == inside.Process.Pid })
			})
			deep.work(t, "x", 5)
			later.work(t, "x", 3)
			moveTo(t, dir, later.Process.Pid)
			later.work(t, "x", 2)
			leaver.work(t, "x", 4)
			moveTo(t, filepath.Dir(dir), leaver.Process.Pid)
			leaver.work(t, "x", 3)
			outside.work(t, "x", 5)
			deep.work(t, "f", 7)
			// Back again, and below now.
			moveTo(t, below, leaver.Process.Pid)
			leaver.work(t, "x", 1)
			deep.end(t) // some end while they are watched
			later.end(t)
			r.Process.Signal(syscall.SIGINT)
			o := r.finish(t)
			if o.code != 0 {
				t.Fatalf("exit code %d\n%s", o.code, o.stderr)
			}
			demandComplete(t, o)
			if o.doc.Target.Cgroup != dir {
				t.Errorf("target is %s", asJSON(t, o.doc.Target))
			}
			by := calls(o.doc)
			for _, tt := range []struct {
				name string
				pid  int
				want int
			}{
				{"below", deep.Process.Pid, 50},
				{"moved in", later.Process.Pid, 20},
				{"moved out and in", leaver.Process.Pid, 50},
			} {
				if n := by[process(t, o.doc, tt.pid).ID]["getppid"]; n != tt.want {
					t.Errorf("the process %s made %d getppid, want %d", tt.name, n, tt.want)
				}
			}
			children := 0
			for _, p := range o.doc.Processes {
				switch int(p.PPID) {
				case deep.Process.Pid:
					children++
					if n := by[p.ID]["getppid"]; n != 3 {
						t.Errorf("a child made %d getppid, want 3", n)
					}
				}
				if int(p.PID) == outside.Process.Pid {
					t.Errorf("the process outside is in the trace")
				}
			}
			if children != 7 {
				t.Errorf("%d children, want 7", children)
			}
			for _, c := range []*companion{inside, leaver, outside} {
				c.end(t)
			}
		})
	}
}

func TestCgroupRefused(t *testing.T) {
	needObserve(t)
	mount, err := kernel.FindCgroup2()
	if err != nil {
		testenv.Lack(t, err.Error())
	}
	demandRefused(t, []string{"--cgroup", filepath.Join(mount.Dir, "not", "there")}, 125, "not/there")
	demandRefused(t, []string{"--cgroup", t.TempDir()}, 125, mount.Dir)
	if mount.Hybrid {
		v1 := cgroup1(t)
		demandRefused(t, []string{"--cgroup", v1}, 125, v1, mount.Dir)
	}
}

// cgroup1 is where a version 1 hierarchy is mounted.
func cgroup1(t testing.TB) string {
	t.Helper()
	for line := range strings.Lines(read(t, "/proc/self/mounts")) {
		if f := strings.Fields(line); f[2] == "cgroup" {
			return f[1]
		}
	}
	t.Fatal("no version 1 hierarchy is mounted")
	return ""
}

func TestDurationEndsCgroup(t *testing.T) {
	needObserve(t)
	r := startWatching(t, "-q", "--duration", "100ms", "--cgroup", newCgroup(t))
	o := r.finish(t)
	if o.code != 0 || len(o.doc.Processes) != 0 || len(o.doc.Syscalls) != 0 {
		t.Errorf("exit code %d, %d processes in an empty cgroup", o.code, len(o.doc.Processes))
	}
	demandComplete(t, o)
}

// Turnstile may itself be a part of what it attaches to. It would then watch itself
// write what it sees.
func TestTurnstileDoesNotWatchItself(t *testing.T) {
	needObserve(t)
	t.Run("tree", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "trace")
		cmd := exec.Command("sh", "-c", `turnstile observe -q --all -o "$1" --duration 300ms --pid $$; exit 0`, "sh", file)
		demandWithoutTurnstile(t, finish(t, cmd, file))
	})
	t.Run("cgroup", func(t *testing.T) {
		dir, file := newCgroup(t), filepath.Join(t.TempDir(), "trace")
		cmd := exec.Command("sh", "-c", `echo $$ > "$1/cgroup.procs"; turnstile observe -q --all -o "$2" --duration 300ms --cgroup "$1"; exit 0`, "sh", dir, file)
		demandWithoutTurnstile(t, finish(t, cmd, file))
	})
}

func demandWithoutTurnstile(t *testing.T, r observation) {
	t.Helper()
	if r.doc == nil {
		t.Fatalf("no trace\n%s", r.stderr)
	}
	for _, p := range r.doc.Processes {
		if p.Comm == "turnstile" {
			n := 0
			for _, of := range calls(r.doc)[p.ID] {
				n += of
			}
			t.Errorf("turnstile watched itself make %d calls", n)
		}
	}
}
