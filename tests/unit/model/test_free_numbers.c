/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/free_numbers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check(uint32_t first, const uint32_t *taken, size_t n, const char *given)
{
	struct tn_free_numbers f;

	tn_free_numbers_init(&f, n, first);
	for (size_t i = 0; i < n; i++)
		tn_free_numbers_take(&f, taken[i]);
	tn_free_numbers_sort(&f);
	for (; *given; given++)
		assert_int_equal(tn_free_numbers_give(&f), *given - '0');
	tn_free_numbers_fini(&f);
}

static void test_lowest_first(void **state)
{
	(void)state;
	check(0, NULL, 0, "012");
	check(1, NULL, 0, "123");
	check(0, (const uint32_t[]){3, 0, 1}, 3, "2456");
	check(0, (const uint32_t[]){1, 1, 2, UINT32_MAX}, 4, "0345");
	check(2, (const uint32_t[]){0, 1, 2, 4}, 4, "356");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lowest_first)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
