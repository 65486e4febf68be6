/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <stdlib.h>

static uint32_t *slot_of(const struct tn_sw_heap *h, struct tn_flow *flow)
{
	return h->evict ? &flow->evict_slot : &flow->timer_slot;
}

/* Ties by flow id, so that the order is the same on every run. */
static bool before(const struct tn_sw_heap *h, const struct tn_sw_heap_entry *a,
	const struct tn_sw_heap_entry *b)
{
	if (h->evict && a->flow->importance != b->flow->importance)
		return a->flow->importance < b->flow->importance;
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->flow->flow_id < b->flow->flow_id;
}

static void put(struct tn_sw_heap *h, uint32_t i, struct tn_sw_heap_entry e)
{
	h->v[i] = e;
	*slot_of(h, e.flow) = i;
}

static void sift_up(struct tn_sw_heap *h, uint32_t i, struct tn_sw_heap_entry e)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / 2;

		if (!before(h, &e, &h->v[parent]))
			break;
		put(h, i, h->v[parent]);
		i = parent;
	}
	put(h, i, e);
}

static void sift_down(struct tn_sw_heap *h, uint32_t i, struct tn_sw_heap_entry e)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && before(h, &h->v[child + 1], &h->v[child]))
			child++;
		if (!before(h, &h->v[child], &e))
			break;
		put(h, i, h->v[child]);
		i = child;
	}
	put(h, i, e);
}

bool tn_sw_heap_reserve(struct tn_sw_heap *h, size_t n)
{
	size_t size = h->size ? h->size : 64;
	struct tn_sw_heap_entry *v;

	if (n <= h->size)
		return true;
	while (size < n)
		size *= 2;
	v = realloc(h->v, size * sizeof(*v));
	if (!v)
		return false;
	h->v = v;
	h->size = (uint32_t)size;
	return true;
}

void tn_sw_heap_push(struct tn_sw_heap *h, struct tn_flow *flow, uint64_t due_ns)
{
	TN_ASSERT(h->n < h->size);
	h->n++;
	sift_up(h, h->n - 1, (struct tn_sw_heap_entry){due_ns, flow});
}

void tn_sw_heap_remove(struct tn_sw_heap *h, struct tn_flow *flow)
{
	uint32_t i = *slot_of(h, flow);
	struct tn_sw_heap_entry last;

	if (i == TN_SW_SLOT_NONE)
		return;
	*slot_of(h, flow) = TN_SW_SLOT_NONE;
	last = h->v[--h->n];
	if (i == h->n)
		return;
	if (i > 0 && before(h, &last, &h->v[(i - 1) / 2]))
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

struct tn_flow *tn_sw_heap_first(struct tn_sw_heap *h, uint64_t until_ns)
{
	while (h->n && h->v[0].due_ns <= until_ns) {
		struct tn_sw_heap_entry e = h->v[0];
		uint64_t due = tn_sw_flow_due(e.flow, NULL);

		if (due <= e.due_ns)
			return e.flow;
		e.due_ns = due;
		sift_down(h, 0, e);
	}
	return NULL;
}

void tn_sw_heap_free(struct tn_sw_heap *h)
{
	free(h->v);
	h->v = NULL;
	h->n = h->size = 0;
}
