/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing an answer. Private to reply.c and the files of its kinds. What does not fit is not
 * written, and `full` says so.
 */
#ifndef TN_CORE_REPLY_PRIVATE_H
#define TN_CORE_REPLY_PRIVATE_H

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/cursor.h"
#include "dataplane/core/reply.h"
#include "dataplane/core/wire.h"

#define TN_REPLY_TTL 64u
#define TN_ND_TTL    255u

struct tn_reply_work {
	const struct tn_view *view;
	const struct tn_headers *h;
	const struct tn_action *a;
	struct tn_answer *out;
	uint32_t l3, l4; /* of the answer */
	bool full;
};

static inline const uint8_t *tn_rp_in(const struct tn_reply_work *w, uint32_t ofs)
{
	return w->view->data + ofs;
}

static inline void *tn_rp_at(const struct tn_reply_work *w, uint32_t ofs)
{
	return w->out->data + ofs;
}

/* n more bytes, zeroed; where there is no room, the first ones, which nobody will send. */
static inline void *tn_rp_room(struct tn_reply_work *w, uint32_t n)
{
	uint8_t *p = w->out->data + w->out->len;

	if (tn_unlikely(n > TN_ANSWER_MAX - w->out->len)) {
		w->full = true;
		p = w->out->data;
		n = 0;
	}
	w->out->len += n;
	memset(p, 0, n);
	return p;
}

static inline void tn_rp_put(struct tn_reply_work *w, const void *bytes, uint32_t n)
{
	uint8_t *p = tn_rp_room(w, n);

	if (!w->full && n)
		memcpy(p, bytes, n);
}

static inline void tn_rp_put8(struct tn_reply_work *w, uint8_t v)
{
	tn_rp_put(w, &v, 1);
}

static inline void tn_rp_put16(struct tn_reply_work *w, uint16_t v)
{
	struct tn_be16 be = tn_htobe16(v);

	tn_rp_put(w, &be, sizeof(be));
}

static inline void tn_rp_put32(struct tn_reply_work *w, uint32_t v)
{
	struct tn_be32 be = tn_htobe32(v);

	tn_rp_put(w, &be, sizeof(be));
}

static inline struct tn_mac tn_rp_asker(const struct tn_reply_work *w)
{
	return ((const struct tn_eth_hdr *)(const void *)w->view->data)->src;
}

static inline bool tn_rp_is_group(struct tn_mac mac)
{
	return mac.b[0] & 1;
}

static inline bool tn_rp_mac_equal(struct tn_mac a, struct tn_mac b)
{
	return !memcmp(&a, &b, sizeof(a));
}

/* The address of one host: what an answer may go to and come from. */
static inline bool tn_rp_ip4_is_host(struct tn_be32 ip)
{
	uint8_t first = (uint8_t)(tn_be32toh(ip) >> 24);

	return first != 0 && first != 127 && first < 224;
}

static inline bool tn_rp_ip6_is_zero(const struct tn_ip6 *ip)
{
	static const struct tn_ip6 zero;

	return !memcmp(ip, &zero, sizeof(zero));
}

static inline bool tn_rp_ip6_is_host(const struct tn_ip6 *ip)
{
	return ip->b[0] != 0xff && !tn_rp_ip6_is_zero(ip);
}

static inline struct tn_be32 tn_rp_ip4(tn_u128 address)
{
	return tn_htobe32((uint32_t)address);
}

/* Ethernet header with the packet's tags; the source is the action's. */
void tn_rp_ethernet(struct tn_reply_work *w, struct tn_mac dst, uint16_t type);
/* IPv4 header; tn_rp_finish() completes it. */
void tn_rp_ipv4(struct tn_reply_work *w, uint8_t tos, uint8_t proto, struct tn_be32 dst);
void tn_rp_ipv6(struct tn_reply_work *w, uint8_t next, uint8_t hop_limit, const struct tn_ip6 *src,
	const struct tn_ip6 *dst);
/*
 * Lengths and checksums: of IP and of what begins at l4, whose checksum is at csum_ofs in it and
 * zero yet. TN_DROP_REPLY_UNFIT: it has become too long.
 */
enum tn_drop tn_rp_finish(struct tn_reply_work *w, uint32_t csum_ofs);

enum tn_drop tn_reply_arp(struct tn_reply_work *w);
enum tn_drop tn_reply_nd(struct tn_reply_work *w);
enum tn_drop tn_reply_ra(struct tn_reply_work *w);
enum tn_drop tn_reply_icmp_error(struct tn_reply_work *w);
enum tn_drop tn_reply_dhcp4(struct tn_reply_work *w);
enum tn_drop tn_reply_dhcp6(struct tn_reply_work *w);

#endif
