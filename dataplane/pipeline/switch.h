/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The OpenFlow 1.5 logical switch: flow tables, groups, meters, ports, and the bundles that change
 * them.
 *
 * Threads: one writer calls everything here that takes a struct tn_switch. Readers take a snapshot
 * (tn_switch_snapshot) and call decide() on it; a packet sees one version wholly. Memory that a
 * commit made unreachable is freed by tn_switch_reclaim() once no reader can hold it.
 *
 * Time is an argument everywhere: nanoseconds, any origin, monotonic by the caller's promise.
 */
#ifndef TN_PIPELINE_SWITCH_H
#define TN_PIPELINE_SWITCH_H

#include "dataplane/core/info.h"
#include "dataplane/core/meter.h"
#include "dataplane/core/mods.h"
#include "dataplane/core/program.h"
#include "dataplane/core/types.h"

struct tn_switch;
struct tn_snapshot;

enum tn_event_kind {
	TN_EVENT_FLOW_REMOVED,
	TN_EVENT_PORT_STATUS,
	TN_EVENT_TABLE_STATUS, /* vacancy */
};

struct tn_event {
	enum tn_event_kind kind;
	uint64_t time_ns;
	enum tn_flow_removed_reason removed_reason;
	const struct tn_flow_info *flow;
	enum tn_port_status_reason port_reason;
	const struct tn_port_config_data *port;
	uint8_t table_id;
	bool vacancy_up;
};

typedef void (*tn_event_fn)(void *ctx, const struct tn_event *event);

struct tn_switch *tn_switch_new(uint64_t dpid);
void tn_switch_free(struct tn_switch *sw);
uint64_t tn_switch_dpid(const struct tn_switch *sw);

/*
 * Events of commits and expiry, called from within them, in order, once all is published; see
 * tn_switch_hold_events(). fn may read the switch but not change it.
 */
void tn_switch_set_event_fn(struct tn_switch *sw, tn_event_fn fn, void *ctx);

/*
 * Where an engine tells its counts later than it forwards (tn_switch_count), events of removed
 * flows wait for them: while held, such an event and every one after it is kept, in order, until
 * tn_switch_release_events() calls fn for it, with the counts that the flow has then. One that
 * finds no memory to be kept in goes out at once, after all before it. No longer holding releases
 * all.
 */
void tn_switch_hold_events(struct tn_switch *sw, bool hold);
/* Number of the newest event that waits, higher than any before; 0: none waits. */
uint64_t tn_switch_held_events(const struct tn_switch *sw);
void tn_switch_release_events(struct tn_switch *sw, uint64_t up_to);

/*
 * Flows that go though no mod says so: timed out or evicted, with or without SEND_FLOW_REM; called
 * as events are. Who keeps the mods to make them again one day keeps these ids beside them.
 */
typedef void (*tn_lost_fn)(void *ctx, uint64_t flow_id);
void tn_switch_set_lost_fn(struct tn_switch *sw, tn_lost_fn fn, void *ctx);

/*
 * Making again what a switch accepted once, each commit with its time of then. Limits of tables,
 * eviction and overlaps, which depended on then, are not looked at: what was evicted is told by
 * tn_switch_lose(). Flows count as used at used_ns.
 */
void tn_switch_replay_begin(struct tn_switch *sw, uint64_t used_ns);
void tn_switch_replay_end(struct tn_switch *sw);
/* Removes flows by id, those that are there, and tells nobody. -ENOMEM: none is removed. */
int tn_switch_lose(struct tn_switch *sw, const uint64_t *flow_ids, size_t n, uint64_t now_ns,
	struct tn_error *err) TN_MUST_CHECK;

/* Ports. -EEXIST, -ENOENT, -EINVAL (number), with err. A removed port leaves its flows. */
int tn_switch_port_add(struct tn_switch *sw, const struct tn_port_config_data *port,
	uint64_t now_ns, struct tn_error *err) TN_MUST_CHECK;
int tn_switch_port_modify(struct tn_switch *sw, const struct tn_port_config_data *port,
	uint64_t now_ns, struct tn_error *err) TN_MUST_CHECK;
int tn_switch_port_remove(
	struct tn_switch *sw, uint32_t number, uint64_t now_ns, struct tn_error *err) TN_MUST_CHECK;

/* table_id TN_TABLE_ALL: every table. Vacancy events begin anew. Flows over the limit stay. */
int tn_switch_table_configure(struct tn_switch *sw, uint8_t table_id,
	const struct tn_table_config *config, struct tn_error *err) TN_MUST_CHECK;

/*
 * A bundle: all of it or nothing, in order; every packet sees the switch before or after it, never
 * between. On refusal returns -EINVAL (no memory: -ENOMEM), *failed is the position of the message
 * and err says why; the switch is as before. n = 1 is a single mod. To collect every error of a
 * document, use tn_switch_check_all().
 */
int tn_switch_commit(struct tn_switch *sw, const struct tn_mod *mods, size_t n, uint64_t now_ns,
	size_t *failed, struct tn_error *err) TN_MUST_CHECK;

/*
 * What tn_switch_commit would say, message after message: `refused` (may be NULL) is called for
 * each one that fails, the ones after it are checked as if it had not been in the bundle. Changes
 * nothing. Returns the number of refusals.
 */
typedef void (*tn_refused_fn)(void *ctx, size_t position, const struct tn_error *err);
size_t tn_switch_check_all(struct tn_switch *sw, const struct tn_mod *mods, size_t n,
	uint64_t now_ns, tn_refused_fn refused, void *ctx);

/*
 * Removes the flows whose idle or hard timeout passed by now_ns, and forgets what was learnt too
 * long ago. Cost in proportion to the flows that are due, not to all. tn_switch_next_expiry: when
 * to call next at the latest; UINT64_MAX: nothing has a timeout. Cheap enough to ask for every
 * packet. tn_switch_next_flow_expiry: of flows alone, for who has to collect counts before.
 */
void tn_switch_expire(struct tn_switch *sw, uint64_t now_ns);
uint64_t tn_switch_next_expiry(const struct tn_switch *sw);
uint64_t tn_switch_next_flow_expiry(const struct tn_switch *sw);

/*
 * What flows with ADVERTISE do by themselves: the actions after it, on tn_reply_solicitation, as of
 * a packet-out. next: when one is due; UINT64_MAX: none. take: one that is due by now_ns, which
 * then waits for its next time; false: none is. What is not taken in time is late, and none is sent
 * twice for it. The seed spreads them; the same seed, the same times.
 *
 * Of a flow that goes or says something else, router advertisements take back what it told (ra.h):
 * three of them, the first within half a second, if what it sends them to is still there. What is
 * replayed takes nothing back.
 */
struct tn_advert {
	uint64_t due_ns;
	const struct tn_action *list; /* the switch's, until the next commit */
	size_t n;
};

void tn_switch_seed_adverts(struct tn_switch *sw, uint64_t seed);
uint64_t tn_switch_next_advert(const struct tn_switch *sw);
bool tn_switch_take_advert(struct tn_switch *sw, uint64_t now_ns, struct tn_advert *advert);

/*
 * What an engine counted by identity in place of through the pointers of COUNT ops: flags as
 * NO_PKT_COUNTS are already applied, last_used_ns 0 says nothing. Counts of what is gone are lost.
 */
void tn_switch_count(struct tn_switch *sw, const struct tn_count *count);

/*
 * A LEARN op was executed. Decisions made from now on see it; those that an engine keeps see it,
 * and what aged out or went with its port, after tn_switch_publish_addresses(). That makes a new
 * version if anything changed: 1; 0: nothing did; -ENOMEM.
 *
 * What is behind a circuit is forgotten when the flow that named it goes or does something else,
 * and is not learnt from what was seen before that.
 */
void tn_switch_learn(struct tn_switch *sw, const struct tn_learnt *learnt, uint64_t now_ns);
/* The same of what a SNOOP op told. */
void tn_switch_snoop(struct tn_switch *sw, const struct tn_snooped *snooped, uint64_t now_ns);
int tn_switch_publish_addresses(struct tn_switch *sw) TN_MUST_CHECK;

/* What was learnt, and what was not. */
struct tn_learning_stats {
	uint32_t addresses, networks;
	uint64_t learnt, moved, aged, evicted;
	uint64_t held;	  /* moves of addresses that move too often: they stay where they are */
	uint64_t refused; /* for want of room */
	uint32_t groups, members; /* of multicast; a network's routers are a group, too */
	uint64_t joined, left, forgotten, members_refused;
};

void tn_switch_learning_stats(const struct tn_switch *sw, struct tn_learning_stats *stats);

/*
 * Something changed that decisions lead to and the switch does not hold (tunnels, the underlay): a
 * new version, in which every kept decision is made again. -ENOMEM.
 */
int tn_switch_touch(struct tn_switch *sw, struct tn_error *err) TN_MUST_CHECK;

/* The version packets are handled by. Readers must not hold it across tn_switch_reclaim(). */
const struct tn_snapshot *tn_switch_snapshot(const struct tn_switch *sw);
/*
 * No reader holds a snapshot taken before now: what commits replaced leaves the lookup structures,
 * and what had left them at the call before is freed. Due once in a while, not after each commit.
 */
void tn_switch_reclaim(struct tn_switch *sw);

/* Reading back. Iteration is sorted: flows by table, priority (high first), flow id; others by id.
 */
typedef void (*tn_flow_fn)(void *ctx, const struct tn_flow_info *flow);
typedef void (*tn_group_fn)(void *ctx, const struct tn_group_info *group);
typedef void (*tn_meter_fn)(void *ctx, const struct tn_meter *meter, uint32_t reference_count);
typedef void (*tn_table_fn)(void *ctx, const struct tn_table_info *table);
typedef void (*tn_port_fn)(void *ctx, const struct tn_port_config_data *port);

/*
 * filter: as a DELETE's table, match, cookie, out_port, out_group; NULL: all. Returns 0, or -ENOMEM
 * before the first call of fn or, of a group with very many buckets, between two.
 */
int tn_switch_flows(
	const struct tn_switch *sw, const struct tn_flow_mod *filter, tn_flow_fn fn, void *ctx);
bool tn_switch_flow_by_id(const struct tn_switch *sw, uint64_t flow_id, tn_flow_fn fn, void *ctx);

/*
 * For reading back a piece at a time while the switch changes: the ids, in order, in an array to
 * free(); then each by its id, where it still is. What stays is seen once. -ENOMEM.
 */
int tn_switch_flow_ids(const struct tn_switch *sw, const struct tn_flow_mod *filter, uint64_t **ids,
	size_t *n) TN_MUST_CHECK;
int tn_switch_group_ids(const struct tn_switch *sw, uint32_t **ids, size_t *n) TN_MUST_CHECK;
int tn_switch_meter_ids(const struct tn_switch *sw, uint32_t **ids, size_t *n) TN_MUST_CHECK;
/* 0: there is none, or fn had it. -ENOMEM. */
int tn_switch_group_by_id(
	const struct tn_switch *sw, uint32_t group_id, tn_group_fn fn, void *ctx) TN_MUST_CHECK;
void tn_switch_meter_by_id(
	const struct tn_switch *sw, uint32_t meter_id, tn_meter_fn fn, void *ctx);

int tn_switch_groups(const struct tn_switch *sw, tn_group_fn fn, void *ctx);
int tn_switch_meters(const struct tn_switch *sw, tn_meter_fn fn, void *ctx);
/* Tables with a flow or a configuration of their own. */
void tn_switch_tables(const struct tn_switch *sw, tn_table_fn fn, void *ctx);
void tn_switch_ports(const struct tn_switch *sw, tn_port_fn fn, void *ctx);

uint32_t tn_switch_flow_count(const struct tn_switch *sw);
/* Bytes the switch holds for rules and their lookup, everything included. */
size_t tn_switch_memory(const struct tn_switch *sw);

#endif
