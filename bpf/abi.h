/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* How a call was made: the ABI, the number, the arguments. */
#pragma once

#include "maps.h"

enum abi {
	ABI_NATIVE, /* x86_64, arm64 */
	ABI_COMPAT, /* i386, arm */
	ABI_X32,
};

static __always_inline struct task_struct *current_task(void)
{
	return typed_current ? bpf_get_current_task_btf() : bpf_get_current_task();
}

/* load reads a field through the pointer of current_task, or through a pointer
 * that was loaded that way: a plain load where the verifier knows its type. */
#define load(ptr, field) (typed_current ? (ptr)->field : read(ptr, field))

#define X32_BIT   0x40000000 /* __X32_SYSCALL_BIT */
#define TS_COMPAT 2          /* arch/x86/include/asm/thread_info.h */
#define TIF_32BIT (1 << 22)  /* arch/arm64/include/asm/thread_info.h */

/* The ABI is a property of the call: a 64-bit thread can use int $0x80. */
static __always_inline u32 call_abi(struct task_struct *cur, s64 *nr)
{
#if defined(__TARGET_ARCH_x86)
	if (load(cur, thread_info.status) & TS_COMPAT)
		return ABI_COMPAT;
	if (*nr >= 0 && (*nr & X32_BIT)) {
		*nr &= ~(s64)X32_BIT;
		return ABI_X32;
	}
#elif defined(__TARGET_ARCH_arm64)
	if (load(cur, thread_info.flags) & TIF_32BIT)
		return ABI_COMPAT;
#endif
	return ABI_NATIVE;
}

#if defined(__TARGET_ARCH_x86)

#define REGISTER(field) (*(u64 *)(raw + field_offset(struct pt_regs, field)))

/* call_args copies the arguments out of the registers saved at the entry. */
static __always_inline void call_args(const void *regs, u32 abi, u64 *args)
{
	u8 raw[168] __attribute__((aligned(8))); /* sizeof(struct pt_regs) */

	bpf_probe_read_kernel(raw, sizeof(raw), regs);
	if (abi == ABI_COMPAT) {
		args[0] = (u32)REGISTER(bx);
		args[1] = (u32)REGISTER(cx);
		args[2] = (u32)REGISTER(dx);
		args[3] = (u32)REGISTER(si);
		args[4] = (u32)REGISTER(di);
		args[5] = (u32)REGISTER(bp);
		return;
	}
	args[0] = REGISTER(di);
	args[1] = REGISTER(si);
	args[2] = REGISTER(dx);
	args[3] = REGISTER(r10);
	args[4] = REGISTER(r8);
	args[5] = REGISTER(r9);
}

static __always_inline s64 call_nr(const struct pt_regs *regs)
{
	return (s64)read(regs, orig_ax);
}

#elif defined(__TARGET_ARCH_arm64)

static __always_inline void call_args(const struct pt_regs *regs, u32 abi, u64 *args)
{
	/* At the exit x0 is the result. */
	args[0] = read(regs, orig_x0);
	bpf_probe_read_kernel(&args[1], 5 * sizeof(u64),
			      __builtin_preserve_access_index(&regs->regs[1]));
}

static __always_inline s64 call_nr(const struct pt_regs *regs)
{
	return read(regs, syscallno);
}

#endif
