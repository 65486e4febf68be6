/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network below the tunnels: addresses of this switch, routes and neighbours. Immutable: a
 * change makes a new one. Reading is safe from any thread.
 */
#ifndef TN_FASTPATH_UNDERLAY_H
#define TN_FASTPATH_UNDERLAY_H

#include "dataplane/core/drop.h"
#include "dataplane/core/underlay_config.h"

struct tn_underlay;

/* Copies what it needs. NULL: no memory. */
struct tn_underlay *tn_underlay_new(const struct tn_underlay_config *config);
void tn_underlay_free(struct tn_underlay *u);

/* NULL: not an address of this switch. */
const struct tn_underlay_address *tn_underlay_address(const struct tn_underlay *u, tn_u128 address);
bool tn_underlay_is_uplink(const struct tn_underlay *u, uint32_t port);

/* Do flows to this endpoint spread over several next hops? */
bool tn_underlay_multipath(const struct tn_underlay *u, tn_u128 dst);

/* How a tunnel packet leaves. */
struct tn_next_hop {
	tn_u128 src;
	struct tn_mac eth_src, eth_dst;
	uint32_t port; /* uplink; 0: none is named */
};

/*
 * The way to an endpoint. src: the outer source to use, 0: an address of the network that the way
 * leads through, else the first one of the family. entropy: of the inner flow, spreads flows over
 * next hops of equal cost. NO_ROUTE or NO_NEIGHBOUR: none.
 */
enum tn_drop tn_underlay_resolve(const struct tn_underlay *u, tn_u128 dst, tn_u128 src,
	uint32_t entropy, struct tn_next_hop *hop) TN_MUST_CHECK;

#endif
