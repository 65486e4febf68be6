/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/ends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each pair has its number, in either order another, until there are no more. */
static void test_numbers_stay(void **state)
{
	struct tn_ends *e = tn_ends_new();

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < TN_ENDS_MAX; i++)
			assert_int_equal(
				tn_ends_number(e, tn_u128_from_ip4(i / 2), (tn_u128)(i % 2) << 64),
				i + 1);
		assert_int_equal(tn_ends_number(e, 1, 2), 0);
	}
	tn_ends_free(e);
	e = tn_ends_new();
	assert_int_equal(tn_ends_number(e, 1, 2), 1);
	assert_int_equal(tn_ends_number(e, 2, 1), 2);
	assert_int_equal(tn_ends_number(e, 1, 2), 1);
	tn_ends_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
