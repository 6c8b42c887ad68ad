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
		block = (void *)&s->segments[from];
		opaque(block);
		for (u32 i = 0; i < MIX_BLOCK / 8; i++)
			mix(s, block[i]);
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

/* fold_set_of is the set that the hashed access belongs to. */
static __always_inline struct fold_set *fold_set_of(const struct scratch *s)
{
	u32 i = bpf_get_smp_processor_id() * fold_sets + ((u32)s->hash[0] & (fold_sets - 1));

	return bpf_map_lookup_elem(&folds, &i);
}

/* is_repeat counts an access that was told before. */
static __always_inline bool is_repeat(const struct scratch *s)
{
	struct fold_set *set = fold_set_of(s);

	if (!set)
		return false;
	for (u32 i = 0; i < 2; i++) {
		if (set->fold[i].hash[0] == s->hash[0] && set->fold[i].hash[1] == s->hash[1]) {
			set->fold[i].repeats++;
			return true;
		}
	}
	return false;
}

/* less_repeated is the fold of a set that makes room for a new one. */
static __always_inline struct fold *less_repeated(struct fold_set *set)
{
	return set->fold[1].repeats < set->fold[0].repeats ? &set->fold[1] : &set->fold[0];
}

/* name_fold prepares the record of a new access: it says which fold will be
 * forgotten for it. */
static __always_inline void name_fold(struct scratch *s)
{
	struct fold_set *set = fold_set_of(s);
	struct fold *f;

	if (!set)
		return;
	f = less_repeated(set);
	s->record.fold = s->hash[0];
	s->record.forgotten = f->hash[0];
	s->record.repeats = f->repeats;
}

/* remember makes the next repeat one that is only counted. The record has been sent;
 * one that is lost leaves everything as it was. */
static __always_inline void remember(const struct scratch *s)
{
	struct fold_set *set = fold_set_of(s);
	struct fold *f;

	if (!set || !s->record.fold)
		return;
	f = less_repeated(set);
	f->hash[0] = s->hash[0];
	f->hash[1] = s->hash[1];
	f->repeats = 0;
}
