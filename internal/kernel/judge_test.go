package kernel

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The tests of this file judge errnos that this machine may never give.

func privileged(version Version) *session {
	all := ^CapabilitySet(0)
	return &session{
		version: version, initialUserNS: true,
		capabilities: Capabilities{Effective: all, Permitted: all},
		memlock:      unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY},
	}
}

func TestBPFAnswer(t *testing.T) {
	modern := Version{6, 1, 0}
	inNamespace := privileged(modern)
	inNamespace.initialUserNS = false
	nobody := privileged(modern)
	nobody.capabilities = Capabilities{}
	onlyBPF := privileged(modern)
	onlyBPF.capabilities.Effective = 1 << CapBPF
	onlyAdmin := privileged(modern)
	onlyAdmin.capabilities.Effective = 1 << CapSysAdmin
	locked := privileged(Version{5, 10, 0})
	locked.memlock = unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}
	locked.capabilities.Effective = 1<<CapBPF | 1<<CapPerfmon

	for _, test := range []struct {
		name  string
		s     *session
		err   error
		state State
		cause Cause
		says  string
	}{
		{"fine", privileged(modern), nil, Present, CauseNone, ""},
		{"unknown to the kernel", privileged(modern), unix.EINVAL, Missing, CauseKernel, "EINVAL"},
		{"newer attributes", privileged(modern), unix.E2BIG, Missing, CauseKernel, "E2BIG"},
		{"no implementation", privileged(modern), unix.Errno(524), Missing, CauseKernel, "ENOTSUPP"},
		{"no bpf", privileged(modern), unix.ENOSYS, Missing, CauseKernel, "ENOSYS"},
		{"hardened kernel", privileged(modern), unix.EPERM, Missing, CausePolicy, "in spite of CAP_BPF and CAP_PERFMON"},
		{"SELinux", privileged(modern), unix.EACCES, Missing, CausePolicy, "EACCES"},
		{"rootless container", inNamespace, unix.EPERM, Missing, CausePrivilege, "user namespace"},
		{"nobody", nobody, unix.EPERM, Missing, CausePrivilege, "needs CAP_BPF and CAP_PERFMON"},
		{"half", onlyBPF, unix.EPERM, Missing, CausePrivilege, "needs CAP_PERFMON,"},
		{"CAP_SYS_ADMIN stands in for both", onlyAdmin, unix.EPERM, Missing, CausePolicy, "EPERM"},
		{"memory limit of old kernels", locked, unix.EPERM, Missing, CausePrivilege, "RLIMIT_MEMLOCK is 64 KiB"},
		{"no memory", privileged(modern), unix.ENOMEM, Unknown, CauseNone, "ENOMEM"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := test.s.bpfAnswer(test.err)
			if a.State != test.state || a.Cause != test.cause || !strings.Contains(a.Reason, test.says) {
				t.Errorf("%+v", a)
			}
		})
	}
}

// Without privilege, an old version is a hint and never the answer.
func TestOldKernelIsAHintOnly(t *testing.T) {
	s := privileged(Version{4, 18, 0})
	s.capabilities = Capabilities{}
	row := entry{Feature{Since: "5.8"}, func(s *session) answer { return s.bpfAnswer(unix.EPERM) }}
	r := s.ask(row)
	if r.Cause != CausePrivilege || !strings.Contains(r.Reason, "mainline has it since 5.8, this kernel is 4.18") {
		t.Errorf("%+v", r)
	}
}

func TestNewerKernel(t *testing.T) {
	s := privileged(Version{5, 10, 0})
	for _, test := range []struct {
		since, config, want string
	}{
		{"5.17", "CONFIG_X", "boot Linux 5.17 or newer"},
		{"5.8", "CONFIG_X", "boot a kernel that is built with CONFIG_X"},
		{"5.8", "", ""},
	} {
		row := entry{Feature{Since: test.since, Config: test.config}, func(*session) answer { return lacking("no") }}
		if r := s.ask(row); r.Fix != test.want {
			t.Errorf("since %s, %s: fix %q, want %q", test.since, test.config, r.Fix, test.want)
		}
	}
}

func TestMemlock(t *testing.T) {
	limit := func(v Version, hard uint64, caps CapabilitySet) answer {
		return (&session{version: v, initialUserNS: true, memlock: unix.Rlimit{Max: hard}, capabilities: Capabilities{Effective: caps}}).memlockAnswer()
	}
	old := Version{5, 10, 0}
	for name, a := range map[string]answer{
		"new kernel":       limit(Version{5, 11, 0}, 0, 0),
		"unlimited":        limit(old, unix.RLIM_INFINITY, 0),
		"high":             limit(old, 1<<30, 0),
		"CAP_SYS_RESOURCE": limit(old, 64<<10, 1<<CapSysResource),
	} {
		if a.State != Present {
			t.Errorf("%s: %+v", name, a)
		}
	}
	a := limit(old, 64<<10, 0)
	if a.State != Missing || a.Cause != CausePrivilege || !strings.Contains(a.Fix, "cap_sys_resource") && !strings.Contains(a.Fix, "CAP_SYS_RESOURCE") {
		t.Errorf("low limit: %+v", a)
	}
}

func TestJudgeLockdown(t *testing.T) {
	for text, want := range map[string]State{
		"[none] integrity confidentiality\n": Present,
		"none [integrity] confidentiality\n": Present,
		"none integrity [confidentiality]\n": Missing,
		"":                                   Unknown,
		"none":                               Unknown,
	} {
		if a := judgeLockdown(text); a.State != want {
			t.Errorf("%q: %+v", text, a)
		}
	}
}

func TestSeccompAnswer(t *testing.T) {
	for errno, want := range map[unix.Errno]answer{
		unix.EFAULT: {State: Present},
		unix.EINVAL: {State: Missing, Cause: CauseKernel},
		unix.ENOSYS: {State: Missing, Cause: CauseKernel},
		unix.EPERM:  {State: Missing, Cause: CausePolicy},
		unix.ENOMEM: {State: Unknown},
	} {
		a := seccompAnswer(errno, unix.EFAULT)
		if a.State != want.State || a.Cause != want.Cause || a.State != Present && !strings.Contains(a.Reason, named(errno)) {
			t.Errorf("%s: %+v", named(errno), a)
		}
	}
}

func TestLandlockAnswer(t *testing.T) {
	with := func(abi int, err error) *session {
		s := privileged(Version{6, 1, 0})
		s.landlock = func() (int, error) { return abi, err }
		s.modules = func() ([]string, error) { return []string{"capability", "yama", "apparmor"}, nil }
		return s
	}
	refer := landlockFeature(2, Feature{})
	for _, test := range []struct {
		s     *session
		cause Cause
		fix   string
	}{
		{with(0, unix.ENOSYS), CauseKernel, ""},
		{with(0, unix.EOPNOTSUPP), CausePolicy, "boot with lsm=yama,apparmor,landlock on the kernel command line"},
		{with(0, unix.EPERM), CausePolicy, "run it outside of that sandbox, or let the sandbox's profile allow landlock_create_ruleset(2)"},
	} {
		for _, a := range []answer{test.s.landlockAnswer(), refer.probe(test.s)} {
			if a.State != Missing || a.Cause != test.cause || a.Fix != test.fix {
				t.Errorf("%+v", a)
			}
		}
	}
	if a := refer.probe(with(1, nil)); a.Cause != CauseKernel || !strings.Contains(a.Reason, "this kernel has 1") {
		t.Errorf("ABI 1: %+v", a)
	}
	if a := refer.probe(with(2, nil)); a.State != Present {
		t.Errorf("ABI 2: %+v", a)
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/local/bin/turnstile": "/usr/local/bin/turnstile",
		"/home/o'neil/a b":         `'/home/o'\''neil/a b'`,
		"/tmp/$(reboot)":           "'/tmp/$(reboot)'",
		"":                         "''",
	} {
		if got := quote(path); got != want {
			t.Errorf("quote(%q) = %s, want %s", path, got, want)
		}
	}
}

func TestCapabilitySet(t *testing.T) {
	admin := CapabilitySet(1 << CapSysAdmin)
	if !admin.Allows(CapBPF) || !admin.Allows(CapPerfmon) || admin.Has(CapBPF) || admin.Allows(CapSysPtrace) {
		t.Error("CAP_SYS_ADMIN stands in for CAP_BPF and CAP_PERFMON, and nothing else")
	}
	if s := admin.without(CapSysAdmin); s != 0 {
		t.Errorf("without CAP_SYS_ADMIN: %x", s)
	}
	for c, want := range map[Capability]string{CapBPF: "CAP_BPF", 5: "capability 5"} {
		if c.String() != want {
			t.Errorf("%d is %s", uint(c), c)
		}
	}
}
