/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's side of the switch: what the files of this room share that change it. decide() and
 * what belongs to it see only snapshot.h.
 *
 * Every change of flows, groups and meters is prepared as version + 1, written down in
 * tn_switch.changes, and then either published (tn_sw_commit_changes) or taken back in reverse
 * order (tn_sw_undo_changes). A step that can fail reserves what it needs before it changes
 * anything, so that neither publishing nor taking back can fail.
 *
 * Life of a removed object: marked with remove_version; after publishing it leaves the writer's
 * indexes and waits in `removed`; the next tn_switch_reclaim() takes it out of the lookup
 * structures, where readers of older versions no longer look, and moves it to `unlinked`; the one
 * after that frees it, because by then no reader can be standing on it. What one bundle both adds
 * and removes leaves the lookup structures after the message that removes it, so that a bundle
 * costs no more the more often it changes one thing.
 */
#ifndef TN_PIPELINE_SWITCH_PRIVATE_H
#define TN_PIPELINE_SWITCH_PRIVATE_H

#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/switch.h"

#define TN_SW_GROUPS_MAX  1000000u
#define TN_SW_BUCKETS_MAX 65536u /* of one group */
#define TN_SW_METERS_MAX  1000000u

#define TN_SW_SLOT_NONE UINT32_MAX
#define TN_SW_NS	1000000000ull

/* Flows by a time, earliest first; a binary heap. */
struct tn_sw_heap_entry {
	uint64_t due_ns; /* not later than the flow's true time, which packets move on */
	struct tn_flow *flow;
};

struct tn_sw_heap {
	struct tn_sw_heap_entry *v;
	uint32_t n, size;
	bool evict; /* order by importance first; places are kept in evict_slot */
};

bool tn_sw_heap_reserve(struct tn_sw_heap *h, size_t n);
void tn_sw_heap_push(struct tn_sw_heap *h, struct tn_flow *flow, uint64_t due_ns);
void tn_sw_heap_remove(struct tn_sw_heap *h, struct tn_flow *flow);
/*
 * The first flow if it is due by until_ns, else NULL. Times that turn out too early are raised on
 * the way.
 */
struct tn_flow *tn_sw_heap_first(struct tn_sw_heap *h, uint64_t until_ns);
void tn_sw_heap_free(struct tn_sw_heap *h);

/* One naming of a group or meter by a flow or group; part of who names it. */
struct tn_use {
	struct tn_use *next, **pprev;
	struct tn_users *of;
	void *user; /* struct tn_flow or tn_group */
};

enum tn_sw_user { TN_SW_USER_FLOW, TN_SW_USER_GROUP, TN_SW_N_USERS };

/* Everyone who names a group or meter; shared by its versions. */
struct tn_users {
	struct tn_use *head[TN_SW_N_USERS];
	uint32_t id; /* of the group or meter */
	uint32_t n;
	uint32_t refs;	 /* versions */
	uint32_t height; /* of the group in its chains, where walk is the walk under way */
	uint64_t walk;
};

struct tn_users *tn_sw_users_new(struct tn_switch *sw, uint32_t id);
void tn_sw_users_put(struct tn_switch *sw, struct tn_users *users);
/* Sorts and makes unique; returns how many are left. */
size_t tn_sw_users_unique(struct tn_users **of, size_t n);
void tn_sw_uses_link(struct tn_use *uses, size_t n, struct tn_users *const *of, void *user,
	enum tn_sw_user kind);
void tn_sw_uses_unlink(struct tn_use *uses, size_t n);
/* Prepares the removal of every flow that names it. */
int tn_sw_users_remove_flows(struct tn_switch *sw, const struct tn_users *users,
	enum tn_flow_removed_reason reason, uint64_t now_ns, struct tn_error *err);

struct tn_id_table *tn_sw_id_table_new(void);
/* Makes room for one more, in a new table if need be; false: no memory. */
bool tn_sw_id_table_reserve(struct tn_switch *sw, struct tn_id_table **table);
void tn_sw_id_table_insert(struct tn_id_table *t, struct tn_versioned *v);
void tn_sw_id_table_remove(struct tn_id_table *t, const struct tn_versioned *v);
/* The objects visible in version, sorted by id, in an array to free(); false: no memory. */
bool tn_sw_id_table_sorted(
	const struct tn_id_table *t, uint64_t version, struct tn_versioned ***v, size_t *n);
/* Empties the table, which nobody reads any more, into a list. */
void tn_sw_id_table_take_all(struct tn_id_table *t, struct tn_versioned **list);

#define TN_SW_SILENT 0xffu /* removed because another version replaces it: nobody is told */

enum tn_sw_object { TN_SW_FLOW, TN_SW_GROUP, TN_SW_METER };

struct tn_sw_change {
	uint8_t object; /* enum tn_sw_object */
	bool added;	/* else removed */
	uint8_t reason; /* removed flows: enum tn_flow_removed_reason or TN_SW_SILENT */
	uint64_t time_ns;
	void *p;
	const struct tn_meter_version *continues; /* added meter: takes over its counter */
};

/* What the writer knows of a flow table beside struct tn_flow_table. */
struct tn_sw_table {
	struct tn_table_config config;
	bool configured;
	bool vacancy_low;  /* the last vacancy event was "down" */
	uint32_t active;   /* flows, in the prepared version */
	size_t flow_bytes; /* of all versions of them */
	struct tn_sw_heap evict;
};

struct tn_sw_adverts {
	struct tn_sw_advert *v;
	size_t n, size;
	uint64_t next_ns; /* when the first is due; UINT64_MAX: none is */
	uint64_t seed;
};

struct tn_switch {
	uint64_t dpid;
	struct tn_snapshot *snapshot; /* atomic */
	struct tn_snapshot *spare;    /* to publish with; see tn_sw_reserve_snapshot */
	uint64_t version;	      /* published */
	uint32_t epoch[TN_EPOCH_CLASSES];
	struct tn_recent recent;
	struct tn_defer *defer;
	struct tn_fdb *fdb;
	struct tn_mcast *mcast;
	uint32_t changed_networks; /* classes, since the version that is published */
	tn_event_fn event_fn;
	void *event_ctx;
	bool hold;		 /* events of removed flows wait */
	struct tn_sw_held *held; /* oldest first */
	size_t n_held, held_size;
	uint64_t first_held; /* number of the oldest */
	tn_lost_fn lost_fn;
	void *lost_ctx;
	struct tn_sw_adverts adverts;
	bool replaying;
	uint64_t replay_used_ns;

	struct tn_flow_table tables[TN_N_TABLES];
	struct tn_sw_table state[TN_N_TABLES];
	uint32_t n_flows; /* in the prepared version */
	struct tn_flow **ids;
	uint32_t ids_mask, n_ids;
	struct tn_sw_heap timers; /* flows of the published version */
	uint32_t n_pending;	  /* flows with a timeout that were added since */

	struct tn_id_table *groups, *meters;
	uint32_t n_groups, n_meters; /* in the prepared version */
	uint64_t walk;
	struct tn_port_table *ports;

	/* Counters by id: the low half of an id is the slot + 1, the high half a serial number. */
	struct tn_stats **stats;
	uint32_t *free_stats; /* slots */
	uint32_t stats_size, n_free_stats, stats_serial;

	struct tn_sw_change *changes;
	size_t n_changes, changes_size;

	/* Waiting to be freed, see above. Linked by id_next, next and next. */
	struct tn_flow *removed_flows, *unlinked_flows;
	struct tn_versioned *removed_groups, *unlinked_groups;
	struct tn_versioned *removed_meters, *unlinked_meters;

	size_t bytes; /* of every object but the arrays */
};

static inline uint64_t tn_sw_next_version(const struct tn_switch *sw)
{
	return sw->version + 1;
}

static inline bool tn_sw_flow_visible(const struct tn_flow *flow, uint64_t version)
{
	return tn_visible(flow->cls.add_version, &flow->cls.remove_version, version);
}

static inline bool tn_sw_versioned_visible(const struct tn_versioned *v, uint64_t version)
{
	return tn_visible(v->add_version, &v->remove_version, version);
}

static inline uint64_t tn_sw_add_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Memory of objects, accounted in sw->bytes. Zeroed; NULL: no memory. */
void *tn_sw_alloc(struct tn_switch *sw, size_t size);
void tn_sw_free(struct tn_switch *sw, void *p);
size_t tn_sw_bytes_of(const void *p);

/* stats.c: counters by id. With one reference; NULL: no memory. */
struct tn_stats *tn_sw_stats_new(struct tn_switch *sw, uint64_t last_used_ns);
/* NULL is fine. */
void tn_sw_stats_put(struct tn_switch *sw, struct tn_stats *stats);

/* "out of memory" as a refusal; returns -ENOMEM. */
int tn_sw_no_memory(struct tn_error *err);

/* bundle.c */
bool tn_sw_reserve_change(struct tn_switch *sw);
void tn_sw_log_change(struct tn_switch *sw, const struct tn_sw_change *change);
/* Takes back the changes from position `from` on, newest first. */
void tn_sw_undo_changes(struct tn_switch *sw, size_t from);
/* Publishes all changes and tells of them. */
void tn_sw_commit_changes(struct tn_switch *sw, uint64_t now_ns);

/* switch.c. With what tn_sw_reserve_snapshot reserved, so it cannot fail. */
bool tn_sw_reserve_snapshot(struct tn_switch *sw);
void tn_sw_publish(struct tn_switch *sw);
/* Of networks of which something was learnt or forgotten since: to this version. */
void tn_sw_raise_network_epochs(struct tn_switch *sw);

/* events.c. What is not about a removed flow; now, or after those that wait. */
void tn_sw_emit(struct tn_switch *sw, const struct tn_event *event);
void tn_sw_emit_removed(
	struct tn_switch *sw, struct tn_flow *flow, uint8_t reason, uint64_t time_ns);
void tn_sw_free_events(struct tn_switch *sw);

/* read.c. Of the published version; NULL: none. */
struct tn_flow *tn_sw_flow_by_id(const struct tn_switch *sw, uint64_t flow_id);
/* The CIRCUIT that a flow applies; NULL: none. */
const struct tn_action *tn_sw_flow_circuit(const struct tn_flow *flow);
/* Is there a flow, the low bits of its id being so, that names the circuit? Of none: yes. */
bool tn_sw_circuit_is_there(
	const struct tn_switch *sw, const struct tn_circuit *circuit, uint32_t named_by);

/* advertise.c: before the flow is inserted; after a commit was published. */
bool tn_sw_adverts_reserve(struct tn_switch *sw, const struct tn_flow *flow);
void tn_sw_adverts_commit(struct tn_switch *sw, uint64_t now_ns);
void tn_sw_adverts_fini(struct tn_switch *sw);

/* flow_table.c: flows as objects. */

/* Which groups and meter a flow's instructions name; of[] is found by tn_sw_flow_refs(). */
struct tn_sw_flow_refs {
	size_t n;
	struct tn_users *of[2 * TN_ACTIONS_MAX + 1];
};

int tn_sw_flow_refs(struct tn_switch *sw, const struct tn_instructions *inst,
	struct tn_sw_flow_refs *refs, struct tn_error *err) TN_MUST_CHECK;
/* With the instructions and references filled in; all else is the caller's to set, stats too. */
struct tn_flow *tn_sw_flow_new(struct tn_switch *sw, const struct tn_instructions *inst,
	const struct tn_sw_flow_refs *refs);
/* New counters (NULL without memory, which tn_sw_flow_insert sees) or those of another version. */
void tn_sw_flow_stats_new(struct tn_switch *sw, struct tn_flow *flow, uint64_t last_used_ns);
void tn_sw_flow_stats_share(struct tn_flow *flow, const struct tn_flow *old);
void tn_sw_flow_free(struct tn_switch *sw, struct tn_flow *flow);
/* Prepares adding; takes the flow over, also when it fails. */
int tn_sw_flow_insert(struct tn_switch *sw, struct tn_flow *flow, const struct tn_match *match,
	const struct tn_sw_flow_refs *refs, struct tn_error *err) TN_MUST_CHECK;
/* Prepares removing. */
int tn_sw_flow_remove(struct tn_switch *sw, struct tn_flow *flow, uint8_t reason, uint64_t time_ns,
	struct tn_error *err) TN_MUST_CHECK;
/* The three *_drop: added and removed by one bundle, so never seen by a packet. */
void tn_sw_flow_drop(struct tn_switch *sw, struct tn_flow *flow);
void tn_sw_flow_undo(struct tn_switch *sw, const struct tn_sw_change *change);
void tn_sw_flow_publish(struct tn_switch *sw, const struct tn_sw_change *change);
/* Offers the flow for eviction if table and flow are such; room was reserved. */
void tn_sw_flow_offer(struct tn_sw_table *state, struct tn_flow *flow);
/* When it times out if no packet comes; UINT64_MAX: never. *reason may be NULL. */
uint64_t tn_sw_flow_due(const struct tn_flow *flow, enum tn_flow_removed_reason *reason);

/* A list of flows in the order in which they are shown and removed. */
struct tn_sw_flow_ref {
	uint64_t order, flow_id; /* order: table, priority from high to low */
	struct tn_flow *flow;
};

struct tn_sw_flow_list {
	struct tn_sw_flow_ref *v;
	size_t n, size;
	bool no_memory;
};

void tn_sw_flow_list_add(struct tn_sw_flow_list *list, struct tn_flow *flow);
void tn_sw_flow_list_sort(struct tn_sw_flow_list *list);
void tn_sw_flow_list_free(struct tn_sw_flow_list *list);
/* What a MODIFY or DELETE of this form is about, in a version; sorted. */
int tn_sw_flow_select(const struct tn_switch *sw, const struct tn_flow_mod *fm, bool strict,
	bool outputs, uint64_t version, struct tn_sw_flow_list *list) TN_MUST_CHECK;

/* The three kinds of message: prepare all of it or refuse; a refused one may be half prepared. */
int tn_sw_flow_mod(struct tn_switch *sw, const struct tn_flow_mod *fm, uint64_t now_ns,
	struct tn_error *err) TN_MUST_CHECK;
int tn_sw_group_mod(struct tn_switch *sw, const struct tn_group_mod *gm, uint64_t now_ns,
	struct tn_error *err) TN_MUST_CHECK;
int tn_sw_meter_mod(struct tn_switch *sw, const struct tn_meter_mod *mm, uint64_t now_ns,
	struct tn_error *err) TN_MUST_CHECK;

/* The prepared version's. */
struct tn_group *tn_sw_group(const struct tn_switch *sw, uint32_t group_id);
struct tn_meter_version *tn_sw_meter(const struct tn_switch *sw, uint32_t meter_id);

static inline struct tn_use *tn_sw_group_uses(struct tn_group *group)
{
	return (struct tn_use *)(void *)(group + 1);
}

/* The request by itself, and against the buckets that the group has already. */
int tn_sw_group_check(const struct tn_group_mod *gm, const struct tn_group *old,
	struct tn_error *err) TN_MUST_CHECK;
/* Loops and depth, were the group (users NULL: a new one) to name these. */
int tn_sw_group_check_chain(struct tn_switch *sw, uint32_t group_id, struct tn_users *users,
	struct tn_users *const *names, size_t n, struct tn_error *err) TN_MUST_CHECK;
void tn_sw_group_drop(struct tn_switch *sw, struct tn_group *group);
void tn_sw_group_undo(struct tn_switch *sw, const struct tn_sw_change *change);
void tn_sw_group_publish(struct tn_switch *sw, const struct tn_sw_change *change);
void tn_sw_group_free(struct tn_switch *sw, struct tn_group *group);
void tn_sw_meter_drop(struct tn_switch *sw, struct tn_meter_version *m);
void tn_sw_meter_undo(struct tn_switch *sw, const struct tn_sw_change *change);
void tn_sw_meter_publish(struct tn_switch *sw, const struct tn_sw_change *change);
void tn_sw_meter_free(struct tn_switch *sw, struct tn_meter_version *m);

#endif
