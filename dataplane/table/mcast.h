/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast groups of networks: where their members are, and where routers are that want them all.
 * Bounded in all, per network and per place. Time is an argument, nanoseconds.
 *
 * Members are hosts at places: a place is told once, and stays until its last host left. While a
 * router asks in a network, hosts that do not answer are forgotten, and one that leaves stays as
 * long as its group may still be asked for; where nobody asks, nobody answers either, and hosts
 * stay until they leave or their port goes.
 *
 * One writer, many readers without locks: what a reader gets does not change, and is freed through
 * the table's tn_defer.
 */
#ifndef TN_TABLE_MCAST_H
#define TN_TABLE_MCAST_H

#include "dataplane/table/defer.h"
#include "dataplane/table/place.h"

struct tn_mcast;

struct tn_mcast_config {
	uint32_t max_members;	  /* default 16384 */
	uint32_t max_per_network; /* default 2048 */
	uint32_t max_per_place;	  /* default 256 */
	uint64_t hash_seed;
};

/* defer is borrowed. NULL: no memory. */
struct tn_mcast *tn_mcast_new(const struct tn_mcast_config *config, struct tn_defer *defer);
void tn_mcast_free(struct tn_mcast *m);

struct tn_mcast_places {
	uint32_t n;
	const struct tn_place *places;
};

/* Of a group, or with group 0 of the network's routers; n 0: none are known. Lock-free. */
struct tn_mcast_places tn_mcast_lookup(const struct tn_mcast *m, uint32_t network, tn_u128 group);

/* A host joins a group (again); a host leaves it; a router, which may ask, is there. */
void tn_mcast_join(struct tn_mcast *m, uint32_t network, tn_u128 group,
	const struct tn_place *place, struct tn_mac host, uint64_t now_ns);
void tn_mcast_leave(struct tn_mcast *m, uint32_t network, tn_u128 group,
	const struct tn_place *place, struct tn_mac host, uint64_t now_ns);
void tn_mcast_router(struct tn_mcast *m, uint32_t network, const struct tn_place *place,
	struct tn_mac host, uint64_t now_ns);

/* Forgets what is behind a port or a circuit that goes away; who was not heard of for too long. */
void tn_mcast_flush_port(struct tn_mcast *m, uint32_t port);
void tn_mcast_flush_circuit(struct tn_mcast *m, uint32_t number);
void tn_mcast_age(struct tn_mcast *m, uint64_t now_ns);
/* When somebody may be to be forgotten, at the earliest; UINT64_MAX: never. */
uint64_t tn_mcast_due(const struct tn_mcast *m);

/* Classes of the networks of which something changed since this was asked last, as a bitmap. */
uint32_t tn_mcast_take_changes(struct tn_mcast *m);

struct tn_mcast_stats {
	uint32_t groups, members; /* routers are members of a group of their own */
	uint64_t joined, left, aged, refused;
};

void tn_mcast_stats(const struct tn_mcast *m, struct tn_mcast_stats *stats);

#endif
