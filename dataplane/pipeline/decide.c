/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/decide.h"

#include <string.h>

#include "dataplane/pipeline/walk.h"

TN_KEY_SEQ_ASSERT(1); /* refresh_packet_members() and packet_fields know every member */

/* Fields that are not in the frame: setting one changes the key and needs no op. */
#define BIT(f) (UINT64_C(1) << TN_FIELD_##f)
#define PIPELINE_FIELDS                                                                        \
	(BIT(IN_PORT) | BIT(IN_PHY_PORT) | BIT(METADATA) | BIT(TUNNEL_ID) | BIT(TUN_SRC) |     \
		BIT(TUN_DST) | BIT(PKT_MARK) | BIT(REG0) | BIT(REG1) | BIT(REG2) | BIT(REG3) | \
		BIT(REG4) | BIT(REG5) | BIT(REG6) | BIT(REG7) | BIT(REG8) | BIT(REG9) |        \
		BIT(REG10) | BIT(REG11) | BIT(REG12) | BIT(REG13) | BIT(REG14) | BIT(REG15))

struct tn_op *tn_decide_emit(struct tn_walk *w, enum tn_op_type type)
{
	struct tn_program *p = w->program;
	struct tn_op *op;

	if (w->stopped)
		return NULL;
	op = &p->ops[p->n_ops++];
	memset(op, 0, sizeof(*op));
	op->flow_id = w->flow ? w->flow->flow_id : 0;
	op->where = w->b.where | (w->flow ? w->flow->table_id : TN_TABLE_ALL);
	op->first = w->b.first;
	if (p->n_ops == TN_PROGRAM_OPS_MAX) {
		op->type = TN_OP_DROP;
		op->last = 1;
		op->drop.reason = TN_DROP_PROGRAM_TOO_LONG;
		w->stopped = w->b.ended = true;
		return NULL;
	}
	op->type = (uint8_t)type;
	return op;
}

static struct tn_op *emit_drop(struct tn_walk *w, enum tn_drop reason, bool last)
{
	struct tn_op *op = tn_decide_emit(w, TN_OP_DROP);

	if (!op)
		return NULL;
	op->last = last;
	op->drop.reason = (uint8_t)reason;
	return op;
}

void tn_decide_drop(struct tn_walk *w, enum tn_drop reason)
{
	(void)emit_drop(w, reason, true);
	w->b.ended = true;
}

/* The op just emitted made a copy of the branch's packet. */
static void copied(struct tn_walk *w, uint32_t op)
{
	w->b.sent = true;
	w->b.last_op = op;
}

void tn_decide_drop_at_port(struct tn_walk *w, enum tn_drop reason, uint32_t port)
{
	uint32_t at = w->program->n_ops;
	struct tn_op *op = emit_drop(w, reason, false);

	if (op)
		op->drop.port = port;
	copied(w, at);
}

void tn_decide_drop_copy(struct tn_walk *w, enum tn_drop reason)
{
	tn_decide_drop_at_port(w, reason, 0);
}

void tn_decide_read_fields(struct tn_walk *w, uint64_t fields)
{
	if (!w->read)
		return;
	for (uint64_t left = fields; left; left &= left - 1) {
		enum tn_field_id id = (enum tn_field_id)__builtin_ctzll(left);

		tn_field_set(&w->read->mask, id, tn_field_ones(id));
	}
}

void tn_decide_read_layout(struct tn_walk *w)
{
	struct tn_key *mask;

	if (!w->read)
		return;
	mask = &w->read->mask;
	mask->eth_type = tn_htobe16(UINT16_MAX);
	mask->vlan_tci = tn_htobe16(UINT16_MAX);
	mask->inner_vlan_tci = tn_htobe16(UINT16_MAX);
	mask->ip_proto = UINT8_MAX;
	mask->ip_frag = UINT8_MAX;
	if (w->b.key.ip_proto == 58) /* ND members depend on the ICMPv6 type */
		mask->tp_src = tn_htobe16(UINT16_MAX);
}

/* An output compares with in_port; a packet-in carries more. */
static void read_pipeline(struct tn_walk *w, bool all)
{
	if (!w->read)
		return;
	w->read->mask.in_port.raw = UINT32_MAX;
	if (all)
		w->read->mask.metadata.raw = w->read->mask.tunnel_id.raw = UINT64_MAX;
}

/*
 * What an output to a tunnel takes from the packet's own metadata. The outer addresses that it came
 * by are none to send to or from, so that no decision depends on them but where an answer goes
 * back.
 */
static void set_tunnel(struct tn_walk *w, struct tn_op *op)
{
	const struct tn_key *key = &w->b.key;
	uint64_t tunnel_id = tn_be64toh(key->tunnel_id);

	op->output.tunnel_id = (uint32_t)tunnel_id;
	op->output.wide_tunnel_id = tunnel_id >> 32 != 0;
	if (w->b.said_tun_src)
		op->output.tun_src = tn_u128_from_ip6(&key->tun_src);
	if (w->b.said_tun_dst)
		op->output.tun_dst = tn_u128_from_ip6(&key->tun_dst);
	if (w->read)
		w->read->mask.tunnel_id.raw = UINT64_MAX;
}

/* A flow writes one of them. What a mask leaves of it is the packet's. */
static void say_tunnel(struct tn_walk *w, enum tn_field_id id, tn_u128 mask)
{
	bool *said = id == TN_FIELD_TUN_SRC ? &w->b.said_tun_src : &w->b.said_tun_dst;

	if (id != TN_FIELD_TUN_SRC && id != TN_FIELD_TUN_DST)
		return;
	if (!*said && mask != tn_field_ones(id))
		tn_decide_read_fields(w, UINT64_C(1) << id);
	*said = true;
}

/* The same of the tunnel id, which says whose the packet is from here on. */
static void say_network(struct tn_walk *w, tn_u128 mask)
{
	uint64_t id = tn_be64toh(w->b.key.tunnel_id);
	struct tn_op op = {0};

	if (!w->b.first && mask != UINT64_MAX)
		tn_decide_read_fields(w, BIT(TUNNEL_ID));
	op.network_of = id > TN_OP_NETWORK_MAX ? TN_OP_NETWORK_WIDE : TN_OP_NETWORK_GIVEN;
	op.network = id > TN_OP_NETWORK_MAX ? 0 : id & TN_OP_NETWORK_MAX;
	w->b.first = op.first;
	w->b.where = op.where;
}

void tn_decide_clone_begin(struct tn_walk *w, struct tn_clone *clone)
{
	clone->op = w->program->n_ops;
	if (tn_decide_emit(w, TN_OP_CLONE))
		copied(w, clone->op);
	else
		clone->op = TN_OP_NONE;
	clone->outside = w->b;
	w->b.sent = false;
	w->b.last_op = TN_OP_NONE;
}

void tn_decide_clone_end(struct tn_walk *w, const struct tn_clone *clone)
{
	w->b = clone->outside;
	w->b.ended |= w->stopped;
	if (clone->op != TN_OP_NONE)
		w->program->ops[clone->op].n_nested = (uint16_t)(w->program->n_ops - clone->op - 1);
}

static uint32_t op_end(const struct tn_program *p, uint32_t op)
{
	return op + 1 + (p->ops[op].type == TN_OP_CLONE ? p->ops[op].n_nested : 0);
}

void tn_decide_branch_end(struct tn_walk *w)
{
	if (w->b.ended || w->stopped)
		return;
	if (!w->b.sent) {
		tn_decide_drop(w, TN_DROP_NO_ACTION);
		return;
	}
	if (op_end(w->program, w->b.last_op) == w->program->n_ops)
		w->program->ops[w->b.last_op].last = 1;
}

/* The fact that belongs to the op at `op`, if execution has come that far. */
static const struct tn_fact *take_fact(struct tn_walk *w, enum tn_fact_kind kind, uint32_t op)
{
	const struct tn_fact *fact;

	if (!w->facts || w->next_fact >= w->facts->n)
		return NULL;
	fact = &w->facts->fact[w->next_fact];
	if (fact->kind != kind || fact->op != op)
		return NULL;
	w->next_fact++;
	return fact;
}

/* Packet members from `fresh`, pipeline members stay. */
static void refresh_packet_members(struct tn_key *key, const struct tn_key *fresh)
{
	struct tn_key old = *key;

	*key = *fresh;
	key->in_port = old.in_port;
	key->in_phy_port = old.in_phy_port;
	key->tunnel_id = old.tunnel_id;
	key->metadata = old.metadata;
	key->pkt_mark = old.pkt_mark;
	key->tun_src = old.tun_src;
	key->tun_dst = old.tun_dst;
	memcpy(key->reg, old.reg, sizeof(key->reg));
}

/* What the key says can no longer be known from the key: the executor looks at the frame again. */
static void walk_reparse(struct tn_walk *w)
{
	uint32_t at = w->program->n_ops;
	const struct tn_fact *fact;

	if (!tn_decide_emit(w, TN_OP_REPARSE))
		return;
	fact = take_fact(w, TN_FACT_REPARSED, at);
	if (fact)
		refresh_packet_members(&w->b.key, &fact->key);
	else
		w->stopped = w->b.ended = true;
}

static void walk_meter(struct tn_walk *w, uint32_t meter_id)
{
	struct tn_meter *meter = tn_snapshot_meter(w->s, meter_id);
	uint32_t at = w->program->n_ops;
	const struct tn_fact *fact;
	struct tn_op *op;

	if (!meter)
		return;
	op = tn_decide_emit(w, TN_OP_METER);
	if (!op)
		return;
	op->meter = meter;
	fact = take_fact(w, TN_FACT_REMARKED, at);
	if (fact)
		tn_field_set(&w->b.key, TN_FIELD_IP_DSCP, fact->dscp);
}

static void walk_set(struct tn_walk *w, enum tn_field_id id, tn_u128 value, tn_u128 mask)
{
	struct tn_op *op;

	if (UINT64_C(1) << id & PIPELINE_FIELDS) {
		say_tunnel(w, id, mask);
		tn_field_set_masked(&w->b.key, id, value, mask);
		if (id == TN_FIELD_TUNNEL_ID)
			say_network(w, mask);
		return;
	}
	tn_decide_read_layout(w);
	if (!tn_field_present(&w->b.key, id))
		return;
	op = tn_decide_emit(w, TN_OP_SET);
	if (!op)
		return;
	/* A tag is there and stays; only PUSH and POP change that. */
	if (id == TN_FIELD_VLAN_VID)
		mask &= TN_VLAN_VID_MASK;
	op->set.field = (uint8_t)id;
	op->set.value = value & mask;
	op->set.mask = mask;
	tn_field_set_masked(&w->b.key, id, value, mask);
	if (id == TN_FIELD_ICMPV6_TYPE)
		walk_reparse(w); /* another type has other members */
}

static void walk_push_vlan(struct tn_walk *w, uint16_t ethertype)
{
	uint16_t outer = tn_be16toh(w->b.key.vlan_tci);
	uint16_t inner = tn_be16toh(w->b.key.inner_vlan_tci);
	struct tn_op *op = tn_decide_emit(w, TN_OP_PUSH_VLAN);

	if (!op)
		return;
	tn_decide_read_layout(w);
	op->push_vlan.ethertype = ethertype;
	op->push_vlan.tci = outer & (uint16_t)~TN_VLAN_PRESENT;
	w->b.key.inner_vlan_tci = w->b.key.vlan_tci;
	w->b.key.vlan_tci = tn_htobe16(outer | TN_VLAN_PRESENT);
	if (inner & TN_VLAN_PRESENT)
		walk_reparse(w); /* a third tag hides what is behind it */
}

static void walk_pop_vlan(struct tn_walk *w)
{
	uint16_t type = tn_be16toh(w->b.key.eth_type);

	tn_decide_read_layout(w);
	if (!(tn_be16toh(w->b.key.vlan_tci) & TN_VLAN_PRESENT))
		return;
	if (!tn_decide_emit(w, TN_OP_POP_VLAN))
		return;
	w->b.key.vlan_tci = w->b.key.inner_vlan_tci;
	w->b.key.inner_vlan_tci = tn_htobe16(0);
	if (type == 0x8100 || type == 0x88a8)
		walk_reparse(w); /* there was a third tag */
}

static void walk_mod_vlan(struct tn_walk *w, enum tn_field_id id, uint16_t value)
{
	if (!(tn_be16toh(w->b.key.vlan_tci) & TN_VLAN_PRESENT))
		walk_push_vlan(w, 0x8100);
	walk_set(w, id, value, tn_field_ones(id));
}

static void walk_move(struct tn_walk *w, const struct tn_action *a)
{
	enum tn_field_id src = (enum tn_field_id)a->move.src;
	enum tn_field_id dst = (enum tn_field_id)a->field;
	tn_u128 ones = a->move.n_bits == 128 ? ~(tn_u128)0 : ((tn_u128)1 << a->move.n_bits) - 1;
	tn_u128 bits;

	tn_decide_read_layout(w);
	if (!tn_field_present(&w->b.key, src))
		return;
	tn_decide_read_fields(w, UINT64_C(1) << src);
	bits = tn_field_get(&w->b.key, src) >> a->move.src_ofs & ones;
	walk_set(w, dst, bits << a->move.dst_ofs, ones << a->move.dst_ofs);
}

static void walk_dec_ttl(struct tn_walk *w)
{
	tn_decide_read_layout(w);
	if (!tn_field_present(&w->b.key, TN_FIELD_IP_TTL))
		return;
	if (tn_decide_emit(w, TN_OP_DEC_TTL))
		w->b.key.ip_ttl--;
}

/* Only IP in IP has a second TTL; the inner one is not in the key. */
static void walk_copy_ttl(struct tn_walk *w, enum tn_op_type type)
{
	uint8_t proto = w->b.key.ip_proto;

	tn_decide_read_layout(w);
	if (!tn_field_present(&w->b.key, TN_FIELD_IP_TTL) || (proto != 4 && proto != 41))
		return;
	if (tn_decide_emit(w, type) && type == TN_OP_COPY_TTL_OUT)
		walk_reparse(w);
}

static bool table_miss_flow(const struct tn_flow *flow)
{
	struct tn_match match;

	if (!flow || flow->cls.priority)
		return false;
	tn_cls_rule_match(&flow->cls, &match);
	return !tn_match_fields(&match);
}

static void walk_controller(struct tn_walk *w, const struct tn_action *a)
{
	uint32_t in_port = tn_be32toh(w->b.key.in_port);
	const struct tn_port_config_data *port = tn_snapshot_port(w->s, in_port);
	uint8_t reason = a->output.reason;
	uint32_t at;
	struct tn_op *op;

	if (reason == TN_REASON_DEFAULT) {
		reason = w->reason;
		if (reason != TN_PACKET_IN_PACKET_OUT && table_miss_flow(w->flow))
			reason = TN_PACKET_IN_NO_MATCH;
	}
	if (reason == TN_PACKET_IN_NO_MATCH && port && port->config & TN_PORT_CONFIG_NO_PACKET_IN) {
		tn_decide_drop_copy(w, TN_DROP_CONTROLLER_OFF);
		return;
	}
	read_pipeline(w, true);
	at = w->program->n_ops;
	op = tn_decide_emit(w, TN_OP_CONTROLLER);
	if (!op)
		return;
	op->controller.cookie = w->flow ? w->flow->cookie : UINT64_MAX;
	op->controller.metadata = tn_be64toh(w->b.key.metadata);
	op->controller.tunnel_id = tn_be64toh(w->b.key.tunnel_id);
	op->controller.in_port = in_port;
	op->controller.max_len = a->output.max_len;
	op->controller.reason = reason;
	copied(w, at);
}

void tn_decide_output_port(
	struct tn_walk *w, const struct tn_port_config_data *port, uint16_t max_len)
{
	uint32_t at = w->program->n_ops;
	struct tn_op *op;

	if (port->config & TN_PORT_CONFIG_DOWN || port->state & TN_PORT_STATE_LINK_DOWN) {
		tn_decide_drop_at_port(w, TN_DROP_PORT_DOWN, port->number);
		return;
	}
	if (port->config & TN_PORT_CONFIG_NO_FWD) {
		tn_decide_drop_at_port(w, TN_DROP_PORT_NO_FWD, port->number);
		return;
	}
	op = tn_decide_emit(w, TN_OP_OUTPUT);
	if (!op)
		return;
	op->output.port = port->number;
	op->output.max_len = max_len;
	op->output.queue = w->b.queue;
	op->output.has_queue = w->b.has_queue;
	if (port->type == TN_PORT_VXLAN)
		set_tunnel(w, op);
	copied(w, at);
}

/* Every port that takes part in flooding, but the ingress port. */
static void walk_flood(struct tn_walk *w, uint16_t max_len)
{
	const struct tn_port_table *ports = w->s->ports;
	uint32_t in_port = tn_be32toh(w->b.key.in_port);

	for (uint32_t i = 0; i < ports->n && !w->stopped; i++) {
		const struct tn_port_config_data *port = &ports->ports[i];

		if (port->number == in_port || port->number == TN_PORT_LOCAL ||
			port->config & (TN_PORT_CONFIG_DOWN | TN_PORT_CONFIG_NO_FWD) ||
			port->state & TN_PORT_STATE_LINK_DOWN)
			continue;
		tn_decide_output_port(w, port, max_len);
	}
}

/* The learning switch: VLANs are separate networks. */
static void walk_normal(struct tn_walk *w)
{
	uint32_t network = tn_network_of_vlan(tn_be16toh(w->b.key.vlan_tci) & TN_VLAN_VID_MASK);
	const struct tn_place from = {.port = tn_be32toh(w->b.key.in_port)};
	const struct tn_port_config_data *port;
	struct tn_place place;

	tn_decide_read_fields(w, BIT(ETH_DST) | BIT(ETH_SRC) | BIT(VLAN_VID) | BIT(IN_PORT));
	tn_decide_learn(w, network, &from, 0);
	port = tn_decide_station(w, network, &place);
	if (port && place.port == tn_be32toh(w->b.key.in_port))
		tn_decide_drop_at_port(w, TN_DROP_TO_INGRESS, place.port);
	else if (port)
		tn_decide_output_port(w, port, 0);
	else
		walk_flood(w, 0);
}

static void walk_tables(struct tn_walk *w, uint8_t table_id);

static void walk_output(struct tn_walk *w, const struct tn_action *a)
{
	uint32_t in_port = tn_be32toh(w->b.key.in_port);
	uint32_t number = a->output.port;
	const struct tn_port_config_data *port;

	read_pipeline(w, false);
	switch (number) {
	case TN_PORT_CONTROLLER:
		walk_controller(w, a);
		return;
	case TN_PORT_NORMAL:
		walk_normal(w);
		return;
	case TN_PORT_FLOOD:
	case TN_PORT_ALL:
		walk_flood(w, a->output.max_len);
		return;
	case TN_PORT_TABLE: /* packet-out alone, see tn_actions_check() */
		walk_tables(w, 0);
		return;
	case TN_PORT_IN_PORT:
		number = in_port;
		break;
	default:
		if (number == in_port) {
			tn_decide_drop_at_port(w, TN_DROP_TO_INGRESS, number);
			return;
		}
	}
	port = tn_snapshot_port(w->s, number);
	if (port)
		tn_decide_output_port(w, port, a->output.max_len);
	else
		tn_decide_drop_at_port(w, TN_DROP_NO_SUCH_PORT, number);
}

static void walk_resubmit(struct tn_walk *w, const struct tn_action *a)
{
	struct tn_be32 in_port = w->b.key.in_port;
	const struct tn_flow *flow = w->flow;
	uint8_t reason = w->reason;

	if (w->resubmits++ >= TN_RESUBMIT_MAX || w->nested >= TN_RESUBMIT_DEPTH_MAX) {
		tn_decide_drop(w, TN_DROP_PROGRAM_TOO_LONG);
		return;
	}
	w->nested++;
	if (a->resubmit.in_port != TN_PORT_IN_PORT)
		w->b.key.in_port = tn_htobe32(a->resubmit.in_port);
	walk_tables(w, a->resubmit.table);
	w->nested--;
	w->b.key.in_port = in_port;
	w->flow = flow;
	w->reason = reason;
}

static void walk_clone(struct tn_walk *w, const struct tn_action *nested, size_t n)
{
	struct tn_action_set set = w->set;
	struct tn_clone clone;

	tn_decide_clone_begin(w, &clone);
	tn_decide_list(w, nested, n);
	tn_decide_branch_end(w);
	tn_decide_clone_end(w, &clone);
	w->set = set;
}

/* Nothing is known of the answer before it is there: as after a reparse, decide looks again. */
static void walk_reply(struct tn_walk *w, const struct tn_action *a)
{
	uint32_t at = w->program->n_ops;
	struct tn_op *op = tn_decide_emit(w, TN_OP_REPLY);
	const struct tn_fact *fact;
	struct tn_ip6 tun_src;

	if (!op)
		return;
	op->reply = a;
	fact = take_fact(w, TN_FACT_REPARSED, at);
	if (!fact) {
		w->stopped = w->b.ended = true;
		return;
	}
	refresh_packet_members(&w->b.key, &fact->key);
	/* Through a tunnel it goes back to the other end. */
	tun_src = w->b.key.tun_src;
	w->b.key.tun_src = w->b.key.tun_dst;
	w->b.key.tun_dst = tun_src;
	w->b.said_tun_src = w->b.said_tun_dst = true;
	if (tn_u128_from_ip6(&tun_src))
		tn_decide_read_fields(
			w, UINT64_C(1) << TN_FIELD_TUN_SRC | UINT64_C(1) << TN_FIELD_TUN_DST);
}

/* What the nested actions come to is decided when a packet is longer. */
static void walk_if_longer(
	struct tn_walk *w, const struct tn_action *a, const struct tn_action *nested, size_t n)
{
	uint32_t at = w->program->n_ops;
	struct tn_op *op = tn_decide_emit(w, TN_OP_IF_LONGER);

	if (!op)
		return;
	op->max_len = a->max_len;
	if (!take_fact(w, TN_FACT_LONGER, at))
		return;
	tn_decide_list(w, nested, n);
	tn_decide_branch_end(w);
	w->b.ended = true;
}

static void walk_truncate(struct tn_walk *w, uint32_t max_len)
{
	struct tn_op *op = tn_decide_emit(w, TN_OP_TRUNCATE);

	if (op)
		op->max_len = max_len;
}

void tn_decide_one(struct tn_walk *w, const struct tn_action *a)
{
	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_OUTPUT:
		walk_output(w, a);
		break;
	case TN_ACTION_GROUP:
		tn_decide_group(w, a->group_id, 0);
		break;
	case TN_ACTION_SET_FIELD:
		walk_set(w, (enum tn_field_id)a->field, a->set.value, a->set.mask);
		break;
	case TN_ACTION_MOVE:
		walk_move(w, a);
		break;
	case TN_ACTION_PUSH_VLAN:
		walk_push_vlan(w, a->ethertype);
		break;
	case TN_ACTION_POP_VLAN:
		walk_pop_vlan(w);
		break;
	case TN_ACTION_MOD_VLAN_VID:
		walk_mod_vlan(w, TN_FIELD_VLAN_VID, a->vlan_vid);
		break;
	case TN_ACTION_MOD_VLAN_PCP:
		walk_mod_vlan(w, TN_FIELD_VLAN_PCP, a->vlan_pcp);
		break;
	case TN_ACTION_DEC_TTL:
		walk_dec_ttl(w);
		break;
	case TN_ACTION_COPY_TTL_IN:
		walk_copy_ttl(w, TN_OP_COPY_TTL_IN);
		break;
	case TN_ACTION_COPY_TTL_OUT:
		walk_copy_ttl(w, TN_OP_COPY_TTL_OUT);
		break;
	case TN_ACTION_SET_QUEUE:
		w->b.queue = (uint16_t)a->queue_id;
		w->b.has_queue = true;
		break;
	case TN_ACTION_POP_QUEUE:
		w->b.has_queue = false;
		w->b.queue = 0;
		break;
	case TN_ACTION_TRUNCATE:
		walk_truncate(w, a->max_len);
		break;
	case TN_ACTION_RESUBMIT:
		walk_resubmit(w, a);
		break;
	case TN_ACTION_LEARN:
		tn_decide_learn_source(w, a->limit);
		break;
	case TN_ACTION_FDB:
		tn_decide_fdb(w, a->known.local);
		break;
	case TN_ACTION_SNOOP:
		tn_decide_snoop(w);
		break;
	case TN_ACTION_MCAST:
		tn_decide_mcast(w, a);
		break;
	case TN_ACTION_CIRCUIT:
		tn_decide_circuit(w, a);
		break;
	case TN_ACTION_CLONE: /* tn_decide_list() knows what follows these */
	case TN_ACTION_REPLY:
	case TN_ACTION_IF_LONGER:
	case TN_ACTION_NOTE:
	case TN_ACTION_ADVERTISE: /* a packet is none of its */
		break;
	}
}

void tn_decide_list(struct tn_walk *w, const struct tn_action *list, size_t n)
{
	for (size_t i = 0; i < n && !w->b.ended; i++) {
		const struct tn_action *a = &list[i];

		if (tn_likely(!tn_action_nests(a->type))) {
			tn_decide_one(w, a);
			continue;
		}
		if (a->type == TN_ACTION_CLONE)
			walk_clone(w, a + 1, a->n_nested);
		else if (a->type == TN_ACTION_REPLY)
			walk_reply(w, a);
		else
			walk_if_longer(w, a, a + 1, a->n_nested);
		i += a->n_nested;
	}
}

/* What of a flow the lookup did not touch, its first actions too: all of it is wanted now. */
static void fetch_flow(const struct tn_flow *flow)
{
	const char *p = (const char *)flow;

	__builtin_prefetch(p + 64);
	__builtin_prefetch(p + sizeof(*flow));
	__builtin_prefetch(p + sizeof(*flow) + 64);
}

/*
 * Did actions change what the packet brought along? Metadata and registers are not that: they say
 * how it came here.
 */
static bool altered(const struct tn_key *now, const struct tn_key *came)
{
	const uint64_t *a = tn_key_cwords(now), *b = tn_key_cwords(came);
	uint64_t differ = 0;

	TN_KEY_SEQ_ASSERT(1);
	differ |= a[0] ^ b[0];
	differ |= a[1] ^ b[1];
	for (unsigned i = 3; i < 17; i++)
		differ |= a[i] ^ b[i];
	return differ;
}

static void read_table(struct tn_walk *w, uint8_t table_id)
{
	uint64_t bit = UINT64_C(1) << table_id % 64;

	w->read->tables[table_id / 64] |= bit;
	/* Before the first flow nothing was done but by a packet-out's list. */
	if (!w->came || (w->flow && altered(&w->b.key, w->came)))
		w->read->altered[table_id / 64] |= bit;
}

static const struct tn_flow *lookup(struct tn_walk *w, uint8_t table_id)
{
	struct tn_flow_table *table = &w->s->tables[table_id];
	struct tn_cls_rule *rule = NULL;
	const struct tn_flow *flow;
	struct tn_op *op;

	if (table->cls) {
		rule = tn_classifier_lookup(table->cls, &w->b.key, w->s->version);
		if (w->read)
			tn_classifier_add_mask(table->cls, &w->read->mask);
	}
	if (w->read)
		read_table(w, table_id);
	flow = (const struct tn_flow *)(const void *)rule;
	if (flow)
		fetch_flow(flow);
	op = tn_decide_emit(w, TN_OP_COUNT);
	if (!op)
		return flow;
	op->flow_id = flow ? flow->flow_id : 0;
	op->table = table_id;
	op->count.lookups = &table->lookups;
	op->count.lookup = 1;
	if (flow) {
		op->count.matches = &table->matches;
		op->count.counter = &flow->stats->counter;
		op->count.id = flow->stats_id;
		op->count.last_used = &flow->stats->last_used_ns;
		op->count.no_packets = !!(flow->flags & TN_FLOW_NO_PKT_COUNTS);
		op->count.no_bytes = !!(flow->flags & TN_FLOW_NO_BYT_COUNTS);
	}
	return flow;
}

static void trace_table(const struct tn_walk *w, uint8_t table_id, const struct tn_flow *flow)
{
	struct tn_flow_info info;

	if (!w->trace || !w->trace->table)
		return;
	if (flow)
		tn_flow_describe(flow, &info);
	w->trace->table(w->trace->ctx, table_id, flow ? &info : NULL, &w->b.key);
}

/* Instructions in the standard's order (OpenFlow 1.5, 5.5). */
static void walk_instructions(struct tn_walk *w, const struct tn_flow *flow)
{
	uint8_t reason = w->reason;

	if (flow->meter_id)
		walk_meter(w, flow->meter_id);
	w->reason = TN_PACKET_IN_APPLY_ACTION;
	tn_decide_list(w, flow->apply, flow->n_apply);
	w->reason = reason;
	w->flow = flow;
	if (flow->clear_actions)
		tn_action_set_clear(&w->set);
	tn_action_set_write(&w->set, flow->write, flow->n_write, flow);
	if (flow->metadata_mask) {
		uint64_t md = tn_be64toh(w->b.key.metadata);

		md = (md & ~flow->metadata_mask) | (flow->metadata & flow->metadata_mask);
		w->b.key.metadata = tn_htobe64(md);
	}
}

/*
 * From table_id forward until a flow has no goto. A miss ends the branch in a drop, also inside a
 * RESUBMIT as far as the resubmit goes: there the caller's list simply continues.
 */
static void walk_tables_from(struct tn_walk *w, uint8_t table_id, bool resubmit)
{
	uint8_t next = table_id;

	while (next != TN_GOTO_NONE && !w->b.ended) {
		const struct tn_flow *flow = lookup(w, next);

		if (w->stopped)
			return;
		trace_table(w, next, flow);
		if (!flow) {
			struct tn_op *op;

			if (resubmit)
				return;
			op = tn_decide_emit(w, TN_OP_DROP);
			if (op) {
				op->last = 1;
				op->drop.reason = TN_DROP_TABLE_MISS;
				op->flow_id = 0;
				op->table = next;
			}
			w->b.ended = true;
			return;
		}
		w->flow = flow;
		next = flow->goto_table;
		walk_instructions(w, flow);
	}
}

static void walk_tables(struct tn_walk *w, uint8_t table_id)
{
	walk_tables_from(w, table_id, true);
}

static void walk_init(struct tn_walk *w, const struct tn_snapshot *s, const struct tn_key *key,
	uint64_t now_ns, const struct tn_facts *facts, struct tn_program *program,
	struct tn_read_set *read, const struct tn_decide_trace *trace)
{
	w->s = s;
	w->now_ns = now_ns;
	w->facts = facts;
	w->next_fact = 0;
	w->program = program;
	w->read = read;
	w->came = NULL;
	w->trace = trace;
	w->resubmits = w->nested = 0;
	w->stopped = false;
	w->flow = NULL;
	w->reason = TN_PACKET_IN_ACTION_SET;
	tn_key_copy(&w->b.key, key);
	w->b.queue = 0;
	w->b.has_queue = w->b.sent = w->b.ended = false;
	w->b.said_tun_src = w->b.said_tun_dst = false;
	w->b.circuit = NULL;
	w->b.circuit_flow = 0;
	w->b.first = 0;
	w->b.where = 0;
	w->b.last_op = TN_OP_NONE;
	tn_action_set_clear(&w->set);
	program->n_ops = 0;
	if (read) {
		memset(read->tables, 0, sizeof(read->tables));
		memset(read->altered, 0, sizeof(read->altered));
		read->networks = 0;
		tn_key_clear(&read->mask);
	}
	if (trace && trace->begin)
		trace->begin(trace->ctx);
}

static void walk_finish(struct tn_walk *w)
{
	w->reason = TN_PACKET_IN_ACTION_SET;
	if (!w->b.ended)
		tn_decide_action_set(w, &w->set, 0);
	tn_decide_branch_end(w);
}

void tn_decide(const struct tn_snapshot *snapshot, const struct tn_key *key, uint64_t now_ns,
	const struct tn_facts *facts, struct tn_program *program, struct tn_read_set *read,
	const struct tn_decide_trace *trace)
{
	struct tn_walk w;

	walk_init(&w, snapshot, key, now_ns, facts, program, read, trace);
	w.came = key;
	walk_tables_from(&w, 0, false);
	walk_finish(&w);
}

void tn_decide_actions(const struct tn_snapshot *snapshot, const struct tn_key *key,
	const struct tn_action *list, size_t n, uint64_t now_ns, const struct tn_facts *facts,
	struct tn_program *program, struct tn_read_set *read, const struct tn_decide_trace *trace)
{
	struct tn_walk w;

	walk_init(&w, snapshot, key, now_ns, facts, program, read, trace);
	w.reason = TN_PACKET_IN_PACKET_OUT;
	tn_decide_list(&w, list, n);
	walk_finish(&w);
}
