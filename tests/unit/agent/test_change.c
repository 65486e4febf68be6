/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes without a state folder: made, published once a flush, answered in order. */
#include "dataplane/agent/change.h"

#include "dataplane/pipeline/snapshot.h"
#include "tests/unit/agent/agent_fixture.h"

#define RECEIPTS_MAX 256u

static struct tn_changes *changes;

static struct {
	uint64_t id[RECEIPTS_MAX];
	struct tn_api_receipt receipt[RECEIPTS_MAX];
	unsigned n;
} got;

static void on_receipt(void *ctx, uint64_t request_id, const struct tn_api_receipt *receipt)
{
	(void)ctx;
	assert_true(got.n < RECEIPTS_MAX);
	got.id[got.n] = request_id;
	got.receipt[got.n++] = *receipt;
}

static int setup_changes(void **state)
{
	struct tn_error err;

	setup(state);
	changes = tn_changes_new(bed.agent, NULL, &err);
	assert_non_null(changes);
	assert_false(tn_changes_recovered(changes));
	memset(&got, 0, sizeof(got));
	return 0;
}

static int teardown_changes(void **state)
{
	tn_changes_free(changes);
	return teardown(state);
}

static void submit_flow(uint64_t id, const struct tn_flow_mod *fm)
{
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = fm};
	const struct tn_api_message m = {
		.type = TN_API_BUNDLE, .request_id = id, .bundle = {.mods = &mod, .n_mods = 1}};

	tn_changes_submit(changes, &m, on_receipt, &got);
}

static void submit(const struct tn_api_message *m)
{
	tn_changes_submit(changes, m, on_receipt, &got);
}

static bool one_came(struct bed *b)
{
	return collect(2) + b->collected[2] >= 1;
}

static void test_one_flush_for_many(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	const struct tn_agent_forwarding *before = bed.agent->forwarding;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		fm.priority = (uint16_t)(i + 1);
		submit_flow(100 + i, &fm);
	}
	assert_int_equal(got.n, 0);
	assert_ptr_equal(bed.agent->forwarding, before);
	tn_changes_flush(changes);
	assert_int_equal(got.n, 200);
	for (unsigned i = 0; i < got.n; i++) {
		assert_int_equal(got.id[i], 100 + i);
		assert_int_equal(got.receipt[i].version, got.receipt[0].version + i);
	}
	assert_int_equal(tn_switch_snapshot(bed.agent->sw)->version, got.receipt[199].version);
	assert_ptr_equal(bed.agent->forwarding->fwd.snapshot, tn_switch_snapshot(bed.agent->sw));
	assert_true(inject(driver(1), 2, 1, 0));
	run_until(one_came);
}

static void test_refused_at_once(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod good = flow_to(1, &out), bad = good;
	const struct tn_mod mods[] = {
		{.kind = TN_MOD_FLOW, .flow = &good}, {.kind = TN_MOD_FLOW, .flow = &bad}};
	struct tn_api_message m = {
		.type = TN_API_BUNDLE, .request_id = 7, .bundle = {.mods = mods, .n_mods = 2}};

	(void)state;
	bad.flags = 0x8000;
	submit(&m);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.id[0], 7);
	assert_int_equal(got.receipt[0].version, 0);
	assert_int_equal(got.receipt[0].position, 1);
	assert_int_equal(got.receipt[0].error.of, TN_OFPFMFC_BAD_FLAGS);
	assert_int_equal(tn_switch_flow_count(bed.agent->sw), 0);
	m = (struct tn_api_message){.type = TN_API_DUMP, .request_id = 8};
	submit(&m);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.receipt[1].version, 0);
	tn_changes_flush(changes);
	assert_int_equal(got.n, 2);
}

static void test_ports_tables_underlay(void **state)
{
	const struct tn_underlay_address address = {
		.address = 1, .prefix_len = 128, .port = 9, .mac = {{2, 0, 0, 0, 0, 9}}};
	struct tn_api_message m[] = {
		{.type = TN_API_PORT_ADD,
			.port_add = {.number = 9, .name = "p9", .type = "memory", .enabled = true}},
		{.type = TN_API_PORT_CONFIGURE, .port_configure = {.number = 9}},
		{.type = TN_API_TABLE_CONFIGURE,
			.table_configure = {.table_id = 3, .config = {.max_entries = 5}}},
		{.type = TN_API_UNDERLAY, .underlay = {.addresses = &address, .n_addresses = 1}},
		{.type = TN_API_UNDERLAY},
		{.type = TN_API_TABLE_CONFIGURE, .table_configure = {.table_id = 3}},
		{.type = TN_API_PORT_REMOVE, .port_remove = 9},
	};
	const unsigned n = sizeof(m) / sizeof(m[0]);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		m[i].request_id = i + 1;
		submit(&m[i]);
		if (i == 0)
			assert_non_null(driver(9));
	}
	m[n - 1].request_id = 99; /* it is gone */
	submit(&m[n - 1]);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.receipt[0].version, 0);
	tn_changes_flush(changes);
	assert_int_equal(got.n, n + 1);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(got.id[i + 1], i + 1);
		assert_true(got.receipt[i + 1].version > 0);
	}
}

static void test_forgotten(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);

	(void)state;
	submit_flow(1, &fm);
	tn_changes_forget(changes, &got);
	submit_flow(2, &fm);
	tn_changes_flush(changes);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.id[0], 2);
}

/* Who gets a receipt goes on at once. */
static void next_one(void *ctx, uint64_t request_id, const struct tn_api_receipt *receipt)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	const struct tn_api_message m = {.type = TN_API_BUNDLE,
		.request_id = request_id + 1,
		.bundle = {.mods = &mod, .n_mods = 1}};

	on_receipt(ctx, request_id, receipt);
	if (request_id == 10)
		return;
	tn_changes_submit(changes, &m, next_one, ctx);
	tn_changes_flush(changes);
}

static void test_receiver_submits(void **state)
{
	const struct tn_api_message m = {.type = TN_API_BUNDLE, .request_id = 1};

	(void)state;
	tn_changes_submit(changes, &m, next_one, &got);
	tn_changes_flush(changes);
	assert_int_equal(got.n, 10);
	for (unsigned i = 0; i < got.n; i++) {
		assert_int_equal(got.id[i], i + 1);
		assert_true(got.receipt[i].version > 0);
	}
}

/* The end is an answer too. */
static void test_free_gives_receipts(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);

	(void)state;
	submit_flow(5, &fm);
	tn_changes_free(changes);
	changes = NULL;
	assert_int_equal(got.n, 1);
	assert_true(got.receipt[0].version > 0);
}

static char folder[] = "/tmp/tn-change-XXXXXX";
static unsigned in_force_first;

static void on_in_force(void *ctx, uint64_t request_id, const struct tn_api_receipt *receipt)
{
	(void)ctx;
	assert_int_equal(request_id, 7);
	assert_true(receipt->version > 0);
	in_force_first += got.n == 0;
}

static bool kept(struct bed *b)
{
	(void)b;
	return got.n > 0;
}

/* What is in force may be told before it is kept; then it comes first. */
static void test_in_force_is_told(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	const struct tn_api_message m = {
		.type = TN_API_BUNDLE, .request_id = 7, .bundle = {.mods = &mod, .n_mods = 1}};
	struct tn_error err;
	char command[64];

	(void)state;
	/* Nothing is kept: there is nothing to wait for. */
	tn_changes_submit_early(changes, &m, on_in_force, on_receipt, &got);
	tn_changes_flush(changes);
	assert_int_equal(got.n, 1);
	assert_int_equal(in_force_first, 0);
	tn_changes_free(changes);

	assert_non_null(mkdtemp(folder));
	changes = tn_changes_new(bed.agent, folder, &err);
	assert_non_null(changes);
	got.n = 0;
	/* Held, it does not reach the disk however fast that is. */
	tn_changes_hold(changes);
	tn_changes_submit_early(changes, &m, on_in_force, on_receipt, &got);
	tn_changes_flush(changes);
	assert_int_equal(in_force_first, 1);
	assert_int_equal(got.n, 0);
	tn_changes_release(changes);
	tn_changes_flush(changes);
	run_until(kept);
	assert_int_equal(in_force_first, 1);
	assert_int_equal(got.n, 1);
	assert_true(got.receipt[0].version > 0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_changes, teardown_changes)
	const struct CMUnitTest tests[] = {
		TEST(test_one_flush_for_many),
		TEST(test_refused_at_once),
		TEST(test_ports_tables_underlay),
		TEST(test_forgotten),
		TEST(test_receiver_submits),
		TEST(test_free_gives_receipts),
		TEST(test_in_force_is_told),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
