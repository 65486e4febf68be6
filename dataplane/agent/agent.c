/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_ring_elem.h>

#include "dataplane/agent/eal.h"
#include "dataplane/agent/ports.h"
#include "dataplane/agent/worker_thread.h"
#include "dataplane/port/dpdk_buffer.h"

#define EVENTS_MAX 16384u

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

static void forwarding_free(struct tn_agent_forwarding *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < TN_WORKERS_MAX; i++)
		free(f->queues[i]);
	free(f);
}

int tn_agent_publish(struct tn_agent *agent, struct tn_error *err)
{
	struct tn_agent_forwarding *f = calloc(1, sizeof(*f)), *old = agent->forwarding;

	if (!f)
		return no_memory(err);
	f->fwd.snapshot = tn_switch_snapshot(agent->sw);
	f->fwd.tunnels = agent->tunnels;
	f->fwd.underlay = agent->underlay;
	if (tn_agent_ports_forwarding(agent, f)) {
		forwarding_free(f);
		return no_memory(err);
	}
	__atomic_store_n(&agent->forwarding, f, __ATOMIC_RELEASE);
	rte_rcu_qsbr_synchronize(agent->qsbr, RTE_QSBR_THRID_INVALID);
	forwarding_free(old);
	tn_switch_reclaim(agent->sw);
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
	struct tn_underlay *underlay = tn_underlay_new(config), *old = agent->underlay;
	int rc;

	if (!underlay)
		return no_memory(err);
	agent->underlay = underlay;
	rc = tn_agent_publish(agent, err);
	if (rc) {
		agent->underlay = old;
		old = underlay;
	}
	tn_underlay_free(old);
	return rc;
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
		.buffers_ctx = agent->pool,
	};
	char name[32];

	t->agent = agent;
	t->id = id;
	t->core = agent->options.worker_core[id];
	if (getrandom(&config.seed, sizeof(config.seed), 0) != (ssize_t)sizeof(config.seed))
		return -EIO;
	snprintf(name, sizeof(name), "events%u", id);
	t->events = rte_ring_create_elem(name, sizeof(struct tn_worker_event), EVENTS_MAX,
		SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (!t->events)
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
	agent->pool = tn_eal_buffers(options->memory_mb, err);
	if (!agent->pool) {
		tn_agent_free(agent);
		return NULL;
	}
	agent->sw = tn_switch_new(dpid, tn_agent_now(agent));
	agent->underlay = tn_underlay_new(&no_underlay);
	if (!agent->sw || !agent->underlay || new_rcu(agent))
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

void tn_agent_stop(struct tn_agent *agent)
{
	__atomic_store_n(&agent->stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < TN_WORKERS_MAX; i++) {
		if (agent->workers[i].started)
			(void)pthread_join(agent->workers[i].thread, NULL);
		agent->workers[i].started = false;
	}
}

void tn_agent_free(struct tn_agent *agent)
{
	if (!agent)
		return;
	tn_agent_stop(agent);
	for (unsigned i = 0; i < TN_WORKERS_MAX; i++) {
		tn_worker_free(agent->workers[i].worker);
		rte_ring_free(agent->workers[i].events);
	}
	tn_agent_ports_free(agent);
	forwarding_free(agent->forwarding);
	tn_tunnels_free(agent->tunnels);
	tn_underlay_free(agent->underlay);
	tn_switch_free(agent->sw);
	rte_mempool_free(agent->pool);
	free(agent->qsbr);
	free(agent);
}
