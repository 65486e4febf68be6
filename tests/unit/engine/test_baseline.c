/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/engine/baseline.h"

static struct tn_counter since(struct tn_baseline *b, uint64_t id, uint64_t packets)
{
	return tn_baseline_since(
		b, TN_COUNTED_FLOW, id, (struct tn_counter){packets, packets * 100});
}

static void take(void *ctx, enum tn_counted what, uint64_t id, struct tn_counter base)
{
	tn_baseline_set(ctx, what, id, base);
}

static void reset(struct tn_baseline *b, uint64_t id, uint64_t packets)
{
	struct tn_baseline next = {0};

	b->next = &next;
	(void)since(b, id, packets);
	b->next = NULL;
	tn_baseline_scan_all(&next, take, b);
	tn_baseline_clear(&next);
}

static void test_counts_from_the_reset(void **state)
{
	struct tn_baseline b = {0};

	(void)state;
	assert_int_equal(since(&b, 7, 10).packets, 10);
	reset(&b, 7, 10);
	assert_int_equal(since(&b, 7, 10).packets, 0);
	assert_int_equal(since(&b, 7, 13).packets, 3);
	assert_int_equal(since(&b, 7, 13).bytes, 300);
	/* Others were not there then, or are of another kind. */
	assert_int_equal(since(&b, 8, 5).packets, 5);
	assert_int_equal(tn_baseline_since_one(&b, TN_COUNTED_TABLE, 7, 5), 5);
	reset(&b, 7, 20);
	assert_int_equal(since(&b, 7, 21).packets, 1);
	tn_baseline_clear(&b);
	assert_int_equal(since(&b, 7, 21).packets, 21);
}

/* The switch, or the flow in it, is another one. */
static void test_what_began_anew(void **state)
{
	struct tn_baseline b = {0};

	(void)state;
	reset(&b, 7, 10);
	assert_false(b.anew);
	assert_int_equal(since(&b, 7, 4).packets, 4);
	assert_true(b.anew);
	assert_int_equal(since(&b, 7, 14).packets, 14);
	tn_baseline_clear(&b);
	assert_false(b.anew);
}

static void test_what_is_gone(void **state)
{
	struct tn_baseline b = {0};

	(void)state;
	for (uint64_t id = 0; id < 10; id++)
		reset(&b, id, 10);
	reset(&b, UINT64_MAX, 10);
	tn_baseline_forget(&b, TN_COUNTED_FLOW, 3, 5);
	for (uint64_t id = 0; id < 10; id++)
		assert_int_equal(since(&b, id, 15).packets, id >= 3 && id <= 5 ? 15 : 5);
	tn_baseline_forget(&b, TN_COUNTED_FLOW, 6, UINT64_MAX);
	assert_int_equal(since(&b, UINT64_MAX, 15).packets, 15);
	assert_int_equal(since(&b, 2, 15).packets, 5);
	tn_baseline_clear(&b);
}

static void count(void *ctx, enum tn_counted what, uint64_t id, struct tn_counter base)
{
	unsigned *n = ctx;

	assert_true(what == TN_COUNTED_FLOW && id == 7 && base.bytes);
	++*n;
}

/* What had counted nothing takes no room. */
static void test_nothing_counted(void **state)
{
	struct tn_baseline b = {0}, next = {0};
	unsigned n = 0;

	(void)state;
	b.next = &next;
	assert_int_equal(since(&b, 7, 10).packets, 10);
	assert_int_equal(since(&b, 8, 10).packets, 10);
	(void)since(&b, 8, 0);
	(void)since(&b, 9, 0);
	tn_baseline_scan_all(&next, count, &n);
	assert_int_equal(n, 1);
	tn_baseline_clear(&next);
	tn_baseline_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_from_the_reset),
		cmocka_unit_test(test_what_began_anew),
		cmocka_unit_test(test_what_is_gone),
		cmocka_unit_test(test_nothing_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
