// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The programs that watch. Each is one hook; the headers have what they do:
 *
 *   sys_enter ─ follow.h: is this thread followed? ─ count.h: one more
 *             └ operands.h: keep what the arguments point to
 *   sys_exit  ─ count.h: errors ─ capture.h: a record, or a repeat (fold.h)
 *   fork, exec, exit ─ life.h: who is followed from now on, until when
 *   iterator  ─ life.h: who was there already
 */
#include "capture.h"
#include "life.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Types that no map has, kept in the BTF for bpf2go. */
const struct record *type_record __attribute__((unused));
const struct segment *type_segment __attribute__((unused));
const struct object *type_object __attribute__((unused));
const struct socket_info *type_socket_info __attribute__((unused));
const enum record_kind *type_record_kind __attribute__((unused));
const enum record_flags *type_record_flags __attribute__((unused));
const enum segment_kind *type_segment_kind __attribute__((unused));
const enum plan_flags *type_plan_flags __attribute__((unused));
const enum task_state *type_task_state __attribute__((unused));

/*
 * The doorbell: a thread of Turnstile marks itself as the one that will fork the
 * target by a getppid with a secret in its unused arguments. That works in every
 * pid namespace, and before the thread forks.
 */
static __always_inline void answer_doorbell(struct task_struct *cur, s64 nr, const void *regs)
{
	u64 args[6];
	u16 *entry;

	if (nr != doorbell_nr)
		return;
	call_args(regs, ABI_NATIVE, args);
	if (args[0] != doorbell[0] || args[1] != doorbell[1])
		return;
	entry = slot_of(load(cur, pid));
	if (entry && (*entry == 0 || *entry == SLOT_LAUNCHER))
		*entry = args[2] ? SLOT_LAUNCHER : 0;
}

SEC("raw_tp/sys_enter")
int sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *cur = current_task();
	const void *regs = (void *)ctx->args[0];
	s64 nr = (s32)ctx->args[1];
	const struct plan *plan;
	struct task *t;
	u16 *entry;
	u32 slot, abi;

	if (by_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1)
		return 0;
	entry = slot_of(load(cur, pid));
	if (!entry)
		return 0;
	slot = *entry;
	if (by_cgroup && !slot)
		slot = adopt(cur);
	t = bpf_map_lookup_elem(&tasks, &slot);
	if (!t || !slot) {
		answer_doorbell(cur, nr, regs);
		return 0;
	}
	if (t->state != TASK_FOLLOWED)
		return 0;

	abi = call_abi(cur, &nr);
	count_call(t, slot, abi, nr);
	if (!planned || slot == SLOT_SHARED)
		return 0;
	t->nr = t->does = nr;
	t->abi = abi;
	t->in_call = 1;
	t->fresh = 0;
	plan = plan_of(abi, nr);
	if (!plan || !plan->flags)
		return 0;
	enter_planned(t, slot, regs);
	if (plan->flags & PLAN_NO_RETURN)
		report_last_call(t);
	return 0;
}

/*
 * entered_unseen makes up for a call whose beginning was not seen, because a
 * seccomp filter answered it, or not kept, because the thread has no slot of its
 * own. False if the call is not ours: it began before the thread was followed.
 */
__noinline int entered_unseen(u64 saved_regs, u32 slot)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	const struct pt_regs *regs = (void *)saved_regs;
	struct task_struct *cur = current_task();
	s64 nr = (s32)call_nr(regs);
	const struct plan *plan;
	struct task *t;

	if (!s)
		return false;
	t = entry_of(s, slot, (void *)cur);
	if (!t)
		return false;
	if (slot != SLOT_SHARED && t->fresh) {
		t->fresh = 0;
		return false;
	}
	if (nr < 0 || (by_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1))
		return false;
	t->abi = call_abi(cur, &nr);
	t->nr = t->does = nr;
	if (slot != SLOT_SHARED)
		count_call(t, slot, t->abi, nr);
	plan = plan_of(t->abi, nr);
	if (plan && plan->flags)
		enter_planned(t, slot, regs);
	return true;
}

SEC("raw_tp/sys_exit")
int sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *cur = current_task();
	s64 ret = ctx->args[1];
	const struct plan *plan;
	struct scratch *s;
	struct task *t;
	u16 *entry;
	u32 slot;

	entry = slot_of(load(cur, pid));
	if (!entry || !*entry)
		return 0;
	slot = *entry;
	t = bpf_map_lookup_elem(&tasks, &slot);
	if (!t || t->state != TASK_FOLLOWED)
		return 0;

	if (slot == SLOT_SHARED || !t->in_call) {
		if (!entered_unseen(ctx->args[0], slot))
			return 0;
		if (slot == SLOT_SHARED) {
			s = scratch(SCRATCH_EXIT);
			if (!s)
				return 0;
			t = &s->guest;
		}
	}
	t->in_call = 0;
	plan = plan_of(t->abi, t->nr);
	if (!plan)
		return 0;
	if (is_error(ret) && !(plan->flags & PLAN_NO_RESULT))
		count_error(t->abi, t->nr, ret);
	if (!plan->flags)
		return 0;
	s = scratch(SCRATCH_EXIT);
	if (s)
		capture(s, slot, t, ret);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int sched_process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	forked((void *)ctx->args[0], (void *)ctx->args[1]);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int sched_process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	execed((void *)ctx->args[0], ctx->args[1], (void *)ctx->args[2]);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int sched_process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	exited((void *)ctx->args[0]);
	return 0;
}

/* The iterator adopts the tree below root_pid; user space runs it until a pass
 * finds nobody new. */
SEC("iter/task")
int adopt_tree(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;

	if (p)
		adopt_if_in_tree(p);
	return 0;
}
