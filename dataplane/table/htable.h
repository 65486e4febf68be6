/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hash table of pointers: buckets of one cache line with six slots and their 16-bit tags, so that
 * a miss reads one line. One writer, many readers without locks.
 *
 * An entry that finds its bucket full goes to the next one with room; each full bucket it passed
 * counts it, and a reader goes on to the next bucket only where that count is not zero. An entry
 * never moves within an array, so a reader cannot miss one that stays.
 *
 * The table grows and shrinks by filling a second array a few buckets at a time with each change;
 * readers meet it when it is complete. No single change does work in proportion to the table.
 */
#ifndef TN_TABLE_HTABLE_H
#define TN_TABLE_HTABLE_H

#include "dataplane/table/store.h"

#include <emmintrin.h>

#define TN_HSLOTS 6

/* First member of whatever is put into a table. */
struct tn_hentry {
	uint32_t hash;
	uint16_t tag; /* never 0 */
	uint16_t user;
};

/* tags[0]: slots 0-3; tags[1]: slots 4, 5, and in the high half the count of passers-by. */
struct tn_hbucket {
	uint64_t tags[2];
	struct tn_hentry *slot[TN_HSLOTS];
} __attribute__((aligned(TN_CACHE_LINE)));

struct tn_harray {
	uint32_t mask; /* buckets - 1 */
	size_t size;
	void *base; /* of the allocation */
	struct tn_hbucket bucket[];
} __attribute__((aligned(TN_CACHE_LINE)));

struct tn_htable {
	struct tn_harray *array;
	struct tn_harray *growing; /* NULL, or the next array: entries of buckets before cursor */
	uint32_t cursor;
	uint32_t count;
};

static inline void tn_hentry_set_hash(struct tn_hentry *e, uint64_t hash)
{
	e->hash = (uint32_t)hash;
	e->tag = (uint16_t)((hash >> 48) | 1);
}

int tn_htable_init(struct tn_cls_store *store, struct tn_htable *t) TN_MUST_CHECK;
/* Readers may be there: the arrays are freed later. Entries are the owner's. */
void tn_htable_fini(struct tn_cls_store *store, struct tn_htable *t);
/* -ENOMEM. Duplicates are the caller's concern. */
int tn_htable_insert(
	struct tn_cls_store *store, struct tn_htable *t, struct tn_hentry *e) TN_MUST_CHECK;
void tn_htable_remove(struct tn_cls_store *store, struct tn_htable *t, struct tn_hentry *e);
/* Puts `with`, of the same hash, in the place of e. */
void tn_htable_replace(struct tn_htable *t, struct tn_hentry *e, struct tn_hentry *with);

/* Bit 2 i is set when slot i has the tag; *tags1 is for tn_hbucket_passed(). */
static inline unsigned tn_hbucket_match(const struct tn_hbucket *b, uint16_t tag, uint64_t *tags1)
{
	uint64_t tags0 = tn_read(&b->tags[0]);
	__m128i found;

	*tags1 = tn_read(&b->tags[1]);
	found = _mm_cmpeq_epi16(
		_mm_set_epi64x((long long)*tags1, (long long)tags0), _mm_set1_epi16((short)tag));
	return (unsigned)_mm_movemask_epi8(found) & 0x555u;
}

static inline bool tn_hbucket_passed(uint64_t tags1)
{
	return tags1 >> 32;
}

/*
 * Every entry that has the hash's tag and may have the hash. Body sees `e`; `break` leaves only
 * one bucket, so leave with return or goto.
 */
#define TN_HTABLE_FOR_HASH(e, a, hash64)                                                      \
	for (uint32_t at_ = (uint32_t)(hash64), left_ = (a)->mask + 1; left_; left_--, at_++) \
		for (uint64_t tags1_ = 0, once_ = 1; once_;                                   \
			once_ = 0, left_ = tn_hbucket_passed(tags1_) ? left_ : 1)             \
			for (unsigned m_ = tn_hbucket_match(&(a)->bucket[at_ & (a)->mask],    \
				     (uint16_t)(((hash64) >> 48) | 1), &tags1_);              \
				m_; m_ &= m_ - 1)                                             \
				if (((e) = (void *)tn_read(                                   \
					     &(a)->bucket[at_ & (a)->mask]                    \
						      .slot[__builtin_ctz(m_) / 2])) != NULL)

/* Every entry, any order; the body may remove the entry it is at. */
#define TN_HTABLE_FOR_ALL(e, a)                             \
	for (uint32_t at_ = 0; at_ <= (a)->mask; at_++)     \
		for (unsigned s_ = 0; s_ < TN_HSLOTS; s_++) \
			if (((e) = (void *)(a)->bucket[at_].slot[s_]) != NULL)

#endif
