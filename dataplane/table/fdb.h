/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding database: which port a MAC address of a VLAN or network was last seen behind. Bounded
 * in all and per port, so that no one can grow it; entries age. Time is an argument, nanoseconds.
 *
 * All memory is taken when the table is made: learning never allocates and leaves nothing to be
 * freed later, whatever arrives. One writer, many readers without locks: a reader whose hash chain
 * lost an entry meanwhile looks again, and after TN_FDB_RETRIES times calls the address unknown.
 */
#ifndef TN_TABLE_FDB_H
#define TN_TABLE_FDB_H

#include "dataplane/core/types.h"

#define TN_FDB_RETRIES 16

struct tn_fdb;

struct tn_fdb_config {
	uint32_t max_entries;  /* default 8192 */
	uint32_t max_per_port; /* default: max_entries */
	uint64_t age_ns;       /* default 300 s */
	uint64_t hash_seed;    /* a secret, where strangers choose the addresses */
};

/* A member of config that is 0 takes its default. NULL: no memory. */
struct tn_fdb *tn_fdb_new(const struct tn_fdb_config *config);
void tn_fdb_free(struct tn_fdb *fdb);

/* Port behind which the address is, or 0: unknown or aged out. Lock-free. */
uint32_t tn_fdb_lookup(const struct tn_fdb *fdb, struct tn_mac mac, uint32_t vid, uint64_t now_ns);

/*
 * The address was seen behind port. Group addresses, zero and port 0 are not learnt. Full: an entry
 * that aged out makes room, else the oldest of that port; where the port has none, the address is
 * not learnt. True if an entry is new or moved.
 */
bool tn_fdb_learn(
	struct tn_fdb *fdb, struct tn_mac mac, uint32_t vid, uint32_t port, uint64_t now_ns);

/* Forgets what is behind a port that goes away, and what aged out. */
void tn_fdb_flush_port(struct tn_fdb *fdb, uint32_t port);
void tn_fdb_age(struct tn_fdb *fdb, uint64_t now_ns);
uint32_t tn_fdb_count(const struct tn_fdb *fdb);

#endif
