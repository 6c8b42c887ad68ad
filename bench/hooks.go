package main

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// returnAtOnce is the least that a program can do: what it costs is the cost of
// being attached.
func returnAtOnce() asm.Instructions {
	return asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}
}

// helperCalls is how often the programs call that show the price of a call.
const helperCalls = 8

// askPid calls one of the cheapest helper functions.
func askPid() asm.Instructions {
	var code asm.Instructions
	for range helperCalls {
		code = append(code, asm.FnGetCurrentPidTgid.Call())
	}
	return append(code, returnAtOnce()...)
}

// readKernel calls the helper function that copies from kernel memory: 8 bytes of
// what the first argument of the tracepoint points to, onto the stack.
func readKernel() asm.Instructions {
	code := asm.Instructions{asm.LoadMem(asm.R6, asm.R1, 0, asm.DWord)}
	for range helperCalls {
		code = append(code,
			asm.Mov.Reg(asm.R1, asm.RFP),
			asm.Add.Imm(asm.R1, -8),
			asm.Mov.Imm(asm.R2, 8),
			asm.Mov.Reg(asm.R3, asm.R6),
			asm.FnProbeReadKernel.Call(),
		)
	}
	return append(code, returnAtOnce()...)
}

// hooked runs during while a program is attached to each of some raw tracepoints.
func hooked(code asm.Instructions, during func() error, tracepoints ...string) error {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		// The licence that helper functions for tracing demand.
		Name: "bench", Type: ebpf.RawTracepoint, Instructions: code, License: "Dual MIT/GPL",
	})
	if err != nil {
		return fmt.Errorf("loading a program: %w", err)
	}
	defer p.Close()
	for _, name := range tracepoints {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: p})
		if err != nil {
			return fmt.Errorf("attaching to %q: %w", name, err)
		}
		defer l.Close()
	}
	return during()
}
