// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The programs that watch. Each is one hook; the headers have what they do:
 *
 *   sys_enter ─ follow.h: is this thread followed? ─ count.h: one more
 *             └ operands.h: keep what the arguments point to
 *   sys_exit  ─ count.h: errors ─ capture.h: a record, or a repeat (fold.h)
 *   fork, exec, exit ─ life.h: who is followed from now on, until when
 *   iterator  ─ life.h: who was there already
 *   opened    ─ uring.h: what io_uring opens
 */
#include "capture.h"
#include "life.h"
#include "uring.h"

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
const enum scratch_user *type_scratch_user __attribute__((unused));
const enum bell *type_bell __attribute__((unused));

/*
 * The doorbell: a getppid with a secret in its unused arguments, by which Turnstile
 * talks to the kernel side. A thread marks itself as the one that will fork the
 * target: that works in every pid namespace, and before it forks. And slots of ended
 * threads are given back, many at a time: a map is not updated for that by bpf(2)
 * because on Linux 7 no program of a perf event runs on that CPU meanwhile.
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
	switch (args[2]) {
	case BELL_LAUNCH:
		if (entry && *entry == 0)
			*entry = SLOT_LAUNCHER;
		break;
	case BELL_LAUNCHED:
		if (entry && *entry == SLOT_LAUNCHER)
			*entry = 0;
		break;
	case BELL_SLOTS:
		for (u32 i = 0; i < BELL_SLOTS_MAX; i++) {
			u32 slot = args[3 + i / 4] >> (i % 4 * 16) & 0xffff;

			if (slot)
				bpf_map_push_elem(&free_slots, &slot, BPF_ANY);
		}
	}
}

static __always_inline void entered(struct task_struct *cur, s64 nr, const void *regs)
{
	const struct plan *plan;
	struct task *t;
	u16 *entry;
	u32 slot, abi;

	if (by_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1) {
		answer_doorbell(cur, nr, regs);
		return;
	}
	entry = slot_of(load(cur, pid));
	if (!entry)
		return;
	slot = *entry;
	if (by_cgroup && !slot)
		slot = adopt(cur, SCRATCH_ENTER);
	t = bpf_map_lookup_elem(&tasks, &slot);
	if (!t || !slot) {
		answer_doorbell(cur, nr, regs);
		return;
	}
	if (t->state != TASK_FOLLOWED)
		return;

	abi = call_abi(cur, &nr);
	count_call(t, slot, abi, nr);
	if (!planned || slot == SLOT_SHARED)
		return;
	t->nr = t->does = nr;
	t->abi = abi;
	t->in_call = 1;
	t->fresh = 0;
	plan = plan_of(abi, nr);
	if (!plan || !plan->flags)
		return;
	enter_planned(t, slot, regs);
	if (plan->flags & PLAN_NO_RETURN)
		report_last_call(t);
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
	const struct plan *plan;
	struct task *t;
	s64 nr;

	if (!s)
		return false;
	if (type_exists(class_srcu_fast_notrace_t))
		regs = bpf_task_pt_regs(bpf_get_current_task_btf());
	nr = (s32)call_nr(regs);
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

static __always_inline void returned(struct task_struct *cur, s64 ret, u64 saved_regs)
{
	const struct plan *plan;
	struct scratch *s;
	struct task *t;
	u16 *entry;
	u32 slot;

	entry = slot_of(load(cur, pid));
	if (!entry || !*entry)
		return;
	slot = *entry;
	t = bpf_map_lookup_elem(&tasks, &slot);
	if (!t || t->state != TASK_FOLLOWED)
		return;

	if (slot == SLOT_SHARED || !t->in_call) {
		if (!entered_unseen(saved_regs, slot))
			return;
		if (slot == SLOT_SHARED) {
			s = scratch(SCRATCH_EXIT);
			if (!s)
				return;
			t = &s->guest;
		}
	}
	t->in_call = 0;
	plan = plan_of(t->abi, t->nr);
	if (!plan)
		return;
	if (is_error(ret) && !(plan->flags & PLAN_NO_RESULT))
		count_error(t->abi, t->nr, ret);
	if (!plan->flags)
		return;
	s = scratch(SCRATCH_EXIT);
	if (s)
		capture(s, slot, t, ret);
}

SEC("raw_tp/sys_enter")
int sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	entered(current_task(), (s32)ctx->args[1], (void *)ctx->args[0]);
	return 0;
}

SEC("raw_tp/sys_exit")
int sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	returned(current_task(), ctx->args[1], ctx->args[0]);
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
	execed((void *)ctx->args[0], ctx->args[1], (void *)ctx->args[2], NULL);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int sched_process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	exited((void *)ctx->args[0]);
	return 0;
}

/*
 * On Linux 7 the program of a raw tracepoint can be preempted, and until it goes on it
 * is not run for anybody else on that CPU. For the program of a perf event the kernel
 * holds off preemption, so there these take the place of the ones above
 * (internal/observe/hooks.go). They are given less.
 */

SEC("tp/raw_syscalls/sys_enter")
int event_sys_enter(struct trace_event_raw_sys_enter *ctx)
{
	struct task_struct *cur = bpf_get_current_task_btf();

	entered(cur, (s32)ctx->id, bpf_task_pt_regs(cur));
	return 0;
}

SEC("tp/raw_syscalls/sys_exit")
int event_sys_exit(struct trace_event_raw_sys_exit *ctx)
{
	returned(current_task(), ctx->ret, 0);
	return 0;
}

SEC("tp/sched/sched_process_fork")
int event_fork(struct trace_event_raw_sched_process_fork *ctx)
{
	struct task_struct *child = bpf_task_from_pid(ctx->child_pid);

	if (!child) {
		lose(LOST_UNTRACKED);
		return 0;
	}
	forked(current_task(), child);
	bpf_task_release(child);
	return 0;
}

/* note_exec runs before event_exec and keeps what that is not given. */
SEC("raw_tp/sched_process_exec")
int note_exec(struct bpf_raw_tracepoint_args *ctx)
{
	u32 pid = load(current_task(), pid), old_pid = ctx->args[1];
	u64 bprm = ctx->args[2];
	u16 *entry = slot_of(old_pid);

	if (entry && *entry)
		bpf_map_update_elem(&execs, &pid, &bprm, BPF_ANY);
	return 0;
}

SEC("tp/sched/sched_process_exec")
int event_exec(struct trace_event_raw_sched_process_exec *ctx)
{
	u32 pid = load(current_task(), pid);
	u64 *noted = bpf_map_lookup_elem(&execs, &pid);

	execed(current_task(), ctx->old_pid, noted ? (void *)*noted : NULL,
	       (char *)ctx + (u16)ctx->__data_loc_filename);
	if (noted)
		bpf_map_delete_elem(&execs, &pid);
	return 0;
}

SEC("tp/sched/sched_process_exit")
int event_exit(void *ctx)
{
	exited(current_task());
	return 0;
}

SEC("fexit/security_file_open")
int file_opened(u64 *ctx)
{
	opened((void *)ctx[0], ctx[1]);
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
