package kernel

import (
	"fmt"
	"slices"
)

// Verdict says whether a job can work.
type Verdict struct {
	Job Job
	// State is Present if the job works, Missing if it cannot, Unknown if
	// nothing is known to stand in its way but some answer is inconclusive.
	State State
	// Blockers are the required features that are not present.
	Blockers Results
	// Lost are the optional features that are not present.
	Lost Results
}

// Verdict judges job by the answers in rs, which should hold every feature that
// the job uses.
func (rs Results) Verdict(job Job) Verdict {
	v := Verdict{Job: job, State: Present}
	for _, r := range rs {
		switch {
		case r.Present() || !r.Uses(job):
		case !r.Requires(job):
			v.Lost = append(v.Lost, r)
		default:
			v.Blockers = append(v.Blockers, r)
			if r.State == Missing {
				v.State = Missing
			} else if v.State == Present {
				v.State = Unknown
			}
		}
	}
	return v
}

// Err returns nil if the job works or may work, and else a [*MissingError].
func (v Verdict) Err() error {
	if missing := v.Missing(); missing != nil {
		return missing
	}
	return nil
}

// Missing is [Verdict.Err] with its type, nil if the job works or may work.
func (v Verdict) Missing() *MissingError {
	if v.State != Missing {
		return nil
	}
	return &MissingError{Job: v.Job, Blockers: v.Blockers}
}

// Check asks for the features that job requires, but those in except, and
// returns a [*MissingError] if it cannot work. Observe with a BTF file of the
// user's, for one, does not need [BTF].
func Check(job Job, except ...ID) error {
	var ids []ID
	for _, row := range table {
		if row.Requires(job) && !slices.Contains(except, row.ID) {
			ids = append(ids, row.ID)
		}
	}
	return Probe(ids...).Verdict(job).Err()
}

// MissingError says why a job cannot work and what would let it.
type MissingError struct {
	Job      Job
	Blockers Results
}

// Error is one line: what is missing.
func (e *MissingError) Error() string { return fmt.Sprintf("%s needs %s", e.Job, e.Missing()) }

// Missing is the line of [MissingError.Error] without the job.
func (e *MissingError) Missing() string {
	first := e.decisive()
	if len(first) == 0 {
		return "something that is not here"
	}
	names := make([]string, len(first))
	for i, r := range first {
		names[i] = r.Name
	}
	return fmt.Sprintf("%s: %s", enumerate(names), first[0].Reason)
}

// Fix is one line: the command to type or the thing to change, "" when nothing
// can be done.
func (e *MissingError) Fix() string {
	first := e.decisive()
	if len(first) == 0 {
		return ""
	}
	return first[0].Fix
}

// decisive are the blockers that the error names: the one that is hardest to remove,
// and those with the same reason and the same remedy. Hardest is what the kernel
// lacks, the newest of it, since no privilege helps there; then what a policy
// forbids. Lack of privilege comes last: most of the other answers repeat it.
func (e *MissingError) decisive() Results {
	for _, cause := range []Cause{CauseKernel, CausePolicy, CausePrivilege, CauseNone} {
		var lead *Result
		for i, r := range e.Blockers {
			if r.Cause == cause && (lead == nil || cause == CauseKernel && newer(r.Since, lead.Since)) {
				lead = &e.Blockers[i]
			}
		}
		if lead == nil {
			continue
		}
		var same Results
		for _, r := range e.Blockers {
			if r.Cause == cause && r.Reason == lead.Reason && r.Fix == lead.Fix {
				same = append(same, r)
			}
		}
		return same
	}
	return nil
}

// newer reports whether version a of the table is newer than b.
func newer(a, b string) bool {
	v, _ := ParseVersion(a)
	w, _ := ParseVersion(b)
	return !w.AtLeast(v.Major, v.Minor)
}
