/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/tuple.h"

#include "dataplane/table/rulelist.h"

#include <errno.h>
#include <string.h>

struct tn_tuple *tn_tuple_new(struct tn_cls_store *store, struct tn_shape *shape)
{
	struct tn_tuple *tuple = tn_cls_alloc(store, sizeof(*tuple));

	if (!tuple)
		return NULL;
	if (tn_htable_init(store, &tuple->table) != 0) {
		tn_cls_free(store, tuple, sizeof(*tuple));
		return NULL;
	}
	tn_priorities_init(&tuple->sub.priorities);
	tuple->shape = shape;
	shape->tuple = tuple;
	shape->refs++;
	return tuple;
}

void tn_tuple_free(struct tn_cls_store *store, struct tn_tuple *tuple)
{
	tuple->shape->tuple = NULL;
	tn_shape_put(store, tuple->shape);
	tn_priorities_fini(store, &tuple->sub.priorities);
	tn_htable_fini(store, &tuple->table);
	tn_cls_free_later(store, tuple, sizeof(*tuple));
}

void tn_tuple_clear(struct tn_cls_store *store, struct tn_tuple *tuple)
{
	struct tn_minimatch *mm, *next;

	TN_HTABLE_FOR_ALL(mm, tuple->table.array) {
		for (; mm; mm = next) {
			next = mm->next;
			tn_minimatch_free(store, mm, false);
		}
	}
}

/* The first match under the key that the tuple's shape makes of value. */
static struct tn_minimatch *chain_find(const struct tn_cls_store *store,
	const struct tn_tuple *tuple, const struct tn_key *value, uint64_t *hash)
{
	uint64_t wanted[TN_KEY_WORDS], has[TN_KEY_WORDS];
	struct tn_minimatch *mm;
	struct tn_key of_mm;

	*hash = tn_shape_hash(tuple->shape, tn_key_cwords(value), store->hash_key, wanted);
	TN_HTABLE_FOR_HASH(mm, tuple->table.array, *hash) {
		if (mm->entry.hash != (uint32_t)*hash)
			continue;
		tn_minimatch_value(mm, &of_mm);
		tn_shape_hash(tuple->shape, tn_key_cwords(&of_mm), store->hash_key, has);
		if (!memcmp(has, wanted, tuple->shape->n * sizeof(has[0])))
			return mm;
	}
	return NULL;
}

struct tn_minimatch *tn_tuple_find(const struct tn_cls_store *store, const struct tn_tuple *tuple,
	const struct tn_shape *shape, const struct tn_key *value)
{
	uint64_t hash;
	struct tn_minimatch *mm = chain_find(store, tuple, value, &hash);

	while (mm && (mm->shape != shape || !tn_minimatch_has_value(mm, value)))
		mm = mm->next;
	return mm;
}

bool tn_tuple_has_room(const struct tn_cls_store *store, const struct tn_tuple *tuple,
	const struct tn_shape *shape, const struct tn_key *value)
{
	const struct tn_minimatch *mm;
	uint64_t hash;
	unsigned n = 0;

	/* At most one match of the tuple's own shape has the key: there is room kept for it. */
	if (shape == tuple->shape)
		return true;
	for (mm = chain_find(store, tuple, value, &hash); mm; mm = mm->next)
		n += mm->shape != tuple->shape;
	return n < TN_CHAIN_MAX - 1;
}

int tn_tuple_insert(struct tn_cls_store *store, struct tn_tuple *tuple, struct tn_minimatch *mm)
{
	struct tn_minimatch *last;
	struct tn_key value;
	uint64_t hash;
	int err;

	tn_minimatch_value(mm, &value);
	last = chain_find(store, tuple, &value, &hash);
	tn_hentry_set_hash(&mm->entry, hash);
	mm->next = NULL;
	mm->home = tuple;
	if (last) {
		while (last->next)
			last = last->next;
		tn_publish(&last->next, mm);
	} else {
		err = tn_htable_insert(store, &tuple->table, &mm->entry);
		if (err)
			return err;
	}
	tuple->sub.n_matches++;
	tuple->n_finer += mm->shape != tuple->shape;
	return 0;
}

void tn_tuple_remove(struct tn_cls_store *store, struct tn_tuple *tuple, struct tn_minimatch *mm)
{
	struct tn_minimatch *before;
	struct tn_key value;
	uint64_t hash;

	tn_minimatch_value(mm, &value);
	before = chain_find(store, tuple, &value, &hash);
	if (before != mm) {
		while (before->next != mm)
			before = before->next;
		tn_publish(&before->next, mm->next);
	} else if (mm->next) {
		tn_htable_replace(&tuple->table, &mm->entry, &mm->next->entry);
	} else {
		tn_htable_remove(store, &tuple->table, &mm->entry);
	}
	tuple->sub.n_matches--;
	tuple->n_finer -= mm->shape != tuple->shape;
}

static struct tn_cls_rule *chain_overlap(const struct tn_cls_store *store,
	const struct tn_minimatch *mm, const struct tn_match *match, uint16_t priority,
	uint64_t version)
{
	struct tn_cls_rule *rule = NULL;

	for (; mm && !rule; mm = mm->next)
		rule = tn_rulelist_overlap(store, mm, match, priority, version);
	return rule;
}

/* Where match fixes every bit of the tuple's keys, there is one key to look at. */
struct tn_cls_rule *tn_tuple_overlap(const struct tn_cls_store *store, const struct tn_tuple *tuple,
	const struct tn_match *match, uint16_t priority, uint64_t version)
{
	const struct tn_minimatch *mm;
	struct tn_cls_rule *rule;
	uint64_t hash;

	if (tn_shape_within_mask(tuple->shape, &match->mask)) {
		mm = chain_find(store, tuple, &match->value, &hash);
		return chain_overlap(store, mm, match, priority, version);
	}
	TN_HTABLE_FOR_ALL(mm, tuple->table.array) {
		rule = chain_overlap(store, mm, match, priority, version);
		if (rule)
			return rule;
	}
	return NULL;
}

void tn_tuple_foreach(const struct tn_tuple *tuple, tn_cls_rule_fn fn, void *ctx)
{
	const struct tn_harray *array = tuple->table.array;
	const struct tn_minimatch *mm, *next;

	TN_HTABLE_FOR_ALL(mm, array) {
		for (; mm; mm = next) {
			next = mm->next;
			tn_rulelist_foreach(mm, fn, ctx);
		}
	}
}
