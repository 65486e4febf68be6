/* SPDX-License-Identifier: BSD-3-Clause */
/* Random messages of every type, in storage of the caller: each field that a type has is set. */
#ifndef TN_UNIT_API_RANDOM_MESSAGES_H
#define TN_UNIT_API_RANDOM_MESSAGES_H

#include <string.h>

#include "dataplane/api/codec.h"
#include "dataplane/core/reply.h"
#include "tests/unit/random.h"

static inline void *some(struct tn_api_arena *a, size_t n)
{
	void *room = tn_api_arena_take(a, n);

	if (!room)
		__builtin_trap();
	return room;
}

static inline const char *random_text(struct random *r, struct tn_api_arena *a)
{
	uint32_t n = random_below(r, 20);
	char *s = some(a, n + 1);

	for (uint32_t i = 0; i < n; i++)
		s[i] = (char)(1 + random_below(r, 126));
	return s;
}

static inline const uint8_t *random_frame(struct random *r, struct tn_api_arena *a, uint32_t *n)
{
	uint8_t *b;

	*n = random_below(r, 3) ? 14 + random_below(r, 80) : 0;
	b = some(a, *n + 1);
	for (uint32_t i = 0; i < *n; i++)
		b[i] = (uint8_t)random_u64(r);
	return b;
}

static inline tn_u128 random_u128(struct random *r)
{
	return (tn_u128)random_u64(r) << 64 | random_u64(r);
}

static inline bool random_bool(struct random *r)
{
	return random_below(r, 2);
}

/* A mask of the field: all of it, or any but none. */
static inline tn_u128 random_mask(struct random *r, enum tn_field_id id)
{
	tn_u128 mask = random_u128(r) & tn_field_ones(id);

	return mask && tn_fields[id].maskable && random_bool(r) ? mask : tn_field_ones(id);
}

static inline void random_match(struct random *r, struct tn_match *m)
{
	static const struct {
		uint16_t eth_type;
		int proto;
	} kinds[] = {{0, -1}, {0x0806, -1}, {0x0800, -1}, {0x0800, 6}, {0x0800, 17}, {0x0800, 132},
		{0x0800, 1}, {0x86dd, -1}, {0x86dd, 6}, {0x86dd, 58}};
	uint32_t kind = random_below(r, TN_ARRAY_SIZE(kinds));

	tn_match_init(m);
	if (kinds[kind].eth_type)
		tn_match_set_exact(m, TN_FIELD_ETH_TYPE, kinds[kind].eth_type);
	if (kinds[kind].proto >= 0)
		tn_match_set_exact(m, TN_FIELD_IP_PROTO, (unsigned)kinds[kind].proto);
	if (random_bool(r))
		tn_match_set_exact(m, TN_FIELD_VLAN_VID, 0x1000u | random_below(r, 4096));
	if (kinds[kind].proto == 58 && random_bool(r))
		tn_match_set_exact(m, TN_FIELD_ICMPV6_TYPE, 135 + random_below(r, 2));
	for (unsigned i = random_below(r, 8); i; i--) {
		enum tn_field_id id = (enum tn_field_id)random_below(r, TN_N_FIELDS);
		struct tn_match tried = *m;

		if (!tn_match_prereq_ok(m, id) ||
			tn_match_set(&tried, id, random_u128(r) & tn_field_ones(id),
				random_mask(r, id), NULL) ||
			tn_match_check(&tried, NULL))
			continue;
		*m = tried;
	}
}

/* What the kind does not take stays zero: it is not told. */
static inline void random_reply(struct random *r, struct tn_action *a)
{
	uint16_t takes;

	a->reply.kind = (uint8_t)(1 + random_below(r, TN_REPLY_LAST));
	takes = tn_reply_forms[a->reply.kind].takes;
	if (takes & TN_REPLY_TAKES_MAC)
		a->reply.mac.b[random_below(r, 6)] = (uint8_t)random_u64(r);
	if (takes & TN_REPLY_TAKES_IP)
		a->reply.ip = random_u128(r);
	if (takes & TN_REPLY_TAKES_ADDRESS)
		a->reply.address = random_u128(r);
	if (takes & TN_REPLY_TAKES_CODE)
		a->reply.code = (uint8_t)random_u64(r);
	if (takes & (TN_REPLY_TAKES_MTU | TN_REPLY_TAKES_LEASE))
		a->reply.number = (uint32_t)random_u64(r);
	if (takes & TN_REPLY_TAKES_ROUTER)
		a->reply.router = random_bool(r);
}

static inline void random_action(struct random *r, struct tn_action *a, uint32_t after)
{
	a->type = (uint8_t)(TN_ACTION_OUTPUT + random_below(r, TN_ACTION_LAST));
	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_OUTPUT:
		a->output.port = (uint32_t)random_u64(r);
		a->output.max_len = (uint16_t)random_u64(r);
		a->output.reason = (uint8_t)random_u64(r);
		break;
	case TN_ACTION_SET_FIELD:
		a->field = (uint8_t)random_below(r, TN_N_FIELDS);
		a->set.mask = random_mask(r, (enum tn_field_id)a->field);
		a->set.value = random_u128(r) & a->set.mask;
		break;
	case TN_ACTION_MOVE:
		a->field = (uint8_t)random_below(r, TN_N_FIELDS);
		a->move.src = (uint8_t)random_below(r, TN_N_FIELDS);
		a->move.src_ofs = (uint8_t)random_u64(r);
		a->move.dst_ofs = (uint8_t)random_u64(r);
		a->move.n_bits = (uint8_t)random_u64(r);
		break;
	case TN_ACTION_PUSH_VLAN:
	case TN_ACTION_MOD_VLAN_VID:
		a->vlan_vid = (uint16_t)random_u64(r);
		break;
	case TN_ACTION_MOD_VLAN_PCP:
		a->vlan_pcp = (uint8_t)random_u64(r);
		break;
	case TN_ACTION_GROUP:
	case TN_ACTION_SET_QUEUE:
	case TN_ACTION_TRUNCATE:
		a->queue_id = (uint32_t)random_u64(r);
		break;
	case TN_ACTION_RESUBMIT:
		a->resubmit.in_port = (uint32_t)random_u64(r);
		a->resubmit.table = (uint8_t)random_u64(r);
		break;
	case TN_ACTION_CLONE:
		a->n_nested = (uint16_t)random_below(r, after + 1);
		break;
	case TN_ACTION_IF_LONGER:
		a->n_nested = (uint16_t)random_below(r, after + 1);
		a->max_len = (uint32_t)random_u64(r);
		break;
	case TN_ACTION_LEARN:
		a->limit = (uint32_t)random_u64(r);
		break;
	case TN_ACTION_MCAST:
		a->known.routers = random_bool(r);
		a->known.local = random_bool(r);
		break;
	case TN_ACTION_FDB:
		a->known.local = random_bool(r);
		break;
	case TN_ACTION_ADVERTISE:
		a->advertise.least = (uint16_t)random_u64(r);
		a->advertise.most = (uint16_t)random_u64(r);
		break;
	case TN_ACTION_CIRCUIT:
		a->circuit.number = (uint32_t)random_u64(r);
		a->circuit.table = (uint8_t)random_u64(r);
		a->field = (uint8_t)random_below(r, TN_N_FIELDS);
		break;
	case TN_ACTION_REPLY:
		random_reply(r, a);
		a->n_nested = (uint16_t)random_below(r, after + 1);
		break;
	case TN_ACTION_NOTE:
		a->note.len = (uint8_t)random_below(r, TN_NOTE_MAX + 1);
		for (unsigned i = 0; i < a->note.len; i++)
			a->note.data[i] = (uint8_t)random_u64(r);
		break;
	default:
		break;
	}
}

static inline const struct tn_action *random_actions(
	struct random *r, struct tn_api_arena *a, uint16_t *n)
{
	struct tn_action *list;

	*n = (uint16_t)random_below(r, 6);
	list = some(a, *n * sizeof(*list));
	for (uint16_t i = 0; i < *n; i++)
		random_action(r, &list[i], *n - i - 1u);
	return list;
}

static inline void random_instructions(
	struct random *r, struct tn_api_arena *a, struct tn_instructions *inst)
{
	inst->meter_id = (uint32_t)random_u64(r);
	inst->clear_actions = random_bool(r);
	inst->metadata = random_u64(r);
	inst->metadata_mask = random_u64(r);
	inst->goto_table = (uint8_t)random_u64(r);
	inst->apply = random_actions(r, a, &inst->n_apply);
	inst->write = random_actions(r, a, &inst->n_write);
}

static inline const struct tn_flow_mod *random_flow_mod(struct random *r, struct tn_api_arena *a)
{
	struct tn_flow_mod *fm = some(a, sizeof(*fm));

	fm->command = (enum tn_flow_command)random_below(r, 5);
	fm->table_id = (uint8_t)random_u64(r);
	fm->priority = (uint16_t)random_u64(r);
	fm->idle_timeout = (uint16_t)random_u64(r);
	fm->hard_timeout = (uint16_t)random_u64(r);
	fm->importance = (uint16_t)random_u64(r);
	fm->flags = (uint16_t)random_u64(r);
	fm->cookie = random_u64(r);
	fm->cookie_mask = random_u64(r);
	fm->set_cookie = random_bool(r);
	fm->new_cookie = random_u64(r);
	fm->out_port = (uint32_t)random_u64(r);
	fm->out_group = (uint32_t)random_u64(r);
	fm->owner = (uint32_t)random_u64(r);
	random_match(r, &fm->match);
	random_instructions(r, a, &fm->inst);
	return fm;
}

static inline void random_bucket(struct random *r, struct tn_api_arena *a, struct tn_bucket *b)
{
	b->bucket_id = (uint32_t)random_u64(r);
	b->weight = (uint16_t)random_u64(r);
	b->watch_port = (uint32_t)random_u64(r);
	b->watch_group = (uint32_t)random_u64(r);
	b->actions = random_actions(r, a, &b->n_actions);
}

static inline const struct tn_group_mod *random_group_mod(struct random *r, struct tn_api_arena *a)
{
	static const uint8_t commands[] = {0, 1, 2, 3, 5};
	struct tn_group_mod *gm = some(a, sizeof(*gm));
	struct tn_bucket *buckets;

	gm->command = (enum tn_group_command)commands[random_below(r, 5)];
	gm->type = (enum tn_group_type)random_below(r, 4);
	gm->group_id = (uint32_t)random_u64(r);
	gm->command_bucket_id = (uint32_t)random_u64(r);
	gm->selection = (enum tn_selection_method)random_below(r, 3);
	gm->hash_fields = random_u64(r) & ((UINT64_C(1) << TN_N_FIELDS) - 1);
	gm->selection_param = random_u64(r);
	gm->owner = (uint32_t)random_u64(r);
	gm->annotation = (uint32_t)random_u64(r);
	gm->n_buckets = random_below(r, 4);
	gm->buckets = buckets = some(a, gm->n_buckets * sizeof(*buckets));
	for (uint32_t i = 0; i < gm->n_buckets; i++)
		random_bucket(r, a, &buckets[i]);
	return gm;
}

static inline void random_band(struct random *r, struct tn_band *b)
{
	b->type = (enum tn_band_type)(1 + random_below(r, 2));
	b->rate = (uint32_t)random_u64(r);
	b->burst = (uint32_t)random_u64(r);
	b->prec_level = (uint8_t)random_u64(r);
}

static inline const struct tn_meter_mod *random_meter_mod(struct random *r, struct tn_api_arena *a)
{
	struct tn_meter_mod *mm = some(a, sizeof(*mm));
	struct tn_band *bands;

	mm->command = (enum tn_meter_command)random_below(r, 3);
	mm->meter_id = (uint32_t)random_u64(r);
	mm->flags = (uint32_t)random_u64(r);
	mm->owner = (uint32_t)random_u64(r);
	mm->n_bands = (uint16_t)random_below(r, 4);
	mm->bands = bands = some(a, mm->n_bands * sizeof(*bands));
	for (uint32_t i = 0; i < mm->n_bands; i++)
		random_band(r, &bands[i]);
	return mm;
}

static inline void random_bundle(struct random *r, struct tn_api_arena *a, struct tn_api_bundle *b)
{
	struct tn_mod *mods;

	b->n_mods = random_below(r, 5);
	b->mods = mods = some(a, b->n_mods * sizeof(*mods));
	for (uint32_t i = 0; i < b->n_mods; i++) {
		mods[i].kind = (enum tn_mod_kind)random_below(r, 3);
		if (mods[i].kind == TN_MOD_FLOW)
			mods[i].flow = random_flow_mod(r, a);
		else if (mods[i].kind == TN_MOD_GROUP)
			mods[i].group = random_group_mod(r, a);
		else
			mods[i].meter = random_meter_mod(r, a);
	}
}

static inline void random_error(struct random *r, struct tn_api_arena *a, struct tn_error *e)
{
	e->of = (enum tn_of_error)random_below(r, TN_OF_N_ERRORS);
	e->index = (int)random_u64(r);
	strcpy(e->detail, random_text(r, a));
}

static inline void random_counter(struct random *r, struct tn_counter *c)
{
	c->packets = random_u64(r);
	c->bytes = random_u64(r);
}

static inline void random_vxlan(
	struct random *r, struct tn_api_arena *a, struct tn_vxlan_options *v)
{
	tn_u128 *peers;
	uint32_t *vnis;

	v->has_local = random_bool(r);
	v->local = random_u128(r);
	v->remote_flow = random_bool(r);
	v->remote = random_u128(r);
	v->vni_flow = random_bool(r);
	v->vni = (uint32_t)random_u64(r);
	v->udp_port = (uint16_t)random_u64(r);
	v->udp_checksum = random_bool(r);
	v->ttl = (uint8_t)random_u64(r);
	v->dscp = (int16_t)random_u64(r);
	v->dont_fragment = random_bool(r);
	v->n_peers = random_below(r, 3);
	v->peers = peers = some(a, v->n_peers * sizeof(*peers));
	for (size_t i = 0; i < v->n_peers; i++)
		peers[i] = random_u128(r);
	v->n_vnis = random_below(r, 3);
	v->vnis = vnis = some(a, v->n_vnis * sizeof(*vnis));
	for (size_t i = 0; i < v->n_vnis; i++)
		vnis[i] = (uint32_t)random_u64(r);
}

static inline void random_port(struct random *r, struct tn_api_arena *a, struct tn_api_port *p)
{
	struct tn_api_option *o;

	p->number = (uint32_t)random_u64(r);
	p->name = random_text(r, a);
	p->type = random_text(r, a);
	p->enabled = random_bool(r);
	p->config = (uint32_t)random_u64(r);
	p->mtu = (uint32_t)random_u64(r);
	p->n_options = random_below(r, 4);
	p->options = o = some(a, p->n_options * sizeof(*o));
	for (uint32_t i = 0; i < p->n_options; i++) {
		o[i].key = random_text(r, a);
		o[i].type = (enum tn_api_option_type)(1 + random_below(r, 3));
		if (o[i].type == TN_API_STRING)
			o[i].string = random_text(r, a);
		else
			o[i].integer =
				o[i].type == TN_API_BOOL ? random_bool(r) : (int64_t)random_u64(r);
	}
	p->has_vxlan = random_bool(r);
	if (p->has_vxlan)
		random_vxlan(r, a, &p->vxlan);
}

static inline void random_mac(struct random *r, struct tn_mac *m)
{
	for (unsigned i = 0; i < sizeof(m->b); i++)
		m->b[i] = (uint8_t)random_u64(r);
}

static inline void random_underlay(
	struct random *r, struct tn_api_arena *a, struct tn_underlay_config *u)
{
	struct tn_underlay_address *addresses = some(a, 3 * sizeof(*addresses));
	struct tn_underlay_route *routes = some(a, 3 * sizeof(*routes));
	struct tn_underlay_neighbour *neighbours = some(a, 3 * sizeof(*neighbours));

	*u = (struct tn_underlay_config){addresses, random_below(r, 4), routes, random_below(r, 4),
		neighbours, random_below(r, 4)};
	for (unsigned i = 0; i < 3; i++) {
		addresses[i].address = random_u128(r);
		addresses[i].prefix_len = (uint8_t)random_u64(r);
		random_mac(r, &addresses[i].mac);
		addresses[i].port = (uint32_t)random_u64(r);
		routes[i].prefix = random_u128(r);
		routes[i].prefix_len = (uint8_t)random_u64(r);
		routes[i].is_ip4 = random_bool(r);
		routes[i].via = random_u128(r);
		routes[i].port = (uint32_t)random_u64(r);
		neighbours[i].address = random_u128(r);
		random_mac(r, &neighbours[i].mac);
		neighbours[i].port = (uint32_t)random_u64(r);
	}
}

static inline void random_table_config(struct random *r, struct tn_table_config *c)
{
	c->max_entries = (uint32_t)random_u64(r);
	c->eviction = random_bool(r);
	c->vacancy_down = (uint8_t)random_u64(r);
	c->vacancy_up = (uint8_t)random_u64(r);
}

static inline void random_flow_info(
	struct random *r, struct tn_api_arena *a, struct tn_flow_info *f)
{
	f->flow_id = random_u64(r);
	f->table_id = (uint8_t)random_u64(r);
	f->priority = (uint16_t)random_u64(r);
	f->cookie = random_u64(r);
	f->idle_timeout = (uint16_t)random_u64(r);
	f->hard_timeout = (uint16_t)random_u64(r);
	f->importance = (uint16_t)random_u64(r);
	f->flags = (uint16_t)random_u64(r);
	f->owner = (uint32_t)random_u64(r);
	f->created_ns = random_u64(r);
	f->last_used_ns = random_u64(r);
	random_counter(r, &f->counter);
	random_match(r, &f->match);
	random_instructions(r, a, &f->inst);
}

static inline void random_group_info(
	struct random *r, struct tn_api_arena *a, struct tn_group_info *g)
{
	struct tn_bucket_info *b;

	g->group_id = (uint32_t)random_u64(r);
	g->type = (enum tn_group_type)random_below(r, 4);
	g->selection = (enum tn_selection_method)random_below(r, 3);
	g->hash_fields = random_u64(r) & ((UINT64_C(1) << TN_N_FIELDS) - 1);
	g->selection_param = random_u64(r);
	g->owner = (uint32_t)random_u64(r);
	g->annotation = (uint32_t)random_u64(r);
	g->reference_count = (uint32_t)random_u64(r);
	g->created_ns = random_u64(r);
	random_counter(r, &g->counter);
	g->n_buckets = random_below(r, 4);
	g->buckets = b = some(a, g->n_buckets * sizeof(*b));
	for (uint32_t i = 0; i < g->n_buckets; i++) {
		random_bucket(r, a, &b[i].bucket);
		random_counter(r, &b[i].counter);
	}
}

static inline void random_meter_info(
	struct random *r, struct tn_api_arena *a, struct tn_api_meter_info *m)
{
	struct tn_api_band_info *b;

	m->meter_id = (uint32_t)random_u64(r);
	m->flags = (uint32_t)random_u64(r);
	m->owner = (uint32_t)random_u64(r);
	m->reference_count = (uint32_t)random_u64(r);
	m->created_ns = random_u64(r);
	random_counter(r, &m->counter);
	m->n_bands = random_below(r, 4);
	m->bands = b = some(a, m->n_bands * sizeof(*b));
	for (uint32_t i = 0; i < m->n_bands; i++) {
		random_band(r, &b[i].band);
		random_counter(r, &b[i].counter);
	}
}

static inline void random_port_info(
	struct random *r, struct tn_api_arena *a, struct tn_api_port_info *p)
{
	struct tn_api_port_drop *d;

	random_port(r, a, &p->port);
	p->state = (uint32_t)random_u64(r);
	random_counter(r, &p->rx);
	random_counter(r, &p->tx);
	p->wire_rx_dropped = random_u64(r);
	p->wire_rx_errors = random_u64(r);
	p->wire_tx_errors = random_u64(r);
	p->n_drops = random_below(r, 3);
	p->drops = d = some(a, p->n_drops * sizeof(*d));
	for (uint32_t i = 0; i < p->n_drops; i++) {
		d[i].reason = (uint16_t)random_u64(r);
		d[i].packets = random_u64(r);
	}
}

static inline void random_table_info(
	struct random *r, struct tn_api_arena *a, struct tn_table_info *t)
{
	t->table_id = (uint8_t)random_u64(r);
	random_table_config(r, &t->config);
	t->active = (uint32_t)random_u64(r);
	t->lookups = random_u64(r);
	t->matches = random_u64(r);
	t->template_name = random_text(r, a);
	t->n_subtables = (uint32_t)random_u64(r);
	t->memory_bytes = random_u64(r);
}

static inline void random_worker_info(struct random *r, struct tn_api_worker_info *w)
{
	w->worker = (uint32_t)random_u64(r);
	w->core = (uint32_t)random_u64(r);
	w->sessions = (uint32_t)random_u64(r);
	w->programs = (uint32_t)random_u64(r);
	w->hits = random_u64(r);
	w->misses = random_u64(r);
	w->stale = random_u64(r);
	w->uncached = random_u64(r);
	w->evicted = random_u64(r);
}

#define RANDOM_ITEMS(type, fill)                                \
	do {                                                    \
		type *items_ = some(a, p->n * sizeof(*items_)); \
		for (uint32_t i_ = 0; i_ < p->n; i_++) {        \
			type *item = &items_[i_];               \
			fill;                                   \
		}                                               \
		p->items = items_;                              \
	} while (0)

static inline void random_part(struct random *r, struct tn_api_arena *a, struct tn_api_part *p)
{
	p->kind = (enum tn_api_dump_kind)(1 + random_below(r, TN_API_N_DUMPS - 1));
	p->n = random_below(r, 4);
	if (p->kind == TN_API_FLOWS)
		RANDOM_ITEMS(struct tn_flow_info, random_flow_info(r, a, item));
	else if (p->kind == TN_API_COUNTERS)
		RANDOM_ITEMS(struct tn_api_flow_counter, {
			item->flow_id = random_u64(r);
			item->last_used_ns = random_u64(r);
			random_counter(r, &item->counter);
		});
	else if (p->kind == TN_API_GROUPS)
		RANDOM_ITEMS(struct tn_group_info, random_group_info(r, a, item));
	else if (p->kind == TN_API_METERS)
		RANDOM_ITEMS(struct tn_api_meter_info, random_meter_info(r, a, item));
	else if (p->kind == TN_API_PORTS)
		RANDOM_ITEMS(struct tn_api_port_info, random_port_info(r, a, item));
	else if (p->kind == TN_API_TABLES)
		RANDOM_ITEMS(struct tn_table_info, random_table_info(r, a, item));
	else if (p->kind == TN_API_NETWORKS)
		RANDOM_ITEMS(struct tn_api_network_drop, {
			item->network = (uint32_t)random_u64(r);
			item->reason = (uint16_t)random_u64(r);
			item->packets = random_u64(r);
		});
	else
		RANDOM_ITEMS(struct tn_api_worker_info, random_worker_info(r, item));
}

static inline void random_packet_in(
	struct random *r, struct tn_api_arena *a, struct tn_api_packet_in *p)
{
	p->reason = (uint8_t)random_u64(r);
	p->table_id = (uint8_t)random_u64(r);
	p->in_port = (uint32_t)random_u64(r);
	p->in_phy_port = (uint32_t)random_u64(r);
	p->cookie = random_u64(r);
	p->metadata = random_u64(r);
	p->tunnel_id = random_u64(r);
	p->flow_id = random_u64(r);
	p->total_len = (uint32_t)random_u64(r);
	p->frame = random_frame(r, a, &p->frame_len);
}

static inline void random_event(struct random *r, struct tn_api_arena *a, struct tn_api_event *e)
{
	e->kind = (enum tn_api_event_kind)random_below(r, TN_API_N_EVENTS);
	e->time_ns = random_u64(r);
	if (e->kind == TN_API_FLOW_REMOVED) {
		e->removed.reason = (enum tn_flow_removed_reason)random_below(r, 6);
		random_flow_info(r, a, &e->removed.flow);
	} else if (e->kind == TN_API_PORT_STATUS) {
		e->port.reason = (enum tn_port_status_reason)random_below(r, 3);
		e->port.port.number = (uint32_t)random_u64(r);
		e->port.port.type = (enum tn_port_type)random_below(r, 2);
		e->port.port.config = (uint32_t)random_u64(r);
		e->port.port.state = (uint32_t)random_u64(r);
	} else if (e->kind == TN_API_TABLE_STATUS) {
		e->table.table_id = (uint8_t)random_u64(r);
		e->table.vacancy_up = random_bool(r);
	} else if (e->kind == TN_API_PACKET_IN) {
		random_packet_in(r, a, &e->packet_in);
	} else if (e->kind == TN_API_RESUMED) {
		e->lost = random_u64(r);
	}
}

static inline void random_rule(
	struct random *r, struct tn_api_arena *a, struct tn_api_trace_rule *rule)
{
	rule->flow_id = random_u64(r);
	rule->cookie = random_u64(r);
	rule->priority = (uint16_t)random_u64(r);
	rule->owner = (uint32_t)random_u64(r);
	random_match(r, &rule->match);
	random_instructions(r, a, &rule->inst);
}

static inline void random_step(
	struct random *r, struct tn_api_arena *a, struct tn_api_trace_step *s)
{
	s->table_id = (uint8_t)random_u64(r);
	random_match(r, &s->packet);
	s->matched = random_bool(r);
	if (s->matched)
		random_rule(r, a, &s->rule);
	s->has_next = random_bool(r);
	if (!s->has_next)
		return;
	random_rule(r, a, &s->next);
	s->next_differs = random_u64(r);
}

static inline void random_output(
	struct random *r, struct tn_api_arena *a, struct tn_api_trace_output *o)
{
	o->port = (uint32_t)random_u64(r);
	o->uplink = (uint32_t)random_u64(r);
	o->flow_id = random_u64(r);
	o->table_id = (uint8_t)random_u64(r);
	o->total_len = (uint32_t)random_u64(r);
	o->frame = random_frame(r, a, &o->frame_len);
}

static inline void random_trace_reply(
	struct random *r, struct tn_api_arena *a, struct tn_api_trace_reply *t)
{
	struct tn_api_trace_step *steps = some(a, 3 * sizeof(*steps));
	struct tn_api_trace_bucket *buckets = some(a, 3 * sizeof(*buckets));
	struct tn_api_trace_output *outputs = some(a, 3 * sizeof(*outputs));
	struct tn_api_packet_in *packet_ins = some(a, 3 * sizeof(*packet_ins));
	struct tn_api_trace_drop *drops = some(a, 3 * sizeof(*drops));

	*t = (struct tn_api_trace_reply){
		.in_port = (uint32_t)random_u64(r),
		.in_phy_port = (uint32_t)random_u64(r),
		.tunnel_id = random_u64(r),
		.to_host = random_bool(r),
		.steps = steps,
		.n_steps = random_below(r, 4),
		.buckets = buckets,
		.n_buckets = random_below(r, 4),
		.outputs = outputs,
		.n_outputs = random_below(r, 4),
		.packet_ins = packet_ins,
		.n_packet_ins = random_below(r, 4),
		.drops = drops,
		.n_drops = random_below(r, 4),
	};
	for (unsigned i = 0; i < 3; i++) {
		random_step(r, a, &steps[i]);
		buckets[i] = (struct tn_api_trace_bucket){
			(uint32_t)random_u64(r), (uint32_t)random_u64(r), (uint32_t)random_u64(r)};
		random_output(r, a, &outputs[i]);
		random_packet_in(r, a, &packet_ins[i]);
		drops[i] = (struct tn_api_trace_drop){(uint16_t)random_u64(r),
			(uint32_t)random_u64(r), random_u64(r), (uint8_t)random_u64(r)};
	}
}

static inline void random_simple(struct random *r, struct tn_api_arena *a, struct tn_api_message *m)
{
	switch (m->type) {
	case TN_API_HELLO:
		m->hello.capabilities = random_u64(r);
		m->hello.name = random_text(r, a);
		break;
	case TN_API_HELLO_REPLY:
		m->hello_reply.capabilities = random_u64(r);
		m->hello_reply.dpid = random_u64(r);
		m->hello_reply.started_ns = random_u64(r);
		m->hello_reply.pid = (uint32_t)random_u64(r);
		m->hello_reply.uid = (uint32_t)random_u64(r);
		m->hello_reply.gid = (uint32_t)random_u64(r);
		m->hello_reply.version = random_text(r, a);
		break;
	case TN_API_PORT_REMOVE:
		m->port_remove = (uint32_t)random_u64(r);
		break;
	case TN_API_PORT_CONFIGURE:
		m->port_configure.number = (uint32_t)random_u64(r);
		m->port_configure.enabled = random_bool(r);
		m->port_configure.config = (uint32_t)random_u64(r);
		break;
	case TN_API_TABLE_CONFIGURE:
		m->table_configure.table_id = (uint8_t)random_u64(r);
		random_table_config(r, &m->table_configure.config);
		break;
	case TN_API_END:
		m->end.kind = (enum tn_api_dump_kind)(1 + random_below(r, TN_API_N_DUMPS - 1));
		m->end.total = random_u64(r);
		break;
	case TN_API_SUBSCRIBE:
		m->subscribe = random_below(r, 1u << TN_API_N_EVENTS);
		break;
	case TN_API_TRACE:
		m->trace.in_port = (uint32_t)random_u64(r);
		m->trace.explain = random_bool(r);
		m->trace.inner = random_bool(r);
		if (m->trace.inner) {
			m->trace.tunnel_id = random_u64(r);
			m->trace.tun_src = m->trace.tun_dst = random_u64(r);
		}
		m->trace.frame = random_frame(r, a, &m->trace.frame_len);
		break;
	case TN_API_PACKET_OUT:
		m->packet_out.in_port = (uint32_t)random_u64(r);
		m->packet_out.actions = random_actions(r, a, &m->packet_out.n_actions);
		m->packet_out.frame = random_frame(r, a, &m->packet_out.frame_len);
		break;
	default:
		random_error(r, a, &m->error);
		break;
	}
}

static inline void random_message(
	struct random *r, struct tn_api_arena *a, enum tn_api_type type, struct tn_api_message *m)
{
	memset(m, 0, sizeof(*m));
	m->type = type;
	m->request_id = random_u64(r);
	switch (type) {
	case TN_API_BUNDLE:
		m->flags = random_bool(r) ? TN_API_MORE : 0;
		random_bundle(r, a, &m->bundle);
		break;
	case TN_API_RECEIPT:
		m->receipt.version = random_bool(r) ? random_u64(r) | 1 : 0;
		if (!m->receipt.version) {
			m->receipt.position = random_u64(r);
			random_error(r, a, &m->receipt.error);
		}
		break;
	case TN_API_PORT_ADD:
		random_port(r, a, &m->port_add);
		break;
	case TN_API_UNDERLAY:
		random_underlay(r, a, &m->underlay);
		break;
	case TN_API_DUMP:
		m->dump.kind = (enum tn_api_dump_kind)(1 + random_below(r, TN_API_N_DUMPS - 1));
		m->dump.table_id = (uint8_t)random_u64(r);
		m->dump.cookie = random_u64(r);
		m->dump.cookie_mask = random_u64(r);
		m->dump.out_port = (uint32_t)random_u64(r);
		m->dump.out_group = (uint32_t)random_u64(r);
		random_match(r, &m->dump.match);
		break;
	case TN_API_PART:
		random_part(r, a, &m->part);
		break;
	case TN_API_EVENT:
		random_event(r, a, &m->event);
		break;
	case TN_API_TRACE_REPLY:
		random_trace_reply(r, a, &m->trace_reply);
		break;
	default:
		random_simple(r, a, m);
	}
}

#endif
