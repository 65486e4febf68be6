/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/walk.h"

static bool port_live(const struct tn_snapshot *s, uint32_t number)
{
	const struct tn_port_config_data *port = tn_snapshot_port(s, number);

	return port && !(port->config & TN_PORT_CONFIG_DOWN) &&
		!(port->state & (TN_PORT_STATE_LINK_DOWN | TN_PORT_STATE_BLOCKED));
}

static bool group_live(const struct tn_snapshot *s, uint32_t group_id, unsigned depth)
{
	const struct tn_group *group = tn_snapshot_group(s, group_id);

	if (!group || depth >= TN_GROUP_DEPTH_MAX)
		return false;
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		if (tn_decide_bucket_live(s, &group->buckets[i], depth + 1))
			return true;
	}
	return false;
}

/* A bucket that watches nothing is live; one that watches both needs either (OpenFlow 1.5, 6.7). */
bool tn_decide_bucket_live(
	const struct tn_snapshot *s, const struct tn_group_bucket *bucket, unsigned depth)
{
	if (bucket->watch_port == TN_PORT_ANY && bucket->watch_group == TN_GROUP_ANY)
		return true;
	if (bucket->watch_port != TN_PORT_ANY && port_live(s, bucket->watch_port))
		return true;
	return bucket->watch_group != TN_GROUP_ANY && group_live(s, bucket->watch_group, depth);
}

/* The default of selection: the connection, one direction. */
#define SELECT_FIELDS_L2                                                     \
	(UINT64_C(1) << TN_FIELD_ETH_DST | UINT64_C(1) << TN_FIELD_ETH_SRC | \
		UINT64_C(1) << TN_FIELD_ETH_TYPE | UINT64_C(1) << TN_FIELD_VLAN_VID)
#define SELECT_FIELDS_IP                                                              \
	(UINT64_C(1) << TN_FIELD_IP_PROTO | UINT64_C(1) << TN_FIELD_IPV4_SRC |        \
		UINT64_C(1) << TN_FIELD_IPV4_DST | UINT64_C(1) << TN_FIELD_IPV6_SRC | \
		UINT64_C(1) << TN_FIELD_IPV6_DST | UINT64_C(1) << TN_FIELD_TCP_SRC |  \
		UINT64_C(1) << TN_FIELD_TCP_DST)

/*
 * Every fragment of a datagram must take the bucket of the first one, so ports count only for
 * packets that are not fragments.
 */
static uint64_t select_fields(const struct tn_walk *w, const struct tn_group *group)
{
	uint64_t fields = group->hash_fields;

	if (!fields)
		fields = SELECT_FIELDS_L2 | SELECT_FIELDS_IP;
	if (w->b.key.ip_frag) {
		fields &= ~(UINT64_C(1) << TN_FIELD_TCP_SRC | UINT64_C(1) << TN_FIELD_TCP_DST |
			UINT64_C(1) << TN_FIELD_UDP_SRC | UINT64_C(1) << TN_FIELD_UDP_DST |
			UINT64_C(1) << TN_FIELD_SCTP_SRC | UINT64_C(1) << TN_FIELD_SCTP_DST);
	}
	return fields;
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

static uint64_t select_hash(struct tn_walk *w, const struct tn_group *group)
{
	uint64_t fields = select_fields(w, group);
	uint64_t hash = mix(group->selection_param + UINT64_C(0x9e3779b97f4a7c15));

	tn_decide_read_fields(w, fields | UINT64_C(1) << TN_FIELD_IP_FRAG);
	for (uint64_t left = fields; left; left &= left - 1) {
		enum tn_field_id id = (enum tn_field_id)__builtin_ctzll(left);
		tn_u128 v = tn_field_get(&w->b.key, id);

		/* Storage is shared by protocols, so a field the packet lacks is not looked at,
		 * except the default's L4 ports, which stand for those of any protocol. */
		if (group->hash_fields && !tn_field_present(&w->b.key, id))
			continue;
		hash = mix(hash ^ (uint64_t)v);
		hash = mix(hash ^ (uint64_t)(v >> 64) ^ (uint64_t)id << 56);
	}
	return hash;
}

/* -log2((u + 1) / 2^32) in units of 2^-24; integers, so the same on every machine. u < 2^32. */
static uint64_t minus_log2(uint32_t u)
{
	uint64_t x = (uint64_t)u + 1;
	int top = 63 - __builtin_clzll(x);
	uint64_t mantissa = x << (32 - top); /* 1.0 = 2^32 */
	uint64_t log = 0;

	for (int bit = 23; bit >= 0; bit--) {
		mantissa = (uint64_t)((tn_u128)mantissa * mantissa >> 32);
		if (mantissa >> 33) {
			mantissa >>= 1;
			log |= UINT64_C(1) << bit;
		}
	}
	return (UINT64_C(32) << 24) - ((uint64_t)top << 24 | log);
}

/*
 * Weighted rendezvous hashing: each live bucket draws u from the flow and its own id, and the
 * largest weight / -log2(u) wins. Shares are in proportion to the weights, and a bucket that comes
 * or goes moves only the flows that it gains or loses.
 */
const struct tn_group_bucket *tn_decide_select(struct tn_walk *w, const struct tn_group *group)
{
	const struct tn_group_bucket *best = NULL;
	uint64_t best_cost = 1;
	uint64_t hash = select_hash(w, group);

	for (uint32_t i = 0; i < group->n_buckets; i++) {
		const struct tn_group_bucket *b = &group->buckets[i];
		uint64_t cost;

		if (!b->weight || !tn_decide_bucket_live(w->s, b, 0))
			continue;
		cost = minus_log2((uint32_t)(mix(hash ^ (b->bucket_id + 1)) >> 32));
		/* weight / cost > best->weight / best_cost; products stay below 2^46 */
		if (!best || b->weight * best_cost > best->weight * cost) {
			best = b;
			best_cost = cost;
		}
	}
	return best;
}

static const struct tn_group_bucket *first_live(
	const struct tn_walk *w, const struct tn_group *group)
{
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		if (tn_decide_bucket_live(w->s, &group->buckets[i], 0))
			return &group->buckets[i];
	}
	return NULL;
}

static void count_group(struct tn_walk *w, struct tn_stats *stats)
{
	struct tn_op *op = tn_decide_emit(w, TN_OP_COUNT);

	if (!op)
		return;
	op->count.counter = &stats->counter;
	op->count.id = stats->id;
}

/* Each bucket is an action set on a copy of the packet as it is now. */
static void walk_bucket(struct tn_walk *w, const struct tn_group *group,
	const struct tn_group_bucket *bucket, unsigned depth)
{
	uint8_t reason = w->reason;
	struct tn_action_set set;
	struct tn_clone clone;

	if (w->trace && w->trace->group)
		w->trace->group(w->trace->ctx, group->v.id, bucket->bucket_id);
	tn_decide_clone_begin(w, &clone);
	count_group(w, bucket->stats);
	tn_action_set_clear(&set);
	tn_action_set_write(&set, bucket->actions, bucket->n_actions, w->flow);
	w->reason = TN_PACKET_IN_GROUP;
	tn_decide_action_set(w, &set, depth);
	w->reason = reason;
	tn_decide_branch_end(w);
	tn_decide_clone_end(w, &clone);
}

void tn_decide_group(struct tn_walk *w, uint32_t group_id, unsigned depth)
{
	const struct tn_group *group = tn_snapshot_group(w->s, group_id);
	const struct tn_group_bucket *one = NULL;

	if (!group || !group->n_buckets) {
		tn_decide_drop_copy(w, TN_DROP_GROUP_EMPTY);
		return;
	}
	if (depth >= TN_GROUP_DEPTH_MAX) {
		tn_decide_drop_copy(w, TN_DROP_PROGRAM_TOO_LONG);
		return;
	}
	count_group(w, group->stats);
	switch (group->type) {
	case TN_GROUP_TYPE_ALL:
		for (uint32_t i = 0; i < group->n_buckets && !w->stopped; i++)
			walk_bucket(w, group, &group->buckets[i], depth + 1);
		return;
	case TN_GROUP_TYPE_SELECT:
		one = tn_decide_select(w, group);
		break;
	case TN_GROUP_TYPE_INDIRECT:
		one = &group->buckets[0];
		break;
	case TN_GROUP_TYPE_FF:
		one = first_live(w, group);
		break;
	}
	if (one)
		walk_bucket(w, group, one, depth + 1);
	else
		tn_decide_drop_copy(w, TN_DROP_GROUP_NO_LIVE);
}
