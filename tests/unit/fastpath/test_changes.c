/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which sessions a commit leaves as they are: those whose packets the flows that came or went
 * cannot match. That none is left that should not be is for test_worker.c, with random changes. And
 * how often sessions are told of on ports that tell.
 */
#include "dataplane/fastpath/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/pipeline/snapshot.h"
#include "tests/unit/core/packets.h"

#define OUT   2u
#define MAC_A UINT64_C(0x020000000001)
#define MAC_B UINT64_C(0x020000000002)
#define OTHER UINT64_C(0x020f00000000)

struct bed {
	struct tn_switch *sw;
	struct tn_forwarding *fwd;
	struct tn_port ports[2];
	struct tn_worker *worker;
	struct frame frame;
	unsigned sent;
	unsigned told;
	bool in_vain; /* what is told is for nobody else */
	uint64_t now_ns;
};

static struct bed *bed_now;

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	(void)queue;
	(void)packets;
	bed_now->sent += port == &bed_now->ports[1] ? n : 0;
	return n;
}

static bool no_clone(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	(void)ctx;
	(void)p;
	(void)copy;
	return false;
}

static void no_free(void *ctx, const struct tn_packet *p, unsigned n)
{
	(void)ctx;
	(void)p;
	(void)n;
}

static const struct tn_port_ops port_ops = {.kind = "memory", .tx = tx};
static const struct tn_buffer_ops buffer_ops = {.clone = no_clone, .free = no_free};

static bool decided(void *ctx, unsigned port_index, const struct tn_decision *decision)
{
	struct bed *b = ctx;

	assert_int_equal(port_index, 0);
	assert_int_equal(decision->version, (uint32_t)b->fwd->snapshot->version);
	b->told++;
	return !b->in_vain;
}

static void commit(struct bed *b, const struct tn_mod *mods, size_t n)
{
	struct tn_error err = {0};
	size_t failed;

	if (tn_switch_commit(b->sw, mods, n, 0, &failed, &err))
		fail_msg("%s", err.detail);
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
	tn_switch_reclaim(b->sw);
}

static void commit_flow(struct bed *b, const struct tn_flow_mod *fm)
{
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = fm};

	commit(b, &mod, 1);
}

static const struct tn_action to_out = {
	.type = TN_ACTION_OUTPUT, .output = {.port = OUT, .reason = TN_REASON_DEFAULT}};

/* A flow of this table for one destination that sends to OUT. */
static struct tn_flow_mod to_mac(uint8_t table, uint64_t mac)
{
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.table_id = table;
	fm.priority = 10;
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_DST, mac);
	fm.inst.apply = &to_out;
	fm.inst.n_apply = 1;
	return fm;
}

static void add(struct bed *b, uint8_t table, uint64_t mac)
{
	struct tn_flow_mod fm = to_mac(table, mac);

	commit_flow(b, &fm);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct tn_port_config_data port = {.type = TN_PORT_PLAIN};
	struct packet desc;
	struct tn_error err;

	bed_now = b;
	b->sw = tn_switch_new(1);
	b->fwd = calloc(1, sizeof(*b->fwd));
	for (uint32_t i = 0; i < 2; i++) {
		port.number = i + 1;
		assert_int_equal(tn_switch_port_add(b->sw, &port, 0, &err), 0);
		b->ports[i].ops = &port_ops;
		b->fwd->ports[i] = (struct tn_forwarding_port){.kind = TN_FWD_PLAIN,
			.number = i + 1,
			.port = &b->ports[i],
			.max_frame = 1514};
	}
	b->fwd->n_ports = 2;
	b->worker = tn_worker_new(&(struct tn_worker_config){.sessions = 64,
		.seed = 1,
		.buffers = &buffer_ops,
		.events = {.ctx = b, .decided = decided}});
	packet_init(&desc);
	desc.eth_dst = MAC_A;
	desc.proto = 17;
	desc.dport = 80;
	packet_build(&desc, &b->frame);
	add(b, 0, MAC_A);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	tn_worker_free(b->worker);
	tn_switch_free(b->sw);
	free(b->fwd);
	free(b);
	return 0;
}

/* The frame to MAC_A comes, and is sent on. Was it decided, though a session was there? */
static bool stale(struct bed *b)
{
	uint8_t data[PACKET_MAX];
	struct tn_packet p = {.data = data, .len = b->frame.view.len};
	struct tn_worker_stats before, after;
	unsigned sent = b->sent;

	memcpy(data, b->frame.view.data, p.len);
	tn_worker_stats(b->worker, &before);
	tn_worker_burst(b->worker, b->fwd, 0, &p, 1, b->now_ns);
	tn_worker_flush(b->worker, b->fwd);
	assert_int_equal(b->sent, sent + 1);
	tn_worker_stats(b->worker, &after);
	assert_int_equal(after.misses - before.misses + after.hits - before.hits, 1);
	return after.stale != before.stale;
}

static void test_other_values(void **state)
{
	struct bed *b = *state;
	struct tn_flow_mod fm = to_mac(0, OTHER);

	assert_false(stale(b));
	add(b, 0, OTHER);
	assert_false(stale(b));
	fm.command = TN_FLOW_DELETE_STRICT;
	commit_flow(b, &fm);
	assert_false(stale(b));
	fm = to_mac(0, MAC_A);
	fm.command = TN_FLOW_MODIFY_STRICT;
	commit_flow(b, &fm);
	assert_true(stale(b));
	assert_false(stale(b));
}

/* The session's key does not tell the ports, so the flow may be for its packets. */
static void test_members_that_keys_lack(void **state)
{
	struct bed *b = *state;
	struct tn_flow_mod fm = to_mac(0, MAC_A);

	assert_false(stale(b));
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, 17);
	tn_match_set_exact(&fm.match, TN_FIELD_UDP_DST, 81);
	fm.priority = 20;
	commit_flow(b, &fm);
	assert_true(stale(b));
	/* From now on they do. */
	fm.priority = 21;
	commit_flow(b, &fm);
	assert_false(stale(b));
}

static void test_other_tables(void **state)
{
	struct bed *b = *state;

	assert_false(stale(b));
	add(b, 5, MAC_A);
	assert_false(stale(b));
}

/* What a table sees after a SET_FIELD is not what the key says. */
static void test_altered_packets(void **state)
{
	struct bed *b = *state;
	struct tn_flow_mod fm = to_mac(0, MAC_A);
	const struct tn_action set = {.type = TN_ACTION_SET_FIELD,
		.field = TN_FIELD_ETH_DST,
		.set = {.value = MAC_B, .mask = tn_field_ones(TN_FIELD_ETH_DST)}};

	add(b, 1, MAC_B);
	fm.inst.apply = &set;
	fm.inst.goto_table = 1;
	commit_flow(b, &fm);
	assert_false(stale(b));
	fm = to_mac(1, MAC_B);
	fm.command = TN_FLOW_MODIFY_STRICT;
	commit_flow(b, &fm);
	assert_true(stale(b));
	add(b, 0, OTHER);
	assert_false(stale(b));
}

/* Larger bundles, and more of them than are remembered, are taken to concern everyone. */
static void test_many_changes(void **state)
{
	struct bed *b = *state;
	struct tn_flow_mod fms[100];
	struct tn_mod mods[100];

	assert_false(stale(b));
	for (unsigned i = 0; i < 100; i++) {
		fms[i] = to_mac(0, OTHER + i);
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &fms[i]};
	}
	for (unsigned i = 0; i < 8; i++)
		commit(b, &mods[i], 1);
	assert_false(stale(b));
	for (unsigned i = 8; i < 50; i++)
		commit(b, &mods[i], 1);
	assert_true(stale(b));
	commit(b, &mods[50], 50);
	assert_true(stale(b));
	assert_false(stale(b));
}

/* With every packet, as long as somebody else may have it; else now and then. */
static void test_told(void **state)
{
	struct bed *b = *state;

	assert_false(stale(b));
	assert_int_equal(b->told, 0);
	b->fwd->ports[0].tells = true;
	for (unsigned i = 1; i <= 3; i++) {
		assert_false(stale(b));
		assert_int_equal(b->told, i);
	}
	b->in_vain = true;
	b->told = 0;
	for (unsigned i = 0; i < 1000; i++) { /* a millisecond apart: one second */
		b->now_ns += 1000000;
		assert_false(stale(b));
	}
	assert_in_range(b->told, 14, 16);
	/* decided anew it is told at once, and always if it is for somebody now */
	add(b, 0, MAC_A);
	b->in_vain = false;
	b->told = 0;
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(stale(b), i == 1);
		assert_int_equal(b->told, i);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(other_values),
		TEST(members_that_keys_lack),
		TEST(other_tables),
		TEST(altered_packets),
		TEST(many_changes),
		TEST(told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
