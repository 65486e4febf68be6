/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/accounting.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void counts_each_place_apart(void **state)
{
	struct tn_account a;
	uint64_t packets = 0;

	(void)state;
	tn_account_init(&a);
	/* More places than the first table holds, twice each, the second time in reverse. */
	for (unsigned i = 0; i < 10000; i++) {
		unsigned n = i < 5000 ? i : 9999 - i;
		struct tn_drop_place place = {.reason = (uint8_t)(1 + n % 3),
			.in_port = n % 7,
			.out_port = n % 2,
			.table = (uint8_t)(n % 5),
			.flow_id = n};

		tn_account_drop(&a, &place, 60);
	}
	assert_int_equal(a.dropped, 10000);
	assert_int_equal(a.n_rows, 5001);
	tn_account_sort(&a);
	for (uint32_t i = 1; i < a.n_rows; i++) {
		assert_int_equal(a.rows[i].counter.packets, 2);
		assert_int_equal(a.rows[i].counter.bytes, 120);
		assert_true(a.rows[i].place.reason >= a.rows[i - 1].place.reason);
	}
	for (unsigned r = 0; r < TN_DROP_COUNT; r++)
		packets += a.reasons[r].packets;
	assert_int_equal(packets, 10000);
	tn_account_fini(&a);
}

static void keeps_counting_when_there_are_too_many_places(void **state)
{
	struct tn_account a;

	(void)state;
	tn_account_init(&a);
	for (unsigned i = 0; i < TN_DROP_ROWS_MAX + 50; i++) {
		struct tn_drop_place place = {.reason = TN_DROP_MTU, .flow_id = i + 1};

		tn_account_drop(&a, &place, 1);
	}
	assert_int_equal(a.n_rows, TN_DROP_ROWS_MAX);
	assert_int_equal(a.reasons[TN_DROP_MTU].packets, TN_DROP_ROWS_MAX + 50);
	assert_int_equal(a.rows[0].counter.packets, 51);
	tn_account_fini(&a);
}

static void finds_a_packet_that_is_missing(void **state)
{
	struct tn_account a;

	(void)state;
	tn_account_init(&a);
	a.received = 10;
	a.generated = 1;
	a.copies = 5;
	a.sent = 9;
	a.consumed = 3;
	a.dropped = 4;
	assert_true(tn_account_balances(&a));
	a.sent--;
	assert_false(tn_account_balances(&a));
	tn_account_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_each_place_apart),
		cmocka_unit_test(keeps_counting_when_there_are_too_many_places),
		cmocka_unit_test(finds_a_packet_that_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
