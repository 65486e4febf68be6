/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/housekeeping.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/agent/kernel.h"
#include "dataplane/agent/ports.h"
#include "dataplane/agent/punt.h"
#include "dataplane/agent/worker_thread.h"
#include "dataplane/core/reply.h"

/* No work is done more often than this. */
#define DRAIN_NS  UINT64_C(20000000)
#define EXPIRE_NS UINT64_C(200000000)
#define LINKS_NS  UINT64_C(200000000)
#define SWEEP_NS  UINT64_C(1000000000)
#define AGE_NS	  UINT64_C(10000000000) /* of learnt addresses, while there are any */
#define COUNTS_NS UINT64_C(10000000000) /* at most, for what workers counted */
#define EVENTS	  100000u
/* Of many networks, whose times fell together: so many in one go, every 20 ms. */
#define ADVERTS_NS UINT64_C(20000000)
#define ADVERTS	   8u

/* One kind of work, and when it is done. */
struct task {
	struct tn_loop_timer *timer;
	uint64_t every_ns;
	uint64_t done_ns; /* last */
	uint64_t due_ns;  /* what the timer is set to; UINT64_MAX: it is not */
};

struct tn_housekeeping {
	struct task drain, expire, links, sweep, adverts;
	int told_fd;  /* eventfd: something is in a ring */
	bool told;    /* atomic: it was written since the last drain */
	bool publish; /* when the round ends */
	/* Flows may be due: workers are asked when they saw them last. asked_ns 0: they are not. */
	uint64_t expire_asked_ns;
	uint32_t expire_ask;
};

/* At that time, but not before the work may be done again. */
static void schedule(struct tn_agent *agent, struct task *task, uint64_t due_ns)
{
	uint64_t now, first = task->done_ns + task->every_ns;

	if (due_ns < first)
		due_ns = first;
	if (due_ns == task->due_ns)
		return;
	task->due_ns = due_ns;
	if (due_ns == UINT64_MAX) {
		tn_loop_timer_unset(task->timer);
		return;
	}
	now = tn_agent_now(agent);
	tn_loop_timer_set(task->timer, due_ns > now ? due_ns - now : 0);
}

static void begin(const struct tn_agent *agent, struct task *task)
{
	task->done_ns = tn_agent_now(agent);
	task->due_ns = UINT64_MAX;
}

void tn_housekeeping_soon(struct tn_agent *agent)
{
	if (agent->housekeeping)
		schedule(agent, &agent->housekeeping->drain, 0);
}

void tn_housekeeping_publish_soon(struct tn_agent *agent)
{
	agent->housekeeping->publish = true;
}

void tn_housekeeping_tell(struct tn_agent *agent)
{
	struct tn_housekeeping *h = agent->housekeeping;
	const uint64_t one = 1;

	if (!__atomic_exchange_n(&h->told, true, __ATOMIC_SEQ_CST))
		(void)!write(h->told_fd, &one, sizeof(one));
}

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
		agent->events_until_ns = now + COUNTS_NS;
	if (!workers_are_current(agent) && now < agent->events_until_ns)
		return;
	agent->events_wait = newest;
	agent->events_until_ns = now + COUNTS_NS;
	agent->events_asked = tn_agent_ask_counts(agent);
}

static bool has_addresses(const struct tn_agent *agent)
{
	struct tn_learning_stats stats;

	tn_switch_learning_stats(agent->sw, &stats);
	return stats.addresses != 0;
}

/* What the drain may have left, or brought. */
static void schedule_all(struct tn_agent *agent, bool again)
{
	struct tn_housekeeping *h = agent->housekeeping;

	if (again || h->expire_asked_ns || agent->reclaim_due || agent->events_wait ||
		tn_switch_held_events(agent->sw))
		tn_housekeeping_soon(agent);
	schedule(agent, &h->links, tn_agent_ports_due(agent));
	schedule(agent, &h->sweep, tn_kernel_wants_sweep(agent) ? 0 : UINT64_MAX);
}

/* Idle flows are known only once all workers told when they saw them last. */
static void expire(struct tn_agent *agent)
{
	struct tn_housekeeping *h = agent->housekeeping;
	const struct tn_snapshot *before = tn_switch_snapshot(agent->sw);

	if (!tn_agent_counts_came(agent, h->expire_ask) &&
		tn_agent_now(agent) - h->expire_asked_ns < COUNTS_NS)
		return;
	/* Of what came since the ask nothing is known for sure. */
	tn_switch_expire(agent->sw, h->expire_asked_ns);
	h->expire_asked_ns = 0;
	if (tn_switch_snapshot(agent->sw) != before)
		publish(agent);
}

static void on_drain(void *ctx)
{
	struct tn_agent *agent = ctx;
	int published;

	begin(agent, &agent->housekeeping->drain);
	/* Before the look at the rings: what comes after it is told again. */
	(void)__atomic_exchange_n(&agent->housekeeping->told, false, __ATOMIC_SEQ_CST);
	tn_housekeeping_drain(agent);
	tn_kernel_drain(agent);
	if (agent->housekeeping->expire_asked_ns)
		expire(agent);
	published = tn_switch_publish_addresses(agent->sw);
	if (published > 0)
		publish(agent);
	release_events(agent);
	/* tn_agent_publish() waited until no worker had an older version than this. */
	if (agent->reclaim_due && workers_are_current(agent)) {
		agent->reclaim_due = false;
		tn_switch_reclaim(agent->sw);
	}
	schedule_all(agent, published < 0);
}

static void on_expire(void *ctx)
{
	struct tn_agent *agent = ctx;
	struct tn_housekeeping *h = agent->housekeeping;

	begin(agent, &h->expire);
	if (!h->expire_asked_ns) {
		h->expire_asked_ns = h->expire.done_ns;
		if (tn_switch_next_flow_expiry(agent->sw) <= h->expire_asked_ns)
			h->expire_ask = tn_agent_ask_counts(agent);
	}
	tn_housekeeping_soon(agent);
}

static void on_links(void *ctx)
{
	struct tn_agent *agent = ctx;

	begin(agent, &agent->housekeeping->links);
	if (tn_agent_ports_maintain(agent))
		publish(agent);
	schedule(agent, &agent->housekeeping->links, tn_agent_ports_due(agent));
}

static void on_sweep(void *ctx)
{
	struct tn_agent *agent = ctx;

	begin(agent, &agent->housekeeping->sweep);
	tn_kernel_sweep(agent);
	tn_housekeeping_soon(agent);
}

/* A worker runs what is due; one that does not keep up leaves it out until its next time. */
static void on_adverts(void *ctx)
{
	struct tn_agent *agent = ctx;
	struct tn_advert advert;
	struct tn_error err;

	begin(agent, &agent->housekeeping->adverts);
	for (unsigned i = 0; i < ADVERTS; i++) {
		if (!tn_switch_take_advert(agent->sw, tn_agent_now(agent), &advert) ||
			tn_agent_packet_out(agent, TN_PORT_CONTROLLER, advert.list, advert.n,
				tn_reply_solicitation, TN_SOLICITATION_LEN, &err))
			return;
	}
}

/* Whatever the round did to the tables: what is due next is asked for in one place. */
static void after_round(void *ctx)
{
	struct tn_agent *agent = ctx;
	struct tn_housekeeping *h = agent->housekeeping;
	uint64_t due = tn_switch_next_expiry(agent->sw);

	if (h->publish)
		publish(agent);
	h->publish = false;
	if (has_addresses(agent) && due > h->expire.done_ns + AGE_NS)
		due = h->expire.done_ns + AGE_NS;
	schedule(agent, &h->expire, due);
	schedule(agent, &h->adverts, tn_switch_next_advert(agent->sw));
}

static void on_told(void *ctx, uint32_t events)
{
	struct tn_agent *agent = ctx;
	uint64_t times;

	(void)events;
	(void)!read(agent->housekeeping->told_fd, &times, sizeof(times));
	if (tn_agent_now(agent) - agent->housekeeping->drain.done_ns >= DRAIN_NS)
		on_drain(agent);
	else
		tn_housekeeping_soon(agent);
}

static void on_punts(void *ctx, uint32_t events)
{
	struct tn_agent *agent = ctx;
	uint64_t times;

	(void)events;
	(void)!read(agent->punt_fd, &times, sizeof(times));
	tn_punt_deliver(agent);
}

static int make(struct tn_agent *agent, struct task *task, uint64_t every_ns, tn_timer_fn fn)
{
	*task = (struct task){.every_ns = every_ns, .due_ns = UINT64_MAX};
	task->timer = tn_loop_timer_new(agent->loop, fn, agent);
	return task->timer ? 0 : -ENOMEM;
}

int tn_housekeeping_new(struct tn_agent *agent)
{
	struct tn_housekeeping *h = calloc(1, sizeof(*h));

	agent->housekeeping = h;
	if (!h)
		return -ENOMEM;
	h->told_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->told_fd < 0 || make(agent, &h->drain, DRAIN_NS, on_drain) ||
		make(agent, &h->expire, EXPIRE_NS, on_expire) ||
		make(agent, &h->links, LINKS_NS, on_links) ||
		make(agent, &h->sweep, SWEEP_NS, on_sweep) ||
		make(agent, &h->adverts, ADVERTS_NS, on_adverts))
		return -ENOMEM;
	return 0;
}

void tn_housekeeping_free(struct tn_agent *agent)
{
	if (agent->housekeeping && agent->housekeeping->told_fd >= 0)
		close(agent->housekeeping->told_fd);
	free(agent->housekeeping);
	agent->housekeeping = NULL;
}

int tn_housekeeping_start(struct tn_agent *agent)
{
	struct tn_housekeeping *h = agent->housekeeping;
	int rc = tn_loop_add(agent->loop, agent->punt_fd, EPOLLIN, on_punts, agent);

	if (!rc)
		rc = tn_loop_add(agent->loop, h->told_fd, EPOLLIN, on_told, agent);
	if (rc)
		return rc;
	tn_loop_after_round(agent->loop, after_round, agent);
	tn_housekeeping_soon(agent);
	return 0;
}

void tn_housekeeping_stop(struct tn_agent *agent)
{
	struct tn_housekeeping *h = agent->housekeeping;
	struct task *const tasks[] = {&h->drain, &h->expire, &h->links, &h->sweep, &h->adverts};

	for (unsigned i = 0; i < TN_ARRAY_SIZE(tasks); i++) {
		if (tasks[i]->timer)
			tn_loop_timer_unset(tasks[i]->timer);
	}
	tn_loop_forget_hook(agent->loop, agent);
	tn_loop_remove(agent->loop, agent->punt_fd);
	tn_loop_remove(agent->loop, h->told_fd);
}
