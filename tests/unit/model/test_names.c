/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "control/model/arena.h"
#include "control/model/diagnostics.h"

static void strings_have_stable_numbers(void **state)
{
	struct tn_names *n = tn_names_new();
	char s[600];
	uint32_t i;

	(void)state;
	assert_int_equal(tn_names_intern(n, ""), 0);
	for (i = 1; i <= 5000; i++) {
		snprintf(s, sizeof(s), "client-%u", i);
		assert_int_equal(tn_names_intern(n, s), i);
	}
	assert_int_equal(tn_names_intern(n, "client-77"), 77);
	assert_string_equal(tn_names_string(n, 77), "client-77");
	assert_string_equal(tn_names_string(n, 0), "");
	assert_string_equal(tn_names_string(n, 999999), "");
	memset(s, 'x', sizeof(s) - 1);
	s[sizeof(s) - 1] = '\0';
	assert_int_equal(tn_names_intern(n, s), 5001);
	assert_int_equal(tn_names_intern(n, s), 5001);
	tn_names_free(n);
	tn_names_free(NULL);
}

static void ports_and_tables_have_one_name_each(void **state)
{
	struct tn_names *n = tn_names_new();

	(void)state;
	assert_int_equal(tn_names_add_port(n, "tap7", 7), 0);
	assert_int_equal(tn_names_add_port(n, "tap7", 8), -EEXIST);
	assert_int_equal(tn_names_add_port(n, "tap8", 7), -EEXIST);
	assert_int_equal(tn_names_add_port(n, "uplink", 1), 0);
	assert_int_equal(tn_names_port_by_name(n, "tap7"), 7);
	assert_int_equal(tn_names_port_by_name(n, "Tap7"), 0);
	assert_string_equal(tn_names_port_name(n, 1), "uplink");
	assert_null(tn_names_port_name(n, 2));
	assert_string_equal(tn_names_nearest_port(n, "upilnk"), "uplink");
	assert_string_equal(tn_names_nearest_port(n, "TAP7"), "tap7");
	assert_null(tn_names_nearest_port(n, "loopback"));

	assert_int_equal(tn_names_add_table(n, "ingress", 0), 0);
	assert_int_equal(tn_names_add_table(n, "ingress", 1), -EEXIST);
	assert_int_equal(tn_names_add_table(n, "acl", 0), -EEXIST);
	assert_int_equal(tn_names_table_by_name(n, "ingress"), 0);
	assert_int_equal(tn_names_table_by_name(n, "acl"), -1);
	assert_string_equal(tn_names_table_name(n, 0), "ingress");
	assert_null(tn_names_table_name(n, 255));
	assert_string_equal(tn_names_nearest_table(n, "igress"), "ingress");
	assert_null(tn_names_nearest_table(n, "acl"));
	tn_names_free(n);
}

static void distance_counts_edits_twice(void **state)
{
	(void)state;
	assert_int_equal(tn_names_distance("abc", "abc", 2), 0);
	assert_int_equal(tn_names_distance("abc", "Abc", 2), 1);
	assert_int_equal(tn_names_distance("abc", "abd", 2), 2);
	assert_int_equal(tn_names_distance("abc", "acb", 2), 2);
	assert_int_equal(tn_names_distance("abc", "ab", 2), 2);
	assert_true(tn_names_distance("abc", "abcdef", 2) > 4);
	assert_int_equal(tn_names_distance("", "ab", 2), 4);
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 5000, 1u << 20, 3u << 20, 7};
	struct tn_arena a;
	size_t i, j, k;

	(void)state;
	tn_arena_init(&a);
	for (k = 0; k < 50; k++)
		for (i = 0; i < TN_ARRAY_SIZE(sizes); i++) {
			uint8_t *p = tn_arena_alloc(&a, sizes[i]);

			assert_int_equal((uintptr_t)p % 16, 0);
			for (j = 0; j < sizes[i]; j += 1 + sizes[i] / 64)
				assert_int_equal(p[j], 0);
			if (sizes[i])
				memset(p, 0xff, sizes[i]);
		}
	assert_string_equal(tn_arena_strdup(&a, "tenant"), "tenant");
	tn_arena_fini(&a);
	tn_arena_fini(&a);
}

static void diagnostics_stop_at_their_limit(void **state)
{
	struct tn_diagnostics d;
	size_t i;

	(void)state;
	tn_diagnostics_init(&d);
	for (i = 0; i < TN_DIAGNOSTICS_MAX + 5; i++)
		tn_diagnostics_add(&d, i ? "/flows" : NULL, 1, 2, TN_OFPBMC_BAD_VALUE, "n %zu", i);
	assert_int_equal(d.n, TN_DIAGNOSTICS_MAX);
	assert_int_equal(d.dropped, 5);
	assert_null(d.list[0].pointer);
	assert_string_equal(d.list[7].pointer, "/flows");
	assert_string_equal(d.list[7].detail, "n 7");
	assert_int_equal(d.list[7].of, TN_OFPBMC_BAD_VALUE);
	tn_diagnostics_fini(&d);
	assert_int_equal(d.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_have_stable_numbers),
		cmocka_unit_test(ports_and_tables_have_one_name_each),
		cmocka_unit_test(distance_counts_edits_twice),
		cmocka_unit_test(arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(diagnostics_stop_at_their_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
