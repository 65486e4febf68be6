/* SPDX-License-Identifier: BSD-3-Clause */
/* Decisions by what was learnt in networks: where stations are, and who wants which group. */
#include "dataplane/core/snoop.h"
#include "dataplane/core/wire.h"
#include "dataplane/pipeline/walk.h"

#define BIT(f) (UINT64_C(1) << TN_FIELD_##f)

static struct tn_circuit ingress_circuit(const struct tn_walk *w)
{
	const struct tn_action *a = w->b.circuit;

	return a ? (struct tn_circuit){a->circuit.number, a->circuit.table, a->field}
		 : (struct tn_circuit){0};
}

static struct tn_place ingress_place(const struct tn_walk *w)
{
	return (struct tn_place){.port = tn_be32toh(w->b.key.in_port),
		.circuit = ingress_circuit(w),
		.tunnel = tn_u128_from_ip6(&w->b.key.tun_src)};
}

void tn_decide_circuit(struct tn_walk *w, const struct tn_action *a)
{
	w->b.circuit = a;
	w->b.circuit_flow = w->flow ? (uint32_t)w->flow->flow_id : 0;
}

/* Its source and where that is. */
static void set_learnt(const struct tn_walk *w, struct tn_learnt *learnt, uint32_t network,
	const struct tn_place *from)
{
	learnt->mac = w->b.key.eth_src;
	learnt->network = network;
	learnt->in_port = from->port;
	learnt->tunnel = from->tunnel;
	learnt->circuit = from->circuit;
	learnt->circuit_flow = from->circuit.number ? w->b.circuit_flow : 0;
}

/*
 * The source is behind the ingress port, or beyond its tunnel. Who was told something of a network
 * hears of what changes there: a station that comes back is told of again.
 */
void tn_decide_learn(
	struct tn_walk *w, uint32_t network, const struct tn_place *from, uint32_t limit)
{
	struct tn_op *op;

	if (network == TN_NETWORK_NONE || tn_decide_is_group(w->b.key.eth_src))
		return;
	if (w->read)
		w->read->networks |= 1u << tn_network_class(network);
	op = tn_decide_emit(w, TN_OP_LEARN);
	if (!op)
		return;
	set_learnt(w, &op->learn, network, from);
	op->learn.limit = limit;
}

/* Where the destination is: a port that exists. */
const struct tn_port_config_data *tn_decide_station(
	struct tn_walk *w, uint32_t network, struct tn_place *place)
{
	if (network == TN_NETWORK_NONE || tn_decide_is_group(w->b.key.eth_dst))
		return NULL;
	if (w->read)
		w->read->networks |= 1u << tn_network_class(network);
	if (!tn_fdb_lookup(w->s->fdb, w->b.key.eth_dst, network, w->now_ns, place))
		return NULL;
	return tn_snapshot_port(w->s, place->port);
}

static uint32_t walk_network(struct tn_walk *w)
{
	tn_decide_read_fields(w, BIT(IN_PORT) | BIT(TUNNEL_ID) | BIT(TUN_SRC));
	return tn_network_of_tunnel(tn_be64toh(w->b.key.tunnel_id));
}

void tn_decide_learn_source(struct tn_walk *w, uint32_t limit)
{
	uint32_t network = walk_network(w);
	const struct tn_place from = ingress_place(w);

	tn_decide_read_fields(w, BIT(ETH_SRC));
	tn_decide_learn(w, network, &from, limit);
}

/* Its tables say the rest. */
static void walk_circuit(struct tn_walk *w, const struct tn_circuit *circuit)
{
	const struct tn_action to_table = {
		.type = TN_ACTION_RESUBMIT,
		.resubmit = {.in_port = TN_PORT_IN_PORT, .table = circuit->table},
	};

	tn_field_set(&w->b.key, (enum tn_field_id)circuit->field, circuit->number);
	tn_decide_one(w, &to_table);
}

/* Out to a place of the network, but not to where the packet came from. */
static void walk_output_place(
	struct tn_walk *w, const struct tn_port_config_data *port, const struct tn_place *place)
{
	const struct tn_place from = ingress_place(w);

	if (tn_place_equal(place, &from)) {
		tn_decide_drop_at_port(w, TN_DROP_TO_INGRESS, place->port);
		return;
	}
	if (place->circuit.number) {
		walk_circuit(w, &place->circuit);
		return;
	}
	if (place->tunnel) {
		w->b.key.tun_src = tn_u128_to_ip6(0);
		w->b.key.tun_dst = tn_u128_to_ip6(place->tunnel);
		w->b.said_tun_src = false;
		w->b.said_tun_dst = true;
	}
	tn_decide_output_port(w, port, 0);
}

void tn_decide_fdb(struct tn_walk *w, bool local)
{
	uint32_t network = walk_network(w);
	const struct tn_port_config_data *port;
	struct tn_place place;

	tn_decide_read_fields(w, BIT(ETH_DST));
	port = tn_decide_station(w, network, &place);
	if (!port || (local && place.tunnel))
		return;
	walk_output_place(w, port, &place);
	tn_decide_branch_end(w);
	w->b.ended = true;
}

/* Could it be IGMP, MLD or a router's PIM? */
static bool speaks_of_groups(struct tn_walk *w)
{
	uint16_t type = tn_be16toh(w->b.key.tp_src);

	tn_decide_read_layout(w);
	if (tn_be16toh(w->b.key.eth_type) == TN_ETH_TYPE_IPV4)
		return w->b.key.ip_proto == TN_IPPROTO_IGMP || w->b.key.ip_proto == TN_IPPROTO_PIM;
	return w->b.key.ip_proto == TN_IPPROTO_ICMPV6 &&
		((type >= 130 && type <= 132) || type == 143);
}

void tn_decide_snoop(struct tn_walk *w)
{
	uint32_t network = walk_network(w);
	const struct tn_place from = ingress_place(w);
	struct tn_op *op;

	tn_decide_read_fields(w, BIT(ETH_SRC));
	if (network == TN_NETWORK_NONE || !speaks_of_groups(w) ||
		tn_decide_is_group(w->b.key.eth_src))
		return;
	op = tn_decide_emit(w, TN_OP_SNOOP);
	if (!op)
		return;
	set_learnt(w, &op->learn, network, &from);
}

/* The group that a packet is for; 0: none that members are known of. */
static tn_u128 group_of(struct tn_walk *w)
{
	tn_decide_read_fields(w, BIT(ETH_DST) | BIT(ETH_TYPE));
	if (!tn_decide_is_group(w->b.key.eth_dst))
		return 0;
	if (tn_be16toh(w->b.key.eth_type) == TN_ETH_TYPE_IPV4) {
		tn_decide_read_fields(w, BIT(IPV4_DST));
		return tn_snoop_is_group4(w->b.key.ipv4_dst)
			? tn_u128_from_ip4(tn_be32toh(w->b.key.ipv4_dst))
			: 0;
	}
	if (tn_be16toh(w->b.key.eth_type) != TN_ETH_TYPE_IPV6)
		return 0;
	tn_decide_read_fields(w, BIT(IPV6_DST));
	return tn_snoop_is_group6(&w->b.key.ipv6_dst) ? tn_u128_from_ip6(&w->b.key.ipv6_dst) : 0;
}

/* What its tables do to the packet is done to a copy. */
static void walk_copy(
	struct tn_walk *w, const struct tn_port_config_data *port, const struct tn_place *place)
{
	struct tn_clone clone;

	if (!place->circuit.number) {
		walk_output_place(w, port, place);
		return;
	}
	tn_decide_clone_begin(w, &clone);
	walk_output_place(w, port, place);
	tn_decide_branch_end(w);
	tn_decide_clone_end(w, &clone);
}

/* A copy to each place but where it came from. */
static void walk_places(
	struct tn_walk *w, struct tn_mcast_places to, struct tn_mcast_places but, bool local)
{
	const struct tn_place from = ingress_place(w);
	const struct tn_ip6 src = w->b.key.tun_src, dst = w->b.key.tun_dst;
	bool said_src = w->b.said_tun_src, said_dst = w->b.said_tun_dst;

	for (uint32_t i = 0; i < to.n && !w->stopped; i++) {
		const struct tn_place *place = &to.places[i];
		const struct tn_port_config_data *port = tn_snapshot_port(w->s, place->port);
		uint32_t k = 0;

		while (k < but.n && !tn_place_equal(&but.places[k], place))
			k++;
		if (k < but.n || !port || (local && place->tunnel) || tn_place_equal(place, &from))
			continue;
		walk_copy(w, port, place);
		w->b.key.tun_src = src;
		w->b.key.tun_dst = dst;
		w->b.said_tun_src = said_src;
		w->b.said_tun_dst = said_dst;
	}
}

/* Members of the group, and routers, which forward to members elsewhere. */
void tn_decide_mcast(struct tn_walk *w, const struct tn_action *a)
{
	uint32_t network = walk_network(w);
	tn_u128 group = a->known.routers ? 0 : group_of(w);
	struct tn_mcast_places routers, members = {0};

	if (network == TN_NETWORK_NONE || (!group && !a->known.routers))
		return;
	if (w->read)
		w->read->networks |= 1u << tn_network_class(network);
	routers = tn_mcast_lookup(w->s->mcast, network, 0);
	if (group)
		members = tn_mcast_lookup(w->s->mcast, network, group);
	if (group ? !members.n : !routers.n)
		return;
	walk_places(w, members, (struct tn_mcast_places){0}, a->known.local);
	walk_places(w, routers, members, a->known.local);
	tn_decide_branch_end(w);
	w->b.ended = true;
}
