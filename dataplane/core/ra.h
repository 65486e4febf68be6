/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one router advertisement says of another: RFC 4861, 6.2.5, and RFC 4862, 5.5.3. Bodies are
 * those of REPLY RA, from the hop limit on. Pure; safe from any thread.
 */
#ifndef TN_CORE_RA_H
#define TN_CORE_RA_H

#include "dataplane/core/action.h"

struct tn_ra_body {
	const uint8_t *data;
	uint32_t n; /* bytes; as `next`, 0: the router says nothing any more */
};

/*
 * The body that is to be said where `told` was, and `next` is to be from now on: all of `next`, and
 * with lifetime 0 the prefixes, routes, name servers and search lists that were told and are in it
 * no more; of a prefix, of each of its uses (on-link, autonomous). Without `next` the router is
 * none any more, either. What has no room is left out, of `next` first: an advertisement need not
 * say everything (RFC 4861, 6.2.3). Returns its length; 0: nothing is to be taken back.
 */
uint32_t tn_ra_take_back(const struct tn_ra_body *told, const struct tn_ra_body *next,
	uint8_t out[TN_REPLY_DATA_MAX]) TN_MUST_CHECK;

#endif
