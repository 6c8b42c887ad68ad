// Package tracer is the one thread of this process that waits: for the children of this
// process, and for programs that are executed, to have them looked at before they run.
//
// It is one thread because a wait4(2) of any other would take away the stops that it waits
// for, and because a tracee obeys nobody but the thread that traces it (ptrace(2)). It
// knows nothing of policies. Start reading at [Tracer.Follow].
package tracer

import (
	"errors"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Tracer waits for all children and all tracees of this process. Nobody else may.
type Tracer struct {
	changes chan os.Signal // SIGCHLD: there may be something to wait for
	orders  chan func()    // to be done on the thread

	followed map[int]thread // by thread id: from the call to its end
	queue    []thread       // those that wait for their turn

	// states are how children have stopped or ended last, if they were not asked for
	// since. The first child that is asked for is the only one.
	states map[int]syscall.WaitStatus
	child  int
	alone  []chan struct{}
}

// New starts the thread.
func New() *Tracer {
	t := &Tracer{
		changes:  make(chan os.Signal, 1),
		orders:   make(chan func()),
		followed: make(map[int]thread),
		states:   make(map[int]syscall.WaitStatus),
	}
	signal.Notify(t.changes, unix.SIGCHLD)
	go t.run()
	return t
}

func (t *Tracer) run() {
	runtime.LockOSThread() // never unlocked: who is traced dies with the thread
	for {
		select {
		case <-t.changes:
		case order := <-t.orders:
			order()
		}
		t.collect()
		t.admit()
	}
}

// Poll says how a child of this process has stopped or ended since it was last asked. It
// is to be asked for one child only.
func (t *Tracer) Poll(pid int) (status syscall.WaitStatus, changed bool, err error) {
	done := make(chan struct{})
	t.orders <- func() {
		defer close(done)
		t.collect()
		t.child = pid
		status, changed = t.states[pid]
		clear(t.states)
	}
	<-done
	return status, changed, nil
}

// WaitAll returns when this process has no children any more.
func (t *Tracer) WaitAll() {
	alone := make(chan struct{})
	t.orders <- func() { t.alone = append(t.alone, alone) }
	<-alone
}

// collect waits for whatever there is to wait for.
func (t *Tracer) collect() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, unix.WNOHANG|unix.WUNTRACED|unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil: // ECHILD
			for _, alone := range t.alone {
				close(alone)
			}
			t.alone = nil
			return
		case pid == 0:
			return
		default:
			t.changed(pid, status)
		}
	}
}

// changed is what wait4 has said of a child or a tracee.
func (t *Tracer) changed(pid int, status syscall.WaitStatus) {
	thread, followed := t.followed[pid]
	switch {
	case status.Stopped() && event(status) == unix.PTRACE_EVENT_EXEC:
		t.meet(pid)
	case followed && status.Stopped():
		t.part(thread, status)
	default:
		if followed {
			delete(t.followed, pid)
			thread.visitor.Gone()
		}
		if t.child == 0 || t.child == pid {
			t.states[pid] = status
		}
	}
}

// event is the PTRACE_EVENT_* of a stop, 0 for none (ptrace(2), "Stopped states").
func event(status syscall.WaitStatus) int { return int(status >> 16) }
