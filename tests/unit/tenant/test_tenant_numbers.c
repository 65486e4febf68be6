/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/tenant/numbers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_lowest_free(void **state)
{
	struct tn_numbers *n = tn_numbers_new();

	(void)state;
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_PORT, "a"), 1);
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_PORT, "b"), 2);
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_PORT, "a"), 1);
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_ROUTER, "b"), 1);
	assert_int_equal(tn_numbers_find(n, TN_NUMBER_ROUTER, "a"), 0);
	tn_numbers_settle(n);
	tn_numbers_give_back(n, TN_NUMBER_PORT, 1);
	assert_int_equal(tn_numbers_find(n, TN_NUMBER_PORT, "a"), 0);
	/* Not before it is settled. */
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_PORT, "c"), 3);
	tn_numbers_settle(n);
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_PORT, "d"), 1);
	tn_numbers_free(n);
}

static void write_change(void *ctx, enum tn_number_space space, const char *name, uint32_t number)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%d %s %u;", space, name, number);
}

static void test_changes_and_revert(void **state)
{
	struct tn_numbers *n = tn_numbers_new();
	char text[256] = "";

	(void)state;
	assert_int_equal(tn_numbers_restore(n, TN_NUMBER_PORT, "kept", 5), 0);
	assert_int_equal(tn_numbers_restore(n, TN_NUMBER_PORT, "kept", 6), -EEXIST);
	assert_int_equal(tn_numbers_restore(n, TN_NUMBER_PORT, "other", 5), -EEXIST);
	assert_int_equal(tn_numbers_restore(n, TN_NUMBER_PORT, "other", 0), -EINVAL);
	assert_int_equal(tn_numbers_restore(n, TN_NUMBER_PORT, "other", 1u << 24), -EINVAL);
	tn_numbers_changes(n, write_change, text);
	assert_string_equal(text, "");
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_PORT, "new"), 1);
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_PORT, "passing"), 2);
	tn_numbers_give_back(n, TN_NUMBER_PORT, 2);
	tn_numbers_give_back(n, TN_NUMBER_PORT, 5);
	tn_numbers_give_back(n, TN_NUMBER_PORT, 77);
	tn_numbers_changes(n, write_change, text);
	assert_string_equal(text, "0 new 1;0 kept 0;");
	tn_numbers_revert(n);
	text[0] = '\0';
	tn_numbers_changes(n, write_change, text);
	tn_numbers_all(n, write_change, text);
	assert_string_equal(text, "0 kept 5;");
	/* Given back and taken again is nothing new. */
	tn_numbers_give_back(n, TN_NUMBER_PORT, 5);
	assert_int_equal(tn_numbers_take(n, TN_NUMBER_PORT, "kept"), 5);
	text[0] = '\0';
	tn_numbers_changes(n, write_change, text);
	assert_string_equal(text, "");
	tn_numbers_settle(n);
	assert_int_equal(tn_numbers_find(n, TN_NUMBER_PORT, "kept"), 5);
	tn_numbers_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lowest_free),
		cmocka_unit_test(test_changes_and_revert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
