package kernel

import (
	"fmt"
	"os"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// Raw tracepoint programs and the helpers that they may call.
const (
	RawTracepoint  ID = "bpf.raw_tracepoint"
	ReadKernel     ID = "bpf.read_kernel"
	ReadUserString ID = "bpf.read_user_string"
	TaskBTF        ID = "bpf.task_btf"
	Loop           ID = "bpf.loop"
	CgroupAncestor ID = "bpf.cgroup_ancestor"
	TaskStorage    ID = "bpf.task_storage"
)

const bpfTracingConfig = "CONFIG_BPF_EVENTS"

var bpfProgramFeatures = []entry{
	{Feature{
		ID: RawTracepoint, Name: "raw tracepoints", Since: "4.17", Config: bpfTracingConfig, Needs: required(Observe),
		Without: "System calls cannot be seen.",
	}, (*session).rawTracepointAnswer},
	{Feature{
		ID: ReadKernel, Name: "BPF reads of kernel memory", Since: "5.5", Config: bpfTracingConfig, Needs: required(Observe),
		Without: "The number and the arguments of a call cannot be read.",
	}, (*session).readKernelAnswer},
	{Feature{
		ID: ReadUserString, Name: "BPF reads of user strings", Since: "5.5", Config: bpfTracingConfig, Needs: required(Observe),
		Without: "Paths cannot be read.",
	}, func(s *session) answer { return s.helperAnswer(readInto(asm.FnProbeReadUserStr)) }},
	{Feature{
		ID: TaskBTF, Name: "bpf_get_current_task_btf", Since: "5.11", Config: bpfTracingConfig, Needs: optional(Observe),
		Without: "Each field of a task is read by a call of its own, so observing costs more.",
	}, (*session).taskBTFAnswer},
	{Feature{
		ID: Loop, Name: "bpf_loop", Since: "5.17", Config: bpfTracingConfig, Needs: optional(Observe),
		Without: "Paths with many components are cut, and counted as such.",
	}, func(s *session) answer { return s.knownHelperAnswer(asm.FnLoop) }},
	{Feature{
		ID: CgroupAncestor, Name: "bpf_current_task_under_cgroup", Since: "4.9", Config: "CONFIG_CGROUPS", Needs: optional(Observe),
		Without: "--cgroup does not work.",
	}, (*session).cgroupAncestorAnswer},
	{Feature{
		ID: TaskStorage, Name: "BPF task storage", Since: "5.13", Config: bpfTracingConfig,
		Without: unused,
	}, func(s *session) answer { return s.knownHelperAnswer(asm.FnTaskStorageGet) }},
}

// tracepoints are the ones that observe follows a target by.
var tracepoints = []string{"sys_enter", "sys_exit", "sched_process_fork", "sched_process_exec", "sched_process_exit"}

// rawTracepointAnswer loads a program and asks whether it could be attached,
// without ever attaching it: that would slow the whole machine. The program
// reads an argument that no tracepoint of interest has, for which attaching
// answers EINVAL if the tracepoint exists and ENOENT if not
// (bpf_probe_register in kernel/trace/bpf_trace.c).
func (s *session) rawTracepointAnswer() answer {
	const lastArgument = 11 // of the twelve that any tracepoint may have
	fd, err := rawProgram(asm.Instructions{
		asm.LoadMem(asm.R0, asm.R1, lastArgument*8, asm.DWord),
	}).load()
	if err != nil {
		return s.bpfAnswer(err)
	}
	defer closeProbe(fd)
	for _, name := range tracepoints {
		switch err := openRawTracepoint(name, fd); {
		case is(err, unix.EINVAL):
		case is(err, unix.ENOENT):
			return lacking(fmt.Sprintf("there is no tracepoint %s (ENOENT)", name))
		default:
			return s.bpfAnswer(err)
		}
	}
	return present("")
}

// rawProgram is a raw tracepoint program of body.
func rawProgram(body asm.Instructions) bpfProgram {
	return bpfProgram{progType: unix.BPF_PROG_TYPE_RAW_TRACEPOINT, insns: returning0(body)}
}

func returning0(body asm.Instructions) asm.Instructions {
	return append(append(asm.Instructions{}, body...), asm.Mov.Imm(asm.R0, 0), asm.Return())
}

// helperAnswer tries a complete program that calls a helper.
func (s *session) helperAnswer(body asm.Instructions) answer {
	return s.bpfAnswer(rawProgram(body).try())
}

// knownHelperAnswer asks about a helper whose arguments are too much for a
// probe: a callback, a map with BTF. Calling it with nothing prepared, the
// verifier says EACCES about the arguments if the helper may be called at all,
// and EINVAL if not. EACCES may be a security module's answer as well, so the
// program must pass without the call.
func (s *session) knownHelperAnswer(helper asm.BuiltinFunc) answer {
	if err := rawProgram(nil).try(); err != nil {
		return s.bpfAnswer(err)
	}
	err := rawProgram(asm.Instructions{helper.Call()}).try()
	if is(err, unix.EACCES) {
		return present("")
	}
	return s.bpfAnswer(err)
}

// readInto calls a probe-read helper: eight bytes from address 0 to the stack.
func readInto(helper asm.BuiltinFunc) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, asm.R10),
		asm.Add.Imm(asm.R1, -8),
		asm.Mov.Imm(asm.R2, 8),
		asm.Mov.Imm(asm.R3, 0),
		helper.Call(),
	}
}

// readKernelAnswer: the verifier does not know the helper under lockdown's
// confidentiality mode (bpf_base_func_proto in kernel/bpf/helpers.c).
func (s *session) readKernelAnswer() answer {
	a := s.helperAnswer(readInto(asm.FnProbeReadKernel))
	if a.Cause == CauseKernel && !s.olderThan("5.5") {
		return forbidden("the kernel withholds bpf_probe_read_kernel (EINVAL), as it does in lockdown's confidentiality mode",
			"boot with lockdown=integrity on the kernel command line")
	}
	return a
}

// taskBTFAnswer reads through the pointer too, which is what it is for: the
// first field of a task is its thread_info, on both architectures.
func (s *session) taskBTFAnswer() answer {
	return s.helperAnswer(asm.Instructions{
		asm.FnGetCurrentTaskBtf.Call(),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.DWord),
	})
}

// ringBufAnswer writes to the ring in a program: the map alone says nothing
// about its helpers.
func (s *session) ringBufAnswer() answer {
	ring, err := createMap(unix.BPF_MAP_TYPE_RINGBUF, 0, 0, uint32(os.Getpagesize()))
	if err != nil {
		return s.bpfAnswer(err)
	}
	defer closeProbe(ring)
	const noWakeup = 1 // BPF_RB_NO_WAKEUP
	return s.helperAnswer(asm.Instructions{
		asm.Mov.Imm(asm.R0, 0),
		asm.StoreMem(asm.R10, -8, asm.R0, asm.DWord),
		asm.LoadMapPtr(asm.R1, ring),
		asm.Mov.Reg(asm.R2, asm.R10),
		asm.Add.Imm(asm.R2, -8),
		asm.Mov.Imm(asm.R3, 8),
		asm.Mov.Imm(asm.R4, noWakeup),
		asm.FnRingbufOutput.Call(),
	})
}

func (s *session) cgroupAncestorAnswer() answer {
	cgroups, err := createMap(unix.BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 1)
	if err != nil {
		return s.bpfAnswer(err)
	}
	defer closeProbe(cgroups)
	return s.helperAnswer(asm.Instructions{
		asm.LoadMapPtr(asm.R1, cgroups),
		asm.Mov.Imm(asm.R2, 0),
		asm.FnCurrentTaskUnderCgroup.Call(),
	})
}
