/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole agent in a test: EAL without hugepages, workers, memory ports, the event loop. */
#ifndef TESTS_AGENT_FIXTURE_H
#define TESTS_AGENT_FIXTURE_H

#include "dataplane/agent/agent.h"
#include "dataplane/agent/eal.h"
#include "dataplane/agent/ports.h"
#include "dataplane/port/memory_port.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Workers poll, or wait for events; each test is built both ways. */
#ifndef BY_EVENTS
#define BY_EVENTS false
#endif

#define FRAME	    60u
#define DEADLINE_NS UINT64_C(20000000000)

struct bed {
	struct tn_loop *loop;
	struct tn_agent *agent;
	/* what the loop runs for */
	bool (*done)(struct bed *b);
	uint64_t deadline_ns;
	bool late;
	/* what came */
	uint64_t wanted;
	uint64_t collected[8]; /* by port number */
	unsigned punts;
	struct tn_punt last_punt;
	uint8_t punt_frame[FRAME];
};

static struct bed bed;

static inline void on_tick(void *ctx)
{
	struct bed *b = ctx;

	if (!b->done)
		return;
	b->late = tn_agent_now(b->agent) > b->deadline_ns;
	if (b->late || b->done(b))
		tn_loop_stop(b->loop);
}

/* Runs the loop until it is so. */
static inline void run_until(bool (*done)(struct bed *b))
{
	bed.done = done;
	bed.deadline_ns = tn_agent_now(bed.agent) + DEADLINE_NS;
	tn_loop_run(bed.loop);
	bed.done = NULL;
	assert_false(bed.late);
}

static inline unsigned cores(unsigned *core, unsigned max)
{
	cpu_set_t set;
	unsigned n = 0;

	CPU_ZERO(&set);
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (unsigned i = 0; i < CPU_SETSIZE && n < max; i++) {
		if (CPU_ISSET(i, &set))
			core[n++] = i;
	}
	return n;
}

/* What the workers counted up to now is with the switch after this. */
static inline void collect_counts(void)
{
	uint64_t deadline_ns = tn_agent_now(bed.agent) + DEADLINE_NS;
	uint32_t ask = tn_agent_ask_counts(bed.agent);

	while (!tn_agent_counts_came(bed.agent, ask)) {
		assert_true(tn_agent_now(bed.agent) < deadline_ns);
		sched_yield();
	}
}

/* Once a process: EAL starts once. */
static inline int group_setup(void **state)
{
	struct tn_agent_options o = {.memory_mb = 32,
		.max_frame = 2048,
		.sessions = 4096,
		.n_workers = 2,
		.kernel_mode = BY_EVENTS};
	struct tn_error err;

	(void)state;
	if (cores(o.worker_core, 2) == 1)
		o.worker_core[1] = o.worker_core[0];
	bed.loop = tn_loop_new();
	assert_non_null(bed.loop);
	assert_int_equal(tn_eal_start(&o, false), 0);
	bed.agent = tn_agent_new(&o, bed.loop, 1, &err);
	assert_non_null(bed.agent);
	assert_int_equal(tn_loop_every(bed.loop, 1000000, on_tick, &bed), 0);
	assert_int_equal(tn_agent_start(bed.agent, &err), 0);
	return 0;
}

static inline int group_teardown(void **state)
{
	(void)state;
	tn_agent_free(bed.agent);
	tn_loop_free(bed.loop);
	tn_eal_stop();
	return 0;
}

/* --- ports ------------------------------------------------------------------------------------ */

static inline void add_port(uint32_t number)
{
	char name[16];
	const struct tn_port_option tells = {
		.key = "tells", .type = TN_OPTION_BOOL, .integer = BY_EVENTS};
	const struct tn_port_request request = {.number = number,
		.name = name,
		.type = "memory",
		.enabled = true,
		.options = &tells,
		.n_options = 1};
	struct tn_error err = {0};

	snprintf(name, sizeof(name), "m%u", number);
	if (tn_agent_port_add(bed.agent, &request, &err))
		fail_msg("%s", err.detail);
}

static inline void remove_port(uint32_t number)
{
	struct tn_error err = {0};

	if (tn_agent_port_remove(bed.agent, number, &err))
		fail_msg("%s", err.detail);
}

static inline struct tn_port *driver(uint32_t number)
{
	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		struct tn_agent_port *p = bed.agent->ports[i];

		if (p && p->request.number == number)
			return p->driver;
	}
	fail_msg("no port %u", number);
	return NULL;
}

/* From host `from` to host `to`; no protocol that anyone knows. */
static inline void make_frame(uint8_t *frame, unsigned to, unsigned from, uint32_t number)
{
	memset(frame, 0, FRAME);
	frame[0] = frame[6] = 2;
	frame[5] = (uint8_t)to;
	frame[11] = (uint8_t)from;
	frame[12] = 0x88;
	frame[13] = 0xb5;
	memcpy(frame + 14, &number, sizeof(number));
}

static inline bool inject(struct tn_port *port, unsigned to, unsigned from, uint32_t number)
{
	uint8_t frame[FRAME];

	make_frame(frame, to, from, number);
	return tn_memory_port_inject(port, 0, frame, FRAME) == 0;
}

/* Takes out what a port sent. */
static inline uint64_t collect(uint32_t number)
{
	struct tn_port *port = driver(number);
	uint8_t frame[2048];
	uint64_t n = 0;

	while (tn_memory_port_collect(port, frame, sizeof(frame)) > 0)
		n++;
	bed.collected[number] += n;
	return n;
}

static inline void forget_collected(void)
{
	for (uint32_t number = 1; number <= 4; number++)
		(void)collect(number);
	memset(bed.collected, 0, sizeof(bed.collected));
}

/* --- flows ------------------------------------------------------------------------------------ */

static inline void commit(const struct tn_flow_mod *fm)
{
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = fm};
	struct tn_error err = {0};
	size_t failed;

	if (tn_agent_commit(bed.agent, &mod, 1, &failed, &err))
		fail_msg("%s", err.detail);
}

/* What comes by in_port goes to out. */
static inline struct tn_flow_mod flow_to(uint32_t in_port, const struct tn_action *out)
{
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.priority = 1;
	tn_match_set_exact(&fm.match, TN_FIELD_IN_PORT, in_port);
	fm.inst.apply = out;
	fm.inst.n_apply = 1;
	return fm;
}

static inline struct tn_action output(uint32_t port)
{
	return (struct tn_action){.type = TN_ACTION_OUTPUT,
		.output = {.port = port,
			.reason = TN_REASON_DEFAULT,
			.max_len = port == TN_PORT_CONTROLLER ? TN_CONTROLLER_MAX_LEN_WHOLE : 0}};
}

static inline void delete_all(void)
{
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.command = TN_FLOW_DELETE;
	fm.table_id = TN_TABLE_ALL;
	commit(&fm);
}

/* The uplink is port 4. */
static const tn_u128 here = (tn_u128)0xffff << 32 | 0xc6336401u; /* 198.51.100.1 */
static const tn_u128 there = (tn_u128)0xffff << 32 | 0xc6336402u;

static inline void set_underlay(void)
{
	const struct tn_underlay_address address = {
		.address = here, .prefix_len = 24, .mac = {{2, 0, 0, 0, 9, 1}}, .port = 4};
	const struct tn_underlay_neighbour neighbour = {
		.address = there, .mac = {{2, 0, 0, 0, 9, 2}}, .port = 4};
	const struct tn_underlay_config underlay = {.addresses = &address,
		.n_addresses = 1,
		.neighbours = &neighbour,
		.n_neighbours = 1};
	struct tn_error err;

	assert_int_equal(tn_agent_set_underlay(bed.agent, &underlay, &err), 0);
}

/* Ports 1 to 4, no flows. */
static inline int setup(void **state)
{
	(void)state;
	for (uint32_t number = 1; number <= 4; number++)
		add_port(number);
	memset(bed.collected, 0, sizeof(bed.collected));
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	tn_agent_set_packet_in(bed.agent, NULL, NULL);
	delete_all();
	for (uint32_t number = 1; number <= 4; number++)
		remove_port(number);
	return 0;
}

#endif
