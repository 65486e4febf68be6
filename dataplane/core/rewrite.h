/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes to a packet's headers that keep its checksums: right ones stay right, wrong ones stay
 * wrong by the same difference and so are still found by the receiver. Works on fragments and on
 * cut captures; *h is after each call what tn_parse() would say of the view.
 *
 * A packet without the header in question is left alone (TN_DROP_NONE). A reason other than that
 * leaves the packet as it was. Pure.
 */
#ifndef TN_CORE_REWRITE_H
#define TN_CORE_REWRITE_H

#include "dataplane/core/field.h"
#include "dataplane/core/parse.h"
#include "dataplane/core/view.h"

/*
 * field = (field & ~mask) | (value & mask), for a writable packet field.
 * TN_DROP_TRUNCATED_HEADER: the field or a checksum that covers it was cut off by the capture.
 * TN_DROP_SCTP_FRAGMENT: the CRC of a fragmented SCTP packet is over data that is not here.
 */
enum tn_drop tn_rewrite_field(struct tn_view *view, struct tn_headers *h, enum tn_field_id field,
	tn_u128 value, tn_u128 mask) TN_MUST_CHECK;

/* A new outer tag. TN_DROP_NO_HEADROOM. */
enum tn_drop tn_rewrite_push_vlan(
	struct tn_view *view, struct tn_headers *h, uint16_t ethertype, uint16_t tci) TN_MUST_CHECK;
/* Takes the outer tag off. */
enum tn_drop tn_rewrite_pop_vlan(struct tn_view *view, struct tn_headers *h) TN_MUST_CHECK;

/* TTL or hop limit less one; TN_DROP_TTL_EXPIRED where it is not above one. */
enum tn_drop tn_rewrite_dec_ttl(struct tn_view *view, struct tn_headers *h) TN_MUST_CHECK;
/* Between an IP header and the IP header right behind it, for IP in IP. */
enum tn_drop tn_rewrite_copy_ttl_in(struct tn_view *view, struct tn_headers *h) TN_MUST_CHECK;
enum tn_drop tn_rewrite_copy_ttl_out(struct tn_view *view, struct tn_headers *h) TN_MUST_CHECK;

/* DSCP and ECN of the IP header at h->l3; 0 where there is none. */
uint8_t tn_header_tos(const struct tn_view *view, const struct tn_headers *h);

#endif
