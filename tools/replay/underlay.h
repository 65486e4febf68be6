/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network below the tunnels, as the document gives it: addresses of this switch, routes and
 * neighbours. Nothing here changes after tn_underlay_init() but a cache of answers.
 */
#ifndef TN_REPLAY_UNDERLAY_H
#define TN_REPLAY_UNDERLAY_H

#include "control/model/document.h"
#include "dataplane/core/drop.h"

struct tn_underlay_path; /* a route or an address's own network */
struct tn_next_hop_entry;

struct tn_underlay {
	const struct tn_document *doc;
	const struct tn_underlay_address **addresses;	 /* sorted by address */
	const struct tn_underlay_neighbour **neighbours; /* sorted by address, port */
	struct tn_underlay_path *paths;			 /* longest prefix first */
	size_t n_paths;
	struct tn_next_hop_entry *cache;
};

/* How a tunnel packet leaves. */
struct tn_next_hop {
	tn_u128 src;
	struct tn_mac eth_src, eth_dst;
	uint32_t port; /* uplink; 0: the vxlan port's own capture */
};

/* doc is borrowed. */
void tn_underlay_init(struct tn_underlay *u, const struct tn_document *doc);
void tn_underlay_fini(struct tn_underlay *u);

/* NULL: not an address of this switch. */
const struct tn_underlay_address *tn_underlay_address(const struct tn_underlay *u, tn_u128 address);
bool tn_underlay_is_uplink(const struct tn_underlay *u, uint32_t port);

/*
 * The way to an endpoint. src: the outer source to use, 0: an address of the network that the way
 * leads through, else the first one of the family. NO_ROUTE or NO_NEIGHBOUR: none.
 */
enum tn_drop tn_underlay_resolve(
	struct tn_underlay *u, tn_u128 dst, tn_u128 src, struct tn_next_hop *hop) TN_MUST_CHECK;

#endif
