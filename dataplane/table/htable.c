/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/htable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Buckets moved with each change while an array grows. Two are enough to be done in time. */
#define STEP 4

/* Full enough to grow: 3.6 of 6 slots. Too full to take one more: 5.7. Empty enough to shrink. */
static uint32_t grow_at(const struct tn_harray *a)
{
	return (uint32_t)((uint64_t)(a->mask + 1) * 18 / 5);
}

static uint32_t refuse_at(const struct tn_harray *a)
{
	return (uint32_t)((uint64_t)(a->mask + 1) * 57 / 10);
}

static uint32_t shrink_at(const struct tn_harray *a)
{
	return a->mask < 7 ? 0 : (a->mask + 1) / 2;
}

/* calloc of a large array takes fresh pages, already zero and not touched before they are used. */
static struct tn_harray *array_new(struct tn_cls_store *store, uint32_t buckets)
{
	size_t size = sizeof(struct tn_harray) + (size_t)buckets * sizeof(struct tn_hbucket) +
		TN_CACHE_LINE - 16;
	char *base = tn_cls_alloc(store, size);
	struct tn_harray *a;

	if (!base)
		return NULL;
	a = (void *)(base + (-(uintptr_t)base & (TN_CACHE_LINE - 1)));
	a->mask = buckets - 1;
	a->size = size;
	a->base = base;
	return a;
}

int tn_htable_init(struct tn_cls_store *store, struct tn_htable *t)
{
	*t = (struct tn_htable){.array = array_new(store, 1)};
	return t->array ? 0 : -ENOMEM;
}

void tn_htable_fini(struct tn_cls_store *store, struct tn_htable *t)
{
	if (t->array)
		tn_cls_free_later(store, t->array->base, t->array->size);
	if (t->growing)
		tn_cls_free(store, t->growing->base, t->growing->size);
}

static void set_tag(struct tn_hbucket *b, unsigned slot, uint16_t tag)
{
	unsigned shift = slot % 4 * 16;
	uint64_t tags = b->tags[slot / 4];

	tags = (tags & ~(UINT64_C(0xffff) << shift)) | (uint64_t)tag << shift;
	tn_publish(&b->tags[slot / 4], tags);
}

static void count_passer(struct tn_hbucket *b, int64_t by)
{
	tn_publish(&b->tags[1], b->tags[1] + ((uint64_t)by << 32));
}

/* Returns the bucket it went to; there is room. */
static uint32_t place(struct tn_harray *a, struct tn_hentry *e)
{
	uint32_t at = e->hash & a->mask;
	unsigned slot;

	for (;; at = (at + 1) & a->mask) {
		struct tn_hbucket *b = &a->bucket[at];

		for (slot = 0; slot < TN_HSLOTS; slot++) {
			if (b->slot[slot])
				continue;
			tn_publish(&b->slot[slot], e);
			set_tag(b, slot, e->tag);
			return at;
		}
		count_passer(b, 1);
	}
}

static uint32_t locate(const struct tn_harray *a, const struct tn_hentry *e, unsigned *slot)
{
	uint32_t at = e->hash & a->mask;

	for (;; at = (at + 1) & a->mask) {
		for (*slot = 0; *slot < TN_HSLOTS; (*slot)++) {
			if (a->bucket[at].slot[*slot] == e)
				return at;
		}
	}
}

static uint32_t displace(struct tn_harray *a, const struct tn_hentry *e)
{
	uint32_t at = e->hash & a->mask;
	unsigned slot;
	uint32_t found = locate(a, e, &slot);

	set_tag(&a->bucket[found], slot, 0);
	tn_publish(&a->bucket[found].slot[slot], NULL);
	for (; at != found; at = (at + 1) & a->mask)
		count_passer(&a->bucket[at], -1);
	return found;
}

/* Without memory the table stays as it is, as long as it can. */
static void start(struct tn_cls_store *store, struct tn_htable *t, uint32_t buckets)
{
	t->growing = array_new(store, buckets);
	t->cursor = 0;
}

static void step(struct tn_cls_store *store, struct tn_htable *t)
{
	struct tn_harray *old = t->array;
	unsigned slot;
	int i;

	for (i = 0; i < STEP && t->cursor <= old->mask; i++, t->cursor++) {
		for (slot = 0; slot < TN_HSLOTS; slot++) {
			if (old->bucket[t->cursor].slot[slot])
				place(t->growing, old->bucket[t->cursor].slot[slot]);
		}
	}
	if (t->cursor <= old->mask)
		return;
	tn_publish(&t->array, t->growing);
	t->growing = NULL;
	tn_cls_free_later(store, old->base, old->size);
}

int tn_htable_insert(struct tn_cls_store *store, struct tn_htable *t, struct tn_hentry *e)
{
	uint32_t at;

	if (!t->growing && t->count >= grow_at(t->array))
		start(store, t, 2 * (t->array->mask + 1));
	if (!t->growing && t->count >= refuse_at(t->array))
		return -ENOMEM;
	at = place(t->array, e);
	if (t->growing && at < t->cursor)
		place(t->growing, e);
	t->count++;
	if (t->growing)
		step(store, t);
	return 0;
}

void tn_htable_remove(struct tn_cls_store *store, struct tn_htable *t, struct tn_hentry *e)
{
	uint32_t at = displace(t->array, e);

	if (t->growing && at < t->cursor)
		displace(t->growing, e);
	t->count--;
	if (!t->growing && t->count < shrink_at(t->array))
		start(store, t, (t->array->mask + 1) / 4);
	if (t->growing)
		step(store, t);
}

void tn_htable_replace(struct tn_htable *t, struct tn_hentry *e, struct tn_hentry *with)
{
	unsigned slot;
	uint32_t at = locate(t->array, e, &slot);

	tn_publish(&t->array->bucket[at].slot[slot], with);
	if (t->growing && at < t->cursor) {
		at = locate(t->growing, e, &slot);
		tn_publish(&t->growing->bucket[at].slot[slot], with);
	}
}
