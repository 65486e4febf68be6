/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/learning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static struct tn_learnt address(uint32_t n, uint32_t port, uint32_t network)
{
	return (struct tn_learnt){
		.mac = {{2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
			(uint8_t)n}},
		.in_port = port,
		.network = network,
	};
}

static void test_once_a_second(void **state)
{
	struct tn_learning *l = tn_learning_new();
	struct tn_learnt a = address(1, 5, 7);

	(void)state;
	assert_true(tn_learning_tells(l, &a, 0, 10 * SECOND));
	assert_false(tn_learning_tells(l, &a, 0, 11 * SECOND - 1));
	assert_true(tn_learning_tells(l, &a, 0, 11 * SECOND));
	/* Elsewhere it is another matter. */
	a.in_port = 6;
	assert_true(tn_learning_tells(l, &a, 0, 11 * SECOND));
	a.tunnel = 9;
	assert_true(tn_learning_tells(l, &a, 0, 11 * SECOND));
	a.network = 8;
	assert_true(tn_learning_tells(l, &a, 0, 11 * SECOND));
	tn_learning_free(l);
}

/* Who comes back is told of at once, though it was there a moment ago. */
static void test_again_when_things_changed(void **state)
{
	struct tn_learning *l = tn_learning_new();
	struct tn_learnt here = address(1, 5, 7), late = here;

	(void)state;
	late.late = true;
	assert_true(tn_learning_tells(l, &here, 1, 10 * SECOND));
	assert_false(tn_learning_tells(l, &here, 1, 10 * SECOND));
	assert_false(tn_learning_tells(l, &late, 1, 10 * SECOND));
	/* It went elsewhere, as another worker told. */
	assert_true(tn_learning_tells(l, &here, 2, 10 * SECOND));
	assert_false(tn_learning_tells(l, &here, 2, 10 * SECOND));
	/* What is told late may not have been believed. */
	assert_true(tn_learning_tells(l, &late, 3, 10 * SECOND));
	assert_true(tn_learning_tells(l, &here, 3, 10 * SECOND));
	tn_learning_free(l);
}

/* Who makes up addresses has so many in one go and a second; others have theirs. */
static void test_storms_are_bounded(void **state)
{
	struct tn_learning *l = tn_learning_new();
	unsigned told = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		struct tn_learnt a = address(i, 5, 7);

		told += tn_learning_tells(l, &a, 0, 10 * SECOND);
	}
	assert_int_equal(told, TN_LEARNING_BURST);
	for (uint32_t i = 0; i < 100000; i++) {
		struct tn_learnt a = address(i, 5, 7);

		told += tn_learning_tells(l, &a, 0, 10 * SECOND + i * (SECOND / 100000));
	}
	assert_in_range(told, TN_LEARNING_BURST + TN_LEARNING_RATE - 2,
		TN_LEARNING_BURST + TN_LEARNING_RATE + 2);
	for (uint32_t port = 6; port < 12; port++) {
		struct tn_learnt a = address(1, port, 7), b = address(2, 5, port);

		assert_true(tn_learning_tells(l, &a, 0, 11 * SECOND));
		assert_true(tn_learning_tells(l, &b, 0, 11 * SECOND) || port == 7);
	}
	tn_learning_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_a_second),
		cmocka_unit_test(test_again_when_things_changed),
		cmocka_unit_test(test_storms_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
