/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Building a record, segment by segment, and sending it. */
#pragma once

#include "follow.h"

/*
 * A record is built in a buffer of the CPU and copied to the ring in one piece,
 * so that it takes the room that it needs and no more. Each hook has a buffer of
 * its own: where a program can be preempted (the iterator everywhere, the others on
 * Linux 7) another thread may run another hook in between, but not the same one.
 */
enum scratch_user {
	SCRATCH_ENTER,
	SCRATCH_EXIT,
	SCRATCH_FORK,
	SCRATCH_EXEC,
	SCRATCH_END,
	SCRATCH_TREE,
	SCRATCH_RING,
	SCRATCH_USERS,
};

#define STRING_LIMIT   4096  /* PATH_MAX */
#define SEGMENTS_LIMIT 16384 /* the last segment begins below */
#define ARGV_LIMIT     16384
#define SEGMENTS_SIZE  (SEGMENTS_LIMIT + ARGV_LIMIT + 512)

/* Where a path starts: struct path, as numbers. */
struct base {
	u64 mnt, dentry;
};

struct scratch {
	struct record record;
	u8 segments[SEGMENTS_SIZE];
	u32 used;               /* bytes of segments */
	u32 slot, plan;         /* of the call that is being reported */
	u32 names;              /* bytes of the path that is being walked */
	u32 sent;               /* bytes since the reader was woken */
	u64 hash[2];            /* of what makes an access the same as another */
	struct base base[2];    /* where the paths of the operands start */
	struct base object;     /* where the path of the object ends */
	struct base plain_root; /* a root that is the root of its namespace */
	u8 absolute[8];         /* [2] used: the paths that start with / */
	struct task guest;      /* stands in for a thread that has no slot */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *scratch(u32 user)
{
	u32 i = bpf_get_smp_processor_id() * SCRATCH_USERS + user;

	return bpf_map_lookup_elem(&scratches, &i);
}

static __always_inline void begin(struct scratch *s, u8 kind, const struct process *process)
{
	struct record *r = &s->record;

	r->kind = kind;
	r->abi = 0;
	r->flags = 0;
	r->process = *process;
	r->nr = -1;
	r->ret = 0;
	r->fold = r->forgotten = r->repeats = 0;
	r->uid = 0;
	s->used = 0;
}

static __always_inline bool has_room(struct scratch *s)
{
	if (s->used < SEGMENTS_LIMIT)
		return true;
	s->record.flags |= RECORD_CUT;
	return false;
}

/* end is where the next segment begins, with a bound that the verifier sees. */
static __always_inline u32 end(struct scratch *s)
{
	u32 at = s->used;

	opaque(at);
	return at & (SEGMENTS_LIMIT - 1);
}

/* payload is where the content of the next segment goes. */
static __always_inline u8 *payload(struct scratch *s)
{
	return &s->segments[end(s) + sizeof(struct segment)];
}

/* close ends a segment whose content has been put in place. */
static __always_inline void close_segment(struct scratch *s, u16 kind, u32 len)
{
	struct segment *head = (void *)&s->segments[end(s)];

	head->kind = kind;
	head->len = len;
	s->used += sizeof(*head) + len;
}

/* put_user_string appends a path of the target. False if it is unreadable. The
 * kernel refuses a path that does not fit. */
static __always_inline bool put_user_string(struct scratch *s, u16 kind, u64 addr)
{
	long n;

	if (!has_room(s))
		return true;
	n = bpf_probe_read_user_str(payload(s), STRING_LIMIT, (void *)addr);
	if (n < 0)
		return false;
	close_segment(s, kind, n > 0 ? n - 1 : 0);
	return true;
}

static __always_inline void put_kernel_string(struct scratch *s, u16 kind, const void *addr)
{
	long n;

	if (!has_room(s))
		return;
	n = bpf_probe_read_kernel_str(payload(s), STRING_LIMIT, addr);
	if (n > 0)
		close_segment(s, kind, n - 1);
}

/* put appends a small value that is constant in size. */
#define put(s, kind, value)                                                    \
	do {                                                                   \
		if (has_room(s)) {                                             \
			__builtin_memcpy(payload(s), &(value), sizeof(value)); \
			close_segment(s, kind, sizeof(value));                 \
		}                                                              \
	} while (0)

/* send stamps the record and hands it to user space. The reader polls; it is
 * woken only when there is much to read. */
static __always_inline bool send(struct scratch *s, u32 reason)
{
	u64 size = sizeof(struct record) + s->used;
	u64 flags = BPF_RB_NO_WAKEUP;

	s->record.time = bpf_ktime_get_boot_ns();
	if (size > sizeof(struct record) + SEGMENTS_SIZE)
		size = sizeof(struct record) + SEGMENTS_SIZE;
	s->sent += size;
	if (s->sent > wakeup_bytes) {
		s->sent = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	if (!bpf_ringbuf_output(&ring, s, size, flags))
		return true;
	lose(reason);
	return false;
}
