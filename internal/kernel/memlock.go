package kernel

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// memlockEnough is more than observe's maps take at their default sizes.
const memlockEnough = 512 << 20

// memlockMatters reports whether BPF maps and programs count against
// RLIMIT_MEMLOCK. Since 5.11 the memory cgroup pays for them (80ee81e0403c,
// "bpf: Eliminate rlimit-based memory accounting infra for bpf maps").
func memlockMatters(v Version) bool { return !v.AtLeast(5, 11) }

// memlockAnswer looks at the hard limit, because a process may raise its soft
// limit up to there. CAP_SYS_RESOURCE may raise the hard limit too; it does not
// lift the limit by itself.
func (s *session) memlockAnswer() answer {
	switch {
	case !memlockMatters(s.version):
		return present("counted by the memory cgroup")
	case s.memlock.Max == unix.RLIM_INFINITY:
		return present("unlimited")
	case s.capabilities.Effective.Has(CapSysResource) && s.initialUserNS:
		return present("CAP_SYS_RESOURCE may raise the limit")
	case s.memlock.Max >= memlockEnough:
		return present(fmt.Sprintf("up to %d MiB", s.memlock.Max>>20))
	default:
		return unprivileged(fmt.Sprintf("RLIMIT_MEMLOCK is %d KiB, and before Linux 5.11 BPF maps count against it", s.memlock.Max>>10),
			s.grant(CapBPF))
	}
}

// RaiseMemlock lets this process create BPF maps where they count against
// RLIMIT_MEMLOCK, as far as it may raise the limit, and returns a function that
// puts the limit back. That is to be called before a target is started, which would
// inherit what was raised.
func RaiseMemlock() (restore func()) {
	v, err := Running()
	if err != nil {
		return func() {}
	}
	_, restore = raiseMemlock(v)
	return restore
}

// raiseMemlock also returns the limits as they were. Freed maps are uncounted late,
// so the default of 64 KiB does not last for all probes.
func raiseMemlock(v Version) (before unix.Rlimit, restore func()) {
	nothing := func() {}
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &before) != nil || !memlockMatters(v) {
		return before, nothing
	}
	raised := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if unix.Setrlimit(unix.RLIMIT_MEMLOCK, &raised) != nil {
		// Without CAP_SYS_RESOURCE the hard limit is as far as it goes.
		raised = unix.Rlimit{Cur: before.Max, Max: before.Max}
		if unix.Setrlimit(unix.RLIMIT_MEMLOCK, &raised) != nil {
			return before, nothing
		}
	}
	return before, func() { _ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &before) }
}
