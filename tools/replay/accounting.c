/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/accounting.h"

#include <stdlib.h>
#include <string.h>

#include "tools/replay/memory.h"

#define FIRST_SLOTS 256u

void tn_account_init(struct tn_account *a)
{
	memset(a, 0, sizeof(*a));
	a->mask = FIRST_SLOTS - 1;
	a->slots = tn_alloc(FIRST_SLOTS * sizeof(*a->slots));
	a->rows = tn_alloc(FIRST_SLOTS / 2 * sizeof(*a->rows));
	/* Row 0 takes what no row can be had for; its reason is none. */
	a->n_rows = 1;
}

void tn_account_fini(struct tn_account *a)
{
	free(a->rows);
	free(a->slots);
}

static bool same(const struct tn_drop_place *a, const struct tn_drop_place *b)
{
	return a->flow_id == b->flow_id && a->in_port == b->in_port && a->out_port == b->out_port &&
		a->reason == b->reason && a->table == b->table && a->network == b->network;
}

static uint32_t hash(const struct tn_drop_place *p)
{
	uint64_t h = p->flow_id ^ (uint64_t)p->network << 32;

	h = (h ^ p->in_port) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 32 ^ p->out_port) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 32 ^ ((uint64_t)p->reason << 8 | p->table)) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

static uint32_t *find_slot(const struct tn_account *a, const struct tn_drop_place *place)
{
	uint32_t i = hash(place) & a->mask;

	while (a->slots[i] && !same(&a->rows[a->slots[i] - 1].place, place))
		i = (i + 1) & a->mask;
	return &a->slots[i];
}

/* Never more than half full. */
static void grow(struct tn_account *a)
{
	a->mask = a->mask * 2 + 1;
	free(a->slots);
	a->slots = tn_alloc((a->mask + 1) * sizeof(*a->slots));
	a->rows = tn_realloc(a->rows, (a->mask + 1) / 2 * sizeof(*a->rows));
	for (uint32_t i = 1; i < a->n_rows; i++)
		*find_slot(a, &a->rows[i].place) = i + 1;
}

static uint32_t row_of(struct tn_account *a, const struct tn_drop_place *place)
{
	uint32_t *slot = find_slot(a, place);

	if (*slot)
		return *slot - 1;
	if (a->n_rows >= TN_DROP_ROWS_MAX)
		return 0;
	if (a->n_rows == (a->mask + 1) / 2) {
		grow(a);
		slot = find_slot(a, place);
	}
	a->rows[a->n_rows] = (struct tn_drop_row){.place = *place};
	*slot = a->n_rows + 1;
	return a->n_rows++;
}

void tn_account_drop(struct tn_account *a, const struct tn_drop_place *place, uint64_t bytes)
{
	a->dropped++;
	a->reasons[place->reason].packets++;
	a->reasons[place->reason].bytes += bytes;
	if (!same(&a->rows[a->memo].place, place))
		a->memo = row_of(a, place);
	a->rows[a->memo].counter.packets++;
	a->rows[a->memo].counter.bytes += bytes;
}

static int compare(const void *x, const void *y)
{
	const struct tn_drop_place *a = &((const struct tn_drop_row *)x)->place;
	const struct tn_drop_place *b = &((const struct tn_drop_row *)y)->place;

	if (a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	if (a->in_port != b->in_port)
		return a->in_port < b->in_port ? -1 : 1;
	if (a->out_port != b->out_port)
		return a->out_port < b->out_port ? -1 : 1;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->flow_id != b->flow_id)
		return a->flow_id < b->flow_id ? -1 : 1;
	return a->network < b->network ? -1 : a->network > b->network;
}

void tn_account_sort(struct tn_account *a)
{
	qsort(a->rows, a->n_rows, sizeof(*a->rows), compare);
}

bool tn_account_balances(const struct tn_account *a)
{
	return a->received + a->generated + a->copies == a->sent + a->consumed + a->dropped;
}
