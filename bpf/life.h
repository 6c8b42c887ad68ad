/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The life of a followed process: found, forked, given a new image, ended. */
#pragma once

#include "paths.h"

static __always_inline void put_image(struct scratch *s, u32 user, struct task_struct *p)
{
	struct mm_struct *mm = read(p, mm);
	struct file *exe = mm ? read(mm, exe_file) : NULL;
	struct base b;

	if (!exe)
		return;
	bpf_probe_read_kernel(&b, sizeof(b), __builtin_preserve_access_index(&exe->f_path));
	put_names(user, SEGMENT_EXE, b.mnt, b.dentry);
}

/* put_working_directory appends where the path of a script starts, if that is
 * relative. It follows a filename. */
static __always_inline void put_working_directory(struct scratch *s, struct task_struct *p)
{
	struct fs_struct *fs = read(p, fs);
	struct path pwd = read(fs, pwd);

	if (s->segments[sizeof(struct segment)] != '/')
		put_names(SCRATCH_EXEC, SEGMENT_BASE, (u64)pwd.mnt, (u64)pwd.dentry);
}

/* put_argv appends the argument strings of the image that p has just got. They
 * lie in pages that execve has just written. */
static __always_inline void put_argv(struct scratch *s, struct task_struct *p)
{
	struct mm_struct *mm = read(p, mm);
	u64 start = read(mm, arg_start), len = read(mm, arg_end) - start;

	if (!has_room(s))
		return;
	if (len > ARGV_LIMIT) {
		len = ARGV_LIMIT;
		s->record.flags |= RECORD_CUT;
		lose(LOST_ARGV);
	}
	if (bpf_probe_read_user(payload(s), len, (void *)start)) {
		s->record.flags |= RECORD_PARTIAL;
		lose(LOST_ARGV);
		return;
	}
	close_segment(s, SEGMENT_ARGV, len);
}

#define AT_BASE      7  /* include/uapi/linux/auxvec.h */
#define AUXV_ENTRIES 16 /* AT_BASE is among the first */

/* loader_address is where the kernel has mapped the ELF interpreter of p: 0 for a
 * static program. It uses the room of the next segment. */
static __always_inline u64 loader_address(struct scratch *s, struct mm_struct *mm)
{
	u32 at = end(s) + sizeof(struct segment);
	const u32 *auxv = (void *)&s->segments[at];

	opaque(auxv); /* as in mix_last */
	if (bpf_probe_read_kernel((void *)auxv, 16 * AUXV_ENTRIES,
				  __builtin_preserve_access_index(&mm->saved_auxv[0])))
		return 0;
	/* Pairs of type and value, of the program's own word size. */
	if (auxv[1]) {
		for (u32 i = 0; i < AUXV_ENTRIES; i++)
			if (auxv[2 * i] == AT_BASE)
				return auxv[2 * i + 1];
	} else {
		for (u32 i = 0; i < AUXV_ENTRIES; i++)
			if (auxv[4 * i] == AT_BASE)
				return auxv[4 * i + 2] | (u64)auxv[4 * i + 3] << 32;
	}
	return 0;
}

static __noinline long note_file(struct task_struct *p, struct vm_area_struct *vma,
				 struct file **file)
{
	*file = read(vma, vm_file);
	return 0;
}

#define FIRST_AREAS 32 /* of a new image, among which the ELF interpreter is */

/* file_mapped_at is the file behind an address of the current task. */
static __always_inline struct file *file_mapped_at(struct mm_struct *mm, u64 addr)
{
	struct mm_struct___list *list = (void *)mm;
	struct vm_area_struct___list *area;
	struct file *file = NULL;

	if (has_callbacks) {
		bpf_find_vma(bpf_get_current_task_btf(), addr, note_file, &file, 0);
		return file;
	}
	if (!field_exists(struct mm_struct___list, mmap))
		return NULL;
	area = read(list, mmap);
	for (u32 i = 0; area && i < FIRST_AREAS; i++) {
		struct vm_area_struct *vma = (void *)area;

		if (read(vma, vm_start) == addr) {
			note_file(NULL, vma, &file);
			return file;
		}
		area = read(area, vm_next);
	}
	return NULL;
}

/* put_loader appends the path of the ELF interpreter of the new image. */
static __always_inline void put_loader(struct scratch *s, struct task_struct *p)
{
	struct mm_struct *mm = read(p, mm);
	struct file *file;
	struct base b;
	u64 addr;

	if (!has_room(s))
		return;
	addr = loader_address(s, mm);
	if (!addr)
		return;
	file = file_mapped_at(mm, addr);
	if (!file) {
		lose(LOST_PATH);
		return;
	}
	bpf_probe_read_kernel(&b, sizeof(b), __builtin_preserve_access_index(&file->f_path));
	put_names(SCRATCH_EXEC, SEGMENT_LOADER, b.mnt, b.dentry);
}

static __always_inline void begin_life(struct scratch *s, u8 kind, const struct task *t)
{
	begin(s, kind, &t->process);
	s->record.parent = t->parent;
	s->record.tid = t->tid;
	s->record.uid = t->uid;
	__builtin_memcpy(s->record.comm, t->comm, sizeof(t->comm));
}

/* entry_of is the task of a slot, or the stand-in if the slot is shared. */
static __always_inline struct task *entry_of(struct scratch *s, u32 slot, struct task_struct *p)
{
	const struct cred *cred;

	if (slot != SLOT_SHARED)
		return bpf_map_lookup_elem(&tasks, &slot);
	cred = read(p, real_cred);
	s->guest.process = identify(p);
	s->guest.parent = identify(read(p, real_parent));
	s->guest.tid = pid_here(read(p, thread_pid));
	s->guest.uid = read(cred, uid.val);
	s->guest.state = TASK_FOLLOWED;
	bpf_probe_read_kernel(s->guest.comm, sizeof(s->guest.comm),
			      __builtin_preserve_access_index(&p->comm));
	return &s->guest;
}

static __always_inline bool is_leader(struct task_struct *p)
{
	return read(p, pid) == read(p, tgid);
}

/* adopt follows a thread that was running before anybody looked. */
static __always_inline u32 adopt(struct task_struct *p, u32 user)
{
	struct scratch *s = scratch(user);
	struct task *t;
	u32 slot;

	if (is_turnstile(p))
		return 0;
	slot = follow(p, TASK_FOLLOWED, true);
	if (!s || !slot)
		return slot;
	__sync_fetch_and_add(&adopted, 1);
	t = entry_of(s, slot, p);
	if (!t || t->state != TASK_FOLLOWED)
		return slot;
	begin_life(s, RECORD_ADOPT, t);
	put_image(s, user, p);
	send(s, LOST_RINGBUF_PROCESS);
	return slot;
}

/* give_back hands a slot to user space, which reads its counts and frees it. */
static __always_inline void give_back(u32 slot)
{
	if (slot != SLOT_SHARED)
		bpf_map_push_elem(&ended_slots, &slot, BPF_ANY);
	__sync_fetch_and_add(&live, -1);
}

/* forget_stale clears the entry of a new pid. It is in use only if the iterator has
 * just adopted the child, or the last owner of that pid while it was exiting. */
static __always_inline void forget_stale(struct task_struct *child)
{
	u16 *entry = slot_of(read(child, pid));
	u32 slot = entry ? *entry : 0;

	if (!slot)
		return;
	*entry = 0;
	give_back(slot);
}

/* forked follows the child of a followed thread. The child has not run yet. */
static __noinline void forked(struct task_struct *parent, struct task_struct *child)
{
	u16 *entry = slot_of(read(parent, pid));
	struct scratch *s = scratch(SCRATCH_FORK);
	u32 slot = entry ? *entry : 0;
	struct task *t;

	forget_stale(child);
	if (!slot || !s)
		return;
	if (slot == SLOT_LAUNCHER) {
		if (is_leader(child))
			follow(child, TASK_ARMED, false);
		return;
	}
	t = bpf_map_lookup_elem(&tasks, &slot);
	if (!t || (t->state != TASK_FOLLOWED && t->state != TASK_WITHHELD))
		return;
	slot = follow(child, t->state, false);
	if (!slot || !is_leader(child))
		return;
	t = entry_of(s, slot, child);
	if (!t || t->state != TASK_FOLLOWED)
		return;
	begin_life(s, RECORD_FORK, t);
	send(s, LOST_RINGBUF_PROCESS);
}

/*
 * execed goes on with a thread that has a new image, and perhaps the pid of its
 * process's leader. The filename is read through the bprm, where there is one.
 */
static __noinline void execed(struct task_struct *p, u32 old_pid, struct linux_binprm *bprm,
			      const char *filename)
{
	struct scratch *s = scratch(SCRATCH_EXEC);
	u16 *entry = slot_of(old_pid), *own;
	const struct cred *cred;
	const char *interp;
	struct task *t;
	u32 slot = entry ? *entry : 0;

	if (!slot || slot == SLOT_LAUNCHER || !s)
		return;
	own = slot_of(read(p, pid));
	if (own && own != entry) {
		*entry = 0;
		*own = slot;
	}
	t = entry_of(s, slot, p);
	if (!t)
		return;
	cred = read(p, real_cred);
	t->uid = read(cred, uid.val);
	t->tid = t->process.pid;
	bpf_probe_read_kernel(t->comm, sizeof(t->comm), __builtin_preserve_access_index(&p->comm));
	t->in_call = 0;
	t->fresh = 1;
	t->state = TASK_FOLLOWED;
	if (!may_look(p)) {
		lose(LOST_FORBIDDEN);
		if (slot == SLOT_SHARED && own) {
			*own = 0; /* no place to keep the state */
			__sync_fetch_and_add(&live, -1);
		}
		t->state = TASK_WITHHELD;
		return;
	}
	begin_life(s, RECORD_EXEC, t);
	if (bprm)
		filename = read(bprm, filename);
	put_kernel_string(s, SEGMENT_FILENAME, filename);
	interp = bprm ? read(bprm, interp) : filename;
	if (interp != filename) {
		put_kernel_string(s, SEGMENT_INTERP, interp);
		put_working_directory(s, p);
	}
	put_image(s, SCRATCH_EXEC, p);
	if (results)
		put_loader(s, p);
	put_argv(s, p);
	send(s, LOST_RINGBUF_PROCESS);
}

/* exited gives the slot of a thread to user space, which reads the counts. */
static __noinline void exited(struct task_struct *p)
{
	u16 *entry = slot_of(read(p, pid));
	struct scratch *s = scratch(SCRATCH_END);
	u32 slot = entry ? *entry : 0;
	struct task *t;
	bool last;

	if (!slot || !s)
		return;
	*entry = 0;
	if (slot == SLOT_LAUNCHER)
		return;
	t = entry_of(s, slot, p);
	if (!t)
		return;
	last = is_last_thread(p);
	if (last && t->state == TASK_FOLLOWED) {
		begin_life(s, RECORD_EXIT, t);
		s->record.ret = wait_status(p);
		send(s, LOST_RINGBUF_PROCESS);
	}
	if (slot != SLOT_SHARED) {
		t->ended = bpf_ktime_get_boot_ns();
		t->last = last;
		t->status = wait_status(p);
	}
	give_back(slot);
}

#define PF_EXITING 4 /* include/linux/sched.h */

static __always_inline bool is_followed(u32 pid)
{
	u16 *entry = slot_of(pid);

	return entry && *entry && *entry != SLOT_LAUNCHER;
}

/* adopt_if_in_tree follows a running thread of the process root_pid, or of a
 * process or the child of a process that is followed. */
static __always_inline void adopt_if_in_tree(struct task_struct *p)
{
	struct task_struct *parent = read(p, real_parent);
	u32 tgid = read(p, tgid);

	if (read(p, flags) & PF_EXITING || is_followed(read(p, pid)))
		return;
	if (identify(p).pid == root_pid || is_followed(tgid) || is_followed(read(parent, pid)) ||
	    is_followed(read(parent, tgid)))
		adopt(p, SCRATCH_TREE);
}
