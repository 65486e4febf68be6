/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/worker_thread.h"

#include <sched.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_ring_elem.h>

/* Empty rounds before an adaptive worker starts to sleep, and how long it does. */
#define IDLE_ROUNDS  256u
#define NAP_NS	     300000L
#define SWEEP_ROUNDS 1024u
#define SWEEP_BUDGET 64u

static bool send_count(void *ctx, const struct tn_count *count)
{
	struct tn_worker_thread *t = ctx;
	struct tn_worker_event e = {.kind = TN_WORKER_COUNT, .count = *count};

	return !rte_ring_sp_enqueue_elem(t->events, &e, sizeof(e));
}

static unsigned count_room(void *ctx)
{
	const struct tn_worker_thread *t = ctx;

	return rte_ring_free_count(t->events);
}

static void send_learn(void *ctx, const struct tn_op *op)
{
	struct tn_worker_thread *t = ctx;
	struct tn_worker_event e = {.kind = TN_WORKER_LEARN, .port = op->learn.in_port};

	e.learn.mac = op->learn.mac;
	e.learn.vid = op->learn.vid;
	/* Full: the address is learnt from a later packet. */
	(void)rte_ring_sp_enqueue_elem(t->events, &e, sizeof(e));
}

void tn_worker_thread_events(struct tn_worker_thread *t, struct tn_worker_events *events)
{
	*events = (struct tn_worker_events){
		.ctx = t, .learn = send_learn, .count = send_count, .count_room = count_room};
}

/* One look at every queue; returns the packets. */
static unsigned poll_queues(
	struct tn_worker_thread *t, const struct tn_agent_forwarding *f, uint64_t now_ns)
{
	const struct tn_rx_queue *queues = f->queues[t->id];
	unsigned n_queues = f->n_queues[t->id], total = 0;
	struct tn_packet packets[TN_BURST];

	for (unsigned i = 0; i < n_queues; i++) {
		unsigned index = queues[i].port_index;
		struct tn_port *port = f->fwd.ports[index].port;
		unsigned n = port->ops->rx(port, queues[i].queue, packets, TN_BURST);

		if (!n)
			continue;
		tn_worker_burst(t->worker, &f->fwd, index, packets, n, now_ns);
		tn_worker_flush(t->worker, &f->fwd);
		total += n;
	}
	return total;
}

static void nap(struct tn_worker_thread *t)
{
	const struct timespec time = {.tv_nsec = NAP_NS};

	t->naps++;
	rte_rcu_qsbr_thread_offline(t->agent->qsbr, t->id);
	(void)nanosleep(&time, NULL);
	rte_rcu_qsbr_thread_online(t->agent->qsbr, t->id);
}

static void pin(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		tn_agent_say("a worker cannot have core %u for its own: it is not one of those "
			     "this process may use; see --workers",
			core);
}

static uint64_t cpu_time(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Polls until the end; the clock is read once a round. */
static void run(struct tn_worker_thread *t)
{
	struct tn_agent *agent = t->agent;
	uint64_t tsc = rte_rdtsc(), end;
	unsigned empty = 0;

	while (!__atomic_load_n(&agent->stop, __ATOMIC_RELAXED)) {
		const struct tn_agent_forwarding *f =
			__atomic_load_n(&agent->forwarding, __ATOMIC_ACQUIRE);
		unsigned n = poll_queues(t, f, tn_worker_thread_time(agent, tsc));

		rte_rcu_qsbr_quiescent(agent->qsbr, t->id);
		end = rte_rdtsc();
		if (n) {
			t->busy_cycles += end - tsc;
			t->packets += n;
			empty = 0;
		}
		tsc = end;
		if (++t->polls % SWEEP_ROUNDS == 0)
			tn_worker_sweep(t->worker, SWEEP_BUDGET);
		if (!n && ++empty >= IDLE_ROUNDS && !agent->options.busy_poll) {
			tn_worker_sweep(t->worker, SWEEP_BUDGET);
			nap(t);
			tsc = rte_rdtsc();
		}
	}
}

void *tn_worker_thread_main(void *arg)
{
	struct tn_worker_thread *t = arg;
	struct rte_rcu_qsbr *qsbr = t->agent->qsbr;

	pin(t->core);
	if (rte_thread_register())
		tn_agent_say("worker %u runs without a buffer cache: %s", t->id,
			rte_strerror(rte_errno));
	(void)rte_rcu_qsbr_thread_register(qsbr, t->id);
	rte_rcu_qsbr_thread_online(qsbr, t->id);
	run(t);
	t->cpu_ns = cpu_time();
	rte_rcu_qsbr_thread_offline(qsbr, t->id);
	(void)rte_rcu_qsbr_thread_unregister(qsbr, t->id);
	rte_thread_unregister();
	return NULL;
}
