/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The underlay of a host whose uplinks are the kernel's: tunnel packets come and go by the kernel's
 * VXLAN device, which routes, resolves, fragments and checks them. To the fast path it is an uplink
 * as any other: frames with outer headers come in, which this driver makes from what the device
 * knew, and those that go out are taken apart again. Known sessions do not come by here at all.
 *
 * Workers may share the uplink: by AF_XDP they get the tunnel packets that are for no station of
 * the kernel's, as they are on the wire, by receive queues of their own behind that of the device;
 * and they send by it what has a next hop that the process's underlay knows. What has none the
 * kernel finds a way for, as what does not fit into the uplink's MTU. That and its MAC are followed
 * (maintain); sockets are made for the MTU of the beginning and get nothing while it is larger, and
 * go with the interface: the VXLAN device remains.
 *
 * Options: "address", "address6" (at least one), "udpPort", "uplink", "guard", "shared", "frames".
 * The process's underlay gets the addresses and a way to everywhere from the port itself
 * (tn_kernel_tunnel_underlay()); routes are the kernel's.
 */
#ifndef TN_PORT_KERNEL_TUNNEL_H
#define TN_PORT_KERNEL_TUNNEL_H

#include "dataplane/core/underlay_config.h"
#include "dataplane/port/port_factory.h"

extern const struct tn_port_kind tn_kernel_tunnel_kind;

/* Is it one? Then the VXLAN device. */
bool tn_kernel_tunnel_way(const struct tn_port *port, uint32_t *ifindex, uint16_t *udp_port);
/* Does it have the guard at its uplink, which is to know who may send? */
bool tn_kernel_tunnel_guarded(const struct tn_port *port);

#define TN_KERNEL_TUNNEL_ITEMS 3u /* of each kind, at most */

struct tn_kernel_tunnel_underlay {
	struct tn_underlay_address addresses[TN_KERNEL_TUNNEL_ITEMS];
	struct tn_underlay_route routes[TN_KERNEL_TUNNEL_ITEMS];
	struct tn_underlay_neighbour neighbours[TN_KERNEL_TUNNEL_ITEMS];
	unsigned n; /* of each; of neighbours one more */
};

/* What the process's underlay is to have for it. false: it is not one. */
bool tn_kernel_tunnel_underlay(
	const struct tn_port *port, struct tn_kernel_tunnel_underlay *underlay);

#endif
