/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that go to and from the kernel unfinished, by a TAP with virtio-net headers: what is left
 * to be done is said by the header on one side and by struct tn_packet.offload on the other. Pure.
 */
#ifndef TN_PORT_VNET_H
#define TN_PORT_VNET_H

#include <linux/virtio_net.h>

#include "dataplane/fastpath/packet.h"

/*
 * What the header says of a frame of the kernel's, as TN_OFFLOAD_*. A checksum that is to be summed
 * elsewhere than in the outermost TCP or UDP header (SCTP is not: within a tunnel of the sender's
 * own) is completed here, in place. false: the header contradicts the frame.
 */
bool tn_vnet_take(const struct virtio_net_hdr *h, uint8_t *frame, uint32_t len,
	uint16_t *offload) TN_MUST_CHECK;

/*
 * The header for a frame of the switch's; writes the sum of the pseudo header into a frame whose
 * checksum is left. false: what is left cannot be done with this frame.
 */
bool tn_vnet_give(struct virtio_net_hdr *h, struct tn_packet *p) TN_MUST_CHECK;

#endif
