/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets by which the kernel tells of its network: keeps a struct tn_kernel in step with it.
 * Events come as they happen; a dump starts it, and repeats what events left unclear or the kernel
 * dropped because we were slow. Dumps are read a piece a turn of the loop. One thread.
 */
#ifndef TN_UNDERLAY_NETLINK_H
#define TN_UNDERLAY_NETLINK_H

#include "control/underlay/kernel.h"
#include "dataplane/api/loop.h"
#include "dataplane/core/error.h"

struct tn_netlink;

/* The kernel's network may have changed, or is fully known for the first time. */
typedef void (*tn_netlink_fn)(void *ctx);

/* In the network namespace of the caller. NULL with err. */
struct tn_netlink *tn_netlink_new(
	struct tn_loop *loop, tn_netlink_fn changed, void *ctx, struct tn_error *err);
void tn_netlink_free(struct tn_netlink *n);

const struct tn_kernel *tn_netlink_kernel(const struct tn_netlink *n);
/* Every kind was dumped once and no dump is under way: what is known can be relied on. */
bool tn_netlink_settled(const struct tn_netlink *n);

/*
 * Asks the kernel to find out (or confirm) a neighbour's MAC, as if it had something to send. What
 * it finds comes as an event. -errno.
 */
int tn_netlink_resolve(struct tn_netlink *n, uint32_t link, tn_u128 address) TN_MUST_CHECK;

struct tn_netlink_counts {
	uint64_t events;   /* messages that were told */
	uint64_t overruns; /* times the kernel dropped some */
	uint64_t dumps;	   /* of a kind, finished */
	uint64_t refused;  /* neighbours that the kernel would not look for */
	int refused_errno; /* of the last of them */
};
struct tn_netlink_counts tn_netlink_counts(const struct tn_netlink *n);

#endif
