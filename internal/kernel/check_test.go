package kernel

import (
	"errors"
	"strings"
	"testing"
)

func result(id ID, a answer) Result {
	for _, f := range Features() {
		if f.ID == id {
			return Result{Feature: f, State: a.State, Cause: a.Cause, Reason: a.Reason, Detail: a.Detail, Fix: a.Fix}
		}
	}
	panic("no feature " + id)
}

func TestMissingErrorSpeaksOfTheCauseThatDecides(t *testing.T) {
	const setcap = "sudo setcap cap_bpf,cap_perfmon=ep /usr/bin/turnstile"
	noCapability := unprivileged("not among the effective capabilities of this process (uid 1000)", setcap)
	noPrivilege := unprivileged("needs CAP_BPF and CAP_PERFMON, which this process lacks (EPERM)", setcap)
	tooOld := func(version string) answer {
		a := lacking("the kernel does not know it (EINVAL)")
		a.Fix = "boot Linux " + version + " or newer"
		return a
	}
	for _, test := range []struct {
		name      string
		results   Results
		line, fix string
	}{
		{
			"privilege",
			Results{
				result(BTF, present("")), result(PrivilegeBPF, noCapability), result(PrivilegePerfmon, noCapability),
				result(Array, noPrivilege), result(RingBuf, noPrivilege), result(TaskBTF, noPrivilege),
			},
			"observe needs CAP_BPF and CAP_PERFMON: not among the effective capabilities of this process (uid 1000)", setcap,
		},
		{
			"one privilege",
			Results{result(PrivilegeBPF, present("")), result(PrivilegePerfmon, noCapability)},
			"observe needs CAP_PERFMON: not among the effective capabilities of this process (uid 1000)", setcap,
		},
		{
			"the kernel comes before privilege, and the newest of what it lacks first",
			Results{result(PrivilegeBPF, noCapability), result(BTF, tooOld("5.4")), result(RingBuf, tooOld("5.8"))},
			"observe needs BPF ring buffer: the kernel does not know it (EINVAL)", "boot Linux 5.8 or newer",
		},
		{
			"policy comes before privilege",
			Results{result(Lockdown, judgeLockdown("none integrity [confidentiality]")), result(PrivilegeBPF, noCapability)},
			"observe needs lockdown below confidentiality: lockdown is in confidentiality mode, which forbids programs to read kernel memory",
			"boot with lockdown=integrity on the kernel command line; integrity is enough for Secure Boot",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.results.Verdict(Observe).Err()
			var missing *MissingError
			if !errors.As(err, &missing) {
				t.Fatalf("error is %v", err)
			}
			if got := missing.Error(); got != test.line {
				t.Errorf("line 1 is %q\nwant %q", got, test.line)
			}
			if got := missing.Fix(); got != test.fix {
				t.Errorf("line 2 is %q\nwant %q", got, test.fix)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	rs := Results{
		result(RingBuf, present("")),
		result(Loop, lacking("no")),
		result(Landlock, lacking("no")),
		result(BTF, unknown("cannot tell", "")),
	}
	v := rs.Verdict(Observe)
	if v.State != Unknown || len(v.Blockers) != 1 || v.Blockers[0].ID != BTF || len(v.Lost) != 1 || v.Lost[0].ID != Loop {
		t.Errorf("observe: %+v", v)
	}
	if v.Err() != nil {
		t.Errorf("an inconclusive answer is an error: %v", v.Err())
	}
	if v := rs.Verdict(Enforce); v.State != Present || len(v.Lost) != 1 {
		t.Errorf("enforce: %+v", v)
	}
	if v := rs.Verdict(Watch); v.State != Present || v.Err() != nil {
		t.Errorf("watch: %+v", v)
	}
}

func TestResultsGet(t *testing.T) {
	rs := Probe(KernelArch)
	if len(rs) != 1 || !rs.Has(KernelArch) {
		t.Errorf("Probe(KernelArch) = %+v", rs)
	}
	if r := rs.Get(Loop); r.State != Unknown || r.ID != Loop || r.Reason == "" {
		t.Errorf("Get of what was not asked = %+v", r)
	}
	if rs := Probe("no.such.feature"); len(rs) != 0 {
		t.Errorf("Probe of an unknown ID = %+v", rs)
	}
}

// An error without blockers cannot come from Verdict; it still is one line.
func TestEmptyMissingError(t *testing.T) {
	e := &MissingError{Job: Observe}
	if e.Error() == "" || strings.Contains(e.Error(), "\n") || e.Fix() != "" {
		t.Errorf("%q, %q", e.Error(), e.Fix())
	}
}
