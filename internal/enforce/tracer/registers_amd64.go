package tracer

import "golang.org/x/sys/unix"

// returned is what the call of a stopped thread returns.
func returned(tid int) (int64, error) {
	var registers unix.PtraceRegs
	err := unix.PtraceGetRegs(tid, &registers)
	return int64(registers.Rax), err
}
