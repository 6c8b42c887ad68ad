package observe

import (
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/syscalls"
)

// A plan tells the kernel side what to copy of a call. It follows from the roles
// of the arguments and from what the run asked for.

const (
	plannedCalls = 1024             // PLANNED_CALLS, bpf/maps.h
	planUnknown  = 3 * plannedCalls // PLAN_UNKNOWN
)

// setPlans fills the map of plans.
func setPlans(m *ebpf.Map, o *Options) error {
	abis := nativeABIs()
	plans := make([]bpfPlan, planUnknown+1)
	for i := range plans {
		plans[i] = emptyPlan(o)
	}
	for i, abi := range abis {
		for _, nr := range syscalls.All(abi) {
			if nr < plannedCalls {
				plans[i*plannedCalls+int(nr)] = planFor(abi, nr, o)
			}
		}
	}
	keys := make([]uint32, len(plans))
	for i := range keys {
		keys[i] = uint32(i)
	}
	if _, err := m.BatchUpdate(keys, plans, nil); err != nil {
		return fmt.Errorf("setting the plans: %w", err)
	}
	return nil
}

func emptyPlan(o *Options) bpfPlan {
	p := bpfPlan{
		Path: [2]int8{-1, -1}, Dir: [2]int8{-1, -1},
		Fd: -1, Option: -1, Word: -1, Addr: -1, Msg: -1, Mmsg: -1, DeepSelector: -1,
	}
	if o.All {
		p.Flags = uint32(bpfPlanFlagsPLAN_STREAM)
	}
	return p
}

func planFor(abi event.ABI, nr int32, o *Options) bpfPlan {
	p := emptyPlan(o)
	switch name, _ := syscalls.Known(abi, nr); name {
	case "exit", "exit_group":
		if o.All {
			p.add(bpfPlanFlagsPLAN_NO_RETURN)
		}
	case "sigreturn", "rt_sigreturn":
		p.add(bpfPlanFlagsPLAN_NO_RESULT)
	case "io_uring_setup", "io_uring_enter":
		p.add(bpfPlanFlagsPLAN_IO_URING)
	}
	spec := syscalls.Lookup(abi, nr)
	if spec == nil {
		return p
	}
	if o.Args {
		p.selectors(spec)
	}
	switch spec.Op.Category() {
	case event.CategoryFile:
		if o.Files || o.All {
			p.file(spec)
		}
	case event.CategoryNetwork:
		if o.Net || o.All {
			p.socket(spec)
		}
	case event.CategoryProcess:
		if o.results() {
			p.file(spec)
			p.add(bpfPlanFlagsPLAN_EXEC)
		}
	}
	for _, r := range spec.Args {
		if r == syscalls.SockArgs && (o.Net || o.All || o.Args) {
			p.add(bpfPlanFlagsPLAN_SOCKETCALL)
		}
	}
	return p
}

func (p *bpfPlan) add(f bpfPlanFlags) { p.Flags |= uint32(f) }

func (p *bpfPlan) selectors(spec *syscalls.Spec) {
	for i, r := range spec.Args {
		switch r {
		case syscalls.Selector, syscalls.Prot:
			p.Selectors |= 1 << i
		case syscalls.CloneArgs:
			p.DeepSelector = int8(i)
		}
	}
	if p.Selectors != 0 || p.DeepSelector >= 0 {
		p.add(bpfPlanFlagsPLAN_SELECTORS)
	}
}

func (p *bpfPlan) file(spec *syscalls.Spec) {
	p.add(bpfPlanFlagsPLAN_ACCESS)
	p.options(spec)
	if spec.ReturnsFD {
		p.add(bpfPlanFlagsPLAN_RETURNS_FD)
	}
	switch spec.Op {
	case event.OpStat:
		// stat of a descriptor says nothing that its open did not.
		p.add(bpfPlanFlagsPLAN_SKIP_EMPTY)
	case event.OpChdir:
		p.add(bpfPlanFlagsPLAN_SETS_CWD)
	case event.OpChroot:
		p.add(bpfPlanFlagsPLAN_SETS_ROOT)
	case event.OpSetflags:
		p.add(bpfPlanFlagsPLAN_IOCTL)
	}
	k := 0
	for _, operand := range spec.Operands {
		if operand.FD >= 0 {
			p.Fd = int8(operand.FD)
			continue
		}
		p.Path[k], p.Dir[k] = int8(operand.Path), int8(operand.Dir)
		k++
	}
}

func (p *bpfPlan) socket(spec *syscalls.Spec) {
	p.add(bpfPlanFlagsPLAN_ACCESS | bpfPlanFlagsPLAN_SOCKET)
	if spec.ReturnsFD {
		p.add(bpfPlanFlagsPLAN_RETURNS_FD)
	}
	for i, r := range spec.Args {
		switch r {
		case syscalls.FD:
			p.Fd = int8(i)
		case syscalls.Addr:
			p.Addr = int8(i)
		case syscalls.Msg:
			p.Msg = int8(i)
		case syscalls.MMsg:
			p.Mmsg = int8(i)
		}
	}
	switch spec.Op {
	case event.OpSend:
		p.add(bpfPlanFlagsPLAN_ADDRESSED)
	case event.OpListen:
		p.add(bpfPlanFlagsPLAN_OWN_NAME)
	case event.OpAccept:
		p.add(bpfPlanFlagsPLAN_PEER_NAME)
	}
}

// options finds the argument that holds the flags of the call.
func (p *bpfPlan) options(spec *syscalls.Spec) {
	for i, r := range spec.Args {
		switch r {
		case syscalls.Flags:
			p.Option = int8(i)
		case syscalls.Prot:
			p.Option = int8(i)
			p.add(bpfPlanFlagsPLAN_NEEDS_EXEC)
		case syscalls.How:
			p.Word = int8(i)
		}
	}
}
