/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/classifier.h"

#include "dataplane/table/rulelist.h"
#include "dataplane/table/trie.h"
#include "dataplane/table/tuple.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A table of few masks gives each a tuple of its own before it makes masks coarser. */
#define FINE_TUPLES 4
/* The third prefix length of a member makes a trie. */
#define TRIE_LENGTHS 3

struct tn_classifier {
	struct tn_walk *root; /* read */
	struct tn_walks *walks;
	struct tn_cls_store store;
	struct tn_shapes shapes;
	struct tn_rulelists lists;
	uint32_t n_rules, n_tuples, n_tries;
	uint32_t n_strays; /* matches in a tuple that is neither their own nor of a coarser self */
	bool coarse;	   /* many masks from the start: no tuples of their own */
	struct tn_trie *tries[TN_TRIES_MAX];
};

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

static struct tn_tuple *as_tuple(struct tn_sub *sub)
{
	return sub->is_trie ? NULL : (struct tn_tuple *)sub;
}

static struct tn_trie *as_trie(struct tn_sub *sub)
{
	return sub->is_trie ? (struct tn_trie *)sub : NULL;
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
		TN_WALK_FOR_SUBS(sub, walk)
		{
			if (as_trie(sub)) {
				tn_trie_clear(&cls->store, as_trie(sub));
				tn_trie_free(&cls->store, as_trie(sub));
			} else {
				tn_tuple_clear(&cls->store, as_tuple(sub));
				tn_tuple_free(&cls->store, as_tuple(sub));
			}
		}
	}
	tn_walks_free(cls->walks);
	tn_rulelists_fini(&cls->store);
	tn_shapes_fini(&cls->store);
	free(cls);
}

/* Where matches go. */

static struct tn_sub *add_tuple(struct tn_classifier *cls, struct tn_shape *shape, int *err)
{
	struct tn_tuple *tuple = tn_tuple_new(&cls->store, shape);

	*err = -ENOMEM;
	if (!tuple)
		return NULL;
	if (tn_walk_add(cls->walks, &tuple->sub) != 0) {
		tn_tuple_free(&cls->store, tuple);
		return NULL;
	}
	cls->n_tuples++;
	return &tuple->sub;
}

static struct tn_sub *add_trie(struct tn_classifier *cls, struct tn_shape *shape, int *err)
{
	struct tn_trie *trie = tn_trie_new(&cls->store, shape);

	*err = -ENOMEM;
	if (!trie)
		return NULL;
	if (tn_walk_add(cls->walks, &trie->sub) != 0) {
		tn_trie_free(&cls->store, trie);
		return NULL;
	}
	cls->tries[cls->n_tries++] = trie;
	return &trie->sub;
}

static void drop_if_empty(struct tn_classifier *cls, struct tn_sub *sub)
{
	uint32_t i = 0;

	if (sub->n_matches)
		return;
	tn_walk_drop(cls->walks, sub);
	if (!sub->is_trie) {
		cls->n_tuples--;
		tn_tuple_free(&cls->store, as_tuple(sub));
		return;
	}
	while (cls->tries[i] != as_trie(sub))
		i++;
	cls->tries[i] = cls->tries[--cls->n_tries];
	tn_trie_free(&cls->store, as_trie(sub));
}

static struct tn_trie *trie_for(const struct tn_classifier *cls, const struct tn_shape *shape)
{
	uint32_t i;

	for (i = 0; i < cls->n_tries; i++) {
		if (tn_trie_takes(cls->tries[i], shape))
			return cls->tries[i];
	}
	return NULL;
}

/* Tuples whose matches a trie for this shape would have taken. */
static unsigned count_lengths(const struct tn_classifier *cls, const struct tn_shape *shape)
{
	struct tn_sub *sub;
	unsigned n = 0;

	TN_WALK_FOR_SUBS(sub, cls->walks->current)
	{
		if (!sub->is_trie)
			n += tn_trie_would_take(shape, as_tuple(sub)->shape);
	}
	return n;
}

/*
 * The table is full of tuples: any tuple will do whose keys the match fixes. Its home is then not
 * one of those that find_match() looks at first.
 */
static struct tn_sub *find_stray_home(struct tn_classifier *cls, const struct tn_shape *shape,
	const struct tn_key *value, int *err)
{
	struct tn_key mask;
	struct tn_sub *sub;

	tn_shape_mask(shape, &mask);
	TN_WALK_FOR_SUBS(sub, cls->walks->current)
	{
		if (!sub->is_trie && tn_shape_within_mask(as_tuple(sub)->shape, &mask) &&
			tn_tuple_has_room(&cls->store, as_tuple(sub), shape, value))
			return sub;
	}
	*err = -ENOSPC;
	return NULL;
}

static struct tn_sub *choose_coarse_home(
	struct tn_classifier *cls, struct tn_shape *shape, const struct tn_key *value, int *err)
{
	static const enum tn_coarseness finest_first[] = {TN_COARSE, TN_COARSEST};
	static const enum tn_coarseness coarsest_first[] = {TN_COARSEST, TN_COARSE};
	struct tn_shape *coarse;
	unsigned i;

	*err = -ENOMEM;
	for (i = 0; i < TN_N_COARSE; i++) {
		coarse = tn_shape_coarse(&cls->store, shape, finest_first[i]);
		if (!coarse)
			return NULL;
		if (coarse->tuple && tn_tuple_has_room(&cls->store, coarse->tuple, shape, value))
			return &coarse->tuple->sub;
	}
	if (cls->n_tuples >= TN_TUPLES_MAX)
		return find_stray_home(cls, shape, value, err);
	for (i = 0; i < TN_N_COARSE; i++) {
		coarse = shape->coarse[coarsest_first[i]];
		if (!coarse->tuple)
			return add_tuple(cls, coarse, err);
	}
	return add_tuple(cls, shape, err);
}

/* An existing tuple or trie, or a new one. NULL: see *err. */
static struct tn_sub *choose_home(
	struct tn_classifier *cls, struct tn_shape *shape, const struct tn_key *value, int *err)
{
	struct tn_trie *trie;

	*err = -ENOMEM;
	if (shape->tuple)
		return &shape->tuple->sub;
	if (shape->prefix_member != TN_NO_MEMBER && !tn_shape_base(&cls->store, shape))
		return NULL;
	trie = trie_for(cls, shape);
	if (trie)
		return &trie->sub;
	if (shape->prefix_member != TN_NO_MEMBER && cls->n_tries < TN_TRIES_MAX &&
		count_lengths(cls, shape) + 1 >= TRIE_LENGTHS)
		return add_trie(cls, shape, err);
	if (!cls->coarse && cls->n_tuples < FINE_TUPLES)
		return add_tuple(cls, shape, err);
	return choose_coarse_home(cls, shape, value, err);
}

static bool is_stray(const struct tn_minimatch *mm)
{
	const struct tn_shape *shape = mm->shape, *home;

	if (((struct tn_sub *)mm->home)->is_trie)
		return false;
	home = ((struct tn_tuple *)mm->home)->shape;
	return home != shape && home != shape->coarse[TN_COARSE] &&
		home != shape->coarse[TN_COARSEST];
}

static void forget_priorities(struct tn_classifier *cls, struct tn_sub *sub,
	const struct tn_minimatch *mm, const struct tn_cls_rule *end)
{
	const struct tn_cls_rule *rule;

	for (rule = mm->rules; rule != end; rule = rule->next)
		tn_priorities_remove(&cls->store, &sub->priorities, rule->priority);
	tn_walk_update(cls->walks, sub);
}

static int note_priorities(
	struct tn_classifier *cls, struct tn_sub *sub, const struct tn_minimatch *mm)
{
	const struct tn_cls_rule *rule;
	int err;

	for (rule = mm->rules; rule; rule = rule->next) {
		err = tn_priorities_add(&cls->store, &sub->priorities, rule->priority);
		if (err) {
			forget_priorities(cls, sub, mm, rule);
			return err;
		}
	}
	tn_walk_update(cls->walks, sub);
	return 0;
}

/* Publishes a match, with its rules, in a tuple or trie. */
static int place(struct tn_classifier *cls, struct tn_minimatch *mm)
{
	struct tn_sub *sub;
	struct tn_key value;
	int err;

	tn_minimatch_value(mm, &value);
	sub = choose_home(cls, mm->shape, &value, &err);
	if (!sub)
		return err;
	err = note_priorities(cls, sub, mm);
	if (!err) {
		err = sub->is_trie ? tn_trie_insert(&cls->store, as_trie(sub), mm)
				   : tn_tuple_insert(&cls->store, as_tuple(sub), mm);
		if (err)
			forget_priorities(cls, sub, mm, NULL);
	}
	if (err) {
		drop_if_empty(cls, sub);
		return err;
	}
	cls->n_strays += is_stray(mm);
	return 0;
}

/* The match's rules are counted out by the caller. */
static void take_out(struct tn_classifier *cls, struct tn_minimatch *mm)
{
	struct tn_sub *sub = mm->home;

	cls->n_strays -= is_stray(mm);
	if (sub->is_trie)
		tn_trie_remove(&cls->store, as_trie(sub), mm);
	else
		tn_tuple_remove(&cls->store, as_tuple(sub), mm);
}

/* Linear. */

static uint32_t linear_matches(
	const struct tn_classifier *cls, struct tn_minimatch *mm[TN_LINEAR_MAX])
{
	const struct tn_walk *walk = cls->walks->current;
	uint32_t i, n = 0;

	for (i = 0; i < walk->n; i++) {
		if (walk->entry[i].what)
			mm[n++] = (struct tn_minimatch *)walk->entry[i].what;
	}
	return n;
}

static struct tn_minimatch *linear_find(
	const struct tn_classifier *cls, const struct tn_shape *shape, const struct tn_key *value)
{
	struct tn_minimatch *mm[TN_LINEAR_MAX];
	uint32_t i, n = linear_matches(cls, mm);

	for (i = 0; i < n; i++) {
		if (mm[i]->shape == shape && tn_minimatch_has_value(mm[i], value))
			return mm[i];
	}
	return NULL;
}

static int linear_place(struct tn_classifier *cls, struct tn_minimatch *mm)
{
	struct tn_minimatch *all[TN_LINEAR_MAX];
	uint32_t n = linear_matches(cls, all);

	all[n++] = mm;
	return tn_walk_set_linear(cls->walks, all, n);
}

/* The different shapes of n matches and one more. */
static uint32_t distinct_shapes(struct tn_minimatch *const *mm, uint32_t n, struct tn_shape *more,
	struct tn_shape *shapes[TN_LINEAR_MAX + 1])
{
	uint32_t i, j, n_shapes = 0;

	shapes[n_shapes++] = more;
	for (i = 0; i < n; i++) {
		for (j = 0; j < n_shapes && shapes[j] != mm[i]->shape; j++)
			;
		if (j == n_shapes)
			shapes[n_shapes++] = mm[i]->shape;
	}
	return n_shapes;
}

/* How many of these a trie for this shape would take. */
static uint32_t count_taken(
	const struct tn_shape *shape, struct tn_shape *const *shapes, uint32_t n)
{
	uint32_t i, taken = 0;

	if (shape->prefix_member == TN_NO_MEMBER)
		return 0;
	for (i = 0; i < n; i++)
		taken += tn_trie_would_take(shape, shapes[i]);
	return taken;
}

/*
 * What the first rules look like says how to go on: with a trie, if it takes TRIE_LENGTHS of the
 * masks; with tuples of their own, if no more than FINE_TUPLES others are left.
 */
static int begin_tuples(struct tn_classifier *cls, struct tn_shape *const *shapes, uint32_t n)
{
	uint32_t i, taken;
	int err = 0;

	for (i = 0; i < n; i++) {
		taken = count_taken(shapes[i], shapes, n);
		if (taken < TRIE_LENGTHS)
			continue;
		cls->coarse = n - taken > FINE_TUPLES;
		return add_trie(cls, shapes[i], &err) ? 0 : err;
	}
	cls->coarse = n > FINE_TUPLES;
	return 0;
}

static void undo_tuples(struct tn_classifier *cls, struct tn_minimatch *const *mm, uint32_t n)
{
	const struct tn_walk *walk = cls->walks->current;
	struct tn_sub *sub;
	uint32_t i;

	for (i = 0; i < n; i++) {
		take_out(cls, mm[i]);
		forget_priorities(cls, mm[i]->home, mm[i], NULL);
		mm[i]->home = NULL;
	}
	TN_WALK_FOR_SUBS(sub, walk)
	drop_if_empty(cls, sub);
	tn_walk_abort(cls->walks);
}

/* One rule more than linear is for, of the shape `more`. */
static int leave_linear(struct tn_classifier *cls, struct tn_shape *more)
{
	struct tn_shape *shapes[TN_LINEAR_MAX + 1];
	struct tn_minimatch *mm[TN_LINEAR_MAX];
	uint32_t i, n = linear_matches(cls, mm);
	uint32_t n_shapes = distinct_shapes(mm, n, more, shapes);
	int err = tn_walk_begin(cls->walks);

	if (err)
		return err;
	err = begin_tuples(cls, shapes, n_shapes);
	for (i = 0; i < n && !err; i++) {
		err = place(cls, mm[i]);
		if (err) {
			undo_tuples(cls, mm, i);
			return err;
		}
	}
	if (err)
		tn_walk_abort(cls->walks);
	else
		tn_walk_end(cls->walks);
	return err;
}

static struct tn_minimatch *find_match(
	const struct tn_classifier *cls, const struct tn_shape *shape, const struct tn_key *value)
{
	const struct tn_tuple *tuple = shape->tuple;
	struct tn_minimatch *mm = NULL;
	const struct tn_trie *trie;
	struct tn_sub *sub;
	unsigned level;

	if (cls->walks->current->linear)
		return linear_find(cls, shape, value);
	if (tuple)
		mm = tn_tuple_find(&cls->store, tuple, shape, value);
	trie = trie_for(cls, shape);
	if (!mm && trie)
		mm = tn_trie_find(&cls->store, trie, shape, value);
	for (level = 0; level < TN_N_COARSE && !mm; level++) {
		tuple = shape->coarse[level] ? shape->coarse[level]->tuple : NULL;
		if (tuple)
			mm = tn_tuple_find(&cls->store, tuple, shape, value);
	}
	if (mm || !cls->n_strays)
		return mm;
	TN_WALK_FOR_SUBS(sub, cls->walks->current)
	{
		if (!sub->is_trie)
			mm = tn_tuple_find(&cls->store, as_tuple(sub), shape, value);
		if (mm)
			return mm;
	}
	return NULL;
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
		err = leave_linear(cls, shape);
	if (err)
		return err;
	mm = find_match(cls, shape, value);
	if (mm)
		return join(cls, mm, rule);
	mm = tn_minimatch_new(&cls->store, shape, value);
	if (!mm)
		return -ENOMEM;
	tn_rulelist_add(&cls->store, mm, rule);
	err = cls->walks->current->linear ? linear_place(cls, mm) : place(cls, mm);
	if (err)
		tn_minimatch_free(&cls->store, mm, false);
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
			take_out(cls, mm);
		tn_priorities_remove(&cls->store, &sub->priorities, rule->priority);
		tn_walk_update(cls->walks, sub);
		drop_if_empty(cls, sub);
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
	struct tn_cls_rule *best = NULL;
	uintptr_t what;
	uint32_t i;

	if (walk->linear)
		return linear_lookup(walk, words, version);
	for (i = 0; i < walk->n; i++) {
		if (best && tn_read_number(&walk->entry[i].bound) <= best->priority)
			break;
		if (best && tn_read_number(&walk->entry[i].highest) <= best->priority)
			continue;
		what = tn_read(&walk->entry[i].what);
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
	const struct tn_minimatch *mm = shape ? find_match(cls, shape, &match->value) : NULL;
	struct tn_cls_rule *rule = mm ? tn_rulelist_find(&cls->store, mm, priority) : NULL;

	for (; rule && rule->priority == priority; rule = rule->next) {
		if (tn_cls_rule_visible(rule, version))
			return rule;
	}
	return NULL;
}

static struct tn_cls_rule *linear_overlap(const struct tn_classifier *cls,
	const struct tn_match *match, uint16_t priority, uint64_t version)
{
	struct tn_minimatch *mm[TN_LINEAR_MAX];
	struct tn_cls_rule *rule = NULL;
	uint32_t i, n = linear_matches(cls, mm);

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
	TN_WALK_FOR_SUBS(sub, walk)
	{
		if (!tn_priorities_has(&sub->priorities, priority))
			continue;
		rule = sub->is_trie
			? tn_trie_overlap(&cls->store, as_trie(sub), match, priority, version)
			: tn_tuple_overlap(&cls->store, as_tuple(sub), match, priority, version);
		if (rule)
			return rule;
	}
	return NULL;
}

void tn_classifier_mask(const struct tn_classifier *cls, struct tn_key *mask)
{
	unsigned i;

	for (i = 0; i < TN_KEY_WORDS; i++)
		tn_key_words(mask)[i] = tn_read(&cls->shapes.mask[i]);
}

void tn_classifier_foreach(struct tn_classifier *cls, tn_cls_rule_fn fn, void *ctx)
{
	const struct tn_walk *walk = cls->walks->current;
	struct tn_minimatch *mm[TN_LINEAR_MAX];
	struct tn_sub *sub;
	uint32_t i, n;

	if (walk->linear) {
		n = linear_matches(cls, mm);
		for (i = 0; i < n; i++)
			tn_rulelist_foreach(mm[i], fn, ctx);
		return;
	}
	TN_WALK_FOR_SUBS(sub, walk)
	{
		if (sub->is_trie)
			tn_trie_foreach(as_trie(sub), fn, ctx);
		else
			tn_tuple_foreach(as_tuple(sub), fn, ctx);
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
	TN_WALK_FOR_SUBS(sub, walk)
	{
		if (as_tuple(sub)->n_finer)
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
