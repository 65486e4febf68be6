/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/rewrite.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/wire.h"

/* A packet's headers, with what enum tn_header_flags does not say. */
#define HAS_TAG (1u << 16)
#define HAS_SLL (1u << 17)
#define HAS_TLL (1u << 18)

enum base { BASE_FRAME, BASE_L3, BASE_L4, BASE_SLL, BASE_TLL };

/* What sums over the bytes that change. */
enum cover {
	COVER_NONE,
	COVER_IP,      /* IPv4 header */
	COVER_IP_ADDR, /* IPv4 header and L4 through its pseudo header */
	COVER_IP6_SRC, /* L4 through its pseudo header */
	COVER_IP6_DST, /* the same, unless a routing header says that it will still change */
	COVER_L4,      /* L4 header */
};

/*
 * Where a field is: in a big-endian number of `size` bytes at `ofs` from the base, at an even
 * offset of whatever sums over it, `shift` bits up.
 */
struct layout {
	uint32_t needs; /* one TN_HDR_* or HAS_*; 0: always there */
	uint8_t base, ofs, size, shift, cover;
};

#define TCP   TN_HDR_TCP, BASE_L4
#define UDP   TN_HDR_UDP, BASE_L4
#define SCTP  TN_HDR_SCTP, BASE_L4
#define ICMP4 TN_HDR_ICMPV4, BASE_L4
#define ICMP6 TN_HDR_ICMPV6, BASE_L4
#define ARP   TN_HDR_ARP, BASE_L3
#define IP4   TN_HDR_IPV4, BASE_L3
#define IP6   TN_HDR_IPV6, BASE_L3

static const struct layout layouts[TN_N_FIELDS] = {
	[TN_FIELD_ETH_DST] = {0, BASE_FRAME, 0, 6, 0, COVER_NONE},
	[TN_FIELD_ETH_SRC] = {0, BASE_FRAME, 6, 6, 0, COVER_NONE},
	[TN_FIELD_VLAN_VID] = {HAS_TAG, BASE_FRAME, 14, 2, 0, COVER_NONE},
	[TN_FIELD_VLAN_PCP] = {HAS_TAG, BASE_FRAME, 14, 2, 13, COVER_NONE},
	[TN_FIELD_IP_DSCP] = {IP4, 0, 2, 2, COVER_IP},
	[TN_FIELD_IP_ECN] = {IP4, 0, 2, 0, COVER_IP},
	[TN_FIELD_IP_TTL] = {IP4, 8, 2, 8, COVER_IP},
	[TN_FIELD_IPV4_SRC] = {IP4, 12, 4, 0, COVER_IP_ADDR},
	[TN_FIELD_IPV4_DST] = {IP4, 16, 4, 0, COVER_IP_ADDR},
	[TN_FIELD_TCP_SRC] = {TCP, 0, 2, 0, COVER_L4},
	[TN_FIELD_TCP_DST] = {TCP, 2, 2, 0, COVER_L4},
	[TN_FIELD_UDP_SRC] = {UDP, 0, 2, 0, COVER_L4},
	[TN_FIELD_UDP_DST] = {UDP, 2, 2, 0, COVER_L4},
	[TN_FIELD_SCTP_SRC] = {SCTP, 0, 2, 0, COVER_L4},
	[TN_FIELD_SCTP_DST] = {SCTP, 2, 2, 0, COVER_L4},
	[TN_FIELD_ICMPV4_TYPE] = {ICMP4, 0, 2, 8, COVER_L4},
	[TN_FIELD_ICMPV4_CODE] = {ICMP4, 0, 2, 0, COVER_L4},
	[TN_FIELD_ARP_OP] = {ARP, 6, 2, 0, COVER_NONE},
	[TN_FIELD_ARP_SHA] = {ARP, 8, 6, 0, COVER_NONE},
	[TN_FIELD_ARP_SPA] = {ARP, 14, 4, 0, COVER_NONE},
	[TN_FIELD_ARP_THA] = {ARP, 18, 6, 0, COVER_NONE},
	[TN_FIELD_ARP_TPA] = {ARP, 24, 4, 0, COVER_NONE},
	[TN_FIELD_IPV6_SRC] = {IP6, 8, 16, 0, COVER_IP6_SRC},
	[TN_FIELD_IPV6_DST] = {IP6, 24, 16, 0, COVER_IP6_DST},
	[TN_FIELD_IPV6_FLABEL] = {IP6, 0, 4, 0, COVER_NONE},
	[TN_FIELD_ICMPV6_TYPE] = {ICMP6, 0, 2, 8, COVER_L4},
	[TN_FIELD_ICMPV6_CODE] = {ICMP6, 0, 2, 0, COVER_L4},
	[TN_FIELD_ND_TARGET] = {TN_HDR_ND, BASE_L4, 8, 16, 0, COVER_L4},
	[TN_FIELD_ND_SLL] = {HAS_SLL, BASE_SLL, 0, 6, 0, COVER_L4},
	[TN_FIELD_ND_TLL] = {HAS_TLL, BASE_TLL, 0, 6, 0, COVER_L4},
};

static const struct layout ipv6_dscp = {IP6, 0, 2, 6, COVER_NONE};
static const struct layout ipv6_ecn = {IP6, 0, 2, 4, COVER_NONE};
static const struct layout ipv6_ttl = {IP6, 6, 2, 0, COVER_NONE};

#undef TCP
#undef UDP
#undef SCTP
#undef ICMP4
#undef ICMP6
#undef ARP
#undef IP4
#undef IP6

static const struct layout *layout_of(const struct tn_headers *h, enum tn_field_id field)
{
	if (h->eth_type == TN_ETH_TYPE_IPV6) {
		if (field == TN_FIELD_IP_DSCP)
			return &ipv6_dscp;
		if (field == TN_FIELD_IP_ECN)
			return &ipv6_ecn;
		if (field == TN_FIELD_IP_TTL)
			return &ipv6_ttl;
	}
	return &layouts[field];
}

static uint32_t headers_there(const struct tn_headers *h)
{
	return h->flags | (h->n_tags ? HAS_TAG : 0) | (h->nd_sll ? HAS_SLL : 0) |
		(h->nd_tll ? HAS_TLL : 0);
}

static uint8_t *base_of(const struct tn_view *view, const struct tn_headers *h, enum base base)
{
	switch (base) {
	case BASE_FRAME:
		return view->data;
	case BASE_L3:
		return view->data + h->l3;
	case BASE_L4:
		return view->data + h->l4;
	case BASE_SLL:
		return view->data + h->nd_sll;
	case BASE_TLL:
		return view->data + h->nd_tll;
	}
	return view->data;
}

/* The packet says that a header of this protocol comes, and the capture ends before or in it. */
static bool l4_cut(const struct tn_headers *h, uint8_t proto)
{
	return h->flags & TN_HDR_CUT && h->flags & (TN_HDR_IPV4 | TN_HDR_IPV6) && !h->l4 &&
		h->ip_proto == proto;
}

/* The same of an ND message, whose type is there. */
static bool nd_cut(const struct tn_view *view, const struct tn_headers *h, uint8_t type)
{
	return h->flags & TN_HDR_CUT && h->flags & TN_HDR_ICMPV6 &&
		(type == 0 || view->data[h->l4] == type);
}

/* Was the header with the field there, had the capture not ended? */
static bool cut_off(const struct tn_view *view, const struct tn_headers *h, uint32_t needs)
{
	if (!(h->flags & TN_HDR_CUT))
		return false;
	switch (needs) {
	case HAS_TAG:
		return h->n_tags == 0 && tn_eth_type_is_tag(h->eth_type);
	case TN_HDR_ARP:
		return h->eth_type == TN_ETH_TYPE_ARP || h->eth_type == TN_ETH_TYPE_RARP;
	case TN_HDR_IPV4:
		return h->eth_type == TN_ETH_TYPE_IPV4;
	case TN_HDR_IPV6:
		return h->eth_type == TN_ETH_TYPE_IPV6;
	case TN_HDR_TCP:
		return l4_cut(h, TN_IPPROTO_TCP);
	case TN_HDR_UDP:
		return l4_cut(h, TN_IPPROTO_UDP);
	case TN_HDR_SCTP:
		return l4_cut(h, TN_IPPROTO_SCTP);
	case TN_HDR_ICMPV4:
		return l4_cut(h, TN_IPPROTO_ICMP);
	case TN_HDR_ICMPV6:
		return l4_cut(h, TN_IPPROTO_ICMPV6);
	case TN_HDR_ND:
		return nd_cut(view, h, 0);
	case HAS_SLL:
		return nd_cut(view, h, TN_ICMPV6_NS);
	case HAS_TLL:
		return nd_cut(view, h, TN_ICMPV6_NA);
	default:
		return false;
	}
}

static tn_u128 load_be(const uint8_t *p, unsigned size)
{
	struct tn_be16 v2;
	struct tn_be32 v4;
	struct tn_be64 v8;

	switch (size) {
	case 2:
		memcpy(&v2, p, 2);
		return tn_be16toh(v2);
	case 4:
		memcpy(&v4, p, 4);
		return tn_be32toh(v4);
	case 6:
		return load_be(p, 2) << 32 | load_be(p + 2, 4);
	case 8:
		memcpy(&v8, p, 8);
		return tn_be64toh(v8);
	default:
		return load_be(p, 8) << 64 | load_be(p + 8, 8);
	}
}

static void store_be(uint8_t *p, unsigned size, tn_u128 v)
{
	struct tn_be16 v2 = tn_htobe16((uint16_t)v);
	struct tn_be32 v4 = tn_htobe32((uint32_t)v);
	struct tn_be64 v8 = tn_htobe64((uint64_t)v);

	switch (size) {
	case 2:
		memcpy(p, &v2, 2);
		break;
	case 4:
		memcpy(p, &v4, 4);
		break;
	case 6:
		store_be(p, 2, v >> 32);
		memcpy(p + 2, &v4, 4);
		break;
	case 8:
		memcpy(p, &v8, 8);
		break;
	default:
		store_be(p, 8, v >> 64);
		memcpy(p + 8, &v8, 8);
		break;
	}
}

static void update_ipv4_sum(uint8_t *ip, const void *old, const void *new, size_t len)
{
	struct tn_ipv4_hdr *hdr = (void *)ip;

	hdr->csum = tn_csum_update(hdr->csum, old, new, len);
}

/* TCP, UDP, ICMP and ICMPv6; ICMP sums only its own bytes. */
static void update_l4_sum(
	uint8_t *l4, const struct tn_headers *h, const void *old, const void *new, size_t len)
{
	struct tn_be16 csum;
	size_t ofs;

	if (h->flags & TN_HDR_TCP)
		ofs = offsetof(struct tn_tcp_hdr, csum);
	else if (h->flags & TN_HDR_UDP)
		ofs = offsetof(struct tn_udp_hdr, csum);
	else
		ofs = offsetof(struct tn_icmp_hdr, csum);
	memcpy(&csum, l4 + ofs, sizeof(csum));
	if (h->flags & TN_HDR_UDP && csum.raw == 0)
		return; /* the sender gave none */
	csum = tn_csum_update(csum, old, new, len);
	if (h->flags & TN_HDR_UDP && csum.raw == 0)
		csum.raw = 0xffff;
	memcpy(l4 + ofs, &csum, sizeof(csum));
}

/* new: the bytes that changed, in the frame. */
static void update_sctp_crc(const struct tn_view *view, const struct tn_headers *h, const void *old,
	const uint8_t *new, size_t len)
{
	struct tn_sctp_hdr *sctp = (void *)(view->data + h->l4);
	uint32_t end = h->l3 + h->l3_len;
	uint32_t at = (uint32_t)(new - view->data);

	sctp->csum = tn_crc32c_update(sctp->csum, old, new, len, end - at - len);
}

/* Does L4's checksum cover a change of the IP addresses? */
static bool in_pseudo_header(const struct tn_headers *h, enum cover cover)
{
	const uint16_t l4 = TN_HDR_TCP | TN_HDR_UDP | TN_HDR_ICMPV6;

	if (!(h->flags & l4))
		return false;
	if (cover == COVER_IP6_DST)
		return !(h->flags & TN_HDR_ROUTING);
	return cover == COVER_IP_ADDR || cover == COVER_IP6_SRC;
}

/* Why the sums over a field cannot follow a change of it. */
static enum tn_drop check_sums(const struct tn_headers *h, enum cover cover)
{
	switch (cover) {
	case COVER_NONE:
	case COVER_IP:
		return TN_DROP_NONE;
	case COVER_L4:
		return h->flags & TN_HDR_SCTP && h->ip_frag & TN_FRAG_ANY ? TN_DROP_SCTP_FRAGMENT
									  : TN_DROP_NONE;
	case COVER_IP6_DST:
		if (h->flags & TN_HDR_ROUTING)
			return TN_DROP_NONE;
		break;
	case COVER_IP_ADDR:
	case COVER_IP6_SRC:
		break;
	}
	if (l4_cut(h, TN_IPPROTO_TCP) || l4_cut(h, TN_IPPROTO_UDP) || l4_cut(h, TN_IPPROTO_ICMPV6))
		return TN_DROP_TRUNCATED_HEADER;
	return TN_DROP_NONE;
}

static void update_sums(const struct tn_view *view, const struct tn_headers *h, enum cover cover,
	const void *old, const uint8_t *new, size_t len)
{
	if (cover == COVER_IP || cover == COVER_IP_ADDR)
		update_ipv4_sum(view->data + h->l3, old, new, len);
	if (cover == COVER_L4 && h->flags & TN_HDR_SCTP)
		update_sctp_crc(view, h, old, new, len);
	else if (cover == COVER_L4 || in_pseudo_header(h, cover))
		update_l4_sum(view->data + h->l4, h, old, new, len);
}

static void parse_again(const struct tn_view *view, struct tn_headers *h)
{
	enum tn_drop drop = tn_parse(view, h);

	TN_ASSERT(drop == TN_DROP_NONE);
	(void)drop;
}

enum tn_drop tn_rewrite_field(struct tn_view *view, struct tn_headers *h, enum tn_field_id field,
	tn_u128 value, tn_u128 mask)
{
	const struct layout *l = layout_of(h, field);
	uint8_t old[16], *p;
	tn_u128 word, changed;
	enum tn_drop drop;

	if (l->size == 0)
		return TN_DROP_NONE;
	if (l->needs && !(headers_there(h) & l->needs))
		return cut_off(view, h, l->needs) ? TN_DROP_TRUNCATED_HEADER : TN_DROP_NONE;
	p = base_of(view, h, l->base) + l->ofs;
	mask &= tn_field_ones(field);
	if (field == TN_FIELD_VLAN_VID)
		mask &= TN_VLAN_VID_MASK; /* its top bit says that there is a tag */
	word = load_be(p, l->size);
	changed = (word ^ value << l->shift) & mask << l->shift;
	if (!changed)
		return TN_DROP_NONE;
	drop = check_sums(h, l->cover);
	if (drop)
		return drop;
	memcpy(old, p, l->size);
	store_be(p, l->size, word ^ changed);
	update_sums(view, h, l->cover, old, p, l->size);
	if (field == TN_FIELD_ICMPV6_TYPE)
		parse_again(view, h); /* what is behind it may now read as ND, or no longer */
	return TN_DROP_NONE;
}

enum tn_drop tn_rewrite_push_vlan(
	struct tn_view *view, struct tn_headers *h, uint16_t ethertype, uint16_t tci)
{
	const size_t macs = 2 * sizeof(struct tn_mac);
	struct tn_be16 tag[2] = {tn_htobe16(ethertype), tn_htobe16(tci)};

	if (view->len < TN_ETH_LEN)
		return TN_DROP_RUNT;
	if (view->headroom < TN_VLAN_LEN)
		return TN_DROP_NO_HEADROOM;
	memmove(view->data - TN_VLAN_LEN, view->data, macs);
	view->data -= TN_VLAN_LEN;
	memcpy(view->data + macs, tag, sizeof(tag));
	view->headroom -= TN_VLAN_LEN;
	view->len += TN_VLAN_LEN;
	view->wire_len += TN_VLAN_LEN;
	parse_again(view, h);
	return TN_DROP_NONE;
}

enum tn_drop tn_rewrite_pop_vlan(struct tn_view *view, struct tn_headers *h)
{
	if (h->n_tags == 0)
		return cut_off(view, h, HAS_TAG) ? TN_DROP_TRUNCATED_HEADER : TN_DROP_NONE;
	memmove(view->data + TN_VLAN_LEN, view->data, 2 * sizeof(struct tn_mac));
	view->data += TN_VLAN_LEN;
	view->headroom += TN_VLAN_LEN;
	view->len -= TN_VLAN_LEN;
	view->wire_len -= TN_VLAN_LEN;
	parse_again(view, h);
	return TN_DROP_NONE;
}

static uint8_t read_ttl(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? ((const struct tn_ipv4_hdr *)(const void *)ip)->ttl
			       : ((const struct tn_ipv6_hdr *)(const void *)ip)->hop_limit;
}

static void write_ttl(uint8_t *ip, uint8_t ttl)
{
	struct tn_ipv4_hdr *v4 = (void *)ip;
	uint8_t old[2], *word = &v4->ttl; /* with the protocol: an even offset */

	if (ip[0] >> 4 == 4) {
		memcpy(old, word, sizeof(old));
		v4->ttl = ttl;
		update_ipv4_sum(ip, old, word, sizeof(old));
	} else {
		((struct tn_ipv6_hdr *)(void *)ip)->hop_limit = ttl;
	}
}

enum tn_drop tn_rewrite_dec_ttl(struct tn_view *view, struct tn_headers *h)
{
	uint8_t *ip = view->data + h->l3;
	uint8_t ttl;

	if (!(h->flags & (TN_HDR_IPV4 | TN_HDR_IPV6)))
		return cut_off(view, h, TN_HDR_IPV4) || cut_off(view, h, TN_HDR_IPV6)
			? TN_DROP_TRUNCATED_HEADER
			: TN_DROP_NONE;
	ttl = read_ttl(ip);
	if (ttl <= 1)
		return TN_DROP_TTL_EXPIRED;
	write_ttl(ip, ttl - 1);
	return TN_DROP_NONE;
}

/*
 * The IP header that starts right behind the outer one, by the outer one's own protocol number:
 * extension headers may stand before any IP header but this looks at neighbours only.
 */
static enum tn_drop find_inner_ip(
	const struct tn_view *view, const struct tn_headers *h, uint8_t **inner)
{
	uint8_t *outer = view->data + h->l3;
	uint32_t ofs, need;
	uint8_t proto;

	*inner = NULL;
	if (h->flags & TN_HDR_IPV4) {
		ofs = tn_ipv4_hdr_len((const void *)outer);
		proto = ((const struct tn_ipv4_hdr *)(const void *)outer)->proto;
	} else if (h->flags & TN_HDR_IPV6) {
		ofs = sizeof(struct tn_ipv6_hdr);
		proto = ((const struct tn_ipv6_hdr *)(const void *)outer)->next;
	} else {
		return cut_off(view, h, TN_HDR_IPV4) || cut_off(view, h, TN_HDR_IPV6)
			? TN_DROP_TRUNCATED_HEADER
			: TN_DROP_NONE;
	}
	if ((proto != TN_IPPROTO_IPIP && proto != TN_IPPROTO_IPV6) || h->ip_frag & TN_FRAG_LATER)
		return TN_DROP_NONE;
	need = proto == TN_IPPROTO_IPIP ? sizeof(struct tn_ipv4_hdr) : sizeof(struct tn_ipv6_hdr);
	if (need > h->l3_len - ofs)
		return TN_DROP_NONE;
	if (need > view->len - h->l3 - ofs)
		return TN_DROP_TRUNCATED_HEADER;
	if (proto == TN_IPPROTO_IPIP ? outer[ofs] >> 4 == 4 && (outer[ofs] & 0x0f) >= 5
				     : outer[ofs] >> 4 == 6)
		*inner = outer + ofs;
	return TN_DROP_NONE;
}

enum tn_drop tn_rewrite_copy_ttl_in(struct tn_view *view, struct tn_headers *h)
{
	uint8_t *inner;
	enum tn_drop drop = find_inner_ip(view, h, &inner);

	if (inner)
		write_ttl(inner, read_ttl(view->data + h->l3));
	return drop;
}

enum tn_drop tn_rewrite_copy_ttl_out(struct tn_view *view, struct tn_headers *h)
{
	uint8_t *inner;
	enum tn_drop drop = find_inner_ip(view, h, &inner);

	if (inner)
		write_ttl(view->data + h->l3, read_ttl(inner));
	return drop;
}

uint8_t tn_header_tos(const struct tn_view *view, const struct tn_headers *h)
{
	const uint8_t *ip = view->data + h->l3;

	if (h->flags & TN_HDR_IPV4)
		return ((const struct tn_ipv4_hdr *)(const void *)ip)->tos;
	if (h->flags & TN_HDR_IPV6)
		return tn_ipv6_tos((const void *)ip);
	return 0;
}
