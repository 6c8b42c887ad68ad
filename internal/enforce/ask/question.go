package ask

import (
	"context"

	"github.com/turnstile-project/turnstile/internal/event"
)

// Question is one access that waits for an answer. Once asked it is not changed
// any more: others may wait for its answer when the one who asked it has left.
type Question struct {
	// PID of the process that waits. Start, in nanoseconds since boot, tells
	// it from others that had the same pid.
	PID   int32
	Start uint64
	PPID  int32
	Comm  string
	Exe   string
	UID   uint32

	// Op and Classes are what is wanted.
	Op      event.Op
	Classes event.Class
	// Path is the real path of the object.
	Path []byte
	// Asked is the path as passed, if it differs.
	Asked []byte

	// Rule is why it is asked: the name of a rule, or "default".
	Rule string
	// Allow is the flag that would allow it without a question, as it is
	// typed in a shell.
	Allow string
}

// Answer is what becomes of an access.
type Answer struct {
	Allow bool
	// Run says that the answer holds for the rest of the run, for later
	// accesses of that kind too.
	Run bool
	// By is who gave the answer: [ByUser], or why nobody was asked.
	By string
	// Err is a defect of who was to ask.
	Err error
}

// ByUser is By of the answers that a user gave.
const ByUser = "user"

// Asker puts one question to somebody. It is not asked the next before it has
// answered. When ctx ends nobody waits for the answer any more; it then returns
// soon, and takes back what it shows.
type Asker interface {
	Ask(ctx context.Context, q *Question) Answer
}

// nobody denies: there is no one to ask, for the reason that it is.
type nobody string

// Ask implements [Asker].
func (n nobody) Ask(context.Context, *Question) Answer { return Answer{By: string(n)} }
