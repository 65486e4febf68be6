/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One parser for every engine. Two steps, so that an engine pays only for what it reads:
 * tn_parse() finds and checks the headers, tn_key_extract() reads them into a flow key.
 *
 * Ethernet II and 802.3/LLC/SNAP, up to two 802.1Q or 802.1ad tags, ARP (RFC 826), IPv4 (RFC 791),
 * IPv6 with extension headers (RFC 8200), TCP (RFC 9293), UDP, SCTP (RFC 9260), ICMP, ICMPv6 with
 * the options of Neighbour Discovery (RFC 4861). A header that is malformed or cut off ends the
 * parse there: the layers before it stay valid, its fields are absent from the key.
 * Where the standards leave a choice: an IPv6 packet whose fragment header says "first and last"
 * (RFC 6946) is no fragment; a later fragment's ip_proto is what its fragment header names; of ND's
 * options the source address counts in solicitations and the target address in advertisements.
 *
 * Pure: no allocation, clock or global. Reads only data[0..len).
 */
#ifndef TN_CORE_PARSE_H
#define TN_CORE_PARSE_H

#include "dataplane/core/drop.h"
#include "dataplane/core/key.h"
#include "dataplane/core/types.h"
#include "dataplane/core/view.h"

enum tn_header_flags {
	TN_HDR_IPV4 = 1u << 0, /* a valid IPv4 header at l3 */
	TN_HDR_IPV6 = 1u << 1, /* a valid IPv6 header at l3 and sound extension headers */
	TN_HDR_ARP = 1u << 2,  /* Ethernet/IPv4 ARP or RARP at l3 */
	TN_HDR_TCP = 1u << 3,  /* full header at l4; none of these on a later fragment */
	TN_HDR_UDP = 1u << 4,
	TN_HDR_SCTP = 1u << 5,
	TN_HDR_ICMPV4 = 1u << 6, /* type, code, checksum at l4 */
	TN_HDR_ICMPV6 = 1u << 7,
	TN_HDR_ND = 1u << 8,   /* whole ND solicitation or advertisement with target at l4 + 8 */
	TN_HDR_BAD = 1u << 9,  /* a header was malformed */
	TN_HDR_CUT = 1u << 10, /* a header went past the captured bytes of a longer frame */
	TN_HDR_ROUTING = 1u << 11, /* IPv6 routing header with segments left: the pseudo header's
				      destination is not the one in the IPv6 header */
};

struct tn_headers {
	uint16_t flags;	   /* enum tn_header_flags */
	uint16_t eth_type; /* host order, after tags; TN_ETH_TYPE_NONE for LLC */
	uint8_t n_tags;	   /* 0-2 */
	uint8_t ip_proto;  /* after IPv6 extension headers */
	uint8_t ip_frag;   /* TN_FRAG_* */
	uint8_t pad;
	uint16_t type_ofs;	 /* of the Ethernet type or length that follows the last tag */
	uint16_t l3;		 /* offset of ARP or IP; 0: none */
	uint16_t l4;		 /* offset of the L4 header, 0: none or not whole */
	uint16_t exthdr;	 /* TN_EXTHDR_* */
	uint16_t nd_sll, nd_tll; /* offset of the 6 address bytes in the ND option, 0: none */
	uint32_t l3_len;	 /* IP header and payload by the IP header, <= bytes on the wire;
				    padding of the frame is beyond */
};

/*
 * Returns TN_DROP_NONE, or TN_DROP_RUNT for less than an Ethernet header. *h is always filled.
 */
enum tn_drop tn_parse(const struct tn_view *view, struct tn_headers *h) TN_MUST_CHECK;

/*
 * Fills every packet member of *key from headers that tn_parse() found and zeroes the rest; the
 * pipeline members (in_port, tunnel_id, ...) are the caller's to set afterwards.
 */
void tn_key_extract(const struct tn_view *view, const struct tn_headers *h, struct tn_key *key);

#endif
