/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/vnet.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/offload.h"

#define TCP_CSUM_OFFSET 16u
#define UDP_CSUM_OFFSET 6u

static uint16_t csum_offset(const struct tn_offload *o)
{
	return o->tcp ? TCP_CSUM_OFFSET : UDP_CSUM_OFFSET;
}

/* Sums up where the header says, as a device would: the field holds the pseudo header's sum. */
static bool complete(const struct virtio_net_hdr *h, uint8_t *frame, uint32_t len)
{
	uint32_t at = (uint32_t)h->csum_start + h->csum_offset;
	struct tn_be16 sum;

	if (at + 2 > len || h->csum_start >= len)
		return false;
	sum = tn_csum_fold(tn_csum_add(0, frame + h->csum_start, len - h->csum_start));
	if (!sum.raw && h->csum_offset == UDP_CSUM_OFFSET)
		sum.raw = 0xffff;
	memcpy(frame + at, &sum, sizeof(sum));
	return true;
}

bool tn_vnet_take(const struct virtio_net_hdr *h, uint8_t *frame, uint32_t len, uint16_t *offload)
{
	uint8_t kind = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	struct tn_offload o;

	*offload = TN_OFFLOAD_NONE;
	if (kind == VIRTIO_NET_HDR_GSO_TCPV4 || kind == VIRTIO_NET_HDR_GSO_TCPV6) {
		*offload = h->gso_size;
		return h->gso_size > TN_OFFLOAD_CSUM;
	}
	if (kind != VIRTIO_NET_HDR_GSO_NONE)
		return false;
	if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	if (tn_offload_find(frame, len, TN_OFFLOAD_CSUM, &o) && o.l4 == h->csum_start &&
		h->csum_offset == csum_offset(&o)) {
		*offload = TN_OFFLOAD_CSUM;
		return true;
	}
	return complete(h, frame, len);
}

bool tn_vnet_give(struct virtio_net_hdr *h, struct tn_packet *p)
{
	struct tn_offload o;

	memset(h, 0, sizeof(*h));
	if (!p->offload)
		return true;
	if (!tn_offload_find(p->data, p->len, p->offload, &o))
		return false;
	tn_offload_prepare(p->data, &o);
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = (uint16_t)o.l4;
	h->csum_offset = csum_offset(&o);
	h->hdr_len = (uint16_t)o.data;
	if (!tn_offload_cuts(p->offload))
		return true;
	h->gso_type = o.ip6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	h->gso_size = p->offload;
	return true;
}
