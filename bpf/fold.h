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

#define MIX_BLOCK 64

/* What mix_block goes through: a part of the segments of a scratch buffer. */
struct blocks {
	u32 user, from, len;
};

/* mix_block mixes in one block; 1 ends the loop. */
static __noinline long mix_block(u32 round, struct blocks *b)
{
	struct scratch *s = scratch(b->user);
	u32 at = round * MIX_BLOCK, from = b->from;
	u64 *block;

	if (!s || at >= b->len || at >= STRING_LIMIT || from > SEGMENTS_LIMIT)
		return 1;
	block = (void *)&s->segments[from + at];
	opaque(block); /* or it is accessed byte by byte: it is not aligned */
	for (u32 i = 0; i < MIX_BLOCK / 8; i++)
		mix(s, block[i]);
	return 0;
}

/* mix_last mixes in the content of the last segment, len bytes at from, in blocks:
 * the room behind it is filled with zeros. */
__noinline int mix_last(u32 user, u32 from, u32 len)
{
	struct scratch *s = scratch(user);
	struct blocks b = { .user = user, .from = from, .len = len };
	u64 *block;

	if (!s || from > SEGMENTS_LIMIT || len > STRING_LIMIT)
		return -1;
	block = (void *)&s->segments[from + len];
	opaque(block);
	for (u32 i = 0; i < MIX_BLOCK / 8; i++)
		block[i] = 0;
	if (len <= MIX_BLOCK) {
		mix_block(0, &b);
	} else if (has_callbacks) {
		bpf_loop(STRING_LIMIT / MIX_BLOCK, mix_block, &b, 0);
	} else {
		for (u32 i = 0; i < STRING_LIMIT / MIX_BLOCK; i++)
			if (mix_block(i, &b))
				break;
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
