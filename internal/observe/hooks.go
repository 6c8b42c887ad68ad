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
type hook struct{ program, group, tracepoint string }

// Whoever is followed must be followed to the end, so the hooks of the life cycle
// come first.
var rawHooks = []hook{
	{bpfProgSchedProcessExit, "", "sched_process_exit"},
	{bpfProgSchedProcessExec, "", "sched_process_exec"},
	{bpfProgSchedProcessFork, "", "sched_process_fork"},
	{bpfProgSysExit, "", "sys_exit"},
	{bpfProgSysEnter, "", "sys_enter"},
}

// eventHooks are for kernels that preempt the programs of raw tracepoints: see
// bpf/observe.bpf.c. What is attached to one tracepoint runs in the order of this
// list.
var eventHooks = []hook{
	{bpfProgEventExit, "sched", "sched_process_exit"},
	{bpfProgNoteExec, "", "sched_process_exec"},
	{bpfProgEventExec, "sched", "sched_process_exec"},
	{bpfProgEventFork, "sched", "sched_process_fork"},
	{bpfProgEventSysExit, "raw_syscalls", "sys_exit"},
	{bpfProgEventSysEnter, "raw_syscalls", "sys_enter"},
}

// openedHook tells what io_uring opens. The kernel may refuse its program, or to attach
// it: then nobody tells.
var openedHook = hook{program: bpfProgFileOpened}

// hooksFor are the hooks that a run with o needs on this kernel. Where neither kind
// is never preempted, the kernel counts what is missed.
func hooksFor(o *Options, types *btf.Cache) ([]hook, error) {
	spec := o.KernelTypes
	if spec == nil {
		var err error
		if spec, err = types.Kernel(); err != nil {
			return nil, fmt.Errorf("reading the types of the kernel: %w", err)
		}
	}
	hooks := rawHooks
	if kernel.PreemptsRawTracepoints(spec) && kernel.Probe(kernel.NoPreemption).Has(kernel.NoPreemption) {
		hooks = eventHooks
	}
	hooks = slices.Clone(hooks)
	if !o.results() {
		hooks = slices.DeleteFunc(hooks, func(h hook) bool { return h.tracepoint == "sys_exit" })
	}
	if o.Files {
		hooks = append(hooks, openedHook)
	}
	return hooks, nil
}

// needs reports whether a run loads the program called name.
func needs(o *Options, hooks []hook, name string) bool {
	if name == bpfProgAdoptTree {
		return o.Tree != 0
	}
	return slices.ContainsFunc(hooks, func(h hook) bool { return h.program == name })
}

func (h hook) attach(p *ebpf.Program) (l link.Link, err error) {
	switch {
	case h == openedHook:
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
