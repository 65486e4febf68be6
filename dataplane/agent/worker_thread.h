/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread around a worker: polls its queues, passes quiescent points, sleeps when idle. */
#ifndef TN_AGENT_WORKER_THREAD_H
#define TN_AGENT_WORKER_THREAD_H

#include "dataplane/agent/agent.h"

/* A packet-out on its way to a worker. */
struct tn_worker_job {
	struct tn_packet packet; /* the worker's buffer from here on */
	uint32_t in_port;
	size_t n;
	struct tn_action list[];
};

/* arg: struct tn_worker_thread; runs until agent->stop. */
void *tn_worker_thread_main(void *arg);

/* How a worker of this thread reaches the main thread. */
void tn_worker_thread_events(struct tn_worker_thread *t, struct tn_worker_events *events);

/* Main thread: something is there for a worker that may sleep. */
void tn_worker_thread_wake(struct tn_worker_thread *t);

/*
 * Main thread, after it published: returns when no call of the kernel in which the worker sleeps
 * holds on to a descriptor that only an older forwarding has. A file lives until that call ends,
 * and an interface as long as its file.
 */
void tn_worker_thread_await(const struct tn_worker_thread *t, uint64_t number);

/*
 * Main thread: the worker is to wake when the descriptor, of a queue of the port at this index,
 * becomes readable, until that is closed. False: it cannot, or fd is -1. In place of a queue
 * SHADOW is the host's side of an uplink; in place of an index WOKEN is wake_fd.
 */
#define TN_WORKER_SHADOW TN_WORKER_PORTS_MAX
#define TN_WORKER_WOKEN	 TN_WORKER_PORTS_MAX
bool tn_worker_thread_watch(struct tn_worker_thread *t, int fd, unsigned index, unsigned queue);

/* All of its memory but rings of DPDK and the worker. -ENOMEM: the caller calls fini. */
int tn_worker_thread_init(struct tn_worker_thread *t) TN_MUST_CHECK;
/* The thread has ended. Frees what waits in the jobs too. */
void tn_worker_thread_fini(struct tn_worker_thread *t);

static inline uint64_t tn_worker_thread_time(const struct tn_agent *agent, uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)(tsc - agent->tsc_start) * agent->ns_per_tsc >> 32) +
		agent->time_start_ns;
}

#endif
