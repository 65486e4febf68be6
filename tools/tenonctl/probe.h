/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of a ping: as a machine would send them, and what it would get. */
#ifndef TN_TENONCTL_PROBE_H
#define TN_TENONCTL_PROBE_H

#include "dataplane/core/types.h"
#include "tools/tenonctl/packet.h"

/* Who asks whom. Addresses are 128 bits, IPv4 as ::ffff:a.b.c.d, both of one family. */
struct tn_ctl_probe {
	uint8_t mac[6];	    /* of the one who asks */
	uint8_t hop_mac[6]; /* of next_hop */
	int vlan;	    /* of its frames; -1: none */
	tn_u128 source, destination;
	tn_u128 next_hop; /* the destination, or a gateway */
	uint16_t id;	  /* of the echoes */
};

bool tn_ctl_probe_is_ip4(const struct tn_ctl_probe *p);
/* A request of ARP (RFC 826), or a neighbour solicitation (RFC 4861), for next_hop. */
void tn_ctl_probe_solicit(const struct tn_ctl_probe *p, struct tn_ctl_packet *packet);
/* An echo request (RFC 792, RFC 4443) of 64 bytes with its header. */
void tn_ctl_probe_echo(
	const struct tn_ctl_probe *p, uint16_t sequence, struct tn_ctl_packet *packet);

enum tn_ctl_answer_kind {
	TN_CTL_NO_ANSWER, /* a frame of something else */
	TN_CTL_NEIGHBOUR, /* mac is next_hop's */
	TN_CTL_ECHO,	  /* the destination answered echo `sequence` */
	TN_CTL_ERROR,	  /* `from` says why it does not go on; type and code of ICMP */
};

struct tn_ctl_probed {
	enum tn_ctl_answer_kind kind;
	uint8_t mac[6];
	tn_u128 from;
	uint16_t sequence;
	uint8_t ttl, type, code;
};

/* What a frame that came is an answer to. */
struct tn_ctl_probed tn_ctl_probe_read(
	const struct tn_ctl_probe *p, const uint8_t *bytes, uint32_t len);

#endif
