package launch

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/procstat"
)

// orphaned reports whether no shell looks after our process group. POSIX calls
// such a group orphaned, and the kernel does not let the terminal stop it
// (kernel/exit.c, will_become_orphaned_pgrp). A group is not if some member's
// parent is in another group of the same session. Only our own ancestors are
// looked at, among which the shell is, if there is one.
func orphaned() bool {
	group := unix.Getpgrp()
	session, err := unix.Getsid(0)
	if err != nil {
		return false
	}
	for pid := unix.Getppid(); pid != 0; {
		if s, err := unix.Getsid(pid); err != nil || s != session {
			return true
		}
		if g, err := unix.Getpgid(pid); err != nil || g != group {
			return err != nil
		}
		// A parent whom we may not look at (proc(5), hidepid) is taken for
		// one with a shell behind it.
		stat, err := procstat.Read(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return false
		}
		pid = stat.PPID
	}
	return true
}
