/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker that polls nothing: the process of a host without a core to spare (--mode kernel). It
 * waits for the descriptors of all its queues at once, without an end, and looks at those alone
 * that were told of.
 *
 * Descriptors tell by edges: a queue that was told of is looked at until it has nothing. Of a port
 * that comes, an edge may be seen before its forwarding is: so with every new forwarding all queues
 * are looked at once.
 */
#include <sys/epoll.h>
#include <time.h>

#include <rte_cycles.h>

#include "dataplane/agent/worker_private.h"

#define EVENTS 64

/* --- what may have something ------------------------------------------------------------------ */

static void list(struct tn_worker_ready *r, unsigned index)
{
	if (!r->ports[index].listed)
		r->list[r->n++] = (uint16_t)index;
	r->ports[index].listed = true;
}

static void mark_queue(struct tn_worker_ready *r, unsigned index, unsigned queue)
{
	r->ports[index].queues |= UINT64_C(1) << queue;
	list(r, index);
}

static void mark_shadow(struct tn_worker_ready *r, unsigned index)
{
	r->ports[index].shadow = true;
	list(r, index);
}

static void mark_all(struct tn_worker_thread *t, const struct tn_agent_forwarding *f)
{
	for (unsigned i = 0; i < f->n_queues[t->id]; i++)
		mark_queue(t->ready, f->queues[t->id][i].port_index, f->queues[t->id][i].queue);
	for (unsigned i = 0; i < f->n_shadows; i++)
		mark_shadow(t->ready, f->with_shadow[i]);
}

static void mark_told(struct tn_worker_ready *r, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		unsigned index = (uint32_t)events[i].data.u64;
		unsigned queue = (unsigned)(events[i].data.u64 >> 32);

		if (index == TN_WORKER_WOKEN)
			continue;
		if (queue == TN_WORKER_SHADOW)
			mark_shadow(r, index);
		else
			mark_queue(r, index, queue);
	}
}

/* A burst of each queue of a port that may have one; what has nothing is not listed any more. */
static unsigned poll_port(
	struct tn_worker_thread *t, const struct tn_agent_forwarding *f, unsigned index)
{
	uint64_t *queues = &t->ready->ports[index].queues;
	const struct tn_port *port = f->fwd.ports[index].port; /* NULL: it went */
	unsigned total = 0, n;

	for (uint64_t left = *queues; left; left &= left - 1) {
		unsigned queue = (unsigned)__builtin_ctzll(left);
		const struct tn_rx_queue q = {(uint16_t)index, (uint16_t)queue};

		n = port && queue < port->n_rx_queues ? tn_worker_poll_queue(t, f, q) : 0;
		total += n;
		if (!n)
			*queues &= ~(UINT64_C(1) << queue);
	}
	if (t->ready->ports[index].shadow) {
		n = f->shadows[index] ? tn_worker_poll_shadow(t, f, index) : 0;
		total += n;
		t->ready->ports[index].shadow = n != 0;
	}
	return total;
}

static unsigned poll_ready(struct tn_worker_thread *t, const struct tn_agent_forwarding *f)
{
	struct tn_worker_ready *r = t->ready;
	unsigned total = 0, kept = 0, n = r->n;

	for (unsigned i = 0; i < n; i++) {
		unsigned index = r->list[i];

		total += poll_port(t, f, index);
		if (r->ports[index].queues || r->ports[index].shadow)
			r->list[kept++] = (uint16_t)index;
		else
			r->ports[index].listed = false;
	}
	r->n = kept;
	return total;
}

/* --- sleep ------------------------------------------------------------------------------------ */

/* Far ends are to tell when they send; those that have, or cannot, are looked at again. */
static bool prepare(struct tn_worker_thread *t, const struct tn_agent_forwarding *f)
{
	bool all = true;

	for (unsigned i = 0; i < f->n_queues[t->id]; i++) {
		const struct tn_rx_queue *q = &f->queues[t->id][i];
		struct tn_port *port = f->fwd.ports[q->port_index].port;

		if (!port->ops->prepare_wait || port->ops->prepare_wait(port, q->queue))
			continue;
		mark_queue(t->ready, q->port_index, q->queue);
		all = false;
	}
	return all;
}

/*
 * How long it may sleep though nothing wakes it; 0: for ever. What packets counted is told when
 * they pause. A port that cannot tell (the capture of a test) is looked at every nap.
 */
static long limit_of(const struct tn_worker_thread *t, bool prepared)
{
	if (!prepared || t->forwarding->naps[t->id] || t->idle_sweeping != t->all_told)
		return TN_NAP_NS;
	return t->all_told ? 0 : (long)TN_QUIET_NS;
}

/* As sleep_until_wanted() of a worker that polls: the forwarding may be freed meanwhile. */
static void sleep_until_told(struct tn_worker_thread *t)
{
	struct epoll_event events[EVENTS];
	struct timespec time = {0};
	bool prepared, look;
	int n = 0;

	t->naps++;
	(void)__atomic_exchange_n(&t->sleeping, 1, __ATOMIC_SEQ_CST);
	prepared = prepare(t, t->forwarding);
	/* One that has something gets a look at once; one that still cannot tell after it, a nap.
	 */
	look = t->look_again = !prepared && !t->look_again;
	if (t->forwarding->naps[t->id])
		mark_all(t, t->forwarding);
	time.tv_nsec = limit_of(t, prepared);
	if (!look && !tn_worker_wanted(t)) {
		rte_rcu_qsbr_thread_offline(t->agent->qsbr, t->id);
		n = epoll_pwait2(t->epoll_fd, events, EVENTS, time.tv_nsec ? &time : NULL, NULL);
		rte_rcu_qsbr_thread_online(t->agent->qsbr, t->id);
	}
	__atomic_store_n(&t->sleeping, 0, __ATOMIC_RELAXED);
	mark_told(t->ready, events, n);
}

static void be_idle(struct tn_worker_thread *t)
{
	if (t->now_ns - t->busy_ns >= TN_QUIET_NS)
		tn_worker_idle_sweep(t);
	tn_worker_tell(t);
	sleep_until_told(t);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* Others are told of, too, while some are busy. */
static void look_around(struct tn_worker_thread *t)
{
	struct epoll_event events[EVENTS];

	mark_told(t->ready, events, epoll_wait(t->epoll_fd, events, EVENTS, 0));
}

void tn_worker_run_by_events(struct tn_worker_thread *t)
{
	uint64_t tsc = rte_rdtsc();

	while (!__atomic_load_n(&t->agent->stop, __ATOMIC_RELAXED)) {
		const struct tn_agent_forwarding *f = tn_worker_begin_round(t, tsc);
		unsigned n, others;
		bool more;

		if (t->ready->seen != f->number)
			mark_all(t, f);
		t->ready->seen = f->number;
		n = poll_ready(t, f);
		others = tn_worker_run_jobs(t, f);
		tn_worker_end_round(t, &tsc, n);
		more = tn_worker_background(t, n + others);
		tn_worker_tell(t);
		if (more || t->ready->n) {
			look_around(t);
		} else {
			be_idle(t);
			tsc = rte_rdtsc();
		}
	}
}
