package page

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// hostile are names that want to be something else.
var hostile = []string{
	`</script><script>window.owned = 1</script>`, `"><img src=x onerror=window.owned=1>`, `<!-- `, `-->`, `]]>`,
	"`${window.owned=1}`", `{{.Title}}`, `&lt;b&gt;`, `*/window.owned=1/*`, `javascript:window.owned=1`, `\u003cb>`,
	"line\u2028and\u2029paragraph", "\u202etxt.exe", "\u2066isolate", "new\nline", "tab\tand\x00nul", "esc\x1b[31m",
	"\xff\xfe not UTF-8", "\ufeffbom", "zero\u200bwidth", "\U000e0041tag", ` leading`, `trailing `, `"quoted"`, `back\slash`,
	"שלום", strings.Repeat("long", 64), `__proto__`, `constructor`,
}

// sample is a trace with something of everything.
func sample() *trace.Document {
	yes, no := true, false
	zero, two, signal, port := 0, 2, "SIGTERM", uint16(443)
	first, second := int64(9e8), int64(5e8)
	process := func(n int) *int { return &n }
	return &trace.Document{
		Version: trace.Version, Tool: "turnstile 1.0", Results: true,
		Complete: trace.Complete{Syscalls: true, Processes: true, Files: &no, Sockets: &yes},
		Lost:     map[string]uint64{"ringbuf": 3, "argv": 0}, Folded: map[string]uint64{"files": 2},
		Target:  trace.Target{Argv: []string{"sh", "-c", "echo </script> \u202e"}, Dir: "/home/u/\xff", Status: &two, UID: 1000},
		Host:    trace.Host{Kernel: "6.12.0", Arch: "x86_64", BTF: true},
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Duration: 1e9,
		Open: []string{"ptrace"},
		Syscalls: []*trace.Syscall{
			{Name: "openat", Nr: 257, ABI: "x86_64", Count: 12, Errors: trace.Counts{{Name: "ENOENT", N: 2}, {Name: "EACCES", N: 3}}, ByProcess: map[int]uint64{7: 10, 9: 2, 99: 1}},
			{Name: "socket", Nr: 359, ABI: "i386", Count: 1, ByProcess: map[int]uint64{9: 1}, Args: []trace.Argument{{Index: 0, Values: []uint64{2, 0x5401}, More: true}}},
		},
		Files: []*trace.File{
			{Path: "/usr/lib/a/b.so", How: event.HowFD, Classes: event.Read, Ops: trace.Counts{{Name: "open", N: 4}}, Processes: []int{7, 9}, Asked: []string{"../b\n.so"}},
			{Path: "/usr/lib/a/c.so", How: event.HowFD, Classes: event.Read, Ops: trace.Counts{{Name: "open", N: 4}}, Processes: []int{9, 7}},
			{Path: "/usr/lib-x", How: event.HowAsked, Classes: event.Stat, Ops: trace.Counts{{Name: "stat", N: 1}}, Errors: trace.Counts{{Name: "ENOENT", N: 1}}, Processes: []int{9}},
			{Path: "/usr/lib", How: event.HowFD, Classes: event.List, Ops: trace.Counts{{Name: "open", N: 1}}, Processes: []int{7}},
			{Path: "/", How: event.HowFD, Classes: event.Stat, Ops: trace.Counts{{Name: "stat", N: 1}}, Processes: []int{7}},
			{Path: "pipe/\xff\x80", How: event.HowUnknown, Classes: event.Write | event.Create, Ops: trace.Counts{{Name: "open", N: 1}}, Processes: nil,
				Verdicts: trace.Counts{{Name: "deny", N: 2}, {Name: "allow", N: 1}}, Rule: "policy.yaml:12"},
			{Path: "/tmp/d", How: event.HowFD, Classes: event.Delete, Ops: trace.Counts{{Name: "unlink", N: 9}}, Processes: []int{7}, Folded: true},
		},
		Execs: []*trace.Exec{
			{Path: "/bin/x", Interpreter: "/bin/sh", Argv: []string{"x", "a b", "\u202e"}, Process: process(9), Count: 1},
			{Path: "/bin/none", Count: 2, Errors: trace.Counts{{Name: "ENOENT", N: 2}}},
		},
		Sockets: []*trace.Socket{
			{Op: "connect", Family: "inet6", Type: "stream", Protocol: "tcp", Addr: "2001:db8::1", Port: &port, Count: 1, Processes: []int{9}},
			{Op: "bind", Family: "unix", Type: "dgram", Path: "a\x00b", Abstract: true, Count: 1, Processes: []int{7}},
		},
		Processes: []*trace.Process{
			{ID: 9, PID: 102, PPID: 101, Comm: "x\n", Exe: "/bin/sh", UID: 1000, Started: 1e8, Exited: &second, Signal: &signal},
			{ID: 7, PID: 101, PPID: 100, Comm: "sh", Exe: "/bin/sh", UID: 1000, Started: 0, Exited: &first, Status: &zero},
			{ID: 11, PID: 103, PPID: 101, Comm: "many", Exe: "/bin/many", UID: 1000, Started: 2e8, Folded: 12},
		},
	}
}

func TestModel(t *testing.T) {
	for name, limit := range map[string]int{"model.json": 100, "model-folded.json": 7} {
		got, err := json.MarshalIndent(newModel(sample(), limit), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		testenv.Golden(t, name, append(got, '\n'))
	}
}

// TestMerged: a pid of one run is no parent in another.
func TestMerged(t *testing.T) {
	d := sample()
	d.Target.Argv = nil
	d.Processes = []*trace.Process{{ID: 0, PID: 10, PPID: 1}, {ID: 1, PID: 11, PPID: 10, Started: 1}, {ID: 2, PID: 12, PPID: 10, Started: 2}}
	d.Merged = []trace.Origin{
		{Target: trace.Target{Argv: []string{"make"}}},
		{Target: trace.Target{Argv: []string{"make", "a b"}}, FirstProcess: 2},
		{Target: trace.Target{Argv: []string{"make"}}, FirstProcess: 3},
	}
	m := newModel(d, 100)
	if want := []int{-1, 0, -1}; !slices.Equal(m.Processes.Parent, want) {
		t.Errorf("parents %v, want %v", m.Processes.Parent, want)
	}
	if want := "make; make 'a b'"; m.Head.Command != want {
		t.Errorf("command %q, want %q", m.Head.Command, want)
	}
	if want := "3 runs are shown together, each from its own start"; !slices.Contains(m.Head.Folded, want) {
		t.Errorf("%q lacks %q", m.Head.Folded, want)
	}
}

// TestNothingButThePage looks at the bytes: whatever the trace holds, there are the two
// scripts of the page, its one style, and nothing that is not printable.
func TestNothingButThePage(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, everywhere(hostile), "turnstile 1.0"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, c := range page {
		if c != '\n' && !unicode.IsPrint(c) {
			t.Errorf("the page has %q", c)
		}
	}
	for what, want := range map[string]int{
		`(?i)<script`: 2, `(?i)</script`: 2, `(?i)<style`: 1, `(?i)</style`: 1, `<!--`: 0, `(?i)<img`: 0,
		`(?i)\s(src|srcset|style|on[a-z]+)=["']`: 0, `(?i)(src|href)=["']?(https?:|//)`: 0,
	} {
		if got := len(regexp.MustCompile(what).FindAllString(page, -1)); got != want {
			t.Errorf("%s is %d times in the page, want %d", what, got, want)
		}
	}
}

// everywhere is a trace that has each name wherever a name can be.
func everywhere(names []string) *trace.Document {
	d := sample()
	d.Target.Argv, d.Open = names, names
	for i, s := range names {
		d.Files = append(d.Files, &trace.File{
			Path: "/evil/" + s + "/" + s, Asked: names, Classes: event.Read, Rule: s, Processes: []int{7},
			Ops: trace.Counts{{Name: s, N: 1}}, Errors: trace.Counts{{Name: s, N: 1}}, Verdicts: trace.Counts{{Name: s, N: 1}},
		})
		d.Execs = append(d.Execs, &trace.Exec{Path: s, Interpreter: s, Argv: []string{s, s}, Process: new(7), Count: 1})
		d.Sockets = append(d.Sockets, &trace.Socket{Op: s, Family: s, Type: s, Protocol: s, Path: s, Count: 1, Errors: trace.Counts{{Name: s, N: 1}}})
		d.Sockets = append(d.Sockets, &trace.Socket{Op: s, Family: s, Addr: s, Port: new(uint16(1)), Count: 1})
		d.Processes = append(d.Processes, &trace.Process{ID: 100 + i, PID: 200 + int32(i), PPID: 101, Comm: s, Exe: s, Signal: &s, Started: 1})
		d.Syscalls = append(d.Syscalls, &trace.Syscall{Name: s, ABI: s, Count: 1, Errors: trace.Counts{{Name: s, N: 1}}, ByProcess: map[int]uint64{100 + i: 1}})
		d.Lost[s], d.Folded[s] = 1, 1
	}
	last := names[0]
	d.Tool, d.Target.Dir, d.Target.Signal, d.Host.Kernel, d.Host.Arch = last, last, &last, last, last
	return d
}

func TestFold(t *testing.T) {
	var all []*trace.File
	add := func(path string) {
		all = append(all, &trace.File{Path: path, Classes: event.Read, Ops: trace.Counts{{Name: "open", N: 1}}, Processes: []int{len(all)}})
	}
	for i := range 100 {
		add("/many/" + strings.Repeat("x", i+1))
	}
	for i := range 10 {
		add("/few/" + strings.Repeat("x", i+1))
	}
	f, said := filesOf(all, newPeople(nil, nil), 40)
	if want := "100 of 110 files are not shown by themselves: some directories are one row here"; said != want {
		t.Errorf("said %q, want %q", said, want)
	}
	if len(f.Name) != 12 || f.Name[11] != "/many" || f.Within[11] != 100 {
		t.Fatalf("%d rows: %q, within %v", len(f.Name), f.Name, f.Within)
	}
	if ops := f.Of[f.Facts[11]].Ops; len(ops) != 1 || ops[0].n != 100 {
		t.Errorf("the directory has %v", ops)
	}
	if f, said := filesOf(all, newPeople(nil, nil), 1000); said != "" || len(f.Within) != 0 || len(f.Name) != 112 {
		t.Errorf("with room for all: %d rows, said %q", len(f.Name), said)
	}
}

// FuzzFiles makes trees of any paths, and reads the paths off them again.
func FuzzFiles(f *testing.F) {
	f.Add("/a/b\n/a\n/a-b\n/a/b/c\na//b\n/\n//\n\n/a/b")
	f.Add("/usr/lib/x\n/usr/lib/x/\n/usr/lib/\x00\n/usr/lib")
	f.Fuzz(func(t *testing.T, lines string) {
		var all []*trace.File
		left := make(map[string]int)
		for path := range strings.SplitSeq(lines, "\n") {
			all = append(all, &trace.File{Path: path})
			left[path]++
		}
		tree := treeOf(all)
		for i, n := range tree.nodes {
			if n.parent >= int32(i) {
				t.Fatalf("node %d is before its parent", i)
			}
			if n.file == nil {
				continue
			}
			path := n.name
			for p := n.parent; p >= 0; p = tree.nodes[p].parent {
				path = tree.nodes[p].name + "/" + path
			}
			if path != n.file.Path {
				t.Fatalf("the way to %q is %q", n.file.Path, path)
			}
			left[path]--
		}
		for path, n := range left {
			if n != 0 {
				t.Errorf("%q is %d times too few in the tree", path, n)
			}
		}
		for _, limit := range []int{0, 3} {
			rows, _ := filesOf(all, newPeople(nil, nil), limit)
			told := 0
			for i, facts := range rows.Facts {
				if facts >= 0 && rows.Within[i] == 0 {
					told++
				}
				told += rows.Within[i]
			}
			if told > len(all) {
				t.Errorf("limit %d: %d files of %d are told of", limit, told, len(all))
			}
		}
	})
}

// readBuild is the trace of a small build: make, gcc, a program that talks to itself.
func readBuild(t *testing.T) *trace.Document {
	t.Helper()
	f, err := os.Open("testdata/build.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := trace.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
