/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow key: everything of a packet that a flow table can read. BPF-safe.
 *
 * Every member is in network byte order and unused bytes are zero, so that keys compare, mask and
 * hash as an array of 64-bit words. Members whose prerequisites exclude each other share storage
 * (ARP with IPv4 addresses, ICMP type with L4 source port); fields.def says which.
 */
#ifndef TN_CORE_KEY_H
#define TN_CORE_KEY_H

#include "dataplane/core/types.h"

/*
 * The tripwire. Whoever adds, moves or removes a member raises this number; every place that must
 * know each member asserts it with TN_KEY_SEQ_ASSERT and so breaks until it has been looked at.
 */
#define TN_KEY_SEQ	     1
#define TN_KEY_SEQ_ASSERT(n) TN_BUILD_ASSERT(TN_KEY_SEQ == (n), "the flow key changed: look here")

/* vlan_tci and inner_vlan_tci: PCP in bits 15-13, VID in 11-0, bit 12 = a tag is present (not DEI).
 */
#define TN_VLAN_PRESENT	 0x1000u
#define TN_VLAN_VID_MASK 0x0fffu
#define TN_VLAN_PCP_MASK 0xe000u

/* ip_frag. */
#define TN_FRAG_ANY   0x01u /* any fragment */
#define TN_FRAG_LATER 0x02u /* not the first: no L4 header */

/* ipv6_exthdr (OpenFlow 1.5, 7.2.3.8). */
#define TN_EXTHDR_NONEXT 0x001u
#define TN_EXTHDR_ESP	 0x002u
#define TN_EXTHDR_AUTH	 0x004u
#define TN_EXTHDR_DEST	 0x008u
#define TN_EXTHDR_FRAG	 0x010u
#define TN_EXTHDR_ROUTER 0x020u
#define TN_EXTHDR_HOP	 0x040u
#define TN_EXTHDR_UNREP	 0x080u
#define TN_EXTHDR_UNSEQ	 0x100u

/* eth_type of an IEEE 802.3 frame with LLC that is not SNAP with OUI zero. */
#define TN_ETH_TYPE_NONE 0x05ffu

#define TN_N_REGS 16

struct tn_key {
	/* 0 */ struct tn_be32 in_port;
	struct tn_be32 in_phy_port; /* the uplink, for a packet out of a tunnel; else = in_port */
	/* 1 */ struct tn_be64 tunnel_id; /* VXLAN: VNI in the low 24 bits */
	/* 2 */ struct tn_be64 metadata;
	/* 3 */ struct tn_mac eth_dst;
	struct tn_be16 eth_type; /* after tags; TN_ETH_TYPE_NONE for LLC */
	/* 4 */ struct tn_mac eth_src;
	struct tn_be16 vlan_tci;
	/* 5 */ struct tn_be16 inner_vlan_tci;
	uint8_t ip_tos;	  /* DSCP in bits 7-2, ECN in 1-0 */
	uint8_t ip_proto; /* IPv6: after the extension headers */
	uint8_t ip_ttl;
	uint8_t ip_frag; /* TN_FRAG_* */
	struct tn_be16 ipv6_exthdr;
	/* 6 */ struct tn_be32 ipv4_src; /* ARP: sender protocol address */
	struct tn_be32 ipv4_dst;	 /* ARP: target protocol address */
	/* 7 */ struct tn_be16 tp_src;	 /* TCP, UDP, SCTP port; ICMP, ICMPv6 type */
	struct tn_be16 tp_dst;		 /* TCP, UDP, SCTP port; ICMP, ICMPv6 code */
	struct tn_be16 tcp_flags;	 /* 12 bits, RFC 9293 */
	struct tn_be16 arp_op;
	/* 8 */ struct tn_be32 ipv6_flabel; /* 20 bits */
	struct tn_be32 pkt_mark;
	/* 9 */ struct tn_ip6 ipv6_src;
	/* 11 */ struct tn_ip6 ipv6_dst;
	/* 13 */ struct tn_ip6 nd_target;
	/* 15 */ struct tn_mac nd_sll; /* ARP: sender hardware address */
	uint8_t pad15[2];
	/* 16 */ struct tn_mac nd_tll; /* ARP: target hardware address */
	uint8_t pad16[2];
	/* 17 */ struct tn_ip6
		tun_src; /* outer addresses; IPv4 as ::ffff:a.b.c.d; zero = no tunnel */
	/* 19 */ struct tn_ip6 tun_dst;
	/* 21 */ struct tn_be32 reg[TN_N_REGS];
} __attribute__((aligned(8)));

#define TN_KEY_WORDS (sizeof(struct tn_key) / 8)
TN_BUILD_ASSERT(sizeof(struct tn_key) == 29 * 8, "struct tn_key has a hole or moved");

/*
 * In pieces that compilers make a few vector moves each. One memset() or assignment of this size
 * becomes "rep stos" or "rep movs", whose start costs as much as a parse.
 */
TN_BUILD_ASSERT(sizeof(struct tn_key) > 192 && sizeof(struct tn_key) <= 256, "four pieces");

static inline void tn_key_clear(struct tn_key *key)
{
	uint8_t *p = (uint8_t *)key;

	__builtin_memset(p, 0, 64);
	__builtin_memset(p + 64, 0, 64);
	__builtin_memset(p + 128, 0, 64);
	__builtin_memset(p + 192, 0, sizeof(*key) - 192);
}

static inline void tn_key_copy(struct tn_key *to, const struct tn_key *from)
{
	uint8_t *p = (uint8_t *)to;
	const uint8_t *q = (const uint8_t *)from;

	__builtin_memcpy(p, q, 64);
	__builtin_memcpy(p + 64, q + 64, 64);
	__builtin_memcpy(p + 128, q + 128, 64);
	__builtin_memcpy(p + 192, q + 192, sizeof(*to) - 192);
}

static inline uint64_t *tn_key_words(struct tn_key *key)
{
	return (uint64_t *)(void *)key;
}

static inline const uint64_t *tn_key_cwords(const struct tn_key *key)
{
	return (const uint64_t *)(const void *)key;
}

#endif
