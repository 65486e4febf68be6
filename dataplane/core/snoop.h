/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hosts and routers say of multicast groups: IGMP (RFC 1112, 2236, 3376), MLD (RFC 2710,
 * 3810), and PIM's hellos, as far as RFC 4541 has a switch listen. Sources that a report names are
 * not told apart: whoever wants some of a group gets it.
 *
 * Pure: no allocation, clock or global. Every byte is read through the cursor.
 */
#ifndef TN_CORE_SNOOP_H
#define TN_CORE_SNOOP_H

#include "dataplane/core/field.h"
#include "dataplane/core/parse.h"
#include "dataplane/core/view.h"

enum tn_snooped_kind {
	TN_SNOOPED_JOIN,
	TN_SNOOPED_LEAVE,
	TN_SNOOPED_ROUTER, /* somebody asks, or routes: group 0 */
};

/* Called for each thing that the packet says; group: IPv4 as ::ffff:a.b.c.d. */
typedef void (*tn_snooped_fn)(void *ctx, enum tn_snooped_kind kind, tn_u128 group);

/* False: it is nothing of the kind, or not sound: then nothing was said. */
bool tn_snoop(const struct tn_view *view, const struct tn_headers *h, tn_snooped_fn fn, void *ctx);

/*
 * Groups that reports are about: not those of the link, which every station gets (224.0.0.0/24,
 * and IPv6 groups of interface and link scope).
 */
bool tn_snoop_is_group4(struct tn_be32 address);
bool tn_snoop_is_group6(const struct tn_ip6 *address);

#endif
