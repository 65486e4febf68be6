/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drops by network, which is the packet's tunnel id, and reason. Of bounded size: what finds no
 * place is counted as of other networks. One writer; whoever else reads sees each number as it was
 * at some moment.
 */
#ifndef TN_FASTPATH_NETWORK_DROPS_H
#define TN_FASTPATH_NETWORK_DROPS_H

#include "dataplane/core/drop.h"
#include "dataplane/core/program.h"

#define TN_DROPS_NO_NETWORK	0u /* the packet is of no network, or it is not known yet */
#define TN_DROPS_OTHER_NETWORKS UINT32_MAX
#define TN_NETWORK_DROPS_N	4096u /* places: a network has one a reason */

struct tn_network_drops {
	struct {
		uint64_t place; /* network << 8 | reason; 0: free, as reason 0 is none */
		uint64_t packets;
	} slots[TN_NETWORK_DROPS_N];
	uint64_t none[TN_DROP_COUNT], others[TN_DROP_COUNT];
};

/* The network of a packet at an op; NULL: it met none. came: the tunnel id that it came in with. */
static inline uint32_t tn_network_at(const struct tn_op *op, uint64_t came)
{
	if (op && op->network_of == TN_OP_NETWORK_GIVEN)
		return op->network;
	if (op && op->network_of == TN_OP_NETWORK_WIDE)
		return TN_DROPS_OTHER_NETWORKS;
	return came > TN_OP_NETWORK_MAX ? TN_DROPS_OTHER_NETWORKS : (uint32_t)came;
}

/* network: as tn_network_at() says. */
void tn_network_drops_add(
	struct tn_network_drops *d, uint32_t network, enum tn_drop reason, uint64_t packets);

/* Every one that is not 0. False from fn ends it. */
typedef bool (*tn_network_drop_fn)(
	void *ctx, uint32_t network, enum tn_drop reason, uint64_t packets);
void tn_network_drops_each(const struct tn_network_drops *d, tn_network_drop_fn fn, void *ctx);

#endif
