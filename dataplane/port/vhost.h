/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports of virtual machines: vhost-user by librte_vhost, without an ethdev, of which a process has
 * 32 at most.
 *
 * Options: "socket" (path), "mode" and "queues" (receive queues that workers share out; default 1).
 * "client", the default, connects to the socket that the guest's side serves and tries again once a
 * second: a guest lives on when the switch is restarted. In "server" mode the switch makes the
 * socket and the guest's side connects, again and again where it can. One guest a port; a second
 * one is turned away. All queue pairs of a guest are served, whatever "queues" says. Where it has
 * fewer than there are workers, some share a pair.
 *
 * Negotiated: VERSION_1, mergeable receive buffers, indirect descriptors, event index, in-order and
 * packed rings, several queue pairs, control queue, announcement after migration, MTU.
 * Not negotiated: any checksum or segmentation offload (CSUM, GUEST_CSUM, and TSO, ECN and UFO of
 * both directions), IOMMU, post-copy. So every frame of a guest is whole and right on every way
 * out, and a guest computes its checksums itself.
 *
 * The link is up while a guest drives the device. Its frames that fit no buffer (--max-frame) count
 * as rx_dropped, those shorter than an Ethernet header as rx_errors.
 */
#ifndef TN_PORT_VHOST_H
#define TN_PORT_VHOST_H

#include "dataplane/port/port_factory.h"

extern const struct tn_port_kind tn_vhost_port_kind;

#endif
