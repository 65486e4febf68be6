/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters and states as the data plane has them now, one dump for all who ask meanwhile.
 */
#include "control/engine/engine_private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_NS 20000000u /* what was read so lately is good enough */

enum part { FLOWS, GROUPS, METERS, PORTS, TABLES, WORKERS, NETWORKS, N_PARTS };

static const struct {
	unsigned kinds; /* that want it */
	enum tn_api_dump_kind dump;
} parts[N_PARTS] = {
	[FLOWS] = {1u << TN_KIND_FLOW, TN_API_COUNTERS},
	[GROUPS] = {1u << TN_KIND_GROUP, TN_API_GROUPS},
	[METERS] = {1u << TN_KIND_METER, TN_API_METERS},
	[PORTS] = {1u << TN_KIND_PORT, TN_API_PORTS},
	[TABLES] = {1u << TN_KIND_TABLE | 1u << 0, TN_API_TABLES},
	[WORKERS] = {1u << 0, TN_API_SESSIONS},
	[NETWORKS] = {TN_REFRESH_NETWORKS, TN_API_NETWORKS},
};

struct waiter {
	struct waiter *next;
	tn_refreshed_fn fn;
	void *ctx;
	unsigned waits_for; /* bits of parts */
	unsigned late;	    /* those of them whose dump was asked for before something changed */
};

struct tn_refresh {
	struct waiter *waiters;
	unsigned under_way; /* bits of parts */
	unsigned outdated;  /* those that were asked for before something changed */
	unsigned too_early; /* those that were asked for before all was wanted anew */
	uint64_t read_ns[N_PARTS];
	/* What no wanted object has a place for. */
	struct tn_table_info *tables, *new_tables;
	size_t n_tables, n_new_tables;
	struct tn_api_worker_info *workers, *new_workers;
	size_t n_workers, n_new_workers;
	struct tn_api_network_drop *networks, *new_networks;
	size_t n_networks, n_new_networks;
	struct tn_arena names, new_names; /* of the tables' templates */
};

static struct tn_refresh *refresh_of(struct tn_engine *e)
{
	if (e->refresh)
		return e->refresh;
	e->refresh = calloc(1, sizeof(*e->refresh));
	if (!e->refresh)
		abort();
	return e->refresh;
}

static int ask(struct tn_engine *e, unsigned part);

/* True: somebody waits for this part to be read once more. */
static bool tell(struct tn_refresh *r, unsigned part, int rc)
{
	struct waiter **at = &r->waiters, *ready = NULL, *w;
	bool again = false;

	while ((w = *at)) {
		if (!rc && w->late >> part & 1) {
			w->late &= ~(1u << part);
			again = true;
		} else if (!rc) {
			w->waits_for &= ~(1u << part);
		}
		if (w->waits_for && !rc) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = ready;
		ready = w;
	}
	while ((w = ready)) {
		ready = w->next;
		if (w->fn)
			w->fn(w->ctx, rc);
		free(w);
	}
	return again;
}

void tn_refresh_stop(struct tn_engine *e)
{
	if (!e->refresh)
		return;
	e->refresh->under_way = 0;
	e->refresh->too_early = 0;
	memset(e->refresh->read_ns, 0, sizeof(e->refresh->read_ns));
	(void)tell(e->refresh, 0, -ENOTCONN);
}

void tn_refresh_spoil(struct tn_engine *e)
{
	struct tn_refresh *r = e->refresh;

	if (!r)
		return;
	r->outdated = r->under_way;
	memset(r->read_ns, 0, sizeof(r->read_ns));
}

void tn_refresh_forget(struct tn_engine *e, const void *ctx)
{
	for (struct waiter *w = e->refresh ? e->refresh->waiters : NULL; w; w = w->next) {
		if (w->ctx == ctx)
			w->fn = NULL;
	}
}

void tn_refresh_free(struct tn_engine *e)
{
	struct tn_refresh *r = e->refresh;

	if (!r)
		return;
	tn_refresh_stop(e);
	free(r->tables);
	free(r->new_tables);
	free(r->workers);
	free(r->new_workers);
	free(r->networks);
	free(r->new_networks);
	tn_arena_fini(&r->names);
	tn_arena_fini(&r->new_names);
	free(r);
	e->refresh = NULL;
}

static void refresh_flow(struct tn_engine *e, const struct tn_api_flow_counter *counter)
{
	struct tn_wanted *w = tn_index_get(&e->objects[TN_KIND_FLOW], counter->flow_id);

	if (!w)
		return;
	w->counter = tn_baseline_since(
		&e->baseline, TN_COUNTED_FLOW, counter->flow_id, counter->counter);
	w->last_used_ns = counter->last_used_ns;
}

void tn_refresh_group(struct tn_engine *e, const struct tn_group_info *from)
{
	struct tn_wanted *w = tn_index_get(&e->objects[TN_KIND_GROUP], from->group_id);
	struct tn_group_info *to;
	struct tn_bucket_info *buckets;

	if (!w)
		return;
	to = tn_wanted_as_group(w);
	to->counter =
		tn_baseline_since(&e->baseline, TN_COUNTED_GROUP, from->group_id, from->counter);
	to->reference_count = from->reference_count;
	buckets = (struct tn_bucket_info *)(uintptr_t)to->buckets;
	for (uint32_t i = 0; i < to->n_buckets && i < from->n_buckets; i++) {
		if (buckets[i].bucket.bucket_id == from->buckets[i].bucket.bucket_id)
			buckets[i].counter = tn_baseline_since(&e->baseline, TN_COUNTED_BUCKET,
				tn_counted_part(from->group_id, i), from->buckets[i].counter);
	}
}

void tn_refresh_meter(struct tn_engine *e, const struct tn_api_meter_info *from)
{
	struct tn_wanted *w = tn_index_get(&e->objects[TN_KIND_METER], from->meter_id);
	struct tn_api_meter_info *to;
	struct tn_api_band_info *bands;

	if (!w)
		return;
	to = tn_wanted_as_meter(w);
	to->counter =
		tn_baseline_since(&e->baseline, TN_COUNTED_METER, from->meter_id, from->counter);
	to->reference_count = from->reference_count;
	bands = (struct tn_api_band_info *)(uintptr_t)to->bands;
	for (uint32_t i = 0; i < to->n_bands && i < from->n_bands; i++)
		bands[i].counter = tn_baseline_since(&e->baseline, TN_COUNTED_BAND,
			tn_counted_part(from->meter_id, i), from->bands[i].counter);
}

enum port_counter { RX, TX, WIRE_RX_DROPPED, WIRE_RX_ERRORS, WIRE_TX_ERRORS };

static struct tn_counter port_counter(struct tn_engine *e, const struct tn_api_port_info *from,
	enum port_counter which, struct tn_counter now)
{
	return tn_baseline_since(
		&e->baseline, TN_COUNTED_PORT, tn_counted_part(from->port.number, which), now);
}

static uint64_t wire_counter(struct tn_engine *e, const struct tn_api_port_info *from,
	enum port_counter which, uint64_t now)
{
	return port_counter(e, from, which, (struct tn_counter){.packets = now}).packets;
}

void tn_refresh_port(struct tn_engine *e, const struct tn_api_port_info *from)
{
	struct tn_wanted *w = tn_index_get(&e->objects[TN_KIND_PORT], from->port.number);
	struct tn_api_port_drop *drops = NULL;
	struct tn_api_port_info *to;

	if (!w)
		return;
	to = tn_wanted_as_port(w);
	if (from->n_drops) {
		drops = malloc(from->n_drops * sizeof(*drops));
		if (!drops)
			abort();
		for (uint32_t i = 0; i < from->n_drops; i++)
			drops[i] = (struct tn_api_port_drop){from->drops[i].reason,
				tn_baseline_since_one(&e->baseline, TN_COUNTED_DROP,
					tn_counted_part(from->port.number, from->drops[i].reason),
					from->drops[i].packets)};
	}
	free((void *)(uintptr_t)to->drops);
	to->drops = drops;
	to->n_drops = from->n_drops;
	to->state = from->state;
	to->rx = port_counter(e, from, RX, from->rx);
	to->tx = port_counter(e, from, TX, from->tx);
	to->wire_rx_dropped = wire_counter(e, from, WIRE_RX_DROPPED, from->wire_rx_dropped);
	to->wire_rx_errors = wire_counter(e, from, WIRE_RX_ERRORS, from->wire_rx_errors);
	to->wire_tx_errors = wire_counter(e, from, WIRE_TX_ERRORS, from->wire_tx_errors);
}

static void *grown(void *v, size_t n, size_t more, size_t size)
{
	v = realloc(v, (n + more ? n + more : 1) * size);
	if (!v)
		abort();
	return v;
}

static void collect_tables(struct tn_engine *e, const struct tn_api_part *part)
{
	struct tn_refresh *r = e->refresh;
	struct tn_counter since;

	r->new_tables = grown(r->new_tables, r->n_new_tables, part->n, sizeof(*r->new_tables));
	for (uint32_t i = 0; i < part->n; i++) {
		struct tn_table_info *to = &r->new_tables[r->n_new_tables++];

		*to = part->tables[i];
		since = tn_baseline_since(&e->baseline, TN_COUNTED_TABLE, to->table_id,
			(struct tn_counter){to->lookups, to->matches});
		to->lookups = since.packets;
		to->matches = since.bytes;
		to->template_name = tn_arena_strdup(&r->new_names, to->template_name);
	}
}

static void since_reset(struct tn_engine *e, struct tn_api_worker_info *w)
{
	uint64_t *const counters[] = {&w->hits, &w->misses, &w->stale, &w->uncached, &w->evicted};

	for (unsigned i = 0; i < TN_ARRAY_SIZE(counters); i++)
		*counters[i] = tn_baseline_since_one(&e->baseline, TN_COUNTED_WORKER,
			tn_counted_part(w->worker, i), *counters[i]);
}

static void collect_workers(struct tn_engine *e, const struct tn_api_part *part)
{
	struct tn_refresh *r = e->refresh;

	r->new_workers = grown(r->new_workers, r->n_new_workers, part->n, sizeof(*r->new_workers));
	for (uint32_t i = 0; i < part->n; i++) {
		r->new_workers[r->n_new_workers] = part->workers[i];
		since_reset(e, &r->new_workers[r->n_new_workers++]);
	}
}

static void collect_networks(struct tn_engine *e, const struct tn_api_part *part)
{
	struct tn_refresh *r = e->refresh;

	r->new_networks =
		grown(r->new_networks, r->n_new_networks, part->n, sizeof(*r->new_networks));
	for (uint32_t i = 0; i < part->n; i++) {
		struct tn_api_network_drop *to = &r->new_networks[r->n_new_networks++];

		*to = part->networks[i];
		to->packets = tn_baseline_since_one(&e->baseline, TN_COUNTED_NETWORK,
			tn_counted_part(to->network, to->reason), to->packets);
	}
}

static void on_part(struct tn_engine *e, const struct tn_api_part *part)
{
	if (part->kind == TN_API_TABLES) {
		collect_tables(e, part);
		return;
	}
	if (part->kind == TN_API_SESSIONS) {
		collect_workers(e, part);
		return;
	}
	if (part->kind == TN_API_NETWORKS) {
		collect_networks(e, part);
		return;
	}
	for (uint32_t i = 0; i < part->n; i++) {
		if (part->kind == TN_API_COUNTERS)
			refresh_flow(e, &part->counters[i]);
		else if (part->kind == TN_API_GROUPS)
			tn_refresh_group(e, &part->groups[i]);
		else if (part->kind == TN_API_METERS)
			tn_refresh_meter(e, &part->meters[i]);
		else if (part->kind == TN_API_PORTS)
			tn_refresh_port(e, &part->ports[i]);
	}
}

/* What was collected takes the place of what was there. */
static void replace(struct tn_refresh *r, unsigned part)
{
	if (part == TABLES) {
		free(r->tables);
		tn_arena_fini(&r->names);
		r->tables = r->new_tables;
		r->n_tables = r->n_new_tables;
		r->names = r->new_names;
		r->new_tables = NULL;
		r->n_new_tables = 0;
		tn_arena_init(&r->new_names);
	} else if (part == WORKERS) {
		free(r->workers);
		r->workers = r->new_workers;
		r->n_workers = r->n_new_workers;
		r->new_workers = NULL;
		r->n_new_workers = 0;
	} else if (part == NETWORKS) {
		free(r->networks);
		r->networks = r->new_networks;
		r->n_networks = r->n_new_networks;
		r->new_networks = NULL;
		r->n_new_networks = 0;
	}
}

static unsigned part_of(enum tn_api_dump_kind dump)
{
	unsigned part = 0;

	while (part + 1 < N_PARTS && parts[part].dump != dump)
		part++;
	return part;
}

static void on_answer(void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct tn_engine *e = ctx;
	unsigned part;

	if (err) {
		/* Lost: tn_refresh_stop() tells. Refused: it cannot be led. */
		e->link.broken |= answer != NULL;
		return;
	}
	if (answer->type == TN_API_PART) {
		part = part_of(answer->part.kind);
		if (e->reset.collecting && !(e->refresh->too_early >> part & 1))
			e->baseline.next = &e->reset.next;
		on_part(e, &answer->part);
		e->baseline.next = NULL;
		return;
	}
	part = part_of(answer->end.kind);
	e->refresh->under_way &= ~(1u << part);
	if (!(e->refresh->outdated >> part & 1))
		e->refresh->read_ns[part] = tn_engine_now();
	e->refresh->outdated &= ~(1u << part);
	e->refresh->too_early &= ~(1u << part);
	replace(e->refresh, part);
	if (tell(e->refresh, part, 0) && !(e->refresh->under_way >> part & 1) && ask(e, part))
		e->link.broken = true;
}

static int ask(struct tn_engine *e, unsigned part)
{
	const struct tn_api_message msg = {
		.type = TN_API_DUMP,
		.dump = {.kind = parts[part].dump,
			.table_id = TN_TABLE_ALL,
			.out_port = TN_PORT_ANY,
			.out_group = TN_GROUP_ANY},
	};
	struct tn_error err;
	int rc = tn_api_async_send(e->link.client, &msg, on_answer, e, &err);

	if (!rc)
		e->refresh->under_way |= 1u << part;
	return rc;
}

void tn_engine_refresh(struct tn_engine *e, unsigned kinds, tn_refreshed_fn fn, void *ctx)
{
	struct tn_refresh *r = refresh_of(e);
	uint64_t now_ns = tn_engine_now();
	unsigned waits_for = 0, late;
	struct waiter *w;

	if (!e->link.connected || !e->link.client) {
		fn(ctx, -ENOTCONN);
		return;
	}
	for (unsigned part = 0; part < N_PARTS; part++) {
		bool fresh = now_ns >= r->read_ns[part] && now_ns - r->read_ns[part] < FRESH_NS;

		if (!(parts[part].kinds & kinds) || fresh)
			continue;
		if (!(r->under_way >> part & 1) && ask(e, part)) {
			fn(ctx, -ENOTCONN);
			return;
		}
		waits_for |= 1u << part;
	}
	if (!waits_for) {
		fn(ctx, 0);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		abort();
	late = waits_for & r->outdated;
	*w = (struct waiter){r->waiters, fn, ctx, waits_for, late};
	r->waiters = w;
	tn_engine_wake(e);
}

void tn_refresh_anew(struct tn_engine *e, tn_refreshed_fn fn, void *ctx)
{
	struct tn_refresh *r = refresh_of(e);

	tn_refresh_spoil(e);
	r->too_early = r->under_way;
	tn_engine_refresh(e, UINT_MAX, fn, ctx);
}

const struct tn_table_info *tn_engine_tables(const struct tn_engine *e, size_t *n)
{
	*n = e->refresh ? e->refresh->n_tables : 0;
	return e->refresh ? e->refresh->tables : NULL;
}

const struct tn_api_worker_info *tn_engine_workers(const struct tn_engine *e, size_t *n)
{
	*n = e->refresh ? e->refresh->n_workers : 0;
	return e->refresh ? e->refresh->workers : NULL;
}

const struct tn_api_network_drop *tn_engine_networks(const struct tn_engine *e, size_t *n)
{
	*n = e->refresh ? e->refresh->n_networks : 0;
	return e->refresh ? e->refresh->networks : NULL;
}
