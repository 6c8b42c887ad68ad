package kernel

import "slices"

// ID names a feature in Go code and in JSON. IDs are stable.
type ID string

// Group is the part of the kernel that a feature belongs to.
type Group string

// The groups, in the order of the table.
const (
	GroupKernel     Group = "kernel"
	GroupPrivilege  Group = "privilege"
	GroupBPF        Group = "bpf"
	GroupSeccomp    Group = "seccomp"
	GroupLandlock   Group = "landlock"
	GroupSyscall    Group = "syscall"
	GroupFanotify   Group = "fanotify"
	GroupNamespaces Group = "namespaces"
)

// Job is one of the things that Turnstile does for its user.
type Job string

// The jobs that depend on the kernel.
const (
	Observe Job = "observe"
	Enforce Job = "enforce"
	Watch   Job = "watch"
)

// Jobs lists the jobs that depend on the kernel.
func Jobs() []Job { return []Job{Observe, Enforce, Watch} }

// Feature is one thing that a kernel may have and a process may use. It is
// static: it can be printed without probing anything.
type Feature struct {
	ID    ID
	Name  string
	Group Group
	// Since is the first mainline version that has it, "" where the row is
	// not about a version. Distributions backport: it explains an answer
	// and never gives one.
	Since string
	// Config is the kernel's build option, where there is one to name.
	Config string
	// Needs lists the jobs that use it. A feature that no job needs is a
	// fact worth knowing about the machine.
	Needs []Need
	// Without is a sentence about what is lost without it.
	Without string
}

// Need is the use that a job has for a feature. A job whose required feature
// is missing cannot work; without an optional one it does less, or slower.
type Need struct {
	Job      Job
	Required bool
}

// Requires reports whether job cannot work without f.
func (f Feature) Requires(job Job) bool { return slices.Contains(f.Needs, Need{job, true}) }

// Uses reports whether job has any use for f.
func (f Feature) Uses(job Job) bool {
	return f.Requires(job) || slices.Contains(f.Needs, Need{job, false})
}

func required(jobs ...Job) []Need { return needs(true, jobs) }
func optional(jobs ...Job) []Need { return needs(false, jobs) }

func needs(required bool, jobs []Job) []Need {
	var all []Need
	for _, job := range jobs {
		all = append(all, Need{job, required})
	}
	return all
}

// entry is a row of the table: a feature and how to ask for it.
type entry struct {
	Feature
	probe func(*session) answer
}

// table holds every feature, group by group. The rows of a group stand beside
// their probes.
var table = slices.Concat(
	in(GroupKernel, kernelFeatures),
	in(GroupPrivilege, privilegeFeatures),
	in(GroupBPF, slices.Concat(bpfMapFeatures, bpfProgramFeatures, bpfTracingFeatures, bpfPreemptionFeatures, bpfOtherFeatures)),
	in(GroupSeccomp, seccompFeatures),
	in(GroupLandlock, landlockFeatures),
	in(GroupSyscall, syscallFeatures),
	in(GroupFanotify, fanotifyFeatures),
	in(GroupNamespaces, namespaceFeatures),
)

func in(group Group, rows []entry) []entry {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Group = group
	}
	return rows
}

// Features returns the table: every feature, in order, grouped. It probes
// nothing.
func Features() []Feature {
	all := make([]Feature, len(table))
	for i, row := range table {
		all[i] = row.Feature
		all[i].Needs = slices.Clone(row.Needs)
	}
	return all
}
