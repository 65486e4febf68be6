/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <stdlib.h>

/* Where something was taken out: never visible, but lookups go on past it. */
static struct tn_versioned gone = {.add_version = TN_VERSION_NEVER};

static struct tn_id_table *new_table(uint32_t n_slots)
{
	struct tn_id_table *t = calloc(1, sizeof(*t) + n_slots * sizeof(t->slots[0]));

	if (t)
		t->mask = n_slots - 1;
	return t;
}

struct tn_id_table *tn_sw_id_table_new(void)
{
	return new_table(16);
}

void tn_sw_id_table_insert(struct tn_id_table *t, struct tn_versioned *v)
{
	uint32_t i = tn_id_hash(v->id);

	while (t->slots[i & t->mask] && t->slots[i & t->mask] != &gone)
		i++;
	if (!t->slots[i & t->mask])
		t->n_used++;
	t->n_live++;
	__atomic_store_n(&t->slots[i & t->mask], v, __ATOMIC_RELEASE);
}

/* The old table stays as it is, for readers who hold it. */
bool tn_sw_id_table_reserve(struct tn_switch *sw, struct tn_id_table **table)
{
	struct tn_id_table *old = *table, *t;
	uint32_t n_slots = 16;

	if ((old->n_used + 1) * 2 <= old->mask + 1)
		return true;
	while (n_slots < (old->n_live + 1) * 3)
		n_slots *= 2;
	t = new_table(n_slots);
	if (!t)
		return false;
	for (uint32_t i = 0; i <= old->mask; i++) {
		if (old->slots[i] && old->slots[i] != &gone)
			tn_sw_id_table_insert(t, old->slots[i]);
	}
	*table = t;
	tn_defer_add(sw->defer, old, free);
	return true;
}

void tn_sw_id_table_remove(struct tn_id_table *t, const struct tn_versioned *v)
{
	uint32_t i = tn_id_hash(v->id);

	while (t->slots[i & t->mask] != v)
		i++;
	t->n_live--;
	__atomic_store_n(&t->slots[i & t->mask], &gone, __ATOMIC_RELEASE);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = (*(const struct tn_versioned *const *)a)->id;
	uint32_t y = (*(const struct tn_versioned *const *)b)->id;

	return (x > y) - (x < y);
}

bool tn_sw_id_table_sorted(
	const struct tn_id_table *t, uint64_t version, struct tn_versioned ***v, size_t *n)
{
	*n = 0;
	*v = malloc((t->n_live + 1) * sizeof(**v));
	if (!*v)
		return false;
	for (uint32_t i = 0; i <= t->mask; i++) {
		struct tn_versioned *o = t->slots[i];

		if (o && tn_sw_versioned_visible(o, version))
			(*v)[(*n)++] = o;
	}
	qsort(*v, *n, sizeof(**v), compare);
	return true;
}

void tn_sw_id_table_take_all(struct tn_id_table *t, struct tn_versioned **list)
{
	for (uint32_t i = 0; i <= t->mask; i++) {
		struct tn_versioned *v = t->slots[i];

		if (!v || v == &gone)
			continue;
		v->next = *list;
		*list = v;
		t->slots[i] = NULL;
	}
}
