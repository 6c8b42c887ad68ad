/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Files that io_uring opens. No system call says so, but the hook that the kernel
 * has for security modules runs at every open: where programs may be attached to a
 * function (fexit), it tells of those that a ring of a followed process makes.
 */
#pragma once

#include "paths.h"

#define PF_IO_WORKER 0x10 /* include/linux/sched.h */

/* ring_user is the task for which the current one does the work of a ring: itself,
 * within io_uring_enter, or for a worker the leader of the process, which it belongs
 * to since Linux 5.12 and 5.10.162. NULL if that is not followed. */
static __always_inline struct task *ring_user(struct task_struct *cur)
{
	bool worker = read(cur, flags) & PF_IO_WORKER;
	u16 *entry = slot_of(worker ? read(cur, tgid) : read(cur, pid));
	u32 slot = entry ? *entry : 0;
	struct task *t;

	if (!slot || slot == SLOT_SHARED)
		return NULL;
	t = bpf_map_lookup_elem(&tasks, &slot);
	if (!t || t->state != TASK_FOLLOWED)
		return NULL;
	if (worker || (t->in_call && t->abi == ABI_NATIVE && t->nr == io_uring_enter_nr))
		return t;
	return NULL;
}

/* opened tells of a file that was opened, or that a security module did not let. */
static __always_inline void opened(struct file *file, int ret)
{
	struct task_struct *cur = bpf_get_current_task();
	struct task *t = ring_user(cur);
	struct scratch *s = scratch(SCRATCH_RING);
	struct object o;
	struct base b;

	if (!t || !s)
		return;
	begin(s, RECORD_OPENED, &t->process);
	bpf_get_current_comm(s->record.comm, sizeof(s->record.comm));
	s->record.flags = RECORD_RETURNED;
	if (read(file, f_mode) & FMODE_CREATED)
		s->record.flags |= RECORD_CREATED;
	s->record.tid = pid_here(read(cur, thread_pid));
	s->record.nr = io_uring_enter_nr;
	s->record.ret = ret;
	s->record.args[0] = read(file, f_flags);
	o = object_of(read(file, f_inode));
	put(s, SEGMENT_OBJECT, o);
	bpf_probe_read_kernel(&b, sizeof(b), __builtin_preserve_access_index(&file->f_path));
	put_names(SCRATCH_RING, SEGMENT_OBJECT_PATH, b.mnt, b.dentry);
	send(s, LOST_RINGBUF_FILE);
}
