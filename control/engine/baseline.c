/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/baseline.h"

#include <stdlib.h>

static void set(struct tn_index *x, uint64_t id, struct tn_counter now)
{
	struct tn_counter *base = tn_index_get(x, id);

	if (!base) {
		base = malloc(sizeof(*base));
		if (!base)
			abort();
		(void)tn_index_put(x, id, base);
	}
	*base = now;
}

struct tn_counter tn_baseline_since(
	struct tn_baseline *b, enum tn_counted what, uint64_t id, struct tn_counter now)
{
	struct tn_index *x = &b->by[what];
	const struct tn_counter *base;

	if (b->setting) {
		set(x, id, now);
		return (struct tn_counter){0};
	}
	base = tn_index_get(x, id);
	if (!base)
		return now;
	/* It began anew there. */
	if (now.packets < base->packets || now.bytes < base->bytes) {
		free(tn_index_remove(x, id));
		return now;
	}
	return (struct tn_counter){
		.packets = now.packets - base->packets, .bytes = now.bytes - base->bytes};
}

uint64_t tn_baseline_since_one(
	struct tn_baseline *b, enum tn_counted what, uint64_t id, uint64_t now)
{
	return tn_baseline_since(b, what, id, (struct tn_counter){.packets = now}).packets;
}

void tn_baseline_forget(struct tn_baseline *b, enum tn_counted what, uint64_t from, uint64_t to)
{
	struct tn_index *x = &b->by[what];
	uint64_t id = from;

	while (tn_index_from(x, &id) && id <= to) {
		free(tn_index_remove(x, id));
		if (!tn_index_step(&id))
			break;
	}
}

void tn_baseline_clear(struct tn_baseline *b)
{
	for (unsigned what = 0; what < TN_N_COUNTED; what++) {
		tn_baseline_forget(b, (enum tn_counted)what, 0, UINT64_MAX);
		tn_index_fini(&b->by[what]);
	}
}
