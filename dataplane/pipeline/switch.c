/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch.h"

#include "dataplane/core/snoop.h"
#include "dataplane/pipeline/switch_private.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define MALLOC_HEAD 8u /* what the allocator keeps beside each block */

size_t tn_sw_bytes_of(const void *p)
{
	union {
		const void *in;
		void *out;
	} u = {p};

	return p ? malloc_usable_size(u.out) + MALLOC_HEAD : 0;
}

void *tn_sw_alloc(struct tn_switch *sw, size_t size)
{
	void *p = calloc(1, size);

	sw->bytes += tn_sw_bytes_of(p);
	return p;
}

void tn_sw_free(struct tn_switch *sw, void *p)
{
	sw->bytes -= tn_sw_bytes_of(p);
	free(p);
}

int tn_sw_no_memory(struct tn_error *err)
{
	tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1,
		"out of memory: nothing was changed; free memory and try again");
	return -ENOMEM;
}

bool tn_sw_reserve_snapshot(struct tn_switch *sw)
{
	if (!sw->spare)
		sw->spare = malloc(sizeof(*sw->spare));
	return sw->spare;
}

void tn_sw_publish(struct tn_switch *sw)
{
	struct tn_snapshot *old = sw->snapshot, *s = sw->spare;

	s->version = sw->version;
	s->dpid = sw->dpid;
	s->tables = sw->tables;
	s->ports = sw->ports;
	s->groups = sw->groups;
	s->meters = sw->meters;
	s->fdb = sw->fdb;
	s->mcast = sw->mcast;
	memcpy(s->epoch, sw->epoch, sizeof(s->epoch));
	s->recent.since = sw->recent.since;
	s->recent.n = sw->recent.n;
	memcpy(s->recent.change, sw->recent.change, s->recent.n * sizeof(s->recent.change[0]));
	sw->spare = NULL;
	__atomic_store_n(&sw->snapshot, s, __ATOMIC_RELEASE);
	if (old)
		tn_defer_add(sw->defer, old, free);
}

int tn_switch_touch(struct tn_switch *sw, struct tn_error *err)
{
	if (!tn_sw_reserve_snapshot(sw))
		return tn_sw_no_memory(err);
	sw->epoch[TN_EPOCH_SHARED] = (uint32_t)++sw->version;
	tn_sw_publish(sw);
	return 0;
}

const struct tn_snapshot *tn_switch_snapshot(const struct tn_switch *sw)
{
	return __atomic_load_n(&sw->snapshot, __ATOMIC_ACQUIRE);
}

struct tn_switch *tn_switch_new(uint64_t dpid)
{
	/* NORMAL's one network may have as many as all others. */
	static const struct tn_fdb_config fdb_config = {
		.max_entries = 65536,
		.max_per_network = 8192,
		.age_ns = 300 * TN_SW_NS,
	};
	static const struct tn_mcast_config mcast_config = {0};
	struct tn_switch *sw = calloc(1, sizeof(*sw));

	if (!sw)
		return NULL;
	sw->dpid = dpid;
	sw->adverts.next_ns = UINT64_MAX;
	sw->first_held = 1;
	for (unsigned t = 0; t < TN_N_TABLES; t++) {
		sw->state[t].config.max_entries = TN_TABLE_ENTRIES_DEFAULT;
		sw->state[t].evict.evict = true;
	}
	sw->defer = tn_defer_new();
	if (sw->defer) {
		sw->fdb = tn_fdb_new(&fdb_config);
		sw->mcast = tn_mcast_new(&mcast_config, sw->defer);
	}
	sw->ports = calloc(1, sizeof(*sw->ports));
	sw->groups = tn_sw_id_table_new();
	sw->meters = tn_sw_id_table_new();
	if (!sw->fdb || !sw->mcast || !sw->ports || !sw->groups || !sw->meters ||
		!tn_sw_reserve_snapshot(sw)) {
		tn_switch_free(sw);
		return NULL;
	}
	tn_sw_publish(sw);
	return sw;
}

uint64_t tn_switch_dpid(const struct tn_switch *sw)
{
	return sw->dpid;
}

static void free_flows(struct tn_switch *sw, struct tn_flow **list)
{
	struct tn_flow *flow = *list, *next;

	for (*list = NULL; flow; flow = next) {
		next = flow->id_next;
		tn_sw_flow_free(sw, flow);
	}
}

static void free_groups(struct tn_switch *sw, struct tn_versioned **list)
{
	struct tn_versioned *v = *list, *next;

	for (*list = NULL; v; v = next) {
		next = v->next;
		tn_sw_group_free(sw, (struct tn_group *)(void *)v);
	}
}

static void free_meters(struct tn_switch *sw, struct tn_versioned **list)
{
	struct tn_versioned *v = *list, *next;

	for (*list = NULL; v; v = next) {
		next = v->next;
		tn_sw_meter_free(sw, (struct tn_meter_version *)(void *)v);
	}
}

/* But for those that an event still tells of. */
static void free_unlinked_flows(struct tn_switch *sw)
{
	struct tn_flow *flow = sw->unlinked_flows, *next;

	for (sw->unlinked_flows = NULL; flow; flow = next) {
		next = flow->id_next;
		if (flow->held) {
			flow->id_next = sw->unlinked_flows;
			sw->unlinked_flows = flow;
		} else {
			tn_sw_flow_free(sw, flow);
		}
	}
}

static void free_unlinked(struct tn_switch *sw)
{
	free_unlinked_flows(sw);
	free_groups(sw, &sw->unlinked_groups);
	free_meters(sw, &sw->unlinked_meters);
}

static void unlink_versioned(
	struct tn_id_table *t, struct tn_versioned **from, struct tn_versioned **to)
{
	while (*from) {
		struct tn_versioned *v = *from;

		*from = v->next;
		tn_sw_id_table_remove(t, v);
		v->next = *to;
		*to = v;
	}
}

/* What is to be told of a flow includes its match, which it has as long as it is linked. */
static void unlink_flows(struct tn_switch *sw)
{
	struct tn_flow **link = &sw->removed_flows;

	while (*link) {
		struct tn_flow *flow = *link;

		if (flow->held) {
			link = &flow->id_next;
			continue;
		}
		*link = flow->id_next;
		tn_classifier_remove(sw->tables[flow->table_id].cls, &flow->cls);
		flow->id_next = sw->unlinked_flows;
		sw->unlinked_flows = flow;
	}
}

void tn_switch_reclaim(struct tn_switch *sw)
{
	free_unlinked(sw);
	tn_defer_run(sw->defer);
	unlink_flows(sw);
	unlink_versioned(sw->groups, &sw->removed_groups, &sw->unlinked_groups);
	unlink_versioned(sw->meters, &sw->removed_meters, &sw->unlinked_meters);
}

void tn_switch_learn(struct tn_switch *sw, const struct tn_learnt *learnt, uint64_t now_ns)
{
	const struct tn_place place = {
		.port = learnt->in_port, .circuit = learnt->circuit, .tunnel = learnt->tunnel};

	if (!tn_sw_circuit_is_there(sw, &learnt->circuit, learnt->circuit_flow))
		return;
	(void)tn_fdb_learn(
		sw->fdb, learnt->mac, learnt->network, &place, learnt->limit, learnt->late, now_ns);
}

void tn_switch_snoop(struct tn_switch *sw, const struct tn_snooped *s, uint64_t now_ns)
{
	const struct tn_place place = {
		.port = s->in_port, .circuit = s->circuit, .tunnel = s->tunnel};

	if (!tn_sw_circuit_is_there(sw, &s->circuit, s->circuit_flow))
		return;
	switch ((enum tn_snooped_kind)s->kind) {
	case TN_SNOOPED_JOIN:
		tn_mcast_join(sw->mcast, s->network, s->group, &place, s->host, now_ns);
		break;
	case TN_SNOOPED_LEAVE:
		tn_mcast_leave(sw->mcast, s->network, s->group, &place, s->host, now_ns);
		break;
	case TN_SNOOPED_ROUTER:
		tn_mcast_router(sw->mcast, s->network, &place, s->host, now_ns);
		break;
	}
}

static bool take_network_changes(struct tn_switch *sw)
{
	sw->changed_networks |= tn_fdb_take_changes(sw->fdb) | tn_mcast_take_changes(sw->mcast);
	return sw->changed_networks != 0;
}

void tn_sw_raise_network_epochs(struct tn_switch *sw)
{
	(void)take_network_changes(sw);
	for (uint32_t left = sw->changed_networks; left; left &= left - 1)
		sw->epoch[TN_EPOCH_NETWORKS + (unsigned)__builtin_ctz(left)] =
			(uint32_t)sw->version;
	sw->changed_networks = 0;
}

int tn_switch_publish_addresses(struct tn_switch *sw)
{
	if (!take_network_changes(sw))
		return 0;
	if (!tn_sw_reserve_snapshot(sw))
		return -ENOMEM;
	sw->version++;
	tn_sw_raise_network_epochs(sw);
	tn_sw_publish(sw);
	return 1;
}

void tn_switch_learning_stats(const struct tn_switch *sw, struct tn_learning_stats *stats)
{
	struct tn_fdb_stats fdb;
	struct tn_mcast_stats mcast;

	tn_fdb_stats(sw->fdb, &fdb);
	tn_mcast_stats(sw->mcast, &mcast);
	*stats = (struct tn_learning_stats){
		.addresses = fdb.entries,
		.networks = fdb.networks,
		.learnt = fdb.learnt,
		.moved = fdb.moved,
		.aged = fdb.aged,
		.evicted = fdb.evicted,
		.held = fdb.held,
		.refused = fdb.refused,
		.groups = mcast.groups,
		.members = mcast.members,
		.joined = mcast.joined,
		.left = mcast.left,
		.forgotten = mcast.aged,
		.members_refused = mcast.refused,
	};
}

static void free_id_tables(struct tn_switch *sw)
{
	/* Removed ones are still in their tables. */
	sw->removed_groups = sw->removed_meters = NULL;
	if (sw->groups)
		tn_sw_id_table_take_all(sw->groups, &sw->unlinked_groups);
	if (sw->meters)
		tn_sw_id_table_take_all(sw->meters, &sw->unlinked_meters);
	free_unlinked(sw);
	free(sw->groups);
	free(sw->meters);
}

void tn_switch_free(struct tn_switch *sw)
{
	if (!sw)
		return;
	/* Classifiers first: they look at the rules, which the flows hold. */
	for (unsigned t = 0; t < TN_N_TABLES; t++) {
		if (sw->tables[t].cls)
			tn_classifier_free(sw->tables[t].cls);
		tn_sw_heap_free(&sw->state[t].evict);
	}
	for (uint32_t i = 0; sw->ids && i <= sw->ids_mask; i++)
		free_flows(sw, &sw->ids[i]);
	free_flows(sw, &sw->removed_flows);
	free_flows(sw, &sw->unlinked_flows);
	tn_sw_free_events(sw);
	free_id_tables(sw);
	free(sw->ids);
	free(sw->changes);
	free(sw->stats);
	free(sw->free_stats);
	free(sw->spare);
	free(sw->snapshot);
	free(sw->ports);
	tn_sw_adverts_fini(sw);
	tn_sw_heap_free(&sw->timers);
	if (sw->fdb)
		tn_fdb_free(sw->fdb);
	tn_mcast_free(sw->mcast);
	if (sw->defer)
		tn_defer_free(sw->defer);
	free(sw);
}
