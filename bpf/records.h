/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the kernel side tells user space: the records of the ring buffer and the
 * values of the maps. bpf2go makes the Go types of them from the BTF of the
 * object, so the two sides cannot differ.
 */
#pragma once

#include "vmlinux.h"

/* Who a process is: a pid alone is used again. */
struct process {
	u64 start; /* ns since boot, CLOCK_BOOTTIME */
	u32 pid;   /* in the pid namespace of Turnstile */
	u32 unused;
};

enum record_kind {
	RECORD_FORK = 1, /* a new process */
	RECORD_ADOPT,    /* a process that ran before Turnstile looked */
	RECORD_EXEC,     /* a new image */
	RECORD_EXIT,     /* the last thread of a process ended */
	RECORD_CALL,     /* a system call */
	RECORD_OPENED,   /* io_uring opened a file */
};

enum record_flags {
	RECORD_RETURNED = 1, /* ret holds the result of the call */
	RECORD_CREATED = 2,  /* open made the file */
	RECORD_CUT = 4,      /* a string did not fit */
	RECORD_PARTIAL = 8,  /* a string could not be read */
};

/* Every record is this, and segments behind it. */
struct record {
	u8 kind;
	u8 abi;
	u16 flags;
	u32 uid;
	u64 time; /* ns since boot, CLOCK_BOOTTIME */
	struct process process;
	struct process parent; /* RECORD_FORK, RECORD_ADOPT */
	char comm[16];
	u32 tid;
	s32 nr;
	s64 ret;       /* RECORD_EXIT: the status of wait(2) */
	u64 fold;      /* names the access, should it be repeated */
	u64 forgotten; /* the fold that made room for it, */
	u64 repeats;   /* and its repeats */
	u64 args[6];
};

/* A segment is this head and len bytes; the next one follows without a gap. */
struct segment {
	u16 kind;
	u16 len;
};

enum segment_kind {
	SEGMENT_STRING = 1,      /* + i: the string that operand i points to */
	SEGMENT_BASE = 3,        /* + i: where the path of operand i starts from, as names */
	SEGMENT_OBJECT = 5,      /* struct object */
	SEGMENT_OBJECT_PATH = 6, /* its path, as names */
	SEGMENT_SOCKADDR = 7,    /* the socket address that was passed */
	SEGMENT_SOCKET = 8,      /* struct socket_info */
	SEGMENT_SOCKET_PATH = 9, /* the name that a unix socket is bound to */
	SEGMENT_WORD = 10,       /* the first u64 of the struct that was passed */
	SEGMENT_ARGV = 11,       /* the strings of argv, each with its NUL */
	SEGMENT_EXE = 12,        /* path of the image, as names */
	SEGMENT_FILENAME = 13,   /* path as passed to execve */
	SEGMENT_INTERP = 14,     /* the interpreter of a #! script */
	SEGMENT_LOADER = 15,     /* path of the ELF interpreter, as names */
};

/*
 * "As names" is a path as the kernel finds it: the names from the last one up to
 * the root, each followed by NUL. What is in no mount namespace has no root, and
 * one more NUL says so.
 */

/* The inode behind a descriptor. */
struct object {
	u64 ino;
	u32 dev;
	u32 mode;
};

struct socket_info {
	u16 family, type, protocol;
	u16 port; /* host byte order */
	u8 addr[16];
};

/* What to copy of a call, by (ABI, number). User space fills it from the table
 * of roles, for what the run asked for only. An index is -1 for none. */
enum plan_flags {
	PLAN_STREAM = 1 << 0,      /* report every call, do not fold */
	PLAN_ACCESS = 1 << 1,      /* there is something to report */
	PLAN_SELECTORS = 1 << 2,   /* arguments decide what the call does */
	PLAN_NO_RETURN = 1 << 3,   /* exit, exit_group: reported when they begin */
	PLAN_NO_RESULT = 1 << 4,   /* rt_sigreturn: the return value is a restored register */
	PLAN_EXEC = 1 << 5,        /* success is reported by the exec hook */
	PLAN_RETURNS_FD = 1 << 6,  /* the result is a descriptor of the object */
	PLAN_SETS_CWD = 1 << 7,    /* the object is the working directory, from now on */
	PLAN_SETS_ROOT = 1 << 8,   /* the object is the root directory, from now on */
	PLAN_SKIP_EMPTY = 1 << 9,  /* no path means a descriptor and tells nothing new */
	PLAN_NEEDS_EXEC = 1 << 10, /* only if option has PROT_EXEC */
	PLAN_IOCTL = 1 << 11,      /* only if argument 1 is in attribute_ioctls */
	PLAN_SOCKET = 1 << 12,     /* fd is a socket */
	PLAN_OWN_NAME = 1 << 13,   /* tell the socket's own name */
	PLAN_PEER_NAME = 1 << 14,  /* tell the peer of the returned socket */
	PLAN_ADDRESSED = 1 << 15,  /* only if an address was passed */
	PLAN_SOCKETCALL = 1 << 16, /* the arguments are in memory */
	PLAN_IO_URING = 1 << 17,   /* io_uring_setup: what follows bypasses system calls */
};

struct plan {
	u32 flags;
	s8 path[2];
	s8 dir[2];
	s8 fd;            /* the descriptor that the call is about */
	s8 option;        /* flags: part of what makes two calls the same */
	s8 word;          /* points to a struct whose first u64 are flags */
	s8 addr;          /* points to a struct sockaddr; its length follows */
	s8 msg;           /* points to a struct msghdr */
	s8 mmsg;          /* points to an array of struct mmsghdr; its length follows */
	u8 selectors;     /* bit i: argument i decides what the call does */
	s8 deep_selector; /* points to such a number */
};

/* One followed thread. */
enum task_state {
	TASK_FREE,
	TASK_ARMED, /* waits for its exec */
	TASK_FOLLOWED,
	TASK_WITHHELD, /* the caller may not look at it */
	TASK_STRAY,    /* nobody has it any more; user space found out */
};

/* What the doorbell is rung for: the third argument. */
enum bell {
	BELL_LAUNCHED, /* this thread forks the target no more */
	BELL_LAUNCH,   /* it is about to */
	BELL_SLOTS,    /* slots are free again: 16 bits each of the other arguments */
	BELL_SLOTS_MAX = 12,
};

/* What could not be read when the call began, and is tried again at its end. */
enum late {
	LATE_SOCKETCALL = 1,
	LATE_SELECTOR = 2,
	LATE_ADDRESS = 4,
};

#define STRING_MAX 256

struct task {
	struct process process;
	struct process parent;
	u64 ended;  /* ns since boot; 0 while the thread lives */
	s32 status; /* of wait(2), if the process ended with this thread */
	u32 tid;
	u32 uid;
	u8 state;
	u8 last;    /* the process ended with this thread */
	u8 fresh;   /* the next sys_exit has no sys_enter that we saw */
	u8 in_call; /* between sys_enter and sys_exit */
	s32 nr;     /* of the call it is in */
	s32 does;   /* nr, or the number of what a socketcall does */
	u8 abi;
	u8 adopted;
	u8 late;       /* enum late */
	s16 length[2]; /* of the strings below with NUL: <= 0 not read, STRING_MAX cut */
	char comm[16];
	u64 args[8];                /* of the call it is in; two more so that a masked index fits */
	char string[2][STRING_MAX]; /* what the operands pointed to at sys_enter */
};

/* Calls of the native ABI by one thread, by number. Nobody but the thread
 * writes, so the counts are exact without atomics. */
#define NATIVE_CALLS 512

struct counts {
	u64 n[NATIVE_CALLS];
};

/* Calls that have no place in struct counts. */
struct rare_key {
	struct process process;
	s32 nr;
	u32 abi;
};

struct error_key {
	s32 nr;
	u16 abi;
	u16 err;
};

struct argument_key {
	u64 value;
	s32 nr;
	u16 abi;
	u16 index;
};

/* An access that was told, and how often the process has repeated it since. */
struct fold {
	u64 hash[2]; /* 0: none */
	u64 repeats;
};

/* An access is in one of the folds of a set, or in none. */
struct fold_set {
	struct fold fold[2];
};

/* Facts that were lost, event.Loss in the same order. */
enum loss {
	LOST_RINGBUF_PROCESS,
	LOST_RINGBUF_FILE,
	LOST_RINGBUF_SOCKET,
	LOST_RINGBUF_CALL,
	LOST_PATH,
	LOST_ADDRESS,
	LOST_ARGUMENT,
	LOST_ARGV,
	LOST_DEEP_PATH,
	LOST_MAP_CALLS,
	LOST_MAP_ERRORS,
	LOST_MAP_ARGUMENTS,
	LOST_UNTRACKED,
	LOST_MISSED,
	LOST_IO_URING,
	LOST_FORBIDDEN,
	LOSSES,
};
