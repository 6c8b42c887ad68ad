/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Sockets: from a descriptor to family, type, protocol and addresses. */
#pragma once

#include "paths.h"

#define AF_UNIX      1
#define AF_INET      2
#define AF_INET6     10
#define SOCKFS_MAGIC 0x534f434b /* include/uapi/linux/magic.h */
#define SOCKADDR_MAX 128        /* struct sockaddr_storage */

/* socket_at is the socket behind a descriptor, NULL if that is something else. */
static __always_inline struct sock *socket_at(struct task_struct *cur, s64 fd)
{
	struct file *file = file_at(cur, fd);
	struct inode *inode = read(file, f_inode);
	struct super_block *sb = read(inode, i_sb);
	struct socket *socket;

	if (!file || (read(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	if (read(sb, s_magic) != SOCKFS_MAGIC)
		return NULL; /* a unix socket in a directory, opened with O_PATH */
	socket = read(file, private_data);
	return read(socket, sk);
}

/* describe tells what a socket is, and its own address or that of its peer if
 * flags ask for it. */
static __always_inline struct socket_info describe(struct sock *sk, u32 flags)
{
	struct socket_info info = {
		.family = read(sk, __sk_common.skc_family),
		.type = read(sk, sk_type),
		.protocol = read(sk, sk_protocol),
	};
	bool peer = flags & PLAN_PEER_NAME;
	struct in6_addr v6;
	u32 v4;

	if (!flags)
		return info;
	if (info.family == AF_INET) {
		v4 = peer ? read(sk, __sk_common.skc_daddr) : read(sk, __sk_common.skc_rcv_saddr);
		__builtin_memcpy(info.addr, &v4, sizeof(v4));
	} else if (info.family == AF_INET6) {
		v6 = peer ? read(sk, __sk_common.skc_v6_daddr)
			  : read(sk, __sk_common.skc_v6_rcv_saddr);
		__builtin_memcpy(info.addr, &v6, sizeof(v6));
	} else {
		return info;
	}
	info.port = peer ? __builtin_bswap16(read(sk, __sk_common.skc_dport))
			 : read(sk, __sk_common.skc_num);
	return info;
}

/* put_unix_name appends the name that a unix socket is bound to: a path, or NUL
 * and an abstract name. */
static __always_inline void put_unix_name(struct scratch *s, struct sock *sk)
{
	struct unix_sock *u = (void *)sk;
	struct unix_address *addr = read(u, addr);
	int len;

	if (!addr || !has_room(s))
		return;
	len = read(addr, len) - (int)sizeof(u16);
	if (len <= 0 || len > 108)
		return;
	if (bpf_probe_read_kernel(payload(s), len,
				  __builtin_preserve_access_index(&addr->name[0].sun_path)))
		return;
	close_segment(s, SEGMENT_SOCKET_PATH, len);
}
