package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/trace"
)

// Records that find the ring buffer full are lost, and the trace says of which
// section. Counts are kept elsewhere and stay exact.
func TestFullRingBuffer(t *testing.T) {
	needObserve(t)
	opens := inFull(20_000)
	program := target(t, "many_files")
	for _, tt := range []struct {
		mode string
		// Whether calls themselves are records.
		calls bool
	}{{"--files", false}, {"--all", true}} {
		t.Run(tt.mode, func(t *testing.T) {
			dir := workDir(t)
			args := []string{"-q", tt.mode, "--buffer-size", strconv.Itoa(os.Getpagesize()), "--", program, dir, fmt.Sprint(opens), "10"}
			r := watched(t, args...)
			demandExit(t, r, 0)
			demandTotals(t, r.doc, map[string]int{"openat": opens, "getppid": opens, "chdir": 1, "exit_group": 1})
			c, lost := r.doc.Complete, r.doc.Lost["ringbuf"]
			if !c.Syscalls {
				t.Errorf("the syscalls are said to be incomplete: %v", r.doc.Lost)
			}
			if lost == 0 || *c.Files {
				t.Fatalf("%d records went through one page: complete is %s, lost %v", opens, asJSON(t, c), r.doc.Lost)
			}
			if len(r.doc.Processes) != 1 || r.doc.Processes[0].Status == nil {
				t.Errorf("the process is not as it was: %s", asJSON(t, r.doc.Processes))
			}
			// Every file is either there or lost; with --all getppid is lost, too.
			found := uint64(len(fileLines(r.doc, dir)))
			if !tt.calls && found+lost < uint64(opens) || found > uint64(opens+1) {
				t.Errorf("%d files are there and %d records are lost, of %d", found, lost, opens)
			}

			r = watched(t, append([]string{"--strict"}, args...)...)
			if r.code != 3 {
				t.Errorf("--strict: exit code %d, want 3\n%s", r.code, r.stderr)
			}
			if s := r.doc.Target.Status; s == nil || *s != 0 {
				t.Errorf("--strict changes target.exit_status: %s", asJSON(t, s))
			}
			if !strings.Contains(r.stderr, "turnstile: ") {
				t.Errorf("--strict says nothing: %q", r.stderr)
			}
		})
	}
}

// --strict is about what is missing, not about how the command ends.
func TestStrict(t *testing.T) {
	needObserve(t)
	r := watched(t, "-q", "--strict", "--files", "--net", "--errors", "--", "sh", "-c", "exit 0")
	demandExit(t, r, 0)
	demandComplete(t, r)
	r = watched(t, "-q", "--strict", "--", "sh", "-c", "exit 5")
	demandExit(t, r, 5)
	// The status of a command that failed is not replaced.
	records, page := inFull(20_000), strconv.Itoa(os.Getpagesize())
	r = watched(t, "-q", "--strict", "--files", "--buffer-size", page, "--", "sh", "-c", `"$@"; exit 5`, "sh", target(t, "many_files"), workDir(t), fmt.Sprint(records), "1")
	demandExit(t, r, 5)
	if *r.doc.Complete.Files {
		t.Errorf("%d records went through one page: lost %v", records, r.doc.Lost)
	}
}

// Beyond --max-processes, processes are grouped and nothing that they did is lost.
// Fifty thousand processes use every pid more than once where pids end at 32,768.
func TestManyProcesses(t *testing.T) {
	needObserve(t)
	processes, limit := inFull(50_000), inFull(trace.DefaultMaxProcesses)
	// The ring buffer has room for them all, however late they are read.
	r, peak := watchedWithPeak(t, "-q", "--buffer-size", "32M", "--max-processes", fmt.Sprint(limit), "--", target(t, "children"), "shared memory", fmt.Sprint(processes))
	demandExit(t, r, 0)
	demandComplete(t, r)
	demandTotals(t, r.doc, map[string]int{"getppid": 3 * processes})
	if n, want := r.doc.Folded["processes"], uint64(processes+1-limit); n != want {
		t.Errorf("folded.processes is %d, want %d", n, want)
	}
	// A child whose calls could not be told apart is one of folded.threads.
	told := 0
	for _, by := range calls(r.doc) {
		told += by["getppid"]
	}
	if n := told + 3*int(r.doc.Folded["threads"]); n != 3*processes {
		t.Errorf("%d getppid are told apart and %d threads are not: that makes %d, want %d", told, r.doc.Folded["threads"], n, 3*processes)
	}
	if n := len(r.doc.Processes); n > limit+10 {
		t.Errorf("%d entries, for a limit of %d", n, limit)
	}
	demandPeak(t, peak)
}

// Beyond --max-files, directories stand for their files.
func TestManyFiles(t *testing.T) {
	needObserve(t)
	const dirs = 100
	files, limit := inFull(200_000), inFull(50_000)
	dir := workDir(t)
	r, peak := watchedWithPeak(t, "-q", "--files", "--max-files", fmt.Sprint(limit), "--", target(t, "many_files"), dir, fmt.Sprint(files), fmt.Sprint(dirs))
	demandExit(t, r, 0)
	demandTotals(t, r.doc, map[string]int{"openat": files, "getppid": files})
	// A slow reader may lose some; then the trace has to say so.
	lost := r.doc.Lost["ringbuf"]
	if *r.doc.Complete.Files != (lost == 0) || !r.doc.Complete.Syscalls || !r.doc.Complete.Processes {
		t.Errorf("complete is %s, lost %v", asJSON(t, r.doc.Complete), r.doc.Lost)
	}
	var opens, folded, own uint64
	var stand []string
	for _, f := range r.doc.Files {
		if f.Folded {
			stand = append(stand, f.Path)
			folded += f.Ops.Total()
		} else {
			own++
		}
		opens += f.Ops.Get("open")
	}
	if opens+lost != uint64(files) {
		t.Errorf("%d opens are there and %d are lost, of %d", opens, lost, files)
	}
	if own != uint64(limit) {
		t.Errorf("%d files have an entry, for a limit of %d", own, limit)
	}
	if n := r.doc.Folded["files"]; n != folded || n == 0 {
		t.Errorf("folded.files is %d, but the directories stand for %d", n, folded)
	}
	if len(stand) != dirs || slices.ContainsFunc(stand, func(d string) bool { return !strings.HasPrefix(d, dir+"/d") }) {
		t.Errorf("%d directories stand for files, want %d: %.200q", len(stand), dirs, stand)
	}
	demandPeak(t, peak)
}

// demandPeak fails the test if Turnstile used more memory than a run of this size may.
func demandPeak(t testing.TB, kib int) {
	t.Helper()
	t.Logf("turnstile used %d MiB at most", kib>>10)
	if kib > 300<<10 {
		t.Errorf("turnstile used %d MiB, want at most 300", kib>>10)
	}
}

// watchedWithPeak is watched, and the most memory that turnstile had, in KiB. The
// trace goes through a pipe: while nobody reads on, turnstile waits with everything
// that it has in memory.
func watchedWithPeak(t testing.TB, args ...string) (observation, int) {
	t.Helper()
	pipe := fifo(t)
	cmd := exec.Command("turnstile", append([]string{"observe", "-o", pipe}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	r := bufio.NewReader(open(t, pipe, os.O_RDONLY))
	if _, err := r.Peek(1); err != nil {
		t.Fatalf("no trace: %v\n%s", err, stderr.String())
	}
	peak := statusField(t, cmd.Process.Pid, "VmHWM")
	doc, err := trace.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if err != nil {
		t.Logf("turnstile: %v\n%s", err, stderr.String())
	}
	return observation{code: cmd.ProcessState.ExitCode(), stderr: stderr.String(), doc: doc}, peak
}

// statusField is a number of /proc/PID/status.
func statusField(t testing.TB, pid int, name string) int {
	t.Helper()
	for line := range strings.Lines(read(t, filepath.Join("/proc", strconv.Itoa(pid), "status"))) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("the status of %d has no %s", pid, name)
	return 0
}
