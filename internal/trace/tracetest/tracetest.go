// Package tracetest makes traces for tests and benchmarks.
package tracetest

import (
	"fmt"
	"time"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// Big is the trace of a command that touched so many files, as a large build does: about
// nine directories deep, twenty files in each directory, most of them read, some
// written, some missing, by a few hundred processes. It is the same each time.
func Big(files int) *trace.Document {
	const processes = 300
	yes := true
	status := 0
	d := &trace.Document{
		Version: trace.Version, Tool: "turnstile test", Results: true,
		Complete: trace.Complete{Syscalls: true, Processes: true, Files: &yes, Sockets: &yes},
		Lost:     map[string]uint64{}, Folded: map[string]uint64{},
		Target:  trace.Target{Argv: []string{"make", "-j8"}, Dir: "/home/user/src/project", Status: &status, UID: 1000},
		Host:    trace.Host{Kernel: "6.12.0", Arch: "x86_64", BTF: true},
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Duration: 60e9,
		Execs: []*trace.Exec{}, Sockets: []*trace.Socket{},
		Files: make([]*trace.File, 0, files),
	}
	for nr := range int32(80) {
		d.Syscalls = append(d.Syscalls, &trace.Syscall{
			Name: syscalls.Name(event.X8664, nr), Nr: nr, ABI: event.X8664.String(),
			Count: uint64(files), ByProcess: map[int]uint64{0: uint64(files)},
		})
	}
	for id := range processes {
		exited := int64(id+1) * 1e8
		d.Processes = append(d.Processes, &trace.Process{
			ID: id, PID: int32(1000 + id), PPID: 1000, Comm: "cc1", Exe: "/usr/lib/gcc/x86_64-linux-gnu/14/cc1",
			UID: 1000, Started: int64(id) * 1e8, Exited: &exited, Status: &status,
		})
	}
	for i := range files {
		d.Files = append(d.Files, file(i, processes))
	}
	return d
}

// file is the file of a number. They are in the order of their paths.
func file(i, processes int) *trace.File {
	path := fmt.Sprintf("/home/user/src/project/node_modules/scope-%03d/package-%02d/lib/internal/module-%06d.js", i/2000, i/20%100, i)
	f := &trace.File{
		Path: path, Asked: []string{path}, How: event.HowFD, Classes: event.Read,
		Ops: trace.Counts{{Name: "open", N: 1}}, Processes: []int{i % processes},
	}
	switch i % 10 {
	case 0:
		f.Classes |= event.Write | event.Create
	case 1, 2:
		f.Classes, f.How = event.Stat, event.HowJoined
		f.Asked = []string{path[len("/home/user/src/project/"):]}
		f.Ops = trace.Counts{{Name: "access", N: 1}, {Name: "stat", N: 2}}
	case 3:
		f.Classes, f.Errors = event.Stat, trace.Counts{{Name: "ENOENT", N: 1}}
		f.How = event.HowAsked
	}
	return f
}
