package strace

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// What a log can lack, by the names that the document counts it under.
const (
	lostEnds         = "log_ends"   // the log was cut, or strace left
	lostBegins       = "log_begins" // the log begins in the middle
	lostParents      = "unknown_parent"
	lostNotFollowed  = "not_followed"
	lostKinds        = "filtered"
	lostABI          = "unknown_abi"
	lostMultiplexed  = "multiplexed"
	lostPaths        = "unreadable_path"
	lostPlaces       = "unknown_directory"
	lostDescriptors  = "unknown_descriptor"
	lostAddresses    = "unreadable_address"
	lostArgv         = "argv"
	lostInterpreters = "unknown_interpreter"
	lostReturns      = "unreturned" // nothing is incomplete for it
)

// everySection are the losses after which nothing is known to be whole.
var everySection = []string{lostEnds, lostBegins, lostParents, lostNotFollowed, lostKinds}

// kind is what a filter of strace could have chosen a call by.
type kind uint8

const (
	otherKind kind = iota
	exitKind
	memoryKind
	fileKind
	unclassedKind
)

// kinds are calls that nearly every program makes, by what the classes of strace -e trace=
// choose together: ends of processes, memory, descriptors, and calls that are in no class.
// A log that lacks one of them is of a part of the calls.
var kinds = map[string]kind{
	"exit_group": exitKind, "exit": exitKind,
	"brk": memoryKind, "mmap": memoryKind, "mmap2": memoryKind, "mprotect": memoryKind, "munmap": memoryKind,
	"read": fileKind, "write": fileKind, "close": fileKind,
	"arch_prctl": unclassedKind, "set_tid_address": unclassedKind, "set_thread_area": unclassedKind,
	"set_robust_list": unclassedKind, "rseq": unclassedKind, "futex": unclassedKind, "prlimit64": unclassedKind,
	"sched_getaffinity": unclassedKind, "getrandom": unclassedKind, "uname": unclassedKind, "set_tls": unclassedKind,
}

func kindOf(name string) kind { return kinds[name] }

// document makes the document of all that was read.
func (d *reader) document() *trace.Document {
	d.endAll()
	for _, k := range []kind{exitKind, memoryKind, fileKind, unclassedKind} {
		if !d.kinds[k] {
			d.lost[lostKinds]++
		}
	}
	doc := d.rec.Document()
	doc.Tool = "strace"
	doc.Lost = d.lost
	doc.Complete = d.complete()
	doc.Host.Arch = d.native.String()
	doc.Duration = int64(d.now)
	doc.Started = time.Time{}
	if d.epoch {
		doc.Started = time.Unix(0, int64(d.first)).UTC()
	}
	for _, p := range doc.Processes {
		d.number(&p.PID)
		d.number(&p.PPID)
	}
	doc.Target.Argv = d.argv
	doc.Target.UID = trace.UnknownUID
	if len(doc.Processes) > 0 {
		doc.Target.Status, doc.Target.Signal = doc.Processes[0].Status, doc.Processes[0].Signal
	}
	d.markUnknownArgs(doc)
	return doc
}

// number is the pid of the process whose first lines had none.
func (d *reader) number(pid *int32) {
	if *pid == noTID {
		*pid = d.firstTID
	}
}

// endAll ends the processes whose end is not in the log: strace -qqq does not write ends,
// but the call by which a process leaves tells its status.
func (d *reader) endAll() {
	var left []*process
	for _, t := range d.threads {
		if t.open != "" {
			if err := d.begun(t.process, t.open, t.openNr); err != nil {
				d.lost[lostABI]++ // it was no call of this machine
			}
		}
		if !slices.Contains(left, t.process) {
			left = append(left, t.process)
		}
	}
	slices.SortFunc(left, func(a, b *process) int { return int(a.ID.Start) - int(b.ID.Start) })
	for _, p := range left {
		if p.leaving {
			d.finish(p, unix.WaitStatus(p.status<<8))
		} else {
			d.lost[lostEnds]++
			d.settle(p, event.ABIUnknown)
		}
	}
}

// complete says which sections have all that happened, as far as the log can tell.
func (d *reader) complete() trace.Complete {
	whole := func(losses ...string) bool {
		return !slices.ContainsFunc(append(losses, everySection...), func(name string) bool { return d.lost[name] > 0 })
	}
	files := whole(lostPaths, lostPlaces, lostDescriptors, lostInterpreters, lostAddresses)
	sockets := whole(lostAddresses)
	return trace.Complete{
		Syscalls:  whole(lostABI, lostMultiplexed),
		Processes: whole(lostArgv, lostInterpreters),
		Files:     &files, Sockets: &sockets,
	}
}

// markUnknownArgs says of arguments that they had values which the log does not tell.
func (d *reader) markUnknownArgs(doc *trace.Document) {
	for _, s := range doc.Syscalls {
		abi, _ := event.ParseABI(s.ABI)
		for index := range uint8(6) {
			if !d.unknownArgs[argument{abi, s.Nr, index}] {
				continue
			}
			i := slices.IndexFunc(s.Args, func(a trace.Argument) bool { return a.Index == int(index) })
			if i < 0 {
				i = len(s.Args)
				s.Args = append(s.Args, trace.Argument{Index: int(index), Values: []uint64{}})
			}
			s.Args[i].More = true
		}
		slices.SortFunc(s.Args, func(a, b trace.Argument) int { return a.Index - b.Index })
	}
}
