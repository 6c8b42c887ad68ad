package ask

import (
	"fmt"
	"os"
	"strings"

	"github.com/turnstile-project/turnstile/internal/procstat"
)

// ancestor is a process as it is shown: the answer to "who started this?".
type ancestor struct {
	pid  int32
	comm string
	exe  string // "" if we may not know
}

// maxLineage bounds the chain of parents.
const maxLineage = 16

// lineage is a process and its parents, the youngest first.
func lineage(pid int32) []ancestor {
	var chain []ancestor
	for len(chain) < maxLineage {
		a, found := find(pid)
		if !found {
			break
		}
		chain = append(chain, a)
		stat, err := procstat.Read(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			break
		}
		pid = int32(stat.PPID)
	}
	return chain
}

// find looks a process up. It may have ended: what is shown of it is a help, and
// nothing depends on it.
func find(pid int32) (ancestor, bool) {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ancestor{}, false
	}
	exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)) // which needs the right to trace it
	return ancestor{pid: pid, comm: strings.TrimSuffix(string(comm), "\n"), exe: exe}, true
}
