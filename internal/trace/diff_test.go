package trace

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turnstile-project/turnstile/internal/event"
)

var everything = DiffOptions{Sections: DifferenceSections}

func yes() *bool { ok := true; return &ok }

// before and after are two runs of which the second does more.
func before() *Document {
	zero := 0
	port := uint16(80)
	return &Document{
		Version: Version, Results: true, Complete: Complete{Syscalls: true, Processes: true, Files: yes(), Sockets: yes()},
		Host: Host{Arch: "x86_64"},
		Syscalls: []*Syscall{
			{Name: "exit", Nr: 1, ABI: "i386", Count: 1},
			{Name: "read", Nr: 0, ABI: "x86_64", Count: 5, Errors: Counts{{"EAGAIN", 1}}},
			{Name: "poll", Nr: 7, ABI: "x86_64", Count: 1},
			{Name: "socket", Nr: 41, ABI: "x86_64", Count: 1, Args: []Argument{{Index: 0, Values: []uint64{1, 2}}}},
		},
		Files: []*File{
			{Path: "/a", Classes: event.Read, Processes: []int{0}, Ops: Counts{{"open", 1}}},
			{Path: "/gone", Classes: event.Read, Processes: []int{0}, Ops: Counts{{"open", 1}}},
			{Path: "/same", Classes: event.Write, Processes: []int{0}, Ops: Counts{{"open", 1}}},
		},
		Execs: []*Exec{{Path: "/bin/sh", Process: &zero, Count: 1}, {Path: "/opt/ls", Process: &zero, Count: 1, Errors: Counts{{"ENOENT", 1}}}},
		Sockets: []*Socket{
			{Op: "accept", Family: "inet", Addr: "10.0.0.9", Port: new(uint16), Count: 1, Processes: []int{0}},
			{Op: "connect", Family: "inet", Addr: "10.0.0.1", Port: &port, Count: 1, Processes: []int{0}},
		},
		Processes: []*Process{{ID: 0, PID: 10, Comm: "sh", Exe: "/bin/sh"}},
	}
}

func after() *Document {
	d := before()
	one, port, peer := 1, uint16(443), uint16(50000)
	d.Processes = append(d.Processes, &Process{ID: 1, PID: 11, Comm: "curl", Exe: "/usr/bin/curl"})
	d.Syscalls = []*Syscall{
		{Name: "read", Nr: 3, ABI: "i386", Count: 1, ByProcess: map[int]uint64{1: 1}},
		{Name: "read", Nr: 0, ABI: "x86_64", Count: 9, Errors: Counts{{"EAGAIN", 1}, {"EINTR", 2}}},
		{Name: "socket", Nr: 41, ABI: "x86_64", Count: 2, ByProcess: map[int]uint64{1: 2}, Args: []Argument{{Index: 0, Values: []uint64{1, 16}}}},
		{Name: "mount", Nr: 165, ABI: "x86_64", Count: 1, ByProcess: map[int]uint64{1: 1}},
	}
	d.Files = []*File{
		{Path: "/a", Classes: event.Read | event.Write, Processes: []int{1}, Ops: Counts{{"open", 2}}},
		{Path: "/new", Classes: event.Read, Processes: []int{1}, Ops: Counts{{"open", 1}}},
		{Path: "/same", Classes: event.Write, Processes: []int{0}, Ops: Counts{{"open", 7}}},
	}
	d.Execs = append(d.Execs, &Exec{Path: "/usr/bin/curl", Process: &one, Count: 1}, &Exec{Path: "/opt/ls", Process: &one, Count: 1})
	d.Sockets = []*Socket{
		{Op: "accept", Family: "inet", Addr: "10.0.0.9", Port: &peer, Count: 1, Processes: []int{0}},
		{Op: "connect", Family: "inet", Addr: "10.0.0.1", Port: &port, Count: 1, Processes: []int{1}},
	}
	return d
}

// told is a difference in words, + for what is new.
func told(d *Difference) []string {
	sign := func(isNew bool, b bool) string {
		switch {
		case isNew:
			return "+"
		case b:
			return " "
		default:
			return "-"
		}
	}
	var all []string
	for _, c := range d.Syscalls {
		s := c.B
		if s == nil {
			s = c.A
		}
		text := sign(c.New(), c.B != nil) + s.ABI + " " + s.Name
		for _, e := range c.Errors {
			text += " " + e.Name
		}
		for _, a := range c.Values {
			for _, v := range a.Values {
				text += " " + string(rune('a'+v))
			}
		}
		all = append(all, text)
	}
	for _, f := range d.Files {
		all = append(all, sign(f.New(), f.B != nil)+f.Path+" -"+f.OnlyA.String()+" +"+f.OnlyB.String())
	}
	for _, x := range d.Execs {
		all = append(all, sign(x.New(), x.B != nil)+x.Path)
	}
	for _, s := range d.Sockets {
		at := s.B
		if at == nil {
			at = s.A
		}
		all = append(all, sign(s.A == nil, s.B != nil)+at.Op+" "+at.Addr)
	}
	return all
}

func TestDiff(t *testing.T) {
	d := Diff(before(), after(), everything)
	want := []string{
		"-i386 exit", "+i386 read", " x86_64 read EINTR", "-x86_64 poll", "+x86_64 socket q", "+x86_64 mount",
		"+/a - +write", "-/gone -read +", "+/new - +read",
		"+/opt/ls", "+/usr/bin/curl", "-connect 10.0.0.1", "+connect 10.0.0.1",
	}
	if diff := cmp.Diff(want, told(d)); diff != "" {
		t.Error(diff)
	}
	if !d.New() {
		t.Error("nothing is new")
	}
}

// TestDiffOfSame: of a document and itself, and of one and what it lacks.
func TestDiffOfSame(t *testing.T) {
	if d := Diff(after(), after(), everything); d.New() || told(d) != nil {
		t.Error(told(d))
	}
	less := after()
	less.Syscalls, less.Files, less.Sockets = less.Syscalls[1:2], less.Files[:0], less.Sockets[:0]
	if d := Diff(after(), less, everything); d.New() || told(d) == nil {
		t.Error(told(d))
	}
	// How calls end is told, and nothing new.
	other := after()
	other.Syscalls[1].Errors = Counts{{"EIO", 1}}
	if d := Diff(after(), other, everything); d.New() || !cmp.Equal(told(d), []string{" x86_64 read EIO"}) {
		t.Error(told(d))
	}
}

func TestDiffOfUnwatched(t *testing.T) {
	unwatched := before()
	unwatched.Files, unwatched.Sockets, unwatched.Results = nil, nil, false
	unwatched.Syscalls[3].Args = nil
	want := []string{"-i386 exit", "+i386 read", "-x86_64 poll", "+x86_64 mount", "+/opt/ls", "+/usr/bin/curl"}
	if diff := cmp.Diff(want, told(Diff(unwatched, after(), everything))); diff != "" {
		t.Error(diff)
	}
}

func TestDiffSections(t *testing.T) {
	for section, want := range map[string]int{"syscalls": 6, "files": 3, "execs": 2, "sockets": 2} {
		if got := told(Diff(before(), after(), DiffOptions{Sections: []string{section}})); len(got) != want {
			t.Errorf("%s: %q", section, got)
		}
	}
}

// TestDiffPaths: names that stand for many.
func TestDiffPaths(t *testing.T) {
	o := DiffOptions{Sections: []string{"files"}, Path: func(path string) string {
		if path == "/gone" || path == "/new" {
			return "/some"
		}
		return path
	}}
	a, b := before(), after()
	if diff := cmp.Diff([]string{"+/a - +write"}, told(Diff(a, b, o))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]*File{a.Files[1], b.Files[1]}, []*File{before().Files[1], after().Files[1]}); diff != "" {
		t.Errorf("the documents have changed: %s", diff)
	}
}

func TestSubtract(t *testing.T) {
	describe := func(d *Document) (all []string) {
		for _, s := range d.Syscalls {
			text := s.ABI + " " + s.Name
			for _, a := range s.Args {
				for _, v := range a.Values {
					text += " " + string(rune('a'+v))
				}
			}
			all = append(all, text)
		}
		for _, f := range d.Files {
			all = append(all, f.Path+" "+f.Classes.String())
		}
		for _, x := range d.Execs {
			all = append(all, x.Path)
		}
		for _, s := range d.Sockets {
			all = append(all, s.Op)
		}
		return all
	}
	rest := []string{"/a write", "/new read", "/opt/ls", "/usr/bin/curl", "/opt/ls", "connect"}
	got := describe(Subtract(after(), before(), false))
	slices.Sort(got)
	want := append([]string{"i386 read", "x86_64 mount"}, rest...)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = describe(Subtract(after(), before(), true))
	if want := []string{"i386 read", "x86_64 socket q", "x86_64 mount"}; !cmp.Equal(want, got[:3]) {
		t.Errorf("with values: %q", got)
	}
	if rest := Subtract(after(), after(), true); len(rest.Syscalls)+len(rest.Files)+len(rest.Execs)+len(rest.Sockets) != 0 || rest.Files == nil || rest.Sockets == nil {
		t.Errorf("something is left of what is taken from itself: %q", describe(rest))
	}
	// What is subtracted and what is left are the whole.
	whole := Merge(copied(t, before()), copied(t, Subtract(after(), before(), true)))
	if d := Diff(whole, after(), everything); d.New() {
		t.Errorf("lost: %q", told(d))
	}
}
