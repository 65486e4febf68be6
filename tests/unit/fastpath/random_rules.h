/* SPDX-License-Identifier: BSD-3-Clause */
/* The bed of the worker's test in numbers, and random rules that its random frames meet. */
#ifndef TN_UNIT_FASTPATH_RANDOM_RULES_H
#define TN_UNIT_FASTPATH_RANDOM_RULES_H

#include "dataplane/core/action.h"
#include "tests/unit/core/packets.h"

#define N_PORTS	  4u
#define VXLAN	  10u
#define UPLINK	  1u /* index */
#define LOCAL_IP  0xc6336401u
#define LOCAL_IP6 ((tn_u128)0x20010db80000ffff << 64 | 1)
#define REMOTE_IP 0xc6336402u
#define N_PEERS	  4u

/* Far ends of the tunnel: two by IPv4, two by IPv6. */
static inline tn_u128 peer_address(unsigned i)
{
	return i < 2 ? tn_u128_from_ip4(REMOTE_IP + i) : LOCAL_IP6 + i;
}

static const enum tn_field_id match_fields[] = {TN_FIELD_IN_PORT, TN_FIELD_ETH_DST,
	TN_FIELD_ETH_SRC, TN_FIELD_VLAN_VID, TN_FIELD_ETH_TYPE, TN_FIELD_IP_PROTO,
	TN_FIELD_IPV4_SRC, TN_FIELD_IPV4_DST, TN_FIELD_UDP_DST, TN_FIELD_IP_DSCP,
	TN_FIELD_TUNNEL_ID, TN_FIELD_IPV6_DST, TN_FIELD_IP_TTL, TN_FIELD_TUN_SRC, TN_FIELD_IPV6_SRC,
	TN_FIELD_TCP_SRC, TN_FIELD_IN_PHY_PORT};

static inline tn_u128 match_value(struct rng *r, enum tn_field_id id)
{
	switch (id) {
	case TN_FIELD_IN_PORT:
		return 1 + rng_below(r, N_PORTS);
	case TN_FIELD_ETH_DST:
		return 0x020000000000 + rng_below(r, 4);
	case TN_FIELD_ETH_SRC:
		return 0x020000000010 + rng_below(r, 4);
	case TN_FIELD_VLAN_VID:
		return rng_below(r, 2) ? 0 : 0x1000 + rng_below(r, 3);
	case TN_FIELD_IPV4_SRC:
		return 0x0a000000 + rng_below(r, 8);
	case TN_FIELD_IPV4_DST:
		return 0x0a000100 + rng_below(r, 8);
	case TN_FIELD_UDP_DST:
		return 80 + rng_below(r, 4);
	case TN_FIELD_TUNNEL_ID:
		return 100 + rng_below(r, 3);
	case TN_FIELD_TCP_SRC:
		return 1000 + rng_below(r, 4);
	case TN_FIELD_IPV6_SRC:
	case TN_FIELD_IPV6_DST:
		return (tn_u128)0x20010db8 << 96 | rng_below(r, 4);
	case TN_FIELD_TUN_SRC:
	case TN_FIELD_TUN_DST:
		return peer_address(rng_below(r, N_PEERS));
	case TN_FIELD_IN_PHY_PORT:
		return UPLINK + 1;
	default:
		return rng_below(r, 4);
	}
}

static inline void random_match(struct rng *r, struct tn_match *m)
{
	bool ip6 = rng_below(r, 4) == 0;

	tn_match_init(m);
	for (unsigned n = rng_below(r, 4); n; n--) {
		enum tn_field_id id = match_fields[rng_below(r, TN_ARRAY_SIZE(match_fields))];
		enum tn_prereq need = tn_fields[id].prereq;

		if (tn_match_fields(m) >> id & 1 || id == TN_FIELD_ETH_TYPE ||
			id == TN_FIELD_IP_PROTO)
			continue;
		if (need != TN_PREREQ_NONE && !(tn_match_fields(m) >> TN_FIELD_ETH_TYPE & 1))
			tn_match_set_exact(m, TN_FIELD_ETH_TYPE,
				need == TN_PREREQ_IPV6 || (need == TN_PREREQ_IP && ip6) ? 0x86dd
											: 0x0800);
		if ((need == TN_PREREQ_UDP || need == TN_PREREQ_TCP) &&
			!(tn_match_fields(m) >> TN_FIELD_IP_PROTO & 1))
			tn_match_set_exact(m, TN_FIELD_IP_PROTO, need == TN_PREREQ_UDP ? 17 : 6);
		if (tn_match_prereq_ok(m, id))
			tn_match_set_exact(m, id, match_value(r, id));
	}
}

/* Maybe longer packets go another way. */
static inline unsigned random_length(struct rng *r, struct tn_action *list)
{
	unsigned nested = rng_below(r, 2);

	if (rng_below(r, 4))
		return 0;
	list[0] = (struct tn_action){.type = TN_ACTION_IF_LONGER,
		.max_len = 68 + rng_below(r, 40),
		.n_nested = (uint16_t)nested};
	list[1] = (struct tn_action){.type = TN_ACTION_OUTPUT,
		.output = {.port = 1 + rng_below(r, N_PORTS), .reason = TN_REASON_DEFAULT}};
	return 1 + nested;
}

static inline unsigned random_actions(
	struct rng *r, struct rng *lengths, const struct tn_match *m, struct tn_action *list)
{
	unsigned n = 0;

	if (rng_below(r, 3) == 0) {
		enum tn_field_id id = rng_below(r, 2) ? TN_FIELD_ETH_DST : TN_FIELD_REG0;

		list[n++] = (struct tn_action){.type = TN_ACTION_SET_FIELD,
			.field = (uint8_t)id,
			.set = {.value = match_value(r, id), .mask = tn_field_ones(id)}};
	}
	if (rng_below(r, 4) == 0)
		list[n++] = (struct tn_action){
			.type = TN_ACTION_MOD_VLAN_VID, .vlan_vid = (uint16_t)rng_below(r, 3)};
	if (rng_below(r, 4) == 0 && tn_match_prereq_ok(m, TN_FIELD_IP_TTL))
		list[n++] = (struct tn_action){.type = TN_ACTION_DEC_TTL};
	if (rng_below(r, 2)) {
		list[n++] = (struct tn_action){.type = TN_ACTION_SET_FIELD,
			.field = TN_FIELD_TUNNEL_ID,
			.set = {.value = rng_below(r, 300), .mask = UINT64_MAX}};
		list[n++] = (struct tn_action){.type = TN_ACTION_SET_FIELD,
			.field = TN_FIELD_TUN_DST,
			.set = {.value = match_value(r, TN_FIELD_TUN_DST), .mask = ~(tn_u128)0}};
	}
	n += random_length(lengths, list + n);
	for (unsigned outputs = rng_below(r, 3); outputs; outputs--)
		list[n++] = (struct tn_action){.type = TN_ACTION_OUTPUT,
			.output = {.port = rng_below(r, 3) ? 1 + rng_below(r, N_PORTS + 1) : VXLAN,
				.reason = TN_REASON_DEFAULT}};
	if (rng_below(r, 12) == 0)
		list[n++] = (struct tn_action){.type = TN_ACTION_OUTPUT,
			.output = {.port = TN_PORT_CONTROLLER,
				.reason = TN_REASON_DEFAULT,
				.max_len = TN_CONTROLLER_MAX_LEN_WHOLE}};
	return n;
}

#endif
