/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/ends.h"

#include <stdlib.h>

#define SLOTS 8192u /* a power of two; never more than three quarters are taken */

TN_BUILD_ASSERT(TN_ENDS_MAX == SLOTS / 4 * 3, "there is always an empty slot");

struct pair {
	tn_u128 src, dst;
};

struct tn_ends {
	uint16_t slots[SLOTS]; /* numbers; 0: empty */
	uint16_t n;
	struct pair pairs[TN_ENDS_MAX + 1];
};

struct tn_ends *tn_ends_new(void)
{
	return calloc(1, sizeof(struct tn_ends));
}

void tn_ends_free(struct tn_ends *e)
{
	free(e);
}

static uint32_t hash(tn_u128 src, tn_u128 dst)
{
	tn_u128 mixed = src * UINT64_C(0x9e3779b97f4a7c15) ^ dst * UINT64_C(0xd6e8feb86659fd93);

	return (uint32_t)((uint64_t)(mixed >> 64 ^ mixed) * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

uint16_t tn_ends_number(struct tn_ends *e, tn_u128 src, tn_u128 dst)
{
	uint32_t at = hash(src, dst) % SLOTS;

	for (; e->slots[at]; at = (at + 1) % SLOTS) {
		const struct pair *p = &e->pairs[e->slots[at]];

		if (p->src == src && p->dst == dst)
			return e->slots[at];
	}
	if (e->n == TN_ENDS_MAX)
		return 0;
	e->slots[at] = ++e->n;
	e->pairs[e->n] = (struct pair){src, dst};
	return e->n;
}
