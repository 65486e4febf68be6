/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where stations are, with sessions and without: the same random frames through two switches, one
 * worker with sessions, one that decides every packet. Stations move, flap until they are held,
 * age, and crowd each other out of a port's limit; every frame goes to the same ports.
 */
#include "dataplane/fastpath/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/packets.h"
#include "tests/unit/fastpath/heap_buffers.h"

#define N_PORTS	   4u /* stations are behind all but the last, where unknown ones are sent */
#define N_STATIONS 6u
#define N_NETWORKS 2u
#define MS	   UINT64_C(1000000)

/* A switch and its worker. */
struct side {
	struct tn_switch *sw;
	struct tn_forwarding *fwd;
	struct tn_port ports[N_PORTS];
	struct tn_worker *worker;
	uint64_t now_ns;
	unsigned sent[N_PORTS]; /* of the last frame */
};

/* Sides are known by the name of their ports. */
static struct side *sides[2];

static unsigned port_tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct side *s = sides[port->name[0] - '0'];

	(void)queue;
	s->sent[port - s->ports] += n;
	buffer_free(NULL, packets, n);
	return n;
}

static const struct tn_port_ops port_ops = {.kind = "memory", .tx = port_tx};

static void on_learn(void *ctx, const struct tn_learnt *learnt)
{
	struct side *s = ctx;

	tn_switch_learn(s->sw, learnt, s->now_ns);
}

static void add_ports(struct side *s, char name)
{
	struct tn_error err;

	for (unsigned i = 0; i < N_PORTS; i++) {
		const struct tn_port_config_data port = {.number = i + 1};

		assert_int_equal(tn_switch_port_add(s->sw, &port, 0, &err), 0);
		s->ports[i] = (struct tn_port){.ops = &port_ops, .name = {name}};
		s->fwd->ports[i] = (struct tn_forwarding_port){.kind = TN_FWD_PLAIN,
			.number = i + 1,
			.port = &s->ports[i],
			.max_frame = TN_FRAME_MAX};
	}
	s->fwd->n_ports = N_PORTS;
}

/* Table 0: which VLAN, and so which network it is; table 1 learns, and sends where it is known. */
static void add_flows(struct side *s)
{
	struct tn_flow_mod fm[N_NETWORKS + 1];
	struct tn_mod mods[N_NETWORKS + 1];
	struct tn_action network[N_NETWORKS];
	const struct tn_action bridge[] = {
		{.type = TN_ACTION_LEARN, .limit = N_STATIONS - 2},
		{.type = TN_ACTION_FDB},
		{.type = TN_ACTION_OUTPUT,
			.output = {.port = N_PORTS, .reason = TN_REASON_DEFAULT}},
	};
	struct tn_error err = {0};
	size_t failed;

	for (unsigned i = 0; i <= N_NETWORKS; i++) {
		tn_flow_mod_init(&fm[i]);
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &fm[i]};
	}
	for (unsigned i = 0; i < N_NETWORKS; i++) {
		network[i] = (struct tn_action){.type = TN_ACTION_SET_FIELD,
			.field = TN_FIELD_TUNNEL_ID,
			.set = {.value = i + 1, .mask = tn_field_ones(TN_FIELD_TUNNEL_ID)}};
		tn_match_set_exact(&fm[i].match, TN_FIELD_ETH_TYPE, 0x0800);
		tn_match_set_exact(&fm[i].match, TN_FIELD_IPV4_DST, i + 1);
		fm[i].inst.apply = &network[i];
		fm[i].inst.n_apply = 1;
		fm[i].inst.goto_table = 1;
	}
	fm[N_NETWORKS].table_id = 1;
	fm[N_NETWORKS].inst.apply = bridge;
	fm[N_NETWORKS].inst.n_apply = TN_ARRAY_SIZE(bridge);
	if (tn_switch_commit(s->sw, mods, N_NETWORKS + 1, 0, &failed, &err))
		fail_msg("%s: %s", tn_of_error_name(err.of), err.detail);
}

static struct side *new_side(unsigned i, uint32_t sessions)
{
	struct side *s = calloc(1, sizeof(*s));
	const struct tn_worker_config config = {.sessions = sessions,
		.seed = 7,
		.buffers = &buffer_ops,
		.events = {.ctx = s, .learn = on_learn}};

	sides[i] = s;
	s->sw = tn_switch_new(1);
	s->fwd = calloc(1, sizeof(*s->fwd));
	add_ports(s, (char)('0' + i));
	add_flows(s);
	s->worker = tn_worker_new(&config);
	assert_non_null(s->worker);
	return s;
}

static void free_side(struct side *s)
{
	tn_worker_free(s->worker);
	tn_switch_free(s->sw);
	free(s->fwd);
	free(s);
}

static void publish(struct side *s)
{
	assert_true(tn_switch_publish_addresses(s->sw) >= 0);
	s->fwd->snapshot = tn_switch_snapshot(s->sw);
}

/* One frame; counts are swept after it, as they are from time to time. */
static void run(struct side *s, unsigned index, const struct frame *f, uint64_t now_ns)
{
	struct tn_packet p;

	s->now_ns = now_ns;
	tn_switch_expire(s->sw, now_ns);
	publish(s);
	memset(s->sent, 0, sizeof(s->sent));
	(void)buffer_alloc(NULL, f->view.len, &p);
	memcpy(p.data, f->view.data, f->view.len);
	tn_worker_burst(s->worker, s->fwd, index, &p, 1, now_ns);
	tn_worker_flush(s->worker, s->fwd);
	tn_worker_sweep(s->worker, UINT32_MAX);
}

static struct tn_mac station(uint64_t n)
{
	return (struct tn_mac){{2, 0, 0, 0, 1, (uint8_t)n}};
}

static uint64_t next(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *random >> 33;
}

/* Mostly short times, so that stations move often enough to be held; some that outlast holds. */
static uint64_t step_ns(uint64_t *random)
{
	static const uint64_t ms[] = {1, 1, 1, 10, 10, 10, 100, 100, 700};
	uint64_t n = next(random) % 2000;

	if (n == 0)
		return 300000 * MS;
	if (n < 8)
		return 31000 * MS;
	return ms[n % TN_ARRAY_SIZE(ms)] * MS;
}

/*
 * Returns the index of the port by which it comes: stations stay where they are but for one that is
 * at two ports.
 */
static unsigned random_frame(uint64_t *random, unsigned home[N_STATIONS], struct frame *f)
{
	unsigned from = (unsigned)(next(random) % N_STATIONS);
	struct packet p;

	packet_init(&p);
	p.dst = 1 + (uint32_t)(next(random) % N_NETWORKS);
	packet_build(&p, f);
	*(struct tn_mac *)(void *)f->view.data = station(next(random) % N_STATIONS);
	*(struct tn_mac *)(void *)(f->view.data + 6) = station(from);
	if (next(random) % (from ? 200 : 2) == 0)
		home[from] = (unsigned)(next(random) % (N_PORTS - 1));
	return home[from];
}

static void test_sessions_equal_decisions(void **state)
{
	struct side *with = new_side(0, 1024), *without = new_side(1, 0);
	struct tn_learning_stats a, b;
	struct tn_worker_stats stats;
	uint64_t random = 3, now = 1000 * MS;
	unsigned home[N_STATIONS] = {0};
	static struct frame f;

	(void)state;
	for (unsigned i = 0; i < 30000; i++) {
		unsigned index = random_frame(&random, home, &f);

		now += step_ns(&random);
		run(with, index, &f, now);
		run(without, index, &f, now);
		if (memcmp(with->sent, without->sent, sizeof(with->sent)) != 0)
			fail_msg("frame %u by port %u at %llu ms", i, index + 1,
				(unsigned long long)(now / MS));
	}
	tn_worker_stats(with->worker, &stats);
	assert_true(stats.hits > 1000);
	tn_switch_learning_stats(with->sw, &a);
	tn_switch_learning_stats(without->sw, &b);
	assert_int_equal(a.learnt, b.learnt);
	assert_int_equal(a.moved, b.moved);
	assert_int_equal(a.evicted, b.evicted);
	assert_int_equal(a.aged, b.aged);
	assert_true(a.moved > 1000 && a.held > 100 && a.evicted > 100 && a.aged > 10);
	free_side(with);
	free_side(without);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions_equal_decisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
