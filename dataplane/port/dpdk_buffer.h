/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mbufs as the fast path's buffers. DPDK headers stop here and in the other files of this room that
 * are named after DPDK.
 */
#ifndef TN_PORT_DPDK_BUFFER_H
#define TN_PORT_DPDK_BUFFER_H

#include <rte_mbuf.h>

#include "dataplane/fastpath/packet.h"

/* ctx of the ops. */
struct tn_dpdk_buffers {
	struct rte_mempool *pool;  /* for frames of the usual length */
	struct rte_mempool *large; /* for those that are still to be cut; NULL: none */
};

extern const struct tn_buffer_ops tn_dpdk_buffer_ops;

/* Single-segment mbufs only: drivers linearise before this. */
static inline void tn_dpdk_to_packet(struct rte_mbuf *m, struct tn_packet *p)
{
	p->buf = m;
	p->data = rte_pktmbuf_mtod(m, uint8_t *);
	p->len = m->data_len;
	p->headroom = m->data_off;
	p->offload = TN_OFFLOAD_NONE;
}

/* The mbuf as the packet was changed. */
static inline struct rte_mbuf *tn_dpdk_from_packet(const struct tn_packet *p)
{
	struct rte_mbuf *m = p->buf;

	m->data_off = p->headroom;
	m->data_len = (uint16_t)p->len;
	m->pkt_len = p->len;
	return m;
}

#endif
