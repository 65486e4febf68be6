/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/edits.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(enum tn_kind kind, uint64_t id)
{
	uint64_t h = (id + (uint64_t)kind) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 31;
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

void tn_edits_fini(struct tn_edits *e)
{
	for (size_t i = 0; i < e->n; i++) {
		tn_wanted_put(e->v[i].before);
		tn_wanted_put(e->v[i].after);
	}
	free(e->v);
	free(e->slots);
	*e = (struct tn_edits){0};
}

struct tn_edit *tn_edits_find(const struct tn_edits *e, enum tn_kind kind, uint64_t id)
{
	size_t mask = e->n_slots - 1;

	if (!e->n)
		return NULL;
	for (size_t i = hash_of(kind, id) & mask; e->slots[i]; i = (i + 1) & mask) {
		struct tn_edit *edit = &e->v[e->slots[i] - 1];

		if (edit->id == id && edit->kind == kind)
			return edit;
	}
	return NULL;
}

static void place(struct tn_edits *e, size_t position)
{
	size_t mask = e->n_slots - 1;
	size_t i = hash_of(e->v[position].kind, e->v[position].id) & mask;

	while (e->slots[i])
		i = (i + 1) & mask;
	e->slots[i] = (uint32_t)position + 1;
}

static void place_all(struct tn_edits *e)
{
	memset(e->slots, 0, e->n_slots * sizeof(*e->slots));
	for (size_t i = 0; i < e->n; i++)
		place(e, i);
}

static void grow(struct tn_edits *e)
{
	e->size = e->size ? e->size * 2 : 4;
	e->v = must(realloc(e->v, e->size * sizeof(*e->v)));
	e->n_slots = e->size * 2;
	e->slots = must(realloc(e->slots, e->n_slots * sizeof(*e->slots)));
	place_all(e);
}

struct tn_edit *tn_edits_add(
	struct tn_edits *e, enum tn_kind kind, uint64_t id, struct tn_wanted *before)
{
	struct tn_edit *edit;

	if (e->n == e->size)
		grow(e);
	edit = &e->v[e->n];
	*edit = (struct tn_edit){.id = id, .kind = (uint8_t)kind};
	if (before) {
		edit->before = tn_wanted_get(before);
		edit->after = tn_wanted_get(before);
	}
	place(e, e->n++);
	return edit;
}

void tn_edit_set(struct tn_edit *edit, struct tn_wanted *after, size_t op)
{
	tn_wanted_put(edit->after);
	edit->after = after;
	edit->op = (uint32_t)op;
	edit->add = NULL;
	edit->reason = TN_REMOVED_DELETE;
}

void tn_edits_compact(struct tn_edits *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		if (tn_edit_changes(&e->v[i])) {
			e->v[n++] = e->v[i];
			continue;
		}
		tn_wanted_put(e->v[i].before);
		tn_wanted_put(e->v[i].after);
	}
	if (n == e->n)
		return;
	e->n = n;
	place_all(e);
}

/* Slots that are in use stand without a gap behind the place of their hash. */
struct tn_busy_slot {
	uint64_t id;
	uint32_t kind; /* 0: free */
};

void tn_busy_fini(struct tn_busy *b)
{
	free(b->slots);
	*b = (struct tn_busy){0};
}

static size_t busy_slot(const struct tn_busy *b, uint32_t kind, uint64_t id)
{
	size_t mask = b->n_slots - 1, i = hash_of((enum tn_kind)kind, id) & mask;

	while (b->slots[i].kind && (b->slots[i].id != id || b->slots[i].kind != kind))
		i = (i + 1) & mask;
	return i;
}

bool tn_busy_has(const struct tn_busy *b, enum tn_kind kind, uint64_t id)
{
	return b->n && b->slots[busy_slot(b, kind, id)].kind;
}

static void resize_busy(struct tn_busy *b, size_t n_slots)
{
	struct tn_busy_slot *old = b->slots;
	size_t n_old = b->n_slots;

	b->slots = must(calloc(n_slots, sizeof(*b->slots)));
	b->n_slots = n_slots;
	for (size_t i = 0; i < n_old; i++) {
		if (old[i].kind)
			b->slots[busy_slot(b, old[i].kind, old[i].id)] = old[i];
	}
	free(old);
}

void tn_busy_add(struct tn_busy *b, const struct tn_edits *edits)
{
	size_t n_slots = b->n_slots ? b->n_slots : 64;

	while (n_slots < 2 * (b->n + edits->n))
		n_slots *= 2;
	if (n_slots != b->n_slots)
		resize_busy(b, n_slots);
	for (size_t i = 0; i < edits->n; i++) {
		const struct tn_edit *edit = &edits->v[i];

		b->slots[busy_slot(b, edit->kind, edit->id)] =
			(struct tn_busy_slot){edit->id, edit->kind};
	}
	b->n += edits->n;
}

static void free_slot(struct tn_busy *b, size_t i)
{
	size_t mask = b->n_slots - 1;

	for (size_t j = (i + 1) & mask; b->slots[j].kind; j = (j + 1) & mask) {
		size_t home = hash_of((enum tn_kind)b->slots[j].kind, b->slots[j].id) & mask;

		if (((j - home) & mask) >= ((j - i) & mask)) {
			b->slots[i] = b->slots[j];
			i = j;
		}
	}
	b->slots[i].kind = 0;
}

/* Memory of a large request is not kept for the small ones that follow. */
void tn_busy_remove(struct tn_busy *b, const struct tn_edits *edits)
{
	if (b->n == edits->n) {
		tn_busy_fini(b);
		return;
	}
	for (size_t i = 0; i < edits->n; i++)
		free_slot(b, busy_slot(b, edits->v[i].kind, edits->v[i].id));
	b->n -= edits->n;
}
