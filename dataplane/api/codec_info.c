/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/io.h"

#define BITS(first, last) ((UINT64_C(2) << (last)) - (UINT64_C(1) << (first)))

static void walk_ip(struct tn_api_io *io, void *item)
{
	tn_io_u128(io, item, 16);
}

static void walk_u32(struct tn_api_io *io, void *item)
{
	tn_io_u32(io, item);
}

static void walk_mac(struct tn_api_io *io, struct tn_mac *mac)
{
	tn_io_bytes(io, mac->b, sizeof(mac->b));
}

static void walk_vxlan(struct tn_api_io *io, struct tn_vxlan_options *v)
{
	uint16_t dscp = (uint16_t)v->dscp;

	tn_io_bool(io, &v->has_local);
	tn_io_u128(io, &v->local, 16);
	tn_io_bool(io, &v->remote_flow);
	tn_io_u128(io, &v->remote, 16);
	tn_io_bool(io, &v->vni_flow);
	tn_io_u32(io, &v->vni);
	tn_io_u16(io, &v->udp_port);
	tn_io_bool(io, &v->udp_checksum);
	tn_io_u8(io, &v->ttl);
	tn_io_u16(io, &dscp);
	v->dscp = (int16_t)dscp;
	tn_io_bool(io, &v->dont_fragment);
	TN_IO_ARRAY(io, v->peers, v->n_peers, 16, UINT32_MAX, walk_ip);
	TN_IO_ARRAY(io, v->vnis, v->n_vnis, 4, UINT32_MAX, walk_u32);
}

static void walk_option(struct tn_api_io *io, void *item)
{
	struct tn_api_option *o = item;
	bool on = o->integer;

	tn_io_string(io, &o->key);
	TN_IO_ENUM(io, o->type, BITS(TN_API_STRING, TN_API_BOOL), "type of option");
	if (o->type == TN_API_STRING) {
		tn_io_string(io, &o->string);
	} else if (o->type == TN_API_INTEGER) {
		tn_io_i64(io, &o->integer);
	} else {
		tn_io_bool(io, &on);
		o->integer = on;
	}
}

void tn_io_port(struct tn_api_io *io, struct tn_api_port *p)
{
	tn_io_u32(io, &p->number);
	tn_io_string(io, &p->name);
	tn_io_string(io, &p->type);
	tn_io_bool(io, &p->enabled);
	tn_io_u32(io, &p->config);
	tn_io_u32(io, &p->mtu);
	TN_IO_ARRAY(io, p->options, p->n_options, 6, 256, walk_option);
	tn_io_bool(io, &p->has_vxlan);
	if (p->has_vxlan)
		walk_vxlan(io, &p->vxlan);
}

static void walk_address(struct tn_api_io *io, void *item)
{
	struct tn_underlay_address *a = item;

	tn_io_u128(io, &a->address, 16);
	tn_io_u8(io, &a->prefix_len);
	walk_mac(io, &a->mac);
	tn_io_u32(io, &a->port);
}

static void walk_route(struct tn_api_io *io, void *item)
{
	struct tn_underlay_route *r = item;

	tn_io_u128(io, &r->prefix, 16);
	tn_io_u8(io, &r->prefix_len);
	tn_io_bool(io, &r->is_ip4);
	tn_io_u128(io, &r->via, 16);
	tn_io_u32(io, &r->port);
}

static void walk_neighbour(struct tn_api_io *io, void *item)
{
	struct tn_underlay_neighbour *n = item;

	tn_io_u128(io, &n->address, 16);
	walk_mac(io, &n->mac);
	tn_io_u32(io, &n->port);
}

void tn_io_underlay(struct tn_api_io *io, struct tn_underlay_config *u)
{
	TN_IO_ARRAY(io, u->addresses, u->n_addresses, 27, UINT32_MAX, walk_address);
	TN_IO_ARRAY(io, u->routes, u->n_routes, 38, UINT32_MAX, walk_route);
	TN_IO_ARRAY(io, u->neighbours, u->n_neighbours, 26, UINT32_MAX, walk_neighbour);
}

void tn_io_table_config(struct tn_api_io *io, struct tn_table_config *c)
{
	tn_io_u32(io, &c->max_entries);
	tn_io_bool(io, &c->eviction);
	tn_io_u8(io, &c->vacancy_down);
	tn_io_u8(io, &c->vacancy_up);
}

void tn_io_flow_info(struct tn_api_io *io, struct tn_flow_info *f)
{
	tn_io_u64(io, &f->flow_id);
	tn_io_u8(io, &f->table_id);
	tn_io_u16(io, &f->priority);
	tn_io_u64(io, &f->cookie);
	tn_io_u16(io, &f->idle_timeout);
	tn_io_u16(io, &f->hard_timeout);
	tn_io_u16(io, &f->importance);
	tn_io_u16(io, &f->flags);
	tn_io_u32(io, &f->owner);
	tn_io_u64(io, &f->created_ns);
	tn_io_u64(io, &f->last_used_ns);
	tn_io_counter(io, &f->counter);
	tn_io_match(io, &f->match);
	tn_io_instructions(io, &f->inst);
}

static void walk_flow(struct tn_api_io *io, void *item)
{
	tn_io_flow_info(io, item);
}

static void walk_flow_counter(struct tn_api_io *io, void *item)
{
	struct tn_api_flow_counter *c = item;

	tn_io_u64(io, &c->flow_id);
	tn_io_u64(io, &c->last_used_ns);
	tn_io_counter(io, &c->counter);
}

static void walk_bucket_info(struct tn_api_io *io, void *item)
{
	struct tn_bucket_info *b = item;

	tn_io_bucket(io, &b->bucket);
	tn_io_counter(io, &b->counter);
}

static void walk_group(struct tn_api_io *io, void *item)
{
	struct tn_group_info *g = item;

	tn_io_u32(io, &g->group_id);
	tn_io_group_kind(io, &g->type, &g->selection, &g->hash_fields, &g->selection_param);
	tn_io_u32(io, &g->owner);
	tn_io_u32(io, &g->annotation);
	tn_io_u32(io, &g->reference_count);
	tn_io_u64(io, &g->created_ns);
	tn_io_counter(io, &g->counter);
	TN_IO_ARRAY(io, g->buckets, g->n_buckets, 34, UINT32_MAX, walk_bucket_info);
}

static void walk_band_info(struct tn_api_io *io, void *item)
{
	struct tn_api_band_info *b = item;

	tn_io_band(io, &b->band);
	tn_io_counter(io, &b->counter);
}

static void walk_meter(struct tn_api_io *io, void *item)
{
	struct tn_api_meter_info *m = item;

	tn_io_u32(io, &m->meter_id);
	tn_io_u32(io, &m->flags);
	tn_io_u32(io, &m->owner);
	tn_io_u32(io, &m->reference_count);
	tn_io_u64(io, &m->created_ns);
	tn_io_counter(io, &m->counter);
	TN_IO_ARRAY(io, m->bands, m->n_bands, 26, UINT16_MAX, walk_band_info);
}

static void walk_drop(struct tn_api_io *io, void *item)
{
	struct tn_api_port_drop *d = item;

	tn_io_u16(io, &d->reason);
	tn_io_u64(io, &d->packets);
}

static void walk_port(struct tn_api_io *io, void *item)
{
	struct tn_api_port_info *p = item;

	tn_io_port(io, &p->port);
	tn_io_u32(io, &p->state);
	tn_io_counter(io, &p->rx);
	tn_io_counter(io, &p->tx);
	tn_io_u64(io, &p->wire_rx_dropped);
	tn_io_u64(io, &p->wire_rx_errors);
	tn_io_u64(io, &p->wire_tx_errors);
	TN_IO_ARRAY(io, p->drops, p->n_drops, 10, UINT16_MAX, walk_drop);
}

static void walk_table(struct tn_api_io *io, void *item)
{
	struct tn_table_info *t = item;
	uint64_t memory = t->memory_bytes;

	tn_io_u8(io, &t->table_id);
	tn_io_table_config(io, &t->config);
	tn_io_u32(io, &t->active);
	tn_io_u64(io, &t->lookups);
	tn_io_u64(io, &t->matches);
	tn_io_string(io, &t->template_name);
	tn_io_u32(io, &t->n_subtables);
	tn_io_u64(io, &memory);
	t->memory_bytes = memory;
}

static void walk_worker(struct tn_api_io *io, void *item)
{
	struct tn_api_worker_info *w = item;

	tn_io_u32(io, &w->worker);
	tn_io_u32(io, &w->core);
	tn_io_u32(io, &w->sessions);
	tn_io_u32(io, &w->programs);
	tn_io_u64(io, &w->hits);
	tn_io_u64(io, &w->misses);
	tn_io_u64(io, &w->stale);
	tn_io_u64(io, &w->uncached);
	tn_io_u64(io, &w->evicted);
}

static void walk_network(struct tn_api_io *io, void *item)
{
	struct tn_api_network_drop *d = item;

	tn_io_u32(io, &d->network);
	tn_io_u16(io, &d->reason);
	tn_io_u64(io, &d->packets);
}

/* By kind. The shortest flow has an empty match and two empty lists. */
static const struct tn_io_list part_lists[TN_API_N_DUMPS] = {
	[TN_API_FLOWS] = {sizeof(struct tn_flow_info), 94, UINT32_MAX, walk_flow},
	[TN_API_COUNTERS] = {sizeof(struct tn_api_flow_counter), 32, UINT32_MAX, walk_flow_counter},
	[TN_API_GROUPS] = {sizeof(struct tn_group_info), 62, UINT32_MAX, walk_group},
	[TN_API_METERS] = {sizeof(struct tn_api_meter_info), 44, UINT32_MAX, walk_meter},
	[TN_API_PORTS] = {sizeof(struct tn_api_port_info), 90, UINT32_MAX, walk_port},
	[TN_API_TABLES] = {sizeof(struct tn_table_info), 44, UINT32_MAX, walk_table},
	[TN_API_SESSIONS] = {sizeof(struct tn_api_worker_info), 56, UINT32_MAX, walk_worker},
	[TN_API_NETWORKS] = {sizeof(struct tn_api_network_drop), 14, UINT32_MAX, walk_network},
};

TN_BUILD_ASSERT(sizeof(struct tn_flow_info) <= TN_IO_ITEM_MAX, "an item is copied to be written");
TN_BUILD_ASSERT(sizeof(struct tn_api_port_info) <= TN_IO_ITEM_MAX, "the same");

void tn_io_part(struct tn_api_io *io, struct tn_api_part *part)
{
	TN_IO_ENUM(io, part->kind, BITS(TN_API_FLOWS, TN_API_N_DUMPS - 1), "kind of dump");
	if (!io->rc)
		tn_io_array(io, &part->items, &part->n, part_lists[part->kind]);
}
