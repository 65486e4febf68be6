/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/housekeeping.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/agent/kernel.h"
#include "dataplane/agent/ports.h"
#include "dataplane/agent/punt.h"
#include "dataplane/agent/worker_thread.h"

#define DRAIN_NS   UINT64_C(20000000)
#define EXPIRE_NS  UINT64_C(200000000)
#define LINKS_NS   UINT64_C(200000000)
#define SWEEP_NS   UINT64_C(1000000000)
#define COLLECT_NS UINT64_C(100000000) /* at most, for all counts */
#define EVENTS_NS  UINT64_C(200000000) /* the same for those of removed flows */
#define EVENTS	   100000u

static void take_event(struct tn_agent *agent, const struct tn_worker_event *e)
{
	switch ((enum tn_worker_event_kind)e->kind) {
	case TN_WORKER_COUNT:
		tn_switch_count(agent->sw, &e->count);
		break;
	case TN_WORKER_LEARN:
		tn_switch_learn(agent->sw, &e->learn, tn_agent_now(agent));
		break;
	case TN_WORKER_SNOOP:
		tn_switch_snoop(agent->sw, &e->snoop, tn_agent_now(agent));
		break;
	}
}

void tn_housekeeping_drain(struct tn_agent *agent)
{
	for (unsigned i = 0; i < agent->n_workers; i++) {
		struct tn_byte_ring *ring = agent->workers[i].events;
		const struct tn_worker_event *e;
		uint32_t len;

		/* Not for ever, should the worker be faster than this. */
		for (unsigned n = 0; n < EVENTS && (e = tn_byte_ring_peek(ring, &len)); n++) {
			take_event(agent, e);
			tn_byte_ring_pop(ring);
		}
	}
}

uint32_t tn_agent_ask_counts(struct tn_agent *agent)
{
	uint32_t ask = agent->workers[0].counts_wanted + 1;

	tn_kernel_sweep(agent);
	for (unsigned i = 0; i < agent->n_workers; i++) {
		struct tn_worker_thread *t = &agent->workers[i];

		__atomic_store_n(&t->counts_wanted, ask, __ATOMIC_RELEASE);
		tn_worker_thread_wake(t);
	}
	return ask;
}

bool tn_agent_counts_came(struct tn_agent *agent, uint32_t ask)
{
	bool all = true;

	/* Looked at first: what was told by then is in the rings. */
	for (unsigned i = 0; i < agent->n_workers; i++) {
		const struct tn_worker_thread *t = &agent->workers[i];
		uint32_t told = __atomic_load_n(&t->counts_told, __ATOMIC_ACQUIRE);

		all &= !t->started || (int32_t)(told - ask) >= 0;
	}
	tn_housekeeping_drain(agent);
	return all;
}

void tn_agent_collect_counts(struct tn_agent *agent)
{
	const struct timespec pause = {.tv_nsec = 50000};
	uint64_t end = tn_agent_now(agent) + COLLECT_NS;
	uint32_t ask = tn_agent_ask_counts(agent);

	while (!tn_agent_counts_came(agent, ask) && tn_agent_now(agent) < end)
		(void)nanosleep(&pause, NULL);
}

static void publish(struct tn_agent *agent)
{
	struct tn_error err;

	/* Without memory workers go on with what they have; the next change tries again. */
	if (tn_agent_publish(agent, &err))
		tn_agent_say("%s", err.detail);
}

/* Once the workers have left the version that had the flows, nobody counts for them any more. */
static bool workers_are_current(const struct tn_agent *agent)
{
	return agent->forwarding->fwd.snapshot == tn_switch_snapshot(agent->sw);
}

/*
 * Events of removed flows go out with final counts: workers are asked for those once they are
 * current, and the events of that moment are released when all have told. Not for ever, should a
 * worker be stuck, or publishing fail for want of memory.
 */
static void release_events(struct tn_agent *agent)
{
	uint64_t now = tn_agent_now(agent), newest;

	if (agent->events_wait) {
		if (!tn_agent_counts_came(agent, agent->events_asked) &&
			now < agent->events_until_ns)
			return;
		tn_switch_release_events(agent->sw, agent->events_wait);
		agent->events_wait = agent->events_until_ns = 0;
		agent->reclaim_due = true;
	}
	newest = tn_switch_held_events(agent->sw);
	if (!newest)
		return;
	if (!agent->events_until_ns)
		agent->events_until_ns = now + EVENTS_NS;
	if (!workers_are_current(agent) && now < agent->events_until_ns)
		return;
	agent->events_wait = newest;
	agent->events_until_ns = now + EVENTS_NS;
	agent->events_asked = tn_agent_ask_counts(agent);
}

static void on_drain(void *ctx)
{
	struct tn_agent *agent = ctx;

	tn_housekeeping_drain(agent);
	tn_kernel_drain(agent);
	if (tn_switch_publish_addresses(agent->sw) > 0)
		publish(agent);
	release_events(agent);
	/* tn_agent_publish() waited until no worker had an older version than this. */
	if (agent->reclaim_due && workers_are_current(agent)) {
		agent->reclaim_due = false;
		tn_switch_reclaim(agent->sw);
	}
}

/* Idle flows are known only once all workers told when they saw them last. */
static void on_expire(void *ctx)
{
	struct tn_agent *agent = ctx;
	const struct tn_snapshot *before = tn_switch_snapshot(agent->sw);
	uint64_t now = tn_agent_now(agent);

	if (tn_switch_next_flow_expiry(agent->sw) <= now)
		tn_agent_collect_counts(agent);
	tn_switch_expire(agent->sw, now);
	if (tn_switch_snapshot(agent->sw) != before)
		publish(agent);
}

static void on_links(void *ctx)
{
	struct tn_agent *agent = ctx;

	if (tn_agent_ports_maintain(agent))
		publish(agent);
}

static void on_sweep(void *ctx)
{
	tn_kernel_sweep(ctx);
}

static void on_punts(void *ctx, uint32_t events)
{
	struct tn_agent *agent = ctx;
	uint64_t times;

	(void)events;
	(void)!read(agent->punt_fd, &times, sizeof(times));
	tn_punt_deliver(agent);
}

int tn_housekeeping_start(struct tn_agent *agent)
{
	int rc = tn_loop_add(agent->loop, agent->punt_fd, EPOLLIN, on_punts, agent);

	if (!rc)
		rc = tn_loop_every(agent->loop, DRAIN_NS, on_drain, agent);
	if (!rc)
		rc = tn_loop_every(agent->loop, EXPIRE_NS, on_expire, agent);
	if (!rc)
		rc = tn_loop_every(agent->loop, LINKS_NS, on_links, agent);
	if (!rc)
		rc = tn_loop_every(agent->loop, SWEEP_NS, on_sweep, agent);
	return rc;
}

void tn_housekeeping_stop(struct tn_agent *agent)
{
	tn_loop_remove(agent->loop, agent->punt_fd);
}
