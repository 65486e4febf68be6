/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/worker_thread.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "dataplane/agent/housekeeping.h"
#include "dataplane/agent/kernel.h"
#include "dataplane/agent/learning.h"
#include "dataplane/agent/punt.h"
#include "dataplane/agent/worker_private.h"
#include "dataplane/port/dpdk_buffer.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/port/shadow.h"

/*
 * Empty rounds before an adaptive worker sleeps. It waits for the descriptors of its queues; where
 * one has none it naps and looks. Guests are asked to kick only when nothing has come for
 * TN_QUIET_NS: in the pauses of a stream a kick for each frame costs both sides more than a nap,
 * after which a burst is there.
 */
#define IDLE_ROUNDS 256u
#define WAIT_NS	    100000000L
#define WAKE_EVENTS 16

/* Reporting counts goes on in the background, and faster when they are asked for. */
#define SWEEP_ROUNDS 1024u
#define SWEEP_BUDGET 64u
#define TELL_BUDGET  256u

/* How often the host's side of the uplinks is looked at. */
#define SHADOW_NS 50000u

#define JOBS_A_ROUND 8u

/* What waits between the threads, a worker. */
#define EVENT_BYTES   (2u << 20)
#define JOB_BYTES     (1u << 20)
#define DECIDED_BYTES (1u << 18)

/* --- to the main thread ----------------------------------------------------------------------- */

static bool send_event(struct tn_worker_thread *t, const struct tn_worker_event *e)
{
	struct tn_worker_event *room = tn_byte_ring_reserve(t->events, sizeof(*e));

	if (!room)
		return false;
	*room = *e;
	tn_byte_ring_commit(t->events);
	t->has_told = true;
	return true;
}

static bool send_count(void *ctx, const struct tn_count *count)
{
	struct tn_worker_thread *t = ctx;
	const struct tn_worker_event e = {.kind = TN_WORKER_COUNT, .count = *count};

	return send_event(t, &e);
}

static unsigned count_room(void *ctx)
{
	struct tn_worker_thread *t = ctx;

	return tn_byte_ring_room(t->events, sizeof(struct tn_worker_event));
}

/* By the newest forwarding, which may be that of the next round; also when a worker is freed. */
static uint32_t network_epoch(const struct tn_worker_thread *t, uint32_t network)
{
	const struct tn_agent_forwarding *f =
		__atomic_load_n(&t->agent->forwarding, __ATOMIC_ACQUIRE);

	return f->fwd.snapshot->epoch[TN_EPOCH_NETWORKS + tn_network_class(network)];
}

static void send_learn(void *ctx, const struct tn_learnt *learnt)
{
	struct tn_worker_thread *t = ctx;
	const struct tn_worker_event e = {.kind = TN_WORKER_LEARN, .learn = *learnt};

	/* Full: the address is learnt from a later packet. */
	if (tn_learning_tells(t->learning, learnt, network_epoch(t, learnt->network), t->now_ns))
		(void)send_event(t, &e);
}

/* Hosts say it again, and routers ask them to. */
static void send_snooped(void *ctx, const struct tn_snooped *snooped)
{
	struct tn_worker_thread *t = ctx;
	const struct tn_worker_event e = {.kind = TN_WORKER_SNOOP, .snoop = *snooped};

	if (tn_learning_pays(t->learning, snooped->in_port, snooped->network, t->now_ns))
		(void)send_event(t, &e);
}

static bool send_to_host(void *ctx, unsigned port_index, struct tn_packet *packet)
{
	struct tn_worker_thread *t = ctx;
	struct tn_shadow *shadow = t->forwarding->shadows[port_index];
	bool taken = tn_shadow_deliver(shadow, t->id, packet, t->now_ns);

	t->host_frames += taken;
	return taken;
}

static bool send_decided(void *ctx, unsigned port_index, const struct tn_decision *decision)
{
	struct tn_worker_thread *t = ctx;
	bool told = tn_kernel_decided(t, port_index, decision);

	t->has_told |= told;
	return told;
}

void tn_worker_thread_events(struct tn_worker_thread *t, struct tn_worker_events *events)
{
	*events = (struct tn_worker_events){
		.ctx = t,
		.packet_in = tn_punt_packet_in,
		.learn = send_learn,
		.snoop = send_snooped,
		.count = send_count,
		.count_room = count_room,
		.host = send_to_host,
		.decided = send_decided,
	};
}

int tn_worker_thread_init(struct tn_worker_thread *t)
{
	t->learning = tn_learning_new();
	t->budgets = calloc(TN_WORKER_PORTS_MAX, sizeof(*t->budgets));
	t->punts = tn_byte_ring_new(TN_PUNT_BYTES);
	t->events = tn_byte_ring_new(EVENT_BYTES);
	t->jobs = tn_byte_ring_new(JOB_BYTES);
	t->decided = tn_byte_ring_new(DECIDED_BYTES);
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	t->ready = calloc(1, sizeof(*t->ready));
	return t->learning && t->budgets && t->punts && t->events && t->jobs && t->decided &&
			t->ready && tn_worker_thread_watch(t, t->wake_fd, TN_WORKER_WOKEN, 0)
		? 0
		: -ENOMEM;
}

/*
 * By edges: a worker that wakes looks at everything until there is nothing more, and one that
 * cannot be read any more, such as that of an interface which somebody deleted, wakes it once.
 */
bool tn_worker_thread_watch(struct tn_worker_thread *t, int fd, unsigned index, unsigned queue)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLET,
		.data.u64 = (uint64_t)queue << 32 | index,
	};

	return fd >= 0 && !epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void tn_worker_thread_fini(struct tn_worker_thread *t)
{
	const struct tn_worker_job *job;
	uint32_t len;

	for (; t->jobs && (job = tn_byte_ring_peek(t->jobs, &len)); tn_byte_ring_pop(t->jobs))
		rte_pktmbuf_free(job->packet.buf);
	tn_byte_ring_free(t->jobs);
	tn_byte_ring_free(t->decided);
	tn_byte_ring_free(t->events);
	tn_byte_ring_free(t->punts);
	tn_learning_free(t->learning);
	free(t->budgets);
	free(t->ready);
	if (t->wake_fd > 0)
		close(t->wake_fd);
	if (t->epoll_fd > 0)
		close(t->epoll_fd);
}

void tn_worker_thread_wake(struct tn_worker_thread *t)
{
	const uint64_t one = 1;

	/* A write, so that it stands before or after the worker's promise: one sees the other. */
	if (__atomic_fetch_add(&t->sleeping, 0, __ATOMIC_SEQ_CST))
		(void)!write(t->wake_fd, &one, sizeof(one));
}

void tn_worker_thread_await(const struct tn_worker_thread *t, uint64_t number)
{
	while (t->started && __atomic_load_n(&t->seen, __ATOMIC_ACQUIRE) < number)
		sched_yield();
}

/* --- a round ---------------------------------------------------------------------------------- */

struct tn_agent_forwarding *tn_worker_begin_round(struct tn_worker_thread *t, uint64_t tsc)
{
	struct tn_agent_forwarding *f;

	rte_rcu_qsbr_quiescent(t->agent->qsbr, t->id);
	f = __atomic_load_n(&t->agent->forwarding, __ATOMIC_ACQUIRE);
	t->forwarding = f;
	__atomic_store_n(&t->seen, f->number, __ATOMIC_RELEASE);
	t->now_ns = tn_worker_thread_time(t->agent, tsc);
	return f;
}

unsigned tn_worker_poll_queue(
	struct tn_worker_thread *t, const struct tn_agent_forwarding *f, struct tn_rx_queue q)
{
	struct tn_port *port = f->fwd.ports[q.port_index].port;
	struct tn_packet packets[TN_BURST];
	unsigned n = port->ops->rx(port, q.queue, packets, TN_BURST);

	if (!n)
		return 0;
	t->rx_index = q.port_index;
	tn_worker_burst(t->worker, &f->fwd, q.port_index, packets, n, t->now_ns);
	tn_worker_flush(t->worker, &f->fwd);
	return n;
}

/* One look at every queue; returns the packets. */
static unsigned poll_queues(struct tn_worker_thread *t, const struct tn_agent_forwarding *f)
{
	const struct tn_rx_queue *queues = f->queues[t->id];
	unsigned n_queues = f->n_queues[t->id], total = 0;

	for (unsigned i = 0; i < n_queues; i++)
		total += tn_worker_poll_queue(t, f, queues[i]);
	return total;
}

unsigned tn_worker_run_jobs(struct tn_worker_thread *t, const struct tn_agent_forwarding *f)
{
	const struct tn_worker_job *job;
	unsigned n = 0;
	uint32_t len;

	for (; n < JOBS_A_ROUND && (job = tn_byte_ring_peek(t->jobs, &len)); n++) {
		struct tn_packet packet = job->packet;

		t->rx_index = TN_WORKER_CONTROLLER;
		tn_worker_packet_out(
			t->worker, &f->fwd, &packet, job->in_port, job->list, job->n, t->now_ns);
		tn_byte_ring_pop(t->jobs);
	}
	if (n)
		tn_worker_flush(t->worker, &f->fwd);
	return n;
}

unsigned tn_worker_poll_shadow(
	struct tn_worker_thread *t, const struct tn_agent_forwarding *f, unsigned index)
{
	unsigned n = tn_shadow_poll(
		f->shadows[index], f->fwd.ports[index].port, t->id, &t->host_dropped);

	t->host_sent += n;
	return n;
}

/* What the kernel sends by the shadows of uplinks. A system call each, so not every round. */
static unsigned poll_shadows(struct tn_worker_thread *t, const struct tn_agent_forwarding *f)
{
	unsigned total = 0;

	t->shadow_due_ns = t->now_ns + SHADOW_NS;
	for (unsigned i = 0; i < f->n_shadows; i++)
		total += tn_worker_poll_shadow(t, f, f->with_shadow[i]);
	if (total) /* there is more soon */
		t->shadow_due_ns = t->now_ns;
	return total;
}

/* All counts, because they were asked for. */
static void tell_counts(struct tn_worker_thread *t, uint32_t wanted)
{
	if (!t->is_telling) {
		t->is_telling = true;
		t->telling = wanted;
		tn_worker_sweep_begin(t->worker);
	}
	if (!tn_worker_sweep(t->worker, TELL_BUDGET))
		return;
	t->is_telling = false;
	__atomic_store_n(&t->counts_told, t->telling, __ATOMIC_RELEASE);
	t->has_told = true;
}

static bool counts_asked(const struct tn_worker_thread *t)
{
	return __atomic_load_n(&t->counts_wanted, __ATOMIC_ACQUIRE) != t->counts_told;
}

/* --- sleep ------------------------------------------------------------------------------------ */

/* The far ends are to tell when they send. False: one has sent something, or cannot be asked. */
static bool prepare_queues(const struct tn_worker_thread *t, const struct tn_agent_forwarding *f)
{
	const struct tn_rx_queue *queues = f->queues[t->id];

	for (unsigned i = 0; i < f->n_queues[t->id]; i++) {
		struct tn_port *port = f->fwd.ports[queues[i].port_index].port;

		if (port->ops->prepare_wait && !port->ops->prepare_wait(port, queues[i].queue))
			return false;
	}
	return true;
}

bool tn_worker_wanted(const struct tn_worker_thread *t)
{
	return __atomic_load_n(&t->agent->forwarding, __ATOMIC_RELAXED) != t->forwarding ||
		!tn_byte_ring_empty(t->jobs) || counts_asked(t) ||
		__atomic_load_n(&t->agent->stop, __ATOMIC_RELAXED);
}

/*
 * The forwarding may be freed while it sleeps: nothing of it is touched until it is back. A queue
 * that cannot be prepared gets another look at once, and only a nap if that look found nothing.
 * What woke it is not asked: it looks at everything.
 */
static void sleep_until_wanted(struct tn_worker_thread *t)
{
	struct timespec time = {.tv_nsec = TN_NAP_NS};
	struct epoll_event events[WAKE_EVENTS];
	bool nap = t->forwarding->naps[t->id] || !t->all_told, look = false;

	t->naps++;
	(void)__atomic_exchange_n(&t->sleeping, 1, __ATOMIC_SEQ_CST);
	if (t->now_ns - t->busy_ns < TN_QUIET_NS)
		t->look_again = false;
	else if (!prepare_queues(t, t->forwarding))
		look = t->look_again = !t->look_again;
	else if (!nap)
		time.tv_nsec = WAIT_NS;
	if (!look && !tn_worker_wanted(t)) {
		rte_rcu_qsbr_thread_offline(t->agent->qsbr, t->id);
		(void)epoll_pwait2(t->epoll_fd, events, WAKE_EVENTS, &time, NULL);
		rte_rcu_qsbr_thread_online(t->agent->qsbr, t->id);
	}
	__atomic_store_n(&t->sleeping, 0, __ATOMIC_RELAXED);
}

/* --- the thread ------------------------------------------------------------------------------- */

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

void tn_worker_tell(struct tn_worker_thread *t)
{
	if (tn_likely(!t->has_told))
		return;
	t->has_told = false;
	tn_housekeeping_tell(t->agent);
}

bool tn_worker_background(struct tn_worker_thread *t, unsigned packets)
{
	uint32_t wanted = __atomic_load_n(&t->counts_wanted, __ATOMIC_ACQUIRE);

	if (packets) {
		t->busy_ns = t->now_ns;
		t->all_told = t->idle_sweeping = t->look_again = false;
	}
	if (wanted != t->counts_told) {
		tell_counts(t, wanted);
		return true;
	}
	if (packets) {
		if (++t->polls % SWEEP_ROUNDS == 0)
			(void)tn_worker_sweep(t->worker, SWEEP_BUDGET);
		return true;
	}
	t->polls++;
	return false;
}

void tn_worker_idle_sweep(struct tn_worker_thread *t)
{
	if (t->all_told)
		return;
	if (!t->idle_sweeping)
		tn_worker_sweep_begin(t->worker);
	t->idle_sweeping = true;
	t->all_told = tn_worker_sweep(t->worker, TELL_BUDGET);
	/* Also where nothing was counted: drivers may have sent, and want to be looked after. */
	t->has_told |= t->all_told;
}

void tn_worker_end_round(struct tn_worker_thread *t, uint64_t *tsc, unsigned packets)
{
	uint64_t end = rte_rdtsc();

	if (packets) {
		t->busy_cycles += end - *tsc;
		t->packets += packets;
	}
	if (tn_unlikely(end - *tsc > t->longest_cycles))
		t->longest_cycles = end - *tsc;
	*tsc = end;
}

/*
 * Polls until the end; the clock is read once a round. The forwarding is the round's own from the
 * quiescent point at its top to the next one, or until it sleeps: idling still looks at it.
 */
static void run(struct tn_worker_thread *t)
{
	struct tn_agent *agent = t->agent;
	uint64_t tsc = rte_rdtsc();
	unsigned empty = 0;

	while (!__atomic_load_n(&agent->stop, __ATOMIC_RELAXED)) {
		const struct tn_agent_forwarding *f = tn_worker_begin_round(t, tsc);
		unsigned n = poll_queues(t, f), others = 0;
		bool more;

		if (tn_unlikely(!tn_byte_ring_empty(t->jobs)))
			others += tn_worker_run_jobs(t, f);
		if (tn_unlikely(f->n_shadows && t->id == 0 && t->now_ns >= t->shadow_due_ns))
			others += poll_shadows(t, f);
		tn_worker_end_round(t, &tsc, n);
		more = tn_worker_background(t, n + others);
		tn_worker_tell(t);
		if (more) {
			empty = 0;
		} else if (++empty >= IDLE_ROUNDS && !agent->options.busy_poll) {
			tn_worker_idle_sweep(t);
			tn_worker_tell(t);
			sleep_until_wanted(t);
			tsc = rte_rdtsc();
		}
	}
}

static uint64_t cpu_time(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void *tn_worker_thread_main(void *arg)
{
	struct tn_worker_thread *t = arg;
	struct rte_rcu_qsbr *qsbr = t->agent->qsbr;

	if (!t->agent->options.kernel_mode)
		pin(t->core);
	(void)prctl(PR_SET_TIMERSLACK, 1000);
	if (rte_thread_register())
		tn_agent_say("worker %u runs without a buffer cache: %s", t->id,
			rte_strerror(rte_errno));
	(void)rte_rcu_qsbr_thread_register(qsbr, t->id);
	rte_rcu_qsbr_thread_online(qsbr, t->id);
	if (t->agent->options.kernel_mode)
		tn_worker_run_by_events(t);
	else
		run(t);
	rte_rcu_qsbr_thread_offline(qsbr, t->id);
	(void)rte_rcu_qsbr_thread_unregister(qsbr, t->id);
	t->cpu_ns = cpu_time();
	rte_thread_unregister();
	return NULL;
}
