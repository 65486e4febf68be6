/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/dpdk_buffer.h"

#include <string.h>

#include "dataplane/core/view.h"

TN_BUILD_ASSERT(RTE_PKTMBUF_HEADROOM >= TN_HEADROOM_MIN, "clones have the headroom promised");

static bool alloc_from(struct rte_mempool *pool, uint32_t len, struct tn_packet *p)
{
	struct rte_mbuf *m;

	if (len + RTE_PKTMBUF_HEADROOM > rte_pktmbuf_data_room_size(pool))
		return false;
	m = rte_pktmbuf_alloc(pool);
	if (!m)
		return false;
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	tn_dpdk_to_packet(m, p);
	return true;
}

static bool alloc_packet(void *ctx, uint32_t len, struct tn_packet *p)
{
	const struct tn_dpdk_buffers *b = ctx;

	return alloc_from(b->pool, len, p);
}

static bool clone_packet(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	const struct tn_dpdk_buffers *b = ctx;
	bool large = tn_offload_cuts(p->offload) && b->large;

	if (!alloc_from(b->pool, p->len, copy) && !(large && alloc_from(b->large, p->len, copy)))
		return false;
	memcpy(copy->data, p->data, p->len);
	copy->offload = p->offload;
	return true;
}

static void free_packets(void *ctx, const struct tn_packet *p, unsigned n)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++)
		rte_pktmbuf_free(p[i].buf);
}

const struct tn_buffer_ops tn_dpdk_buffer_ops = {
	.clone = clone_packet,
	.alloc = alloc_packet,
	.free = free_packets,
};
