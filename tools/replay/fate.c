/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/fate.h"

#include <stdlib.h>
#include <string.h>

#include "tools/replay/engine.h"
#include "tools/replay/memory.h"

void tn_fate_init(struct tn_fate *f)
{
	memset(f, 0, sizeof(*f));
}

void tn_fate_fini(struct tn_fate *f)
{
	free(f->steps);
	free(f->buckets);
	free(f->ops);
	free(f->ends);
	free(f->bytes);
}

void tn_fate_clear(struct tn_fate *f)
{
	tn_fate_restart(f);
	f->n_ops = 0;
	f->n_ends = 0;
	f->n_bytes = 0;
	f->tunnelled = false;
	f->tunnel_port = NULL;
}

void tn_fate_restart(struct tn_fate *f)
{
	f->n_steps = 0;
	f->n_buckets = 0;
}

void tn_fate_add_step(struct tn_fate *f, const struct tn_fate_step *step)
{
	f->steps = tn_grow(f->steps, f->n_steps, &f->room_steps, sizeof(*f->steps));
	f->steps[f->n_steps++] = *step;
}

void tn_fate_add_bucket(struct tn_fate *f, uint32_t group_id, uint32_t bucket_id)
{
	f->buckets = tn_grow(f->buckets, f->n_buckets, &f->room_buckets, sizeof(*f->buckets));
	f->buckets[f->n_buckets++] = (struct tn_fate_bucket){group_id, bucket_id};
}

void tn_fate_add_op(struct tn_fate *f, const struct tn_op *op)
{
	f->ops = tn_grow(f->ops, f->n_ops, &f->room_ops, sizeof(*f->ops));
	f->ops[f->n_ops++] = *op;
}

void tn_fate_add_end(struct tn_fate *f, const struct tn_fate_end *end, const uint8_t *data)
{
	struct tn_fate_end *e;

	f->ends = tn_grow(f->ends, f->n_ends, &f->room_ends, sizeof(*f->ends));
	e = &f->ends[f->n_ends++];
	*e = *end;
	if (!data)
		return;
	e->bytes = f->n_bytes;
	if (f->n_bytes + e->len > f->room_bytes) {
		f->room_bytes = (f->n_bytes + e->len) * 2;
		f->bytes = tn_realloc(f->bytes, f->room_bytes);
	}
	memcpy(f->bytes + f->n_bytes, data, e->len);
	f->n_bytes += e->len;
}

enum tn_fate_kind tn_fate_verdict(const struct tn_fate *f)
{
	enum tn_fate_kind best = TN_FATE_DROPPED;

	for (size_t i = 0; i < f->n_ends; i++) {
		if (f->ends[i].kind < best)
			best = f->ends[i].kind;
	}
	return best;
}

const char *tn_fate_kind_name(enum tn_fate_kind kind)
{
	static const char *const names[] = {"sent", "consumed", "dropped"};

	return names[kind];
}

static const char *port_name(const struct tn_replay_port *port)
{
	return port ? port->name : "";
}

static int compare_ends(const struct tn_fate_end *a, const struct tn_fate_end *b)
{
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = strcmp(port_name(a->port), port_name(b->port));
	if (order)
		return order;
	order = strcmp(port_name(a->uplink), port_name(b->uplink));
	if (order)
		return order;
	if (a->kind != TN_FATE_SENT && a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	return 0;
}

/* Insertion sort: stable, and there are few ends. */
static void sort_ends(struct tn_fate *f)
{
	for (size_t i = 1; i < f->n_ends; i++) {
		struct tn_fate_end moved = f->ends[i];
		size_t j = i;

		for (; j > 0 && compare_ends(&f->ends[j - 1], &moved) > 0; j--)
			f->ends[j] = f->ends[j - 1];
		f->ends[j] = moved;
	}
}

static bool same_frame(const struct tn_fate *a, const struct tn_fate_end *x,
	const struct tn_fate *b, const struct tn_fate_end *y)
{
	if (x->kind == TN_FATE_DROPPED)
		return true;
	return x->len == y->len && x->wire_len == y->wire_len &&
		!memcmp(a->bytes + x->bytes, b->bytes + y->bytes, x->len);
}

bool tn_fate_equal(struct tn_fate *a, struct tn_fate *b)
{
	sort_ends(a);
	sort_ends(b);
	if (a->n_ends != b->n_ends)
		return false;
	for (size_t i = 0; i < a->n_ends; i++) {
		if (compare_ends(&a->ends[i], &b->ends[i]) ||
			!same_frame(a, &a->ends[i], b, &b->ends[i]))
			return false;
	}
	return true;
}
