/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/api_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#include "dataplane/agent/glance.h"
#include "dataplane/pipeline/snapshot.h"

#define PIECE	     256u /* flows, counters and meters of one PART */
#define GROUP_PIECE  32u
#define PIECES	     4u /* in one go */
#define ASK_EVERY_NS UINT64_C(5000000)
#define WAIT_NS	     UINT64_C(100000000)
#define TICK_NS	     500000

/* Everything of a piece lives here until it is in bytes. */
struct piece {
	struct tn_api_arena *arena;
	void *items;
	uint32_t n, max;
	bool no_memory;
};

/* --- what workers counted --------------------------------------------------------------------- */

static bool needs_counts(enum tn_api_dump_kind kind)
{
	return kind == TN_API_FLOWS || kind == TN_API_COUNTERS || kind == TN_API_GROUPS ||
		kind == TN_API_TABLES;
}

static void set_timer(struct tn_api_server *s, bool run)
{
	const struct timespec tick = {.tv_nsec = run ? TICK_NS : 0};
	const struct itimerspec spec = {.it_interval = tick, .it_value = tick};

	if (s->counts_running != run && !timerfd_settime(s->counts_fd, 0, &spec, NULL))
		s->counts_running = run;
}

/* Only the first of a client's dumps is looked at; the others wait for it. */
void tn_api_counts_tick(struct tn_api_server *s)
{
	uint64_t now = tn_agent_now(s->agent);
	bool came = tn_agent_counts_came(s->agent, s->ask) || now - s->asked_ns > WAIT_NS;
	bool ask = now - s->asked_ns >= ASK_EVERY_NS, asked = false, waiting = false;

	for (struct tn_api_connection *c = s->connections; c; c = c->next) {
		struct tn_api_listing *l = c->listings;

		if (l && l->state == TN_API_LISTING_WAITS && came) {
			l->state = TN_API_LISTING_GOES;
			tn_api_touch(c);
		} else if (l && l->state == TN_API_LISTING_ASKS && ask) {
			l->state = TN_API_LISTING_WAITS;
			asked = true;
		}
		waiting |= l && l->state != TN_API_LISTING_GOES;
	}
	if (asked) {
		s->ask = tn_agent_ask_counts(s->agent);
		s->asked_ns = now;
	}
	set_timer(s, waiting);
}

/* --- kinds of dump ---------------------------------------------------------------------------- */

static void take_flow(void *ctx, const struct tn_flow_info *flow)
{
	struct piece *p = ctx;

	((struct tn_flow_info *)p->items)[p->n++] = *flow;
}

static void take_counter(void *ctx, const struct tn_flow_info *flow)
{
	struct piece *p = ctx;

	((struct tn_api_flow_counter *)p->items)[p->n++] =
		(struct tn_api_flow_counter){flow->flow_id, flow->last_used_ns, flow->counter};
}

static void take_group(void *ctx, const struct tn_group_info *group)
{
	struct piece *p = ctx;
	size_t size = group->n_buckets * sizeof(*group->buckets);
	struct tn_group_info *g = &((struct tn_group_info *)p->items)[p->n];
	struct tn_bucket_info *buckets = tn_api_arena_take(p->arena, size);

	if (!buckets) {
		p->no_memory = true;
		return;
	}
	if (size)
		memcpy(buckets, group->buckets, size);
	*g = *group;
	g->buckets = buckets;
	p->n++;
}

static void take_meter(void *ctx, const struct tn_meter *live, uint32_t reference_count)
{
	struct piece *p = ctx;
	struct tn_api_meter_info *info = &((struct tn_api_meter_info *)p->items)[p->n];
	struct tn_api_band_info *bands =
		tn_api_arena_take(p->arena, live->n_bands * sizeof(*bands));
	struct tn_meter *m = tn_api_arena_take(p->arena, tn_meter_size(live->n_bands));

	if (!m || !bands) {
		p->no_memory = true;
		return;
	}
	tn_glance(m, live, tn_meter_size(live->n_bands));
	for (unsigned i = 0; i < m->n_bands; i++)
		bands[i] = (struct tn_api_band_info){m->bands[i].config, m->bands[i].counter};
	*info = (struct tn_api_meter_info){
		.meter_id = m->meter_id,
		.flags = m->flags,
		.owner = m->owner,
		.reference_count = reference_count,
		.created_ns = m->created_ns,
		.counter = m->counter,
		.bands = bands,
		.n_bands = m->n_bands,
	};
	p->n++;
}

static void take_table(void *ctx, const struct tn_table_info *table)
{
	struct piece *p = ctx;

	if (p->n < p->max)
		((struct tn_table_info *)p->items)[p->n++] = *table;
}

TN_BUILD_ASSERT((int)TN_API_STRING == (int)TN_OPTION_STRING, "kinds of option differ");
TN_BUILD_ASSERT((int)TN_API_BOOL == (int)TN_OPTION_BOOL, "kinds of option differ");

static struct tn_api_option *take_options(struct piece *p, const struct tn_port_request *r)
{
	struct tn_api_option *options =
		tn_api_arena_take(p->arena, r->n_options * sizeof(*options));

	for (size_t i = 0; options && i < r->n_options; i++)
		options[i] = (struct tn_api_option){
			.key = r->options[i].key,
			.type = (enum tn_api_option_type)r->options[i].type,
			.string = r->options[i].string,
			.integer = r->options[i].integer,
		};
	return options;
}

static struct tn_api_port_drop *take_drops(
	struct piece *p, const struct tn_worker_port_stats *stats, uint32_t *n)
{
	struct tn_api_port_drop *drops =
		tn_api_arena_take(p->arena, TN_DROP_COUNT * sizeof(*drops));

	*n = 0;
	for (unsigned d = 1; drops && d < TN_DROP_COUNT; d++) {
		if (stats->dropped[d])
			drops[(*n)++] = (struct tn_api_port_drop){(uint16_t)d, stats->dropped[d]};
	}
	return drops;
}

struct port_piece {
	struct piece *piece;
	const struct tn_snapshot *snapshot;
};

static void take_port(void *ctx, const struct tn_agent_port_info *info)
{
	const struct port_piece *pp = ctx;
	struct piece *p = pp->piece;
	const struct tn_port_request *r = info->request;
	const struct tn_port_config_data *config = tn_snapshot_port(pp->snapshot, r->number);
	struct tn_api_port_info *port = &((struct tn_api_port_info *)p->items)[p->n];

	if (p->n == p->max)
		return;
	*port = (struct tn_api_port_info){
		.port = {.number = r->number,
			.name = r->name,
			.type = r->type,
			.enabled = r->enabled,
			.config = r->config,
			.mtu = r->mtu,
			.options = take_options(p, r),
			.n_options = (uint32_t)r->n_options,
			.has_vxlan = !info->driver && !info->absent,
			.vxlan = r->vxlan},
		.state = config ? config->state : TN_PORT_STATE_LINK_DOWN,
		.rx = {info->stats.rx_packets, info->stats.rx_bytes},
		.tx = {info->stats.tx_packets, info->stats.tx_bytes},
		.wire_rx_dropped = info->wire.rx_dropped,
		.wire_rx_errors = info->wire.rx_errors,
		.wire_tx_errors = info->wire.tx_errors,
	};
	port->drops = take_drops(p, &info->stats, &port->n_drops);
	p->no_memory |= !port->port.options || !port->drops;
	p->n++;
}

static void take_workers(struct piece *p, const struct tn_agent *agent)
{
	for (unsigned i = 0; i < agent->n_workers && p->n < p->max; i++) {
		const struct tn_worker_thread *t = &agent->workers[i];
		struct tn_worker_stats s;

		tn_worker_stats(t->worker, &s);
		((struct tn_api_worker_info *)p->items)[p->n++] = (struct tn_api_worker_info){
			.worker = i,
			.core = t->core,
			.sessions = s.sessions,
			.programs = s.programs,
			.hits = s.hits,
			.misses = s.misses,
			.stale = s.stale,
			.uncached = s.uncached,
			.evicted = s.evicted,
		};
	}
}

/* --- drops by network ------------------------------------------------------------------------- */

TN_BUILD_ASSERT(TN_API_OTHER_NETWORKS == TN_DROPS_OTHER_NETWORKS, "the same number");

static bool take_network(void *ctx, uint32_t network, enum tn_drop reason, uint64_t packets)
{
	struct piece *p = ctx;

	if (p->n == p->max)
		return false;
	((struct tn_api_network_drop *)p->items)[p->n++] =
		(struct tn_api_network_drop){network, (uint16_t)reason, packets};
	return true;
}

static void take_networks(struct piece *p, const struct tn_agent *agent)
{
	struct tn_network_drops *sum = calloc(1, sizeof(*sum));

	p->no_memory = !sum;
	if (!sum)
		return;
	tn_agent_network_drops(agent, sum);
	tn_network_drops_each(sum, take_network, p);
	free(sum);
}

static size_t item_size(enum tn_api_dump_kind kind)
{
	switch (kind) {
	case TN_API_FLOWS:
		return sizeof(struct tn_flow_info);
	case TN_API_COUNTERS:
		return sizeof(struct tn_api_flow_counter);
	case TN_API_GROUPS:
		return sizeof(struct tn_group_info);
	case TN_API_METERS:
		return sizeof(struct tn_api_meter_info);
	case TN_API_PORTS:
		return sizeof(struct tn_api_port_info);
	case TN_API_TABLES:
		return sizeof(struct tn_table_info);
	case TN_API_NETWORKS:
		return sizeof(struct tn_api_network_drop);
	case TN_API_SESSIONS:
	case TN_API_N_DUMPS:
		break;
	}
	return sizeof(struct tn_api_worker_info);
}

/* --- listings --------------------------------------------------------------------------------- */

static bool by_flow_ids(const struct tn_api_listing *l)
{
	return l->dump.kind == TN_API_FLOWS || l->dump.kind == TN_API_COUNTERS;
}

/* Which there are is settled now; each is read when its turn comes, if it still is. */
static int begin(struct tn_api_server *s, struct tn_api_listing *l)
{
	const struct tn_api_dump *d = &l->dump;
	struct tn_flow_mod filter;

	l->begun = true;
	if (by_flow_ids(l)) {
		tn_flow_mod_init(&filter);
		filter.table_id = d->table_id;
		filter.cookie = d->cookie;
		filter.cookie_mask = d->cookie_mask;
		filter.out_port = d->out_port;
		filter.out_group = d->out_group;
		filter.match = d->match;
		return tn_switch_flow_ids(s->agent->sw, &filter, &l->flow_ids, &l->n);
	}
	if (d->kind == TN_API_GROUPS)
		return tn_switch_group_ids(s->agent->sw, &l->ids, &l->n);
	if (d->kind == TN_API_METERS)
		return tn_switch_meter_ids(s->agent->sw, &l->ids, &l->n);
	l->n = 1; /* the others are few and come in one piece */
	return 0;
}

static uint32_t piece_size(const struct tn_api_listing *l)
{
	switch (l->dump.kind) {
	case TN_API_GROUPS:
		return GROUP_PIECE;
	case TN_API_PORTS:
	case TN_API_TABLES:
		return TN_WORKER_PORTS_MAX;
	case TN_API_NETWORKS:
		return TN_NETWORK_DROPS_N + 2 * TN_DROP_COUNT;
	default:
		return PIECE;
	}
}

static void take_one(struct tn_api_server *s, struct tn_api_listing *l, struct piece *p)
{
	const struct tn_switch *sw = s->agent->sw;
	struct port_piece ports = {p, tn_switch_snapshot(sw)};
	size_t i = l->at++;

	switch (l->dump.kind) {
	case TN_API_FLOWS:
		(void)tn_switch_flow_by_id(sw, l->flow_ids[i], take_flow, p);
		break;
	case TN_API_COUNTERS:
		(void)tn_switch_flow_by_id(sw, l->flow_ids[i], take_counter, p);
		break;
	case TN_API_GROUPS:
		p->no_memory |= tn_switch_group_by_id(sw, l->ids[i], take_group, p) != 0;
		break;
	case TN_API_METERS:
		tn_switch_meter_by_id(sw, l->ids[i], take_meter, p);
		break;
	case TN_API_PORTS:
		tn_agent_ports(s->agent, take_port, &ports);
		break;
	case TN_API_TABLES:
		tn_switch_tables(sw, take_table, p);
		break;
	case TN_API_NETWORKS:
		take_networks(p, s->agent);
		break;
	case TN_API_SESSIONS:
	case TN_API_N_DUMPS:
		take_workers(p, s->agent);
		break;
	}
}

static void finish(struct tn_api_connection *c, const char *failure)
{
	struct tn_api_listing *l = c->listings;
	struct tn_error err;

	if (failure) {
		tn_error_set(&err, TN_OFPFMFC_UNKNOWN, -1, "%s", failure);
		tn_api_answer_error(c, l->request_id, &err);
	} else {
		tn_api_answer(c,
			&(struct tn_api_message){.type = TN_API_END,
				.request_id = l->request_id,
				.end = {l->dump.kind, l->total}});
	}
	c->listings = l->next;
	if (!c->listings)
		c->last_listing = &c->listings;
	c->n_listings--;
	free(l->flow_ids);
	free(l->ids);
	free(l);
	if (c->listings && c->listings->state != TN_API_LISTING_GOES)
		set_timer(c->server, true);
}

/* One PART, or the END. */
static void make_piece(struct tn_api_connection *c)
{
	struct tn_api_listing *l = c->listings;
	struct piece p = {.arena = &c->arena, .max = piece_size(l)};
	struct tn_api_message m = {.type = TN_API_PART, .request_id = l->request_id};

	tn_api_arena_reset(&c->arena);
	if (!l->begun && begin(c->server, l)) {
		finish(c, "no memory for a dump");
		return;
	}
	p.items = tn_api_arena_take(&c->arena, p.max * item_size(l->dump.kind));
	p.no_memory = !p.items;
	while (!p.no_memory && p.n < p.max && l->at < l->n)
		take_one(c->server, l, &p);
	if (p.no_memory) {
		finish(c, "no memory for a dump");
		return;
	}
	m.part.kind = l->dump.kind;
	m.part.n = p.n;
	m.part.items = p.items;
	l->total += p.n;
	if (p.n)
		tn_api_answer(c, &m);
	if (l->at == l->n && c->fd >= 0)
		finish(c, NULL);
}

void tn_api_listing_go(struct tn_api_connection *c)
{
	for (unsigned i = 0; i < PIECES && c->fd >= 0 && c->listings; i++) {
		if (c->listings->state != TN_API_LISTING_GOES ||
			tn_api_waiting_bytes(c) > TN_API_OUT_LISTING)
			return;
		make_piece(c);
	}
}

int tn_api_listing_add(
	struct tn_api_connection *c, uint64_t request_id, const struct tn_api_dump *dump)
{
	struct tn_api_listing *l = calloc(1, sizeof(*l));
	bool asks = needs_counts(dump->kind);

	if (!l)
		return -ENOMEM;
	l->request_id = request_id;
	l->dump = *dump;
	l->state = asks ? TN_API_LISTING_ASKS : TN_API_LISTING_GOES;
	*c->last_listing = l;
	c->last_listing = &l->next;
	c->n_listings++;
	if (asks)
		tn_api_counts_tick(c->server);
	return 0;
}

void tn_api_listings_free(struct tn_api_connection *c)
{
	while (c->listings) {
		struct tn_api_listing *l = c->listings;

		c->listings = l->next;
		free(l->flow_ids);
		free(l->ids);
		free(l);
	}
}
