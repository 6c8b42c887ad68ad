package kernel

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

// State is the answer to "can this process use it, now?".
type State uint8

// The states. The zero value is the one that claims nothing.
const (
	Unknown State = iota
	Present
	Missing
)

var stateNames = [...]string{"unknown", "present", "missing"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Cause says what stands in the way of a missing feature, and so where the
// remedy is.
type Cause uint8

// The causes.
const (
	// CauseNone: nothing stands in the way, or it is not known what does.
	CauseNone Cause = iota
	// CauseKernel: the running kernel has no such feature.
	CauseKernel
	// CausePrivilege: this process may not use it; another could.
	CausePrivilege
	// CausePolicy: a sysctl, a boot parameter, a security module or a
	// seccomp filter around this process forbids it.
	CausePolicy
)

var causeNames = [...]string{"", "kernel", "privilege", "policy"}

func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return fmt.Sprintf("cause %d", uint8(c))
}

// Result is the answer to one feature.
type Result struct {
	Feature
	State State
	// Cause is set if State is Missing.
	Cause Cause
	// Reason says why State is not Present, with the errno.
	Reason string
	// Detail is what else was learnt: a version, a mode, a path.
	Detail string
	// Fix is what to type or to change, "" when nothing can be done.
	Fix string
}

// Present reports whether the feature can be used.
func (r Result) Present() bool { return r.State == Present }

// Results are the answers of one [Probe], in the order of the table.
type Results []Result

// Get returns the answer to id, an Unknown one if it was not asked.
func (rs Results) Get(id ID) Result {
	i := slices.IndexFunc(rs, func(r Result) bool { return r.ID == id })
	if i < 0 {
		return Result{Feature: Feature{ID: id}, Reason: "not probed"}
	}
	return rs[i]
}

// Has reports whether id was asked and is present.
func (rs Results) Has(id ID) bool { return rs.Get(id).Present() }

// answer is what a probe returns: a Result without its feature.
type answer struct {
	State  State
	Cause  Cause
	Reason string
	Detail string
	Fix    string
}

func present(detail string) answer { return answer{State: Present, Detail: detail} }

// lacking is the answer for a kernel without the feature. Probe adds the fix.
func lacking(reason string) answer { return answer{State: Missing, Cause: CauseKernel, Reason: reason} }

func forbidden(reason, fix string) answer {
	return answer{State: Missing, Cause: CausePolicy, Reason: reason, Fix: fix}
}

func unprivileged(reason, fix string) answer {
	return answer{State: Missing, Cause: CausePrivilege, Reason: reason, Fix: fix}
}

func unknown(reason, fix string) answer { return answer{State: Unknown, Reason: reason, Fix: fix} }

// is reports whether err is one of errnos.
func is(err error, errnos ...unix.Errno) bool {
	errno, ok := errors.AsType[unix.Errno](err)
	return ok && slices.Contains(errnos, errno)
}

// named returns the symbol of an errno, like "EINVAL", and the text of any
// other error.
func named(err error) string {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return event.Errno(errno).String() // ENOTSUPP too, which escapes from bpf(2)
	}
	return err.Error()
}
