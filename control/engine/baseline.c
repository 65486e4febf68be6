/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/baseline.h"

#include <stdlib.h>

void tn_baseline_set(
	struct tn_baseline *b, enum tn_counted what, uint64_t id, struct tn_counter base)
{
	struct tn_index *x = &b->by[what];
	struct tn_counter *there;

	if (!base.packets && !base.bytes) {
		free(tn_index_remove(x, id));
		return;
	}
	there = tn_index_get(x, id);
	if (!there) {
		there = malloc(sizeof(*there));
		if (!there)
			abort();
		(void)tn_index_put(x, id, there);
	}
	*there = base;
}

struct tn_counter tn_baseline_since(
	struct tn_baseline *b, enum tn_counted what, uint64_t id, struct tn_counter now)
{
	struct tn_counter *base = tn_index_get(&b->by[what], id);

	if (b->next)
		tn_baseline_set(b->next, what, id, now);
	if (!base)
		return now;
	if (now.packets < base->packets || now.bytes < base->bytes) {
		*base = (struct tn_counter){0};
		b->anew = true;
	}
	return (struct tn_counter){
		.packets = now.packets - base->packets, .bytes = now.bytes - base->bytes};
}

uint64_t tn_baseline_since_one(
	struct tn_baseline *b, enum tn_counted what, uint64_t id, uint64_t now)
{
	return tn_baseline_since(b, what, id, (struct tn_counter){.packets = now}).packets;
}

void tn_baseline_scan(const struct tn_baseline *b, enum tn_counted what, uint64_t from, uint64_t to,
	tn_base_fn fn, void *ctx)
{
	const struct tn_counter *base;
	uint64_t id = from;

	while ((base = tn_index_from(&b->by[what], &id)) && id <= to) {
		fn(ctx, what, id, *base);
		if (!tn_index_step(&id))
			break;
	}
}

void tn_baseline_scan_all(const struct tn_baseline *b, tn_base_fn fn, void *ctx)
{
	for (unsigned what = 0; what < TN_N_COUNTED; what++)
		tn_baseline_scan(b, (enum tn_counted)what, 0, UINT64_MAX, fn, ctx);
}

static void forget_one(void *ctx, enum tn_counted what, uint64_t id, struct tn_counter base)
{
	struct tn_baseline *b = ctx;

	(void)base;
	free(tn_index_remove(&b->by[what], id));
}

void tn_baseline_forget(struct tn_baseline *b, enum tn_counted what, uint64_t from, uint64_t to)
{
	tn_baseline_scan(b, what, from, to, forget_one, b);
}

void tn_baseline_clear(struct tn_baseline *b)
{
	tn_baseline_scan_all(b, forget_one, b);
	for (unsigned what = 0; what < TN_N_COUNTED; what++)
		tn_index_fini(&b->by[what]);
	b->anew = false;
}
