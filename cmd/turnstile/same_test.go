package main

import (
	"bytes"
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/testenv"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// kernelChanges are the changes of the kernel itself that show in the trace of the
// program; none is known. The golden files have what the latest kernel does, and
// adapt makes the trace of a kernel before the change like that.
var kernelChanges = []struct {
	major, minor int // the first kernel with the change
	what         string
	adapt        func(*trace.Document)
}{}

// The trace of a program is the same on every kernel. The program makes the same
// calls everywhere, as it has no library that could look at the kernel and choose.
func TestSameTraceOnEveryKernel(t *testing.T) {
	needObserve(t)
	program, dir := target(t, "same", "-nostdlib", "-ffreestanding"), workDir(t)
	r := watched(t, "-q", "--files", "--net", "--errors", "--args", "--", program, dir)
	demandExit(t, r, 0)
	demandComplete(t, r)

	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	running, err := kernel.Running()
	if err != nil {
		t.Fatal(err)
	}
	d := r.doc
	if !slices.IsSortedFunc(d.Processes, func(a, b *trace.Process) int { return cmp.Compare(a.Started, b.Started) }) {
		t.Errorf("the processes are not in the order in which they began: %s", asJSON(t, d.Processes))
	}
	withoutRun(d, strings.NewReplacer(program, "$PROGRAM", dir, "$DIR", here, "$CWD"))
	for _, c := range kernelChanges {
		if !running.AtLeast(c.major, c.minor) {
			t.Logf("%v is before %d.%d: %s", running, c.major, c.minor, c.what)
			c.adapt(d)
		}
	}
	var text bytes.Buffer
	if err := trace.Encode(&text, d); err != nil {
		t.Fatal(err)
	}
	// A machine of the matrix keeps no files: this is where its golden file is from.
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the trace:\n%s", text.String())
		}
	})
	testenv.Golden(t, "same-"+d.Host.Arch+".json", text.Bytes())
}

// withoutRun takes out of a trace what differs from run to run and from machine to
// machine. A process gets its id as pid, its parent's as ppid, and -1 for a parent
// that is not in the trace.
func withoutRun(d *trace.Document, names *strings.Replacer) {
	d.Tool, d.Host.Kernel, d.Host.BTF = "", "", false
	d.Started, d.Duration = time.Time{}, 0

	ids := make(map[int32]int32)
	for _, p := range d.Processes {
		ids[p.PID] = int32(p.ID)
	}
	for _, p := range d.Processes {
		parent, known := ids[p.PPID]
		if !known {
			parent = -1
		}
		p.PID, p.PPID, p.Started = int32(p.ID), parent, 0
		if p.Exited != nil {
			*p.Exited = 0
		}
		p.Exe = names.Replace(p.Exe)
	}

	replaceAll := func(list []string) {
		for i := range list {
			list[i] = names.Replace(list[i])
		}
	}
	d.Target.Dir = names.Replace(d.Target.Dir)
	replaceAll(d.Target.Argv)
	for _, x := range d.Execs {
		x.Path = names.Replace(x.Path)
		replaceAll(x.Argv)
	}
	for _, s := range d.Sockets {
		s.Path = names.Replace(s.Path)
	}
	for _, f := range d.Files {
		f.Path = names.Replace(f.Path)
		replaceAll(f.Asked)
		slices.Sort(f.Asked)
	}
	// These lists are sorted by names, some of which are others now.
	slices.SortFunc(d.Files, func(a, b *trace.File) int { return strings.Compare(a.Path, b.Path) })
}
