/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two ways to run a worker share: by polling and by events. The worker's thread. */
#ifndef TN_AGENT_WORKER_PRIVATE_H
#define TN_AGENT_WORKER_PRIVATE_H

#include "dataplane/agent/worker_thread.h"

/* What a first packet may wait where no descriptor tells of it. */
#define TN_NAP_NS 750000L
/* Nothing came for so long: it may be a while. */
#define TN_QUIET_NS 10000000u

/* Queues and shadows that may have something, by index of their port. */
struct tn_worker_ready {
	struct {
		uint64_t queues; /* bitmap */
		bool shadow;
		bool listed;
	} ports[TN_WORKER_PORTS_MAX];
	uint16_t list[TN_WORKER_PORTS_MAX];
	unsigned n;
	uint64_t seen; /* number of the forwarding that all were looked at with */
};

/* A quiescent point; what is returned is the round's own until the next one, or until it sleeps. */
struct tn_agent_forwarding *tn_worker_begin_round(struct tn_worker_thread *t, uint64_t tsc);
/* *tsc: when it began, and then when it ended. */
void tn_worker_end_round(struct tn_worker_thread *t, uint64_t *tsc, unsigned packets);

/* One look each; the packets. */
unsigned tn_worker_poll_queue(
	struct tn_worker_thread *t, const struct tn_agent_forwarding *f, struct tn_rx_queue q);
unsigned tn_worker_poll_shadow(
	struct tn_worker_thread *t, const struct tn_agent_forwarding *f, unsigned index);
/* Some of the packet-outs that wait. */
unsigned tn_worker_run_jobs(struct tn_worker_thread *t, const struct tn_agent_forwarding *f);

/* Rare work, between rounds. True: there is more. */
bool tn_worker_background(struct tn_worker_thread *t, unsigned packets);
/* Nothing comes: tells some of what was counted; in the end all_told. */
void tn_worker_idle_sweep(struct tn_worker_thread *t);
/* The main thread hears that there is something in a ring. */
void tn_worker_tell(struct tn_worker_thread *t);
/* Something came between the last look and the promise to sleep. */
bool tn_worker_wanted(const struct tn_worker_thread *t);

/* Until agent->stop, without polling: what is not told of is not looked at. */
void tn_worker_run_by_events(struct tn_worker_thread *t);

#endif
