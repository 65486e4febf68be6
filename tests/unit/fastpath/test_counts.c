/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define IDS 20000u

struct sink {
	uint64_t packets[IDS + 1], bytes[IDS + 1], lookups, matches;
	bool refuse;
	unsigned calls;
};

static bool on_count(void *ctx, const struct tn_count *count)
{
	struct sink *s = ctx;

	if (s->refuse)
		return false;
	s->calls++;
	s->packets[count->id] += count->packets;
	s->bytes[count->id] += count->bytes;
	s->lookups += count->lookups;
	s->matches += count->matches;
	return true;
}

static void count(struct tn_counts *c, uint64_t id, uint8_t table, bool no_packets)
{
	const struct tn_op op = {.type = TN_OP_COUNT,
		.table = table,
		.count = {.id = id, .lookup = 1, .no_packets = no_packets}};

	tn_counts_add(c, &op, 60, 1);
}

/* More identities than places: nothing is lost, what is in the way is told. */
static void test_every_count_comes(void **state)
{
	struct sink *s = calloc(1, sizeof(*s));
	struct tn_counts *c = tn_counts_new(on_count, s);

	(void)state;
	for (unsigned round = 1; round <= 3; round++) {
		for (uint64_t id = 0; id <= IDS; id++)
			count(c, id, (uint8_t)(id % 3), false);
		tn_counts_sweep(c, 100);
	}
	tn_counts_free(c);
	for (uint64_t id = 0; id <= IDS; id++) {
		assert_int_equal(s->packets[id], 3);
		assert_int_equal(s->bytes[id], 180);
	}
	assert_int_equal(s->lookups, 3 * (IDS + 1));
	assert_int_equal(s->matches, 3 * IDS);
	free(s);
}

static void test_sums_until_it_is_told(void **state)
{
	struct sink *s = calloc(1, sizeof(*s));
	struct tn_counts *c = tn_counts_new(on_count, s);

	(void)state;
	s->refuse = true;
	for (unsigned i = 0; i < 100; i++)
		count(c, 7, 0, i % 2);
	tn_counts_sweep(c, 10);
	assert_int_equal(s->calls, 0);
	s->refuse = false;
	tn_counts_sweep(c, 10);
	tn_counts_sweep(c, 10);
	assert_int_equal(s->calls, 1);
	assert_int_equal(s->packets[7], 50);
	assert_int_equal(s->bytes[7], 6000);
	tn_counts_free(c);
	assert_int_equal(s->calls, 1);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_count_comes),
		cmocka_unit_test(test_sums_until_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
