package kernel

import (
	"fmt"
	"slices"
	"sync"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/landlock"
)

// Probe asks for the features of ids, or for all without any, and returns the
// answers in the order of the table. All of them together take about 25 ms,
// most of it to decode the kernel's BTF; one that needs no BTF takes less
// than a tenth of a millisecond, with a thread or a child of its own 1 or 2.
//
// Call it before starting or tracing anything: some probes end the thread that
// they ran on. Within a sandbox that kills for calls that it does not know,
// rather than refuse them, probing is fatal.
func Probe(ids ...ID) Results {
	s := newSession()
	defer s.close()
	var results Results
	for _, row := range table {
		if len(ids) == 0 || slices.Contains(ids, row.ID) {
			results = append(results, s.ask(row))
		}
	}
	return results
}

// session is what the probes of one call of Probe share. Facts that cost
// something are read when first asked for.
type session struct {
	version       Version
	capabilities  Capabilities
	initialUserNS bool
	memlock       unix.Rlimit

	vmlinux  func() (*btf.Spec, error)
	modules  func() ([]string, error)
	listener func() listenerFacts
	landlock func() (abi int, err error)

	close func()
}

func newSession() *session {
	s := &session{
		initialUserNS: inInitialUserNamespace(),
		vmlinux:       sync.OnceValues(loadVmlinux),
		modules:       sync.OnceValues(securityModules),
		listener:      sync.OnceValue(tryListener),
		landlock:      sync.OnceValues(landlock.Version),
	}
	// Both calls fail only where a filter forbids them. An unknown version
	// is older than any other, no capabilities are held: the answers then
	// claim too little, never too much.
	s.version, _ = Running()
	s.capabilities, _ = CurrentCapabilities()
	s.memlock, s.close = raiseMemlock(s.version)
	return s
}

func (s *session) ask(row entry) Result {
	a := row.probe(s)
	switch {
	case a.Cause == CauseKernel && a.Fix == "":
		a.Fix = s.newerKernel(row.Feature)
	case a.Cause == CausePrivilege && s.olderThan(row.Since):
		// A hint that the privilege may be granted in vain. Not more than
		// that: distributions backport.
		a.Reason += fmt.Sprintf("; mainline has it since %s, this kernel is %v", row.Since, s.version)
	}
	return Result{
		Feature: row.Feature,
		State:   a.State, Cause: a.Cause, Reason: a.Reason, Detail: a.Detail, Fix: a.Fix,
	}
}

// closeProbe closes a descriptor that was opened to see whether that works.
func closeProbe(fd int) { _ = unix.Close(fd) }

// newerKernel is the remedy for a feature that the kernel lacks.
func (s *session) newerKernel(f Feature) string {
	switch {
	case s.olderThan(f.Since):
		return fmt.Sprintf("boot Linux %s or newer", f.Since)
	case f.Config != "":
		return fmt.Sprintf("boot a kernel that is built with %s", f.Config)
	default:
		return ""
	}
}

// olderThan reports whether the running kernel is older than since, a version
// of the table.
func (s *session) olderThan(since string) bool {
	v, err := ParseVersion(since)
	return err == nil && !s.version.AtLeast(v.Major, v.Minor)
}
