/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the kernel side keeps, and what user space set before it was loaded.
 *
 * Membership and counts are arrays, not task storage or hashes: an array lookup
 * is inlined, while every call of a helper costs as much as the rest of the
 * program (docs/benchmarks.md), and arrays work the same on every kernel that
 * has the ring buffer.
 */
#pragma once

#include "helpers.h"
#include "records.h"

/* Set before loading, from internal/observe/load.go. */
const volatile bool results;       /* sys_exit is attached */
const volatile bool planned;       /* there are plans */
const volatile bool typed_current; /* bpf_get_current_task_btf, 5.11 */
const volatile bool has_callbacks; /* bpf_loop and bpf_find_vma, 5.17 */
const volatile bool by_cgroup;     /* follow the tasks below cgroups[0] */
const volatile bool restricted;    /* the caller may only look at its own tasks */
const volatile u32 caller_uid, caller_gid;
const volatile u64 caller_caps;
const volatile u32 caller_user_namespace; /* its inode */
const volatile u32 pid_namespace;         /* inode of the pid namespace of Turnstile */
const volatile u32 own_pid;               /* of Turnstile, which is not followed */
const volatile u32 root_pid;              /* of the tree that the iterator adopts */
const volatile u64 doorbell[2];           /* see observe.bpf.c */
const volatile u32 doorbell_nr;
const volatile s32 io_uring_enter_nr;
const volatile u64 hash_seed[4];
const volatile u32 fold_sets;           /* of each CPU: a power of two */
const volatile u32 wakeup_bytes;        /* wake the reader when a CPU has sent so much */
const volatile u32 attribute_ioctls[8]; /* commands that change attributes of a file */

/* Which task slot a thread has, by pid in the initial namespace: 0 for none.
 * Two threads never write the same entry, so there is nothing to lock. */
#define PID_BLOCK 2048

struct pid_block {
	u16 slot[PID_BLOCK];
};

#define SLOT_SHARED   1      /* for the threads that found no slot free */
#define SLOT_LAUNCHER 0xffff /* a thread of Turnstile about to fork the target */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pid_block);
} pids SEC(".maps");

/* User space maps the slots into its memory. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct task);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct counts);
} counts SEC(".maps");

/* Slots that nobody has. The last one given back comes first, so that memory is
 * touched for no more of them than there are threads at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, u32);
} free_slots SEC(".maps");

/* Slots of ended threads, which user space reads, clears and gives back. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, u32);
} ended_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct rare_key);
	__type(value, u64);
} rare_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct error_key);
	__type(value, u64);
} errors SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct argument_key);
	__type(value, u64);
} arguments SEC(".maps");

/* The struct linux_binprm of an exec between two hooks, by pid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u64);
} execs SEC(".maps");

/* The accesses that were told, by hash. Each CPU has its own part, so that nobody
 * else writes there and nothing has to be atomic. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct fold_set);
} folds SEC(".maps");

/* Plans by ABI and number, and one for the numbers beyond. */
#define PLANNED_CALLS 1024
#define PLAN_UNKNOWN  (3 * PLANNED_CALLS)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLAN_UNKNOWN + 1);
	__type(key, u32);
	__type(value, struct plan);
} plans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* Facts that are missing, by reason, and threads that are followed. */
u64 lost[LOSSES];
s64 live;
u64 shared;  /* threads that got no slot of their own */
u64 adopted; /* threads that were running already */

static __always_inline void lose(u32 reason)
{
	__sync_fetch_and_add(&lost[reason], 1);
}

/* add counts one more of key in a hash, or what it could not count. */
static __always_inline void add(void *map, const void *key, u32 reason)
{
	const u64 one = 1;
	u64 *n = bpf_map_lookup_elem(map, key);

	if (!n) {
		if (!bpf_map_update_elem(map, key, &one, BPF_NOEXIST))
			return;
		/* Somebody else was first, or the map is full. */
		n = bpf_map_lookup_elem(map, key);
		if (!n) {
			lose(reason);
			return;
		}
	}
	__sync_fetch_and_add(n, 1);
}
