/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Folding: an access that a process repeats, with the same operands and the same
 * result, is reported once and then only counted.
 */
#pragma once

#include "emit.h"

static __always_inline void mix(struct scratch *s, u64 v)
{
	/* Two lanes with secret factors, which see the halves of v in another
	 * order: the target must not be able to make two accesses look alike. */
	s->hash[0] = (s->hash[0] ^ v) * hash_seed[2];
	s->hash[0] ^= s->hash[0] >> 29;
	s->hash[1] = (s->hash[1] ^ (v << 32 | v >> 32)) * hash_seed[3];
	s->hash[1] ^= s->hash[1] >> 31;
}

/* mix_last mixes in the content of the last segment, len bytes at from, in blocks
 * of 64: the room behind it is filled with zeros. */
__noinline int mix_last(u32 user, u32 from, u32 len)
{
	struct scratch *s = scratch(user);
	u64 *block;

	if (!s || from > SEGMENTS_LIMIT || len > STRING_LIMIT)
		return -1;
	block = (void *)&s->segments[from + len];
	opaque(block); /* or it is accessed byte by byte: it is not aligned */
	for (u32 j = 0; j < 8; j++)
		block[j] = 0;
	for (u32 i = 0; i < STRING_LIMIT; i += 64) {
		if (i >= len)
			break;
		block = (void *)&s->segments[from + i];
		opaque(block);
		for (u32 j = 0; j < 8; j++)
			mix(s, block[j]);
	}
	mix(s, len);
	return 0;
}

/* is_repeat counts an access whose hash was seen, and remembers a new one: the
 * record that follows then carries its id. */
static __always_inline bool is_repeat(struct scratch *s)
{
	struct fold_key key = {
		.process = s->record.process,
		.hash = { s->hash[0], s->hash[1] },
	};
	const u64 none = 0;
	u64 *n = bpf_map_lookup_elem(&folds, &key);

	if (n) {
		__sync_fetch_and_add(n, 1);
		return true;
	}
	/* Full: then every repeat has a record of its own. */
	if (!bpf_map_update_elem(&folds, &key, &none, BPF_NOEXIST))
		s->record.fold = key.hash[0];
	return false;
}

/* forget makes the next repeat a new access: the record of this one was lost. */
static __always_inline void forget(struct scratch *s)
{
	struct fold_key key = {
		.process = s->record.process,
		.hash = { s->hash[0], s->hash[1] },
	};

	if (s->record.fold)
		bpf_map_delete_elem(&folds, &key);
}
