/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/coarse.h"

#include <string.h>

/* Every member of the key is in members[]; addresses are prefix members too. */
TN_KEY_SEQ_ASSERT(1);

enum kind {
	KIND_WHOLE, /* fields that take no mask, or groups too small to take apart */
	KIND_BITS,  /* registers, metadata: bytes, then nibbles */
	KIND_PORT,  /* whole, or a byte (ICMP type); then the leading nibbles too */
	KIND_FLAGS, /* whole or nothing */
	KIND_VLAN,  /* PCP, tag present, VID */
	KIND_MAC,
	KIND_IPV4,
	KIND_IPV6,
};

struct member {
	uint8_t offset, size;
	enum kind kind;
};

#define MEMBER(name, kind)                                                              \
	{                                                                               \
		offsetof(struct tn_key, name), sizeof(((struct tn_key *)0)->name), kind \
	}

static const struct member members[] = {
	MEMBER(in_port, KIND_WHOLE),
	MEMBER(in_phy_port, KIND_WHOLE),
	MEMBER(tunnel_id, KIND_BITS),
	MEMBER(metadata, KIND_BITS),
	MEMBER(eth_dst, KIND_MAC),
	MEMBER(eth_type, KIND_WHOLE),
	MEMBER(eth_src, KIND_MAC),
	MEMBER(vlan_tci, KIND_VLAN),
	MEMBER(inner_vlan_tci, KIND_VLAN),
	MEMBER(ip_tos, KIND_WHOLE),
	MEMBER(ip_proto, KIND_WHOLE),
	MEMBER(ip_ttl, KIND_WHOLE),
	MEMBER(ip_frag, KIND_WHOLE),
	MEMBER(ipv6_exthdr, KIND_FLAGS),
	MEMBER(ipv4_src, KIND_IPV4),
	MEMBER(ipv4_dst, KIND_IPV4),
	MEMBER(tp_src, KIND_PORT),
	MEMBER(tp_dst, KIND_PORT),
	MEMBER(tcp_flags, KIND_FLAGS),
	MEMBER(arp_op, KIND_WHOLE),
	MEMBER(ipv6_flabel, KIND_BITS),
	MEMBER(pkt_mark, KIND_BITS),
	MEMBER(ipv6_src, KIND_IPV6),
	MEMBER(ipv6_dst, KIND_IPV6),
	MEMBER(nd_target, KIND_IPV6),
	MEMBER(nd_sll, KIND_MAC),
	MEMBER(nd_tll, KIND_MAC),
	MEMBER(tun_src, KIND_IPV6),
	MEMBER(tun_dst, KIND_IPV6),
	MEMBER(reg, KIND_BITS),
};

#define PREFIX(name)                                                              \
	{                                                                         \
		offsetof(struct tn_key, name), sizeof(((struct tn_key *)0)->name) \
	}

const struct tn_prefix_member tn_prefix_members[TN_N_PREFIX_MEMBERS] = {
	PREFIX(ipv4_src),
	PREFIX(ipv4_dst),
	PREFIX(ipv6_src),
	PREFIX(ipv6_dst),
	PREFIX(nd_target),
	PREFIX(tun_src),
	PREFIX(tun_dst),
	PREFIX(eth_src),
	PREFIX(eth_dst),
	PREFIX(nd_sll),
	PREFIX(nd_tll),
};

/* Byte n of a member, first byte 0. */
#define BYTE(name, n) (offsetof(struct tn_key, name) + (n))

/* Networks and ports first, then where in them, then what. */
const uint8_t tn_telling_bytes[TN_N_TELLING_BYTES] = {
	BYTE(metadata, 7),
	BYTE(tunnel_id, 7),
	BYTE(in_port, 3),
	BYTE(vlan_tci, 1),
	BYTE(ipv4_src, 0),
	BYTE(ipv4_dst, 0),
	BYTE(ipv4_src, 1),
	BYTE(ipv4_dst, 1),
	BYTE(ipv4_dst, 2),
	BYTE(ipv6_src, 7),
	BYTE(ipv6_dst, 7),
	BYTE(ipv6_src, 3),
	BYTE(ipv6_dst, 3),
	BYTE(eth_dst, 5),
	BYTE(eth_src, 5),
	BYTE(tp_dst, 1),
	BYTE(tp_src, 1),
	BYTE(ip_proto, 0),
	BYTE(tun_src, 15),
	BYTE(tun_dst, 15),
	BYTE(reg[0], 3),
	BYTE(reg[1], 3),
	BYTE(reg[2], 3),
	BYTE(reg[3], 3),
	BYTE(pkt_mark, 3),
	BYTE(arp_op, 1),
	BYTE(eth_type, 1),
};

/* Leading one bits. */
static unsigned leading(const uint8_t *mask, unsigned size)
{
	unsigned i, bits = 0;

	for (i = 0; i < size && mask[i] == 0xff; i++)
		bits += 8;
	if (i < size && mask[i])
		bits += (unsigned)__builtin_clz(~((unsigned)mask[i] << 24));
	return bits;
}

static void set_leading(uint8_t *mask, unsigned size, unsigned bits)
{
	unsigned i;

	for (i = 0; i < size; i++, bits -= bits < 8 ? bits : 8)
		mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
}

static unsigned round_ipv4(unsigned len, enum tn_coarseness level)
{
	if (level == TN_COARSEST)
		return len >= 16 ? 16 : len & ~7u;
	return len >= 24 ? 24 : len & ~3u;
}

/* From 96 on as an IPv4 address: that is what tunnel endpoints often are. */
static unsigned round_ipv6(unsigned len, enum tn_coarseness level)
{
	if (len >= 96)
		return 96 + round_ipv4(len - 96, level);
	if (level == TN_COARSEST)
		return len >= 64 ? 64 : len & ~15u;
	return len & ~7u;
}

static unsigned round_mac(unsigned len, enum tn_coarseness level)
{
	if (len == 48)
		return 48;
	if (level == TN_COARSEST)
		return len >= 24 ? 24 : 0;
	return len & ~7u;
}

static void keep_bytes(const uint8_t *mask, uint8_t *out, unsigned size)
{
	unsigned i;

	for (i = 0; i < size; i++)
		out[i] = mask[i] == 0xff ? 0xff : 0;
}

static void keep_nibbles(const uint8_t *mask, uint8_t *out, unsigned size)
{
	unsigned i;

	for (i = 0; i < size; i++) {
		out[i] = (uint8_t)(((mask[i] & 0xf0) == 0xf0 ? 0xf0 : 0) |
			((mask[i] & 0x0f) == 0x0f ? 0x0f : 0));
	}
}

static void coarsen_port(const uint8_t *mask, uint8_t *out, enum tn_coarseness level)
{
	bool low_byte = mask[0] == 0 && mask[1] == 0xff; /* ICMP type and code */

	if (leading(mask, 2) == 16 || low_byte)
		memcpy(out, mask, 2);
	else if (level == TN_COARSE)
		set_leading(out, 2, leading(mask, 2) & ~3u);
}

/* The present bit goes with any of the others. */
static void coarsen_vlan(const uint8_t *mask, uint8_t *out)
{
	out[0] = mask[0] & 0x10;
	if ((mask[0] & 0xe0) == 0xe0)
		out[0] |= 0xe0;
	if ((mask[0] & 0x0f) == 0x0f && mask[1] == 0xff) {
		out[0] |= 0x0f;
		out[1] = 0xff;
	}
}

static void coarsen_flags(const uint8_t *mask, uint8_t *out)
{
	/* All twelve TCP flags, all nine extension header bits. */
	if (mask[1] == 0xff && (mask[0] == 0x0f || mask[0] == 0x01))
		memcpy(out, mask, 2);
}

static void coarsen_member(
	const struct member *m, const uint8_t *mask, uint8_t *out, enum tn_coarseness level)
{
	unsigned len = leading(mask, m->size);

	switch (m->kind) {
	case KIND_WHOLE:
		memcpy(out, mask, m->size);
		break;
	case KIND_BITS:
		if (level == TN_COARSEST)
			keep_bytes(mask, out, m->size);
		else
			keep_nibbles(mask, out, m->size);
		break;
	case KIND_PORT:
		coarsen_port(mask, out, level);
		break;
	case KIND_FLAGS:
		coarsen_flags(mask, out);
		break;
	case KIND_VLAN:
		coarsen_vlan(mask, out);
		break;
	case KIND_MAC:
		set_leading(out, m->size, round_mac(len, level));
		break;
	case KIND_IPV4:
		set_leading(out, m->size, round_ipv4(len, level));
		break;
	case KIND_IPV6:
		set_leading(out, m->size, round_ipv6(len, level));
		break;
	}
}

void tn_coarsen(const struct tn_key *mask, enum tn_coarseness level, struct tn_key *out)
{
	const uint8_t *from = (const uint8_t *)mask;
	uint8_t *to = (uint8_t *)out;
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < TN_ARRAY_SIZE(members); i++) {
		coarsen_member(
			&members[i], from + members[i].offset, to + members[i].offset, level);
	}
}

uint8_t tn_prefix_shape(const struct tn_key *mask, uint8_t *len)
{
	const uint8_t *bytes = (const uint8_t *)mask;
	uint8_t expected[16], member = TN_NO_MEMBER, i;
	unsigned bits;

	for (i = 0; i < TN_N_PREFIX_MEMBERS; i++) {
		const struct tn_prefix_member *m = &tn_prefix_members[i];

		bits = leading(bytes + m->offset, m->size);
		set_leading(expected, m->size, bits);
		if (memcmp(expected, bytes + m->offset, m->size) != 0)
			return TN_NO_MEMBER;
		if (bits == 0 || bits == 8u * m->size)
			continue;
		if (member != TN_NO_MEMBER)
			return TN_NO_MEMBER;
		member = i;
		*len = (uint8_t)bits;
	}
	return member;
}
