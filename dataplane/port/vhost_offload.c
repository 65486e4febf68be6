/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/vhost_offload.h"

#include <string.h>

#include <linux/virtio_net.h>

#include "dataplane/core/wire.h"
#include "dataplane/fastpath/port.h"

#define FEATURE(name) (UINT64_C(1) << VIRTIO_NET_F_##name)

/* Never: what is obsolete, and frames with congestion marks, which a guest cuts itself. */
#define NEVER	  (FEATURE(GUEST_UFO) | FEATURE(HOST_UFO) | FEATURE(GUEST_ECN) | FEATURE(HOST_ECN))
#define CHECKSUMS (FEATURE(CSUM) | FEATURE(GUEST_CSUM))
#define TSO	  (FEATURE(GUEST_TSO4) | FEATURE(GUEST_TSO6) | FEATURE(HOST_TSO4) | FEATURE(HOST_TSO6))

uint64_t tn_vhost_features_refused(enum tn_vhost_offloads offloads)
{
	switch (offloads) {
	case TN_VHOST_ALL_OFFLOADS:
		return NEVER;
	case TN_VHOST_CHECKSUMS:
		return NEVER | TSO;
	case TN_VHOST_NO_OFFLOADS:
		break;
	}
	return NEVER | TSO | CHECKSUMS;
}

uint16_t tn_vhost_takes(uint64_t features)
{
	unsigned takes = 0;

	if (!(features & FEATURE(GUEST_CSUM)))
		return 0;
	takes = TN_PORT_TAKES_CSUM;
	if (features & FEATURE(GUEST_TSO4))
		takes |= TN_PORT_TAKES_TSO4;
	if (features & FEATURE(GUEST_TSO6))
		takes |= TN_PORT_TAKES_TSO6;
	return (uint16_t)takes;
}

bool tn_vhost_gives_unfinished(uint64_t features)
{
	return features & (FEATURE(CSUM) | FEATURE(HOST_TSO4) | FEATURE(HOST_TSO6));
}

/* --- from the guest --------------------------------------------------------------------------- */

/*
 * The library has looked at the header: it set these flags only for a TCP or UDP packet that it
 * found, and summed up itself what was to be summed elsewhere, such as within a tunnel of the
 * guest's own. Whether all else is sound is looked at where the frame is finished.
 */
static uint16_t offload_of(const struct rte_mbuf *m)
{
	if (m->ol_flags & RTE_MBUF_F_RX_LRO)
		return m->tso_segsz > TN_OFFLOAD_CSUM ? m->tso_segsz : TN_OFFLOAD_CSUM + 1;
	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		return TN_OFFLOAD_CSUM;
	return TN_OFFLOAD_NONE;
}

static bool copy_small(
	const struct tn_dpdk_buffers *buffers, const struct rte_mbuf *m, struct tn_packet *p)
{
	const struct tn_packet whole = {
		.data = rte_pktmbuf_mtod(m, uint8_t *),
		.len = m->data_len,
		.offload = offload_of(m),
	};
	const struct tn_dpdk_buffers small = {.pool = buffers->pool};

	return tn_dpdk_buffer_ops.clone((void *)(uintptr_t)&small, &whole, p);
}

/* Its buffer is a large one. True: the packet is kept. */
static bool take_unfinished(const struct tn_dpdk_buffers *buffers, struct rte_mbuf *m,
	struct tn_packet *p, struct tn_vhost_burst *burst)
{
	uint32_t room = rte_pktmbuf_data_room_size(buffers->pool) - RTE_PKTMBUF_HEADROOM;
	uint16_t offload = offload_of(m);
	bool taken;

	if (m->data_len > room && tn_offload_cuts(offload)) {
		m->ol_flags = 0;
		tn_dpdk_to_packet(m, p);
		p->offload = offload;
		burst->large++;
		return true;
	}
	taken = m->data_len <= room && copy_small(buffers, m, p);
	if (taken)
		burst->large += tn_offload_cuts(offload);
	else if (m->data_len > room)
		burst->too_long++;
	else
		burst->no_buffer++;
	rte_pktmbuf_free(m);
	return taken;
}

void tn_vhost_from_guest(const struct tn_dpdk_buffers *buffers, bool unfinished,
	struct rte_mbuf **mbufs, unsigned n, struct tn_packet *packets,
	struct tn_vhost_burst *burst)
{
	*burst = (struct tn_vhost_burst){0};
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = mbufs[i];

		/* A packet is one buffer. The library fills a buffer before it chains another. */
		if (tn_unlikely(m->nb_segs != 1 || m->data_len < TN_ETH_LEN)) {
			if (m->nb_segs > 1)
				burst->too_long++;
			else
				burst->too_short++;
			rte_pktmbuf_free(m);
			continue;
		}
		if (tn_unlikely(unfinished))
			burst->kept += take_unfinished(buffers, m, &packets[burst->kept], burst);
		else
			tn_dpdk_to_packet(m, &packets[burst->kept++]);
	}
}

/* --- to the guest ----------------------------------------------------------------------------- */

static void describe(struct rte_mbuf *m, const struct tn_packet *p, const struct tn_offload *o)
{
	m->ol_flags = o->ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	m->ol_flags |= o->tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	m->l2_len = o->l3 & 0x7f;
	m->l3_len = (o->l4 - o->l3) & 0x1ff;
	m->l4_len = (o->data - o->l4) & 0xff;
	if (!tn_offload_cuts(p->offload))
		return;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	m->tso_segsz = p->offload;
}

/*
 * Of a frame that is still to be cut the library writes the pseudo header's sum without the length,
 * as NICs want it and guests that cut the frame do not. It leaves alone what it finds in pieces, so
 * the last byte of the headers goes into another buffer than the others.
 */
static struct rte_mbuf *in_two(
	const struct tn_dpdk_buffers *buffers, struct rte_mbuf *m, const struct tn_offload *o)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(buffers->pool);
	uint16_t len = (uint16_t)(o->data - 1);

	if (!head)
		return NULL;
	memcpy(rte_pktmbuf_mtod(head, void *), rte_pktmbuf_mtod(m, void *), len);
	head->data_len = len;
	head->pkt_len = m->pkt_len;
	head->nb_segs = 2;
	head->next = m;
	m->data_off = (uint16_t)(m->data_off + len);
	m->data_len = (uint16_t)(m->data_len - len);
	return head;
}

struct rte_mbuf *tn_vhost_to_guest(const struct tn_dpdk_buffers *buffers, const struct tn_packet *p)
{
	struct rte_mbuf *m = tn_dpdk_from_packet(p);
	struct tn_offload o;

	if (!p->offload)
		return m;
	/* Tags without end, headers longer than an mbuf can tell: nobody sends that in earnest. */
	if (!tn_offload_find(p->data, p->len, p->offload, &o) || o.l3 > 0x7f || o.data > 0x1ff)
		return NULL;
	tn_offload_prepare(p->data, &o);
	if (tn_offload_cuts(p->offload)) {
		m = in_two(buffers, m, &o);
		if (!m)
			return NULL;
	}
	describe(m, p, &o);
	return m;
}

void tn_vhost_take_back(struct rte_mbuf *m, const struct tn_packet *p)
{
	if (m == p->buf)
		return;
	m->next = NULL;
	m->nb_segs = 1;
	rte_pktmbuf_free(m);
}
