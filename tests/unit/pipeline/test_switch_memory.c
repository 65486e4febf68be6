/* SPDX-License-Identifier: BSD-3-Clause */
/* Without memory: each allocation on the way fails once, and each time nothing has happened. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

#define FLOW(fm)                                   \
	{                                          \
		.kind = TN_MOD_FLOW, .flow = &(fm) \
	}
#define GROUP(gm)                                    \
	{                                            \
		.kind = TN_MOD_GROUP, .group = &(gm) \
	}
#define METER(mm)                                    \
	{                                            \
		.kind = TN_MOD_METER, .meter = &(mm) \
	}

/* While it counts down to 0, that allocation fails; below 0 none does. */
static long countdown = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(void)
{
	return countdown >= 0 && countdown-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

/* The list of what is freed later cannot fail: give it both its arrays beforehand. */
static void nothing(void *p)
{
	(void)p;
}

static void warm_up(struct fixture *f)
{
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned j = 0; j < 2000; j++)
			tn_defer_add(f->sw->defer, NULL, nothing);
		tn_defer_run(f->sw->defer);
	}
}

/* Tries with one more allocation that works each time; returns how many failed. */
static long until_done(struct fixture *f, const struct tn_mod *mods, size_t n)
{
	for (long k = 0;; k++) {
		char *before = switch_dump(f->sw), *after;
		const char *wrong;
		int rc;

		countdown = k;
		rc = send_mods(f, mods, n);
		countdown = -1;
		if (!rc) {
			free(before);
			return k;
		}
		assert_int_equal(rc, -ENOMEM);
		assert_true(f->failed < n || n == 0);
		assert_true(strlen(f->err.detail) > 10);
		assert_int_equal(f->n_events, 0);
		after = switch_dump(f->sw);
		assert_string_equal(after, before);
		free(after);
		free(before);
		wrong = switch_verify(f->sw);
		if (wrong)
			fail_msg("recount after %ld: %s", k, wrong);
	}
}

static struct tn_flow_mod flow_to(uint64_t cookie, const struct tn_action *action)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, (uint16_t)cookie, 0, 0);

	fm.cookie = cookie;
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	fm.idle_timeout = 9;
	fm.inst.apply = action;
	return fm;
}

static void test_bundle(void **state)
{
	struct fixture *f = *state;
	struct tn_table_config config = {.max_entries = 2, .eviction = true};
	struct tn_action to1 = to_group(1);
	struct tn_bucket b[3] = {bucket(0, &output_1), bucket(1, &to1), bucket(2, &output_1)};
	struct tn_group_mod g1 = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, b, 1);
	struct tn_group_mod g2 = group_mod(TN_GROUP_ADD, 2, TN_GROUP_TYPE_ALL, b, 2);
	struct tn_group_mod change = group_mod(TN_GROUP_MODIFY, 2, TN_GROUP_TYPE_SELECT, b, 3);
	struct tn_group_mod insert = group_mod(TN_GROUP_INSERT_BUCKET, 1, 0, &b[2], 1);
	struct tn_group_mod del = group_mod(TN_GROUP_DELETE, TN_GROUP_ALL, 0, NULL, 0);
	struct tn_meter_mod m = meter_mod(TN_METER_ADD, 1);
	struct tn_meter_mod m_change = meter_mod(TN_METER_MODIFY, 1);
	struct tn_meter_mod m_del = meter_mod(TN_METER_DELETE, TN_METER_ALL);
	struct tn_flow_mod f1 = flow_to(1, &to1), f2 = flow_to(2, &output_1);
	struct tn_flow_mod f3 = flow_to(3, &output_1), gone;
	struct tn_flow_mod modify = flow_mod(TN_FLOW_MODIFY, TN_TABLE_ALL, 0, 0, 0);
	struct tn_mod start[] = {GROUP(g1), GROUP(g2), METER(m), FLOW(f1), FLOW(f2)};
	struct tn_mod bundle[] = {FLOW(f3), FLOW(modify), GROUP(change), GROUP(insert),
		METER(m_change), FLOW(f1), FLOW(gone), METER(m_del), GROUP(del), GROUP(g1)};

	gone = flow_mod(TN_FLOW_DELETE, TN_TABLE_ALL, 0, 0, 0);
	gone.cookie = 3;
	gone.cookie_mask = UINT64_MAX;
	f2.inst.meter_id = 1;
	insert.command_bucket_id = TN_BUCKET_FIRST;
	assert_done(tn_switch_table_configure(f->sw, 0, &config, &f->err));
	warm_up(f);
	assert_true(until_done(f, start, TN_ARRAY_SIZE(start)) > 10);
	warm_up(f);
	assert_true(until_done(f, bundle, TN_ARRAY_SIZE(bundle)) > 20);
	assert_true(f->n_events > 0);
}

static void test_ports(void **state)
{
	struct fixture *f = *state;
	struct tn_port_config_data port = {.number = 1};
	int rc = -ENOMEM;

	warm_up(f);
	for (long k = 0; rc; k++) {
		countdown = k;
		rc = tn_switch_port_add(f->sw, &port, f->now, &f->err);
		countdown = -1;
		assert_true(!rc || rc == -ENOMEM);
		assert_int_equal(f->n_events, rc ? 0 : 1);
	}
}

/* Expiry without memory leaves the flows for the next call. */
static void test_expiry(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod f1 = flow_to(1, &output_1);

	assert_done(send_flow(f, &f1));
	warm_up(f);
	for (long k = 0; tn_switch_flow_count(f->sw); k++) {
		countdown = k;
		tn_switch_expire(f->sw, f->now + 10 * SECOND);
		countdown = -1;
		assert_true(k < 5);
	}
	assert_int_equal(f->n_events, 1);
}

static void test_new(void **state)
{
	struct tn_switch *sw = NULL;
	long k = 0;

	(void)state;
	for (; !sw; k++) {
		countdown = k;
		sw = tn_switch_new(1);
		countdown = -1;
	}
	assert_true(k > 5);
	tn_switch_free(sw);
}

static void refused(void *ctx, size_t position, const struct tn_error *err)
{
	(void)position;
	assert_true(strlen(err->detail) > 10);
	++*(size_t *)ctx;
}

static void test_check_all(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod f1 = flow_to(1, &output_1), f2 = flow_to(2, &output_1);
	struct tn_mod mods[] = {FLOW(f1), FLOW(f2)};
	char *before = switch_dump(f->sw), *after;
	size_t n = 1, said;

	warm_up(f);
	for (long k = 0; n; k++) {
		n = 0;
		countdown = k;
		said = tn_switch_check_all(f->sw, mods, 2, f->now, refused, &n);
		countdown = -1;
		assert_int_equal(said, n);
		after = switch_dump(f->sw);
		assert_string_equal(after, before);
		free(after);
	}
	free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
