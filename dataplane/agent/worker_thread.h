/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread around a worker: polls its queues, passes quiescent points, sleeps when idle. */
#ifndef TN_AGENT_WORKER_THREAD_H
#define TN_AGENT_WORKER_THREAD_H

#include "dataplane/agent/agent.h"

/* arg: struct tn_worker_thread; runs until agent->stop. */
void *tn_worker_thread_main(void *arg);

/* How a worker of this thread reaches the main thread. */
void tn_worker_thread_events(struct tn_worker_thread *t, struct tn_worker_events *events);

static inline uint64_t tn_worker_thread_time(const struct tn_agent *agent, uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)(tsc - agent->tsc_start) * agent->ns_per_tsc >> 32) +
		agent->time_start_ns;
}

#endif
