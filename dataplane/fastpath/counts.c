/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/counts.h"

#include <stdlib.h>
#include <string.h>

#define PROBE 8u

struct tn_counts {
	struct tn_count slots[TN_COUNTS_MAX]; /* free: id, lookups and packets are zero */
	bool taken[TN_COUNTS_MAX];
	uint32_t n, sweep_at;
	uint32_t sweep_left; /* slots until all that was there at its beginning was reported */
	tn_count_fn report;
	void *ctx;
};

struct tn_counts *tn_counts_new(tn_count_fn report, void *ctx)
{
	struct tn_counts *c = calloc(1, sizeof(*c));

	if (c) {
		c->report = report;
		c->ctx = ctx;
	}
	return c;
}

static bool report(struct tn_counts *c, uint32_t slot)
{
	if (c->report && !c->report(c->ctx, &c->slots[slot]))
		return false;
	memset(&c->slots[slot], 0, sizeof(c->slots[slot]));
	c->taken[slot] = false;
	c->n--;
	return true;
}

bool tn_counts_sweep(struct tn_counts *c, uint32_t budget)
{
	for (uint32_t seen = 0; c->n && budget && seen < TN_COUNTS_MAX; seen++) {
		uint32_t slot = c->sweep_at % TN_COUNTS_MAX;

		if (c->taken[slot]) {
			if (!report(c, slot))
				return false;
			budget--;
		}
		c->sweep_at++;
		c->sweep_left -= c->sweep_left > 0;
	}
	if (!c->n)
		c->sweep_left = 0;
	return !c->sweep_left;
}

void tn_counts_sweep_begin(struct tn_counts *c)
{
	c->sweep_left = TN_COUNTS_MAX;
}

void tn_counts_free(struct tn_counts *c)
{
	if (c)
		(void)tn_counts_sweep(c, TN_COUNTS_MAX);
	free(c);
}

/* The entry of this identity, old or new; NULL: no room. */
static struct tn_count *entry(struct tn_counts *c, uint64_t id, uint8_t table)
{
	uint64_t key = (id << 8 | table) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t first = (uint32_t)(key >> 40), slot = first;

	for (uint32_t i = 0; i < PROBE; i++, slot++) {
		struct tn_count *count = &c->slots[slot % TN_COUNTS_MAX];

		if (!c->taken[slot % TN_COUNTS_MAX])
			break;
		if (count->id == id && count->table == table)
			return count;
	}
	slot = slot == first + PROBE ? first % TN_COUNTS_MAX : slot % TN_COUNTS_MAX;
	if (c->taken[slot] && !report(c, slot))
		return NULL;
	c->taken[slot] = true;
	c->n++;
	c->slots[slot].id = id;
	c->slots[slot].table = table;
	return &c->slots[slot];
}

void tn_counts_add(struct tn_counts *c, const struct tn_op *op, uint32_t bytes, uint64_t now_ns)
{
	struct tn_count *count = entry(c, op->count.id, op->table);

	if (!count)
		return;
	count->packets += !op->count.no_packets;
	count->bytes += op->count.no_bytes ? 0 : bytes;
	count->last_used_ns = now_ns;
	count->lookups += op->count.lookup;
	count->matches += op->count.lookup && op->count.id;
}
