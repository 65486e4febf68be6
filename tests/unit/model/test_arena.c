/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "control/model/arena.h"

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Of a reading only its result is kept, and what is given out afterwards is zero as always. */
static void test_only_the_result_is_kept(void **state)
{
	uint8_t expected[100], *results[2000];
	struct tn_arena a;
	struct tn_arena_mark begin;
	uint8_t *first, *last;

	(void)state;
	tn_arena_init(&a);
	memset(tn_arena_alloc(&a, 64), 1, 64);
	begin = tn_arena_mark(&a);
	first = tn_arena_alloc(&a, 16);
	for (unsigned i = 0; i < 2000; i++) {
		struct tn_arena_mark mark = tn_arena_mark(&a);
		size_t size = 1 + i % sizeof(expected);

		memset(tn_arena_alloc(&a, 300), 0xff, 300);
		results[i] = tn_arena_alloc(&a, size);
		memset(results[i], (int)(i & 255), size);
		results[i] = tn_arena_keep(&a, mark, results[i], size);
		last = tn_arena_alloc(&a, 400);
		assert_true(is_zero(last, 400));
		(void)tn_arena_keep(&a, mark, results[i], size);
	}
	for (unsigned i = 0; i < 2000; i++) {
		size_t size = 1 + i % sizeof(expected);

		memset(expected, (int)(i & 255), size);
		assert_memory_equal(results[i], expected, size);
	}
	assert_true(is_zero(first, 16));
	/* Another chunk was begun in between: nothing moves. */
	assert_ptr_equal(tn_arena_keep(&a, begin, first, 16), first);
	tn_arena_fini(&a);
}

/* Before the first chunk, too. */
static void test_mark_of_an_empty_arena(void **state)
{
	struct tn_arena_mark mark;
	struct tn_arena a;
	char *text;

	(void)state;
	tn_arena_init(&a);
	mark = tn_arena_mark(&a);
	text = tn_arena_keep(&a, mark, tn_arena_strdup(&a, "kept"), 5);
	assert_string_equal(text, "kept");
	tn_arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_result_is_kept),
		cmocka_unit_test(test_mark_of_an_empty_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
