/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/shape.h"

TN_KEY_SEQ_ASSERT(1); /* each member of the flow key is in the session key or in the rest */

static inline __m128i load2(const uint64_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static bool overlap(const struct tn_key *a, const struct tn_key *b)
{
	const uint64_t *x = tn_key_cwords(a), *y = tn_key_cwords(b);
	__m128i any = _mm_setzero_si128();
	size_t i = 0;

	for (; i + 2 <= TN_KEY_WORDS; i += 2)
		any = _mm_or_si128(any, _mm_and_si128(load2(x + i), load2(y + i)));
	return !_mm_testz_si128(any, any) || (i < TN_KEY_WORDS && x[i] & y[i]);
}

bool tn_key_beyond(const uint64_t *bits, const uint64_t *mask)
{
	__m128i any = _mm_setzero_si128();
	size_t i = 0;

	for (; i + 2 <= TN_KEY_WORDS; i += 2)
		any = _mm_or_si128(any, _mm_andnot_si128(load2(mask + i), load2(bits + i)));
	return !_mm_testz_si128(any, any) || (i < TN_KEY_WORDS && bits[i] & ~mask[i]);
}

static void copy_members(const struct tn_key *key, struct tn_session_key *k)
{
	k->eth_dst = key->eth_dst;
	k->eth_src = key->eth_src;
	k->eth_type = key->eth_type;
	k->vlan_tci = key->vlan_tci;
	k->ipv4_src = key->ipv4_src;
	k->ipv4_dst = key->ipv4_dst;
	k->tp_src = key->tp_src;
	k->tp_dst = key->tp_dst;
	k->ip_tos = key->ip_tos;
	k->ip_frag = key->ip_frag;
	k->ip_ttl = key->ip_ttl;
	k->ip_proto = key->ip_proto;
	k->in_port = tn_be32toh(key->in_port);
	k->tunnel_id = (uint32_t)tn_be64toh(key->tunnel_id);
	k->inner_vlan_tci = key->inner_vlan_tci;
	k->tcp_flags = key->tcp_flags;
	k->arp_op = key->arp_op;
	k->kind = 0;
}

static struct tn_session_ip6 ip6_of(const struct tn_key *key)
{
	return (struct tn_session_ip6){
		.src = _mm_loadu_si128((const __m128i *)(const void *)&key->ipv6_src),
		.dst = _mm_loadu_si128((const __m128i *)(const void *)&key->ipv6_dst),
	};
}

bool tn_session_key_from(const struct tn_key *key, const struct tn_key *rest,
	struct tn_session_key *k, struct tn_session_ip6 *ip6, bool *has_ip6)
{
	copy_members(key, k);
	*ip6 = ip6_of(key);
	*has_ip6 = key->eth_type.raw == tn_htobe16(0x86dd).raw;
	return tn_be64toh(key->tunnel_id) >> 32 == 0 && !overlap(key, rest);
}

void tn_session_mask(
	const struct tn_key *mask, struct tn_session_key *k, bool *ip6, struct tn_key *rest)
{
	static const struct tn_ip6 zero;
	struct tn_mac no_mac = {{0}};

	copy_members(mask, k);
	k->kind = UINT16_MAX;
	*ip6 = memcmp(&mask->ipv6_src, &zero, 16) || memcmp(&mask->ipv6_dst, &zero, 16);
	*rest = *mask;
	rest->eth_dst = rest->eth_src = no_mac;
	rest->eth_type = rest->vlan_tci = rest->inner_vlan_tci = tn_htobe16(0);
	rest->ipv4_src = rest->ipv4_dst = tn_htobe32(0);
	rest->tp_src = rest->tp_dst = rest->tcp_flags = rest->arp_op = tn_htobe16(0);
	rest->ip_tos = rest->ip_frag = rest->ip_ttl = rest->ip_proto = 0;
	rest->in_port = tn_htobe32(0);
	rest->tunnel_id = tn_htobe64(tn_be64toh(mask->tunnel_id) & ~(uint64_t)UINT32_MAX);
	rest->ipv6_src = rest->ipv6_dst = zero;
	/* Always zero, or equal to in_port, when a packet comes in. */
	rest->metadata = tn_htobe64(0);
	rest->pkt_mark = tn_htobe32(0);
	memset(rest->reg, 0, sizeof(rest->reg));
}
