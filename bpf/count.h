/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Exact counts of calls, errors and argument values. */
#pragma once

#include "abi.h"

static __always_inline void count_call(const struct task *t, u32 slot, u32 abi, s64 nr)
{
	if (abi == ABI_NATIVE && (u64)nr < NATIVE_CALLS) {
		struct counts *c = bpf_map_lookup_elem(&counts, &slot);

		if (!c)
			return;
		if (slot == SLOT_SHARED)
			__sync_fetch_and_add(&c->n[nr], 1);
		else
			c->n[nr]++;
		return;
	}

	struct rare_key key = { .nr = nr, .abi = abi };

	if (slot != SLOT_SHARED)
		key.process = t->process;
	add(&rare_calls, &key, LOST_MAP_CALLS);
}

static __always_inline bool is_error(s64 ret)
{
	return ret < 0 && ret >= -4095; /* MAX_ERRNO, include/linux/err.h */
}

static __always_inline void count_error(u32 abi, s64 nr, s64 ret)
{
	struct error_key key = { .nr = nr, .abi = abi, .err = -ret };

	add(&errors, &key, LOST_MAP_ERRORS);
}

__noinline int count_argument(s32 nr, u32 abi, u32 index, u64 value)
{
	struct argument_key key = { .value = value, .nr = nr, .abi = abi, .index = index };

	add(&arguments, &key, LOST_MAP_ARGUMENTS);
	return 0;
}
