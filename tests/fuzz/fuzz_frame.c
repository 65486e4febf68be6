/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> a frame -> parser, key, VXLAN. The first two bytes say how much longer the frame was on
 * the wire; the rest is the frame, in a buffer of just its size.
 */
#include "dataplane/core/parse.h"

#include "dataplane/core/vxlan.h"
#include "dataplane/core/wire.h"

#include "tests/fuzz/fuzz.h"

#define L4_FLAGS (TN_HDR_TCP | TN_HDR_UDP | TN_HDR_SCTP | TN_HDR_ICMPV4 | TN_HDR_ICMPV6)

static unsigned l4_len(const struct tn_headers *h)
{
	switch (h->flags & L4_FLAGS) {
	case TN_HDR_TCP:
		return sizeof(struct tn_tcp_hdr);
	case TN_HDR_UDP:
		return sizeof(struct tn_udp_hdr);
	case TN_HDR_SCTP:
		return sizeof(struct tn_sctp_hdr);
	case TN_HDR_ICMPV4:
		return sizeof(struct tn_icmp_hdr);
	case TN_HDR_ICMPV6:
		return h->flags & TN_HDR_ND ? sizeof(struct tn_nd_hdr) : sizeof(struct tn_icmp_hdr);
	default:
		return 0; /* none, or more than one */
	}
}

static unsigned l3_len(const struct tn_headers *h)
{
	switch (h->flags & (TN_HDR_IPV4 | TN_HDR_IPV6 | TN_HDR_ARP)) {
	case TN_HDR_IPV4:
		return sizeof(struct tn_ipv4_hdr);
	case TN_HDR_IPV6:
		return sizeof(struct tn_ipv6_hdr);
	case TN_HDR_ARP:
		return sizeof(struct tn_arp_hdr);
	default:
		return 0;
	}
}

/* Every header is inside the frame, behind the one that holds it, and only one of a layer. */
static void require_sound(const struct tn_view *v, const struct tn_headers *h)
{
	uint32_t l3 = l3_len(h), l4 = l4_len(h);

	fuzz_require(h->n_tags <= 2 && h->type_ofs == 12u + 4u * h->n_tags);
	fuzz_require(h->type_ofs + 2u <= v->len);
	fuzz_require((h->flags & (TN_HDR_CUT | TN_HDR_BAD)) != (TN_HDR_CUT | TN_HDR_BAD));
	fuzz_require(!(h->flags & TN_HDR_CUT) || v->len < v->wire_len);
	fuzz_require((h->l3 != 0) == (l3 != 0));
	fuzz_require((h->l4 != 0) == (l4 != 0));
	if (l3) {
		fuzz_require(h->l3 >= h->type_ofs + 2u && h->l3 + l3 <= v->len);
		fuzz_require(h->l3 + h->l3_len <= v->wire_len);
	}
	if (l4) {
		fuzz_require(h->l3 + l3 <= h->l4 && h->l4 + l4 <= v->len);
		fuzz_require(h->l4 + l4 <= h->l3 + h->l3_len);
		fuzz_require(!(h->ip_frag & TN_FRAG_LATER));
	}
	fuzz_require(!(h->nd_sll && h->nd_tll));
	if (h->nd_sll || h->nd_tll) {
		fuzz_require(h->flags & TN_HDR_ND);
		fuzz_require(h->nd_sll + h->nd_tll >= h->l4 + 26u);
		fuzz_require(h->nd_sll + h->nd_tll + 6u <= v->len);
	}
}

/* A field that the packet cannot have is zero. */
static void require_key(const struct tn_headers *h, const struct tn_key *key)
{
	fuzz_require(tn_be16toh(key->eth_type) == h->eth_type);
	if (!h->l3)
		fuzz_require(!key->ip_proto && !key->ip_frag && !key->ip_ttl &&
			!key->ipv4_src.raw && !key->arp_op.raw);
	if (!h->l4)
		fuzz_require(!key->tp_src.raw && !key->tp_dst.raw && !key->tcp_flags.raw);
	for (unsigned id = 0; id < TN_FIELD_ETH_DST; id++)
		fuzz_require(tn_field_get(key, (enum tn_field_id)id) == 0);
}

static bool parse(const struct tn_view *v, struct tn_headers *h, struct tn_key *key)
{
	if (tn_parse(v, h)) {
		fuzz_require(v->len < TN_ETH_LEN && h->l3 == 0);
		return false;
	}
	fuzz_require(v->len >= TN_ETH_LEN);
	require_sound(v, h);
	memset(key, 0xff, sizeof(*key));
	tn_key_extract(v, h, key);
	require_key(h, key);
	(void)tn_key_entropy(key);
	return true;
}

/* Tunnels in tunnels until the frame is used up. */
static void unpack(struct tn_view v)
{
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	struct tn_key key;

	while (parse(&v, &h, &key) && h.flags & TN_HDR_UDP) {
		struct tn_view before = v;

		fuzz_require(tn_vxlan_match(&v, &h, tn_be16toh(key.tp_dst)) == !key.ip_frag);
		if (key.ip_frag || tn_vxlan_decode(&v, &h, &outer))
			return;
		fuzz_require(outer.vni <= TN_VXLAN_VNI_MAX && outer.inner_ofs + 14 <= v.len);
		if (tn_vxlan_strip(&v, &outer))
			return;
		fuzz_require(v.data == before.data + outer.inner_ofs);
		fuzz_require(v.len >= 14 && v.len <= v.wire_len);
		fuzz_require(v.headroom + v.len + v.tailroom ==
			before.headroom + before.len + before.tailroom);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint16_t more = fuzz_take16(&in);
	uint8_t *bytes = malloc(in.left ? in.left : 1);
	struct tn_view view = {.data = bytes, .len = (uint32_t)in.left};

	if (!bytes)
		return 0;
	view.wire_len = view.len + more;
	fuzz_take(&in, bytes, in.left);
	unpack(view);
	free(bytes);
	return 0;
}
