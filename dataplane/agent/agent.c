/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

#include "dataplane/agent/eal.h"
#include "dataplane/agent/housekeeping.h"
#include "dataplane/agent/kernel.h"
#include "dataplane/agent/own_underlay.h"
#include "dataplane/agent/ports.h"
#include "dataplane/agent/worker_thread.h"
#include "dataplane/port/dpdk_buffer.h"

#define SWEEP 1024u

static int no_memory(struct tn_error *err)
{
	tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1, "out of memory: nothing was changed");
	return -ENOMEM;
}

static void start_clock(struct tn_agent *agent)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	agent->tsc_start = rte_rdtsc();
	agent->tsc_hz = rte_get_tsc_hz();
	agent->time_start_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	agent->ns_per_tsc = (uint64_t)(((unsigned __int128)1000000000u << 32) / agent->tsc_hz);
}

uint64_t tn_agent_now(const struct tn_agent *agent)
{
	return tn_worker_thread_time(agent, rte_rdtsc());
}

/* --- the version that workers read ------------------------------------------------------------ */

void tn_agent_forwarding_free(struct tn_agent_forwarding *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < TN_WORKERS_MAX; i++)
		free(f->queues[i]);
	free(f);
}

struct tn_agent_forwarding *tn_agent_forwarding_new(
	const struct tn_agent *agent, struct tn_error *err)
{
	struct tn_agent_forwarding *f = calloc(1, sizeof(*f));

	if (f && !tn_agent_ports_forwarding(agent, f))
		return f;
	tn_agent_forwarding_free(f);
	(void)no_memory(err);
	return NULL;
}

void tn_agent_forwarding_publish(struct tn_agent *agent, struct tn_agent_forwarding *f)
{
	struct tn_agent_forwarding *old = agent->forwarding;

	f->number = old ? old->number + 1 : 1;
	f->fwd.snapshot = tn_switch_snapshot(agent->sw);
	f->fwd.tunnels = agent->tunnels;
	f->fwd.underlay = agent->underlay;
	__atomic_store_n(&agent->forwarding, f, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < agent->n_workers; i++)
		tn_worker_thread_wake(&agent->workers[i]);
	(void)rte_rcu_qsbr_check(agent->qsbr, rte_rcu_qsbr_start(agent->qsbr), true);
	tn_agent_forwarding_free(old);
	tn_kernel_publish(agent);
	agent->reclaim_due = true;
	tn_housekeeping_soon(agent);
}

int tn_agent_publish(struct tn_agent *agent, struct tn_error *err)
{
	struct tn_agent_forwarding *f = tn_agent_forwarding_new(agent, err);

	if (!f)
		return -ENOMEM;
	tn_agent_forwarding_publish(agent, f);
	return 0;
}

int tn_agent_commit(struct tn_agent *agent, const struct tn_mod *mods, size_t n, size_t *failed,
	struct tn_error *err)
{
	int rc = tn_switch_commit(agent->sw, mods, n, tn_agent_now(agent), failed, err);

	return rc ? rc : tn_agent_publish(agent, err);
}

int tn_agent_set_underlay(
	struct tn_agent *agent, const struct tn_underlay_config *config, struct tn_error *err)
{
	struct tn_underlay_config *said = tn_underlay_config_copy(config);
	struct tn_underlay *underlay = tn_agent_own_underlay(agent, config), *old = agent->underlay;
	struct tn_agent_forwarding *f;
	int rc;

	if (!underlay || !said) {
		free(said);
		tn_underlay_free(underlay);
		return no_memory(err);
	}
	agent->underlay = underlay;
	f = tn_agent_forwarding_new(agent, err);
	rc = f ? tn_switch_touch(agent->sw, err) : -ENOMEM;
	if (rc) {
		tn_agent_forwarding_free(f);
		agent->underlay = old;
		tn_underlay_free(underlay);
		free(said);
		return rc;
	}
	tn_agent_forwarding_publish(agent, f);
	tn_underlay_free(old);
	free(agent->underlay_said);
	agent->underlay_said = said;
	return 0;
}

int tn_agent_renew_underlay(struct tn_agent *agent, struct tn_error *err)
{
	static const struct tn_underlay_config nothing;
	const struct tn_underlay_config *said = agent->underlay_said;

	return tn_agent_set_underlay(agent, said ? said : &nothing, err);
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_event(void *ctx, const struct tn_event *event)
{
	const struct tn_agent *agent = ctx;

	for (unsigned i = 0; i < agent->n_listeners; i++)
		agent->listeners[i].fn(agent->listeners[i].ctx, event);
}

void tn_agent_listen(struct tn_agent *agent, tn_event_fn fn, void *ctx)
{
	TN_ASSERT(agent->n_listeners < TN_AGENT_LISTENERS_MAX);
	agent->listeners[agent->n_listeners++] = (struct tn_agent_listener){fn, ctx};
}

void tn_agent_unlisten(struct tn_agent *agent, tn_event_fn fn, const void *ctx)
{
	struct tn_agent_listener *list = agent->listeners;
	unsigned i = 0;

	while (i < agent->n_listeners && (list[i].fn != fn || list[i].ctx != ctx))
		i++;
	if (i == agent->n_listeners)
		return;
	for (agent->n_listeners--; i < agent->n_listeners; i++)
		list[i] = list[i + 1];
}

/* --- life ------------------------------------------------------------------------------------- */

static int new_rcu(struct tn_agent *agent)
{
	size_t size = rte_rcu_qsbr_get_memsize(TN_WORKERS_MAX);

	agent->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE,
		(size + RTE_CACHE_LINE_SIZE - 1) & ~(size_t)(RTE_CACHE_LINE_SIZE - 1));
	return agent->qsbr ? rte_rcu_qsbr_init(agent->qsbr, TN_WORKERS_MAX) : -ENOMEM;
}

static int new_worker(struct tn_agent *agent, unsigned id)
{
	struct tn_worker_thread *t = &agent->workers[id];
	struct tn_worker_config config = {
		.sessions = agent->options.sessions,
		.tx_queue = id,
		.buffers = &tn_dpdk_buffer_ops,
		.buffers_ctx = &agent->buffers,
	};
	t->agent = agent;
	t->id = id;
	t->core = agent->options.worker_core[id];
	if (getrandom(&config.seed, sizeof(config.seed), 0) != (ssize_t)sizeof(config.seed))
		return -EIO;
	if (id == 0)
		tn_switch_seed_adverts(agent->sw, config.seed);
	if (tn_worker_thread_init(t))
		return -ENOMEM;
	tn_worker_thread_events(t, &config.events);
	t->worker = tn_worker_new(&config);
	return t->worker ? 0 : -ENOMEM;
}

struct tn_agent *tn_agent_new(const struct tn_agent_options *options, struct tn_loop *loop,
	uint64_t dpid, struct tn_error *err)
{
	static const struct tn_underlay_config no_underlay;
	struct tn_agent *agent = aligned_alloc(64, (sizeof(*agent) + 63) & ~(size_t)63);

	if (!agent) {
		(void)no_memory(err);
		return NULL;
	}
	memset(agent, 0, sizeof(*agent));
	agent->options = *options;
	agent->loop = loop;
	start_clock(agent);
	if (tn_eal_buffers(options, &agent->buffers, err)) {
		tn_agent_free(agent);
		return NULL;
	}
	if (tn_housekeeping_new(agent))
		goto failed;
	agent->sw = tn_switch_new(dpid);
	agent->underlay = tn_underlay_new(&no_underlay);
	if (!agent->sw || !agent->underlay || new_rcu(agent))
		goto failed;
	tn_switch_set_event_fn(agent->sw, on_event, agent);
	tn_switch_hold_events(agent->sw, true);
	agent->punt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (agent->punt_fd < 0)
		goto failed;
	for (unsigned i = 0; i < options->n_workers; i++) {
		if (new_worker(agent, i))
			goto failed;
		agent->n_workers++;
	}
	if (!tn_agent_ports_tunnels(agent, &agent->tunnels, err) && !tn_agent_publish(agent, err))
		return agent;
failed:
	(void)no_memory(err);
	tn_agent_free(agent);
	return NULL;
}

int tn_agent_start(struct tn_agent *agent, struct tn_error *err)
{
	if (tn_housekeeping_start(agent)) {
		tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1, "no descriptors for timers");
		return -EMFILE;
	}
	tn_kernel_start(agent);
	for (unsigned i = 0; i < agent->n_workers; i++) {
		struct tn_worker_thread *t = &agent->workers[i];
		int rc = pthread_create(&t->thread, NULL, tn_worker_thread_main, t);

		if (rc) {
			tn_agent_stop(agent);
			tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1, "cannot start a thread: %s",
				strerror(rc));
			return -rc;
		}
		t->started = true;
	}
	return 0;
}

static void stop_worker(struct tn_agent *agent, struct tn_worker_thread *t)
{
	if (!t->started)
		return;
	tn_worker_thread_wake(t);
	(void)pthread_join(t->thread, NULL);
	t->started = false;
	tn_worker_sweep_begin(t->worker);
	while (!tn_worker_sweep(t->worker, SWEEP))
		tn_housekeeping_drain(agent);
	tn_housekeeping_drain(agent);
}

void tn_agent_stop(struct tn_agent *agent)
{
	__atomic_store_n(&agent->stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < TN_WORKERS_MAX; i++)
		stop_worker(agent, &agent->workers[i]);
	tn_kernel_drain(agent);
	tn_kernel_sweep(agent);
	if (agent->housekeeping)
		tn_housekeeping_stop(agent);
	if (agent->sw)
		tn_switch_hold_events(agent->sw, false);
}

void tn_agent_set_packet_in(struct tn_agent *agent, tn_punt_fn fn, void *ctx)
{
	agent->packet_in = fn;
	agent->packet_in_ctx = ctx;
	__atomic_store_n(&agent->punts_wanted, fn != NULL, __ATOMIC_RELAXED);
}

/* The frame in a buffer of its own. */
static int fill_buffer(struct tn_agent *agent, const uint8_t *frame, uint32_t len,
	struct tn_packet *packet, struct tn_error *err)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(agent->buffers.pool);

	if (!m || len > rte_pktmbuf_tailroom(m)) {
		tn_error_set(err, TN_OFPBRC_BAD_LEN, -1,
			m ? "a packet-out holds a frame of %u bytes: more than fits a buffer"
			  : "no buffer for a packet-out of %u bytes: try again",
			len);
		rte_pktmbuf_free(m);
		return m ? -EMSGSIZE : -ENOBUFS;
	}
	memcpy(rte_pktmbuf_mtod(m, void *), frame, len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	tn_dpdk_to_packet(m, packet);
	return 0;
}

int tn_agent_packet_out(struct tn_agent *agent, uint32_t in_port, const struct tn_action *list,
	size_t n, const uint8_t *frame, uint32_t len, struct tn_error *err)
{
	struct tn_worker_thread *t = &agent->workers[0];
	struct tn_worker_job *job;
	int rc;

	job = n > TN_ACTIONS_MAX ? NULL
				 : tn_byte_ring_reserve(t->jobs,
					   (uint32_t)(sizeof(*job) + n * sizeof(job->list[0])));
	if (!job) {
		tn_error_set(err, TN_OFPBRC_BAD_LEN, -1,
			"too many packet-outs wait already: send them slower");
		return -ENOBUFS;
	}
	rc = fill_buffer(agent, frame, len, &job->packet, err);
	if (rc)
		return rc;
	job->in_port = in_port;
	job->n = n;
	memcpy(job->list, list, n * sizeof(job->list[0]));
	tn_byte_ring_commit(t->jobs);
	tn_worker_thread_wake(t);
	return 0;
}

void tn_agent_free(struct tn_agent *agent)
{
	if (!agent)
		return;
	tn_agent_stop(agent);
	for (unsigned i = 0; i < TN_WORKERS_MAX; i++) {
		tn_worker_free(agent->workers[i].worker);
		tn_worker_thread_fini(&agent->workers[i]);
	}
	tn_kernel_leave(agent);
	tn_agent_ports_free(agent);
	tn_kernel_free(agent->kernel);
	tn_agent_forwarding_free(agent->forwarding);
	tn_tunnels_free(agent->tunnels);
	tn_underlay_free(agent->underlay);
	free(agent->underlay_said);
	tn_switch_free(agent->sw);
	if (agent->punt_fd > 0)
		close(agent->punt_fd);
	rte_mempool_free(agent->buffers.large);
	rte_mempool_free(agent->buffers.pool);
	tn_housekeeping_free(agent);
	free(agent->qsbr);
	free(agent);
}
