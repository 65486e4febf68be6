/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A state as records. Things are written as the changes that make them, oldest first, each with the
 * time at which it was made.
 */
#include "dataplane/agent/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE	      (1u << 20) /* bytes that the sink gets at once, about */
#define FLOWS_AT_ONCE 128u

struct writer {
	const struct tn_state *s;
	struct tn_api_buffer b;
	tn_state_sink_fn sink;
	void *ctx;
	struct tn_error *err;
	int rc; /* the first failure; nothing is done after it */
};

static void fail(struct writer *w, int rc)
{
	if (!w->rc)
		w->rc = rc;
}

static void no_memory(struct writer *w)
{
	if (w->rc)
		return;
	tn_error_set(w->err, TN_OFPBRC_EPERM, -1, "out of memory");
	w->rc = -ENOMEM;
}

static void drain(struct writer *w, size_t more_than)
{
	if (!w->rc && w->b.len > more_than)
		fail(w, w->sink(w->ctx, &w->b));
}

static void put(struct writer *w, const struct tn_api_message *m, uint64_t time_ns)
{
	if (w->rc)
		return;
	fail(w, tn_state_put_change(&w->b, m, time_ns, w->err));
	drain(w, PIECE);
}

static void put_mod(struct writer *w, const struct tn_mod *mod, uint64_t time_ns)
{
	put(w,
		&(struct tn_api_message){
			.type = TN_API_BUNDLE, .bundle = {.mods = mod, .n_mods = 1}},
		time_ns);
}

/* As it was encoded. */
static void put_bytes(struct writer *w, const struct tn_api_buffer *message)
{
	size_t at;

	if (w->rc || !message->len)
		return;
	if (tn_record_begin(&w->b, TN_RECORD_CHANGE, w->s->last_change_ns, &at) ||
		tn_record_append(&w->b, message->data, message->len) || tn_record_end(&w->b, at))
		no_memory(w);
	drain(w, PIECE);
}

static void put_table(void *ctx, const struct tn_table_info *t)
{
	const struct tn_table_config *c = &t->config;
	struct writer *w = ctx;

	if (t->active && c->max_entries == TN_TABLE_ENTRIES_DEFAULT && !c->eviction &&
		!c->vacancy_up)
		return;
	put(w,
		&(struct tn_api_message){.type = TN_API_TABLE_CONFIGURE,
			.table_configure = {.table_id = t->table_id, .config = *c}},
		w->s->last_change_ns);
}

/* First all of them without buckets, then as they are: whichever names another finds it. */
static void put_group_name(void *ctx, const struct tn_group_info *g)
{
	const struct tn_group_mod gm = {.command = TN_GROUP_ADD,
		.type = TN_GROUP_TYPE_ALL,
		.group_id = g->group_id,
		.command_bucket_id = TN_BUCKET_ALL};

	put_mod(ctx, &(struct tn_mod){.kind = TN_MOD_GROUP, .group = &gm}, g->created_ns);
}

static void put_group(void *ctx, const struct tn_group_info *g)
{
	struct tn_bucket *buckets = calloc((size_t)g->n_buckets + 1, sizeof(*buckets));
	const struct tn_group_mod gm = {
		.command = TN_GROUP_MODIFY,
		.type = g->type,
		.group_id = g->group_id,
		.command_bucket_id = TN_BUCKET_ALL,
		.selection = g->selection,
		.hash_fields = g->hash_fields,
		.selection_param = g->selection_param,
		.owner = g->owner,
		.annotation = g->annotation,
		.buckets = buckets,
		.n_buckets = g->n_buckets,
	};

	if (!buckets) {
		no_memory(ctx);
		return;
	}
	for (uint32_t i = 0; i < g->n_buckets; i++)
		buckets[i] = g->buckets[i].bucket;
	put_mod(ctx, &(struct tn_mod){.kind = TN_MOD_GROUP, .group = &gm}, g->created_ns);
	free(buckets);
}

static void put_meter(void *ctx, const struct tn_meter *m, uint32_t reference_count)
{
	struct tn_band bands[TN_METER_BANDS_MAX];
	const struct tn_meter_mod mm = {
		.command = TN_METER_ADD,
		.meter_id = m->meter_id,
		.flags = m->flags,
		.owner = m->owner,
		.bands = bands,
		.n_bands = m->n_bands,
	};

	(void)reference_count;
	for (unsigned i = 0; i < m->n_bands; i++)
		bands[i] = m->bands[i].config;
	put_mod(ctx, &(struct tn_mod){.kind = TN_MOD_METER, .meter = &mm}, m->created_ns);
}

/* --- flows ------------------------------------------------------------------------------------ */

struct flow_ref {
	uint64_t created_ns, flow_id;
};

struct flow_refs {
	struct flow_ref *v;
	size_t n, size;
};

static void note_flow(void *ctx, const struct tn_flow_info *f)
{
	struct flow_refs *refs = ctx;

	if (refs->n < refs->size)
		refs->v[refs->n++] = (struct flow_ref){f->created_ns, f->flow_id};
}

static int compare_refs(const void *x, const void *y)
{
	const struct flow_ref *a = x, *b = y;

	if (a->created_ns != b->created_ns)
		return a->created_ns < b->created_ns ? -1 : 1;
	return a->flow_id < b->flow_id ? -1 : a->flow_id > b->flow_id;
}

/* Flows that were made at one time go together. */
struct batch {
	struct writer *w;
	uint64_t created_ns;
	uint32_t n;
	struct tn_mod mods[FLOWS_AT_ONCE];
	struct tn_flow_mod flows[FLOWS_AT_ONCE];
};

static void put_batch(struct batch *batch)
{
	const struct tn_api_message m = {
		.type = TN_API_BUNDLE, .bundle = {.mods = batch->mods, .n_mods = batch->n}};

	if (batch->n)
		put(batch->w, &m, batch->created_ns);
	batch->n = 0;
}

static void add_flow(void *ctx, const struct tn_flow_info *f)
{
	struct batch *batch = ctx;
	struct tn_flow_mod *fm;

	if (batch->n == FLOWS_AT_ONCE || f->created_ns != batch->created_ns)
		put_batch(batch);
	batch->created_ns = f->created_ns;
	fm = &batch->flows[batch->n];
	batch->mods[batch->n++] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = fm};
	tn_flow_mod_init(fm);
	fm->table_id = f->table_id;
	fm->priority = f->priority;
	fm->cookie = f->cookie;
	fm->idle_timeout = f->idle_timeout;
	fm->hard_timeout = f->hard_timeout;
	fm->importance = f->importance;
	fm->flags = f->flags;
	fm->owner = f->owner;
	fm->match = f->match;
	fm->inst = f->inst;
}

static void put_flows(struct writer *w)
{
	struct flow_refs refs = {.size = tn_switch_flow_count(w->s->sw)};
	struct batch *batch = malloc(sizeof(*batch));

	refs.v = reallocarray(NULL, refs.size + 1, sizeof(*refs.v));
	if (!refs.v || !batch || tn_switch_flows(w->s->sw, NULL, note_flow, &refs)) {
		no_memory(w);
	} else {
		qsort(refs.v, refs.n, sizeof(*refs.v), compare_refs);
		batch->w = w;
		batch->n = 0;
		for (size_t i = 0; i < refs.n && !w->rc; i++)
			(void)tn_switch_flow_by_id(w->s->sw, refs.v[i].flow_id, add_flow, batch);
		put_batch(batch);
	}
	free(batch);
	free(refs.v);
}

int tn_state_write(const struct tn_state *s, tn_state_sink_fn sink, void *ctx, struct tn_error *err)
{
	struct writer w = {.s = s, .sink = sink, .ctx = ctx, .err = err};

	tn_switch_tables(s->sw, put_table, &w);
	for (size_t i = 0; i < s->n_ports; i++)
		put_bytes(&w, &s->ports[i].message);
	put_bytes(&w, &s->underlay);
	if (tn_switch_groups(s->sw, put_group_name, &w) || tn_switch_groups(s->sw, put_group, &w) ||
		tn_switch_meters(s->sw, put_meter, &w))
		no_memory(&w);
	put_flows(&w);
	drain(&w, 0);
	tn_api_buffer_fini(&w.b);
	return w.rc;
}
