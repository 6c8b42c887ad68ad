package kernel

import (
	"slices"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/landlock"
)

// Whatever a probe does to its thread must end with it. Started from many
// goroutines at once, some of which the scheduler puts on the main thread.
func TestProbesRestrictNoOtherThread(t *testing.T) {
	before := threadRestrictions()
	if len(before) != 1 {
		t.Fatalf("the threads differ before the test: %v", before)
	}
	for range 50 {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { Probe(SeccompListener, FanotifyUnprivileged, Statistics) })
		}
		wg.Wait()
		if after := threadRestrictions(); !slices.Equal(after, before) {
			t.Fatalf("threads were %v, are %v", before, after)
		}
	}
}

func TestDyingThreadIsNeverTheMainThread(t *testing.T) {
	for range 300 {
		var tid int
		onDyingThread(func() { tid = unix.Gettid() })
		if tid == unix.Getpid() {
			t.Fatal("ran on the main thread")
		}
		if err := unix.Tgkill(unix.Getpid(), tid, 0); err != unix.ESRCH {
			t.Fatalf("thread %d is still there: %v", tid, err)
		}
	}
}

// Only one listener may sit above a process: within a sandbox that has one the
// answer must blame that, not the kernel.
func TestSecondListenerIsForbidden(t *testing.T) {
	need(t, SeccompListener)
	onDyingThread(func() {
		fd, errno := installListener()
		if errno != 0 {
			t.Errorf("installing the first listener: %v", errno)
			return
		}
		defer unix.Close(int(fd))
		a := tryListenerHere().installed()
		if a.State != Missing || a.Cause != CausePolicy || a.Fix == "" {
			t.Errorf("%+v", a)
		}
	})
}

// Sandboxes answer EPERM to what they do not know. That is not the kernel's
// answer.
func TestFilterAroundUsIsNotTheKernel(t *testing.T) {
	for _, test := range []struct {
		nr   uint32
		id   ID
		prob func() answer
	}{
		{unix.SYS_LANDLOCK_CREATE_RULESET, Landlock, func() answer {
			return (&session{landlock: landlock.Version}).landlockAnswer()
		}},
		{unix.SYS_OPENAT2, Openat2, func() answer { return openat2Answer(nil) }},
		{unix.SYS_SECCOMP, SeccompFilter, func() answer { return filterFlagAnswer(0) }},
		{unix.SYS_IO_URING_SETUP, IOUring, func() answer { return ioUringAnswer(nil) }},
	} {
		onDyingThread(func() {
			if err := refuse(test.nr); err != nil {
				t.Errorf("installing a filter: %v", err)
				return
			}
			if a := test.prob(); a.State != Missing || a.Cause != CausePolicy {
				t.Errorf("%s: %+v", test.id, a)
			}
		})
	}
}

// refuse lets call nr of this thread end with EPERM.
func refuse(nr uint32) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	return nil
}
