/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What decide() reads: the pipeline's data as the writer publishes it. Private to this room.
 *
 * Versions: the writer prepares a bundle by adding new objects with add_version N + 1 and marking
 * old ones with remove_version N + 1; readers, who hold a snapshot of version N, do not see either.
 * Publishing is one store of a new snapshot pointer. Undoing is marking back: nothing was visible.
 * MODIFY is a new object that shares its predecessor's statistics.
 */
#ifndef TN_PIPELINE_SNAPSHOT_H
#define TN_PIPELINE_SNAPSHOT_H

#include "dataplane/core/info.h"
#include "dataplane/core/meter.h"
#include "dataplane/core/mods.h"
#include "dataplane/table/classifier.h"
#include "dataplane/table/fdb.h"
#include "dataplane/table/mcast.h"

/* Who names a group or meter; the writer's, see switch_private.h. */
struct tn_users;

/*
 * Counters of a flow, group or bucket, shared by its versions. Written by whoever executes programs
 * or, where engines report by id, by the writer.
 */
struct tn_stats {
	struct tn_counter counter;
	uint64_t last_used_ns; /* flows: their creation until a packet comes */
	uint64_t id;	       /* never that of another one, unlike flow ids */
	uint32_t refs;	       /* writer only */
};

struct tn_flow {
	struct tn_cls_rule cls; /* first: lookup results are cast back; priority is in it */
	uint64_t flow_id;
	struct tn_stats *stats;
	uint64_t stats_id; /* of stats: decisions need not touch it */
	uint16_t flags;
	uint8_t table_id;
	/* What it does. Lists point into the flow's own memory; immutable. */
	uint8_t goto_table; /* TN_GOTO_NONE */
	uint32_t meter_id;  /* 0: none */
	uint16_t n_apply, n_write;
	bool clear_actions;
	const struct tn_action *apply, *write;
	uint64_t metadata, metadata_mask;
	/* What decisions do not read. */
	uint64_t cookie;
	uint64_t created_ns;
	uint32_t owner;
	uint16_t idle_timeout, hard_timeout, importance;
	/* Writer's bookkeeping. */
	struct tn_flow *id_next; /* flows by id; once removed, flows that wait to be freed */
	uint32_t timer_slot;	 /* place in the expiry heap, UINT32_MAX: none */
	uint32_t evict_slot;	 /* place in the table's eviction heap, UINT32_MAX: none */
	uint16_t n_uses;	 /* groups and meter it names: struct tn_use after the lists */
	bool held;		 /* removed, and an event that waits tells of it */
	bool dropped;		 /* added and removed by the bundle under way */
};

TN_BUILD_ASSERT(offsetof(struct tn_flow, cookie) <= 128, "a decision reads 128 bytes of a flow");

struct tn_group_bucket {
	uint32_t bucket_id;
	uint16_t weight;
	uint16_t n_actions;
	uint32_t watch_port, watch_group;
	const struct tn_action *actions;
	struct tn_stats *stats; /* shared by versions of the group while the bucket stays */
};

/* What an id table holds: one version of a group or meter. */
struct tn_versioned {
	uint64_t add_version;
	uint64_t remove_version; /* atomic; TN_VERSION_NEVER while not removed */
	uint32_t id;
	uint32_t n_uses;	   /* writer only: groups that it names */
	struct tn_versioned *next; /* writer only: removed, waits to be freed */
	bool dropped;		   /* writer only: added and removed by the bundle under way */
};

/* One version of a group. Immutable but for remove_version and what is the writer's. */
struct tn_group {
	struct tn_versioned v; /* first */
	enum tn_group_type type;
	enum tn_selection_method selection;
	uint64_t hash_fields, selection_param;
	uint32_t owner, annotation;
	uint64_t created_ns;
	struct tn_stats *stats;
	struct tn_users *users; /* writer only */
	uint32_t total_weight;	/* SELECT: sum of bucket weights */
	uint32_t n_buckets;
	struct tn_group_bucket *buckets;
};

struct tn_meter_version {
	struct tn_versioned v;	/* first */
	struct tn_users *users; /* writer only */
	struct tn_meter *meter; /* its state is written by whoever executes programs */
};

struct tn_flow_table {
	struct tn_classifier *cls; /* NULL: never had a flow */
	uint64_t lookups, matches; /* written by whoever executes programs */
};

/* Sorted by number; immutable. */
struct tn_port_table {
	uint32_t n;
	struct tn_port_config_data ports[];
};

/*
 * Groups or meters by id: open addressing with linear probing, never more than half full. Slots are
 * read and written atomically; a table that grows is replaced whole.
 */
struct tn_id_table {
	uint32_t mask;	 /* slots - 1; a power of two */
	uint32_t n_used; /* writer only: slots that are or were taken */
	uint32_t n_live; /* writer only: slots that are taken */
	struct tn_versioned *slots[];
};

/*
 * Epochs: when something a decision may have read last changed, by class. Tables share 40 classes,
 * what was learnt in networks has one for each class of those; ports, groups and meters have one.
 */
#define TN_EPOCH_CLASSES  64u
#define TN_EPOCH_NETWORKS 40u /* the first of TN_NETWORK_CLASSES */
#define TN_EPOCH_SHARED	  63u

TN_BUILD_ASSERT(TN_EPOCH_NETWORKS + TN_NETWORK_CLASSES == TN_EPOCH_SHARED, "one class each");

static inline unsigned tn_epoch_class(unsigned table_id)
{
	return table_id % TN_EPOCH_NETWORKS;
}

/*
 * Which flows came and went in the latest versions: who keeps decisions can tell those that a
 * change cannot concern, though their table's epoch was raised. Every version after `since` that
 * changed flows has all of its changes here, oldest first; a bundle of more than fit is in the
 * epochs alone.
 */
#define TN_RECENT_MAX 16u

struct tn_recent_change {
	uint32_t version; /* low 32 bits */
	uint8_t table_id;
	struct tn_match match;
};

struct tn_recent {
	uint64_t since;
	uint32_t n;
	struct tn_recent_change change[TN_RECENT_MAX];
};

struct tn_snapshot {
	uint64_t version;
	uint32_t epoch[TN_EPOCH_CLASSES]; /* low 32 bits of the version */
	uint64_t dpid;
	struct tn_flow_table *tables; /* TN_N_TABLES of them */
	const struct tn_port_table *ports;
	const struct tn_id_table *groups;
	const struct tn_id_table *meters;
	const struct tn_fdb *fdb;
	const struct tn_mcast *mcast;
	struct tn_recent recent;
};

static inline uint32_t tn_id_hash(uint32_t id)
{
	return (uint32_t)((id * 0x9e3779b97f4a7c15ull) >> 32);
}

static inline bool tn_visible(
	uint64_t add_version, const uint64_t *remove_version, uint64_t version)
{
	return add_version <= version &&
		version < __atomic_load_n(remove_version, __ATOMIC_RELAXED);
}

/* The object with this id that is visible in version, or NULL. Lock-free. */
struct tn_versioned *tn_id_table_lookup(const struct tn_id_table *t, uint32_t id, uint64_t version);

/* By id in a version; NULL: none. Lock-free. */
const struct tn_group *tn_snapshot_group(const struct tn_snapshot *s, uint32_t group_id);
struct tn_meter *tn_snapshot_meter(const struct tn_snapshot *s, uint32_t meter_id);
const struct tn_port_config_data *tn_snapshot_port(const struct tn_snapshot *s, uint32_t number);

/* Fills *info of a flow (the match expanded). */
void tn_flow_describe(const struct tn_flow *flow, struct tn_flow_info *info);

#endif
