package strace

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

// maxLine is the longest line that is read, in bytes.
const maxLine = 16 << 20

// maxThreads bounds the threads that live at one time.
const maxThreads = 100_000

// maxHeld bounds the lines, in bytes, that wait for their thread to be explained.
const maxHeld = 64 << 20

// Looks says whether text, which begins a file, may begin a log.
func Looks(text []byte) bool {
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, "\n"), []byte{'\n'})
	l := parseLine(string(first))
	_, isCall := callName(l.text)
	return isCall || isNote(l.text) || strings.HasPrefix(l.text, "<... ")
}

// isNote says whether text is what strace tells beside calls.
func isNote(text string) bool {
	for _, begin := range []string{"+++ ", "--- ", "strace: ", "[ Process PID="} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}

// Read reads a log of a machine whose programs are of an ABI, x86-64 or arm64. A log does
// not say which it is of; a name that the ABI has not is an error, which says in which line.
func Read(r io.Reader, machine event.ABI) (*trace.Document, error) {
	d := &reader{
		rec:     trace.NewRecorder(trace.Options{Files: true, Sockets: true, Results: true, Started: time.Unix(0, 0)}),
		threads: make(map[int32]*thread), attached: make(map[int32]bool), held: make(map[int32][]heldLine),
		lost: make(map[string]uint64), unknownArgs: make(map[argument]bool), kinds: make(map[kind]bool),
	}
	d.native, d.compat = machine, compatOf[machine]
	if err := d.read(r); err != nil {
		return nil, fmt.Errorf("reading the log of strace, line %d: %w", d.lineNumber, err)
	}
	return d.document(), nil
}

// compatOf is the ABI of the 32-bit programs of a machine.
var compatOf = map[event.ABI]event.ABI{event.X8664: event.I386, event.ARM64: event.ARM}

type reader struct {
	rec            *trace.Recorder
	native, compat event.ABI

	lineNumber int
	now        time.Duration // since the log began
	first      time.Duration
	timed      bool
	epoch      bool

	threads map[int32]*thread
	started int      // how many processes there were so far
	target  *process // the first one
	argv    []string // of its first exec
	// single is set if lines do not say of which thread they are.
	single bool
	// last is the thread of the last line. After a call that it interrupted in its line,
	// strace may go on without saying of which thread.
	last   *thread
	tabled bool
	// firstTID is the number that the first thread turned out to have.
	firstTID int32
	// attached are threads that strace said it follows, and that nobody made yet.
	attached map[int32]bool
	// forking is how many calls that make a thread have not returned.
	forking int
	held    map[int32][]heldLine
	heldN   int

	lost        map[string]uint64
	unknownArgs map[argument]bool
	kinds       map[kind]bool
	access      event.Access
}

// heldLine is a line of a thread that nobody is known to have made yet: the line that says
// so comes later, because the parent had not returned.
type heldLine struct {
	line
	number int
}

func (d *reader) read(r io.Reader) error {
	b := bufio.NewReaderSize(r, 1<<16)
	for {
		text, err := readLine(b)
		whole := err == nil
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(text) > 0 || whole {
			d.lineNumber++
			if err := d.line(text, whole); err != nil {
				return err
			}
		}
		if !whole {
			break
		}
	}
	for _, tid := range slices.Sorted(maps.Keys(d.held)) {
		if err := d.adopt(tid, nil, false); err != nil {
			return err
		}
	}
	if d.started == 0 {
		return errors.New("there is no call in it")
	}
	return nil
}

// readLine reads a line without its end. An error of io.EOF comes with what has no end.
func readLine(b *bufio.Reader) (string, error) {
	var long []byte
	for {
		part, err := b.ReadSlice('\n')
		if err == nil && long == nil {
			return string(part[:len(part)-1]), nil
		}
		if len(long)+len(part) > maxLine {
			return "", fmt.Errorf("it is longer than %d bytes", maxLine)
		}
		long = append(long, part...)
		switch {
		case err == nil:
			return string(long[:len(long)-1]), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return string(long), err
		}
	}
}

// line reads a line; whole says that it had an end.
func (d *reader) line(s string, whole bool) error {
	if s == "" || strings.HasPrefix(s, " > ") || strings.HasPrefix(s, " | ") {
		return nil // where the call came from (-k), and what was read or written
	}
	// On stderr strace says that it follows a thread in the middle of a line.
	if i := strings.Index(s, "strace: Process "); i > 0 && strings.HasSuffix(s, " attached") && !strings.HasSuffix(s[:i], "] ") {
		d.note(s[i:]) //nolint:errcheck // of such a note there is none
		s = s[:i] + "<unfinished ...>"
	}
	if d.tabled = d.tabled || d.started > 0 && strings.HasPrefix(s, "% time"); d.tabled {
		return nil // the counts after the log (-C)
	}
	if strings.TrimSpace(s) == "<unfinished ...>" {
		return nil // of a call that was interrupted in its line
	}
	l := parseLine(s)
	d.clock(&l)
	if t := d.last; !l.hasTID && t != nil && t.open != "" && strings.HasPrefix(l.text, ")") {
		l.tid, l.hasTID, l.text = t.tid, true, "<... resumed>"+l.text
	}
	return d.of(&l, whole)
}

// clock keeps the time.
func (d *reader) clock(l *line) {
	switch {
	case !l.hasAt:
		d.now += l.since
	case !d.timed:
		d.timed, d.first, d.epoch = true, l.at, l.epoch
	default:
		now := l.at - d.first
		if !l.epoch && now < d.now-12*time.Hour {
			now += 24 * time.Hour // past midnight
		}
		d.now = max(d.now, now)
	}
}

// noTID is the thread of a log whose lines do not say of which thread they are.
const noTID = -1

// untagged reads a line that does not say of which thread it is: that of the only one.
func (d *reader) untagged(l *line, whole bool) error {
	only := d.onlyThread()
	if only == nil && d.started > 0 {
		return fmt.Errorf("it does not say of which thread it is: %q", cut(l.text))
	}
	l.tid, l.hasTID = noTID, true
	if only != nil {
		l.tid = only.tid
	} else {
		d.single = true
	}
	return d.of(l, whole)
}

// onlyThread is the thread that lines without a number are of, nil if there is none.
// Threads that never said anything are not followed: strace was run without -f.
func (d *reader) onlyThread() *thread {
	var only *thread
	for _, t := range d.threads {
		if !t.spoke {
			continue
		}
		if only != nil {
			return nil
		}
		only = t
	}
	for tid, t := range d.threads {
		if t != only && only != nil {
			delete(d.threads, tid)
			d.lost[lostNotFollowed]++
		}
	}
	return only
}

// of reads a line of a thread that is known, or makes it wait until it is.
func (d *reader) of(l *line, whole bool) error {
	if strings.HasPrefix(l.text, "strace: ") || strings.HasPrefix(l.text, "[ Process PID=") {
		return d.note(l.text)
	}
	if !l.hasTID { // a signal or the end of the only thread
		return d.untagged(l, whole)
	}
	t := d.threads[l.tid]
	if first := d.threads[noTID]; t == nil && first != nil && !d.attached[l.tid] {
		// The first thread has a number from now on: there is another one.
		delete(d.threads, noTID)
		first.tid, d.threads[l.tid], d.firstTID = l.tid, first, l.tid
		t = first
	}
	if t == nil {
		if d.started > 0 && d.forking > 0 && d.heldN < maxHeld {
			d.held[l.tid] = append(d.held[l.tid], heldLine{*l, d.lineNumber})
			d.heldN += len(l.text)
			return nil
		}
		if err := d.adopt(l.tid, nil, false); err != nil {
			return err
		}
		t = d.threads[l.tid]
	}
	return d.text(t, l, whole)
}

// open notes the call that a thread is in, "" for none.
func (d *reader) open(t *thread, text string, nr int32) {
	if makesThread(t.open) {
		d.forking--
	}
	if makesThread(text) {
		d.forking++
	}
	t.open, t.openNr = text, nr
}

// makesThread says whether a call is one that makes a thread or a process.
func makesThread(text string) bool {
	name, _ := callName(text)
	switch name {
	case "clone", "clone3", "fork", "vfork":
		return true
	}
	return false
}

// adopt begins a thread that a parent made, nil if that is not known, and reads the lines
// that waited for it.
func (d *reader) adopt(tid int32, parent *thread, sameProcess bool) error {
	if len(d.threads) >= maxThreads {
		return fmt.Errorf("more than %d threads live at one time", maxThreads)
	}
	t := &thread{tid: tid, openNr: -1}
	d.threads[tid] = t
	if parent != nil && sameProcess {
		t.process = parent.process
	} else {
		t.process = d.begin(tid, parent)
	}
	t.process.threads++
	delete(d.attached, tid)
	waited := d.held[tid]
	delete(d.held, tid)
	number := d.lineNumber
	defer func() { d.lineNumber = number }()
	for _, l := range waited {
		d.heldN -= len(l.text)
		d.lineNumber = l.number
		if t.ended {
			// It ended while its lines waited, and its number was used again.
			return d.of(&l.line, true)
		}
		if err := d.text(t, &l.line, true); err != nil {
			return err
		}
	}
	return nil
}

// begin makes a process.
func (d *reader) begin(pid int32, parent *thread) *process {
	d.started++
	p := &process{fds: &descriptors{}}
	p.ID = event.ProcessID{PID: pid, Start: uint64(d.started)}
	p.UID = trace.UnknownUID
	p.Started = time.Unix(0, int64(d.now))
	if parent != nil {
		from := parent.process
		p.Parent, p.Comm, p.Exe = from.ID, from.Comm, from.Exe
		p.abi, p.dir, p.chrooted = from.abi, from.dir, from.chrooted
		p.fds = from.fds.fork()
	} else if d.started > 1 {
		d.lost[lostParents]++
	}
	if d.target == nil {
		d.target = p
	}
	d.emit(&event.Event{Process: &p.Process, Category: event.CategoryProcess, Call: event.Call{Nr: -1}, Access: event.Access{Op: event.OpFork}})
	return p
}

func (d *reader) emit(e *event.Event) {
	e.Time = time.Unix(0, int64(d.now))
	d.rec.Event(e)
}

// text reads what a line says of a thread.
func (d *reader) text(t *thread, l *line, whole bool) error {
	s := l.text
	t.spoke, d.last = true, t
	switch {
	case strings.HasPrefix(s, "--- "):
		return nil // a signal, or a stop
	case strings.HasPrefix(s, "+++ "):
		return d.end(t, s)
	case strings.HasPrefix(s, "<... "):
		_, rest, ok := strings.Cut(s, "resumed>")
		if !ok || t.open == "" {
			d.lost[lostBegins]++ // the log begins in the middle
			return nil
		}
		s, l.nr = t.open+rest, max(l.nr, t.openNr)
		d.open(t, "", -1)
	}
	if begun, ok := strings.CutSuffix(s, "<unfinished ...>"); ok {
		if _, ok := callName(begun); !ok && !strings.HasPrefix(begun, unread) {
			return d.strange(s)
		}
		d.open(t, begun, l.nr)
		return nil
	}
	c, ok := parseCall(s)
	if !ok {
		return d.broken(t, s, l.nr, whole)
	}
	c.nr = l.nr
	return d.call(t, &c)
}

// unread is how strace begins the name of a call that it could not read: it came when the
// call had begun, or the thread was killed while it was stopped for strace.
const unread = "???"

// broken reads a call that has no end.
func (d *reader) broken(t *thread, s string, nr int32, whole bool) error {
	_, ok := callName(s)
	switch {
	case ok && strings.HasSuffix(s, ">") && strings.Contains(s, "<detached"):
		d.lost[lostEnds]++ // strace left while the call went on
	case ok && strings.HasSuffix(s, ">") && strings.Contains(s, "<ptrace("):
		// The thread was killed in it.
	case !whole:
		d.lost[lostEnds]++ // the log was cut here
		if !ok {
			return nil
		}
	case strings.HasPrefix(s, unread) && !strings.HasSuffix(s, "= ?"):
		d.lost[lostBegins]++ // strace came when the call had begun
		return nil
	case strings.HasPrefix(s, unread):
		// The thread was killed.
	default:
		return d.strange(s)
	}
	return d.begun(t.process, s, nr)
}

// begun counts a call that began and never returned, since its thread was killed.
func (d *reader) begun(p *process, text string, nr int32) error {
	name, ok := callName(text)
	if !ok {
		d.lost[lostReturns]++ // unread, and not made
		return nil
	}
	c := &call{name: name, nr: nr}
	d.noteUnreturned(c)
	return d.count(p, c)
}

// noteUnreturned counts calls that never returned but for those that never do. The kernel
// stops a thread for strace before it looks at the call: it may have killed it there.
func (d *reader) noteUnreturned(c *call) {
	if !c.returned && c.name != "exit" && c.name != "exit_group" {
		d.lost[lostReturns]++
	}
}

func (d *reader) strange(s string) error {
	if strings.HasPrefix(s, "% time") {
		return errors.New("a table of counts (strace -c) has no calls; write a log without -c")
	}
	return fmt.Errorf("strace writes no such line, so something else wrote it; have strace write a log of its own (-o): %q", cut(s))
}

// note reads what strace tells of itself.
func (d *reader) note(s string) error {
	pid, mode, ok := strings.Cut(strings.TrimPrefix(s, "[ Process PID="), " runs in ")
	if !ok {
		d.follow(s)
		return nil
	}
	abi, known := map[string]event.ABI{"64 bit mode. ]": d.native, "32 bit mode. ]": d.compat, "x32 mode. ]": event.X32}[mode]
	n, err := strconv.ParseInt(pid, 10, 32)
	if !known || err != nil {
		return d.strange(s)
	}
	if t := d.threads[int32(n)]; t != nil {
		d.settle(t.process, abi)
	}
	return nil
}

// maxAttached bounds the threads that strace said it follows.
const maxAttached = 100_000

// follow reads that strace follows a thread.
func (d *reader) follow(s string) {
	number, ok := strings.CutSuffix(strings.TrimPrefix(s, "strace: Process "), " attached")
	if tid, err := strconv.ParseInt(number, 10, 32); ok && err == nil && d.threads[int32(tid)] == nil && len(d.attached) < maxAttached {
		d.attached[int32(tid)] = true
	}
}

// end reads the end of a thread.
func (d *reader) end(t *thread, s string) error {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "+++ "), " +++")
	var status unix.WaitStatus
	if old, ok := strings.CutPrefix(s, "superseded by execve in pid "); ok {
		return d.superseded(t, old)
	} else if code, ok := strings.CutPrefix(s, "exited with "); ok {
		n, err := strconv.ParseUint(code, 10, 8)
		if err != nil {
			return d.strange(s)
		}
		status = unix.WaitStatus(n << 8)
	} else if name, ok := strings.CutPrefix(s, "killed by "); ok {
		name, core, _ := strings.Cut(name, " ")
		status = unix.WaitStatus(signalNamed(name))
		if status == 0 {
			return d.strange(s)
		}
		if core != "" {
			status |= 0x80
		}
	} else {
		return d.strange(s)
	}
	if t.open != "" {
		if err := d.begun(t.process, t.open, t.openNr); err != nil {
			return err
		}
		d.open(t, "", -1)
	}
	t.ended = true
	delete(d.threads, t.tid)
	if t.process.threads--; t.process.threads == 0 {
		d.finish(t.process, status)
	}
	return nil
}

// superseded moves a thread that executed a program to the number of the first thread.
func (d *reader) superseded(t *thread, by string) error {
	n, err := strconv.ParseInt(by, 10, 32)
	if err != nil {
		return d.strange(by)
	}
	if from := d.threads[int32(n)]; from != nil && from != t && from.process == t.process {
		d.open(t, from.open, from.openNr)
		d.open(from, "", -1)
		delete(d.threads, from.tid)
		t.process.threads--
	}
	return nil
}

// finish ends a process.
func (d *reader) finish(p *process, status unix.WaitStatus) {
	if p.ended {
		return
	}
	p.ended = true
	d.settle(p, event.ABIUnknown)
	e := &event.Event{Process: &p.Process, Category: event.CategoryProcess, Call: event.Call{Nr: -1}, Access: event.Access{Op: event.OpExit}}
	e.Exit = syscall.WaitStatus(status)
	d.emit(e)
	d.rec.Tally(&event.Tally{Kind: event.TallySettled, Process: &p.Process})
}

// cut is as much of a line as a message shows.
func cut(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
