/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/placement.h"

#include <errno.h>

/* A table of few masks gives each a tuple of its own before it makes masks coarser. */
#define FINE_TUPLES 4
/* The third prefix length of a member makes a trie. */
#define TRIE_LENGTHS 3
/* Columns are made exact after so many removals at least, and for no more rules than these. */
#define REFRESH_AFTER 64
#define REFRESH_MAX   4096

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

void tn_placement_drop_if_empty(struct tn_classifier *cls, struct tn_sub *sub)
{
	uint32_t i = 0;

	if (sub->n_matches)
		return;
	tn_walk_drop(cls->walks, sub);
	if (!sub->is_trie) {
		cls->n_tuples--;
		tn_tuple_free(&cls->store, tn_sub_tuple(sub));
		return;
	}
	while (cls->tries[i] != tn_sub_trie(sub))
		i++;
	cls->tries[i] = cls->tries[--cls->n_tries];
	tn_trie_free(&cls->store, tn_sub_trie(sub));
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

	TN_WALK_FOR_SUBS(sub, cls->walks->current) {
		if (!sub->is_trie)
			n += tn_trie_would_take(shape, tn_sub_tuple(sub)->shape);
	}
	return n;
}

/* The shape of a trie that would get its third length with this one, or NULL. */
static struct tn_shape *third_length(const struct tn_classifier *cls, struct tn_shape *shape)
{
	struct tn_shape *other;
	struct tn_sub *sub;

	if (cls->n_tries == TN_TRIES_MAX)
		return NULL;
	if (shape->prefix_member != TN_NO_MEMBER)
		return count_lengths(cls, shape) + 1 >= TRIE_LENGTHS ? shape : NULL;
	TN_WALK_FOR_SUBS(sub, cls->walks->current) {
		if (sub->is_trie)
			continue;
		other = tn_sub_tuple(sub)->shape;
		if (other->prefix_member != TN_NO_MEMBER && tn_trie_would_take(other, shape) &&
			count_lengths(cls, other) + 1 >= TRIE_LENGTHS)
			return other;
	}
	return NULL;
}

/*
 * The table is full of tuples: any tuple will do whose keys the match fixes. Its home is then not
 * one of those that tn_placement_find() looks at first.
 */
static struct tn_sub *find_stray_home(struct tn_classifier *cls, const struct tn_shape *shape,
	const struct tn_key *value, int *err)
{
	struct tn_key mask;
	struct tn_sub *sub;

	tn_shape_mask(shape, &mask);
	TN_WALK_FOR_SUBS(sub, cls->walks->current) {
		if (!sub->is_trie && tn_shape_within_mask(tn_sub_tuple(sub)->shape, &mask) &&
			tn_tuple_has_room(&cls->store, tn_sub_tuple(sub), shape, value))
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
	for (i = 0; i < TN_N_COARSE && cls->n_tuples < TN_TUPLES_MAX; i++) {
		coarse = shape->coarse[coarsest_first[i]];
		if (!coarse->tuple)
			return add_tuple(cls, coarse, err);
	}
	if (shape->prefix_member != TN_NO_MEMBER && cls->n_tries < TN_TRIES_MAX)
		return add_trie(cls, shape, err);
	if (cls->n_tuples < TN_TUPLES_MAX)
		return add_tuple(cls, shape, err);
	return find_stray_home(cls, shape, value, err);
}

/* An existing tuple or trie, or a new one. NULL: see *err. */
static struct tn_sub *choose_home(
	struct tn_classifier *cls, struct tn_shape *shape, const struct tn_key *value, int *err)
{
	struct tn_shape *trie_shape;
	struct tn_trie *trie;

	*err = -ENOMEM;
	if (shape->tuple)
		return &shape->tuple->sub;
	if (shape->prefix_member != TN_NO_MEMBER && !tn_shape_base(&cls->store, shape))
		return NULL;
	trie = trie_for(cls, shape);
	if (trie)
		return &trie->sub;
	trie_shape = cls->coarse ? NULL : third_length(cls, shape);
	if (trie_shape)
		return add_trie(cls, trie_shape, err);
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

int tn_placement_put(struct tn_classifier *cls, struct tn_minimatch *mm)
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
		tn_walk_expect(cls->walks, sub, mm);
		err = sub->is_trie ? tn_trie_insert(&cls->store, tn_sub_trie(sub), mm)
				   : tn_tuple_insert(&cls->store, tn_sub_tuple(sub), mm);
		if (err)
			forget_priorities(cls, sub, mm, NULL);
	}
	if (err) {
		tn_placement_drop_if_empty(cls, sub);
		return err;
	}
	cls->n_strays += is_stray(mm);
	return 0;
}

struct exact_columns {
	struct tn_columns *columns;
	uint32_t wild;
};

static void set_again(void *ctx, struct tn_cls_rule *rule)
{
	struct exact_columns *exact = ctx;

	tn_columns_set(exact->columns, 0, &exact->wild, rule->mm);
}

/*
 * Matches that left have their bits in the columns still. When those may be most of them the
 * columns are made exact, unless that would take long: there the columns are full anyway.
 */
static void refresh_columns(struct tn_classifier *cls, struct tn_sub *sub)
{
	struct tn_columns *columns = cls->walks->columns;
	struct exact_columns exact = {0};

	if (!columns || ++sub->n_gone < 2 * sub->n_matches + REFRESH_AFTER ||
		sub->priorities.n_rules > REFRESH_MAX)
		return;
	exact.columns = tn_columns_blank(&cls->store, columns);
	if (!exact.columns)
		return;
	if (sub->is_trie)
		tn_trie_foreach(tn_sub_trie(sub), set_again, &exact);
	else
		tn_tuple_foreach(tn_sub_tuple(sub), set_again, &exact);
	tn_columns_confine(columns, sub->slot, exact.columns);
	tn_cls_free(&cls->store, exact.columns, exact.columns->size);
	sub->wild = exact.wild;
	sub->n_gone = 0;
}

void tn_placement_take(struct tn_classifier *cls, struct tn_minimatch *mm)
{
	struct tn_sub *sub = mm->home;

	cls->n_strays -= is_stray(mm);
	if (sub->is_trie)
		tn_trie_remove(&cls->store, tn_sub_trie(sub), mm);
	else
		tn_tuple_remove(&cls->store, tn_sub_tuple(sub), mm);
	refresh_columns(cls, sub);
}

uint32_t tn_placement_linear(
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
	uint32_t i, n = tn_placement_linear(cls, mm);

	for (i = 0; i < n; i++) {
		if (mm[i]->shape == shape && tn_minimatch_has_value(mm[i], value))
			return mm[i];
	}
	return NULL;
}

int tn_placement_put_linear(struct tn_classifier *cls, struct tn_minimatch *mm)
{
	struct tn_minimatch *all[TN_LINEAR_MAX];
	uint32_t n = tn_placement_linear(cls, all);

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
		tn_placement_take(cls, mm[i]);
		forget_priorities(cls, mm[i]->home, mm[i], NULL);
		mm[i]->home = NULL;
	}
	TN_WALK_FOR_SUBS(sub, walk)
		tn_placement_drop_if_empty(cls, sub);
	tn_walk_abort(cls->walks);
}

int tn_placement_leave_linear(struct tn_classifier *cls, struct tn_shape *more)
{
	struct tn_shape *shapes[TN_LINEAR_MAX + 1];
	struct tn_minimatch *mm[TN_LINEAR_MAX];
	uint32_t i, n = tn_placement_linear(cls, mm);
	uint32_t n_shapes = distinct_shapes(mm, n, more, shapes);
	int err = tn_walk_begin(cls->walks, n_shapes > FINE_TUPLES);

	if (err)
		return err;
	err = begin_tuples(cls, shapes, n_shapes);
	for (i = 0; i < n && !err; i++) {
		err = tn_placement_put(cls, mm[i]);
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

struct tn_minimatch *tn_placement_find(
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
	TN_WALK_FOR_SUBS(sub, cls->walks->current) {
		if (!sub->is_trie)
			mm = tn_tuple_find(&cls->store, tn_sub_tuple(sub), shape, value);
		if (mm)
			return mm;
	}
	return NULL;
}
