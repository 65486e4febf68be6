/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports of virtual machines: vhost-user by librte_vhost, without an ethdev, of which a process has
 * 32 at most.
 *
 * Options: "socket" (path), "mode", "queues" (receive queues that workers share out; default 1) and
 * "offloads" ("all", the default, "checksum" or "none").
 * "client", the default, connects to the socket that the guest's side serves and tries again once a
 * second: a guest lives on when the switch is restarted. In "server" mode the switch makes the
 * socket and the guest's side connects, again and again where it can. One guest a port; a second
 * one is turned away. All queue pairs of a guest are served, whatever "queues" says. Where it has
 * fewer than there are workers, some share a pair.
 *
 * Negotiated: VERSION_1, mergeable receive buffers, indirect descriptors, event index, in-order and
 * packed rings, several queue pairs, control queue, announcement after migration, MTU; CSUM and
 * GUEST_CSUM but for "offloads": "none"; HOST_TSO4, HOST_TSO6, GUEST_TSO4 and GUEST_TSO6 with
 * "all". Not negotiated: UFO, ECN (a guest cuts frames with a congestion mark itself), IOMMU,
 * post-copy.
 *
 * Frames of a guest that has offloads are read into large buffers, of which there are few: those
 * that fit an ordinary one are copied there at once, long ones that are still to be cut stay. While
 * all are out the guest's frames wait in its ring.
 *
 * The link is up while a guest drives the device. Its frames that fit no buffer (--max-frame) count
 * as rx_dropped, those shorter than an Ethernet header as rx_errors.
 */
#ifndef TN_PORT_VHOST_H
#define TN_PORT_VHOST_H

#include "dataplane/port/port_factory.h"

extern const struct tn_port_kind tn_vhost_port_kind;

#endif
