package kernel

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// NoPreemption is about the programs that observe hooks to tracepoints.
const NoPreemption ID = "bpf.no_preemption"

var bpfPreemptionFeatures = []entry{
	{Feature{
		ID: NoPreemption, Name: "BPF programs not preempted", Config: bpfTracingConfig, Needs: optional(Observe),
		Without: "What others do on a CPU while a program is preempted there is missed, and counted as missed.",
	}, (*session).preemptionAnswer},
}

// PerfEvents is the detail of [NoPreemption] where perf events take the place of raw
// tracepoints.
const PerfEvents = "perf events"

// PreemptsRawTracepoints reports whether the kernel with these types lets the
// programs of raw tracepoints be preempted, as Linux does since 7.0 (
// "tracing: Guard __DECLARE_TRACE() use of __DO_TRACE_CALL() with SRCU-fast"). The
// type that says so came with that, and has no other use.
func PreemptsRawTracepoints(types *btf.Spec) bool {
	var guard *btf.Typedef
	return types.TypeByName("class_srcu_fast_notrace_t", &guard) == nil
}

// tracefs is where perf events of tracepoints have their numbers.
const tracefs = "/sys/kernel/tracing"

// perfEvents are the tracepoints of the raw ones, as perf_event_open(2) knows them.
var perfEvents = []string{
	"raw_syscalls/sys_enter", "raw_syscalls/sys_exit",
	"sched/sched_process_fork", "sched/sched_process_exec", "sched/sched_process_exit",
}

// preemptionAnswer: where raw tracepoints are preempted, perf events are not ("tracing:
// perf: Have perf tracepoint callbacks always disable preemption"). None of a tracepoint
// is opened: that would slow the whole machine.
func (s *session) preemptionAnswer() answer {
	vmlinux, err := s.vmlinux()
	if err != nil {
		return s.btfAnswer()
	}
	if !PreemptsRawTracepoints(vmlinux) {
		return present("raw tracepoints")
	}
	if err := openDummyEvent(); err != nil {
		a := s.perfAnswer(err)
		a.Reason = "raw tracepoints are preempted since Linux 7, and " + a.Reason
		return a
	}
	for _, name := range perfEvents {
		if _, err := os.ReadFile(filepath.Join(tracefs, "events", name, "id")); err != nil {
			reason := fmt.Sprintf("raw tracepoints are preempted since Linux 7, and the numbers of perf events cannot be read from %s (%s)", tracefs, named(cause(err)))
			if is(err, unix.EACCES, unix.EPERM) {
				return unprivileged(reason, "run it as root, or let a group of yours read them: mount -o remount,gid=GROUP,mode=0750 "+tracefs)
			}
			return forbidden(reason, "mount -t tracefs tracefs "+tracefs)
		}
	}
	if a := s.bpfAnswer(bpfProgram{progType: unix.BPF_PROG_TYPE_TRACEPOINT, insns: returning0(nil)}.try()); a.State != Present {
		return a
	}
	return present(PerfEvents)
}

// openDummyEvent opens an event that never happens, for all processes.
func openDummyEvent() error {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_DUMMY, Size: unix.PERF_ATTR_SIZE_VER0, Bits: unix.PerfBitDisabled}
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err == nil {
		closeProbe(fd)
	}
	return err
}

// perfAnswer: perf_event_paranoid above 2 is Debian's, and asks for CAP_SYS_ADMIN where
// CAP_PERFMON is enough otherwise.
func (s *session) perfAnswer(err error) answer {
	reason := fmt.Sprintf("perf_event_open(2) answers %s", named(err))
	if value, sysctlErr := sysctl("kernel.perf_event_paranoid"); sysctlErr == nil && is(err, unix.EACCES) {
		return unprivileged(reason+", with kernel.perf_event_paranoid "+value, "run it as root, or: sudo sysctl kernel.perf_event_paranoid=2")
	}
	return s.bpfAnswer(err)
}
