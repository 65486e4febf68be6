/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's network as the data plane needs it: what leads through the uplinks, and no more than
 * that takes to say. Pure: no I/O, no clock. One thread.
 *
 * A route that leads where the one that covers it leads is left out, so that a host with a full
 * table and one way out has one route. A route past the uplinks is there only where it takes
 * something from one through them (TN_UNDERLAY_ELSEWHERE). Of several routes of a prefix the one
 * with the lowest metric that is alive counts; of next hops those through uplinks, as often as
 * their weight says.
 */
#ifndef TN_UNDERLAY_COMPOSE_H
#define TN_UNDERLAY_COMPOSE_H

#include "control/underlay/kernel.h"
#include "dataplane/core/underlay_config.h"

/* More than this fits no message to the data plane. */
#define TN_COMPOSED_ROUTES_MAX 262144u

/* An interface of the kernel that stands for an uplink. */
struct tn_uplink {
	uint32_t port;
	char name[TN_KERNEL_NAME_SIZE];
};

struct tn_composed;

struct tn_composed *tn_composed_new(void);
void tn_composed_free(struct tn_composed *c);

/*
 * locals: addresses of tunnels, which count although no uplink has them (those of a loopback that
 * the network routes to this host). 0, -ENOMEM, or -E2BIG: too many routes. What was composed
 * before is gone in any case.
 */
int tn_compose(struct tn_composed *c, const struct tn_kernel *k, const struct tn_uplink *uplinks,
	size_t n_uplinks, const tn_u128 *locals, size_t n_locals) TN_MUST_CHECK;

/* Good until the next tn_compose(). */
const struct tn_underlay_config *tn_composed_config(const struct tn_composed *c);
bool tn_composed_equal(const struct tn_composed *a, const struct tn_composed *b);

/* Links that are uplinks now. */
uint32_t tn_composed_links(const struct tn_composed *c);

/* The next hops on the way to dst, each with its link. None: no way through an uplink. */
typedef void (*tn_next_hop_fn)(void *ctx, uint32_t link, tn_u128 next_hop);
void tn_composed_next_hops(const struct tn_composed *c, tn_u128 dst, tn_next_hop_fn fn, void *ctx);

#endif
