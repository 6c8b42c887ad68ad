/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The helper functions that Turnstile calls, with the numbers that
 * include/uapi/linux/bpf.h gives them, and the macros that the loader
 * understands (https://docs.ebpf.io).
 */
#pragma once

#include "vmlinux.h"

#define SEC(name)             __attribute__((section(name), used))
#define __uint(name, val)     int(*name)[val]
#define __type(name, val)     typeof(val) *name
#define __always_inline       inline __attribute__((always_inline))
#define __noinline            __attribute__((noinline))
#define offsetof(type, field) __builtin_offsetof(type, field)

/* Flags of map updates and of the ring buffer. */
#define BPF_ANY             0
#define BPF_NOEXIST         1
#define BPF_F_MMAPABLE      1024
#define BPF_RB_NO_WAKEUP    1
#define BPF_RB_FORCE_WAKEUP 2

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_CGROUP_ARRAY = 8,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_RINGBUF = 27,
};

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value,
					 u64 flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static u32 (*const bpf_get_smp_processor_id)(void) = (void *)8;
static u64 (*const bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*const bpf_get_current_comm)(void *buf, u32 size) = (void *)16;
static struct task_struct *(*const bpf_get_current_task)(void) = (void *)35;
static long (*const bpf_current_task_under_cgroup)(void *map, u32 index) = (void *)37;
static long (*const bpf_map_push_elem)(void *map, const void *value, u64 flags) = (void *)87;
static long (*const bpf_map_pop_elem)(void *map, void *value) = (void *)88;
static long (*const bpf_probe_read_user)(void *dst, u32 size, const void *src) = (void *)112;
static long (*const bpf_probe_read_kernel)(void *dst, u32 size, const void *src) = (void *)113;
static long (*const bpf_probe_read_user_str)(void *dst, u32 size, const void *src) = (void *)114;
static long (*const bpf_probe_read_kernel_str)(void *dst, u32 size, const void *src) = (void *)115;
static u64 (*const bpf_ktime_get_boot_ns)(void) = (void *)125;
static long (*const bpf_ringbuf_output)(void *ring, void *data, u64 size, u64 flags) = (void *)130;
static struct task_struct *(*const bpf_get_current_task_btf)(void) = (void *)158;
static struct pt_regs *(*const bpf_task_pt_regs)(struct task_struct *task) = (void *)175;
static long (*const bpf_find_vma)(struct task_struct *task, u64 addr, void *callback, void *ctx,
				  u64 flags) = (void *)180;
static long (*const bpf_loop)(u32 n, void *callback, void *ctx, u64 flags) = (void *)181;

/* Functions of the kernel that it lets programs call (kernel/bpf/helpers.c), since 6.2. */
#define __ksym __attribute__((section(".ksyms")))
extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

/* CO-RE queries (enum bpf_field_info_kind and bpf_type_info_kind of libbpf). */
#define field_offset(type, field) __builtin_preserve_field_info(((type *)0)->field, 0)
#define type_exists(type)         __builtin_preserve_type_info(*(type *)0, 0)
#define field_exists(type, field) __builtin_preserve_field_info(((type *)0)->field, 2)

/* Keeps the compiler from folding x into what it is computed from, where that
 * would be arithmetic that the verifier does not allow or cannot bound. */
#define opaque(x) asm volatile("" : "+r"(x))

/* read copies one field through a kernel pointer of any origin. */
#define read(ptr, field)                                                             \
	({                                                                           \
		typeof(ptr) __p = (ptr);                                             \
		__typeof_unqual__(__p->field) __v = {};                              \
		bpf_probe_read_kernel(&__v, sizeof(__v),                             \
				      __builtin_preserve_access_index(&__p->field)); \
		__v;                                                                 \
	})
