/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames between guests and the fast path that are not finished: checksum still to be computed,
 * long TCP frames still to be cut. librte_vhost reads and writes the headers of virtio-net and says
 * what is in them by flags of the mbuf.
 *
 * Private to the vhost-user port.
 */
#ifndef TN_PORT_VHOST_OFFLOAD_H
#define TN_PORT_VHOST_OFFLOAD_H

#include "dataplane/port/dpdk_buffer.h"

/* What of the features that a guest may have is for offloads of these kinds: "offloads" option. */
enum tn_vhost_offloads { TN_VHOST_NO_OFFLOADS, TN_VHOST_CHECKSUMS, TN_VHOST_ALL_OFFLOADS };

/* Features of virtio-net that the port must not offer. */
uint64_t tn_vhost_features_refused(enum tn_vhost_offloads offloads);
/* enum tn_port_takes of a guest that negotiated these. */
uint16_t tn_vhost_takes(uint64_t features);
/* May its frames be unfinished? Then they are to be taken in by large buffers. */
bool tn_vhost_gives_unfinished(uint64_t features);

/* What became of the mbufs of one burst. */
struct tn_vhost_burst {
	unsigned kept;
	unsigned too_long, too_short, no_buffer; /* dropped */
	unsigned large;				 /* of those kept, still to be cut */
};

/*
 * n mbufs from rte_vhost_dequeue_burst() become packets. Of a guest that
 * tn_vhost_gives_unfinished() they come from buffers.large and frames that fit go on in ordinary
 * buffers.
 */
void tn_vhost_from_guest(const struct tn_dpdk_buffers *buffers, bool unfinished,
	struct rte_mbuf **mbufs, unsigned n, struct tn_packet *packets,
	struct tn_vhost_burst *burst);

/* The mbuf that tells librte_vhost what is left to be done. NULL: no buffer. */
struct rte_mbuf *tn_vhost_to_guest(
	const struct tn_dpdk_buffers *buffers, const struct tn_packet *p);
/* The guest had no room for it: the packet is as before. */
void tn_vhost_take_back(struct rte_mbuf *m, const struct tn_packet *p);

#endif
