/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/defer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct tn_defer *defer;
static int called[10];
static int n_called;

static void note(void *p)
{
	called[n_called++] = *(int *)p;
}

static void add_another(void *p)
{
	note(p);
	tn_defer_add(defer, p, note);
}

static void test_order_and_grace(void **state)
{
	int numbers[] = {1, 2, 3};

	(void)state;
	defer = tn_defer_new();
	n_called = 0;
	tn_defer_run(defer);
	tn_defer_add(defer, &numbers[0], note);
	tn_defer_add(defer, &numbers[1], add_another);
	tn_defer_add(defer, &numbers[2], note);
	assert_int_equal(n_called, 0);
	assert_int_equal(tn_defer_pending(defer), 3);
	tn_defer_run(defer);
	/* What a callback adds waits for a grace period of its own. */
	assert_int_equal(n_called, 3);
	assert_int_equal(called[0], 1);
	assert_int_equal(called[1], 2);
	assert_int_equal(called[2], 3);
	assert_int_equal(tn_defer_pending(defer), 1);
	tn_defer_run(defer);
	assert_int_equal(n_called, 4);
	assert_int_equal(called[3], 2);
	assert_int_equal(tn_defer_pending(defer), 0);
	tn_defer_free(defer);
}

static void test_free_runs_all(void **state)
{
	int number = 7;

	(void)state;
	defer = tn_defer_new();
	n_called = 0;
	tn_defer_add(defer, &number, add_another);
	tn_defer_free(defer);
	assert_int_equal(n_called, 2);
	tn_defer_free(NULL);
}

static void test_many(void **state)
{
	int round, i;

	(void)state;
	defer = tn_defer_new();
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 100000; i++)
			tn_defer_add(defer, malloc(8), free);
		assert_int_equal(tn_defer_pending(defer), 100000);
		tn_defer_run(defer);
		assert_int_equal(tn_defer_pending(defer), 0);
	}
	tn_defer_add(defer, malloc(8), free);
	tn_defer_free(defer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_grace),
		cmocka_unit_test(test_free_runs_all),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
