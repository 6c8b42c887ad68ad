//go:build !cgo && go1.26 && !go1.27

#include "textflag.h"

// The linker prefers this definition, which has a value, to the runtime's own
// of the same name, which has none.
DATA _cgo_mmap(SB)/8, $·hook(SB)
GLOBL _cgo_mmap(SB), NOPTR, $8

// The arguments come as the AAPCS64 has them; they are passed on as Go's ABI0
// has them, on the stack. The caller is assembly of the runtime and keeps
// nothing in registers.
TEXT ·hook(SB), NOSPLIT, $64-0
	MOVD	R0, 8(RSP)
	MOVD	R1, 16(RSP)
	MOVD	R2, 24(RSP)
	MOVD	R3, 32(RSP)
	MOVD	R4, 40(RSP)
	MOVD	R5, 48(RSP)
	CALL	·firstMmap(SB)
	MOVD	56(RSP), R0
	RET
