/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet in a worker's burst: the view's essentials and the driver's handle. What a port driver's
 * receive fills and its transmit takes. 24 bytes, so that a burst stays in the first-level cache.
 */
#ifndef TN_FASTPATH_PACKET_H
#define TN_FASTPATH_PACKET_H

#include "dataplane/core/offload.h"
#include "dataplane/core/types.h"
#include "dataplane/core/view.h"
#include "dataplane/core/wire.h"

struct tn_packet {
	void *buf;     /* the driver's: an mbuf, an array */
	uint8_t *data; /* first byte of the frame */
	uint32_t len;
	uint16_t headroom;
	uint16_t offload; /* TN_OFFLOAD_*: what its sender left to be done */
};

#define TN_BURST 32u

/*
 * Buffers are of one kind in a process (mbufs under DPDK, arrays in tests), whatever port they came
 * by. One thread.
 */
struct tn_buffer_ops {
	/* A writable copy, offload included, with TN_HEADROOM_MIN before it; false: no memory. */
	bool (*clone)(void *ctx, const struct tn_packet *p, struct tn_packet *copy);
	/* A finished frame of that length, its bytes not written, with the same room before it. */
	bool (*alloc)(void *ctx, uint32_t len, struct tn_packet *p);
	void (*free)(void *ctx, const struct tn_packet *p, unsigned n);
};

static inline struct tn_view tn_packet_view(const struct tn_packet *p)
{
	return (struct tn_view){
		.data = p->data,
		.len = p->len,
		.wire_len = p->len,
		.headroom = p->headroom,
	};
}

/*
 * May a frame leave where the longest is of max_frame bytes? Its VLAN tags, up to two, do not
 * count: an MTU is of what they carry.
 */
static inline bool tn_frame_fits(const uint8_t *data, uint32_t len, uint32_t max_frame)
{
	for (unsigned at = 12; len > max_frame && at <= 16 && at + 2 <= len; at += TN_VLAN_LEN) {
		if (!tn_eth_type_is_tag((uint16_t)(data[at] << 8 | data[at + 1])))
			return false;
		max_frame += TN_VLAN_LEN;
	}
	return len <= max_frame;
}

/* After the view was changed in place. */
static inline void tn_packet_update(struct tn_packet *p, const struct tn_view *v)
{
	p->headroom = (uint16_t)(p->headroom + (v->data - p->data));
	p->data = v->data;
	p->len = v->len;
}

#endif
