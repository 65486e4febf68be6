/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports on kernel interfaces by AF_XDP: the host's end of a container's veth pair, or any other
 * interface of this or another network namespace. One socket a receive queue; frames are copied
 * once on their way in and out. All that comes in is the switch's; the host's own stack gets
 * nothing from the interface any more.
 *
 * What the peer of a veth leaves to its device, and what becomes of it:
 * - checksums: completed by the driver (partial_checksum.h), no setting is needed;
 * - segmentation: the kernel turns it off at the peer while our program is attached;
 * - VLAN tags: XDP does not see a tag the peer has left to the device. Who tags inside of a
 *   namespace turns that off there: `ethtool -K DEVICE txvlan off`.
 *
 * An interface that is deleted takes the link down for good: remove the port and add it anew.
 *
 * Options: "interface" (default: the port's name), "netns", "frames" (a queue and direction).
 */
#ifndef TN_PORT_AFXDP_H
#define TN_PORT_AFXDP_H

#include "dataplane/core/error.h"
#include "dataplane/fastpath/port.h"
#include "dataplane/port/port_factory.h"

struct tn_afxdp_config {
	const char *ifname;
	const char *netns;    /* NULL: this one; see netns.h */
	uint32_t n_frames;    /* a queue and direction; a power of two from 64 to 4096, 0: 1024 */
	uint16_t n_tx_queues; /* any number: they share the sockets */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
};

/*
 * Takes the interface up and takes it over. NULL with err: it is not there, has an XDP program that
 * is not ours, or the kernel or our privileges do not allow it.
 */
struct tn_port *tn_afxdp_port_new(const struct tn_afxdp_config *config, struct tn_error *err);

extern const struct tn_port_kind tn_veth_port_kind;

#endif
