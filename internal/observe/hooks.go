package observe

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// hook is a program and where it runs: at a raw tracepoint; at that of a perf event,
// which has a group; or, without a tracepoint, at the function that its section names.
type hook struct {
	program, group, tracepoint string
	// optional is set if the kernel may refuse the program, or to attach it. What
	// it tells of is never all.
	optional bool
}

// hooks are those of a run. What is attached to one tracepoint runs in their order.
type hooks []hook

// Whoever is followed must be followed to the end, so the hooks of the life cycle
// come first.
var rawHooks = hooks{
	{program: bpfProgSchedProcessExit, tracepoint: "sched_process_exit"},
	{program: bpfProgSchedProcessExec, tracepoint: "sched_process_exec"},
	{program: bpfProgSchedProcessFork, tracepoint: "sched_process_fork"},
	{program: bpfProgSysExit, tracepoint: "sys_exit"},
	{program: bpfProgSysEnter, tracepoint: "sys_enter"},
}

// eventHooks are for kernels that preempt the programs of raw tracepoints: see
// bpf/observe.bpf.c.
var eventHooks = hooks{
	{program: bpfProgEventExit, group: "sched", tracepoint: "sched_process_exit"},
	{program: bpfProgNoteExec, tracepoint: "sched_process_exec"},
	{program: bpfProgEventExec, group: "sched", tracepoint: "sched_process_exec"},
	{program: bpfProgEventFork, group: "sched", tracepoint: "sched_process_fork"},
	{program: bpfProgEventSysExit, group: "raw_syscalls", tracepoint: "sys_exit"},
	{program: bpfProgEventSysEnter, group: "raw_syscalls", tracepoint: "sys_enter"},
}

// openedHook tells what io_uring opens.
var openedHook = hook{program: bpfProgFileOpened, optional: true}

// hooksFor are the hooks that a run with o needs on this kernel. Where neither kind
// is never preempted, the kernel counts what is missed.
func hooksFor(o *Options, types *btf.Cache) (hooks, error) {
	spec := o.KernelTypes
	if spec == nil {
		var err error
		if spec, err = types.Kernel(); err != nil {
			return nil, fmt.Errorf("reading the types of the kernel: %w", err)
		}
	}
	all := rawHooks
	if kernel.PreemptsRawTracepoints(spec) && kernel.Probe(kernel.NoPreemption).Has(kernel.NoPreemption) {
		all = eventHooks
	}
	all = slices.Clone(all)
	if !o.results() {
		all = slices.DeleteFunc(all, func(h hook) bool { return h.tracepoint == "sys_exit" })
	}
	if o.Files {
		all = append(all, openedHook)
	}
	return all, nil
}

// of is the hook of a program.
func (hs hooks) of(program string) (h hook, ok bool) {
	i := slices.IndexFunc(hs, func(h hook) bool { return h.program == program })
	if i < 0 {
		return h, false
	}
	return hs[i], true
}

func (h hook) attach(p *ebpf.Program) (l link.Link, err error) {
	switch {
	case h.tracepoint == "":
		l, err = link.AttachTracing(link.TracingOptions{Program: p})
	case h.group != "":
		l, err = link.Tracepoint(h.group, h.tracepoint, p, nil)
	default:
		l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.tracepoint, Program: p})
	}
	if err != nil {
		return nil, fmt.Errorf("attaching %q: %w", h.program, err)
	}
	return l, nil
}
