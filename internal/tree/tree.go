// Package tree keeps hold of all that a process has started: whoever loses its parent
// becomes a child of this process, so nobody gets away, and all of them can be waited for
// or killed.
//
// It does not care what they are. Start reading at [Adopt].
package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/procstat"
)

// Adopt makes this process the parent of descendants that lose theirs
// (PR_SET_CHILD_SUBREAPER, prctl(2)).
func Adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("adopting orphans: %w", err)
	}
	return nil
}

// Kill ends all descendants of this process, and returns when there are none. They are
// stopped first, so that none makes another while it is looked for, and killed by their
// groups too, since a process that forks and exits all the time is faster than a look.
func Kill() {
	for haveChildren() {
		for _, pid := range stopAll() {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		waitSome()
	}
}

// stopAll stops descendants until no new ones are found, and lists them. Groups with
// nobody else in them are killed at once.
func stopAll() []int {
	stopped := make(map[int]bool)
	for {
		found := false
		host := look()
		for _, pid := range host.descendants {
			if !stopped[pid] {
				stopped[pid], found = true, true
				_ = unix.Kill(pid, unix.SIGSTOP)
			}
		}
		for group := range host.groups() {
			_ = unix.Kill(-group, unix.SIGKILL)
		}
		if !found {
			break
		}
	}
	pids := make([]int, 0, len(stopped))
	for pid := range stopped {
		pids = append(pids, pid)
	}
	return pids
}

// haveChildren waits for children that have ended, and says whether some have not.
func haveChildren() bool {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return false // ECHILD
		case pid == 0:
			return true
		}
	}
}

// waitSome waits for one child to end.
func waitSome() {
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}

// Process is one of the descendants.
type Process struct {
	PID  int
	Comm string
}

// Descendants lists the living descendants of this process.
func Descendants() []Process {
	var all []Process
	for _, pid := range look().descendants {
		all = append(all, Process{pid, comm(pid)})
	}
	return all
}

// host is who was alive at one look, more or less.
type host struct {
	stats       map[int]procstat.Stat
	descendants []int
}

func look() host {
	h := host{stats: make(map[int]procstat.Stat)}
	children := make(map[int][]int)
	for _, pid := range allPIDs() {
		file := "/proc/" + strconv.Itoa(pid) + "/stat"
		stat, err := procstat.Read(file)
		if err != nil || stat.Gone() && !hasThreads(file) {
			continue
		}
		h.stats[pid] = stat
		children[stat.PPID] = append(children[stat.PPID], pid)
	}
	for queue := children[os.Getpid()]; len(queue) > 0; queue = queue[1:] {
		pid := queue[0]
		h.descendants = append(h.descendants, pid)
		queue = append(queue, children[pid]...)
	}
	return h
}

// groups are the process groups of descendants in which is nobody else.
func (h host) groups() map[int]bool {
	groups := make(map[int]bool)
	ours := make(map[int]bool)
	for _, pid := range h.descendants {
		ours[pid] = true
		groups[h.stats[pid].Group] = true
	}
	for pid, stat := range h.stats {
		if !ours[pid] {
			delete(groups, stat.Group)
		}
	}
	delete(groups, 0)
	delete(groups, 1)
	return groups
}

// allPIDs are the processes of the host, as far as they are seen from here.
func allPIDs() []int {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// hasThreads says whether a process lives on when its first thread has ended.
func hasThreads(stat string) bool {
	threads, err := filepath.Glob(filepath.Join(filepath.Dir(stat), "task", "[0-9]*"))
	return err == nil && len(threads) > 1
}

func comm(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil || len(b) == 0 {
		return "?"
	}
	return string(b[:len(b)-1])
}
