/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that their sender left unfinished, as a device that promised checksum and segmentation
 * offload gets them: the checksum of TCP or UDP is still to be computed, a long TCP frame still to
 * be cut. Whatever is in such a checksum field says nothing: it is computed from the whole packet,
 * pseudo header included. So headers may be rewritten in between without care for it.
 *
 * Works behind any number of VLAN tags, with IPv4 options and IPv6 extension headers. Pure: no
 * allocation, clock or global.
 */
#ifndef TN_CORE_OFFLOAD_H
#define TN_CORE_OFFLOAD_H

#include "dataplane/core/types.h"

/*
 * What is left to be done with a frame, in 16 bits: nothing, the checksum, or both the checksum and
 * cutting into TCP segments with that many bytes of data (2 or more).
 */
#define TN_OFFLOAD_NONE 0u
#define TN_OFFLOAD_CSUM 1u

static inline bool tn_offload_cuts(uint16_t offload)
{
	return offload > TN_OFFLOAD_CSUM;
}

/*
 * More segments of one frame than this are refused: 64 KB in pieces of 256 bytes. A sender that
 * wants smaller ones makes the others wait for nothing.
 */
#define TN_OFFLOAD_SEGMENTS_MAX 256u

/* A whole TCP or UDP packet in a frame; offsets from the frame's start. */
struct tn_offload {
	uint32_t l3, l4;
	uint32_t data;	    /* behind the L4 header */
	uint32_t end;	    /* of the IP packet; padding is beyond */
	uint32_t size;	    /* data bytes of a segment; the last one may be shorter */
	uint32_t n;	    /* segments; 1 where nothing is cut */
	bool ip6, tcp;	    /* else IPv4, UDP */
	bool ip6_extension; /* extension headers stand between l3 and l4 */
};

/*
 * False: what `offload` asks for cannot be done with this frame. It holds no whole TCP or UDP
 * packet, or not TCP where it is to be cut, is a fragment, has a routing header, or makes more than
 * TN_OFFLOAD_SEGMENTS_MAX segments. All members are filled otherwise.
 */
bool tn_offload_find(
	const uint8_t *frame, uint32_t len, uint16_t offload, struct tn_offload *o) TN_MUST_CHECK;

/* Computes the checksum of a frame that is not to be cut (o->n is 1). */
void tn_offload_complete(uint8_t *frame, const struct tn_offload *o);

/* Puts the sum of the pseudo header alone into the checksum field: what a guest is to be given. */
void tn_offload_prepare(uint8_t *frame, const struct tn_offload *o);

/* The length of segment i of o->n, headers included, without padding. */
uint32_t tn_offload_segment_len(const struct tn_offload *o, uint32_t i);

/*
 * Writes segment i to `to`: a frame of its own with its lengths, IPv4 ID and checksum, sequence
 * number and TCP checksum. FIN and PSH are on the last segment only, CWR on the first.
 */
void tn_offload_write_segment(
	const uint8_t *frame, const struct tn_offload *o, uint32_t i, uint8_t *to);

#endif
