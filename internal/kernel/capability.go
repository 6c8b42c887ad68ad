package kernel

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Capability is a capability of capabilities(7), like [unix.CAP_BPF].
type Capability uint

// The capabilities that some part of Turnstile asks about.
const (
	CapSysPtrace   Capability = unix.CAP_SYS_PTRACE
	CapSysAdmin    Capability = unix.CAP_SYS_ADMIN
	CapSysResource Capability = unix.CAP_SYS_RESOURCE
	CapPerfmon     Capability = unix.CAP_PERFMON
	CapBPF         Capability = unix.CAP_BPF
)

var capabilityNames = map[Capability]string{
	CapSysPtrace:   "CAP_SYS_PTRACE",
	CapSysAdmin:    "CAP_SYS_ADMIN",
	CapSysResource: "CAP_SYS_RESOURCE",
	CapPerfmon:     "CAP_PERFMON",
	CapBPF:         "CAP_BPF",
}

func (c Capability) String() string {
	if name, ok := capabilityNames[c]; ok {
		return name
	}
	return fmt.Sprintf("capability %d", uint(c))
}

// CapabilitySet is a set of capabilities, bit by bit as in /proc/PID/status.
type CapabilitySet uint64

// Has reports whether c itself is in the set.
func (s CapabilitySet) Has(c Capability) bool { return s>>c&1 != 0 }

// Allows reports whether the kernel takes s for c: CAP_SYS_ADMIN stands in for
// CAP_BPF and CAP_PERFMON, which were split from it (bpf_capable() and
// perfmon_capable() in include/linux/capability.h, Linux 5.8).
func (s CapabilitySet) Allows(c Capability) bool {
	return s.Has(c) || (c == CapBPF || c == CapPerfmon) && s.Has(CapSysAdmin)
}

// Capabilities are the capability sets of a thread.
//
// The kernel asks for the BPF capabilities in the initial user namespace: in
// any other one the sets may be full and still allow nothing. [Probe] knows.
type Capabilities struct {
	Effective, Permitted, Inheritable CapabilitySet
}

// CurrentCapabilities returns the sets of the calling thread (capget(2)). Go
// gives all threads of a process the same ones.
func CurrentCapabilities() (Capabilities, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return Capabilities{}, fmt.Errorf("reading capabilities: %w", err)
	}
	set := func(low, high uint32) CapabilitySet { return CapabilitySet(high)<<32 | CapabilitySet(low) }
	return Capabilities{
		Effective:   set(data[0].Effective, data[1].Effective),
		Permitted:   set(data[0].Permitted, data[1].Permitted),
		Inheritable: set(data[0].Inheritable, data[1].Inheritable),
	}, nil
}

// setEffective changes the effective set of the calling thread only, which must
// be locked to its goroutine.
func (c Capabilities) setEffective(effective CapabilitySet) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{
		{Effective: uint32(effective), Permitted: uint32(c.Permitted), Inheritable: uint32(c.Inheritable)},
		{Effective: uint32(effective >> 32), Permitted: uint32(c.Permitted >> 32), Inheritable: uint32(c.Inheritable >> 32)},
	}
	return unix.Capset(&header, &data[0])
}

// without returns s less c.
func (s CapabilitySet) without(c Capability) CapabilitySet { return s &^ (1 << c) }

// join writes capabilities as a sentence does: "CAP_BPF and CAP_PERFMON".
func join(caps []Capability) string {
	names := make([]string, len(caps))
	for i, c := range caps {
		names[i] = c.String()
	}
	return enumerate(names)
}

func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
