//go:build !cgo && go1.26 && !go1.27

#include "textflag.h"

// The linker prefers this definition, which has a value, to the runtime's own
// of the same name, which has none.
DATA _cgo_mmap(SB)/8, $·hook(SB)
GLOBL _cgo_mmap(SB), NOPTR, $8

// The arguments come as the System V ABI has them; they are passed on as Go's
// ABI0 has them, on the stack. The caller is assembly of the runtime and keeps
// nothing in registers.
TEXT ·hook(SB), NOSPLIT, $56-0
	MOVQ	DI, 0(SP)
	MOVQ	SI, 8(SP)
	MOVQ	DX, 16(SP)
	MOVQ	CX, 24(SP)
	MOVQ	R8, 32(SP)
	MOVQ	R9, 40(SP)
	CALL	·firstMmap(SB)
	MOVQ	48(SP), AX
	RET
