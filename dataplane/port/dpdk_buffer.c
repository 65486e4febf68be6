/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/dpdk_buffer.h"

#include <string.h>

#include "dataplane/core/view.h"

TN_BUILD_ASSERT(RTE_PKTMBUF_HEADROOM >= TN_HEADROOM_MIN, "clones have the headroom promised");

static bool clone_packet(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(ctx);

	if (!m)
		return false;
	if (p->len > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return false;
	}
	memcpy(rte_pktmbuf_mtod(m, void *), p->data, p->len);
	m->data_len = (uint16_t)p->len;
	m->pkt_len = p->len;
	tn_dpdk_to_packet(m, copy);
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
	.free = free_packets,
};
