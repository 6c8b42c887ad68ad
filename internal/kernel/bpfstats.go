package kernel

import "golang.org/x/sys/unix"

// Statistics is the run time and count of every program (BPF_ENABLE_STATS).
const Statistics ID = "bpf.stats"

var bpfOtherFeatures = []entry{
	{Feature{
		ID: Statistics, Name: "BPF run-time statistics", Since: "5.8", Config: bpfConfig,
		Without: unused,
	}, (*session).statisticsAnswer},
}

// statisticsAnswer asks without CAP_SYS_ADMIN, because with it the kernel would
// start to measure every program of the machine. Then EPERM is the answer of a
// kernel that knows the command. CAP_BPF must remain, or older
// kernels answer EPERM to every command.
func (s *session) statisticsAnswer() answer {
	if !s.capabilities.Effective.Has(CapSysAdmin) || !s.initialUserNS {
		return s.refused(unix.EPERM, CapSysAdmin)
	}
	if !s.capabilities.Effective.Has(CapBPF) {
		return unknown("cannot be asked without CAP_BPF", "")
	}
	var err error
	onDyingThread(func() {
		if err = s.capabilities.setEffective(s.capabilities.Effective.without(CapSysAdmin)); err == nil {
			_, err = bpfCall(unix.BPF_ENABLE_STATS, &enableStatsAttr{})
		}
	})
	if is(err, unix.EPERM) {
		return present("")
	}
	return s.bpfAnswer(err)
}
