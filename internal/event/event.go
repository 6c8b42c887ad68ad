package event

import (
	"syscall"
	"time"
)

// Event is one thing that happened.
//
// An Event and everything it points to belong to the source, which uses them
// again for the next one: a sink copies what it wants to keep.
type Event struct {
	Time     time.Time
	Process  *Process
	TID      int32
	Category Category

	// Call is the system call behind the event. Events of the process
	// life cycle (fork, a successful exec, exit) have none: Call.Nr is -1.
	Call Call

	// Access is what the call touched; Access.Op is OpNone for a call that
	// touches nothing that Turnstile names.
	Access Access

	// Argv of the new image, for OpExec.
	Argv [][]byte

	// Exit is the status that the parent gets from wait(2), for OpExit.
	Exit syscall.WaitStatus

	Outcome Outcome
	Verdict Verdict

	// Fold, if not 0, names this access in a later tally of
	// [TallyRepeats]: the same process did the same thing again, with the
	// same result, and the kernel only counted it.
	Fold uint64
}

// Category says which part of the system an event concerns.
type Category uint8

// The categories.
const (
	CategoryOther Category = iota
	CategoryFile
	CategoryNetwork
	CategoryProcess
	CategoryMemory
)

var categoryNames = [...]string{"other", "file", "network", "process", "memory"}

func (c Category) String() string { return name(categoryNames[:], int(c)) }

// ProcessID identifies a process. A pid alone is never an identity: the kernel
// uses it again.
type ProcessID struct {
	// PID in the pid namespace that Turnstile runs in.
	PID int32
	// Start of the process in nanoseconds since boot (CLOCK_BOOTTIME).
	Start uint64
}

// Process is what is known of a process at the time of an event.
type Process struct {
	ID     ProcessID
	Parent ProcessID
	// Comm is the thread name that the event came from, at most 15 bytes.
	Comm string
	// Exe is the path of the running image, "" while unknown.
	Exe string
	UID uint32
	// Started is when the process was forked.
	Started time.Time
	// Adopted is set on processes that were running before Turnstile
	// looked.
	Adopted bool
}

// Call is one system call as the kernel saw it.
type Call struct {
	ABI ABI
	// Nr is the number in the table of ABI, without the x32 bit.
	Nr   int32
	Args [6]uint64
}

// Outcome is the result of a call.
type Outcome struct {
	// Known is false for calls whose end was not seen.
	Known bool
	// Ret is the value returned; meaningless when Errno is not 0.
	Ret   int64
	Errno Errno
}

// Sink takes what a source yields. A source calls its sink from one goroutine.
type Sink interface {
	Event(*Event)
	Tally(*Tally)
	// Flush says that there is nothing more for now: what a sink has held
	// back for speed should go out.
	Flush()
}

// Tee is a Sink that passes everything to each of its sinks in order.
type Tee []Sink

// Event implements [Sink].
func (t Tee) Event(e *Event) {
	for _, s := range t {
		s.Event(e)
	}
}

// Tally implements [Sink].
func (t Tee) Tally(y *Tally) {
	for _, s := range t {
		s.Tally(y)
	}
}

// Flush implements [Sink].
func (t Tee) Flush() {
	for _, s := range t {
		s.Flush()
	}
}

func name(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return "invalid"
	}
	return names[i]
}
