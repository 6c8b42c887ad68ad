package tracer

import "golang.org/x/sys/unix"

// returned is what the call of a stopped thread returns.
func returned(tid int) (int64, error) {
	const generalPurpose = 1 // NT_PRSTATUS, include/uapi/linux/elf.h
	var registers unix.PtraceRegsArm64
	err := unix.PtraceGetRegSetArm64(tid, generalPurpose, &registers)
	return int64(registers.Regs[0]), err
}
