/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Files: from a descriptor to the inode and its path. */
#pragma once

#include "emit.h"

#define AT_FDCWD      -100
#define FMODE_CREATED 0x100000 /* include/linux/fs.h */
#define S_IFMT        0170000
#define S_IFSOCK      0140000

/* Names in a path; deeper ones are given up and counted. Without bpf_loop the
 * verifier goes through all rounds of a loop, so it gets fewer. */
#define MAX_NAMES (STRING_LIMIT / 2)
#define FEW_NAMES 64

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - field_offset(struct mount, mnt);
}

#define SHORT_NAME  32 /* DNAME_INLINE_LEN, include/linux/dcache.h, or less */
#define DENTRY_PART 64

/* The way from a dentry to the root of its mount namespace. */
struct walk {
	u64 dentry, top; /* where we are, and the root of the mount m */
	struct mount *m;
	u32 user, start; /* the scratch, and where the names go */
	bool done;
	bool detached; /* the root is that of no namespace */
};

#define MNT_NS_ANON_INO 0xeffffff7 /* include/uapi/linux/nsfs.h, since 6.18; 0 before */

/* is_detached says whether a mount without a parent is no root of a namespace that
 * processes see: it is one of the kernel's own (memfd_create(2), pipe(2)), has been
 * unmounted, or was made by open_tree(2) or fsmount(2) and not moved anywhere. */
static __always_inline bool is_detached(struct mount *m)
{
	u32 ino = read(read(m, mnt_ns), ns.inum); /* 0 if that is no pointer */

	return ino == 0 || ino == MNT_NS_ANON_INO;
}

/* short_name_offset is where a dentry keeps a short name. Without opaque the compiler
 * would ask for both offsets, of which no kernel has but one. */
static __always_inline u32 short_name_offset(void)
{
	u32 offset;

	if (field_exists(struct dentry, d_iname)) {
		offset = field_offset(struct dentry, d_iname);
		opaque(offset);
	} else {
		offset = field_offset(struct dentry___shortname, d_shortname);
		opaque(offset);
	}
	return offset;
}

/* copy_name copies a name and its NUL to segments[at], where there is room for
 * 256 bytes, and returns its length with the NUL. What it starts from is what
 * put_name has read. */
static __always_inline long copy_name(struct scratch *s, u32 at, const u8 *raw, u64 dentry)
{
	const u32 first = field_offset(struct dentry, d_parent);
	u32 name_at = field_offset(struct dentry, d_name.name) - first;
	u32 len_at = field_offset(struct dentry, d_name.hash_len) - first + 4;
	u32 short_at = short_name_offset();
	u64 name, *to = (void *)&s->segments[at];
	u32 len;

	opaque(name_at);
	opaque(len_at);
	name = *(u64 *)(raw + name_at);
	len = *(u32 *)(raw + len_at);
	if (name != dentry + short_at || len >= SHORT_NAME)
		return bpf_probe_read_kernel_str(to, 256, (void *)name);
	short_at -= first;
	opaque(short_at);
	opaque(to); /* as in mix_block */
	for (u32 i = 0; i < SHORT_NAME / 8; i++)
		to[i] = *(u64 *)(raw + short_at + 8 * i);
	s->segments[at + len] = 0;
	return len + 1;
}

/* put_name appends the name of the dentry and goes to its parent; 1 ends the
 * walk. What changes from round to round lies in memory, so that the verifier
 * finds every round like the one before. */
static __noinline long put_name(u32 round, struct walk *w)
{
	/* d_parent, d_name, d_inode and the short name are neighbours. */
	u8 raw[DENTRY_PART] __attribute__((aligned(8)));
	struct scratch *s = scratch(w->user);
	u64 parent;
	u32 at;
	long n;

	if (!s)
		return 1;
	bpf_probe_read_kernel(raw, sizeof(raw),
			      (void *)w->dentry + field_offset(struct dentry, d_parent));
	parent = *(u64 *)raw;
	if (w->dentry == w->top || w->dentry == parent) {
		struct mount *above = read(w->m, mnt_parent);

		if (above == w->m) {
			w->done = true;
			w->detached = is_detached(above);
			return 1;
		}
		w->dentry = (u64)read(w->m, mnt_mountpoint);
		w->m = above;
		w->top = (u64)read(above, mnt.mnt_root);
		return 0;
	}
	at = s->names;
	if (at >= STRING_LIMIT - 256)
		return 1;
	at += w->start & (2 * SEGMENTS_LIMIT - 1);
	if (at >= SEGMENTS_SIZE - 256)
		return 1;
	n = copy_name(s, at, raw, w->dentry);
	if (n <= 0)
		return 1;
	s->names += n;
	w->dentry = parent;
	return 0;
}

/*
 * put_names appends the path of a dentry as names: the last one first, up to the
 * root of its mount namespace, each followed by NUL, and one more if that root is
 * none. It returns the length, or -1 if the path is too deep.
 */
__noinline int put_names(u32 user, u32 kind, u64 vfsmount, u64 dentry)
{
	struct scratch *s = scratch(user);
	struct walk w = {
		.dentry = dentry,
		.m = mount_of((void *)vfsmount),
		.user = user,
	};

	if (!s || !has_room(s))
		return -1;
	w.top = (u64)read(w.m, mnt.mnt_root);
	w.start = end(s) + sizeof(struct segment);
	s->names = 0;
	if (has_callbacks) {
		bpf_loop(MAX_NAMES, put_name, &w, 0);
	} else {
		for (u32 i = 0; i < FEW_NAMES; i++)
			if (put_name(i, &w))
				break;
	}
	if (!w.done) {
		lose(LOST_DEEP_PATH);
		return -1;
	}
	if (w.detached) {
		u32 at = w.start + s->names;

		opaque(at);
		if (at < SEGMENTS_SIZE)
			s->segments[at] = 0;
		s->names++;
	}
	close_segment(s, kind, s->names);
	return s->names;
}

/* file_at is the open file behind a descriptor of the current thread. */
static __always_inline struct file *file_at(struct task_struct *cur, s64 fd)
{
	struct files_struct *files = load(cur, files);
	struct file *file = NULL;
	struct fdtable *fdt;
	struct file **fds;

	if (!files)
		return NULL;
	fdt = load(files, fdt);
	if (fd < 0 || fd >= load(fdt, max_fds))
		return NULL;
	fds = load(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), fds + fd);
	return file;
}

static __always_inline struct object object_of(struct inode *inode)
{
	struct super_block *sb = read(inode, i_sb);
	struct object o = {
		.ino = read(inode, i_ino),
		.dev = read(sb, s_dev),
		.mode = read(inode, i_mode),
	};
	return o;
}
