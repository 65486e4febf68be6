/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/execute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/core/openflow.h"
#include "dataplane/core/reply.h"
#include "tests/unit/core/packets.h"

#define EVENTS_MAX 64u
#define CLONES_MAX 80u

enum what { OUTPUT, PACKET_IN, DROP };

struct event {
	enum what what;
	const struct tn_op *op;
	uint32_t len, wire_len;
	unsigned detail; /* port, reason of the packet-in, drop */
	bool last;
	uint8_t data[256];
};

/* A packet, a program, and an environment that writes down what happens. */
struct bench {
	struct tn_program program;
	struct tn_facts facts;
	struct frame f;
	struct tn_headers h;
	struct event events[EVENTS_MAX];
	unsigned n_events, n_clones, n_released, n_learned, n_traced, n_decided;
	unsigned clones_left; /* buffers that the environment has */
	uint64_t copies;
	struct tn_exec_env env;
	void (*decide)(struct bench *b);
};

static struct bench bench;

static struct event *note(struct bench *b, enum what what, const struct tn_view *view,
	const struct tn_op *op, unsigned detail)
{
	struct event *e = &b->events[b->n_events++];

	assert_true(b->n_events <= EVENTS_MAX);
	*e = (struct event){.what = what,
		.op = op,
		.len = view->len,
		.wire_len = view->wire_len,
		.detail = detail};
	memcpy(e->data, view->data, view->len < sizeof(e->data) ? view->len : sizeof(e->data));
	return e;
}

static void on_output(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	assert_non_null(h);
	note(ctx, OUTPUT, view, op, op->output.port)->last = last;
	if (last) /* the buffer is the callee's now */
		memset(view->data, 0xdd, view->len);
}

static void on_controller(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	assert_int_equal(max_len,
		op->type == TN_OP_CONTROLLER ? op->controller.max_len
					     : TN_CONTROLLER_MAX_LEN_WHOLE);
	note(ctx, PACKET_IN, view, op, reason);
}

static void on_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	assert_non_null(op);
	note(ctx, DROP, view, op, reason);
}

static bool on_clone(void *ctx, const struct tn_view *view, struct tn_view *copy)
{
	struct bench *b = ctx;
	uint8_t *room;

	if (b->clones_left == 0)
		return false;
	b->clones_left--;
	b->n_clones++;
	room = malloc(TN_HEADROOM_MIN + view->len);
	assert_non_null(room);
	memcpy(room + TN_HEADROOM_MIN, view->data, view->len);
	*copy = (struct tn_view){.data = room + TN_HEADROOM_MIN,
		.len = view->len,
		.wire_len = view->wire_len,
		.headroom = TN_HEADROOM_MIN};
	return true;
}

static void on_release(void *ctx, struct tn_view *copy)
{
	struct bench *b = ctx;

	b->n_released++;
	free(copy->data - copy->headroom);
}

static void on_learn(void *ctx, const struct tn_op *op)
{
	((struct bench *)ctx)->n_learned += op->learn.in_port;
}

static void on_trace(void *ctx, const struct tn_op *op)
{
	(void)op;
	((struct bench *)ctx)->n_traced++;
}

static void on_decide_again(void *ctx, const struct tn_facts *facts, struct tn_program *program)
{
	struct bench *b = ctx;

	assert_ptr_equal(facts, &b->facts);
	assert_ptr_equal(program, &b->program);
	b->n_decided++;
	if (b->decide)
		b->decide(b);
}

static void start(const struct packet *p)
{
	static const struct tn_exec_env env = {
		.ctx = &bench,
		.output = on_output,
		.controller = on_controller,
		.drop = on_drop,
		.clone = on_clone,
		.release = on_release,
		.learn = on_learn,
		.trace = on_trace,
		.decide_ctx = &bench,
		.decide_again = on_decide_again,
	};
	struct packet plain;

	memset(&bench, 0, sizeof(bench));
	bench.env = env;
	bench.clones_left = CLONES_MAX;
	packet_init(&plain);
	packet_build(p ? p : &plain, &bench.f);
	assert_int_equal(tn_parse(&bench.f.view, &bench.h), TN_DROP_NONE);
}

static struct tn_op *add(enum tn_op_type type)
{
	struct tn_op *op = &bench.program.ops[bench.program.n_ops++];

	memset(op, 0, sizeof(*op));
	op->type = (uint8_t)type;
	return op;
}

static struct tn_op *add_output(uint32_t port, bool last)
{
	struct tn_op *op = add(TN_OP_OUTPUT);

	op->output.port = port;
	op->last = last;
	return op;
}

static struct tn_op *add_set(enum tn_field_id field, tn_u128 value)
{
	struct tn_op *op = add(TN_OP_SET);

	op->set.field = (uint8_t)field;
	op->set.value = value;
	op->set.mask = tn_field_ones(field);
	return op;
}

static struct tn_op *add_clone(unsigned n_nested, bool last)
{
	struct tn_op *op = add(TN_OP_CLONE);

	op->n_nested = (uint16_t)n_nested;
	op->last = last;
	return op;
}

static struct tn_op *add_drop(enum tn_drop reason, bool last)
{
	struct tn_op *op = add(TN_OP_DROP);

	op->drop.reason = (uint8_t)reason;
	op->last = last;
	return op;
}

static struct tn_op *add_controller(bool last)
{
	struct tn_op *op = add(TN_OP_CONTROLLER);

	op->last = last;
	op->controller.reason = TN_PACKET_IN_APPLY_ACTION;
	op->controller.max_len = 128;
	return op;
}

/* 1 + copies = outputs + packet-ins + drops, and each clone is given back. */
static void run(void)
{
	bench.copies = tn_execute(
		&bench.program, &bench.f.view, &bench.h, 5000, 1500, &bench.facts, &bench.env);
	assert_int_equal(1 + bench.copies, bench.n_events);
	assert_int_equal(bench.n_released, bench.n_clones);
}

static void expect(unsigned n, enum what what, unsigned detail)
{
	assert_true(n < bench.n_events);
	assert_int_equal(bench.events[n].what, what);
	assert_int_equal(bench.events[n].detail, detail);
}

static void test_empty_program(void **state)
{
	(void)state;
	start(NULL);
	run();
	assert_int_equal(bench.n_events, 1);
	expect(0, DROP, TN_DROP_NO_ACTION);
	assert_int_equal(bench.events[0].op->type, TN_OP_DROP);
	assert_int_equal(bench.events[0].op->flow_id, 0);
}

static void test_outputs(void **state)
{
	(void)state;
	start(NULL);
	add_output(1, false);
	add_controller(false);
	add_output(2, true);
	add_output(3, true); /* behind the end */
	run();
	assert_int_equal(bench.n_events, 3);
	expect(0, OUTPUT, 1);
	expect(1, PACKET_IN, TN_PACKET_IN_APPLY_ACTION);
	expect(2, OUTPUT, 2);
	assert_false(bench.events[0].last);
	assert_true(bench.events[2].last);
	assert_int_equal(bench.copies, 2);
	assert_int_equal(bench.n_traced, 3);
	assert_memory_equal(bench.events[0].data, bench.events[2].data, 60);
}

static void test_used_up_by_its_last_copy(void **state)
{
	(void)state;
	start(NULL);
	add_output(1, false);
	add_output(2, false);
	add(TN_OP_POP_VLAN);
	run();
	assert_int_equal(bench.n_events, 2);
	assert_int_equal(bench.copies, 1);
	start(NULL);
	add_controller(true);
	run();
	assert_int_equal(bench.copies, 0);
}

static void test_drops(void **state)
{
	(void)state;
	start(NULL);
	add_drop(TN_DROP_TABLE_MISS, true);
	add_output(1, true);
	run();
	assert_int_equal(bench.n_events, 1);
	expect(0, DROP, TN_DROP_TABLE_MISS);
	/* A copy that nobody makes, and on. */
	start(NULL);
	add_drop(TN_DROP_PORT_DOWN, false);
	add_output(1, true);
	run();
	assert_int_equal(bench.n_events, 2);
	expect(0, DROP, TN_DROP_PORT_DOWN);
	expect(1, OUTPUT, 1);
	start(NULL);
	add_drop(TN_DROP_PORT_DOWN, false);
	run();
	assert_int_equal(bench.n_events, 1);
}

static void test_sets_are_seen_by_what_follows(void **state)
{
	(void)state;
	start(NULL);
	add_output(1, false);
	add_set(TN_FIELD_ETH_DST, 0x0a0b0c0d0e0f);
	add_output(2, false);
	add(TN_OP_PUSH_VLAN)->push_vlan.ethertype = 0x8100;
	add_output(3, false);
	add(TN_OP_POP_VLAN);
	add_output(4, true);
	run();
	assert_int_equal(bench.events[0].data[0], 0x02);
	assert_int_equal(bench.events[1].data[0], 0x0a);
	assert_int_equal(bench.events[2].len, bench.events[1].len + 4);
	assert_int_equal(bench.events[2].data[12] << 8 | bench.events[2].data[13], 0x8100);
	assert_memory_equal(bench.events[3].data, bench.events[1].data, bench.events[1].len);
	assert_int_equal(bench.events[3].len, bench.events[1].len);
}

/* --- answers ---------------------------------------------------------------------------------- */

static struct {
	enum tn_drop says;
	bool has_room;
	unsigned asked, rooms;
	uint32_t wire_len;
	uint8_t memory[TN_HEADROOM_MIN + 4096];
} helper;

static enum tn_drop on_reply(void *ctx, struct tn_view *view)
{
	(void)ctx;
	(void)view;
	helper.asked++;
	return helper.says;
}

static bool on_room(void *ctx, struct tn_view *view, uint32_t len)
{
	(void)ctx;
	helper.rooms++;
	*view = (struct tn_view){
		.data = helper.memory + TN_HEADROOM_MIN, .len = len, .headroom = TN_HEADROOM_MIN};
	return helper.has_room;
}

static uint32_t on_wire_len(void *ctx, const struct tn_view *view)
{
	(void)ctx;
	return helper.wire_len ? helper.wire_len : view->wire_len;
}

static struct tn_action router(uint8_t kind)
{
	return (struct tn_action){.type = TN_ACTION_REPLY,
		.reply = {.kind = kind, .mac = {{2, 0, 0, 0, 0, 0xfe}}, .number = 1400}};
}

static void start_reply(const struct packet *p, struct tn_action *a)
{
	start(p);
	memset(&helper, 0, sizeof(helper));
	a->reply.ip = tn_u128_from_ip4(0x0a0000fe);
	bench.env.reply = on_reply;
	bench.env.room = on_room;
	add(TN_OP_REPLY)->reply = a;
}

static void go_on(struct bench *b)
{
	assert_int_equal(b->facts.fact[b->facts.n - 1].kind, TN_FACT_REPARSED);
	add_output(7, true);
}

static void test_an_answer_takes_the_place_of_its_packet(void **state)
{
	struct tn_action a = router(TN_REPLY_TIME_EXCEEDED);
	struct packet p;

	(void)state;
	packet_init(&p);
	p.payload = 40;
	p.dst = 0x0a000002;
	/* It is longer than the packet: with room behind it, without any, with none to have. */
	for (unsigned round = 0; round < 3; round++) {
		start_reply(&p, &a);
		bench.f.view.tailroom = round ? 0 : 100;
		bench.f.view.headroom = TN_HEADROOM_MIN;
		helper.has_room = round == 1;
		bench.decide = go_on;
		run();
		assert_int_equal(helper.asked, 1);
		assert_int_equal(helper.rooms, round ? 1 : 0);
		assert_int_equal(bench.n_events, 1);
		if (round == 2) {
			expect(0, DROP, TN_DROP_NO_BUFFER);
			continue;
		}
		expect(0, OUTPUT, 7);
		assert_int_equal(bench.events[0].len, 14 + 20 + 8 + 20 + 8 + 40);
		assert_int_equal(bench.events[0].len, bench.events[0].wire_len);
		assert_int_equal(bench.events[0].data[14 + 20], 11);
		assert_int_equal(bench.f.view.headroom, TN_HEADROOM_MIN);
		assert_true(tn_field_get(&bench.facts.fact[0].key, TN_FIELD_ICMPV4_TYPE) == 11);
	}
}

static void test_an_answer_may_be_refused(void **state)
{
	struct tn_action a = router(TN_REPLY_TIME_EXCEEDED);
	struct packet p;

	(void)state;
	start_reply(NULL, &a);
	helper.says = TN_DROP_REPLY_BUDGET;
	run();
	expect(0, DROP, TN_DROP_REPLY_BUDGET);
	packet_init(&p);
	p.src = 0xe0000001;
	start_reply(&p, &a);
	run();
	expect(0, DROP, TN_DROP_NO_ICMP_ERROR);
	assert_int_equal(bench.n_decided, 0);
}

static void go_another_way(struct bench *b)
{
	assert_int_equal(b->facts.fact[0].kind, TN_FACT_LONGER);
	assert_int_equal(b->facts.fact[0].op, 0);
	b->program.n_ops = 1;
	add_output(8, true);
}

static void test_longer_packets_take_another_way(void **state)
{
	struct packet p;

	(void)state;
	packet_init(&p);
	p.payload = 100;
	p.pad = 60;
	for (int more = -1; more <= 1; more++) {
		start(&p);
		add(TN_OP_IF_LONGER)->max_len = (uint32_t)(20 + 8 + 100 + more);
		add_output(1, true);
		bench.decide = go_another_way;
		run();
		assert_int_equal(bench.n_decided, more < 0);
		expect(0, OUTPUT, more < 0 ? 8 : 1);
	}
	/* What is to be cut counts by its parts, whatever its own header says. */
	for (unsigned part = 90; part < 120; part += 10) {
		start(&p);
		memset(&helper, 0, sizeof(helper));
		helper.wire_len = 14 + part;
		bench.env.wire_len = on_wire_len;
		add(TN_OP_IF_LONGER)->max_len = 100;
		add_output(1, true);
		bench.decide = go_another_way;
		run();
		expect(0, OUTPUT, part > 100 ? 8 : 1);
	}
}

static void test_a_rewrite_that_cannot_be(void **state)
{
	struct packet p;

	(void)state;
	start(NULL);
	bench.f.view.headroom = 0;
	add_output(1, false);
	add(TN_OP_PUSH_VLAN)->push_vlan.ethertype = 0x8100;
	add_output(2, true);
	run();
	assert_int_equal(bench.n_events, 2);
	expect(1, DROP, TN_DROP_NO_HEADROOM);
	assert_int_equal(bench.events[1].op->type, TN_OP_PUSH_VLAN);
	packet_init(&p);
	p.cut = 40;
	start(&p);
	add_set(TN_FIELD_UDP_DST, 5);
	add_output(2, true);
	run();
	assert_int_equal(bench.n_events, 1);
	expect(0, DROP, TN_DROP_TRUNCATED_HEADER);
}

static void test_counts(void **state)
{
	struct tn_counter all = {0}, packets = {0}, bytes = {0};
	uint64_t last_used = 0, lookups = 7, matches = 8;
	struct tn_op *op;

	(void)state;
	start(NULL);
	op = add(TN_OP_COUNT);
	op->count.counter = &all;
	op->count.last_used = &last_used;
	op->count.lookups = &lookups;
	op->count.matches = &matches;
	op = add(TN_OP_COUNT);
	op->count.counter = &packets;
	op->count.no_bytes = 1;
	op = add(TN_OP_COUNT);
	op->count.counter = &bytes;
	op->count.no_packets = 1;
	add(TN_OP_COUNT)->count.lookups = &lookups;
	add_output(1, true);
	run();
	assert_int_equal(all.packets, 1);
	assert_int_equal(all.bytes, 1500); /* of reception, not of now */
	assert_int_equal(packets.packets, 1);
	assert_int_equal(packets.bytes, 0);
	assert_int_equal(bytes.packets, 0);
	assert_int_equal(bytes.bytes, 1500);
	assert_int_equal(last_used, 5000);
	assert_int_equal(lookups, 9);
	assert_int_equal(matches, 9);
}

static void test_learn(void **state)
{
	(void)state;
	start(NULL);
	add(TN_OP_LEARN)->learn.in_port = 6;
	add_output(1, true);
	run();
	assert_int_equal(bench.n_learned, 6);
	start(NULL);
	bench.env.learn = NULL;
	bench.env.trace = NULL;
	add(TN_OP_LEARN)->learn.in_port = 6;
	add_output(1, true);
	run();
	assert_int_equal(bench.n_learned, 0);
}

static void test_truncate(void **state)
{
	struct packet p;

	(void)state;
	packet_init(&p);
	p.payload = 500;
	start(&p);
	add_output(1, false)->output.max_len = 64;
	add_output(2, false);
	add(TN_OP_TRUNCATE)->max_len = 20;
	add(TN_OP_TRUNCATE)->max_len = 100;
	/* The header behind the end can still be changed, its checksum stays right. */
	add_set(TN_FIELD_IPV4_SRC, 0x0a0a0a0a);
	add_output(3, false)->output.max_len = 64;
	add_controller(false);
	add(TN_OP_PUSH_VLAN)->push_vlan.ethertype = 0x8100;
	add_output(4, true);
	run();
	assert_int_equal(bench.n_events, 5);
	assert_int_equal(bench.events[0].len, 64);
	assert_int_equal(bench.events[0].wire_len, 64);
	assert_int_equal(bench.events[1].len, 542);
	assert_int_equal(bench.events[2].len, 20);
	assert_int_equal(bench.events[3].len, 20);
	assert_int_equal(bench.events[4].len, 20);
	assert_int_equal(bench.events[4].wire_len, 20);
	assert_int_equal(bench.f.view.tailroom, PACKET_MAX - 542 + 526);
	/* A cut capture is as long as on the wire would have been. */
	p.cut = 50;
	start(&p);
	add_output(1, true)->output.max_len = 64;
	run();
	assert_int_equal(bench.events[0].len, 50);
	assert_int_equal(bench.events[0].wire_len, 64);
}

static void test_clone(void **state)
{
	(void)state;
	start(NULL);
	add_clone(3, false);
	add_set(TN_FIELD_ETH_DST, 1);
	add(TN_OP_TRUNCATE)->max_len = 14;
	add_output(1, true);
	add_clone(1, false); /* ends without a word */
	add_set(TN_FIELD_ETH_DST, 2);
	add_clone(0, false);
	add_output(2, true);
	run();
	assert_int_equal(bench.n_clones, 3);
	assert_int_equal(bench.n_events, 4);
	expect(0, OUTPUT, 1);
	assert_int_equal(bench.events[0].data[5], 1);
	assert_int_equal(bench.events[0].len, 14);
	expect(1, DROP, TN_DROP_NO_ACTION);
	expect(2, DROP, TN_DROP_NO_ACTION);
	/* The packet itself saw none of it. */
	expect(3, OUTPUT, 2);
	assert_int_equal(bench.events[3].data[0], 2);
	assert_int_equal(bench.events[3].len, 60);
}

static void test_last_clone_is_the_packet(void **state)
{
	(void)state;
	start(NULL);
	add_output(1, false);
	add_clone(2, true);
	add_output(2, false);
	add_output(3, true);
	run();
	assert_int_equal(bench.n_clones, 0);
	assert_int_equal(bench.n_events, 3);
	expect(2, OUTPUT, 3);
}

static void test_nested_clones(void **state)
{
	(void)state;
	start(NULL);
	add_clone(4, false);
	add_set(TN_FIELD_ETH_DST, 1);
	add_clone(1, false);
	add_output(1, true);
	add_output(2, true);
	add_output(3, true);
	run();
	assert_int_equal(bench.n_events, 3);
	expect(0, OUTPUT, 1);
	expect(1, OUTPUT, 2);
	expect(2, OUTPUT, 3);
	assert_int_equal(bench.events[0].data[5], 1);
	assert_int_equal(bench.events[1].data[5], 1);
	assert_int_equal(bench.events[2].data[5], 2);
}

static void test_no_buffer(void **state)
{
	(void)state;
	start(NULL);
	bench.clones_left = 0;
	add_clone(1, false);
	add_output(1, true);
	add_output(2, true);
	run();
	assert_int_equal(bench.n_events, 2);
	expect(0, DROP, TN_DROP_NO_BUFFER);
	expect(1, OUTPUT, 2);
}

static void test_clones_too_deep(void **state)
{
	const unsigned depth = TN_CLONE_DEPTH_MAX + 1;

	(void)state;
	for (unsigned last = 0; last < 2; last++) {
		start(NULL);
		for (unsigned i = 0; i < depth; i++)
			add_clone(depth - i, last);
		add_output(1, true);
		run();
		expect(0, DROP, TN_DROP_PROGRAM_TOO_LONG);
		assert_int_equal(bench.n_events, 1);
	}
}

static void test_dec_ttl(void **state)
{
	struct packet p;

	(void)state;
	packet_init(&p);
	p.ttl = 2;
	start(&p);
	add(TN_OP_DEC_TTL);
	add_output(1, false);
	add(TN_OP_DEC_TTL);
	add_output(2, true);
	run();
	assert_int_equal(bench.n_events, 3);
	expect(0, OUTPUT, 1);
	assert_int_equal(bench.events[0].data[22], 1);
	expect(1, PACKET_IN, TN_PACKET_IN_INVALID_TTL);
	assert_int_equal(bench.events[1].op->type, TN_OP_DEC_TTL);
	assert_int_equal(bench.events[1].data[22], 1);
	expect(2, DROP, TN_DROP_TTL_EXPIRED);
	/* Nothing to count down. */
	p.l3 = L3_ARP;
	start(&p);
	add(TN_OP_DEC_TTL);
	add(TN_OP_COPY_TTL_IN);
	add(TN_OP_COPY_TTL_OUT);
	add_output(1, true);
	run();
	expect(0, OUTPUT, 1);
	/* IP by its type, but the header is not here. */
	p.l3 = L3_IPV6;
	p.cut = 53;
	start(&p);
	add(TN_OP_DEC_TTL);
	add_output(1, true);
	run();
	assert_int_equal(bench.n_events, 1);
	expect(0, DROP, TN_DROP_TRUNCATED_HEADER);
}

/* A meter of one band that lets one packet pass. */
static struct tn_meter *make_meter(enum tn_band_type type)
{
	struct tn_band band = {.type = type, .rate = 1, .burst = 1, .prec_level = 1};
	struct tn_meter_mod mod = {.meter_id = 1,
		.flags = TN_METER_PKTPS | TN_METER_BURST,
		.bands = &band,
		.n_bands = 1};
	struct tn_meter *m = malloc(tn_meter_size(1));

	assert_non_null(m);
	tn_meter_init(m, &mod, 5000);
	return m;
}

static void test_meter_drop(void **state)
{
	struct tn_meter *m = make_meter(TN_BAND_DROP);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		start(NULL);
		add(TN_OP_METER)->meter = m;
		add_output(1, true);
		run();
		assert_int_equal(bench.n_events, 1);
		if (i == 0)
			expect(0, OUTPUT, 1);
		else
			expect(0, DROP, TN_DROP_METER);
	}
	assert_int_equal(m->counter.packets, 2);
	assert_int_equal(m->counter.bytes, 3000);
	free(m);
}

/* What comes after the remarking op is decided by the new DSCP. */
static void decide_remarked(struct bench *b)
{
	assert_int_equal(b->facts.n, 1);
	assert_int_equal(b->facts.fact[0].kind, TN_FACT_REMARKED);
	assert_int_equal(b->facts.fact[0].op, 2);
	assert_int_equal(b->facts.fact[0].dscp, 12);
	b->program.n_ops = 3;
	add_output(7, true);
}

static void run_remark(const struct packet *p)
{
	struct tn_meter *m = make_meter(TN_BAND_DSCP_REMARK);

	start(p);
	bench.decide = decide_remarked;
	add_output(1, false);
	add(TN_OP_METER)->meter = m; /* passes */
	add(TN_OP_METER)->meter = m; /* exceeds */
	add_output(2, true);
	run();
	free(m);
}

static void test_meter_remark(void **state)
{
	struct packet p;

	(void)state;
	packet_init(&p);
	p.tos = 10 << 2 | TN_ECN_ECT0; /* AF11 */
	run_remark(&p);
	assert_int_equal(bench.n_decided, 1);
	assert_int_equal(bench.n_events, 2);
	expect(1, OUTPUT, 7);
	assert_int_equal(bench.events[1].data[15], 12 << 2 | TN_ECN_ECT0);
	p.tos = 12 << 2 | TN_ECN_ECT0;
	packet_build(&p, &bench.f);
	assert_memory_equal(bench.events[1].data, bench.f.view.data, bench.f.view.len);
	/* Not an assured forwarding class; not IP: nothing to say. */
	p.tos = 46 << 2;
	run_remark(&p);
	assert_int_equal(bench.n_decided, 0);
	expect(1, OUTPUT, 2);
	p.l3 = L3_ARP;
	run_remark(&p);
	assert_int_equal(bench.n_decided, 0);
	/* IP header cut off. */
	p.l3 = L3_IPV4;
	p.cut = 30;
	run_remark(&p);
	assert_int_equal(bench.n_decided, 0);
}

static void decide_reparsed(struct bench *b)
{
	const struct tn_fact *fact = &b->facts.fact[b->facts.n - 1];

	assert_int_equal(fact->kind, TN_FACT_REPARSED);
	b->program.n_ops = fact->op + 1;
	if (tn_be16toh(fact->key.eth_type) == 0x0800)
		add_set(TN_FIELD_UDP_DST, 99);
	add_output(tn_be16toh(fact->key.eth_type), true);
}

static void test_reparse(void **state)
{
	struct packet p;

	(void)state;
	packet_init(&p);
	p.n_tags = 3;
	p.tpid[0] = p.tpid[1] = p.tpid[2] = TN_ETH_TYPE_VLAN;
	p.tci[2] = 0x6003;
	start(&p);
	bench.decide = decide_reparsed;
	add(TN_OP_POP_VLAN);
	add(TN_OP_REPARSE);
	run();
	assert_int_equal(bench.n_decided, 1);
	assert_int_equal(tn_be16toh(bench.facts.fact[0].key.inner_vlan_tci), 0x7003);
	assert_int_equal(tn_be32toh(bench.facts.fact[0].key.ipv4_src), 0x0a000001);
	expect(0, OUTPUT, 0x0800);
	assert_int_equal(bench.events[0].data[44] << 8 | bench.events[0].data[45], 99);
	/* And the other way: a third tag hides what was there. */
	p.n_tags = 2;
	start(&p);
	bench.decide = decide_reparsed;
	add(TN_OP_PUSH_VLAN)->push_vlan.ethertype = 0x88a8;
	add(TN_OP_REPARSE);
	run();
	expect(0, OUTPUT, 0x8100);
}

/* The fact is found inside a clone; the clone and what is behind it grow. */
static void decide_in_clone(struct bench *b)
{
	assert_int_equal(b->facts.fact[0].op, 2);
	b->program.n_ops = 3;
	add_output(10, false);
	add_output(11, true);
	b->program.ops[0].n_nested = 4;
	add_output(12, true);
}

static void test_clone_grows(void **state)
{
	(void)state;
	start(NULL);
	bench.decide = decide_in_clone;
	add_clone(2, false);
	add_set(TN_FIELD_ETH_DST, 1);
	add(TN_OP_REPARSE);
	run();
	assert_int_equal(bench.n_events, 3);
	expect(0, OUTPUT, 10);
	expect(1, OUTPUT, 11);
	expect(2, OUTPUT, 12);
	assert_int_equal(bench.events[1].data[5], 1);
	assert_int_equal(bench.events[2].data[5], 2);
}

/* Each decision asks once more. */
static void decide_forever(struct bench *b)
{
	b->program.n_ops = b->facts.fact[b->facts.n - 1].op + 1;
	add(TN_OP_REPARSE);
}

static void test_facts_are_bounded(void **state)
{
	(void)state;
	start(NULL);
	bench.decide = decide_forever;
	add(TN_OP_REPARSE);
	run();
	assert_int_equal(bench.n_decided, TN_FACTS_MAX);
	assert_int_equal(bench.n_events, 1);
	expect(0, DROP, TN_DROP_PROGRAM_TOO_LONG);
	assert_int_equal(bench.facts.n, TN_FACTS_MAX);
}

static uint8_t random_type(struct rng *r)
{
	static const uint8_t types[] = {TN_OP_SET, TN_OP_SET, TN_OP_SET, TN_OP_PUSH_VLAN,
		TN_OP_POP_VLAN, TN_OP_DEC_TTL, TN_OP_COPY_TTL_IN, TN_OP_COPY_TTL_OUT,
		TN_OP_TRUNCATE, TN_OP_OUTPUT, TN_OP_CONTROLLER, TN_OP_CLONE, TN_OP_DROP};

	return types[rng_below(r, sizeof(types))];
}

static void random_program(struct rng *r, unsigned n)
{
	while (bench.program.n_ops < n) {
		unsigned left = n - bench.program.n_ops - 1;
		struct tn_op *op = add((enum tn_op_type)random_type(r));

		op->last = rng_below(r, 4) == 0;
		if (op->type == TN_OP_SET) {
			op->set.field = (uint8_t)rng_below(r, TN_N_FIELDS);
			op->set.value = rng_next(r);
			op->set.mask = ~(tn_u128)0;
		} else if (op->type == TN_OP_TRUNCATE) {
			op->max_len = 14 + rng_below(r, 100);
		} else if (op->type == TN_OP_PUSH_VLAN) {
			op->push_vlan.ethertype = TN_ETH_TYPE_VLAN;
			op->push_vlan.tci = rng_next(r) & 0xefff;
		} else if (op->type == TN_OP_OUTPUT) {
			op->output.max_len =
				(uint16_t)(rng_below(r, 2) ? 0 : 14 + rng_below(r, 50));
		} else if (op->type == TN_OP_CONTROLLER) {
			op->controller.max_len = 128;
		} else if (op->type == TN_OP_CLONE) {
			op->n_nested = (uint16_t)rng_below(r, left + 1);
			/* A clone's ops end with the clone's around it. */
			for (uint32_t i = 0; i + 1 < bench.program.n_ops; i++) {
				uint32_t end = i + 1 + bench.program.ops[i].n_nested;
				uint32_t at = bench.program.n_ops;

				if (bench.program.ops[i].type == TN_OP_CLONE && end >= at &&
					op->n_nested > end - at)
					op->n_nested = (uint16_t)(end - at);
			}
		}
	}
}

/* run() checks the account. */
static void test_random_programs(void **state)
{
	struct rng r = {41};

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct packet p;

		packet_random(&p, &r);
		if (rng_below(&r, 4) == 0)
			p.cut = 14 + rng_below(&r, 100);
		start(&p);
		bench.clones_left = rng_below(&r, 8);
		random_program(&r, rng_below(&r, 24));
		run();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_program),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_used_up_by_its_last_copy),
		cmocka_unit_test(test_drops),
		cmocka_unit_test(test_sets_are_seen_by_what_follows),
		cmocka_unit_test(test_an_answer_takes_the_place_of_its_packet),
		cmocka_unit_test(test_an_answer_may_be_refused),
		cmocka_unit_test(test_longer_packets_take_another_way),
		cmocka_unit_test(test_a_rewrite_that_cannot_be),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_learn),
		cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_last_clone_is_the_packet),
		cmocka_unit_test(test_nested_clones),
		cmocka_unit_test(test_no_buffer),
		cmocka_unit_test(test_clones_too_deep),
		cmocka_unit_test(test_dec_ttl),
		cmocka_unit_test(test_meter_drop),
		cmocka_unit_test(test_meter_remark),
		cmocka_unit_test(test_reparse),
		cmocka_unit_test(test_clone_grows),
		cmocka_unit_test(test_facts_are_bounded),
		cmocka_unit_test(test_random_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
