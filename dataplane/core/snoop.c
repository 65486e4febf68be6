/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/snoop.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/cursor.h"
#include "dataplane/core/wire.h"

#define IGMP_QUERY     0x11u
#define IGMP_REPORT_V1 0x12u
#define IGMP_REPORT_V2 0x16u
#define IGMP_LEAVE     0x17u
#define IGMP_REPORT_V3 0x22u

#define MLD_QUERY     130u
#define MLD_REPORT_V1 131u
#define MLD_DONE      132u
#define MLD_REPORT_V2 143u

#define PIM_HELLO 0x20u /* version 2, type 0 */

/* Record types of IGMPv3 and MLDv2. */
enum { IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW_NEW, BLOCK_OLD };

struct igmp_hdr {
	uint8_t type, max_resp;
	struct tn_be16 csum;
	struct tn_be32 group;
} TN_PACKED;

/* A report of records, IGMPv3 and MLDv2 alike. */
struct report_hdr {
	uint8_t type, code;
	struct tn_be16 csum;
	struct tn_be16 reserved, n_records;
} TN_PACKED;

/* Then the group, the sources, and `aux` words. */
struct record_hdr {
	uint8_t type, aux;
	struct tn_be16 n_sources;
} TN_PACKED;

struct mld_hdr {
	struct tn_icmp_hdr icmp;
	struct tn_be16 max_resp, reserved;
	struct tn_ip6 group;
} TN_PACKED;

bool tn_snoop_is_group4(struct tn_be32 address)
{
	uint32_t ip = tn_be32toh(address);

	return ip >> 28 == 14 && ip >> 8 != 0xe00000;
}

bool tn_snoop_is_group6(const struct tn_ip6 *address)
{
	return address->b[0] == 0xff && (address->b[1] & 0x0f) > 2;
}

/* Bytes of the message, from its first on; false: not all there, or its sum is wrong. */
static bool find_message(const struct tn_view *view, uint32_t start, uint32_t end, uint64_t pseudo,
	struct tn_cursor *c)
{
	const uint8_t *bytes;
	struct tn_cursor whole;

	*c = tn_cursor_of(view);
	if (end < start || !tn_cursor_take(c, start))
		return false;
	tn_cursor_limit(c, end - start);
	whole = *c;
	bytes = tn_cursor_take(&whole, end - start);
	return bytes && tn_csum_fold(tn_csum_add(pseudo, bytes, end - start)).raw == 0;
}

/* What a record asks for; false: for nothing that matters. */
static bool record_kind(const struct record_hdr *r, enum tn_snooped_kind *kind)
{
	bool sources = r->n_sources.raw != 0;

	*kind = TN_SNOOPED_JOIN;
	switch (r->type) {
	case IS_EXCLUDE:
	case TO_EXCLUDE:
		return true;
	case IS_INCLUDE:
	case ALLOW_NEW:
		return sources;
	case TO_INCLUDE:
		*kind = sources ? TN_SNOOPED_JOIN : TN_SNOOPED_LEAVE;
		return true;
	default:
		return false;
	}
}

/* size: of an address. Once to see that all records are whole, then to tell them. */
static bool walk_records(struct tn_cursor c, uint32_t size, tn_snooped_fn fn, void *ctx)
{
	const struct report_hdr *hdr = tn_cursor_take(&c, sizeof(*hdr));

	for (unsigned left = hdr ? tn_be16toh(hdr->n_records) : 0; left; left--) {
		const struct record_hdr *r = tn_cursor_take(&c, sizeof(*r));
		const uint8_t *group = r ? tn_cursor_take(&c, size) : NULL;
		enum tn_snooped_kind kind;
		struct tn_be32 four;
		struct tn_ip6 six;

		if (!group || !tn_cursor_take(&c, tn_be16toh(r->n_sources) * size + r->aux * 4u))
			return false;
		memcpy(&four, group, sizeof(four));
		memcpy(&six, group, size < sizeof(six) ? size : sizeof(six));
		if (!fn || !record_kind(r, &kind))
			continue;
		if (size == sizeof(four) && tn_snoop_is_group4(four))
			fn(ctx, kind, tn_u128_from_ip4(tn_be32toh(four)));
		else if (size == sizeof(six) && tn_snoop_is_group6(&six))
			fn(ctx, kind, tn_u128_from_ip6(&six));
	}
	return hdr;
}

static bool snoop_records(struct tn_cursor c, uint32_t size, tn_snooped_fn fn, void *ctx)
{
	return walk_records(c, size, NULL, NULL) && walk_records(c, size, fn, ctx);
}

/* Queries without a source come from switches that only help out: no router is there. */
static bool snoop_igmp(
	struct tn_cursor c, const struct tn_ipv4_hdr *ip, tn_snooped_fn fn, void *ctx)
{
	struct tn_cursor start = c;
	const struct igmp_hdr *igmp = tn_cursor_take(&c, sizeof(*igmp));

	if (!igmp || ip->ttl != 1)
		return false;
	switch (igmp->type) {
	case IGMP_QUERY:
		if (ip->src.raw)
			fn(ctx, TN_SNOOPED_ROUTER, 0);
		return true;
	case IGMP_REPORT_V1:
	case IGMP_REPORT_V2:
	case IGMP_LEAVE:
		if (tn_snoop_is_group4(igmp->group))
			fn(ctx, igmp->type == IGMP_LEAVE ? TN_SNOOPED_LEAVE : TN_SNOOPED_JOIN,
				tn_u128_from_ip4(tn_be32toh(igmp->group)));
		return true;
	case IGMP_REPORT_V3:
		return snoop_records(start, sizeof(struct tn_be32), fn, ctx);
	default:
		return false;
	}
}

static bool snoop_pim(struct tn_cursor c, tn_snooped_fn fn, void *ctx)
{
	const uint8_t *type = tn_cursor_take(&c, 4);

	if (!type || *type != PIM_HELLO)
		return false;
	fn(ctx, TN_SNOOPED_ROUTER, 0);
	return true;
}

static bool snoop4(
	const struct tn_view *view, const struct tn_headers *h, tn_snooped_fn fn, void *ctx)
{
	const struct tn_ipv4_hdr *ip = (const void *)(view->data + h->l3);
	struct tn_cursor c;

	if ((h->ip_proto != TN_IPPROTO_IGMP && h->ip_proto != TN_IPPROTO_PIM) ||
		h->ip_frag & TN_FRAG_ANY ||
		!find_message(view, h->l3 + tn_ipv4_hdr_len(ip), h->l3 + h->l3_len, 0, &c))
		return false;
	return h->ip_proto == TN_IPPROTO_IGMP ? snoop_igmp(c, ip, fn, ctx) : snoop_pim(c, fn, ctx);
}

static bool is_link_local(const struct tn_ip6 *ip)
{
	return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

static bool is_unspecified(const struct tn_ip6 *ip)
{
	static const struct tn_ip6 zero;

	return !memcmp(ip, &zero, sizeof(zero));
}

static bool snoop_mld(struct tn_cursor c, const struct tn_ipv6_hdr *ip, tn_snooped_fn fn, void *ctx)
{
	struct tn_cursor start = c;
	const struct mld_hdr *mld;
	uint8_t type = c.data[c.pos];

	if (type == MLD_REPORT_V2)
		return snoop_records(start, sizeof(struct tn_ip6), fn, ctx);
	mld = tn_cursor_take(&c, sizeof(*mld));
	if (!mld)
		return false;
	if (type == MLD_QUERY) {
		if (is_link_local(&ip->src))
			fn(ctx, TN_SNOOPED_ROUTER, 0);
		return true;
	}
	if (tn_snoop_is_group6(&mld->group))
		fn(ctx, type == MLD_DONE ? TN_SNOOPED_LEAVE : TN_SNOOPED_JOIN,
			tn_u128_from_ip6(&mld->group));
	return true;
}

static bool snoop6(
	const struct tn_view *view, const struct tn_headers *h, tn_snooped_fn fn, void *ctx)
{
	const struct tn_ipv6_hdr *ip = (const void *)(view->data + h->l3);
	const struct tn_icmp_hdr *icmp = (const void *)(view->data + h->l4);
	uint32_t end = h->l3 + h->l3_len, len = end - h->l4;
	struct tn_cursor c;

	if (!(h->flags & TN_HDR_ICMPV6) || h->ip_frag & TN_FRAG_ANY || ip->hop_limit != 1 ||
		(icmp->type != MLD_QUERY && icmp->type != MLD_REPORT_V1 && icmp->type != MLD_DONE &&
			icmp->type != MLD_REPORT_V2) ||
		(!is_link_local(&ip->src) && !is_unspecified(&ip->src)))
		return false;
	return find_message(view, h->l4, end,
		       tn_csum_pseudo_ipv6(&ip->src, &ip->dst, TN_IPPROTO_ICMPV6, len), &c) &&
		snoop_mld(c, ip, fn, ctx);
}

bool tn_snoop(const struct tn_view *view, const struct tn_headers *h, tn_snooped_fn fn, void *ctx)
{
	if (h->flags & TN_HDR_IPV4)
		return snoop4(view, h, fn, ctx);
	return h->flags & TN_HDR_IPV6 && snoop6(view, h, fn, ctx);
}
