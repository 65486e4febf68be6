/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many answers who asks may have: so many a second and in one go. One number a budget, zero at
 * first; time is an argument. One writer.
 */
#ifndef TN_CORE_REPLY_BUDGET_H
#define TN_CORE_REPLY_BUDGET_H

#include "dataplane/core/types.h"

#define TN_REPLY_RATE  1000u
#define TN_REPLY_BURST 500u

/*
 * Packets out of a tunnel are not told apart by their port: there each network has a budget, which
 * others share by chance alone.
 */
#define TN_REPLY_NETWORKS 256u

static inline unsigned tn_reply_network(uint64_t tunnel_id)
{
	return (unsigned)(tunnel_id * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

TN_BUILD_ASSERT(TN_REPLY_NETWORKS == 256, "tn_reply_network() gives 8 bits");

/* *spent_until: when all that was taken will have been earned. False: there is nothing left. */
static inline bool tn_reply_budget_take(uint64_t *spent_until, uint64_t now_ns)
{
	const uint64_t one = UINT64_C(1000000000) / TN_REPLY_RATE;

	if (*spent_until < now_ns)
		*spent_until = now_ns;
	if (*spent_until - now_ns > (TN_REPLY_BURST - 1) * one)
		return false;
	*spent_until += one;
	return true;
}

#endif
