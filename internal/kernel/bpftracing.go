package kernel

import (
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// Programs that the kernel finds their place for by BTF, and the older ones
// that they replace.
const (
	TypedTracepoint ID = "bpf.tp_btf"
	TaskIterator    ID = "bpf.iter_task"
	Fentry          ID = "bpf.fentry"
	LSMPrograms     ID = "bpf.lsm"
	Kprobe          ID = "bpf.kprobe"
)

var bpfTracingFeatures = []entry{
	{Feature{
		ID: TypedTracepoint, Name: "typed tracepoints (tp_btf)", Since: "5.5", Config: bpfTracingConfig,
		Without: unused,
	}, (*session).typedTracepointAnswer},
	{Feature{
		ID: TaskIterator, Name: "BPF task iterators", Since: "5.8", Config: bpfTracingConfig, Needs: optional(Observe),
		Without: "--pid does not work.",
	}, (*session).taskIteratorAnswer},
	{Feature{
		ID: Fentry, Name: "fentry programs", Since: fentrySince[runtime.GOARCH], Config: "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", Needs: optional(Observe),
		Without: "The files that io_uring opens are not named.",
	}, (*session).fentryAnswer},
	{Feature{
		ID: LSMPrograms, Name: "BPF LSM programs", Since: "5.7", Config: "CONFIG_BPF_LSM",
		Without: unused,
	}, (*session).lsmProgramAnswer},
	{Feature{
		ID: Kprobe, Name: "kprobes", Since: "4.1", Config: "CONFIG_KPROBE_EVENTS",
		Without: unused,
	}, (*session).kprobeAnswer},
}

// typedTracepointAnswer loads a program for each tracepoint of interest. Kernels
// that refuse fentry may still allow these, although both are of one type,
// so that the one says nothing about the other.
func (s *session) typedTracepointAnswer() answer {
	for _, name := range tracepoints {
		a := tracingAnswer[*btf.Typedef](s, unix.BPF_PROG_TYPE_TRACING, unix.BPF_TRACE_RAW_TP, "btf_trace_"+name)
		if a.State != Present {
			return a
		}
	}
	return present("")
}

func (s *session) taskIteratorAnswer() answer {
	return tracingAnswer[*btf.Func](s, unix.BPF_PROG_TYPE_TRACING, unix.BPF_TRACE_ITER, "bpf_iter_task")
}

// fentrySince by architecture: on arm64 the program loads from 6.0 on, but attaching it
// to a function needs ftrace's direct calls, which came with 6.4 (2aa6ac03516d,
// "arm64: ftrace: Add direct call support").
var fentrySince = map[string]string{"amd64": "5.5", "arm64": "6.4"}

func (s *session) fentryAnswer() answer {
	if runtime.GOARCH == "arm64" && s.olderThan(fentrySince["arm64"]) {
		return lacking("arm64 has it since Linux 6.4")
	}
	return tracingAnswer[*btf.Func](s, unix.BPF_PROG_TYPE_TRACING, unix.BPF_TRACE_FENTRY, "security_file_open")
}

// lsmProgramAnswer: a program loads and attaches even if the bpf security module
// is not among the active ones, but then it is never called.
func (s *session) lsmProgramAnswer() answer {
	a := tracingAnswer[*btf.Func](s, unix.BPF_PROG_TYPE_LSM, unix.BPF_LSM_MAC, "bpf_lsm_file_open")
	if a.State != Present {
		return a
	}
	modules, err := s.modules()
	if err != nil {
		return unknown(fmt.Sprintf("programs load, but whether they are called is not known: %v", err), "")
	}
	if !slices.Contains(modules, "bpf") {
		return forbidden("bpf is not among the active security modules", bootWith("bpf", modules))
	}
	return a
}

// tracingAnswer loads a program for the type called name.
func tracingAnswer[kind btf.Type](s *session, progType, attachType uint32, name string) answer {
	vmlinux, err := s.vmlinux()
	if err != nil {
		return s.btfAnswer()
	}
	var target kind
	if err := vmlinux.TypeByName(name, &target); err != nil {
		return lacking(fmt.Sprintf("the kernel's BTF has no %s", name))
	}
	id, err := vmlinux.TypeID(target)
	if err != nil {
		return unknown(fmt.Sprintf("finding %s in the kernel's BTF: %v", name, err), "")
	}
	return s.bpfAnswer(bpfProgram{progType: progType, attachType: attachType, attachTo: uint32(id), insns: returning0(nil)}.try())
}

// kprobeAnswer: loading says nothing about attaching, for which the kprobe
// performance unit must exist (Linux 4.17).
func (s *session) kprobeAnswer() answer {
	const unit = "/sys/bus/event_source/devices/kprobe"
	if _, err := os.Stat(unit); err != nil {
		return lacking(fmt.Sprintf("%s: %s", unit, named(cause(err))))
	}
	return s.bpfAnswer(bpfProgram{progType: unix.BPF_PROG_TYPE_KPROBE, insns: returning0(nil)}.try())
}
