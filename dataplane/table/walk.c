/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Replaced arrays that may wait before sorting is put off. */
#define MAX_WAITING 4
/* So many tuples and tries make columns worth their memory. */
#define WITH_COLUMNS 5

static size_t walk_size(uint32_t n)
{
	return sizeof(struct tn_walk) + n * sizeof(struct tn_walk_entry);
}

static struct tn_walk *walk_new(struct tn_walks *walks, uint32_t n, bool linear)
{
	struct tn_walk *walk = tn_cls_alloc(walks->store, walk_size(n));

	if (!walk)
		return NULL;
	walk->linear = linear;
	walk->walks = walks;
	walk->columns = linear ? NULL : walks->columns;
	return walk;
}

static void resort(struct tn_walks *walks);

/* Deferred: no reader holds the array. A good time to do the sorting that was put off. */
static void walk_expired(void *p)
{
	struct tn_walks *walks = ((struct tn_walk *)p)->walks;

	walks->waiting--;
	free(p);
	if (!walks->store) {
		if (!walks->waiting)
			free(walks);
		return;
	}
	if (walks->dirty)
		resort(walks);
}

static void retire(struct tn_walks *walks, struct tn_walk *walk)
{
	tn_cls_uncount(walks->store, walk_size(walk->n));
	walks->waiting++;
	tn_defer_add(walks->store->defer, walk, walk_expired);
}

/* The array's size on the books is that of its n. */
static void install(struct tn_walks *walks, struct tn_walk *walk)
{
	struct tn_walk *old = walks->current;

	walks->current = walk;
	walks->dirty = 0;
	if (!walks->hidden)
		tn_publish(walks->root, walk);
	if (old)
		retire(walks, old);
}

struct tn_walks *tn_walks_new(struct tn_cls_store *store, struct tn_walk **root)
{
	struct tn_walks *walks = calloc(1, sizeof(*walks));

	if (!walks)
		return NULL;
	walks->store = store;
	walks->root = root;
	if (tn_walk_set_linear(walks, NULL, 0) != 0) {
		free(walks);
		return NULL;
	}
	return walks;
}

/* Readers that have them may go on. */
static void forget_columns(struct tn_walks *walks)
{
	if (walks->columns)
		tn_cls_free_later(walks->store, walks->columns, walks->columns->size);
	walks->columns = NULL;
	memset(walks->slots, 0, sizeof(walks->slots));
}

static int replace_columns(struct tn_walks *walks, struct tn_columns *with)
{
	struct tn_columns *old = walks->columns;

	if (!with)
		return -ENOMEM;
	walks->columns = with;
	tn_publish(&walks->current->columns, with);
	if (old)
		tn_cls_free_later(walks->store, old, old->size);
	return 0;
}

void tn_walks_free(struct tn_walks *walks)
{
	if (!walks)
		return;
	tn_cls_free(walks->store, walks->current, walk_size(walks->current->n));
	forget_columns(walks);
	walks->store = NULL;
	if (!walks->waiting)
		free(walks);
}

/* Insertion sort: the arrays are nearly in order. Equal ones keep theirs. */
static void sort_in(struct tn_walk *walk, struct tn_walk_entry e)
{
	uint32_t at = walk->n++;

	for (; at > 0 && walk->entry[at - 1].highest < e.highest; at--)
		walk->entry[at] = walk->entry[at - 1];
	walk->entry[at] = e;
}

static void set_bounds(struct tn_walk *walk)
{
	int32_t bound = TN_NO_PRIORITY;
	uint32_t i;

	for (i = walk->n; i-- > 0;) {
		if (walk->entry[i].highest > bound)
			bound = walk->entry[i].highest;
		walk->entry[i].bound = bound;
	}
}

int tn_walk_set_linear(struct tn_walks *walks, struct tn_minimatch *const *mm, uint32_t n)
{
	struct tn_walk *walk = walk_new(walks, n, true);
	uint32_t i;

	if (!walk)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		sort_in(walk,
			(struct tn_walk_entry){
				.what = (uintptr_t)mm[i], .highest = tn_minimatch_priority(mm[i])});
	}
	set_bounds(walk);
	install(walks, walk);
	forget_columns(walks);
	return 0;
}

int tn_walk_begin(struct tn_walks *walks, bool with_columns)
{
	struct tn_walk *walk = walk_new(walks, 0, false);

	if (!walk)
		return -ENOMEM;
	walks->hidden = true;
	walks->current = walk;
	if (with_columns && replace_columns(walks, tn_columns_new(walks->store, 1)) != 0) {
		tn_walk_abort(walks);
		return -ENOMEM;
	}
	return 0;
}

void tn_walk_end(struct tn_walks *walks)
{
	struct tn_walk *linear = *walks->root;

	walks->hidden = false;
	tn_publish(walks->root, walks->current);
	retire(walks, linear);
}

void tn_walk_abort(struct tn_walks *walks)
{
	walks->hidden = false;
	walks->dirty = 0;
	tn_cls_free(walks->store, walks->current, walk_size(walks->current->n));
	forget_columns(walks);
	walks->current = *walks->root;
}

static struct tn_sub *sub_of(const struct tn_walk_entry *e)
{
	return (struct tn_sub *)(e->what & ~TN_WALK_TRIE);
}

static void write_positions(const struct tn_walk *walk)
{
	uint32_t i;

	for (i = 0; i < walk->n && !walk->linear; i++)
		sub_of(&walk->entry[i])->position = i;
}

/* A copy of the current walk, sorted, without what is gone, with room for one more. */
static struct tn_walk *sorted_copy(struct tn_walks *walks, const struct tn_sub *more)
{
	const struct tn_walk *old = walks->current;
	struct tn_walk *walk;
	uint32_t i, n = more != NULL;

	for (i = 0; i < old->n; i++)
		n += old->entry[i].what != 0;
	walk = walk_new(walks, n, old->linear);
	if (!walk)
		return NULL;
	for (i = 0; i < old->n; i++) {
		if (old->entry[i].what)
			sort_in(walk, old->entry[i]);
	}
	return walk;
}

static void finish(struct tn_walks *walks, struct tn_walk *walk)
{
	set_bounds(walk);
	write_positions(walk);
	install(walks, walk);
}

/* Without memory the order stays out of date: slower, not wrong. */
static void resort(struct tn_walks *walks)
{
	struct tn_walk *walk = sorted_copy(walks, NULL);

	if (walk)
		finish(walks, walk);
}

static void disordered(struct tn_walks *walks)
{
	walks->dirty++;
	if (walks->waiting < MAX_WAITING || walks->dirty > walks->current->n / 4 + 8)
		resort(walks);
}

static uint32_t free_slot(const struct tn_walks *walks)
{
	uint32_t slot = 0;

	while (walks->slots[slot / 64] >> slot % 64 & 1)
		slot++;
	return slot;
}

/* Columns have a bit for the slot, where there are columns. */
static int provide_columns(struct tn_walks *walks, uint32_t slot)
{
	uint32_t n = 64;

	while (n <= slot)
		n *= 2;
	if (n > TN_SLOTS_MAX)
		n = TN_SLOTS_MAX;
	if (!walks->columns && slot + 1 < WITH_COLUMNS)
		return 0;
	if (!walks->columns)
		return replace_columns(walks, tn_columns_new(walks->store, n));
	if (slot < tn_columns_slots(walks->columns))
		return 0;
	return replace_columns(walks, tn_columns_widen(walks->store, walks->columns, n));
}

int tn_walk_add(struct tn_walks *walks, struct tn_sub *sub)
{
	uint32_t slot = free_slot(walks);
	struct tn_walk *walk;

	if (provide_columns(walks, slot) != 0)
		return -ENOMEM;
	walk = sorted_copy(walks, sub);
	if (!walk)
		return -ENOMEM;
	sub->slot = slot;
	sub->wild = 0;
	if (walks->columns)
		tn_columns_clear(walks->columns, slot);
	walks->slots[slot / 64] |= UINT64_C(1) << slot % 64;
	sort_in(walk,
		(struct tn_walk_entry){
			.what = (uintptr_t)sub | (sub->is_trie ? TN_WALK_TRIE : 0),
			.highest = sub->priorities.highest,
			.slot = slot,
		});
	finish(walks, walk);
	return 0;
}

/*
 * Columns for the bytes that a shape is the first to look at. What is there already takes every
 * value of them. Without memory the columns that are there do.
 */
static void add_columns(struct tn_walks *walks, const struct tn_shape *shape)
{
	struct tn_sub *sub;
	int wanted;

	for (;;) {
		wanted = tn_columns_wanted(walks->columns, shape);
		if (wanted < 0)
			return;
		if (replace_columns(walks,
			    tn_columns_add(walks->store, walks->columns, (unsigned)wanted)) != 0)
			return;
		TN_WALK_FOR_SUBS(sub, walks->current) {
			if (sub->n_matches)
				sub->wild |= 1u << (walks->columns->n - 1);
			else
				tn_columns_clear(walks->columns, sub->slot);
		}
	}
}

void tn_walk_expect(struct tn_walks *walks, struct tn_sub *sub, const struct tn_minimatch *mm)
{
	if (!walks->columns)
		return;
	add_columns(walks, mm->shape);
	tn_columns_set(walks->columns, sub->slot, &sub->wild, mm);
}

static void set_number(int32_t *p, int32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static void refresh_bounds(struct tn_walk *walk, uint32_t from)
{
	int32_t bound = from + 1 < walk->n ? walk->entry[from + 1].bound : TN_NO_PRIORITY;
	uint32_t i;

	for (i = from + 1; i-- > 0;) {
		if (walk->entry[i].highest > bound)
			bound = walk->entry[i].highest;
		if (walk->entry[i].bound == bound && i < from)
			break;
		set_number(&walk->entry[i].bound, bound);
	}
}

static void update_entry(struct tn_walks *walks, uint32_t at, int32_t highest)
{
	struct tn_walk *walk = walks->current;

	if (walk->entry[at].highest == highest)
		return;
	set_number(&walk->entry[at].highest, highest);
	refresh_bounds(walk, at);
	if ((at > 0 && walk->entry[at - 1].highest < highest) ||
		(at + 1 < walk->n && walk->entry[at + 1].highest > highest))
		disordered(walks);
}

static void drop_entry(struct tn_walks *walks, uint32_t at)
{
	struct tn_walk *walk = walks->current;

	tn_publish(&walk->entry[at].what, (uintptr_t)0);
	set_number(&walk->entry[at].highest, TN_NO_PRIORITY);
	refresh_bounds(walk, at);
	disordered(walks);
}

void tn_walk_drop(struct tn_walks *walks, struct tn_sub *sub)
{
	drop_entry(walks, sub->position);
	walks->slots[sub->slot / 64] &= ~(UINT64_C(1) << sub->slot % 64);
}

void tn_walk_update(struct tn_walks *walks, struct tn_sub *sub)
{
	update_entry(walks, sub->position, sub->priorities.highest);
}

void tn_walk_update_linear(struct tn_walks *walks, const struct tn_minimatch *mm)
{
	uint32_t at = 0;

	while (walks->current->entry[at].what != (uintptr_t)mm)
		at++;
	if (mm->rules)
		update_entry(walks, at, tn_minimatch_priority(mm));
	else
		drop_entry(walks, at);
}
