/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The AF_XDP sockets of an interface, one a receive queue, as queues of a port: frames become
 * buffers of the process and are completed on the way in, and are copied on the way out. Which
 * frames come to a socket the XDP program of the interface says.
 *
 * Threads: of one queue one receives at a time; any number send, they share the sockets; the main
 * thread maintains.
 */
#ifndef TN_PORT_XSK_QUEUES_H
#define TN_PORT_XSK_QUEUES_H

#include "dataplane/core/error.h"
#include "dataplane/fastpath/port.h"

#define TN_XSK_FRAMES_MIN 64
#define TN_XSK_FRAMES_MAX 4096
#define TN_XSK_QUEUES_MAX 64u

struct tn_xsk_queue;

struct tn_xsk_queues {
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	uint32_t mtu; /* of the interface */
	unsigned n;
	struct tn_xsk_queue *queues;
};

struct tn_xsk_queues_config {
	const char *ifname;
	unsigned n;	   /* receive queues of the interface, at most TN_XSK_QUEUES_MAX */
	uint32_t n_frames; /* a queue and direction; a power of two, 0: 1024 */
	uint32_t mtu;
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
};

/* Can a queue have so many? */
int tn_xsk_frames_check(const char *ifname, uint32_t n_frames, struct tn_error *err) TN_MUST_CHECK;
/* In the interface's namespace. -EINVAL with err; what was opened is to be closed then, too. */
int tn_xsk_queues_open(struct tn_xsk_queues *q, const struct tn_xsk_queues_config *config,
	struct tn_error *err) TN_MUST_CHECK;
/* Also of one that is all zero. */
void tn_xsk_queues_close(struct tn_xsk_queues *q);
int tn_xsk_queues_fd(const struct tn_xsk_queues *q, unsigned queue);

/* As rx and tx of struct tn_port_ops; tx of any queue number. */
unsigned tn_xsk_queues_rx(
	struct tn_xsk_queues *q, unsigned queue, struct tn_packet *packets, unsigned n);
unsigned tn_xsk_queues_tx(
	struct tn_xsk_queues *q, unsigned queue, struct tn_packet *packets, unsigned n);

/* Adds to what is there. */
void tn_xsk_queues_stats(const struct tn_xsk_queues *q, struct tn_port_wire_stats *stats);
/* Frames that the kernel could not send, and after which no others came. */
void tn_xsk_queues_kick(struct tn_xsk_queues *q);
/* Are there any? */
bool tn_xsk_queues_waiting(const struct tn_xsk_queues *q);

#endif
