/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the arguments of a call point to, kept when the call begins, as the kernel
 * will find it. Memory that is not present cannot be waited for here; the kernel
 * brings it in during the call, so what was late is read again at the end.
 */
#pragma once

#include "count.h"
#include "sockets.h"

static __always_inline u32 plan_index(u32 abi, s64 nr)
{
	return (u64)nr < PLANNED_CALLS ? abi * PLANNED_CALLS + nr : PLAN_UNKNOWN;
}

static __always_inline const struct plan *plan_of(u32 abi, s64 nr)
{
	u32 i = plan_index(abi, nr);

	return bpf_map_lookup_elem(&plans, &i);
}

/* On i386 one call is all of the socket calls: its first argument is which, its
 * second points to the arguments. The numbers of the direct calls
 * (arch/x86/entry/syscalls/syscall_32.tbl) have the plans. */
static __always_inline const struct plan *unpack_socketcall(struct task *t)
{
	u32 raw[6] = {};
	u32 nr;

	switch ((u32)t->args[0]) {
	case 1: nr = 359; break;  /* socket */
	case 2: nr = 361; break;  /* bind */
	case 3: nr = 362; break;  /* connect */
	case 4: nr = 363; break;  /* listen */
	case 5: nr = 364; break;  /* accept: accept4 without flags */
	case 8: nr = 360; break;  /* socketpair */
	case 11: nr = 369; break; /* sendto */
	case 16: nr = 370; break; /* sendmsg */
	case 18: nr = 364; break; /* accept4 */
	case 20: nr = 345; break; /* sendmmsg */
	default: return NULL;
	}
	if (bpf_probe_read_user(raw, sizeof(raw), (void *)t->args[1])) {
		t->late |= LATE_SOCKETCALL;
		return NULL;
	}
	for (u32 i = 0; i < 6; i++)
		t->args[i] = raw[i];
	t->does = nr;
	return plan_of(ABI_COMPAT, nr);
}

/* count_selectors counts the values of the arguments that decide what the call
 * does. */
static __always_inline void count_selectors(const struct task *t, const struct plan *plan)
{
	for (u32 i = 0; i < 6; i++)
		if (plan->selectors & (1 << i))
			count_argument(t->does, t->abi, i, (u32)t->args[i]);
}

/* count_deep_selector is count_selectors for the argument that points to such a
 * value. False if that could not be read. */
static __always_inline bool count_deep_selector(const struct task *t, const struct plan *plan)
{
	u32 i = plan->deep_selector & 7;
	u64 value;

	if (plan->deep_selector < 0)
		return true;
	if (bpf_probe_read_user(&value, sizeof(value), (void *)t->args[i]))
		return false;
	count_argument(t->does, t->abi, i, value);
	return true;
}

/* message_name is the address in a struct msghdr of the caller's ABI. */
static __always_inline bool message_name(u32 abi, u64 msg, u64 *name, u32 *len)
{
	if (abi == ABI_NATIVE) {
		struct user_msghdr m;

		if (bpf_probe_read_user(&m, sizeof(m), (void *)msg))
			return false;
		*name = (u64)m.msg_name;
		*len = m.msg_namelen;
	} else {
		u32 m[2];

		if (bpf_probe_read_user(m, sizeof(m), (void *)msg))
			return false;
		*name = m[0];
		*len = m[1];
	}
	return true;
}

/* keep_sockaddr keeps an address in the place of the first string. */
static __always_inline void keep_sockaddr(struct task *t, u64 addr, u32 len)
{
	t->length[0] = 0;
	if (!addr || !len)
		return;
	if (len > SOCKADDR_MAX)
		len = SOCKADDR_MAX; /* the kernel refuses it */
	if (bpf_probe_read_user(t->string[0], len, (void *)addr))
		t->length[0] = -1;
	else
		t->length[0] = len;
}

/* keep_message keeps the address of a struct msghdr. */
static __always_inline void keep_message(struct task *t, u64 msg)
{
	u64 name;
	u32 len;

	if (message_name(t->abi, msg, &name, &len))
		keep_sockaddr(t, name, len);
	else
		t->length[0] = -1;
}

/* keep_address keeps the address that the call names, if it names one. */
static __always_inline void keep_address(struct task *t, const struct plan *plan)
{
	t->length[0] = 0;
	if (plan->addr >= 0)
		keep_sockaddr(t, t->args[plan->addr & 7], t->args[(plan->addr + 1) & 7]);
	else if (plan->msg >= 0)
		keep_message(t, t->args[plan->msg & 7]);
	if (t->length[0] < 0)
		t->late |= LATE_ADDRESS;
}

static __always_inline void keep_strings(struct task *t, const struct plan *plan)
{
	for (u32 k = 0; k < 2; k++) {
		t->length[k] = 0;
		if (plan->path[k] >= 0)
			t->length[k] = bpf_probe_read_user_str(t->string[k], STRING_MAX,
							       (void *)t->args[plan->path[k] & 7]);
	}
}

/* task_in is the task of a slot. For the shared one it is the stand-in that the
 * hook of sys_exit has filled in. */
static __always_inline struct task *task_in(u32 slot)
{
	struct scratch *s;

	if (slot != SLOT_SHARED)
		return bpf_map_lookup_elem(&tasks, &slot);
	s = scratch(SCRATCH_EXIT);
	return s ? &s->guest : NULL;
}

/* keep_operands keeps what the call of the thread in slot points to. */
__noinline int keep_operands(u32 slot)
{
	struct task *t = task_in(slot);
	const struct plan *plan;

	if (!t)
		return -1;
	plan = plan_of(t->abi, t->nr);
	t->late = 0;
	if (plan && plan->flags & PLAN_SOCKETCALL)
		plan = unpack_socketcall(t);
	if (!plan)
		return -1;
	if (plan->flags & PLAN_SELECTORS) {
		count_selectors(t, plan);
		if (!count_deep_selector(t, plan))
			t->late |= LATE_SELECTOR;
	}
	if (plan->flags & PLAN_SOCKET)
		keep_address(t, plan);
	else
		keep_strings(t, plan);
	return 0;
}

/* enter_planned keeps the arguments of a planned call and what they point to. */
static __always_inline void enter_planned(struct task *t, u32 slot, const void *regs)
{
	call_args(regs, t->abi, t->args);
	keep_operands(slot);
	if (!results && t->late)
		lose(LOST_ARGUMENT); /* nobody looks again */
}
