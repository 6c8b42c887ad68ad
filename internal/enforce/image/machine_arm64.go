package image

import "debug/elf"

const (
	nativeMachine  = elf.EM_AARCH64
	foreignMachine = elf.EM_ARM
)
