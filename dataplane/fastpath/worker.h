/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: takes bursts of packets through session lookup, decision, action and transmit. One
 * thread a worker; nothing here is shared but what a struct tn_forwarding points to, which is
 * read-only.
 *
 * Consistency: a worker loads the forwarding pointer once a burst, so every packet is handled by
 * one version wholly. A session carries the version it was decided in and the numbers of the epochs
 * it depends on; when a commit raised one of them by a flow that the session's packets may match,
 * its next packet is decided again.
 *
 * Nothing on the hit path allocates, locks, reads a clock or writes a line another thread reads.
 */
#ifndef TN_FASTPATH_WORKER_H
#define TN_FASTPATH_WORKER_H

#include "dataplane/core/drop.h"
#include "dataplane/fastpath/counts.h"
#include "dataplane/fastpath/network_drops.h"
#include "dataplane/fastpath/packet.h"
#include "dataplane/fastpath/port.h"
#include "dataplane/fastpath/program_cache.h"
#include "dataplane/fastpath/tunnels.h"
#include "dataplane/fastpath/underlay.h"
#include "dataplane/pipeline/process.h"

#define TN_WORKER_PORTS_MAX 1024u

enum tn_forwarding_port_kind {
	TN_FWD_NONE, /* index not in use */
	TN_FWD_PLAIN,
	TN_FWD_TUNNEL, /* no wire of its own */
};

struct tn_forwarding_port {
	enum tn_forwarding_port_kind kind;
	uint32_t number;
	struct tn_port *port; /* PLAIN */
	bool underlay;	      /* tunnelled frames come in and go out here */
	bool host;	      /* underlay: what is for no tunnel is the host's, not the tables' */
	bool tells;	      /* decisions on its packets are told: events.decided */
	uint8_t closed;	      /* enum tn_drop: why no tunnel packet leaves by it */
	uint32_t max_frame;   /* longest frame it sends, VLAN tags not counted */
};

/*
 * One version of everything a worker reads. Immutable. A change of ports, tunnels or underlay comes
 * with a new version of the switch (tn_switch_touch), which is what sessions go by.
 */
struct tn_forwarding {
	const struct tn_snapshot *snapshot;
	const struct tn_tunnels *tunnels;
	const struct tn_underlay *underlay;
	uint32_t n_ports; /* highest index + 1 */
	struct tn_forwarding_port ports[TN_WORKER_PORTS_MAX];
};

#define TN_FORWARDING_NONE UINT32_MAX

/* Index of the port with this OpenFlow number; TN_FORWARDING_NONE: there is none. */
uint32_t tn_forwarding_index(const struct tn_forwarding *fwd, uint32_t number);

/* By worker and port; only the worker writes. */
struct tn_worker_port_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t dropped[TN_DROP_COUNT]; /* by the port they came in by */
};

/* A decision that became a session: whoever hears of it may make one elsewhere. */
struct tn_decision {
	const struct tn_key *key;
	const struct tn_program *program;
	const struct tn_read_set *read;
	uint64_t classes; /* bitmap of the epoch classes it depends on */
	uint32_t version; /* low 32 bits of the switch's */
};

/* What leaves the packet path for the main thread. false: no room, the worker counts a drop. */
struct tn_worker_events {
	void *ctx;
	bool (*packet_in)(void *ctx, const struct tn_view *view, const struct tn_op *op,
		uint8_t reason, uint16_t max_len);
	void (*learn)(void *ctx, const struct tn_learnt *learnt);
	void (*snoop)(void *ctx, const struct tn_snooped *snooped);
	/*
	 * What COUNT ops came to; false: later. count_room: how many it takes now, NULL: any
	 * number.
	 */
	tn_count_fn count;
	unsigned (*count_room)(void *ctx);
	/*
	 * A frame of an underlay port with `host` that no tunnel takes; takes the buffer. false: it
	 * did not get there.
	 */
	bool (*host)(void *ctx, unsigned port_index, struct tn_packet *packet);
	/*
	 * Of a port that `tells`; good for the call. May be NULL. false: such a program is for
	 * nobody else, so that its sessions need not be told of with every packet.
	 */
	bool (*decided)(void *ctx, unsigned port_index, const struct tn_decision *decision);
};

struct tn_worker_config {
	uint32_t sessions; /* 0: none, every packet is decided */
	uint32_t seed;
	unsigned tx_queue; /* of every port */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	struct tn_worker_events events;
};

struct tn_worker;

struct tn_worker *tn_worker_new(const struct tn_worker_config *config);
/* Reports what was counted, then frees. */
void tn_worker_free(struct tn_worker *w);

/*
 * Handles n <= TN_BURST packets that came in by the port of that index; takes the buffers. now_ns:
 * the burst's time. Frames wait in the worker until tn_worker_flush().
 */
void tn_worker_burst(struct tn_worker *w, const struct tn_forwarding *fwd, unsigned port_index,
	struct tn_packet *packets, unsigned n, uint64_t now_ns);
void tn_worker_flush(struct tn_worker *w, const struct tn_forwarding *fwd);

/*
 * A packet-out: a frame and a list that tn_actions_check() passed (TN_PLACE_PACKET_OUT). Takes the
 * buffer. Drops count at in_port, at TN_WORKER_CONTROLLER where that is no port.
 */
void tn_worker_packet_out(struct tn_worker *w, const struct tn_forwarding *fwd,
	struct tn_packet *packet, uint32_t in_port, const struct tn_action *list, size_t n,
	uint64_t now_ns);
#define TN_WORKER_CONTROLLER (TN_WORKER_PORTS_MAX - 1) /* no port has this index */

/*
 * Reports counts of up to `budget` programs, going round: call between bursts. True: everything
 * that was counted before tn_worker_sweep_begin() has been reported.
 */
bool tn_worker_sweep(struct tn_worker *w, uint32_t budget);
void tn_worker_sweep_begin(struct tn_worker *w);

const struct tn_worker_port_stats *tn_worker_port_stats(const struct tn_worker *w, unsigned index);
/* The same drops by network; only the worker writes. */
const struct tn_network_drops *tn_worker_network_drops(const struct tn_worker *w);

struct tn_worker_stats {
	uint64_t hits, misses, stale, uncached, evicted;
	uint64_t copies;   /* made by programs; of a frame cut in n, n - 1 */
	uint64_t segments; /* made of frames that were cut */
	uint32_t sessions, programs;
	size_t session_bytes; /* of one session, everything of the table included */
};

void tn_worker_stats(const struct tn_worker *w, struct tn_worker_stats *stats);

#endif
