package launch

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
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
		if pid, err = parent(pid); err != nil {
			return false
		}
	}
	return true
}

// parent is the second field behind the command's name in /proc/PID/stat. The
// name is in parentheses and may contain whatever separates fields
// (proc_pid_stat(5)).
func parent(pid int) (int, error) {
	name := fmt.Sprintf("/proc/%d/stat", pid)
	stat, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	var state string
	var ppid int
	fields := stat[bytes.LastIndexByte(stat, ')')+1:]
	if _, err := fmt.Sscan(string(fields), &state, &ppid); err != nil {
		return 0, fmt.Errorf("reading %q: %w", name, err)
	}
	return ppid, nil
}
