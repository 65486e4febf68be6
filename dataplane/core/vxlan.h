/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VXLAN (RFC 7348) over IPv4 and IPv6: recognise and take off, build and put on. Reserved bits are
 * ignored on receipt and zero on sending; DSCP and ECN cross by RFC 6040 and RFC 2983's uniform or
 * pipe model as the caller says. Pure.
 */
#ifndef TN_CORE_VXLAN_H
#define TN_CORE_VXLAN_H

#include "dataplane/core/drop.h"
#include "dataplane/core/field.h"
#include "dataplane/core/parse.h"
#include "dataplane/core/view.h"

#define TN_VXLAN_PORT	      4789u
#define TN_VXLAN_SPORT_MIN    49152u /* RFC 6335 dynamic ports */
#define TN_VXLAN_VNI_MAX      0xffffffu
#define TN_VXLAN_OVERHEAD_IP4 50u /* Ethernet 14, IPv4 20, UDP 8, VXLAN 8 */
#define TN_VXLAN_OVERHEAD_IP6 70u

/* What the outer headers said. Addresses as in tn_u128: IPv4 is ::ffff:a.b.c.d. */
struct tn_vxlan_outer {
	tn_u128 src, dst;
	uint32_t vni;
	uint16_t udp_src, udp_dst;
	uint8_t tos, ttl;
	uint32_t inner_ofs; /* of the inner Ethernet header in the view */
};

/* A UDP datagram to udp_port over IP, not a fragment: worth tn_vxlan_decap(). */
bool tn_vxlan_match(const struct tn_view *view, const struct tn_headers *h, uint16_t udp_port);

/*
 * Checks outer IP and UDP lengths and checksums (a zero UDP checksum is accepted on both IP
 * versions, RFC 6935; checksums of cut captures are not checked), the I flag and the inner length.
 * Fills *outer and changes nothing, or returns the reason.
 */
enum tn_drop tn_vxlan_decode(const struct tn_view *view, const struct tn_headers *h,
	struct tn_vxlan_outer *outer) TN_MUST_CHECK;

/*
 * Moves the view to the inner frame (also cutting padding and outer trailers) and merges the outer
 * ECN into the inner IP header by RFC 6040 figure 4. TN_DROP_VXLAN_MALFORMED for the combination
 * that RFC says to drop (CE outside, Not-ECT inside).
 */
enum tn_drop tn_vxlan_strip(struct tn_view *view, const struct tn_vxlan_outer *outer) TN_MUST_CHECK;

/* Everything of the outer headers that does not depend on the packet. */
struct tn_vxlan_encap {
	tn_u128 src, dst; /* both IPv4-mapped or both IPv6 */
	struct tn_mac eth_src, eth_dst;
	uint32_t vni;
	uint16_t udp_dst;
	uint8_t ttl;
	uint8_t tos;	    /* DSCP when !inherit_dscp; ECN bits ignored */
	bool inherit_dscp;  /* copy the inner DSCP */
	bool dont_fragment; /* IPv4 DF */
	bool udp_checksum;  /* full UDP checksum; else zero (RFC 6935 for IPv6) */
};

/*
 * Puts the outer headers before the frame. entropy: hash of the inner flow, for the source port.
 * TN_DROP_NO_HEADROOM leaves the view as it was. A cut frame gets a zero UDP checksum.
 */
enum tn_drop tn_vxlan_push(struct tn_view *view, const struct tn_vxlan_encap *encap,
	const struct tn_headers *inner, uint32_t entropy) TN_MUST_CHECK;

/* Hash of the flow in a key, equal for both directions of a connection. Same on every machine. */
uint32_t tn_key_entropy(const struct tn_key *key);

/*
 * Its parts, for engines that have the header's words and no key: one end of the connection, and
 * the two ends and what they speak. Addresses and ports as they lie in the frame; port 0 but for
 * TCP, UDP and SCTP that is not a fragment. One multiplication each: this is on the hit path.
 */
static inline uint64_t tn_entropy_end(uint64_t address, uint16_t port)
{
	uint64_t v = (address ^ (uint64_t)port << 40) * UINT64_C(0x9e3779b97f4a7c15);

	return v ^ v >> 32;
}

static inline uint32_t tn_entropy(uint64_t end, uint64_t other, uint16_t eth_type, uint8_t proto)
{
	/* A sum does not tell one end from the other. */
	uint64_t v = end + other + ((uint64_t)eth_type << 8 | proto);

	v = (v ^ v >> 29) * UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(v >> 32);
}

static inline uint32_t tn_entropy_ip4(
	uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport, uint8_t proto)
{
	return tn_entropy(tn_entropy_end(src, sport), tn_entropy_end(dst, dport), 0x0800, proto);
}

/* Both halves of an IPv6 address matter: hosts differ in the low one, networks in the high one. */
static inline uint64_t tn_entropy_end_ip6(const struct tn_ip6 *address, uint16_t port)
{
	tn_u128 v = tn_u128_from_ip6(address);

	return tn_entropy_end(tn_entropy_end((uint64_t)(v >> 64), 0) ^ (uint64_t)v, port);
}

static inline uint32_t tn_entropy_ip6(const struct tn_ip6 *src, const struct tn_ip6 *dst,
	uint16_t sport, uint16_t dport, uint8_t proto)
{
	return tn_entropy(
		tn_entropy_end_ip6(src, sport), tn_entropy_end_ip6(dst, dport), 0x86dd, proto);
}

#endif
