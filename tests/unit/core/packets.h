/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets for tests: a description, and a builder that makes the frame from it with every length
 * and checksum computed from scratch, byte by byte, by nothing of the code under test.
 */
#ifndef TESTS_UNIT_CORE_PACKETS_H
#define TESTS_UNIT_CORE_PACKETS_H

#include "dataplane/core/field.h"
#include "dataplane/core/view.h"
#include "dataplane/core/wire.h"

#define PACKET_ROOM 160u /* in front of the frame */
#define PACKET_MAX  4096u

enum packet_l3 { L3_OTHER, L3_ARP, L3_IPV4, L3_IPV6 };

struct packet {
	tn_u128 eth_dst, eth_src;
	unsigned n_tags; /* up to 3 */
	uint16_t tpid[3], tci[3];
	bool snap;
	enum packet_l3 l3;
	uint16_t eth_type; /* L3_OTHER */
	uint16_t arp_op;
	tn_u128 arp_sha, arp_tha, arp_spa, arp_tpa;
	uint8_t tos, ttl, proto;
	uint32_t flabel;
	tn_u128 src, dst, final_dst; /* final_dst: where segments_left leads */
	unsigned ip_options;	     /* bytes, of IPv4 */
	bool hop, dest, routing;     /* extension headers */
	uint8_t segments_left;
	bool frag_hdr;		     /* IPv6: also where the packet is whole */
	bool fragment, more;	     /* part of the L4 segment from frag_ofs, frag_len bytes */
	unsigned frag_ofs, frag_len; /* frag_ofs a multiple of 8 */
	uint16_t sport, dport, tcp_flags;
	uint8_t tcp_options; /* bytes */
	uint8_t icmp_type, icmp_code;
	tn_u128 nd_target, nd_mac;
	uint8_t nd_option; /* TN_ND_SLL, TN_ND_TLL, 0: none */
	unsigned payload;
	uint32_t seed;		 /* of the payload */
	bool no_csum;		 /* UDP */
	uint16_t ip_err, l4_err; /* added to the right checksum */
	unsigned pad;		 /* bytes behind the IP packet */
	uint32_t cut;		 /* bytes captured; 0: all */
};

struct frame {
	uint8_t buf[PACKET_ROOM + PACKET_MAX];
	struct tn_view view;
	/* Offsets from view.data; 0: none. */
	unsigned ip_csum, l4_csum;
	unsigned l3, l3_end; /* l3_end: behind IPv4 options, IPv6 extension headers */
	unsigned l4, l4_end; /* l4_end: behind what the parser must see of it */
	unsigned end;	     /* of the IP packet */
	bool udp;	     /* the two zeros differ */
};

struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *r);
/* 0 <= x < n */
unsigned rng_below(struct rng *r, unsigned n);

/* Ethernet II, IPv4, UDP with sound values. */
void packet_init(struct packet *p);
void packet_random(struct packet *p, struct rng *r);
void packet_build(const struct packet *p, struct frame *f);

/* The L4 protocol whose header the packet has by its IP version; 0: none that is parsed. */
uint8_t packet_l4(const struct packet *p);
bool packet_is_nd(const struct packet *p);

/* The same bytes, taking the two ways to write zero in a checksum for one. */
bool frame_equal(const struct frame *a, const struct tn_view *b);

uint16_t slow_csum(const uint8_t *data, size_t len, uint32_t sum);
uint32_t slow_crc32c(const uint8_t *data, size_t len);

#endif
