/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding database: which port a MAC address of a VLAN or network was last seen behind. Bounded
 * in all and per port, so that no one can grow it; entries age. One writer, many readers without
 * locks. Time is an argument, nanoseconds.
 */
#ifndef TN_TABLE_FDB_H
#define TN_TABLE_FDB_H

#include "dataplane/core/types.h"
#include "dataplane/table/defer.h"

struct tn_fdb;

struct tn_fdb_config {
	uint32_t max_entries;  /* default 8192 */
	uint32_t max_per_port; /* default: max_entries */
	uint64_t age_ns;       /* default 300 s */
};

struct tn_fdb *tn_fdb_new(const struct tn_fdb_config *config, struct tn_defer *defer);
void tn_fdb_free(struct tn_fdb *fdb);

/* Port behind which the address is, or 0: unknown or aged out. Lock-free. */
uint32_t tn_fdb_lookup(const struct tn_fdb *fdb, struct tn_mac mac, uint32_t vid, uint64_t now_ns);

/*
 * The address was seen behind port. Group addresses and zero are not learnt. Full: the oldest entry
 * of that port (or, where the port has none, nothing) makes room. True if an entry is new or moved.
 */
bool tn_fdb_learn(
	struct tn_fdb *fdb, struct tn_mac mac, uint32_t vid, uint32_t port, uint64_t now_ns);

/* Forgets what is behind a port that goes away, and what aged out. */
void tn_fdb_flush_port(struct tn_fdb *fdb, uint32_t port);
void tn_fdb_age(struct tn_fdb *fdb, uint64_t now_ns);
uint32_t tn_fdb_count(const struct tn_fdb *fdb);

#endif
