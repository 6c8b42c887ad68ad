package observe

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// decoder makes events of records. One event and its buffers serve for all.
type decoder struct {
	boot      time.Time // when the clock of the records was 0
	abis      []event.ABI
	processes processes

	record record
	event  event.Event
	paths  []byte // backing of the paths of the event
	argv   [][]byte
}

func newDecoder() *decoder {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) // cannot fail
	return &decoder{
		boot:      time.Now().Round(0).Add(-time.Duration(now.Nano())),
		abis:      nativeABIs(),
		processes: make(processes),
	}
}

// decode makes the event of one raw record. It is valid until the next call; nil
// without an error is a record that tells nothing new.
func (d *decoder) decode(raw []byte) (*event.Event, error) {
	if err := d.record.parse(raw); err != nil {
		return nil, err
	}
	r, e := &d.record, &d.event
	p := d.processes.get(identity(r.Process))
	p.setComm(comm(&r.Comm))
	d.blank(p, r.Time, r.Tid)
	switch bpfRecordKind(r.Kind) {
	case bpfRecordKindRECORD_FORK, bpfRecordKindRECORD_ADOPT:
		return d.fork(p), nil
	case bpfRecordKindRECORD_EXEC:
		return d.exec(p), nil
	case bpfRecordKindRECORD_EXIT:
		return d.exit(p, int32(r.Ret)), nil
	case bpfRecordKindRECORD_OPENED:
		d.opened()
		return e, nil
	default:
		d.call()
		return e, nil
	}
}

// forkOf makes the event of a process whose record was lost, from its slot.
func (d *decoder) forkOf(p *process, t *bpfTask) *event.Event {
	p.told = true
	p.Adopted = t.Adopted != 0
	p.setComm(comm(&t.Comm))
	d.processes.begin(p, identity(t.Parent), t.Uid)
	d.blank(p, p.ID.Start, t.Tid)
	return d.lifecycle(event.OpFork)
}

// exitOf is forkOf for the end.
func (d *decoder) exitOf(p *process, t *bpfTask) *event.Event {
	p.ended = true
	p.status = t.Status
	d.blank(p, t.Ended, t.Tid)
	e := d.lifecycle(event.OpExit)
	e.Exit = syscall.WaitStatus(t.Status)
	return e
}

// blank starts a new event.
func (d *decoder) blank(p *process, boot uint64, tid uint32) {
	p.Started = d.boot.Add(time.Duration(p.ID.Start))
	d.event = event.Event{
		Time:    d.boot.Add(time.Duration(boot)),
		Process: &p.Process,
		TID:     int32(tid),
		Call:    event.Call{Nr: -1},
		Access:  event.Access{Targets: d.event.Access.Targets[:0]},
	}
	d.paths = d.paths[:0]
}

// lifecycle makes the event one of the life of a process.
func (d *decoder) lifecycle(op event.Op) *event.Event {
	d.event.Category = event.CategoryProcess
	d.event.Access.Op = op
	return &d.event
}

func (d *decoder) fork(p *process) *event.Event {
	if p.told {
		return nil // another thread of a process that was running
	}
	r := &d.record
	p.told = true
	p.Adopted = bpfRecordKind(r.Kind) == bpfRecordKindRECORD_ADOPT
	d.processes.begin(p, identity(r.Parent), r.Uid)
	if names, ok := r.segment(bpfSegmentKindSEGMENT_EXE); ok && !areNone(names) {
		p.Exe = string(appendNames(nil, names))
	}
	return d.lifecycle(event.OpFork)
}

func (d *decoder) exec(p *process) *event.Event {
	r := &d.record
	p.told = true
	d.processes.begin(p, identity(r.Parent), r.Uid)
	asked, _ := r.segment(bpfSegmentKindSEGMENT_FILENAME)
	t := event.Target{Asked: asked, Class: event.Exec}
	if names, ok := r.segment(bpfSegmentKindSEGMENT_EXE); ok && !areNone(names) {
		p.Exe = string(appendNames(nil, names))
		t.Path, t.How = []byte(p.Exe), event.HowFD
	}
	e := d.lifecycle(event.OpExec)
	e.Outcome.Known = true
	argv, _ := r.segment(bpfSegmentKindSEGMENT_ARGV)
	e.Argv = d.splitArgv(argv)
	e.Access.Targets = append(e.Access.Targets, t)
	if interp, ok := r.segment(bpfSegmentKindSEGMENT_INTERP); ok {
		// The image is that of the interpreter; the script is what was
		// asked for.
		script := event.Target{Asked: asked, Class: event.Exec}
		if base, _ := r.segment(bpfSegmentKindSEGMENT_BASE); !areDetached(base) {
			script.Path, script.How = d.joined(bpfSegmentKindSEGMENT_BASE, asked), event.HowJoined
		}
		e.Access.Targets[0].Asked = interp
		e.Access.Targets = append([]event.Target{script}, e.Access.Targets...)
		for _, path := range scriptsBetween(e.Argv, asked) {
			e.Access.Targets = append(e.Access.Targets, event.Target{Asked: path, Path: path, How: event.HowAsked, Class: event.Exec})
		}
	}
	if names, ok := r.segment(bpfSegmentKindSEGMENT_LOADER); ok && !areNone(names) {
		e.Access.Targets = append(e.Access.Targets, event.Target{Path: d.names(names), How: event.HowFD, Class: event.Exec})
	}
	return e
}

// scriptsBetween are the scripts that interpret another script. The new image got
// its interpreter, then the innermost script, and so on to the one that was asked
// for, each perhaps with an argument (execve(2), "Interpreter scripts"). What is
// between and is an absolute path is taken for a script, for there is nothing else
// to tell one from an argument.
func scriptsBetween(argv [][]byte, asked []byte) [][]byte {
	i := slices.IndexFunc(argv, func(arg []byte) bool { return bytes.Equal(arg, asked) })
	if i < 1 {
		return nil // no script, or one whose arguments were not read
	}
	var scripts [][]byte
	for _, arg := range argv[1:i] {
		if len(arg) > 0 && arg[0] == '/' {
			scripts = append(scripts, arg)
		}
	}
	return scripts
}

func (d *decoder) splitArgv(raw []byte) [][]byte {
	d.argv = d.argv[:0]
	for len(raw) > 0 {
		var arg []byte
		arg, raw, _ = bytes.Cut(raw, []byte{0})
		d.argv = append(d.argv, arg)
	}
	return d.argv
}

// exit makes the event of the end of a process, once.
func (d *decoder) exit(p *process, status int32) *event.Event {
	if p.ended {
		return nil
	}
	p.ended = true
	p.status = status
	e := d.lifecycle(event.OpExit)
	e.Exit = syscall.WaitStatus(status)
	return e
}

// call fills the event of a system call.
func (d *decoder) call() {
	r, e := &d.record, &d.event
	abi := event.ABIUnknown
	if int(r.Abi) < len(d.abis) {
		abi = d.abis[r.Abi]
	}
	e.Call = event.Call{ABI: abi, Nr: r.Nr, Args: r.Args}
	e.Fold = r.Fold
	d.outcome()
	e.Category = syscalls.Category(abi, r.Nr)
	spec := syscalls.Lookup(abi, r.Nr)
	if spec == nil || spec.Op == event.OpNone {
		return
	}
	if r.present == 0 || spec.Op == event.OpExec && e.Outcome.Known && r.Ret == 0 {
		return // nothing was captured, or the exec hook tells more
	}
	syscalls.Decode(e.Call, memory{r, spec}, &e.Access)
	d.resolve()
	d.describeSocket()
	syscalls.Classify(&e.Access)
}

// opened fills the event of a file that io_uring opened.
func (d *decoder) opened() {
	r, e := &d.record, &d.event
	e.Call = event.Call{ABI: d.abis[0], Nr: r.Nr}
	e.Category = event.CategoryFile
	d.outcome()
	e.Access.Op = event.OpOpen
	e.Access.Flags = r.Args[0] &^ largeFile
	e.Access.Targets = append(e.Access.Targets, event.Target{})
	d.resolve()
	syscalls.Classify(&e.Access)
}

// outcome is what the call returned.
func (d *decoder) outcome() {
	r, o := &d.record, &d.event.Outcome
	if !r.has(bpfRecordFlagsRECORD_RETURNED) {
		return
	}
	o.Known = true
	if o.Errno = errnoOf(r.Ret); o.Errno == 0 {
		o.Ret = r.Ret
	}
}

// errnoOf is the error that a call returned, 0 if it did not fail.
func errnoOf(ret int64) event.Errno {
	if ret < 0 && ret >= -4095 { // MAX_ERRNO, include/linux/err.h
		return event.Errno(-ret)
	}
	return 0
}

// resolve adds to the targets where they are and what they are.
func (d *decoder) resolve() {
	r, a := &d.record, &d.event.Access
	for i := range a.Targets {
		t := &a.Targets[i]
		if t.Asked == nil {
			continue
		}
		kind := bpfSegmentKindSEGMENT_BASE + bpfSegmentKind(i)
		switch base, ok := r.segment(kind); {
		case ok && areDetached(base):
			// Below a directory that has no path.
		case len(t.Asked) > 0 && t.Asked[0] == '/':
			t.Path, t.How = d.joined(kind, t.Asked), event.HowAsked
			if ok && len(base) > 0 { // the root of the process is another
				t.How = event.HowJoined
			}
		case ok:
			t.Base = d.names(base)
			t.Path, t.How = d.joined(kind, t.Asked), event.HowJoined
		}
	}
	object, ok := r.object()
	if !ok || len(a.Targets) == 0 || a.Op.Category() != event.CategoryFile {
		return
	}
	t := &a.Targets[0]
	t.Mode = object.Mode
	t.Created = r.has(bpfRecordFlagsRECORD_CREATED)
	names, ok := r.segment(bpfSegmentKindSEGMENT_OBJECT_PATH)
	if a.Op == event.OpOpen && a.Flags&unix.O_TMPFILE == unix.O_TMPFILE {
		// The file has no name yet: it is its directory that counts.
		_, names, _ = bytes.Cut(names, []byte{0})
	}
	if ok && !areNone(names) {
		t.Path, t.How = d.names(names), event.HowFD
	}
}

// names keeps the path of a names segment as long as the event lives.
func (d *decoder) names(names []byte) []byte {
	start := len(d.paths)
	d.paths = appendNames(d.paths, names)
	return d.paths[start:len(d.paths):len(d.paths)]
}

// joined is path below the base of that kind, or below / without one.
func (d *decoder) joined(kind bpfSegmentKind, path []byte) []byte {
	var base []byte
	if names, ok := d.record.segment(kind); ok {
		base = d.names(names)
	}
	start := len(d.paths)
	d.paths = appendJoined(d.paths, base, path)
	return d.paths[start:len(d.paths):len(d.paths)]
}

// describeSocket adds what the socket is. Its own address, or that of its peer,
// stands in where the call has none to pass.
func (d *decoder) describeSocket() {
	info, ok := d.record.socket()
	if !ok {
		return
	}
	a := &d.event.Access
	s := &a.Socket
	s.Type, s.Protocol, s.TypeKnown = info.Type, info.Protocol, true
	if passed, ok := d.record.segment(bpfSegmentKindSEGMENT_SOCKADDR); ok && len(passed) >= 2 {
		return // if only to say AF_UNSPEC
	}
	s.Family = info.Family
	if a.Op != event.OpListen && (a.Op != event.OpAccept || d.event.Outcome.Errno != 0) {
		return
	}
	s.Port = info.Port
	switch info.Family {
	case unix.AF_INET:
		s.Addr = netip.AddrFrom4([4]byte(info.Addr[:4]))
	case unix.AF_INET6:
		s.Addr = netip.AddrFrom16(info.Addr)
	case unix.AF_UNIX:
		if path, ok := d.record.segment(bpfSegmentKindSEGMENT_SOCKET_PATH); ok {
			syscalls.ParseUnixPath(path, s)
		}
		if names, ok := d.record.segment(bpfSegmentKindSEGMENT_OBJECT_PATH); ok && !areNone(names) {
			s.Path = d.names(names)
		}
	}
}

// memory gives what a record has of the memory that a call pointed to.
type memory struct {
	*record
	spec *syscalls.Spec
}

func (m memory) String(i int) ([]byte, bool) {
	k := 0
	for _, operand := range m.spec.Operands {
		if operand.Path == i {
			return m.segment(bpfSegmentKindSEGMENT_STRING + bpfSegmentKind(k))
		}
		if operand.Path >= 0 {
			k++
		}
	}
	return nil, false
}

func (m memory) Sockaddr(int) ([]byte, bool) {
	b, _ := m.segment(bpfSegmentKindSEGMENT_SOCKADDR)
	return b, !m.has(bpfRecordFlagsRECORD_PARTIAL)
}

func (m memory) Word(int) (uint64, bool) {
	b, ok := m.segment(bpfSegmentKindSEGMENT_WORD)
	if !ok || len(b) < 8 {
		return 0, false
	}
	return binary.NativeEndian.Uint64(b), true
}
