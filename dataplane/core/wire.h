/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers as they are on the wire, and the numbers in them. Every struct is packed, so a pointer
 * into a frame may have any alignment; a pointer to one comes from the cursor or from an offset
 * that tn_parse() found. BPF-safe.
 */
#ifndef TN_CORE_WIRE_H
#define TN_CORE_WIRE_H

#include "dataplane/core/types.h"

#define TN_PACKED __attribute__((packed))

/* Ethernet types; smaller numbers are IEEE 802.3 lengths. */
#define TN_ETH_TYPE_MIN	 0x0600u
#define TN_ETH_TYPE_IPV4 0x0800u
#define TN_ETH_TYPE_ARP	 0x0806u
#define TN_ETH_TYPE_RARP 0x8035u
#define TN_ETH_TYPE_VLAN 0x8100u /* 802.1Q */
#define TN_ETH_TYPE_QINQ 0x88a8u /* 802.1ad */
#define TN_ETH_TYPE_IPV6 0x86ddu

/* IP protocols and IPv6 next headers. */
#define TN_IPPROTO_HOPOPTS  0u
#define TN_IPPROTO_ICMP	    1u
#define TN_IPPROTO_IGMP	    2u
#define TN_IPPROTO_IPIP	    4u
#define TN_IPPROTO_TCP	    6u
#define TN_IPPROTO_UDP	    17u
#define TN_IPPROTO_IPV6	    41u
#define TN_IPPROTO_ROUTING  43u
#define TN_IPPROTO_FRAGMENT 44u
#define TN_IPPROTO_ESP	    50u
#define TN_IPPROTO_AH	    51u
#define TN_IPPROTO_ICMPV6   58u
#define TN_IPPROTO_NONE	    59u
#define TN_IPPROTO_DSTOPTS  60u
#define TN_IPPROTO_PIM	    103u
#define TN_IPPROTO_SCTP	    132u

#define TN_IPV4_DF     0x4000u
#define TN_IPV4_MF     0x2000u
#define TN_IPV4_OFFSET 0x1fffu

#define TN_IPV6_FRAG_OFFSET 0xfff8u
#define TN_IPV6_FRAG_MORE   0x0001u

#define TN_ICMPV6_RS 133u
#define TN_ICMPV6_RA 134u
#define TN_ICMPV6_NS 135u
#define TN_ICMPV6_NA 136u
#define TN_ND_SLL    1u
#define TN_ND_TLL    2u

#define TN_ECN_MASK    0x03u
#define TN_ECN_NOT_ECT 0x00u
#define TN_ECN_ECT1    0x01u
#define TN_ECN_ECT0    0x02u
#define TN_ECN_CE      0x03u

struct tn_eth_hdr {
	struct tn_mac dst, src;
	struct tn_be16 type;
} TN_PACKED;

/* What stands between the Ethernet header's type and the type after the tag. */
struct tn_vlan_hdr {
	struct tn_be16 tci;
	struct tn_be16 type;
} TN_PACKED;

#define TN_ETH_LEN  14u
#define TN_VLAN_LEN 4u

struct tn_snap_hdr {
	uint8_t dsap, ssap, control;
	uint8_t oui[3];
	struct tn_be16 type;
} TN_PACKED;

/* Ethernet and IPv4 (RFC 826). */
struct tn_arp_hdr {
	struct tn_be16 htype, ptype;
	uint8_t hlen, plen;
	struct tn_be16 op;
	struct tn_mac sha;
	struct tn_be32 spa;
	struct tn_mac tha;
	struct tn_be32 tpa;
} TN_PACKED;

struct tn_ipv4_hdr {
	uint8_t version_ihl;
	uint8_t tos;
	struct tn_be16 total_len;
	struct tn_be16 id;
	struct tn_be16 frag; /* TN_IPV4_DF, TN_IPV4_MF, TN_IPV4_OFFSET */
	uint8_t ttl;
	uint8_t proto;
	struct tn_be16 csum;
	struct tn_be32 src, dst;
} TN_PACKED;

struct tn_ipv6_hdr {
	struct tn_be32 version_tc_flow; /* 4, 8 and 20 bits */
	struct tn_be16 payload_len;
	uint8_t next;
	uint8_t hop_limit;
	struct tn_ip6 src, dst;
} TN_PACKED;

/* First 8 bytes of any extension header; the rest depends on its kind. */
struct tn_ipv6_ext {
	uint8_t next;
	uint8_t len;	       /* in 8 bytes beyond the first 8; AH: in 4 bytes, less 2 */
	uint8_t type;	       /* routing header */
	uint8_t segments_left; /* routing header */
	uint8_t data[4];
} TN_PACKED;

struct tn_ipv6_frag {
	uint8_t next;
	uint8_t reserved;
	struct tn_be16 offset; /* TN_IPV6_FRAG_OFFSET, TN_IPV6_FRAG_MORE */
	struct tn_be32 id;
} TN_PACKED;

struct tn_tcp_hdr {
	struct tn_be16 src, dst;
	struct tn_be32 seq, ack;
	struct tn_be16 doff_flags; /* data offset in 4 bytes: 4 bits; flags: 12 bits */
	struct tn_be16 window;
	struct tn_be16 csum;
	struct tn_be16 urgent;
} TN_PACKED;

struct tn_udp_hdr {
	struct tn_be16 src, dst;
	struct tn_be16 len;
	struct tn_be16 csum; /* 0: none */
} TN_PACKED;

struct tn_sctp_hdr {
	struct tn_be16 src, dst;
	struct tn_be32 vtag;
	uint32_t csum; /* CRC32c, low byte first */
} TN_PACKED;

struct tn_icmp_hdr {
	uint8_t type, code;
	struct tn_be16 csum;
} TN_PACKED;

/* Neighbour solicitation or advertisement; options follow. */
struct tn_nd_hdr {
	struct tn_icmp_hdr icmp;
	struct tn_be32 flags;
	struct tn_ip6 target;
} TN_PACKED;

struct tn_nd_option {
	uint8_t type;
	uint8_t len; /* in 8 bytes, this header included */
	struct tn_mac mac;
} TN_PACKED;

/* RFC 7348. */
struct tn_vxlan_hdr {
	uint8_t flags; /* TN_VXLAN_FLAG_I, others reserved */
	uint8_t reserved[3];
	uint8_t vni[3];
	uint8_t reserved2;
} TN_PACKED;

#define TN_VXLAN_FLAG_I 0x08u

TN_BUILD_ASSERT(sizeof(struct tn_eth_hdr) == TN_ETH_LEN, "Ethernet header");
TN_BUILD_ASSERT(sizeof(struct tn_snap_hdr) == 8, "LLC and SNAP header");
TN_BUILD_ASSERT(sizeof(struct tn_arp_hdr) == 28, "ARP");
TN_BUILD_ASSERT(sizeof(struct tn_ipv4_hdr) == 20, "IPv4 header");
TN_BUILD_ASSERT(sizeof(struct tn_ipv6_hdr) == 40, "IPv6 header");
TN_BUILD_ASSERT(sizeof(struct tn_tcp_hdr) == 20, "TCP header");
TN_BUILD_ASSERT(sizeof(struct tn_sctp_hdr) == 12, "SCTP header");
TN_BUILD_ASSERT(sizeof(struct tn_nd_hdr) == 24, "ND header");
TN_BUILD_ASSERT(sizeof(struct tn_vxlan_hdr) == 8, "VXLAN header");

static inline bool tn_eth_type_is_tag(uint16_t type)
{
	return type == TN_ETH_TYPE_VLAN || type == TN_ETH_TYPE_QINQ;
}

static inline unsigned tn_ipv4_hdr_len(const struct tn_ipv4_hdr *ip)
{
	return (ip->version_ihl & 0x0fu) * 4u;
}

/* Traffic class: the DSCP and ECN of IPv6. */
static inline uint8_t tn_ipv6_tos(const struct tn_ipv6_hdr *ip)
{
	return (uint8_t)(tn_be32toh(ip->version_tc_flow) >> 20);
}

#endif
