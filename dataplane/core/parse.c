/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/parse.h"

#include <string.h>

#include "dataplane/core/cursor.h"
#include "dataplane/core/wire.h"

/* A packet with more is not sound: six kinds, destination options twice, and a spare. */
#define EXTHDRS_MAX    8u
#define ND_OPTIONS_MAX 16u

/* Two tags, SNAP, the longest chain and the longest options: offsets fit in 16 bits. */
TN_BUILD_ASSERT(
	TN_ETH_LEN + 2 * TN_VLAN_LEN + 8 + 40 + EXTHDRS_MAX * 2048 + 24 + ND_OPTIONS_MAX * 2040 <=
		UINT16_MAX,
	"header offsets are uint16_t");

static void note_short(struct tn_headers *h, const struct tn_cursor *c, uint32_t need)
{
	h->flags |= need <= tn_cursor_wire_left(c) ? TN_HDR_CUT : TN_HDR_BAD;
}

/* Like tn_cursor_take(), and says in h why there is nothing. */
static inline const void *take(struct tn_headers *h, struct tn_cursor *c, uint32_t n)
{
	const void *p = tn_cursor_take(c, n);

	if (tn_unlikely(p == NULL))
		note_short(h, c, n);
	return p;
}

static void parse_tcp(struct tn_headers *h, struct tn_cursor *c)
{
	uint16_t start = (uint16_t)c->pos;
	const struct tn_tcp_hdr *tcp = take(h, c, sizeof(*tcp));
	unsigned len;

	if (!tcp)
		return;
	len = (tn_be16toh(tcp->doff_flags) >> 12) * 4u;
	if (len < sizeof(*tcp) || len - sizeof(*tcp) > tn_cursor_wire_left(c)) {
		h->flags |= TN_HDR_BAD;
		return;
	}
	h->flags |= TN_HDR_TCP;
	h->l4 = start;
}

static void parse_udp(struct tn_headers *h, struct tn_cursor *c)
{
	uint16_t start = (uint16_t)c->pos;
	const struct tn_udp_hdr *udp = take(h, c, sizeof(*udp));
	unsigned len;

	if (!udp)
		return;
	/* In a first fragment the length counts what is in the later ones. */
	len = tn_be16toh(udp->len);
	if (len < sizeof(*udp) ||
		(!(h->ip_frag & TN_FRAG_ANY) && len - sizeof(*udp) > tn_cursor_wire_left(c))) {
		h->flags |= TN_HDR_BAD;
		return;
	}
	h->flags |= TN_HDR_UDP;
	h->l4 = start;
}

static void parse_sctp(struct tn_headers *h, struct tn_cursor *c)
{
	uint16_t start = (uint16_t)c->pos;

	if (!take(h, c, sizeof(struct tn_sctp_hdr)))
		return;
	h->flags |= TN_HDR_SCTP;
	h->l4 = start;
}

static void parse_icmpv4(struct tn_headers *h, struct tn_cursor *c)
{
	uint16_t start = (uint16_t)c->pos;

	if (!take(h, c, sizeof(struct tn_icmp_hdr)))
		return;
	h->flags |= TN_HDR_ICMPV4;
	h->l4 = start;
}

/*
 * The link-layer address option that belongs to the message: source in a solicitation, target in an
 * advertisement. Two of them could be read two ways, so that is malformed too.
 */
static bool parse_nd_options(struct tn_headers *h, struct tn_cursor *c, uint8_t type)
{
	uint8_t wanted = type == TN_ICMPV6_NS ? TN_ND_SLL : TN_ND_TLL;
	uint16_t *found = type == TN_ICMPV6_NS ? &h->nd_sll : &h->nd_tll;

	for (unsigned n = 0; tn_cursor_wire_left(c) > 0; n++) {
		uint16_t start = (uint16_t)c->pos;
		const struct tn_nd_option *o = take(h, c, sizeof(*o));

		if (!o)
			return false;
		if (o->len == 0 || n == ND_OPTIONS_MAX) {
			h->flags |= TN_HDR_BAD;
			return false;
		}
		if (!take(h, c, (o->len - 1u) * 8u))
			return false;
		if (o->type != wanted || o->len != 1)
			continue;
		if (*found) {
			h->flags |= TN_HDR_BAD;
			return false;
		}
		*found = (uint16_t)(start + offsetof(struct tn_nd_option, mac));
	}
	return true;
}

static void parse_icmpv6(struct tn_headers *h, struct tn_cursor *c)
{
	uint16_t start = (uint16_t)c->pos;
	const struct tn_icmp_hdr *icmp = take(h, c, sizeof(*icmp));

	if (!icmp)
		return;
	h->flags |= TN_HDR_ICMPV6;
	h->l4 = start;
	if (icmp->type != TN_ICMPV6_NS && icmp->type != TN_ICMPV6_NA)
		return;
	if (take(h, c, sizeof(struct tn_nd_hdr) - sizeof(*icmp)) &&
		parse_nd_options(h, c, icmp->type)) {
		h->flags |= TN_HDR_ND;
		return;
	}
	h->nd_sll = 0;
	h->nd_tll = 0;
}

static void parse_l4(struct tn_headers *h, struct tn_cursor *c, uint8_t icmp)
{
	if (h->ip_frag & TN_FRAG_LATER)
		return;
	if (h->ip_proto == TN_IPPROTO_TCP)
		parse_tcp(h, c);
	else if (h->ip_proto == TN_IPPROTO_UDP)
		parse_udp(h, c);
	else if (h->ip_proto == TN_IPPROTO_SCTP)
		parse_sctp(h, c);
	else if (h->ip_proto != icmp)
		return;
	else if (icmp == TN_IPPROTO_ICMP)
		parse_icmpv4(h, c);
	else
		parse_icmpv6(h, c);
}

static void parse_ipv4(struct tn_headers *h, struct tn_cursor *c)
{
	uint16_t start = (uint16_t)c->pos;
	uint32_t wire = tn_cursor_wire_left(c);
	const struct tn_ipv4_hdr *ip = take(h, c, sizeof(*ip));
	unsigned hlen, total, frag;

	if (!ip)
		return;
	hlen = tn_ipv4_hdr_len(ip);
	total = tn_be16toh(ip->total_len);
	if (ip->version_ihl >> 4 != 4 || hlen < sizeof(*ip) || total < hlen || total > wire) {
		h->flags |= TN_HDR_BAD;
		return;
	}
	tn_cursor_limit(c, total - (unsigned)sizeof(*ip));
	if (!take(h, c, hlen - (unsigned)sizeof(*ip)))
		return;
	h->flags |= TN_HDR_IPV4;
	h->l3 = start;
	h->l3_len = total;
	h->ip_proto = ip->proto;
	frag = tn_be16toh(ip->frag);
	if (frag & (TN_IPV4_MF | TN_IPV4_OFFSET))
		h->ip_frag = frag & TN_IPV4_OFFSET ? TN_FRAG_ANY | TN_FRAG_LATER : TN_FRAG_ANY;
	parse_l4(h, c, TN_IPPROTO_ICMP);
}

/* Places in the order of RFC 8200, 4.1. */
enum exthdr_rank {
	RANK_HOP = 1,
	RANK_DEST_FIRST,
	RANK_ROUTER,
	RANK_FRAG,
	RANK_AUTH,
	RANK_ESP,
	RANK_DEST,
};

/* What came before in the chain. */
struct exthdr_chain {
	unsigned last; /* highest rank */
	uint16_t seen; /* TN_EXTHDR_* */
	uint8_t n_dest;
};

/* OpenFlow 1.5, 7.2.3.8: which headers there are, unexpected repeats, unexpected order. */
static void note_exthdr(
	struct tn_headers *h, struct exthdr_chain *chain, uint16_t flag, unsigned rank)
{
	if (chain->seen & flag)
		h->exthdr |= TN_EXTHDR_UNREP;
	if (rank < chain->last)
		h->exthdr |= TN_EXTHDR_UNSEQ;
	else
		chain->last = rank;
	chain->seen |= flag;
	h->exthdr |= flag;
}

/* May stand before the routing header and once more at the end: the third is a repeat. */
static void note_dest(struct tn_headers *h, struct exthdr_chain *chain)
{
	unsigned rank = chain->last < RANK_DEST_FIRST ? RANK_DEST_FIRST : RANK_DEST;

	note_exthdr(h, chain, TN_EXTHDR_DEST, rank);
	if (++chain->n_dest < 2)
		chain->seen &= (uint16_t)~TN_EXTHDR_DEST;
}

/* The bit of HOP says that one is in the only place it may have, the first. */
static void note_hop(struct tn_headers *h, struct exthdr_chain *chain, bool first)
{
	uint16_t hop = first ? TN_EXTHDR_HOP : h->exthdr & TN_EXTHDR_HOP;

	note_exthdr(h, chain, TN_EXTHDR_HOP, RANK_HOP);
	if (!first)
		h->exthdr |= TN_EXTHDR_UNSEQ;
	h->exthdr = (uint16_t)((h->exthdr & ~TN_EXTHDR_HOP) | hop);
}

static inline bool is_exthdr(uint8_t next)
{
	const uint64_t set = 1ull << TN_IPPROTO_HOPOPTS | 1ull << TN_IPPROTO_ROUTING |
		1ull << TN_IPPROTO_FRAGMENT | 1ull << TN_IPPROTO_ESP | 1ull << TN_IPPROTO_AH |
		1ull << TN_IPPROTO_NONE | 1ull << TN_IPPROTO_DSTOPTS;

	return next < 64 && set >> next & 1;
}

/*
 * A fragment header that says "offset 0, no more" leaves a whole packet (an atomic fragment, RFC
 * 6946): ip_frag stays 0 and only ipv6_exthdr shows the header.
 */
static void note_fragment(struct tn_headers *h, const struct tn_ipv6_ext *ext)
{
	unsigned offset = tn_be16toh(((const struct tn_ipv6_frag *)(const void *)ext)->offset);

	if (offset & TN_IPV6_FRAG_OFFSET)
		h->ip_frag = TN_FRAG_ANY | TN_FRAG_LATER;
	else if (offset & TN_IPV6_FRAG_MORE)
		h->ip_frag = TN_FRAG_ANY;
}

/* One header that has a length; *more is what it holds beyond its first 8 bytes. */
static void parse_exthdr(struct tn_headers *h, struct exthdr_chain *chain, uint8_t type, bool first,
	const struct tn_ipv6_ext *ext, uint32_t *more)
{
	*more = ext->len * 8u;
	switch (type) {
	case TN_IPPROTO_HOPOPTS:
		note_hop(h, chain, first);
		break;
	case TN_IPPROTO_ROUTING:
		note_exthdr(h, chain, TN_EXTHDR_ROUTER, RANK_ROUTER);
		if (ext->segments_left)
			h->flags |= TN_HDR_ROUTING;
		break;
	case TN_IPPROTO_FRAGMENT:
		note_exthdr(h, chain, TN_EXTHDR_FRAG, RANK_FRAG);
		note_fragment(h, ext);
		*more = 0;
		break;
	case TN_IPPROTO_AH:
		note_exthdr(h, chain, TN_EXTHDR_AUTH, RANK_AUTH);
		*more = ext->len * 4u;
		if (ext->len == 0) /* no room for the sequence number */
			h->flags |= TN_HDR_BAD;
		break;
	default:
		note_dest(h, chain);
		break;
	}
}

/*
 * Walks the chain to the first header that is not an extension, that hides the rest (ESP), or that
 * is not in this packet (a later fragment's). False: malformed or cut.
 */
static bool parse_exthdrs(struct tn_headers *h, struct tn_cursor *c, uint8_t next)
{
	struct exthdr_chain chain = {0};

	for (unsigned n = 0; is_exthdr(next) && !(h->ip_frag & TN_FRAG_LATER); n++) {
		const struct tn_ipv6_ext *ext;
		uint32_t more;

		if (next == TN_IPPROTO_NONE) {
			h->exthdr |= TN_EXTHDR_NONEXT;
			break;
		}
		if (next == TN_IPPROTO_ESP) {
			note_exthdr(h, &chain, TN_EXTHDR_ESP, RANK_ESP);
			break;
		}
		if (n == EXTHDRS_MAX) {
			h->flags |= TN_HDR_BAD;
			return false;
		}
		ext = take(h, c, sizeof(*ext));
		if (!ext)
			return false;
		parse_exthdr(h, &chain, next, n == 0, ext, &more);
		if (h->flags & TN_HDR_BAD || !take(h, c, more))
			return false;
		next = ext->next;
	}
	h->ip_proto = next;
	return true;
}

/*
 * The payload length of a jumbogram (RFC 2675) is in an option of the hop-by-hop header, where the
 * cursor stands. False: not there, too short to need it, or cut.
 */
static bool parse_jumbo(struct tn_headers *h, struct tn_cursor c, uint32_t *payload)
{
	const uint8_t *ext = take(h, &c, 2), *option, *len;
	struct tn_be32 jumbo = {0};

	if (!ext)
		return false;
	tn_cursor_limit(&c, ext[1] * 8u + 6u);
	while (tn_cursor_wire_left(&c) > 0) {
		option = take(h, &c, 1);
		if (!option)
			return false;
		if (*option == 0) /* Pad1: a type and nothing more */
			continue;
		len = take(h, &c, 1);
		if (!len || !take(h, &c, *len))
			return false;
		if (*option != 0xc2)
			continue;
		memcpy(&jumbo, len + 1, *len < sizeof(jumbo) ? *len : sizeof(jumbo));
		*payload = tn_be32toh(jumbo);
		if (*len == sizeof(jumbo) && *payload > UINT16_MAX)
			return true;
		break;
	}
	h->flags |= TN_HDR_BAD;
	return false;
}

static void parse_ipv6(struct tn_headers *h, struct tn_cursor *c)
{
	uint16_t start = (uint16_t)c->pos;
	const struct tn_ipv6_hdr *ip = take(h, c, sizeof(*ip));
	uint32_t payload;

	if (!ip)
		return;
	if (tn_be32toh(ip->version_tc_flow) >> 28 != 6) {
		h->flags |= TN_HDR_BAD;
		return;
	}
	payload = tn_be16toh(ip->payload_len);
	if (payload == 0 && ip->next == TN_IPPROTO_HOPOPTS && !parse_jumbo(h, *c, &payload))
		return;
	if (payload > tn_cursor_wire_left(c)) {
		h->flags |= TN_HDR_BAD;
		return;
	}
	tn_cursor_limit(c, payload);
	if (!parse_exthdrs(h, c, ip->next)) {
		h->flags &= (uint16_t)~TN_HDR_ROUTING;
		h->exthdr = 0;
		h->ip_frag = 0;
		return;
	}
	h->flags |= TN_HDR_IPV6;
	h->l3 = start;
	h->l3_len = (uint32_t)sizeof(*ip) + payload;
	parse_l4(h, c, TN_IPPROTO_ICMPV6);
}

/* Another kind of hardware or protocol is not malformed, it only has no fields of ours. */
static void parse_arp(struct tn_headers *h, struct tn_cursor *c)
{
	uint16_t start = (uint16_t)c->pos;
	const struct tn_arp_hdr *arp = take(h, c, sizeof(*arp));

	if (!arp || tn_be16toh(arp->htype) != 1 || tn_be16toh(arp->ptype) != TN_ETH_TYPE_IPV4 ||
		arp->hlen != 6 || arp->plen != 4)
		return;
	h->flags |= TN_HDR_ARP;
	h->l3 = start;
}

/* An IEEE 802.3 length stood where the type would. SNAP with OUI zero has a type after all. */
static uint16_t parse_llc(struct tn_headers *h, struct tn_cursor *c, uint16_t len)
{
	static const uint8_t snap_oui0[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
	const struct tn_snap_hdr *snap;
	uint16_t type;

	if (len > tn_cursor_wire_left(c)) {
		h->flags |= TN_HDR_BAD;
		return TN_ETH_TYPE_NONE;
	}
	tn_cursor_limit(c, len);
	if (len < sizeof(*snap))
		return TN_ETH_TYPE_NONE;
	snap = take(h, c, sizeof(*snap));
	if (!snap || memcmp(snap, snap_oui0, sizeof(snap_oui0)) != 0)
		return TN_ETH_TYPE_NONE;
	type = tn_be16toh(snap->type);
	return type >= TN_ETH_TYPE_MIN ? type : TN_ETH_TYPE_NONE;
}

/* The type after the tags; a tag's own where the tag is not whole or is the third. */
static uint16_t parse_tags(struct tn_headers *h, struct tn_cursor *c, uint16_t type)
{
	while (tn_unlikely(tn_eth_type_is_tag(type)) && h->n_tags < 2) {
		const struct tn_vlan_hdr *tag = take(h, c, sizeof(*tag));

		if (!tag)
			break;
		h->n_tags++;
		type = tn_be16toh(tag->type);
	}
	h->type_ofs = (uint16_t)(c->pos - sizeof(struct tn_be16));
	return type;
}

enum tn_drop tn_parse(const struct tn_view *view, struct tn_headers *h)
{
	struct tn_cursor c = tn_cursor_of(view);
	const struct tn_eth_hdr *eth;

	memset(h, 0, sizeof(*h));
	eth = take(h, &c, sizeof(*eth));
	if (tn_unlikely(eth == NULL))
		return TN_DROP_RUNT;
	h->eth_type = parse_tags(h, &c, tn_be16toh(eth->type));
	if (tn_unlikely(h->eth_type < TN_ETH_TYPE_MIN))
		h->eth_type = parse_llc(h, &c, h->eth_type);
	switch (h->eth_type) {
	case TN_ETH_TYPE_IPV4:
		parse_ipv4(h, &c);
		break;
	case TN_ETH_TYPE_IPV6:
		parse_ipv6(h, &c);
		break;
	case TN_ETH_TYPE_ARP:
	case TN_ETH_TYPE_RARP:
		parse_arp(h, &c);
		break;
	default:
		break;
	}
	return TN_DROP_NONE;
}

static void extract_l4(const uint8_t *l4, const struct tn_headers *h, struct tn_key *key)
{
	const struct tn_tcp_hdr *tcp = (const void *)l4;
	const struct tn_nd_hdr *nd = (const void *)l4;

	if (h->flags & (TN_HDR_TCP | TN_HDR_UDP | TN_HDR_SCTP)) {
		key->tp_src = tcp->src;
		key->tp_dst = tcp->dst;
		if (h->flags & TN_HDR_TCP)
			key->tcp_flags = tn_htobe16(tn_be16toh(tcp->doff_flags) & 0x0fffu);
	} else if (h->flags & (TN_HDR_ICMPV4 | TN_HDR_ICMPV6)) {
		key->tp_src = tn_htobe16(nd->icmp.type);
		key->tp_dst = tn_htobe16(nd->icmp.code);
		if (h->flags & TN_HDR_ND)
			key->nd_target = nd->target;
	}
}

static void extract_ipv4(const struct tn_ipv4_hdr *ip, struct tn_key *key)
{
	key->ip_tos = ip->tos;
	key->ip_ttl = ip->ttl;
	key->ipv4_src = ip->src;
	key->ipv4_dst = ip->dst;
}

static void extract_ipv6(const struct tn_ipv6_hdr *ip, struct tn_key *key)
{
	key->ip_tos = tn_ipv6_tos(ip);
	key->ip_ttl = ip->hop_limit;
	key->ipv6_flabel.raw = ip->version_tc_flow.raw & tn_htobe32(0xfffff).raw;
	key->ipv6_src = ip->src;
	key->ipv6_dst = ip->dst;
}

static void extract_arp(const struct tn_arp_hdr *arp, struct tn_key *key)
{
	key->arp_op = arp->op;
	key->ipv4_src = arp->spa;
	key->ipv4_dst = arp->tpa;
	key->nd_sll = arp->sha;
	key->nd_tll = arp->tha;
}

/* The tag's PCP and VID with the bit that says there is one in the place of the DEI. */
static struct tn_be16 extract_tci(const uint8_t *p)
{
	struct tn_be16 tci;

	memcpy(&tci, p, sizeof(tci));
	tci.raw |= tn_htobe16(TN_VLAN_PRESENT).raw;
	return tci;
}

void tn_key_extract(const struct tn_view *view, const struct tn_headers *h, struct tn_key *key)
{
	const uint8_t *p = view->data;
	const struct tn_eth_hdr *eth = (const void *)p;

	TN_KEY_SEQ_ASSERT(1);
	tn_key_clear(key);
	key->eth_dst = eth->dst;
	key->eth_src = eth->src;
	key->eth_type = tn_htobe16(h->eth_type);
	if (h->n_tags > 0)
		key->vlan_tci = extract_tci(p + TN_ETH_LEN);
	if (h->n_tags > 1)
		key->inner_vlan_tci = extract_tci(p + TN_ETH_LEN + TN_VLAN_LEN);
	key->ip_proto = h->ip_proto;
	key->ip_frag = h->ip_frag;
	key->ipv6_exthdr = tn_htobe16(h->exthdr);
	if (h->flags & TN_HDR_IPV4)
		extract_ipv4((const void *)(p + h->l3), key);
	else if (h->flags & TN_HDR_IPV6)
		extract_ipv6((const void *)(p + h->l3), key);
	else if (h->flags & TN_HDR_ARP)
		extract_arp((const void *)(p + h->l3), key);
	if (h->l4)
		extract_l4(p + h->l4, h, key);
	if (h->nd_sll)
		memcpy(&key->nd_sll, p + h->nd_sll, sizeof(key->nd_sll));
	if (h->nd_tll)
		memcpy(&key->nd_tll, p + h->nd_tll, sizeof(key->nd_tll));
}
