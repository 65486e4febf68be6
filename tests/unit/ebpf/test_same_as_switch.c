/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's programs and the data plane mean the same: random packets get the key that the data
 * plane makes of them, or go up; random programs that can be translated make the same frame of a
 * packet as the executor does.
 */
#include "ebpf/translate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <cmocka.h>

#include "tests/unit/ebpf/ebpf_fixture.h"

#include "dataplane/core/execute.h"
#include "dataplane/core/parse.h"
#include "tests/unit/core/packets.h"

#define PACKETS 20000
#define PORT	5u
#define LOOP	1u
#define ALL_KEYS                                                               \
	(TN_EBPF_KEY_IP | TN_EBPF_KEY_L4 | TN_EBPF_KEY_TOS | TN_EBPF_KEY_TTL | \
		TN_EBPF_KEY_TCP_FLAGS)

static struct tn_ebpf *ebpf;
static uint8_t out[PACKET_MAX];

static uint64_t counter(enum tn_ebpf_counter which)
{
	uint64_t counters[TN_EBPF_N_COUNTERS];

	tn_ebpf_counters(ebpf, counters);
	return counters[which];
}

static int run_frame(const struct tn_view *view, uint32_t *out_len)
{
	struct tn_ebpf_run run = {.in = view->data,
		.in_len = view->len,
		.out = out,
		.out_size = sizeof(out),
		.ifindex = LOOP};
	int verdict = tn_ebpf_test_run(ebpf, TN_EBPF_FROM_PORT, &run);

	*out_len = run.out_len;
	return verdict;
}

static bool read_key(const struct frame *f, struct tn_key *key)
{
	struct tn_headers h;

	if (tn_parse(&f->view, &h))
		return false;
	tn_key_extract(&f->view, &h, key);
	key->in_port = key->in_phy_port = tn_htobe32(PORT);
	return true;
}

static bool output(void *ctx, const struct tn_op *op, struct tn_ebpf_way *way)
{
	(void)ctx;
	way->ifindex = LOOP;
	return op->output.port == 2;
}

static bool no_meter(void *ctx, const struct tn_meter *meter, uint32_t *index)
{
	(void)ctx;
	(void)meter;
	(void)index;
	return false;
}

static const struct tn_ebpf_ways ways = {.output = output, .meter = no_meter};

/* --- what the executor sends --- */

static uint8_t sent[PACKET_ROOM + PACKET_MAX];
static uint32_t sent_len;

static void take(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	(void)ctx;
	(void)h;
	(void)op;
	(void)last;
	memcpy(sent, view->data, view->len);
	sent_len = view->len;
}

static void lose(void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	(void)ctx;
	(void)view;
	(void)reason;
	(void)op;
	sent_len = 0;
}

static void add(struct tn_program *p, const struct tn_op *op)
{
	p->ops[p->n_ops++] = *op;
}

/*
 * A few rewrites, then out; those of IP only where there is an IP packet. No tags: the kernel holds
 * them beside the frame, where a test run does not show them.
 */
static void random_program(struct tn_program *p, const struct tn_key *key, struct rng *r)
{
	uint16_t type = tn_be16toh(key->eth_type);
	bool is_ip = type == TN_ETH_TYPE_IPV4 || type == TN_ETH_TYPE_IPV6;

	p->n_ops = 0;
	if (rng_below(r, 2))
		add(p,
			&(struct tn_op){.type = TN_OP_SET,
				.set = {.value = rng_next(r) & 0xfeffffffffffu,
					.mask = 0xffffffffffffu,
					.field = TN_FIELD_ETH_DST}});
	if (rng_below(r, 2))
		add(p,
			&(struct tn_op){.type = TN_OP_SET,
				.set = {.value = rng_next(r) & 0xffffffffffffu,
					.mask = 0xffffffffffffu,
					.field = TN_FIELD_ETH_SRC}});
	if (is_ip && key->ip_ttl > 1 && rng_below(r, 2))
		add(p, &(struct tn_op){.type = TN_OP_DEC_TTL});
	if (is_ip && rng_below(r, 2))
		add(p,
			&(struct tn_op){.type = TN_OP_SET,
				.set = {.value = rng_below(r, 64),
					.mask = 0x3f,
					.field = TN_FIELD_IP_DSCP}});
	if (is_ip && rng_below(r, 4) == 0)
		add(p,
			&(struct tn_op){.type = TN_OP_SET,
				.set = {.value = rng_below(r, 4),
					.mask = 0x03,
					.field = TN_FIELD_IP_ECN}});
	add(p, &(struct tn_op){.type = TN_OP_OUTPUT, .last = 1, .output = {.port = 2}});
}

static void execute(struct tn_program *p, const struct frame *f)
{
	static struct frame copy;
	static struct tn_facts facts;
	const struct tn_exec_env env = {.output = take, .drop = lose};
	struct tn_view view = f->view;
	struct tn_headers h;

	copy = *f;
	view.data = copy.buf + (f->view.data - f->buf);
	assert_int_equal(tn_parse(&view, &h), TN_DROP_NONE);
	facts.n = 0;
	tn_execute(p, &view, &h, 0, view.wire_len, &facts, &env);
}

static void put(struct tn_ebpf_key *key, struct tn_ebpf_session *s)
{
	s->classes = 1;
	s->version = 1;
	s->keys = ALL_KEYS;
	assert_int_equal(tn_ebpf_put_session(ebpf, key, s), 0);
}

/* One packet and one program, both ways. */
static void compare(const struct frame *f, const struct tn_key *key, struct rng *r)
{
	static struct tn_program program;
	struct tn_ebpf_session s;
	struct tn_ebpf_key k;
	uint64_t hits = counter(TN_EBPF_HITS);
	uint32_t len;

	if (!tn_ebpf_key_from(key, &k)) {
		run_frame(&f->view, &len);
		assert_int_equal(counter(TN_EBPF_HITS), hits);
		assert_int_equal(len, f->view.len);
		assert_memory_equal(out, f->view.data, len);
		return;
	}
	random_program(&program, key, r);
	assert_true(tn_ebpf_session_from(&program, &ways, &s));
	put(&k, &s);
	run_frame(&f->view, &len);
	if (counter(TN_EBPF_HITS) == hits) {
		/* IPv4 options and what is cut are not in the key: up, as they came */
		assert_memory_equal(out, f->view.data, f->view.len);
	} else {
		execute(&program, f);
		assert_int_equal(len, sent_len);
		assert_memory_equal(out, sent, len);
	}
	tn_ebpf_delete_session(ebpf, &k);
}

static void test_random_packets(void **state)
{
	struct rng r = {.state = 20261129};
	unsigned hits = (unsigned)counter(TN_EBPF_HITS);

	(void)state;
	for (int i = 0; i < PACKETS; i++) {
		struct packet p;
		struct frame f;
		struct tn_key key;

		packet_random(&p, &r);
		packet_build(&p, &f);
		if (f.view.len >= 14 && f.view.len == f.view.wire_len && read_key(&f, &key))
			compare(&f, &key, &r);
	}
	assert_true((unsigned)counter(TN_EBPF_HITS) - hits > PACKETS / 20);
}

/* --- what has no session --- */

static void test_not_translated(void **state)
{
	static struct tn_program p;
	const struct tn_op send = {.type = TN_OP_OUTPUT, .last = 1, .output = {.port = 2}};
	const struct tn_op others[] = {
		{.type = TN_OP_CLONE},
		{.type = TN_OP_CONTROLLER},
		{.type = TN_OP_TRUNCATE, .max_len = 64},
		{.type = TN_OP_REPARSE},
		{.type = TN_OP_METER},
		{.type = TN_OP_OUTPUT, .output = {.port = 2}},
		{.type = TN_OP_SET, .set = {.field = TN_FIELD_IPV4_DST, .mask = 1}},
		{.type = TN_OP_SET, .set = {.field = TN_FIELD_ETH_DST, .mask = 1}},
	};
	struct tn_ebpf_session s;

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(others); i++) {
		p.n_ops = 0;
		add(&p, &others[i]);
		add(&p, &send);
		assert_false(tn_ebpf_session_from(&p, &ways, &s));
	}
	p.n_ops = 0;
	add(&p, &send);
	assert_true(tn_ebpf_session_from(&p, &ways, &s));
	p.ops[0].output.port = 3;
	assert_false(tn_ebpf_session_from(&p, &ways, &s));
	p.n_ops = 0;
	assert_false(tn_ebpf_session_from(&p, &ways, &s));
}

/* The shortest of all limits; learning is told by who counts. */
static void test_limits(void **state)
{
	static struct tn_program p;
	const struct tn_op send = {.type = TN_OP_OUTPUT, .last = 1, .output = {.port = 2}};
	struct tn_ebpf_session s;

	(void)state;
	p.n_ops = 0;
	add(&p, &(struct tn_op){.type = TN_OP_IF_LONGER, .max_len = 1450});
	add(&p, &(struct tn_op){.type = TN_OP_LEARN});
	add(&p, &(struct tn_op){.type = TN_OP_IF_LONGER, .max_len = 1400});
	add(&p, &(struct tn_op){.type = TN_OP_IF_LONGER, .max_len = 1500});
	add(&p, &send);
	assert_true(tn_ebpf_session_from(&p, &ways, &s));
	assert_int_equal(s.max_len, 1400);
}

static void test_keys_of(void **state)
{
	static const struct {
		size_t at;
		uint32_t keys;
	} members[] = {
		{offsetof(struct tn_key, ip_ttl), TN_EBPF_KEY_TTL},
		{offsetof(struct tn_key, ip_tos), TN_EBPF_KEY_TOS},
		{offsetof(struct tn_key, tcp_flags), TN_EBPF_KEY_TCP_FLAGS},
		{offsetof(struct tn_key, tp_dst), TN_EBPF_KEY_L4},
		{offsetof(struct tn_key, ipv4_dst), TN_EBPF_KEY_IP},
		{offsetof(struct tn_key, ipv6_src), TN_EBPF_KEY_IP},
		{offsetof(struct tn_key, eth_dst), 0},
	};
	struct tn_key key = {.eth_type = tn_htobe16(TN_ETH_TYPE_IPV6)};
	uint32_t keys;

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(members); i++) {
		struct tn_read_set read = {0};

		((uint8_t *)&read.mask)[members[i].at] = 0xff;
		assert_true(tn_ebpf_keys_of(&key, &read, &keys));
		assert_int_equal(keys, members[i].keys);
	}
	struct tn_read_set label = {.mask.ipv6_flabel.raw = 1};

	assert_false(tn_ebpf_keys_of(&key, &label, &keys));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_packets),
		cmocka_unit_test(test_not_translated),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_keys_of),
	};
	const struct tn_ebpf_port in = {.number = PORT, .to = 7};
	struct tn_error err;
	int failed;

	ebpf = ebpf_open();
	if (!ebpf)
		return SKIP;
	if (tn_ebpf_set_port(ebpf, LOOP, &in, &err)) {
		printf("%s\n", err.detail);
		return SKIP;
	}
	tn_ebpf_config_of(ebpf)->version = 1;
	tn_ebpf_config_of(ebpf)->keys = ALL_KEYS;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	tn_ebpf_close(ebpf);
	return failed;
}
