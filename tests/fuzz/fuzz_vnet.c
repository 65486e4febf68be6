/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame with the virtio-net header that a TAP gives: the header's bytes first. What the switch is
 * told is left to do can be done, or is refused by who does it; a finished frame is touched in its
 * checksum alone.
 */
#include "dataplane/port/vnet.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/core/offload.h"
#include "tests/fuzz/fuzz.h"

static void check_given(struct tn_packet *p)
{
	struct virtio_net_hdr h;
	struct tn_offload o;

	if (!tn_vnet_give(&h, p)) {
		fuzz_require(p->offload && !tn_offload_find(p->data, p->len, p->offload, &o));
		return;
	}
	if (!p->offload) {
		fuzz_require(!h.flags && !h.gso_type);
		return;
	}
	fuzz_require(h.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	fuzz_require((uint32_t)h.csum_start + h.csum_offset + 2 <= p->len);
	fuzz_require(tn_offload_cuts(p->offload) == (h.gso_type != VIRTIO_NET_HDR_GSO_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_net_hdr h;
	struct tn_packet p = {0};
	uint8_t *frame;

	if (size < sizeof(h) || size > 65535 + sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	p.len = (uint32_t)(size - sizeof(h));
	frame = p.data = malloc(p.len ? p.len : 1);
	if (!frame)
		return 0;
	memcpy(frame, data + sizeof(h), p.len);
	if (tn_vnet_take(&h, frame, p.len, &p.offload)) {
		const uint8_t *was = data + sizeof(h);
		size_t at = (size_t)h.csum_start + h.csum_offset;

		for (size_t i = 0; i < p.len; i++)
			fuzz_require(frame[i] == was[i] || (!p.offload && i - at < 2));
		check_given(&p);
	}
	free(frame);
	return 0;
}
