/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/vxlan.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/rewrite.h"
#include "dataplane/core/wire.h"

#define SHIM_LEN (sizeof(struct tn_udp_hdr) + sizeof(struct tn_vxlan_hdr))

TN_BUILD_ASSERT(
	TN_VXLAN_OVERHEAD_IP4 == TN_ETH_LEN + sizeof(struct tn_ipv4_hdr) + SHIM_LEN, "IPv4");
TN_BUILD_ASSERT(
	TN_VXLAN_OVERHEAD_IP6 == TN_ETH_LEN + sizeof(struct tn_ipv6_hdr) + SHIM_LEN, "IPv6");
TN_BUILD_ASSERT(TN_VXLAN_OVERHEAD_IP6 <= TN_HEADROOM_MIN, "drivers leave too little room");

static const struct tn_udp_hdr *udp_of(const struct tn_view *view, const struct tn_headers *h)
{
	return (const void *)(view->data + h->l4);
}

bool tn_vxlan_match(const struct tn_view *view, const struct tn_headers *h, uint16_t udp_port)
{
	return h->flags & TN_HDR_UDP && !(h->ip_frag & TN_FRAG_ANY) &&
		tn_be16toh(udp_of(view, h)->dst) == udp_port;
}

static void read_ip(
	const struct tn_view *view, const struct tn_headers *h, struct tn_vxlan_outer *outer)
{
	const void *l3 = view->data + h->l3;
	const struct tn_ipv4_hdr *v4 = l3;
	const struct tn_ipv6_hdr *v6 = l3;

	outer->tos = tn_header_tos(view, h);
	if (h->flags & TN_HDR_IPV4) {
		outer->ttl = v4->ttl;
		outer->src = tn_u128_from_ip4(tn_be32toh(v4->src));
		outer->dst = tn_u128_from_ip4(tn_be32toh(v4->dst));
	} else {
		outer->ttl = v6->hop_limit;
		outer->src = tn_u128_from_ip6(&v6->src);
		outer->dst = tn_u128_from_ip6(&v6->dst);
	}
}

static bool ip_csum_ok(const struct tn_view *view, const struct tn_headers *h)
{
	const void *ip = view->data + h->l3;

	return h->flags & TN_HDR_IPV6 || tn_csum_ipv4_ok(ip, tn_ipv4_hdr_len(ip));
}

static bool udp_csum_ok(const struct tn_view *view, const struct tn_headers *h, uint32_t len)
{
	const struct tn_udp_hdr *udp = udp_of(view, h);
	const void *l3 = view->data + h->l3;
	const struct tn_ipv4_hdr *v4 = l3;
	const struct tn_ipv6_hdr *v6 = l3;
	uint64_t sum;

	if (udp->csum.raw == 0 || len > view->len - h->l4)
		return true;
	sum = h->flags & TN_HDR_IPV4 ? tn_csum_pseudo_ipv4(&v4->src, &v4->dst, TN_IPPROTO_UDP, len)
				     : tn_csum_pseudo_ipv6(&v6->src, &v6->dst, TN_IPPROTO_UDP, len);
	return tn_csum_fold(tn_csum_add(sum, udp, len)).raw == 0;
}

enum tn_drop tn_vxlan_decode(
	const struct tn_view *view, const struct tn_headers *h, struct tn_vxlan_outer *outer)
{
	const struct tn_vxlan_hdr *vxlan;
	const struct tn_udp_hdr *udp;
	uint32_t len;

	if (!(h->flags & TN_HDR_UDP))
		return TN_DROP_VXLAN_MALFORMED;
	udp = udp_of(view, h);
	len = tn_be16toh(udp->len);
	if (!ip_csum_ok(view, h))
		return TN_DROP_VXLAN_BAD_CHECKSUM;
	if (len < SHIM_LEN + TN_ETH_LEN)
		return TN_DROP_VXLAN_MALFORMED;
	if (!udp_csum_ok(view, h, len))
		return TN_DROP_VXLAN_BAD_CHECKSUM;
	if (SHIM_LEN + TN_ETH_LEN > view->len - h->l4)
		return TN_DROP_TRUNCATED_HEADER;
	vxlan = (const void *)(udp + 1);
	if (!(vxlan->flags & TN_VXLAN_FLAG_I))
		return TN_DROP_VXLAN_MALFORMED;
	read_ip(view, h, outer);
	outer->vni = (uint32_t)vxlan->vni[0] << 16 | (uint32_t)vxlan->vni[1] << 8 | vxlan->vni[2];
	outer->udp_src = tn_be16toh(udp->src);
	outer->udp_dst = tn_be16toh(udp->dst);
	outer->inner_ofs = h->l4 + (uint32_t)SHIM_LEN;
	return TN_DROP_NONE;
}

#define ECN_DROP 0xffu

/* RFC 6040, figure 4. */
static enum tn_drop merge_ecn(struct tn_view *view, uint8_t outer)
{
	static const uint8_t merged[4][4] = {
		[TN_ECN_NOT_ECT] = {[TN_ECN_CE] = ECN_DROP},
		[TN_ECN_ECT1] = {TN_ECN_ECT1, TN_ECN_ECT1, TN_ECN_ECT1, TN_ECN_CE},
		[TN_ECN_ECT0] = {TN_ECN_ECT0, TN_ECN_ECT1, TN_ECN_ECT0, TN_ECN_CE},
		[TN_ECN_CE] = {TN_ECN_CE, TN_ECN_CE, TN_ECN_CE, TN_ECN_CE},
	};
	struct tn_headers h;
	uint8_t ecn;

	if (outer == TN_ECN_NOT_ECT)
		return TN_DROP_NONE; /* changes nothing, whatever is inside */
	if (tn_parse(view, &h) || !(h.flags & (TN_HDR_IPV4 | TN_HDR_IPV6)))
		return TN_DROP_NONE;
	ecn = merged[tn_header_tos(view, &h) & TN_ECN_MASK][outer];
	if (ecn == ECN_DROP)
		return TN_DROP_VXLAN_MALFORMED;
	return tn_rewrite_field(view, &h, TN_FIELD_IP_ECN, ecn, TN_ECN_MASK);
}

enum tn_drop tn_vxlan_strip(struct tn_view *view, const struct tn_vxlan_outer *outer)
{
	const struct tn_udp_hdr *udp = (const void *)(view->data + outer->inner_ofs - SHIM_LEN);
	uint32_t len = tn_be16toh(udp->len) - (uint32_t)SHIM_LEN;
	struct tn_view inner = {
		.data = view->data + outer->inner_ofs,
		.len = view->len - outer->inner_ofs,
		.wire_len = len,
		.headroom = view->headroom + outer->inner_ofs,
		.tailroom = view->tailroom,
	};
	enum tn_drop drop;

	if (inner.len > len) {
		inner.tailroom += inner.len - len;
		inner.len = len;
	}
	drop = merge_ecn(&inner, outer->tos & TN_ECN_MASK);
	if (drop)
		return drop;
	*view = inner;
	return TN_DROP_NONE;
}

/*
 * DF set: each packet is whole and its ID says nothing (RFC 6864). Else packets of one flow must
 * differ in it: the headers inside do, by their own IDs and sequence numbers.
 */
static uint16_t ipv4_id(const struct tn_view *view, const struct tn_vxlan_encap *encap)
{
	const uint32_t headers = 64;

	if (encap->dont_fragment)
		return 0;
	return (uint16_t)tn_crc32c(0, view->data, view->len < headers ? view->len : headers);
}

static void put_ipv4(struct tn_ipv4_hdr *ip, const struct tn_vxlan_encap *encap, uint8_t tos,
	uint16_t id, uint32_t udp_len)
{
	memset(ip, 0, sizeof(*ip));
	ip->version_ihl = 0x45;
	ip->tos = tos;
	ip->total_len = tn_htobe16((uint16_t)(sizeof(*ip) + udp_len));
	ip->id = tn_htobe16(id);
	ip->frag = tn_htobe16(encap->dont_fragment ? TN_IPV4_DF : 0);
	ip->ttl = encap->ttl;
	ip->proto = TN_IPPROTO_UDP;
	ip->src = tn_htobe32((uint32_t)encap->src);
	ip->dst = tn_htobe32((uint32_t)encap->dst);
	ip->csum = tn_csum_fold(tn_csum_add(0, ip, sizeof(*ip)));
}

/* The flow label carries the flow's entropy as well (RFC 6438). */
static void put_ipv6(struct tn_ipv6_hdr *ip, const struct tn_vxlan_encap *encap, uint8_t tos,
	uint32_t entropy, uint32_t udp_len)
{
	ip->version_tc_flow = tn_htobe32(6u << 28 | (uint32_t)tos << 20 | entropy >> 12);
	ip->payload_len = tn_htobe16((uint16_t)udp_len);
	ip->next = TN_IPPROTO_UDP;
	ip->hop_limit = encap->ttl;
	ip->src = tn_u128_to_ip6(encap->src);
	ip->dst = tn_u128_to_ip6(encap->dst);
}

/* UDP and VXLAN headers, the checksum still zero. */
static void put_shim(struct tn_udp_hdr *udp, const struct tn_vxlan_encap *encap, uint32_t entropy,
	uint32_t udp_len)
{
	struct tn_vxlan_hdr *vxlan = (void *)(udp + 1);

	udp->src = tn_htobe16((uint16_t)(TN_VXLAN_SPORT_MIN + (entropy & 0x3fff)));
	udp->dst = tn_htobe16(encap->udp_dst);
	udp->len = tn_htobe16((uint16_t)udp_len);
	udp->csum.raw = 0;
	memset(vxlan, 0, sizeof(*vxlan));
	vxlan->flags = TN_VXLAN_FLAG_I;
	vxlan->vni[0] = (uint8_t)(encap->vni >> 16);
	vxlan->vni[1] = (uint8_t)(encap->vni >> 8);
	vxlan->vni[2] = (uint8_t)encap->vni;
}

static void put_udp_csum(struct tn_udp_hdr *udp, uint64_t pseudo, uint32_t udp_len)
{
	udp->csum = tn_csum_fold(tn_csum_add(pseudo, udp, udp_len));
	if (udp->csum.raw == 0)
		udp->csum.raw = 0xffff;
}

/* DSCP as the tunnel says; ECN copied from inside, RFC 6040's normal mode. */
static uint8_t outer_tos(const struct tn_view *view, const struct tn_vxlan_encap *encap,
	const struct tn_headers *inner)
{
	uint8_t tos = 0, dscp;

	/* A frame that was shortened on its way out may have lost the header. */
	if (inner->l3 + sizeof(struct tn_ipv4_hdr) <= view->len)
		tos = tn_header_tos(view, inner);
	dscp = encap->inherit_dscp ? tos : encap->tos;
	return (uint8_t)((dscp & ~TN_ECN_MASK) | (tos & TN_ECN_MASK));
}

enum tn_drop tn_vxlan_push(struct tn_view *view, const struct tn_vxlan_encap *encap,
	const struct tn_headers *inner, uint32_t entropy)
{
	uint32_t wire_len = view->wire_len > view->len ? view->wire_len : view->len;
	uint32_t ip4, udp_len = (uint32_t)SHIM_LEN + wire_len;
	bool v4 = tn_u128_is_ip4(encap->dst, &ip4);
	uint32_t overhead = v4 ? TN_VXLAN_OVERHEAD_IP4 : TN_VXLAN_OVERHEAD_IP6;
	bool checksum = encap->udp_checksum && view->len == wire_len;
	uint8_t tos = outer_tos(view, encap, inner);
	struct tn_eth_hdr *eth;
	struct tn_udp_hdr *udp;
	uint64_t pseudo;

	if (view->headroom < overhead)
		return TN_DROP_NO_HEADROOM;
	if (udp_len > UINT16_MAX - (v4 ? sizeof(struct tn_ipv4_hdr) : 0))
		return TN_DROP_TOO_LONG;
	eth = (void *)(view->data - overhead);
	udp = (void *)(view->data - SHIM_LEN);
	put_shim(udp, encap, entropy, udp_len);
	if (v4) {
		struct tn_ipv4_hdr *ip = (void *)(eth + 1);

		put_ipv4(ip, encap, tos, ipv4_id(view, encap), udp_len);
		pseudo = tn_csum_pseudo_ipv4(&ip->src, &ip->dst, TN_IPPROTO_UDP, udp_len);
	} else {
		struct tn_ipv6_hdr *ip = (void *)(eth + 1);

		put_ipv6(ip, encap, tos, entropy, udp_len);
		pseudo = tn_csum_pseudo_ipv6(&ip->src, &ip->dst, TN_IPPROTO_UDP, udp_len);
	}
	if (checksum)
		put_udp_csum(udp, pseudo, udp_len);
	eth->dst = encap->eth_dst;
	eth->src = encap->eth_src;
	eth->type = tn_htobe16(v4 ? TN_ETH_TYPE_IPV4 : TN_ETH_TYPE_IPV6);
	view->data -= overhead;
	view->headroom -= overhead;
	view->len += overhead;
	view->wire_len = wire_len + overhead;
	return TN_DROP_NONE;
}

static uint64_t end_mac(const struct tn_mac *mac)
{
	uint64_t v = 0;

	memcpy(&v, mac, sizeof(*mac));
	return tn_entropy_end(v, 0);
}

uint32_t tn_key_entropy(const struct tn_key *key)
{
	uint16_t type = tn_be16toh(key->eth_type), src = 0, dst = 0;

	TN_KEY_SEQ_ASSERT(1);
	/* No ports where only some fragments have them: all go one way. ICMP has none. */
	if (!key->ip_frag &&
		(key->ip_proto == TN_IPPROTO_TCP || key->ip_proto == TN_IPPROTO_UDP ||
			key->ip_proto == TN_IPPROTO_SCTP)) {
		src = key->tp_src.raw;
		dst = key->tp_dst.raw;
	}
	if (type == TN_ETH_TYPE_IPV4)
		return tn_entropy_ip4(
			key->ipv4_src.raw, key->ipv4_dst.raw, src, dst, key->ip_proto);
	if (type == TN_ETH_TYPE_IPV6)
		return tn_entropy_ip6(&key->ipv6_src, &key->ipv6_dst, src, dst, key->ip_proto);
	return tn_entropy(end_mac(&key->eth_src), end_mac(&key->eth_dst), type, key->ip_proto);
}
