package trace

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/turnstile-project/turnstile/internal/event"
)

// recorded is the document of sample, begun after so many milliseconds.
func recorded(after int) *Document {
	r := NewRecorder(Options{Files: true, Sockets: true, Results: true, MaxProcesses: 10, MaxFiles: 10, Started: at(after)})
	sample(r)
	d := r.Document()
	d.Tool, d.Duration = "turnstile 1", int64(time.Second)
	d.Target = Target{Argv: []string{"./x.sh"}, Dir: "/w", UID: 1000}
	d.Host = Host{Kernel: "6.18.0", Arch: "x86_64", BTF: true}
	return d
}

// copied is a document by way of its JSON form.
func copied(t testing.TB, d *Document) *Document {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, d); err != nil {
		t.Fatal(err)
	}
	back, err := Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestMergeOne(t *testing.T) {
	d := copied(t, recorded(0))
	if diff := cmp.Diff(copied(t, d), Merge(d), cmpopts.IgnoreUnexported(Process{})); diff != "" {
		t.Error(diff)
	}
	if Merge() != nil {
		t.Error("nothing became a document")
	}
}

func TestMergeSums(t *testing.T) {
	one, first, second := recorded(0), recorded(0), recorded(0)
	all := copied(t, Merge(first, second))
	if len(all.Syscalls) != len(one.Syscalls) || len(all.Files) != len(one.Files) || len(all.Sockets) != len(one.Sockets) {
		t.Fatalf("%d calls, %d files and %d sockets, want %d, %d and %d", len(all.Syscalls), len(all.Files), len(all.Sockets),
			len(one.Syscalls), len(one.Files), len(one.Sockets))
	}
	for i, s := range all.Syscalls {
		if s.Count != 2*one.Syscalls[i].Count || s.Errors.Total() != 2*one.Syscalls[i].Errors.Total() {
			t.Errorf("%s: %d calls and %v, of %d", s.Name, s.Count, s.Errors, one.Syscalls[i].Count)
		}
		var n uint64
		for id, calls := range s.ByProcess {
			if n += calls; id >= len(all.Processes) {
				t.Errorf("%s: by process %d, and there are %d", s.Name, id, len(all.Processes))
			}
		}
		if len(s.ByProcess) != 2*len(one.Syscalls[i].ByProcess) || n > s.Count {
			t.Errorf("%s: by processes %v", s.Name, s.ByProcess)
		}
	}
	for i, f := range all.Files {
		was := one.Files[i]
		if f.Path != was.Path || f.Ops.Total() != 2*was.Ops.Total() || f.Classes != was.Classes || len(f.Processes) != 2*len(was.Processes) {
			t.Errorf("%+v, of %+v", f, was)
		}
	}
	if len(all.Execs) != 2*len(one.Execs) || len(all.Processes) != 2*len(one.Processes) {
		t.Errorf("%d execs and %d processes", len(all.Execs), len(all.Processes))
	}
	for i, p := range all.Processes {
		if p.ID != i {
			t.Errorf("process %d has id %d", i, p.ID)
		}
	}
	if all.Target.Argv == nil || len(all.Merged) != 2 || all.Merged[1].FirstProcess != len(one.Processes) {
		t.Errorf("target %+v of %+v", all.Target, all.Merged)
	}
}

// TestMergeIsAssociative: it does not matter whether what is merged is itself merged.
func TestMergeIsAssociative(t *testing.T) {
	three := copied(t, Merge(recorded(0), recorded(5), recorded(-3)))
	left := copied(t, Merge(Merge(recorded(0), recorded(5)), recorded(-3)))
	right := copied(t, Merge(recorded(0), Merge(recorded(5), recorded(-3))))
	for name, other := range map[string]*Document{"left": left, "right": right} {
		if diff := cmp.Diff(three, other, cmpopts.IgnoreUnexported(Process{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMergeClock(t *testing.T) {
	early, late := recorded(0), recorded(0)
	late.Started = late.Started.Add(time.Hour)
	wants := early.Processes[1].Started
	for name, docs := range map[string][2]*Document{"in order": {copied(t, early), copied(t, late)}, "out of order": {copied(t, late), copied(t, early)}} {
		all := Merge(docs[0], docs[1])
		if !all.Started.Equal(start) || all.Duration != int64(time.Hour+time.Second) {
			t.Errorf("%s: %v for %v", name, all.Started, time.Duration(all.Duration))
		}
		n := len(early.Processes)
		first, second := all.Processes[1].Started, all.Processes[n+1].Started
		if name != "in order" {
			first, second = second, first
		}
		if first != wants || second != wants+int64(time.Hour) {
			t.Errorf("%s: processes started at %d and %d", name, first, second)
		}
	}
}

func TestMergeDiffers(t *testing.T) {
	a, b := recorded(0), recorded(0)
	a.Target.Argv = []string{"a"}
	b.Host = Host{Kernel: "5.10.0", Arch: "arm64"}
	b.Tool, b.Results, b.Open = "strace", false, []string{"mount"}
	b.Syscalls = []*Syscall{{Name: "openat", Nr: 56, ABI: "arm64", Count: 1, ByProcess: map[int]uint64{99: 1}}}
	b.Files, b.Complete.Files = nil, nil
	all := copied(t, Merge(a, b))
	if all.Target.Argv != nil || all.Target.Dir != "/w" || all.Host != (Host{Arch: "x86_64"}) || all.Tool != "turnstile 1, strace" || all.Results {
		t.Errorf("target %+v, host %+v, tool %q, results %v", all.Target, all.Host, all.Tool, all.Results)
	}
	if c := all.Complete.Files; c == nil || *c || len(all.Files) == 0 {
		t.Error("files that only one watched are taken for complete, or are gone")
	}
	if all.Complete.All() || !cmp.Equal(all.Open, []string{"mount"}) || all.Merged[1].Host.Arch != "arm64" {
		t.Errorf("%+v", all)
	}
	if s := all.Syscalls[0]; s.ABI != "arm64" || len(s.ByProcess) != 0 {
		t.Errorf("the other ABI is %+v", s)
	}
	neither := recorded(0)
	neither.Sockets, neither.Complete.Sockets = nil, nil
	if all := Merge(neither, copied(t, neither)); all.Sockets != nil || all.Complete.Sockets != nil {
		t.Error("what nobody watched is there")
	}
}

func TestMergeArguments(t *testing.T) {
	call := func(index int, from, to uint64) *Document {
		var values []uint64
		for v := from; v < to; v++ {
			values = append(values, v)
		}
		return &Document{Syscalls: []*Syscall{{Name: "ioctl", Nr: 16, ABI: "x86_64", Count: 1, Args: []Argument{{Index: index, Values: values}}}}}
	}
	if a := Merge(call(1, 0, 40), call(1, 20, 64)).Syscalls[0].Args[0]; len(a.Values) != 64 || a.More {
		t.Errorf("%d values, more %v", len(a.Values), a.More)
	}
	if a := Merge(call(1, 0, 40), call(1, 20, 65)).Syscalls[0].Args[0]; len(a.Values) != 64 || !a.More {
		t.Errorf("%d values, more %v", len(a.Values), a.More)
	}
	// Calls of which a document has no values may have had any.
	if args := Merge(call(1, 0, 1), call(0, 7, 8)).Syscalls[0].Args; len(args) != 2 || args[0].Index != 0 || !args[0].More || !args[1].More {
		t.Errorf("two arguments are %+v", args)
	}
	never := call(0, 7, 8)
	never.Syscalls[0].Count = 0
	if args := Merge(call(1, 0, 1), never).Syscalls[0].Args; args[1].More {
		t.Errorf("an argument of no call has made %+v", args)
	}
}

// TestMergeUnknownNames: a number that one Turnstile had no name for, and another had.
func TestMergeUnknownNames(t *testing.T) {
	doc := func(name string) *Document {
		return &Document{Syscalls: []*Syscall{{Name: name, Nr: 470, ABI: "x86_64", Count: 1}}}
	}
	for _, names := range [][2]string{{"listns", "syscall_470"}, {"syscall_470", "listns"}} {
		if all := Merge(doc(names[0]), doc(names[1])).Syscalls; len(all) != 1 || all[0].Name != "listns" || all[0].Count != 2 {
			t.Errorf("%v: %+v", names, all[0])
		}
	}
}

// TestMergeOddDocuments: what no recorder writes, and a file can hold.
func TestMergeOddDocuments(t *testing.T) {
	odd := func() *Document {
		id := 7
		return &Document{
			Files: []*File{
				{Path: "/b", Ops: Counts{{"open", 1}}}, {Path: "/a", Folded: true}, {Path: "/a"},
				{Path: "/b", Ops: Counts{{"open", 2}}, Processes: []int{7, 7, 3}},
			},
			Execs:     []*Exec{{Path: "/x", Process: &id, Count: 1}, {Path: "/x", Count: 1}},
			Processes: []*Process{{ID: 3}, {ID: 3}},
		}
	}
	all := Merge(odd(), odd())
	var paths []string
	for _, f := range all.Files {
		paths = append(paths, fmt.Sprintf("%s %v %d %v", f.Path, f.Folded, f.Ops.Total(), f.Processes))
	}
	want := []string{"/a false 0 []", "/a true 0 []", "/b false 6 [1 3]"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
	if len(all.Execs) != 1 || all.Execs[0].Count != 4 {
		t.Errorf("%d execs", len(all.Execs))
	}
}

// TestMergeMany: two documents of 500,000 files each, half of them in both.
func TestMergeMany(t *testing.T) {
	const n = 500_000
	many := func(from int) *Document {
		d := &Document{Processes: []*Process{{}}}
		for i := from; i < from+n; i++ {
			d.Files = append(d.Files, &File{Path: fmt.Sprintf("/srv/%07d", i), Classes: event.Read, Ops: Counts{{"open", 1}}, Processes: []int{0}})
		}
		return d
	}
	all := Merge(many(0), many(n/2))
	if len(all.Files) != n+n/2 || all.Files[n].Ops.Total() != 1 || all.Files[n-1].Ops.Total() != 2 {
		t.Errorf("%d files", len(all.Files))
	}
}
