package main

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/tree"
)

// lifeline is a pair of sockets between enforce and its supervisor. Who reads one end
// finds its end when the process with the other is gone.
type lifeline struct{ ours, theirs int }

func newLifeline() (*lifeline, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(ends[1]), unix.F_SETFD, 0) // for the child to inherit
	}
	if err != nil {
		return nil, fmt.Errorf("making a lifeline to the supervisor: %w", err)
	}
	return &lifeline{ends[0], ends[1]}, nil
}

// handOver leaves the other end to the child.
func (l *lifeline) handOver() { _ = unix.Close(l.theirs) }

// saidGoodbye says whether a supervisor that has ended did so in its own time.
func (l *lifeline) saidGoodbye() bool {
	var b [1]byte
	n, err := unix.Read(l.ours, b[:])
	return err == nil && n == 1
}

// goodbye tells enforce that this process ends in its own time.
func goodbye(line int) { _, _ = unix.Write(line, []byte{0}) }

// leaving is held by who ends this process: either because its run is over, or because
// enforce is gone, and then not before everybody is killed.
var leaving sync.Mutex

// dieWith kills everything when the process at the other end has ended.
func dieWith(line int) {
	var b [1]byte
	for {
		n, err := unix.Read(line, b[:])
		if err == unix.EINTR {
			continue
		}
		if n == 0 || err != nil {
			leaving.Lock()
			tree.Kill()
			os.Exit(exitInternal)
		}
	}
}
