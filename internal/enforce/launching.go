package enforce

import (
	"bytes"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// launching tells the execve by which a child of this process becomes the command from those
// of the target.
type launching struct {
	mu     sync.Mutex
	thread int // that forks, 0 for none
	last   int // the child that has made its execve
}

// begin says that the calling thread forks from now on.
func (l *launching) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.thread = unix.Gettid()
}

func (l *launching) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.thread = 0
}

// is says whether a thread is such a child, once for each: orphans of the target, which
// this process adopts, are children of its first thread.
func (l *launching) is(tid int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.thread == 0 || l.last == tid {
		return false
	}
	children, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(l.thread) + "/children")
	if err != nil {
		return false
	}
	for child := range bytes.FieldsSeq(children) {
		if string(child) == strconv.Itoa(tid) {
			l.last = tid
			return true
		}
	}
	return false
}

// withoutPauses keeps the garbage collector from stopping all threads, until it is undone.
// The one that forks cannot be stopped until its child has executed the command (vfork(2)),
// and the execve of the child waits for an answer of ours.
func withoutPauses() (undo func()) {
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(math.MaxInt64)
	// A collection that was about to begin does so still. This one comes after it, and who
	// wants another from now on is told that there is no need (gcStart, runtime/mgc.go).
	runtime.GC()
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
