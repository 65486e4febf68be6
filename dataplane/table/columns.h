/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which tuples and tries a key can match at all, from a few bytes of it: a table of bits with one
 * row for each value of each such byte (a column) and one bit for each tuple or trie. The rows of
 * a key's bytes, ANDed, leave the ones worth a look. So rules of one network, address range or
 * port cost other traffic next to nothing, however many masks they have.
 *
 * A bit that is set may be out of date; one that is clear never is. One writer, many readers: bits
 * are set before the match is published, and cleared when none is left.
 */
#ifndef TN_TABLE_COLUMNS_H
#define TN_TABLE_COLUMNS_H

#include "dataplane/table/minimatch.h"

#define TN_COLUMNS_MAX 10
#define TN_SLOTS_MAX   (TN_TUPLES_MAX + TN_TRIES_MAX)
#define TN_SLOT_WORDS  ((TN_SLOTS_MAX + 63) / 64)

struct tn_columns {
	size_t size;
	uint32_t words;		      /* of a row */
	uint32_t n;		      /* columns */
	uint32_t telling;	      /* which of tn_telling_bytes, as bits */
	uint8_t byte[TN_COLUMNS_MAX]; /* their offsets in the key */
	uint64_t row[];		      /* read: [n][256][words] */
};

/* With no column yet, or one more, or room for more slots; NULL: no memory. */
struct tn_columns *tn_columns_new(struct tn_cls_store *store, uint32_t n_slots);
struct tn_columns *tn_columns_add(
	struct tn_cls_store *store, const struct tn_columns *columns, unsigned telling);
struct tn_columns *tn_columns_widen(
	struct tn_cls_store *store, const struct tn_columns *columns, uint32_t n_slots);

/* The same columns for one slot, without a bit. */
struct tn_columns *tn_columns_blank(struct tn_cls_store *store, const struct tn_columns *columns);

/* The next of tn_telling_bytes that the shape looks at and that has no column, or -1. */
int tn_columns_wanted(const struct tn_columns *columns, const struct tn_shape *shape);

/*
 * The slot's matches get one more. *wild: columns in which one of them takes every value; the
 * caller keeps it with the slot.
 */
void tn_columns_set(
	struct tn_columns *columns, uint32_t slot, uint32_t *wild, const struct tn_minimatch *mm);
/* The slot has no matches. */
void tn_columns_clear(struct tn_columns *columns, uint32_t slot);

/* Clears the slot's bits that slot 0 of `exact` does not have. */
void tn_columns_confine(struct tn_columns *columns, uint32_t slot, const struct tn_columns *exact);

static inline uint32_t tn_columns_slots(const struct tn_columns *columns)
{
	return columns->words * 64;
}

static inline void tn_columns_candidates(const struct tn_columns *columns, const struct tn_key *key,
	uint64_t candidates[TN_SLOT_WORDS])
{
	const uint8_t *bytes = (const uint8_t *)key;
	uint32_t words = columns->words, i, w;
	const uint64_t *row;

	for (w = 0; w < words; w++)
		candidates[w] = ~UINT64_C(0);
	for (i = 0; i < columns->n; i++) {
		row = &columns->row[(i * 256 + bytes[columns->byte[i]]) * words];
		for (w = 0; w < words; w++)
			candidates[w] &= tn_read_number(&row[w]);
	}
}

#endif
