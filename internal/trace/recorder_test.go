package trace

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func process(pid int32, exe string) *event.Process {
	return &event.Process{ID: event.ProcessID{PID: pid, Start: uint64(pid)}, Comm: filepath.Base(exe), Exe: exe, UID: 1000}
}

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func open(p *event.Process, path string, errno event.Errno, fold uint64) *event.Event {
	return &event.Event{
		Process: p, Category: event.CategoryFile, Fold: fold,
		Access: event.Access{
			Op:      event.OpOpen,
			Targets: []event.Target{{Asked: []byte(path), Path: []byte("/w/" + path), How: event.HowJoined, Class: event.Read}},
		},
		Outcome: event.Outcome{Known: true, Errno: errno},
	}
}

// sample feeds a recorder with something of everything.
func sample(r *Recorder) {
	sh, ls := process(10, "/bin/sh"), process(11, "/bin/sh")
	ls.Parent = sh.ID
	sh.Started, ls.Started = at(-1), at(1)
	r.Event(&event.Event{
		Time: at(0), Process: sh, Access: event.Access{Op: event.OpExec, Targets: []event.Target{
			{Asked: []byte("./x.sh"), Path: []byte("/w/x.sh"), How: event.HowJoined, Class: event.Exec},
			{Asked: []byte("/bin/sh"), Path: []byte("/bin/sh"), How: event.HowFD, Class: event.Exec},
		}},
		Argv: [][]byte{[]byte("sh"), []byte("x\xff")}, Outcome: event.Outcome{Known: true},
	})
	r.Event(&event.Event{Time: at(1), Process: ls, Access: event.Access{Op: event.OpFork}})
	ls.Exe, ls.Comm = "/bin/ls", "ls"
	r.Event(&event.Event{
		Time: at(2), Process: ls, Outcome: event.Outcome{Known: true, Errno: event.Errno(unix.ENOENT)},
		Access: event.Access{Op: event.OpExec, Targets: []event.Target{{Asked: []byte("/opt/ls"), Path: []byte("/opt/ls"), How: event.HowAsked, Class: event.Exec}}},
	})
	r.Event(&event.Event{
		Time: at(2), Process: ls, Outcome: event.Outcome{Known: true},
		Access: event.Access{Op: event.OpExec, Targets: []event.Target{{Asked: []byte("/bin/ls"), Path: []byte("/bin/ls"), How: event.HowFD, Class: event.Exec}}},
		Argv:   [][]byte{[]byte("ls")},
	})
	r.Event(open(ls, "a", 0, 1))
	r.Event(open(ls, "gone", event.Errno(unix.ENOENT), 2))
	r.Event(open(sh, "caf\xe9", 0, 0))
	r.Event(&event.Event{
		Process: ls, Category: event.CategoryFile, Outcome: event.Outcome{Known: true},
		Access: event.Access{Op: event.OpRename, Targets: []event.Target{
			{Asked: []byte("/w/a"), Path: []byte("/w/a"), How: event.HowAsked, Class: event.Delete},
			{Asked: []byte("/w/b"), Path: []byte("/w/b"), How: event.HowAsked, Class: event.Create},
		}},
	})
	r.Event(&event.Event{
		Process: ls, Category: event.CategoryNetwork, Fold: 3,
		Outcome: event.Outcome{Known: true, Errno: event.Errno(unix.EINPROGRESS)},
		Access: event.Access{Op: event.OpConnect, Socket: event.Socket{
			Family: unix.AF_INET, Type: unix.SOCK_STREAM, Protocol: unix.IPPROTO_TCP, TypeKnown: true,
			Addr: netip.MustParseAddr("10.0.0.1"), Port: 443,
		}},
	})
	r.Event(&event.Event{
		Process: sh, Category: event.CategoryNetwork, Outcome: event.Outcome{Known: true},
		Access: event.Access{Op: event.OpBind, Socket: event.Socket{Family: unix.AF_UNIX, Type: unix.SOCK_DGRAM, TypeKnown: true, Abstract: true, Path: []byte("bus")}},
	})
	r.Event(&event.Event{Time: at(3), Process: ls, Access: event.Access{Op: event.OpExit}, Exit: syscall.WaitStatus(2 << 8)})
	r.Event(&event.Event{Time: at(4), Process: sh, Access: event.Access{Op: event.OpExit}, Exit: syscall.WaitStatus(unix.SIGTERM)})

	openat := event.Call{ABI: event.X8664, Nr: 257}
	r.Tally(&event.Tally{Kind: event.TallyCalls, Process: ls, Call: openat, Count: 30})
	r.Tally(&event.Tally{Kind: event.TallyCalls, Process: sh, Call: openat, Count: 11})
	r.Tally(&event.Tally{Kind: event.TallyCalls, Process: sh, Call: event.Call{ABI: event.I386, Nr: 20}, Count: 1})
	r.Tally(&event.Tally{Kind: event.TallyCalls, Process: sh, Call: event.Call{ABI: event.X8664, Nr: 9999}, Count: 1})
	r.Tally(&event.Tally{Kind: event.TallyCalls, Call: openat, Count: 1})
	r.Tally(&event.Tally{Kind: event.TallyShared, Count: 1})
	r.Tally(&event.Tally{Kind: event.TallyErrors, Call: openat, Errno: event.Errno(unix.ENOENT), Count: 3})
	r.Tally(&event.Tally{Kind: event.TallyArgument, Call: event.Call{ABI: event.X8664, Nr: 41}, Index: 1, Value: 2, Count: 1})
	r.Tally(&event.Tally{Kind: event.TallyArgument, Call: event.Call{ABI: event.X8664, Nr: 41}, Index: 0, Value: 10, Count: 1})
	r.Tally(&event.Tally{Kind: event.TallyArgument, Call: event.Call{ABI: event.X8664, Nr: 41}, Index: 0, Value: 2, Count: 5})
	r.Tally(&event.Tally{Kind: event.TallyRepeats, Fold: 1, Count: 4})
	r.Tally(&event.Tally{Kind: event.TallyRepeats, Fold: 2, Count: 2})
	r.Tally(&event.Tally{Kind: event.TallyRepeats, Fold: 3, Count: 1})
	r.Tally(&event.Tally{Kind: event.TallyLost, Loss: event.LossRingbufFile, Count: 7})
	r.Tally(&event.Tally{Kind: event.TallySettled, Process: ls})
}

func TestRecorderGolden(t *testing.T) {
	r := NewRecorder(Options{Files: true, Sockets: true, Results: true, Started: start})
	sample(r)
	d := r.Document()
	d.Tool = "turnstile test"
	status := 0
	d.Target = Target{Argv: []string{"./x.sh", "x\xff"}, Dir: "/w", Status: &status, UID: 1000}
	d.Host = Host{Kernel: "6.1", Arch: "x86_64", BTF: true}
	d.Duration = 5e6

	var b bytes.Buffer
	if err := Encode(&b, d); err != nil {
		t.Fatal(err)
	}
	testenv.Golden(t, "sample.json", b.Bytes())

	// What is read is what was written.
	back, err := Decode(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := Encode(&again, back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), again.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSectionsThatWereNotWatched(t *testing.T) {
	r := NewRecorder(Options{Started: start})
	sample(r)
	d := r.Document()
	if d.Files != nil || d.Sockets != nil || d.Complete.Files != nil || d.Complete.Sockets != nil {
		t.Errorf("files %v, sockets %v, complete %+v", d.Files, d.Sockets, d.Complete)
	}
	if !d.Complete.All() {
		t.Error("a loss in a section that was not watched makes the trace incomplete")
	}
}

func TestComplete(t *testing.T) {
	for loss, want := range map[event.Loss][4]bool{ // syscalls, processes, files, sockets
		event.LossRingbufProcess: {true, false, false, true},
		event.LossRingbufFile:    {true, true, false, true},
		event.LossRingbufSocket:  {true, true, false, false},
		event.LossRingbufCall:    {true, true, true, true},
		event.LossPath:           {true, true, false, true},
		event.LossAddress:        {true, true, false, false},
		event.LossArgv:           {true, false, true, true},
		event.LossDeepPath:       {true, true, false, true},
		event.LossArgument:       {false, true, true, true},
		event.LossMapCalls:       {false, true, true, true},
		event.LossIOUring:        {true, true, false, false},
		event.LossUntracked:      {false, false, false, false},
		event.LossMissed:         {false, false, false, false},
		event.LossForbidden:      {false, false, false, false},
		event.LossUndecoded:      {false, false, false, false},
	} {
		r := NewRecorder(Options{Files: true, Sockets: true})
		r.Tally(&event.Tally{Kind: event.TallyLost, Loss: loss, Count: 1})
		c := r.Document().Complete
		if got := [4]bool{c.Syscalls, c.Processes, *c.Files, *c.Sockets}; got != want {
			t.Errorf("%v: complete is %v, want %v", loss, got, want)
		}
	}
}

// TestEveryLossHasAPlace: a loss that the document does not know would be silent.
func TestEveryLossHasAPlace(t *testing.T) {
	for _, loss := range event.Losses() {
		if lossOf[loss].name == "" {
			t.Errorf("%v is not in the document", loss)
		}
	}
}

func TestProcessesFold(t *testing.T) {
	r := NewRecorder(Options{MaxProcesses: 3, Started: start})
	parent := process(1, "/bin/make")
	r.Event(&event.Event{Process: parent, Access: event.Access{Op: event.OpFork}})
	call := event.Call{ABI: event.X8664, Nr: 39}
	for i := range 100 {
		p := process(int32(10+i), "/bin/make")
		p.Parent = parent.ID
		r.Event(&event.Event{Process: p, Access: event.Access{Op: event.OpFork}})
		p.Exe = []string{"/bin/cc", "/bin/ld"}[i%2]
		r.Event(&event.Event{Process: p, Access: event.Access{Op: event.OpExec, Targets: []event.Target{{Path: []byte(p.Exe)}}}})
		r.Event(&event.Event{Process: p, Access: event.Access{Op: event.OpExit}})
		r.Tally(&event.Tally{Kind: event.TallyCalls, Process: p, Call: call, Count: 2})
		r.Tally(&event.Tally{Kind: event.TallySettled, Process: p})
	}
	d := r.Document()
	// make, the first two, and the groups: of the image of make, of cc, of ld.
	if len(d.Processes) != 6 {
		t.Errorf("%d entries", len(d.Processes))
	}
	if got := d.Folded["processes"]; got != 98 {
		t.Errorf("%d processes folded", got)
	}
	byExe := map[string]uint64{}
	for _, p := range d.Processes {
		if p.group {
			byExe[p.Exe] += d.Syscalls[0].ByProcess[p.ID]
		}
	}
	if want := map[string]uint64{"/bin/make": 0, "/bin/cc": 98, "/bin/ld": 98}; cmp.Diff(want, byExe) != "" {
		t.Errorf("calls by image %v, want %v", byExe, want)
	}
	if d.Syscalls[0].Count != 200 {
		t.Errorf("%d calls", d.Syscalls[0].Count)
	}
	if len(r.processes.live) != 1 {
		t.Errorf("%d processes are kept after they were settled", len(r.processes.live)-1)
	}
}

func TestFilesFold(t *testing.T) {
	r := NewRecorder(Options{Files: true, MaxFiles: 10})
	p := process(1, "/bin/x")
	for i := range 100 {
		r.Event(open(p, fmt.Sprintf("d%d/f%d", i%3, i), 0, 0))
	}
	d := r.Document()
	var ops, folded uint64
	for _, f := range d.Files {
		ops += f.Ops.Total()
		if f.Folded {
			folded += f.Ops.Total()
		}
	}
	if len(d.Files) != 13 || ops != 100 || folded != 90 || d.Folded["files"] != 90 {
		t.Errorf("%d entries, %d operations, %d of them and %d in folded", len(d.Files), ops, folded, d.Folded["files"])
	}
}

func TestArgumentValuesAreBounded(t *testing.T) {
	r := NewRecorder(Options{})
	for i := range 100 {
		r.Tally(&event.Tally{Kind: event.TallyArgument, Call: event.Call{ABI: event.X8664, Nr: 16}, Index: 1, Value: uint64(i)})
	}
	a := r.Document().Syscalls[0].Args[0]
	if len(a.Values) != maxValues || !a.More {
		t.Errorf("%d values, more: %v", len(a.Values), a.More)
	}
}

func TestDecodeRefusesAnUnknownVersion(t *testing.T) {
	if _, err := Decode(bytes.NewReader([]byte(`{"version": 2}`))); err == nil {
		t.Error("no error")
	}
}

func FuzzDecode(f *testing.F) {
	golden, err := os.ReadFile(filepath.Join("testdata", "sample.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte(`{"version":1,"files":[{"path_base64":"/w==","how":"fd","classes":["read"]}]}`))
	f.Add([]byte(`{"version":1,"files":[null],"processes":[null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Decode(bytes.NewReader(b))
		if err != nil {
			return
		}
		if err := Encode(&bytes.Buffer{}, d); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}
