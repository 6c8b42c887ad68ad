package image

import "debug/elf"

const (
	nativeMachine  = elf.EM_X86_64
	foreignMachine = elf.EM_386
)
