/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two workers, a thread of traffic for each, and the main thread that changes flows and ports
 * under them: every frame is accounted for, and under TSan nothing is shared unguarded.
 */
#include "dataplane/agent/agent.h"

#include <pthread.h>

#include "tests/unit/agent/agent_fixture.h"

#define FRAMES	20000u
#define CHANGES 300u
#define FLOWS	64u

struct source {
	struct tn_port *port;
	pthread_t thread;
	unsigned from;
};

static void *send_frames(void *arg)
{
	struct source *s = arg;

	for (uint32_t i = 0; i < FRAMES;) {
		if (inject(s->port, 1 + i % FLOWS, s->from, i))
			i++;
		else
			sched_yield();
	}
	return NULL;
}

/* So high that it drops nothing. */
static void add_meter(void)
{
	static const struct tn_band band = {.type = TN_BAND_DROP, .rate = 1000000000};
	const struct tn_meter_mod mm = {.command = TN_METER_ADD,
		.meter_id = 1,
		.flags = TN_METER_PKTPS,
		.bands = &band,
		.n_bands = 1};
	const struct tn_mod mod = {.kind = TN_MOD_METER, .meter = &mm};
	struct tn_error err = {0};
	size_t failed;

	if (tn_agent_commit(bed.agent, &mod, 1, &failed, &err))
		fail_msg("%s", err.detail);
}

static uint64_t drops(uint32_t number)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		const struct tn_agent_port *p = bed.agent->ports[i];

		if (!p || p->request.number != number)
			continue;
		for (unsigned w = 0; w < bed.agent->n_workers; w++) {
			const struct tn_worker_port_stats *s =
				tn_worker_port_stats(bed.agent->workers[w].worker, i);

			for (unsigned d = 0; d < TN_DROP_COUNT; d++)
				sum += s->dropped[d] - p->base.dropped[d];
		}
	}
	return sum;
}

static void collect_all(void)
{
	(void)collect(3);
	(void)collect(4);
}

/* One of the changes, each of which leaves a way for every frame. */
static void change(unsigned i)
{
	struct tn_action out = output(3 + i % 2);
	struct tn_flow_mod fm = flow_to(1 + i % 3 % 2, &out);

	fm.priority = (uint16_t)(1 + i % 3);
	fm.idle_timeout = i % 5 == 0;
	fm.inst.meter_id = i % 4 == 0;
	if (i % 3 == 1)
		tn_match_set_exact(
			&fm.match, TN_FIELD_ETH_DST, UINT64_C(0x020000000001) + i % FLOWS);
	commit(&fm);
	if (i % 16 == 0)
		add_port(5);
	if (i % 16 == 8)
		remove_port(5);
	if (i % 32 == 5)
		collect_counts();
}

static bool every_frame_came(struct bed *b)
{
	collect_all();
	return b->collected[3] + b->collected[4] + b->wanted == 2 * FRAMES;
}

static void test_changes_under_traffic(void **state)
{
	struct source sources[2] = {{.port = driver(1), .from = 1}, {.port = driver(2), .from = 2}};
	struct tn_action out = output(3);

	(void)state;
	add_meter();
	for (uint32_t in_port = 1; in_port <= 2; in_port++) {
		struct tn_flow_mod fm = flow_to(in_port, &out);

		fm.priority = 0;
		commit(&fm);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&sources[i].thread, NULL, send_frames, &sources[i]), 0);
	for (unsigned i = 0; i < CHANGES; i++) {
		change(i);
		collect_all();
	}
	for (unsigned i = 0; i < 2; i++) {
		/* Ports are full until they are emptied. */
		while (pthread_tryjoin_np(sources[i].thread, NULL))
			collect_all();
	}
	if (CHANGES % 16 <= 8 && CHANGES % 16 > 0)
		remove_port(5);
	/* What found no room in a port was dropped there. */
	bed.wanted = drops(3) + drops(4) + drops(1) + drops(2);
	while (!every_frame_came(&bed)) {
		sched_yield();
		bed.wanted = drops(3) + drops(4) + drops(1) + drops(2);
	}
	assert_true(bed.collected[3] > 0 && bed.collected[4] > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changes_under_traffic),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
