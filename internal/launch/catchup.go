package launch

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/procstat"
)

// catchUp returns when what was sent to this process before is in the channels
// that want it.
//
// A signal to a process waits for the thread that the kernel has chosen, while
// the other threads run on. But a thread that returns from the kernel to a
// handler takes what no other has taken yet (kernel/signal.c, dequeue_signal),
// so this one sends itself SIGURG, with which Go preempts its threads all the
// time. What others have taken they are working on, so they must all be seen
// to sleep. And signal.Stop waits until what handlers have noted has been
// delivered.
func catchUp() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGURG)
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGURG)
	// Threads may have other things to do; they are not waited for so long
	// that anybody would notice.
	for range 100 {
		if othersSleep() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	signal.Stop(c)
}

// othersSleep reports whether every thread but the calling one was seen to
// sleep in the kernel (proc_pid_stat(5), field 3).
func othersSleep() bool {
	threads, err := filepath.Glob("/proc/self/task/[0-9]*")
	if err != nil {
		return true
	}
	self := fmt.Sprint("/proc/self/task/", unix.Gettid())
	for _, thread := range threads {
		if thread == self {
			continue
		}
		stat, err := procstat.Read(thread + "/stat")
		if err != nil {
			continue // it has ended
		}
		if stat.State != 'S' {
			return false
		}
	}
	return true
}
