/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a port driver is to the fast path: one file of dataplane/port/ a kind. A driver fills bursts
 * of packets and takes them; it knows nothing of tables.
 *
 * Threads: rx of one queue is called by one worker at a time, tx of one queue too; everything else
 * by the main thread. A port is removed only after every worker passed a quiescent point without
 * it, so no call comes after stop().
 */
#ifndef TN_FASTPATH_PORT_H
#define TN_FASTPATH_PORT_H

#include "dataplane/core/types.h"
#include "dataplane/fastpath/packet.h"

struct tn_port;

/* What a port's tx takes unfinished; the fast path finishes the rest before. */
enum tn_port_takes {
	TN_PORT_TAKES_CSUM = 1u << 0, /* TN_OFFLOAD_CSUM */
	TN_PORT_TAKES_TSO4 = 1u << 1, /* TCP over IPv4 that is to be cut */
	TN_PORT_TAKES_TSO6 = 1u << 2,
};

/* Counters of the wire side; the main thread's to read. */
struct tn_port_wire_stats {
	uint64_t rx_dropped; /* frames the driver could not take in */
	uint64_t rx_errors, tx_errors;
	uint64_t rx_large, tx_large; /* frames that were still to be cut into TCP segments */
};

struct tn_port_ops {
	const char *kind; /* "dpdk", "vhost-user", "veth", "tap", "pcap", "memory" */
	/* Up to n packets, now; never blocks. Buffers are the worker's from here on. */
	unsigned (*rx)(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n);
	/*
	 * Takes the first ones it can and returns how many; those are the driver's. The rest stay
	 * the worker's, which drops and counts them. Never blocks.
	 */
	unsigned (*tx)(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n);
	/*
	 * How a worker sleeps until rx has something: wait_fd becomes readable then, which it is
	 * told by an edge (EPOLLET), the same descriptor for the port's life (a driver whose far
	 * end comes and goes keeps an epoll descriptor); -1: poll only, the worker looks once a
	 * nap.
	 *
	 * prepare_wait, the last thing before a sleep: asks the far end to tell (a guest need not
	 * kick a worker that polls), then looks once more. false: rx has something, or nobody could
	 * tell it: no sleep. NULL: the descriptor alone does. Called by the worker that calls rx.
	 */
	int (*wait_fd)(struct tn_port *port, unsigned queue);
	bool (*prepare_wait)(struct tn_port *port, unsigned queue);
	bool (*link_up)(struct tn_port *port);
	void (*wire_stats)(struct tn_port *port, struct tn_port_wire_stats *stats);
	/* Link changes, reconnects: the main thread's call before it looks at the link. */
	void (*maintain)(struct tn_port *port, uint64_t now_ns);
	/*
	 * When that is wanted. link_fd is readable until maintain took off it what it told; NULL or
	 * -1: nothing tells. maintain_due: at the latest then, 0: some times a second, UINT64_MAX:
	 * only when link_fd tells. NULL: some times a second.
	 */
	int (*link_fd)(struct tn_port *port);
	uint64_t (*maintain_due)(struct tn_port *port);
	void (*destroy)(struct tn_port *port);
};

/* Embedded first in each driver's own struct. */
struct tn_port {
	const struct tn_port_ops *ops;
	char name[64];
	uint32_t number; /* OpenFlow port */
	uint32_t mtu;	 /* of the frame's payload; 0: no limit */
	uint16_t n_rx_queues, n_tx_queues;
	uint16_t takes; /* enum tn_port_takes; atomic, changes with the guest behind it */
	struct tn_mac mac;
};

/* maintain_due of a port whose link never changes. */
static inline uint64_t tn_port_never_due(struct tn_port *port)
{
	(void)port;
	return UINT64_MAX;
}

#endif
