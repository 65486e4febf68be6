/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tuple: matches hashed by the words that one shape, the tuple's, leaves of them. Matches of
 * that shape are alone under their key; of finer shapes up to TN_CHAIN_MAX share one and are
 * compared one after the other.
 */
#ifndef TN_TABLE_TUPLE_H
#define TN_TABLE_TUPLE_H

#include "dataplane/table/walk.h"

struct tn_tuple {
	struct tn_sub sub;
	struct tn_shape *shape;
	struct tn_htable table; /* of the first match of each key */
	uint32_t n_finer;	/* matches of other shapes than the tuple's */
};

/* NULL: no memory. The shape has no tuple yet. */
struct tn_tuple *tn_tuple_new(struct tn_cls_store *store, struct tn_shape *shape);
/* Frees its matches too; no reader is left for those. */
void tn_tuple_clear(struct tn_cls_store *store, struct tn_tuple *tuple);
void tn_tuple_free(struct tn_cls_store *store, struct tn_tuple *tuple);

/* The match of this shape and value, or NULL. */
struct tn_minimatch *tn_tuple_find(const struct tn_cls_store *store, const struct tn_tuple *tuple,
	const struct tn_shape *shape, const struct tn_key *value);
/* May a match of this shape and value, which is not there yet, go into the tuple? */
bool tn_tuple_has_room(const struct tn_cls_store *store, const struct tn_tuple *tuple,
	const struct tn_shape *shape, const struct tn_key *value);
/* Publishes the match. -ENOMEM. */
int tn_tuple_insert(
	struct tn_cls_store *store, struct tn_tuple *tuple, struct tn_minimatch *mm) TN_MUST_CHECK;
void tn_tuple_remove(struct tn_cls_store *store, struct tn_tuple *tuple, struct tn_minimatch *mm);

struct tn_cls_rule *tn_tuple_overlap(const struct tn_cls_store *store, const struct tn_tuple *tuple,
	const struct tn_match *match, uint16_t priority, uint64_t version);
void tn_tuple_foreach(const struct tn_tuple *tuple, tn_cls_rule_fn fn, void *ctx);

/* Does mm match? Where it has the tuple's own shape, the masked words are there already. */
static inline bool tn_tuple_matches(const struct tn_tuple *tuple, const struct tn_minimatch *mm,
	const uint64_t *key, const uint64_t *masked)
{
	uint64_t differ = 0;
	unsigned i;

	if (mm->shape != tuple->shape)
		return tn_minimatch_matches(mm, key);
	for (i = 0; i < tuple->shape->n; i++)
		differ |= mm->value[i] ^ masked[i];
	return differ == 0;
}

/* best, or a visible rule of higher priority that matches. */
static inline struct tn_cls_rule *tn_tuple_lookup(const struct tn_tuple *tuple, const uint64_t *key,
	const uint64_t *hash_key, uint64_t version, struct tn_cls_rule *best)
{
	uint64_t masked[TN_KEY_WORDS];
	uint64_t hash = tn_shape_hash(tuple->shape, key, hash_key, masked);
	const struct tn_harray *array = tn_read(&tuple->table.array);
	struct tn_cls_rule *rule;
	const struct tn_minimatch *mm;

	TN_HTABLE_FOR_HASH(mm, array, hash) {
		for (; mm; mm = tn_read(&mm->next)) {
			if (best && tn_minimatch_priority(mm) <= best->priority)
				continue;
			if (!tn_tuple_matches(tuple, mm, key, masked))
				continue;
			rule = tn_minimatch_first(mm, version);
			if (rule && (!best || rule->priority > best->priority))
				best = rule;
		}
	}
	return best;
}

#endif
