/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Who is followed. A thread is followed from the fork (or from the moment that
 * it is found running) until it exits, and owns a slot for that time.
 */
#pragma once

#include "abi.h"

static __always_inline u16 *slot_of(u32 pid)
{
	u32 block = pid / PID_BLOCK;
	struct pid_block *b = bpf_map_lookup_elem(&pids, &block);

	return b ? &b->slot[pid % PID_BLOCK] : NULL;
}

/*
 * visible_pid is the number of a pid in the pid namespace of Turnstile, or 0 if it
 * has none there.
 *
 * This and other functions that are not static are verified once, on their own,
 * and not wherever they are called; before 5.12 they take only scalars.
 */
__noinline u32 visible_pid(u64 thread_pid)
{
	struct pid *pid = (void *)thread_pid;
	u32 level = read(pid, level);
	struct upid u = {};

	for (u32 i = 0; i <= 32; i++) { /* MAX_PID_NS_LEVEL, include/linux/pid_namespace.h */
		/* From the inside out: containers are looked at from outside. */
		if (i > level)
			break;
		bpf_probe_read_kernel(&u, sizeof(u),
				      (void *)pid + field_offset(struct pid, numbers) +
					      (level - i) * sizeof(u));
		if (read(u.ns, ns.inum) == pid_namespace)
			return u.nr;
	}
	return 0;
}

/* pid_here is the number in the initial namespace if there is no better one. */
static __always_inline u32 pid_here(struct pid *pid)
{
	u32 nr = visible_pid((u64)pid);

	return nr ? nr : read(pid, numbers[0].nr);
}

static __always_inline bool is_turnstile(struct task_struct *p)
{
	struct task_struct *leader = read(p, group_leader);

	return visible_pid((u64)read(leader, thread_pid)) == own_pid;
}

static __always_inline struct process identify(struct task_struct *p)
{
	struct task_struct *leader = read(p, group_leader);
	struct process id = {
		.start = read(leader, start_boottime),
		.pid = pid_here(read(leader, thread_pid)),
	};
	return id;
}

/* has_more_power is the rule of cap_ptrace_access_check, security/commoncap.c: no
 * capability that the caller lacks, unless in a namespace that the caller made. */
static __always_inline bool has_more_power(const struct cred *cred)
{
	struct user_namespace *ns = read(cred, user_ns);
	u64 caps = 0;

	if (read(ns, ns.inum) != caller_user_namespace)
		return read(ns, owner.val) != caller_uid;
	bpf_probe_read_kernel(&caps, sizeof(caps),
			      __builtin_preserve_access_index(&cred->cap_permitted));
	return caps & ~caller_caps;
}

/* is_dumpable: may the user have a core dump of this task (prctl(2),
 * PR_SET_DUMPABLE)? */
static __always_inline bool is_dumpable(struct task_struct *p, struct mm_struct *mm)
{
	u64 flags;

	if (field_exists(struct task_struct___exec, exec_state)) {
		struct task_struct___exec *t = (void *)p;

		return read(read(t, exec_state), dumpable) == TASK_DUMPABLE_OWNER;
	}
	if (field_exists(struct mm_struct___bitmap, flags.__mm_flags)) {
		struct mm_struct___bitmap *m = (void *)mm;

		flags = read(m, flags.__mm_flags[0]);
	} else {
		flags = read(mm, flags);
	}
	return (flags & 3) == 1; /* MMF_DUMPABLE_MASK, SUID_DUMP_USER */
}

/* may_look is the rule of ptrace(2), PTRACE_MODE_READ_REALCREDS, for a caller
 * without CAP_SYS_PTRACE. */
static __always_inline bool may_look(struct task_struct *p)
{
	const struct cred *cred = read(p, real_cred);
	struct mm_struct *mm = read(p, mm);

	if (!restricted)
		return true;
	if (read(cred, uid.val) != caller_uid || read(cred, euid.val) != caller_uid ||
	    read(cred, suid.val) != caller_uid || read(cred, gid.val) != caller_gid ||
	    read(cred, egid.val) != caller_gid || read(cred, sgid.val) != caller_gid)
		return false;
	return !has_more_power(cred) && (!mm || is_dumpable(p, mm));
}

/* follow gives p a slot and returns it. Its caller runs as p's parent before p
 * runs, or as p, or holds p still: nobody else touches the slot of p. */
static __always_inline u32 follow(struct task_struct *p, u8 state, bool adopted)
{
	u16 *entry = slot_of(read(p, pid));
	struct task *t;
	u32 slot;

	if (!entry) {
		lose(LOST_UNTRACKED);
		return 0;
	}
	if (adopted && !may_look(p)) {
		state = TASK_WITHHELD;
		lose(LOST_FORBIDDEN);
	}
	if (bpf_map_pop_elem(&free_slots, &slot)) {
		if (state != TASK_FOLLOWED)
			return 0; /* the shared slot cannot say so */
		slot = SLOT_SHARED;
		__sync_fetch_and_add(&shared, 1);
	}
	t = bpf_map_lookup_elem(&tasks, &slot);
	if (!t)
		return 0;
	if (slot != SLOT_SHARED) {
		struct task_struct *parent = read(p, real_parent);
		const struct cred *cred = read(p, real_cred);

		t->process = identify(p);
		t->parent = identify(parent);
		t->tid = pid_here(read(p, thread_pid));
		t->uid = read(cred, uid.val);
		t->ended = 0;
		t->last = 0;
		t->status = 0;
		t->fresh = 1;
		t->in_call = 0;
		t->adopted = adopted;
		bpf_probe_read_kernel(t->comm, sizeof(t->comm),
				      __builtin_preserve_access_index(&p->comm));
		t->state = state;
	}
	*entry = slot;
	__sync_fetch_and_add(&live, 1);
	return slot;
}

/* wait_status is what wait(2) tells the parent of p's process. */
static __always_inline s32 wait_status(struct task_struct *p)
{
	struct signal_struct *sig = read(p, signal);
	struct task_struct *leader = read(p, group_leader);

	if (read(sig, flags) & 4) /* SIGNAL_GROUP_EXIT, include/linux/sched/signal.h */
		return read(sig, group_exit_code);
	return read(leader, exit_code);
}

static __always_inline bool is_last_thread(struct task_struct *p)
{
	struct signal_struct *sig = read(p, signal);

	return read(sig, live.counter) == 0;
}
