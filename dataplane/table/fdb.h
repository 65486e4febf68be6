/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding database: where a MAC address of a network was last seen. Bounded in all, per network
 * and per place of a network, so that nobody can grow it nor take it from others: where it is full,
 * the network that has most gives way. Entries age, and what moves too often stays where it is for
 * a while. Time is an argument, nanoseconds.
 *
 * All memory is taken when the table is made, and touched when it is first used: learning never
 * allocates and leaves nothing to be freed later, whatever arrives. One writer, many readers
 * without locks: a reader whose hash chain lost an entry meanwhile looks again, and after
 * TN_FDB_RETRIES times calls the address unknown.
 */
#ifndef TN_TABLE_FDB_H
#define TN_TABLE_FDB_H

#include "dataplane/table/place.h"

#define TN_FDB_RETRIES 16
#define TN_FDB_LATE_NS UINT64_C(5000000000)

struct tn_fdb;

struct tn_fdb_config {
	uint32_t max_entries;	  /* default 8192 */
	uint32_t max_per_network; /* default: max_entries */
	uint32_t max_per_place;	  /* of a network; default: max_per_network */
	uint64_t age_ns;	  /* default 300 s */
	uint64_t hash_seed;	  /* a secret, where strangers choose the addresses */
	uint32_t max_moves;	  /* in window_ns; default 5 */
	uint64_t window_ns;	  /* default 10 s */
	uint64_t hold_ns;	  /* how long it stays then; default 30 s */
};

/* A member of config that is 0 takes its default. NULL: no memory. */
struct tn_fdb *tn_fdb_new(const struct tn_fdb_config *config);
void tn_fdb_free(struct tn_fdb *fdb);

/* Where the address is; false: unknown or aged out. Lock-free. */
bool tn_fdb_lookup(const struct tn_fdb *fdb, struct tn_mac mac, uint32_t network, uint64_t now_ns,
	struct tn_place *place);

enum tn_fdb_result {
	TN_FDB_KNOWN,	/* there, as it was */
	TN_FDB_NEWS,	/* new, back, or moved */
	TN_FDB_HELD,	/* it moves too often: it stays where it is */
	TN_FDB_REFUSED, /* no room, or nothing that is learnt */
};

/*
 * The address was seen there; late: some seconds ago, so that one that was seen elsewhere in the
 * last TN_FDB_LATE_NS stays there. Group addresses, zero, port 0 and network NONE are not learnt.
 * limit: entries of this place in this network, 0 or more than the table's own: that. At that limit
 * the oldest of the place gives way; where a network or the table is full, the oldest of the place
 * that has most, in that network or in the one that has most.
 */
enum tn_fdb_result tn_fdb_learn(struct tn_fdb *fdb, struct tn_mac mac, uint32_t network,
	const struct tn_place *place, uint32_t limit, bool late, uint64_t now_ns);

/* Forgets what is behind a port, or a circuit, that goes away. */
void tn_fdb_flush_port(struct tn_fdb *fdb, uint32_t port);
void tn_fdb_flush_circuit(struct tn_fdb *fdb, uint32_t number);
/* Forgets what aged out, and lets go what was held long enough. */
void tn_fdb_age(struct tn_fdb *fdb, uint64_t now_ns);
/* When to call that next at the latest; UINT64_MAX: there is nothing. */
uint64_t tn_fdb_due(const struct tn_fdb *fdb);
uint32_t tn_fdb_count(const struct tn_fdb *fdb);

/*
 * Classes of the networks of which something changed since this was asked last, as a bitmap: what
 * was said of an address may not hold, or another place of an address that is told again may.
 */
uint32_t tn_fdb_take_changes(struct tn_fdb *fdb);

struct tn_fdb_stats {
	uint32_t entries, networks;
	uint64_t learnt, moved, aged;
	uint64_t evicted; /* gave way to others */
	uint64_t held, refused;
};

void tn_fdb_stats(const struct tn_fdb *fdb, struct tn_fdb_stats *stats);

/* Every entry that did not age out, in no order. fn changes nothing. */
typedef void (*tn_fdb_fn)(void *ctx, struct tn_mac mac, uint32_t network,
	const struct tn_place *place, uint64_t seen_ns, bool held);
void tn_fdb_each(const struct tn_fdb *fdb, uint64_t now_ns, tn_fdb_fn fn, void *ctx);

#endif
