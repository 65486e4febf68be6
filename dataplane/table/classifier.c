/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/classifier.h"

#include "dataplane/table/placement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tn_classifier *tn_classifier_new(struct tn_defer *defer)
{
	return tn_classifier_new_seeded(defer, 0);
}

struct tn_classifier *tn_classifier_new_seeded(struct tn_defer *defer, uint64_t seed)
{
	struct tn_classifier *cls = calloc(1, sizeof(*cls));

	if (!cls)
		return NULL;
	tn_cls_store_init(&cls->store, defer, seed);
	cls->store.shapes = &cls->shapes;
	cls->store.lists = &cls->lists;
	if (tn_shapes_init(&cls->store) != 0 || tn_rulelists_init(&cls->store) != 0)
		goto fail;
	cls->walks = tn_walks_new(&cls->store, &cls->root);
	if (cls->walks)
		return cls;
fail:
	cls->store.closing = true;
	tn_shapes_fini(&cls->store);
	tn_rulelists_fini(&cls->store);
	free(cls);
	return NULL;
}

void tn_classifier_free(struct tn_classifier *cls)
{
	const struct tn_walk *walk;
	struct tn_sub *sub;
	uint32_t i;

	if (!cls)
		return;
	cls->store.closing = true;
	walk = cls->walks->current;
	for (i = 0; walk->linear && i < walk->n; i++) {
		if (walk->entry[i].what) {
			tn_minimatch_free(
				&cls->store, (struct tn_minimatch *)walk->entry[i].what, false);
		}
	}
	if (!walk->linear) {
		TN_WALK_FOR_SUBS(sub, walk) {
			if (tn_sub_trie(sub)) {
				tn_trie_clear(&cls->store, tn_sub_trie(sub));
				tn_trie_free(&cls->store, tn_sub_trie(sub));
			} else {
				tn_tuple_clear(&cls->store, tn_sub_tuple(sub));
				tn_tuple_free(&cls->store, tn_sub_tuple(sub));
			}
		}
	}
	tn_walks_free(cls->walks);
	tn_rulelists_fini(&cls->store);
	tn_shapes_fini(&cls->store);
	free(cls);
}

/* A match that is there gets one rule more. */
static int join(struct tn_classifier *cls, struct tn_minimatch *mm, struct tn_cls_rule *rule)
{
	struct tn_sub *sub = mm->home;
	int err;

	if (sub) {
		err = tn_priorities_add(&cls->store, &sub->priorities, rule->priority);
		if (err)
			return err;
		tn_walk_update(cls->walks, sub);
	}
	tn_rulelist_add(&cls->store, mm, rule);
	if (!sub)
		tn_walk_update_linear(cls->walks, mm);
	return 0;
}

static int insert_shaped(struct tn_classifier *cls, struct tn_cls_rule *rule,
	struct tn_shape *shape, const struct tn_key *value)
{
	struct tn_minimatch *mm;
	int err = 0;

	if (cls->walks->current->linear && cls->n_rules >= TN_LINEAR_MAX)
		err = tn_placement_leave_linear(cls, shape);
	if (err)
		return err;
	mm = tn_placement_find(cls, shape, value);
	if (mm)
		return join(cls, mm, rule);
	mm = tn_minimatch_new(&cls->store, shape, value);
	if (!mm)
		return -ENOMEM;
	tn_rulelist_add(&cls->store, mm, rule);
	err = cls->walks->current->linear ? tn_placement_put_linear(cls, mm)
					  : tn_placement_put(cls, mm);
	if (err) {
		tn_minimatch_free(&cls->store, mm, false);
		rule->mm = NULL;
	}
	return err;
}

int tn_classifier_insert(
	struct tn_classifier *cls, struct tn_cls_rule *rule, const struct tn_match *match)
{
	struct tn_shape *shape = tn_shape_get(&cls->store, &match->mask);
	int err;

	if (!shape)
		return -ENOMEM;
	err = insert_shaped(cls, rule, shape, &match->value);
	tn_shape_put(&cls->store, shape);
	if (!err)
		cls->n_rules++;
	return err;
}

/* Without rules the shape of the next ones decides anew. */
static void start_over(struct tn_classifier *cls)
{
	if (cls->n_rules || cls->walks->current->linear)
		return;
	if (tn_walk_set_linear(cls->walks, NULL, 0) == 0)
		cls->coarse = false;
}

void tn_classifier_remove(struct tn_classifier *cls, struct tn_cls_rule *rule)
{
	struct tn_minimatch *mm = rule->mm;
	struct tn_sub *sub = mm->home;

	tn_rulelist_remove(&cls->store, mm, rule);
	if (sub) {
		if (!mm->rules)
			tn_placement_take(cls, mm);
		tn_priorities_remove(&cls->store, &sub->priorities, rule->priority);
		tn_walk_update(cls->walks, sub);
		tn_placement_drop_if_empty(cls, sub);
	} else {
		tn_walk_update_linear(cls->walks, mm);
	}
	if (!mm->rules)
		tn_minimatch_free(&cls->store, mm, true);
	cls->n_rules--;
	start_over(cls);
}

static struct tn_cls_rule *linear_lookup(
	const struct tn_walk *walk, const uint64_t *key, uint64_t version)
{
	const struct tn_minimatch *mm;
	struct tn_cls_rule *rule, *best = NULL;
	uint32_t i;

	for (i = 0; i < walk->n; i++) {
		if (best && tn_read_number(&walk->entry[i].bound) <= best->priority)
			break;
		mm = (const struct tn_minimatch *)tn_read(&walk->entry[i].what);
		if (!mm || !tn_minimatch_matches(mm, key))
			continue;
		rule = tn_minimatch_first(mm, version);
		if (rule && (!best || rule->priority > best->priority))
			best = rule;
	}
	return best;
}

struct tn_cls_rule *tn_classifier_lookup(
	const struct tn_classifier *cls, const struct tn_key *key, uint64_t version)
{
	const struct tn_walk *walk = tn_read(&cls->root);
	const uint64_t *hash_key = cls->store.hash_key, *words = tn_key_cwords(key);
	const struct tn_columns *columns;
	uint64_t candidates[TN_SLOT_WORDS];
	const struct tn_walk_entry *e, *end = walk->entry + walk->n;
	struct tn_cls_rule *best = NULL;
	uintptr_t what;

	if (walk->linear)
		return linear_lookup(walk, words, version);
	columns = tn_read(&walk->columns);
	if (columns)
		tn_columns_candidates(columns, key, candidates);
	for (e = walk->entry; e < end; e++) {
		if (best && tn_read_number(&e->bound) <= best->priority)
			break;
		if (columns && !(candidates[e->slot / 64] >> e->slot % 64 & 1))
			continue;
		what = tn_read(&e->what);
		if (what & TN_WALK_TRIE) {
			best = tn_trie_lookup((const struct tn_trie *)(what & ~TN_WALK_TRIE), key,
				hash_key, version, best);
		} else if (what) {
			best = tn_tuple_lookup(
				(const struct tn_tuple *)what, words, hash_key, version, best);
		}
	}
	return best;
}

struct tn_cls_rule *tn_classifier_find(const struct tn_classifier *cls,
	const struct tn_match *match, uint16_t priority, uint64_t version)
{
	const struct tn_shape *shape = tn_shape_find(&cls->store, &match->mask);
	const struct tn_minimatch *mm = shape ? tn_placement_find(cls, shape, &match->value) : NULL;

	return mm ? tn_rulelist_find(&cls->store, mm, priority, version) : NULL;
}

static struct tn_cls_rule *linear_overlap(const struct tn_classifier *cls,
	const struct tn_match *match, uint16_t priority, uint64_t version)
{
	struct tn_minimatch *mm[TN_LINEAR_MAX];
	struct tn_cls_rule *rule = NULL;
	uint32_t i, n = tn_placement_linear(cls, mm);

	for (i = 0; i < n && !rule; i++)
		rule = tn_rulelist_overlap(&cls->store, mm[i], match, priority, version);
	return rule;
}

struct tn_cls_rule *tn_classifier_overlap(const struct tn_classifier *cls,
	const struct tn_match *match, uint16_t priority, uint64_t version)
{
	const struct tn_walk *walk = cls->walks->current;
	struct tn_cls_rule *rule;
	struct tn_sub *sub;

	if (walk->linear)
		return linear_overlap(cls, match, priority, version);
	TN_WALK_FOR_SUBS(sub, walk) {
		if (!tn_priorities_has(&sub->priorities, priority))
			continue;
		rule = sub->is_trie
			? tn_trie_overlap(&cls->store, tn_sub_trie(sub), match, priority, version)
			: tn_tuple_overlap(
				  &cls->store, tn_sub_tuple(sub), match, priority, version);
		if (rule)
			return rule;
	}
	return NULL;
}

void tn_classifier_add_mask(const struct tn_classifier *cls, struct tn_key *mask)
{
	uint32_t left;

	for (left = tn_read_number(&cls->shapes.map); left; left &= left - 1) {
		unsigned word = (unsigned)__builtin_ctz(left);

		tn_key_words(mask)[word] |= tn_read_number(&cls->shapes.mask[word]);
	}
}

void tn_classifier_foreach(struct tn_classifier *cls, tn_cls_rule_fn fn, void *ctx)
{
	const struct tn_walk *walk = cls->walks->current;
	struct tn_minimatch *mm[TN_LINEAR_MAX];
	struct tn_sub *sub;
	uint32_t i, n;

	if (walk->linear) {
		n = tn_placement_linear(cls, mm);
		for (i = 0; i < n; i++)
			tn_rulelist_foreach(mm[i], fn, ctx);
		return;
	}
	TN_WALK_FOR_SUBS(sub, walk) {
		if (sub->is_trie)
			tn_trie_foreach(tn_sub_trie(sub), fn, ctx);
		else
			tn_tuple_foreach(tn_sub_tuple(sub), fn, ctx);
	}
}

void tn_cls_rule_match(const struct tn_cls_rule *rule, struct tn_match *match)
{
	tn_minimatch_value(rule->mm, &match->value);
	tn_shape_mask(rule->mm->shape, &match->mask);
}

static const char *template_name(const struct tn_classifier *cls)
{
	const struct tn_walk *walk = cls->walks->current;
	struct tn_sub *sub;

	if (walk->linear)
		return "linear";
	if (cls->n_tries == 1 && cls->n_tuples == 0)
		return "prefix";
	if (cls->n_tries || cls->n_tuples != 1)
		return "tuples";
	TN_WALK_FOR_SUBS(sub, walk) {
		if (tn_sub_tuple(sub)->n_finer)
			return "tuples";
	}
	return "exact";
}

void tn_classifier_stats(const struct tn_classifier *cls, struct tn_classifier_stats *stats)
{
	*stats = (struct tn_classifier_stats){
		.template_name = template_name(cls),
		.n_rules = cls->n_rules,
		.n_tuples = cls->n_tuples,
		.n_tries = cls->n_tries,
		.memory_bytes = sizeof(*cls) + cls->store.bytes,
	};
}
