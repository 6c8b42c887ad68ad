package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// A call that a seccomp filter answers begins for nobody. It is seen by its end,
// where ends are watched, and otherwise the trace says that they are not.
func TestSeccompFilter(t *testing.T) {
	needObserve(t)
	program := target(t, "seccomp")
	for _, tt := range []struct {
		mode    string
		results bool
	}{{"-q", false}, {"--args", false}, {"--errors", true}, {"--files", true}, {"--net", true}, {"--all", true}} {
		t.Run(tt.mode, func(t *testing.T) {
			dir := workDir(t)
			r := watched(t, "-q", tt.mode, "--", program, dir)
			demandExit(t, r, 0)
			demandComplete(t, r)
			if r.doc.Results != tt.results {
				t.Errorf("results is %v", r.doc.Results)
			}
			want := map[bool]string{false: "2 {}", true: "9 {EPERM 7}"}[tt.results]
			for _, s := range r.doc.Syscalls {
				if s.Name == "mkdirat" {
					if got := fmt.Sprintf("%d {%s}", s.Count, counts(s.Errors)); got != want || s.ByProcess[0] != s.Count {
						t.Errorf("mkdirat: %s, want %s; by process %v", got, want, s.ByProcess)
					}
				}
			}
			demandTotals(t, r.doc, map[string]int{"prctl": 2, "exit_group": 1, "chdir": 1})
			if r.doc.Files != nil {
				demandLines(t, fileLines(r.doc, dir), []string{
					`. fd stat ops{chdir 1}`,
					`./first joined create ops{mkdir 1} asked ["first"]`,
					`./second joined create ops{mkdir 1} asked ["second"]`,
					`./denied joined create ops{mkdir 7} errors{EPERM 7} asked ["denied"]`,
				})
			}
		})
	}
}

func TestArguments(t *testing.T) {
	needObserve(t)
	program := target(t, "arguments")
	for _, mode := range [][]string{{"-q", "--args", "--"}, {"-q", "--args", "--all", "--"}} {
		r := watched(t, append(mode, program)...)
		demandExit(t, r, 0)
		demandComplete(t, r)
		for _, tt := range []struct {
			call  string
			index int
			want  []uint64
		}{
			{"socket", 0, []uint64{unix.AF_UNIX, unix.AF_INET}},
			{"socket", 1, []uint64{unix.SOCK_DGRAM, unix.SOCK_STREAM | unix.SOCK_CLOEXEC}},
			{"socket", 2, []uint64{0, unix.IPPROTO_TCP}},
			{"prctl", 0, []uint64{unix.PR_SET_DUMPABLE, unix.PR_SET_NAME, unix.PR_GET_NAME}},
			{"ioctl", 1, []uint64{unix.TIOCGWINSZ, unix.TIOCOUTQ}},
			{"clone", 0, []uint64{uint64(unix.SIGCHLD), unix.CLONE_FS | uint64(unix.SIGCHLD)}},
			{"clone3", 0, []uint64{0, unix.CLONE_FS | unix.CLONE_FILES, unix.CLONE_CLEAR_SIGHAND}},
		} {
			slices.Sort(tt.want)
			if a := argumentOf(r.doc, tt.call, tt.index); a == nil || !slices.Equal(a.Values, tt.want) || a.More {
				t.Errorf("%q: argument %d of %s is %s, want %d and no more", mode, tt.index, tt.call, asJSON(t, a), tt.want)
			}
		}
		// Sets are cut at 64 values, and say so; 64 are not cut.
		for call, beyond := range map[string]bool{"fcntl": true, "madvise": false} {
			index := map[string]int{"fcntl": 1, "madvise": 2}[call]
			a := argumentOf(r.doc, call, index)
			if a == nil || len(a.Values) != 64 || a.More != beyond || !slices.IsSorted(a.Values) {
				t.Errorf("%q: argument %d of %s is %s", mode, index, call, asJSON(t, a))
				continue
			}
			for _, v := range a.Values {
				if v < 5000 || v >= 5100 {
					t.Errorf("%q: %s was never called with %d", mode, call, v)
				}
			}
		}
	}
}

// argumentOf is what is known of one argument of a call.
func argumentOf(d *trace.Document, name string, index int) *trace.Argument {
	for _, s := range d.Syscalls {
		if s.Name != name || s.ABI != d.Host.Arch {
			continue
		}
		for i := range s.Args {
			if s.Args[i].Index == index {
				return &s.Args[i]
			}
		}
	}
	return nil
}

// Of more values than the kernel side can hold, the trace says that it lacks some.
// The calls are counted all the same.
func TestTooManyArguments(t *testing.T) {
	needObserve(t)
	const commands = 6000
	r := watched(t, "-q", "--args", "--", target(t, "arguments"), fmt.Sprint(commands))
	demandExit(t, r, 0)
	demandTotals(t, r.doc, map[string]int{"ioctl": commands})
	if a := argumentOf(r.doc, "ioctl", 1); a == nil || len(a.Values) != 64 || !a.More {
		t.Errorf("the command of ioctl is %s", asJSON(t, a))
	}
	if r.doc.Lost["map_full"] == 0 || r.doc.Complete.Syscalls {
		t.Errorf("complete is %s, lost %v", asJSON(t, r.doc.Complete), r.doc.Lost)
	}
}

// With --all every call is an event, in the order in which its thread made it, and
// with its error: as strace logs the same execution.
func TestEveryCallIsAnEvent(t *testing.T) {
	needObserve(t)
	testenv.Program(t, "strace")
	for _, tt := range []struct {
		name string
		argv func(t *testing.T) []string
	}{
		{"ls", argv("ls", "-l", "/etc")},
		{"pipeline", argv("sh", "-c", "cat /etc/passwd /nonexistent 2>/dev/null | sort | head -3; for i in 1 2 3; do (echo $i; kill -0 $$) | wc -l; done; nosuchcommand; cd /nowhere")},
		{"threads", func(t *testing.T) []string { return []string{target(t, "children"), "threads", "100"} }},
		{"vfork", func(t *testing.T) []string { return []string{target(t, "children"), "vfork", "50"} }},
		{"exec from a thread", func(t *testing.T) []string { return []string{target(t, "thread_exec")} }},
		{"errors", func(t *testing.T) []string { return []string{target(t, "seccomp"), workDir(t)} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			log, events := filepath.Join(dir, "log"), filepath.Join(dir, "events")
			// strace makes many calls for each of the program's: the buffer has
			// room for them all.
			args := []string{"-q", "--all", "--buffer-size", "64M", "--events", events, "--", "strace", "-f", "-o", log}
			r := watched(t, append(args, tt.argv(t)...)...)
			demandComplete(t, r)
			if r.doc.Lost["ringbuf"] != 0 {
				t.Fatalf("events are lost: %v", r.doc.Lost)
			}
			all := readEvents(t, events)
			if end := all[len(all)-1]; !end.End || !end.Complete.All() {
				t.Errorf("the last line is %s", end.raw)
			}
			compareSequences(t, sequencesOf(all), straceSequences(t, log))
			compareErrors(t, r.doc, all)
		})
	}
}

// step is a call and its error: "" for none, and cut for a call that began and did
// not return because the thread was killed.
type step struct{ name, errno string }

const cut = "?"

// withoutError says whether the result of a call is no result: what rt_sigreturn
// returns is a register of whoever was interrupted.
func (s step) withoutError() bool { return s.name == "rt_sigreturn" || s.name == "sigreturn" }

// sequencesOf are the calls of each thread, as the events have them.
func sequencesOf(events []jsonEvent) map[int][]step {
	threads := make(map[int][]step)
	for _, e := range events {
		s := step{e.Syscall, e.Errno}
		switch {
		case e.Op == "exec" && e.Syscall == "":
			s.name = "execve"
		case e.Syscall == "":
			continue // a fork, or an exit
		case s.withoutError():
			s.errno = ""
		}
		threads[e.TID] = append(threads[e.TID], s)
	}
	return threads
}

var (
	logLine    = regexp.MustCompile(`^(\d+) +(.*)$`)
	callBegins = regexp.MustCompile(`^(\w+)\(`)
	callEnds   = regexp.MustCompile(`\) += (?:-?\d+|0x[0-9a-f]+|\?)(?: ([A-Z][A-Z0-9_]+) \([^()]*\))?[^()]*(?:\([^()]*\))?$`)
	supersedes = regexp.MustCompile(`^\+\+\+ superseded by execve in pid (\d+) \+\+\+`)
)

// straceSequences are the calls of each thread, as strace logs them.
func straceSequences(t *testing.T, log string) map[int][]step {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	threads := make(map[int][]step)
	inCall := make(map[int]string)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		m := logLine.FindStringSubmatch(lines.Text())
		if m == nil {
			t.Fatalf("strace logged %q", lines.Text())
		}
		tid, _ := strconv.Atoi(m[1])
		text := m[2]
		if m := supersedes.FindStringSubmatch(text); m != nil {
			// The thread that called execve goes on as tid.
			old, _ := strconv.Atoi(m[1])
			inCall[tid] = inCall[old]
			continue
		}
		name := inCall[tid]
		if m := callBegins.FindStringSubmatch(text); m != nil {
			name = m[1]
		} else if !strings.HasPrefix(text, "<... ") {
			continue // a signal, or the end of the thread
		}
		if strings.HasSuffix(text, "<unfinished ...>") {
			inCall[tid] = name
			continue
		}
		end := callEnds.FindStringSubmatch(text)
		if end == nil {
			t.Fatalf("strace logged no result: %q", text)
		}
		s := step{name, end[1]}
		if strings.HasSuffix(text, "= ?") && name != "exit" && name != "exit_group" {
			s.errno = cut
		}
		if s.withoutError() {
			s.errno = ""
		}
		threads[tid] = append(threads[tid], s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return threads
}

// compareSequences compares the threads that strace logged. The first one is strace's
// child: what it does before it executes the program is not logged.
func compareSequences(t *testing.T, got, want map[int][]step) {
	t.Helper()
	steps := 0
	first := true
	for _, tid := range sortedKeys(want) {
		g := got[tid]
		if first {
			if i := slices.Index(g, step{"execve", ""}); i >= 0 {
				g = g[i:]
			}
			first = false
		}
		w := alike(want[tid], g)
		for i := range max(len(g), len(w)) {
			if i >= len(g) || i >= len(w) || g[i] != w[i] {
				t.Errorf("thread %d differs at call %d: events %v, strace %v", tid, i, around(g, i), around(w, i))
				break
			}
		}
		steps += len(w)
	}
	t.Logf("%d threads and %d calls are the same", len(want), steps)
	if steps == 0 {
		t.Errorf("strace logged nothing")
	}
}

// alike is what strace logged, with the calls that were cut as they are in got: the
// kernel may have been on its way out of them, which strace does not see.
func alike(logged, got []step) []step {
	var same []step
	for _, s := range logged {
		if s.errno == cut {
			if len(same) >= len(got) || got[len(same)].name != s.name {
				continue
			}
			s.errno = got[len(same)].errno
		}
		same = append(same, s)
	}
	return same
}

func around(s []step, i int) []step {
	return s[min(len(s), max(0, i-2)):min(len(s), i+3)]
}

func sortedKeys[V any](m map[int]V) []int {
	var keys []int
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// compareErrors compares the errors of the trace, which the kernel side counted,
// with those of the events. Both have those of strace itself, too.
func compareErrors(t *testing.T, d *trace.Document, events []jsonEvent) {
	t.Helper()
	var got, want []string
	failed := make(map[string]int)
	for _, e := range events {
		if e.Errno != "" && e.Syscall != "" {
			failed[e.ABI+" "+e.Syscall+" "+e.Errno]++
		}
	}
	for key, n := range failed {
		want = append(want, fmt.Sprint(key, " ", n))
	}
	for _, s := range d.Syscalls {
		for _, c := range s.Errors {
			got = append(got, fmt.Sprint(s.ABI, " ", s.Name, " ", c.Name, " ", c.N))
		}
	}
	demandLines(t, got, want)
	if len(want) == 0 {
		t.Errorf("nothing failed")
	}
}
