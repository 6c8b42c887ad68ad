/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The kernel types that Turnstile reads, reduced to the fields it uses. CO-RE
 * finds the fields by name in the BTF of the running kernel, so neither their
 * offsets nor the fields left out matter here. What differs between kernel
 * versions has a flavour: NAME___WHICH.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef signed short s16;
typedef int s32;
typedef long long s64;
typedef _Bool bool;
#define true  1
#define false 0
#define NULL  ((void *)0)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)

struct thread_info {
	unsigned long flags;
	u32 status;
};

struct pt_regs {
	unsigned long r10, r9, r8;
	unsigned long bp, bx, cx, dx, si, di;
	unsigned long orig_ax;
};

#elif defined(__TARGET_ARCH_arm64)

struct thread_info {
	unsigned long flags;
};

struct pt_regs {
	u64 regs[31];
	u64 orig_x0;
	s32 syscallno;
};

#else
#error "no such architecture"
#endif

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	u32 val;
} kuid_t;

typedef struct {
	u32 val;
} kgid_t;

/* One u64 since 6.3, two u32 before: the same eight bytes. */
typedef struct {
	u64 val;
} kernel_cap_t;

struct qstr {
	u64 hash_len; /* the length is the upper half */
	const unsigned char *name;
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};

struct inode {
	u16 i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	unsigned char d_iname[1]; /* names that are short */
};

/* Linux 6.15 gave it another name. */
union shortname_store {
	unsigned char string[1];
};

struct dentry___shortname {
	union shortname_store d_shortname;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct ns_common {
	u32 inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	u32 f_mode, f_flags;
	void *private_data;
};

struct fdtable {
	u32 max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct vm_area_struct {
	unsigned long vm_start;
	struct file *vm_file;
};

struct mm_struct {
	unsigned long arg_start, arg_end;
	unsigned long saved_auxv[1];
	struct file *exe_file;
	unsigned long flags;
};

/* Before Linux 6.1 the memory areas were in a list, too. */
struct vm_area_struct___list {
	struct vm_area_struct___list *vm_next;
};

struct mm_struct___list {
	struct vm_area_struct___list *mmap;
};

/* Linux 6.18 made the flags of an mm a bitmap in a struct. */
struct mm_struct___bitmap {
	struct {
		unsigned long __mm_flags[1];
	} flags;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	u32 level;
	struct upid numbers[1];
};

struct user_namespace {
	kuid_t owner;
	struct ns_common ns;
};

struct cred {
	kuid_t uid, suid, euid, fsuid;
	kgid_t gid, sgid, egid, fsgid;
	kernel_cap_t cap_permitted;
	struct user_namespace *user_ns;
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	u32 flags;
};

struct task_struct {
	struct thread_info thread_info;
	u32 flags;
	struct mm_struct *mm;
	int exit_code;
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	struct pid *thread_pid;
	u64 start_boottime;
	const struct cred *real_cred, *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
};

/* Linux 7 moved to the task what the flags of the mm said. */
enum task_dumpable {
	TASK_DUMPABLE_OWNER = 1,
};

struct task_exec_state {
	enum task_dumpable dumpable;
};

struct task_struct___exec {
	struct task_exec_state *exec_state;
};

struct linux_binprm {
	struct file *file;
	const char *filename, *interp;
};

struct in6_addr {
	u8 in6_u[16];
};

struct sock_common {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport, skc_num, skc_family;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_type, sk_protocol;
};

struct socket {
	struct sock *sk;
};

struct sockaddr_un {
	u16 sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct path path; /* that it is bound to */
};

/* struct user_msghdr, include/linux/socket.h: part of the system call ABI. */
struct user_msghdr {
	void *msg_name;
	int msg_namelen;
};

/* Linux 7 has it, and uses it for nothing but to let tracepoints be preempted. */
typedef struct {
} class_srcu_fast_notrace_t;

/* What perf events are given (tracefs, events/GROUP/NAME/format). */
struct trace_event_raw_sys_enter {
	long id;
};

struct trace_event_raw_sys_exit {
	long ret;
};

struct trace_event_raw_sched_process_fork {
	int child_pid;
};

struct trace_event_raw_sched_process_exec {
	u32 __data_loc_filename; /* the lower half is the offset */
	int old_pid;
};

/* The context of a task iterator, kernel/bpf/task_iter.c. */
struct bpf_iter__task {
	void *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

struct bpf_raw_tracepoint_args {
	u64 args[0];
};
