/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine with a store in a folder of its own and a fake data plane, on one loop. Tests wait for
 * what they want to see; what does not come within some seconds fails.
 */
#ifndef TN_TESTS_ENGINE_FIXTURE_H
#define TN_TESTS_ENGINE_FIXTURE_H

#include "tests/unit/engine/fake_dataplane.h"

#include "control/engine/engine.h"

struct bench {
	char folder[64], store[96], socket[96];
	struct tn_loop *loop;
	struct fake fake;
	struct tn_engine *e;
	struct tn_engine_options options;
	/* run() */
	bool (*until)(struct bench *b);
	unsigned ticks;
	bool gave_up;
	/* the last outcome */
	unsigned n_done;
	enum tn_verdict verdict;
	struct tn_result results[16];
	uint64_t transaction;
	size_t failed;
	char pointer[64], detail[256];
	enum tn_of_error of;
};

#define BENCH_TICK_NS 1000000u
#define BENCH_TICKS   20000u

static inline void bench_tick(void *ctx)
{
	struct bench *b = ctx;

	b->gave_up = ++b->ticks > BENCH_TICKS;
	if (b->gave_up || (b->until && b->until(b)))
		tn_loop_stop(b->loop);
}

static inline void bench_run(struct bench *b, bool (*until)(struct bench *b))
{
	b->until = until;
	b->ticks = 0;
	tn_loop_run(b->loop);
	assert_false(b->gave_up);
}

static inline bool bench_in_step(struct bench *b)
{
	struct tn_engine_status status;

	tn_engine_status(b->e, &status);
	return status.connected;
}

static inline bool bench_away(struct bench *b)
{
	return !bench_in_step(b);
}

static inline bool bench_settled(struct bench *b)
{
	struct tn_engine_status status;

	tn_engine_status(b->e, &status);
	return status.connected && !status.pending;
}

static inline void bench_open(struct bench *b)
{
	struct tn_error err;

	b->e = tn_engine_new(b->loop, &b->options, &err);
	if (!b->e)
		fail_msg("%s", err.detail);
}

static inline void bench_restart(struct bench *b)
{
	tn_engine_free(b->e);
	bench_open(b);
}

static inline int bench_setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	strcpy(b->folder, "/tmp/tn-engine-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->store, sizeof(b->store), "%s/store.db", b->folder);
	snprintf(b->socket, sizeof(b->socket), "%s/dataplane.sock", b->folder);
	b->loop = tn_loop_new();
	assert_non_null(b->loop);
	assert_return_code(tn_loop_every(b->loop, BENCH_TICK_NS, bench_tick, b), 0);
	fake_init(&b->fake, b->loop, b->socket);
	b->options = (struct tn_engine_options){
		.store_path = b->store, .dataplane_path = b->socket, .dpid = FAKE_DPID};
	bench_open(b);
	bench_run(b, bench_in_step);
	*state = b;
	return 0;
}

static inline void bench_unlink(const struct bench *b)
{
	static const char *const names[] = {"", "-wal", "-shm", "-journal", "-mark"};
	char path[128];

	for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s%s", b->store, names[i]);
		(void)unlink(path);
	}
}

static inline int bench_teardown(void **state)
{
	struct bench *b = *state;

	tn_engine_free(b->e);
	fake_fini(&b->fake);
	tn_loop_free(b->loop);
	bench_unlink(b);
	assert_return_code(rmdir(b->folder), 0);
	free(b);
	return 0;
}

/* --- requests --- */

static inline void bench_done(void *ctx, const struct tn_outcome *outcome)
{
	struct bench *b = ctx;

	b->n_done++;
	b->verdict = outcome->verdict;
	b->transaction = outcome->transaction;
	b->failed = outcome->failed;
	b->pointer[0] = b->detail[0] = '\0';
	for (size_t i = 0; i < outcome->n_results && i < TN_ARRAY_SIZE(b->results); i++)
		b->results[i] = outcome->results[i];
	if (outcome->errors && outcome->errors->n) {
		snprintf(b->pointer, sizeof(b->pointer), "%s", outcome->errors->list[0].pointer);
		snprintf(b->detail, sizeof(b->detail), "%s", outcome->errors->list[0].detail);
		b->of = outcome->errors->list[0].of;
	}
}

static inline bool bench_is_done(struct bench *b)
{
	return b->n_done > 0;
}

static inline enum tn_verdict bench_request(
	struct bench *b, const struct tn_operation *ops, size_t n, const struct tn_request *how)
{
	struct tn_request r = how ? *how : (struct tn_request){0};

	r.operations = ops;
	r.n = n;
	r.done = bench_done;
	r.ctx = b;
	b->n_done = 0;
	tn_engine_submit(b->e, &r);
	if (!b->n_done)
		bench_run(b, bench_is_done);
	assert_int_equal(b->n_done, 1);
	return b->verdict;
}

/* A flow to a UDP port, out by a port. */
struct bench_flow {
	struct tn_flow_mod fm;
	struct tn_action actions[2];
};

static inline void bench_flow(struct bench_flow *f, uint16_t udp, uint32_t out)
{
	tn_flow_mod_init(&f->fm);
	tn_match_set_exact(&f->fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	tn_match_set_exact(&f->fm.match, TN_FIELD_IP_PROTO, 17);
	tn_match_set_exact(&f->fm.match, TN_FIELD_UDP_DST, udp);
	memset(f->actions, 0, sizeof(f->actions));
	f->actions[0].type = TN_ACTION_OUTPUT;
	f->actions[0].output.port = out;
	f->fm.inst.apply = f->actions;
	f->fm.inst.n_apply = 1;
}

static inline struct tn_operation bench_op(const struct tn_flow_mod *fm)
{
	return (struct tn_operation){
		.kind = TN_OP_MOD, .pointer = "/flows/0", .mod = {TN_MOD_FLOW, {.flow = fm}}};
}

static inline enum tn_verdict bench_add(struct bench *b, uint16_t udp, uint32_t out)
{
	struct bench_flow f;
	struct tn_operation op;

	bench_flow(&f, udp, out);
	op = bench_op(&f.fm);
	return bench_request(b, &op, 1, NULL);
}

static inline uint64_t bench_id(uint16_t udp)
{
	struct bench_flow f;

	bench_flow(&f, udp, 1);
	return tn_flow_id(FAKE_DPID, f.fm.table_id, f.fm.priority, &f.fm.match);
}

static inline struct tn_operation bench_group_op(const struct tn_group_mod *gm, const char *pointer)
{
	return (struct tn_operation){
		.kind = TN_OP_MOD, .pointer = pointer, .mod = {TN_MOD_GROUP, {.group = gm}}};
}

struct bench_seen {
	bool found;
	enum tn_object_state state;
	uint64_t generation, packets;
	uint32_t tenant, owner, out;
	char failure[256];
};

static inline bool bench_see(void *ctx, const struct tn_object *object)
{
	struct bench_seen *seen = ctx;

	seen->found = true;
	seen->state = object->state;
	seen->generation = object->generation;
	seen->tenant = object->tenant;
	seen->owner = object->owner;
	if (object->failure)
		snprintf(seen->failure, sizeof(seen->failure), "%s", object->failure->detail);
	if (object->kind == TN_KIND_FLOW) {
		seen->packets = object->flow->counter.packets;
		if (object->flow->inst.n_apply)
			seen->out = object->flow->inst.apply[0].output.port;
	}
	return true;
}

static inline struct bench_seen bench_look(struct bench *b, enum tn_kind kind, uint64_t id)
{
	struct bench_seen seen = {0};
	bool found = tn_engine_get(b->e, kind, id, (struct tn_scope){0}, bench_see, &seen);

	assert_int_equal(found, seen.found);
	return seen;
}

static inline uint32_t bench_count(const struct bench *b, enum tn_kind kind)
{
	return tn_engine_count(b->e, kind, (struct tn_scope){0});
}

/* --- wanted is installed --- */

struct bench_compare {
	struct bench *b;
	size_t n;
};

static inline void bench_installed(void *ctx, const struct tn_flow_info *flow)
{
	struct bench_compare *c = ctx;

	c->n++;
	assert_true(flow->flow_id != 0);
}

static inline void bench_same_flow(void *ctx, const struct tn_flow_info *flow)
{
	const struct tn_object *object = ctx;
	const struct tn_flow_info *wanted = object->flow;

	assert_int_equal(flow->cookie, wanted->cookie);
	assert_int_equal(flow->idle_timeout, wanted->idle_timeout);
	assert_int_equal(flow->hard_timeout, wanted->hard_timeout);
	assert_int_equal(flow->importance, wanted->importance);
	assert_true(tn_match_equal(&flow->match, &wanted->match));
	assert_int_equal(flow->inst.meter_id, wanted->inst.meter_id);
	assert_int_equal(flow->inst.goto_table, wanted->inst.goto_table);
	assert_true(tn_actions_equal(
		flow->inst.apply, flow->inst.n_apply, wanted->inst.apply, wanted->inst.n_apply));
	assert_true(tn_actions_equal(
		flow->inst.write, flow->inst.n_write, wanted->inst.write, wanted->inst.n_write));
}

static inline bool bench_compare_flow(void *ctx, const struct tn_object *object)
{
	struct bench *b = ctx;
	union {
		const struct tn_object *c;
		struct tn_object *p;
	} o = {.c = object};

	assert_int_equal(object->state, TN_STATE_ADDED);
	assert_true(tn_switch_flow_by_id(b->fake.sw, object->id, bench_same_flow, o.p));
	return true;
}

/* Flows are the same on both sides. */
static inline void bench_check_same(struct bench *b)
{
	struct bench_compare c = {.b = b};

	tn_engine_scan(b->e, TN_KIND_FLOW, (struct tn_scope){0}, 0, true, bench_compare_flow, b);
	assert_int_equal(tn_switch_flows(b->fake.sw, NULL, bench_installed, &c), 0);
	assert_int_equal(c.n, bench_count(b, TN_KIND_FLOW));
}

#endif
