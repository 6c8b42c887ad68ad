/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * From a call that has ended to its record: an access that this process has made
 * before is only counted, and a new one becomes a record.
 */
#pragma once

#include "fold.h"
#include "operands.h"

#define EFAULT 14

/*
 * The record of a call is put together by functions that are verified one by one
 * and meet in the scratch buffer: it says which thread and which plan.
 */
/* find_call finds the thread and the plan of the call that the scratch buffer names. */
static __always_inline bool find_call(struct scratch *s, struct task **t, struct plan **plan)
{
	u32 i;

	if (!s)
		return false;
	i = s->plan;
	*t = task_in(s->slot);
	*plan = bpf_map_lookup_elem(&plans, &i);
	return *t && *plan;
}

/* keep_late tries again what could not be read when the call began. */
__noinline int keep_late(s64 ret)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	const struct plan *plan;
	struct task *t;
	u8 late;

	if (!s)
		return -1;
	t = task_in(s->slot);
	if (!t)
		return -1;
	plan = plan_of(t->abi, t->does);
	late = t->late;
	t->late = 0;
	if (late & LATE_SOCKETCALL) {
		plan = unpack_socketcall(t);
		if (plan)
			count_selectors(t, plan);
		else if (ret != -EFAULT)
			lose(LOST_ADDRESS);
		t->late = 0;
		late = LATE_ADDRESS;
	}
	if (!plan)
		return -1;
	if (late & LATE_SELECTOR && !count_deep_selector(t, plan) && ret != -EFAULT)
		lose(LOST_ARGUMENT);
	if (late & LATE_ADDRESS)
		keep_address(t, plan);
	return 0;
}

static __always_inline void set_base(struct base *b, struct vfsmount *mnt, struct dentry *dentry)
{
	b->mnt = (u64)mnt;
	b->dentry = (u64)dentry;
}

/* put_start finds where a path starts: at the root of the process, at its working
 * directory, or at a descriptor. */
static __always_inline void put_start(struct scratch *s, u64 k, bool absolute, s32 fd)
{
	struct task_struct *cur = current_task();
	struct fs_struct *fs = load(cur, fs);
	struct base *b = &s->base[k & 1];
	struct file *file;

	s->absolute[k & 1] = absolute;
	if (absolute) {
		set_base(b, load(fs, root.mnt), load(fs, root.dentry));
	} else if (fd == AT_FDCWD) {
		set_base(b, load(fs, pwd.mnt), load(fs, pwd.dentry));
	} else {
		file = file_at(cur, fd);
		if (file)
			bpf_probe_read_kernel(b, sizeof(*b),
					      __builtin_preserve_access_index(&file->f_path));
	}
	/* Read again: what is loaded from a map is a number, not a pointer. */
	mix(s, *(volatile u64 *)&b->dentry);
}

enum told {
	TOLD_SOMETHING,
	TOLD_NO_PATH, /* NULL was passed: the call is about the descriptor, if any */
	TOLD_NOTHING, /* nothing that is worth a record */
};

/* put_operand appends path k as it was when the call began, or as it is now if it
 * could not be read then. */
__noinline int put_operand(u64 k, s64 ret)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	struct plan *plan;
	struct task *t;
	u32 from;
	s32 len, fd = AT_FDCWD;

	k &= 1;
	opaque(k);
	if (!find_call(s, &t, &plan) || !has_room(s))
		return TOLD_NOTHING;
	len = t->length[k];
	if (len > 0 && len < STRING_MAX) {
		opaque(len);
		len &= STRING_MAX - 1;
		bpf_probe_read_kernel(payload(s), len, t->string[k]);
	} else {
		u64 addr = t->args[plan->path[k] & 7];

		if (!addr)
			return plan->flags & PLAN_SKIP_EMPTY ? TOLD_NOTHING : TOLD_NO_PATH;
		len = bpf_probe_read_user_str(payload(s), STRING_LIMIT, (void *)addr);
		if (len < 0) {
			s->record.flags |= RECORD_PARTIAL;
			if (ret != -EFAULT)
				lose(LOST_PATH);
			return TOLD_SOMETHING;
		}
	}
	if (len > 0)
		len--; /* the NUL */
	if (!len && plan->flags & PLAN_SKIP_EMPTY)
		return TOLD_NOTHING;
	from = end(s) + sizeof(struct segment);
	if (plan->dir[k] >= 0)
		fd = t->args[plan->dir[k] & 7];
	put_start(s, k, len && s->segments[from] == '/', fd);
	close_segment(s, SEGMENT_STRING + k, len);
	mix_last(SCRATCH_EXIT, from, len);
	return TOLD_SOMETHING;
}

/* put_address appends the socket address as passed. */
__noinline int put_address(s64 ret)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	struct plan *plan;
	struct task *t;
	u32 from;
	s32 len;

	if (!find_call(s, &t, &plan) || !has_room(s))
		return TOLD_NOTHING;
	len = t->length[0];
	if (len < 0) {
		s->record.flags |= RECORD_PARTIAL;
		if (ret != -EFAULT)
			lose(LOST_ADDRESS);
		return TOLD_SOMETHING;
	}
	if (len == 0)
		return plan->flags & PLAN_ADDRESSED ? TOLD_NOTHING : TOLD_SOMETHING;
	opaque(len);
	len &= 2 * SOCKADDR_MAX - 1;
	from = end(s) + sizeof(struct segment);
	bpf_probe_read_kernel(payload(s), len, t->string[0]);
	if (*(u16 *)t->string[0] == AF_UNIX && len > 2 && t->string[0][2])
		put_start(s, 0, t->string[0][2] == '/', AT_FDCWD);
	close_segment(s, SEGMENT_SOCKADDR, len);
	mix_last(SCRATCH_EXIT, from, len);
	return TOLD_SOMETHING;
}

/* put_object appends the inode behind a descriptor, and notes where its path
 * ends. */
__noinline int put_object(s64 fd, u32 created_matters)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	struct file *file = file_at(current_task(), fd);
	struct object o;

	if (!s || !file)
		return TOLD_NOTHING;
	bpf_probe_read_kernel(&s->object, sizeof(s->object),
			      __builtin_preserve_access_index(&file->f_path));
	o = object_of(read(file, f_inode));
	put(s, SEGMENT_OBJECT, o);
	if (created_matters && read(file, f_mode) & FMODE_CREATED)
		s->record.flags |= RECORD_CREATED;
	mix(s, o.ino);
	mix(s, o.dev | (u64)s->record.flags << 32);
	return TOLD_SOMETHING;
}

/* put_new_place is put_object for a call that has changed the working directory or
 * the root directory. That is where a path starts now, so where this one started
 * is not known any more. */
__noinline int put_new_place(u32 flags)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	struct fs_struct *fs = load(current_task(), fs);
	struct object o;

	if (!s)
		return TOLD_NOTHING;
	if (flags & PLAN_SETS_CWD)
		set_base(&s->object, load(fs, pwd.mnt), load(fs, pwd.dentry));
	else
		set_base(&s->object, load(fs, root.mnt), load(fs, root.dentry));
	o = object_of(read((struct dentry *)s->object.dentry, d_inode));
	put(s, SEGMENT_OBJECT, o);
	s->base[0].mnt = 0;
	mix(s, o.ino);
	mix(s, o.dev);
	return TOLD_SOMETHING;
}

/* put_socket appends what the socket behind a descriptor is; for some calls with
 * its own address, or that of its peer. */
__noinline int put_socket(s64 fd, u32 flags)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	struct sock *sk = socket_at(current_task(), fd);
	struct socket_info info;

	if (!s || !sk)
		return TOLD_NOTHING;
	info = describe(sk, flags & (PLAN_OWN_NAME | PLAN_PEER_NAME));
	put(s, SEGMENT_SOCKET, info);
	mix(s, *(u64 *)&info);
	mix(s, *(u64 *)&info.addr[0]);
	mix(s, *(u64 *)&info.addr[8]);
	if (info.family == AF_UNIX && flags & PLAN_OWN_NAME) {
		put_unix_name(s, sk);
		bpf_probe_read_kernel(
			&s->object, sizeof(s->object),
			__builtin_preserve_access_index(&((struct unix_sock *)sk)->path));
	}
	return TOLD_SOMETHING;
}

/* put_base appends where the path of operand k starts. An absolute path starts
 * at the root of the process, which is told only if it is not that of its mount
 * namespace. */
__noinline int put_base(u64 k)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	struct base b;

	k &= 1;
	opaque(k);
	if (!s)
		return -1;
	b = s->base[k];
	if (!b.mnt)
		return 0;
	if (s->absolute[k] && b.mnt == s->plain_root.mnt && b.dentry == s->plain_root.dentry)
		return 0;
	if (put_names(SCRATCH_EXIT, SEGMENT_BASE + k, b.mnt, b.dentry) == 0)
		s->plain_root = b;
	return 0;
}

static __always_inline void begin_call(struct scratch *s, const struct task *t, u16 flags, s64 ret)
{
	begin(s, RECORD_CALL, &t->process);
	s->record.flags = flags;
	s->record.abi = t->abi;
	s->record.tid = t->tid;
	s->record.nr = t->does;
	s->record.ret = ret;
	for (u32 i = 0; i < 6; i++)
		s->record.args[i] = t->args[i];
}

static __always_inline void begin_access(struct scratch *s, const struct task *t, s64 ret)
{
	s->base[0].mnt = s->base[0].dentry = 0;
	s->base[1].mnt = s->base[1].dentry = 0;
	s->object.mnt = 0;
	s->hash[0] = hash_seed[0];
	s->hash[1] = hash_seed[1];
	mix(s, t->process.start);
	mix(s, (u64)t->process.pid << 32 | (u32)t->does);
	mix(s, (u64)t->abi << 32 | (is_error(ret) ? (u32)-ret : 0));
}

/* put_flags takes in the options of the call. */
static __always_inline void put_flags(struct scratch *s, const struct task *t,
				      const struct plan *plan)
{
	u64 word = 0;

	if (plan->option >= 0)
		mix(s, (u32)t->args[plan->option & 7]);
	if (plan->word < 0)
		return;
	bpf_probe_read_user(&word, sizeof(word), (void *)t->args[plan->word & 7]);
	put(s, SEGMENT_WORD, word);
	mix(s, word);
}

/* subject_of is the descriptor of what the call was about: the one it returned, or
 * the one it got. */
static __always_inline s64 subject_of(const struct task *t, const struct plan *plan, s64 ret)
{
	if (plan->flags & PLAN_RETURNS_FD && ret >= 0)
		return ret;
	return plan->fd >= 0 ? (s32)t->args[plan->fd & 7] : -1;
}

static __always_inline int put_socket_access(struct scratch *s, const struct task *t,
					     const struct plan *plan, s64 ret)
{
	u32 flags = plan->flags;
	int told = TOLD_SOMETHING;

	if (plan->addr >= 0 || plan->msg >= 0 || plan->mmsg >= 0)
		told = put_address(ret);
	if (ret < 0)
		flags &= ~PLAN_PEER_NAME;
	if (told == TOLD_SOMETHING)
		put_socket(subject_of(t, plan, ret), flags);
	return told;
}

static __always_inline int put_file_access(struct scratch *s, const struct task *t,
					   const struct plan *plan, s64 ret)
{
	s64 subject = subject_of(t, plan, ret);
	int told = TOLD_SOMETHING;

	if (plan->path[0] >= 0)
		told = put_operand(0, ret);
	if (plan->path[1] >= 0)
		put_operand(1, ret);
	if (told == TOLD_NO_PATH)
		put_object(plan->dir[0] >= 0 ? (s32)t->args[plan->dir[0] & 7] : -1, false);
	else if (ret == 0 && plan->flags & (PLAN_SETS_CWD | PLAN_SETS_ROOT))
		put_new_place(plan->flags);
	else if (told == TOLD_SOMETHING && subject >= 0)
		put_object(subject, plan->flags & PLAN_RETURNS_FD);
	return told;
}

/* put_access appends what the call touched. False if that was told before, or is
 * not worth telling. */
static __always_inline bool put_access(struct scratch *s, const struct task *t,
				       const struct plan *plan, s64 ret)
{
	int told;

	begin_access(s, t, ret);
	put_flags(s, t, plan);
	if (plan->flags & PLAN_SOCKET)
		told = put_socket_access(s, t, plan, ret);
	else
		told = put_file_access(s, t, plan, ret);
	if (!(plan->flags & PLAN_STREAM)) {
		if (told == TOLD_NOTHING || is_repeat(s))
			return false;
		name_fold(s);
	}
	if (s->base[0].mnt)
		put_base(0);
	if (s->base[1].mnt)
		put_base(1);
	if (s->object.mnt)
		put_names(SCRATCH_EXIT, SEGMENT_OBJECT_PATH, s->object.mnt, s->object.dentry);
	return true;
}

/* is_attribute_ioctl says whether an ioctl changes the attributes of a file. */
static __always_inline bool is_attribute_ioctl(u32 command)
{
	for (u32 i = 0; i < 8; i++)
		if (command == attribute_ioctls[i])
			return true;
	return false;
}

#define PROT_EXEC 4

/* touches_by_argument says of a call of which that depends on more than its number
 * whether it touched something, and the record of it is for us to make. */
__noinline int touches_by_argument(u32 slot, u32 index, s64 ret)
{
	const struct plan *plan = bpf_map_lookup_elem(&plans, &index);
	const struct task *t = task_in(slot);

	if (!plan || !t)
		return false;
	if (plan->flags & PLAN_EXEC && ret == 0)
		return false;
	if (plan->flags & PLAN_NEEDS_EXEC)
		return t->args[plan->option & 7] & PROT_EXEC && (s32)t->args[plan->fd & 7] >= 0;
	if (plan->flags & PLAN_IOCTL)
		return is_attribute_ioctl(t->args[1]);
	return true;
}

static __always_inline bool touches(const struct scratch *s, const struct plan *plan, s64 ret)
{
	if (plan->flags & (PLAN_EXEC | PLAN_NEEDS_EXEC | PLAN_IOCTL))
		return touches_by_argument(s->slot, s->plan, ret);
	return plan->flags & PLAN_ACCESS;
}

/* reason_of is what a lost record of an access is counted as. */
static __always_inline u32 reason_of(const struct plan *plan)
{
	if (plan->flags & PLAN_EXEC)
		return LOST_RINGBUF_PROCESS;
	return plan->flags & PLAN_SOCKET ? LOST_RINGBUF_SOCKET : LOST_RINGBUF_FILE;
}

/* report turns the call that the scratch buffer names into a record, or into a
 * count. */
__noinline int report(s64 ret)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	u32 reason = LOST_RINGBUF_CALL;
	struct plan *plan;
	struct task *t;

	if (!find_call(s, &t, &plan))
		return -1;
	begin_call(s, t, plan->flags & PLAN_NO_RESULT ? 0 : RECORD_RETURNED, ret);
	if (touches(s, plan, ret)) {
		if (!put_access(s, t, plan, ret))
			return 0;
		reason = reason_of(plan);
	}
	bpf_get_current_comm(s->record.comm, sizeof(s->record.comm));
	if (send(s, reason))
		remember(s);
	return 0;
}

#define MAX_MESSAGES 16 /* of one sendmmsg whose addresses are told */

/* report_message reports message i of a sendmmsg, if it has an address. */
__noinline int report_message(u32 i, s64 ret)
{
	struct scratch *s = scratch(SCRATCH_EXIT);
	struct plan *plan;
	struct task *t;
	u32 stride;

	if (!find_call(s, &t, &plan))
		return -1;
	stride = t->abi == ABI_NATIVE ? 64 : 32; /* sizeof(struct mmsghdr) */
	keep_message(t, t->args[plan->mmsg & 7] + i * stride);
	if (i == 0 || t->length[0])
		report(ret);
	return 0;
}

static __always_inline void report_messages(s64 ret)
{
	for (u32 i = 0; i < MAX_MESSAGES; i++) {
		report_message(i, ret);
		if (i + 1 >= ret)
			return;
	}
	lose(LOST_ADDRESS);
}

/* capture reports a planned call that has ended, if there is anything to report. */
static __always_inline void capture(struct scratch *s, u32 slot, const struct task *t, s64 ret)
{
	const struct plan *plan;

	s->slot = slot;
	if (t->late)
		keep_late(ret);
	plan = plan_of(t->abi, t->does);
	if (!plan)
		return;
	if (plan->flags & PLAN_IO_URING && ret >= 0)
		lose(LOST_IO_URING);
	s->plan = plan_index(t->abi, t->does);
	if (!(plan->flags & PLAN_STREAM) && !touches(s, plan, ret))
		return;
	if (plan->mmsg >= 0)
		report_messages(ret);
	else
		report(ret);
}

/* report_last_call reports a call that does not return. */
static __always_inline void report_last_call(const struct task *t)
{
	struct scratch *s = scratch(SCRATCH_ENTER);

	if (!s)
		return;
	begin_call(s, t, 0, 0);
	bpf_get_current_comm(s->record.comm, sizeof(s->record.comm));
	send(s, LOST_RINGBUF_CALL);
}
