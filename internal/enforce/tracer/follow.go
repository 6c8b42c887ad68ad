package tracer

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Visitor is who wants to see the program that a thread executes. All is called on the
// thread of the tracer: whatever takes its time holds up all others.
type Visitor interface {
	// Proceed lets the thread make its call. From here on it is traced.
	Proceed()
	// Executed says whether the new image of a process may run. It has not run one
	// instruction; if it may not, it is killed.
	Executed(pid int) bool
	// Failed is called when the call made no new image. The error is 0 if it is not
	// known, or if the call is to be made again.
	Failed(errno unix.Errno)
	// Gone is called when the thread has ended before its call did.
	Gone()
	// Refused is called instead of all others if the thread cannot be traced.
	Refused(err error)
}

// thread is one that is to be followed, or is. Process is the id of its first thread.
type thread struct {
	id, process int
	visitor     Visitor
}

// maxFollowed bounds how many calls are under way. Each keeps files open.
const maxFollowed = 256

// Follow traces a thread of a process through the execve(2) that it is about to make, and
// is held up in: to the stop at the beginning of the new image, or to where the call has
// failed. It returns at once.
func (t *Tracer) Follow(tid, pid int, v Visitor) {
	t.orders <- func() { t.queue = append(t.queue, thread{tid, pid, v}) }
}

// admit begins to follow those whose turn it is: of each process one thread at a time. A
// call that has begun kills all other threads and waits for each that is traced until we
// have waited for it; meanwhile nobody can begin to trace a thread of that process, and who
// tries is held up (the cred_guard_mutex of fs/exec.c and kernel/ptrace.c). Each would wait
// for the other.
func (t *Tracer) admit() {
	var later []thread
	for _, next := range t.queue {
		if len(t.followed) == maxFollowed || t.busy(next) {
			later = append(later, next)
			continue
		}
		t.seize(next)
	}
	t.queue = later
}

// busy reports whether another thread of its process makes a call.
func (t *Tracer) busy(next thread) bool {
	for _, other := range t.followed {
		if other.process == next.process && other.id != next.id {
			return true
		}
	}
	return false
}

func (t *Tracer) seize(next thread) {
	const options = unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL
	if former, ok := t.followed[next.id]; ok {
		// The call before this one has failed and returned before it could be stopped,
		// so the thread is traced still.
		former.visitor.Failed(0)
	} else if errno := ptrace(unix.PTRACE_SEIZE, next.id, options); errno != 0 {
		if errno == unix.ESRCH {
			next.visitor.Gone()
			return
		}
		next.visitor.Refused(fmt.Errorf("tracing thread %d: %w", next.id, errno))
		return
	}
	t.followed[next.id] = next
	next.visitor.Proceed()
	// If the call makes no new image the thread stops here before it returns. The call
	// itself takes no notice: of waits in it only those that may be killed are left
	// (fs/exec.c), and one that is contended is begun again.
	_ = ptrace(unix.PTRACE_INTERRUPT, next.id, 0)
}

// meet is the stop of a process with a new image (PTRACE_EVENT_EXEC). Whichever thread
// made the call has the id of the process by now, and all others are gone.
func (t *Tracer) meet(pid int) {
	former, err := unix.PtraceGetEventMsg(pid)
	if err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
		return
	}
	caller, followed := t.followed[int(former)]
	delete(t.followed, int(former))
	t.queue = slices.DeleteFunc(t.queue, func(other thread) bool {
		if other.process == pid {
			other.visitor.Gone()
		}
		return other.process == pid
	})
	if !followed || !caller.visitor.Executed(pid) {
		_ = unix.Kill(pid, unix.SIGKILL)
		return
	}
	detach(pid, 0)
}

// part lets a thread go whose call made no new image. What stops it is the interruption,
// a signal that it is to get, or that its process is stopped, and it stays so.
func (t *Tracer) part(stopped thread, status syscall.WaitStatus) {
	delete(t.followed, stopped.id)
	stopped.visitor.Failed(result(stopped.id))
	signal := unix.Signal(0)
	if event(status) != unix.PTRACE_EVENT_STOP {
		signal = status.StopSignal()
	}
	detach(stopped.id, signal)
}

// result is the error with which a stopped thread returns from its call, 0 for none.
func result(tid int) unix.Errno {
	const most = 133 // EHWPOISON; what is beyond is between the kernel and itself
	if value, err := returned(tid); err == nil && value < 0 && value >= -most {
		return unix.Errno(-value)
	}
	return 0
}

// detach lets a stopped thread run on, which gets a signal unless that is 0.
func detach(tid int, signal unix.Signal) {
	if errno := ptrace(unix.PTRACE_DETACH, tid, uintptr(signal)); errno != 0 && !errors.Is(errno, unix.ESRCH) {
		// It must not run on under nobody's eyes, nor stay where it is.
		_ = unix.Kill(tid, unix.SIGKILL)
	}
}

func ptrace(request, tid int, data uintptr) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), 0, data, 0, 0)
	return errno
}
