/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/random.h"

#define SECOND UINT64_C(1000000000)
#define HOUR   (3600 * SECOND)
#define YEAR   (365 * 24 * HOUR)

static struct tn_meter *new_meter(
	uint32_t flags, const struct tn_band *bands, uint16_t n, uint64_t now)
{
	const struct tn_meter_mod mod = {
		.meter_id = 7, .flags = flags, .owner = 9, .bands = bands, .n_bands = n};
	struct tn_meter *m = malloc(tn_meter_size(n));
	struct tn_error err;

	assert_non_null(m);
	assert_int_equal(tn_meter_check(&mod, &err), 0);
	memset(m, 0x5a, tn_meter_size(n));
	tn_meter_init(m, &mod, now);
	return m;
}

static struct tn_meter *new_drop(uint32_t flags, uint32_t rate, uint32_t burst, uint64_t now)
{
	const struct tn_band band = {.type = TN_BAND_DROP, .rate = rate, .burst = burst};

	return new_meter(flags, &band, 1, now);
}

static enum tn_meter_verdict run(struct tn_meter *m, uint64_t now, uint32_t bytes)
{
	uint8_t prec_level = 0;

	return tn_meter_run(m, now, bytes, &prec_level);
}

/* How many of a row of packets at one time pass. */
static unsigned passed(struct tn_meter *m, uint64_t now, uint32_t bytes, unsigned n)
{
	unsigned count = 0;

	while (n--)
		count += run(m, now, bytes) == TN_METER_PASS;
	return count;
}

static void a_meter_starts_full_and_counts(void **state)
{
	struct tn_meter *m = new_drop(TN_METER_PKTPS, 10, 0, 5);

	(void)state;
	assert_int_equal(m->meter_id, 7);
	assert_int_equal(m->owner, 9);
	assert_int_equal(m->created_ns, 5);
	assert_int_equal(passed(m, 5, 100, 25), 10);
	assert_int_equal(m->counter.packets, 25);
	assert_int_equal(m->counter.bytes, 2500);
	assert_int_equal(m->bands[0].counter.packets, 15);
	assert_int_equal(m->bands[0].counter.bytes, 1500);
	free(m);
}

static void the_bucket_is_the_burst_or_a_second(void **state)
{
	static const struct {
		uint32_t flags, rate, burst, bytes;
		unsigned passed;
	} cases[] = {
		{TN_METER_PKTPS, 100, 0, 60, 100},
		{TN_METER_PKTPS, 100, 7, 60, 100}, /* no BURST: the size means nothing */
		{TN_METER_PKTPS | TN_METER_BURST, 100, 7, 60, 7},
		{TN_METER_PKTPS | TN_METER_BURST, 100, 0, 60, 100},
		{TN_METER_PKTPS, 1, 0, 9000, 1},
		{TN_METER_KBPS, 80, 0, 100, 100}, /* 10000 bytes */
		{TN_METER_KBPS | TN_METER_BURST, 80, 8, 100, 10},
		{TN_METER_KBPS | TN_METER_BURST, 80, 1, 126, 0},
		{TN_METER_KBPS | TN_METER_BURST, 80, 1, 125, 1},
		{TN_METER_KBPS, 1, 0, 1518, 1}, /* a second is 125 bytes: one frame */
		{TN_METER_BYTEPS, 5000, 0, 1000, 5},
		{TN_METER_BYTEPS | TN_METER_BURST | TN_METER_STATS, 5000, 3000, 1000, 3},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		struct tn_meter *m = new_drop(cases[i].flags, cases[i].rate, cases[i].burst, HOUR);

		assert_int_equal(passed(m, HOUR, cases[i].bytes, 200), cases[i].passed);
		free(m);
	}
}

/* Always more packets than the rate: what passes is the rate, to one packet. */
static void expect_rate(uint32_t flags, uint32_t rate, uint32_t bytes, uint64_t step, uint64_t span)
{
	struct tn_meter *m = new_drop(flags, rate, 0, 0);
	uint64_t per_s = flags & TN_METER_KBPS ? (uint64_t)rate * 125 : rate;
	uint64_t cost = flags & TN_METER_PKTPS ? 1 : bytes;
	uint64_t capacity = m->bands[0].capacity;
	uint64_t count = 0, end = 0, wanted;

	for (uint64_t now = 0; now <= span; now += step) {
		count += run(m, now, bytes) == TN_METER_PASS;
		end = now;
	}
	wanted = (capacity + (uint64_t)((tn_u128)per_s * end / SECOND)) / cost;
	/* Near the end: one packet more would have been too many, one less too few. */
	assert_in_range(count, wanted - 1, wanted);
	free(m);
}

static void rates_hold_over_hours(void **state)
{
	(void)state;
	/* A bucket of one packet: full again exactly when one comes. */
	expect_rate(TN_METER_PKTPS, 1, 60, SECOND / 4, 10 * HOUR);
	expect_rate(TN_METER_PKTPS, 7, 60, 99999999, 20 * HOUR);
	expect_rate(TN_METER_PKTPS, 333, 60, 2999999, HOUR);
	expect_rate(TN_METER_PKTPS, 2, 60, 499999937, 1000 * HOUR);
	expect_rate(TN_METER_KBPS, 1, 100, 77777777, 10 * HOUR);
	expect_rate(TN_METER_KBPS, 64, 1514, 33333333, 10 * HOUR);
	expect_rate(TN_METER_BYTEPS, 11, 60, 1234567891, 1000 * HOUR);
	expect_rate(TN_METER_BYTEPS, 1000003, 1500, 1000001, HOUR);
}

static void refills_finer_than_a_token_add_up(void **state)
{
	struct tn_meter *m = new_drop(TN_METER_PKTPS, 1, 0, 0);
	uint64_t count = 0;

	(void)state;
	/* 3 ns steps: each brings 3e-9 of a packet. */
	for (uint64_t i = 0; i < 1000; i++)
		count += run(m, i * 3, 60) == TN_METER_PASS;
	assert_int_equal(count, 1);
	assert_int_equal(m->bands[0].remainder, 999 * 3);
	assert_int_equal(run(m, SECOND - 1, 60), TN_METER_DROP);
	assert_int_equal(run(m, SECOND, 60), TN_METER_PASS);
	free(m);
}

static void one_refill_is_as_many_small_ones(void **state)
{
	struct random r = {4};

	(void)state;
	for (int round = 0; round < 300; round++) {
		uint32_t rate = 1 + random_below(&r, 100000);
		struct tn_meter *once =
			new_drop(TN_METER_BYTEPS | TN_METER_BURST, rate, 4000000000u, 0);
		struct tn_meter *often =
			new_drop(TN_METER_BYTEPS | TN_METER_BURST, rate, 4000000000u, 0);
		uint64_t now = 0;

		/* Empty both; what is left for a frame of no bytes always passes. */
		assert_int_equal(run(once, 0, 4000000000u), TN_METER_PASS);
		assert_int_equal(run(often, 0, 4000000000u), TN_METER_PASS);
		for (int i = 0; i < 50; i++) {
			now += random_u64(&r) >> (20 + random_below(&r, 40));
			if (now > HOUR)
				now = HOUR;
			assert_int_equal(run(often, now, 0), TN_METER_PASS);
		}
		assert_int_equal(run(once, now, 0), TN_METER_PASS);
		assert_int_equal(once->bands[0].tokens, often->bands[0].tokens);
		assert_int_equal(once->bands[0].remainder, often->bands[0].remainder);
		assert_int_equal(once->bands[0].tokens, (uint64_t)((tn_u128)rate * now / SECOND));
		free(once);
		free(often);
	}
}

static void the_largest_rates_and_gaps_do_not_overflow(void **state)
{
	struct tn_meter *m = new_drop(TN_METER_KBPS | TN_METER_BURST, UINT32_MAX, UINT32_MAX, 0);
	uint64_t full = (uint64_t)UINT32_MAX * 125;

	(void)state;
	assert_int_equal(m->bands[0].tokens, full);
	assert_int_equal(run(m, 0, UINT32_MAX), TN_METER_PASS);
	assert_int_equal(m->bands[0].tokens, full - UINT32_MAX);
	/* The product of rate and time is over 64 bits long before the bucket is full. */
	assert_int_equal(passed(m, 0, UINT32_MAX, 200), 124);
	assert_int_equal(m->bands[0].tokens, 0);
	assert_int_equal(run(m, SECOND / 10, 0), TN_METER_PASS);
	assert_int_equal(m->bands[0].tokens, full / 10);
	assert_int_equal(run(m, 100 * YEAR, 0), TN_METER_PASS);
	assert_int_equal(m->bands[0].tokens, full);
	assert_int_equal(run(m, UINT64_MAX, UINT32_MAX), TN_METER_PASS);
	assert_int_equal(m->bands[0].tokens, full - UINT32_MAX);
	free(m);

	m = new_drop(TN_METER_PKTPS, 1, 0, 0);
	assert_int_equal(passed(m, UINT64_MAX, 60, 5), 1);
	free(m);
}

static void a_full_bucket_takes_nothing_more(void **state)
{
	struct tn_meter *m = new_drop(TN_METER_PKTPS, 1, 0, 0);

	(void)state;
	assert_int_equal(passed(m, 0, 60, 2), 1);
	assert_int_equal(passed(m, 2 * SECOND, 60, 3), 1);
	assert_int_equal(passed(m, 5 * SECOND, 60, 3), 1);
	/* Not even the part of a token that was on its way. */
	assert_int_equal(passed(m, 7 * SECOND - SECOND / 4, 60, 3), 1);
	assert_int_equal(passed(m, 7 * SECOND + SECOND / 2, 60, 3), 0);
	free(m);
}

static void a_step_back_is_no_time(void **state)
{
	struct tn_meter *m = new_drop(TN_METER_PKTPS, 2, 0, HOUR);

	(void)state;
	assert_int_equal(passed(m, HOUR, 60, 5), 2);
	assert_int_equal(passed(m, HOUR - 30 * SECOND, 60, 5), 0);
	/* Time goes on from where the clock stands now. */
	assert_int_equal(passed(m, HOUR - 29 * SECOND, 60, 5), 2);
	assert_int_equal(passed(m, 0, 60, 5), 0);
	assert_int_equal(passed(m, SECOND / 2, 60, 5), 1);
	free(m);
}

static void of_two_bands_the_highest_exceeded_applies(void **state)
{
	static const struct tn_band bands[] = {
		{.type = TN_BAND_DSCP_REMARK, .rate = 10, .burst = 3, .prec_level = 2},
		{.type = TN_BAND_DROP, .rate = 20, .burst = 5},
	};
	struct tn_meter *m = new_meter(TN_METER_PKTPS | TN_METER_BURST, bands, 2, 0);
	uint8_t prec_level = 0;

	(void)state;
	assert_int_equal(passed(m, 0, 60, 3), 3);
	assert_int_equal(tn_meter_run(m, 0, 60, &prec_level), TN_METER_REMARK);
	assert_int_equal(prec_level, 2);
	assert_int_equal(run(m, 0, 60), TN_METER_REMARK);
	assert_int_equal(run(m, 0, 60), TN_METER_DROP);
	assert_int_equal(m->bands[0].counter.packets, 2);
	assert_int_equal(m->bands[1].counter.packets, 1);
	assert_int_equal(m->counter.packets, 6);
	/* 100 ms later: one token in the slow band, two in the fast one. */
	assert_int_equal(run(m, SECOND / 10, 60), TN_METER_PASS);
	assert_int_equal(run(m, SECOND / 10, 60), TN_METER_REMARK);
	assert_int_equal(run(m, SECOND / 10, 60), TN_METER_DROP);
	free(m);
}

static void two_bands_split_a_steady_stream(void **state)
{
	/* 1000 packets a second: 100 pass, 300 are remarked, 600 dropped. */
	static const struct tn_band bands[] = {
		{.type = TN_BAND_DROP, .rate = 400},
		{.type = TN_BAND_DSCP_REMARK, .rate = 100, .prec_level = 1},
	};
	struct tn_meter *m = new_meter(TN_METER_PKTPS, bands, 2, 0);
	unsigned count[3] = {0};

	(void)state;
	for (uint64_t i = 0; i < 3600 * 1000; i++)
		count[run(m, i * (SECOND / 1000), 60)]++;
	assert_in_range(count[TN_METER_PASS], 3600 * 100 - 1, 3600 * 100 + 100);
	assert_in_range(count[TN_METER_REMARK], 3600 * 300 - 1, 3600 * 300 + 300);
	assert_in_range(count[TN_METER_DROP], 3600 * 600 - 400, 3600 * 600 + 1);
	free(m);
}

static void equal_rates_go_to_the_first_band(void **state)
{
	static const struct tn_band bands[] = {
		{.type = TN_BAND_DSCP_REMARK, .rate = 1, .prec_level = 1},
		{.type = TN_BAND_DROP, .rate = 1},
	};
	struct tn_meter *m = new_meter(TN_METER_PKTPS, bands, 2, 0);

	(void)state;
	assert_int_equal(run(m, 0, 60), TN_METER_PASS);
	assert_int_equal(run(m, 0, 60), TN_METER_REMARK);
	free(m);
}

static void a_meter_without_bands_passes_all(void **state)
{
	struct tn_meter *m = new_meter(TN_METER_KBPS, NULL, 0, 0);

	(void)state;
	assert_int_equal(passed(m, 0, 1500, 1000), 1000);
	assert_int_equal(m->counter.packets, 1000);
	free(m);
}

static void expect_refused(struct tn_meter_mod mod, enum tn_of_error of, int index)
{
	struct tn_error err = {0};

	assert_int_not_equal(tn_meter_check(&mod, &err), 0);
	assert_int_equal(err.of, of);
	assert_int_equal(err.index, index);
	assert_true(strlen(err.detail) > 10);
}

static void requests_out_of_range_are_refused(void **state)
{
	static struct tn_band many[TN_METER_BANDS_MAX + 1];
	struct tn_band bands[2] = {
		{.type = TN_BAND_DROP, .rate = 1}, {.type = TN_BAND_DROP, .rate = 1}};
	const struct tn_meter_mod good = {
		.meter_id = 1, .flags = TN_METER_KBPS, .bands = bands, .n_bands = 2};
	struct tn_meter_mod mod = good;
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_meter_check(&mod, &err), 0);
	mod.command = 3;
	expect_refused(mod, TN_OFPMMFC_BAD_COMMAND, -1);
	mod = good;
	mod.meter_id = 0;
	expect_refused(mod, TN_OFPMMFC_INVALID_METER, -1);
	mod.meter_id = TN_METER_MAX + 1;
	expect_refused(mod, TN_OFPMMFC_INVALID_METER, -1);
	mod.meter_id = TN_METER_ALL;
	expect_refused(mod, TN_OFPMMFC_INVALID_METER, -1);
	mod.meter_id = TN_METER_MAX;
	assert_int_equal(tn_meter_check(&mod, &err), 0);
	mod = good;
	mod.flags = 0;
	expect_refused(mod, TN_OFPMMFC_BAD_FLAGS, -1);
	mod.flags = TN_METER_KBPS | TN_METER_PKTPS;
	expect_refused(mod, TN_OFPMMFC_BAD_FLAGS, -1);
	mod.flags = TN_METER_PKTPS | 1u << 4;
	expect_refused(mod, TN_OFPMMFC_BAD_FLAGS, -1);
	mod = good;
	bands[1].rate = 0;
	expect_refused(mod, TN_OFPMMFC_BAD_RATE, 1);
	bands[1] = (struct tn_band){.type = 3, .rate = 1};
	expect_refused(mod, TN_OFPMMFC_BAD_BAND, 1);
	bands[1] = (struct tn_band){.type = TN_BAND_DSCP_REMARK, .rate = 1};
	expect_refused(mod, TN_OFPMMFC_BAD_BAND_VALUE, 1);
	mod.bands = many;
	mod.n_bands = TN_METER_BANDS_MAX + 1;
	expect_refused(mod, TN_OFPMMFC_OUT_OF_BANDS, -1);
}

static void deletes_need_only_an_id(void **state)
{
	struct tn_meter_mod mod = {.command = TN_METER_DELETE, .meter_id = TN_METER_ALL};
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_meter_check(&mod, &err), 0);
	mod.meter_id = 5;
	assert_int_equal(tn_meter_check(&mod, &err), 0);
	mod.meter_id = TN_METER_CONTROLLER;
	expect_refused(mod, TN_OFPMMFC_INVALID_METER, -1);
}

static void remarking_raises_drop_precedence_within_the_class(void **state)
{
	(void)state;
	for (unsigned class = 1; class <= 4; class ++) {
		for (unsigned drop = 1; drop <= 3; drop++) {
			for (unsigned add = 0; add < 256; add++) {
				unsigned wanted = drop + add > 3 ? 3 : drop + add;

				assert_int_equal(tn_dscp_remark((uint8_t)(class * 8 + drop * 2),
							 (uint8_t)add),
					class * 8 + wanted * 2);
			}
		}
	}
	for (unsigned dscp = 0; dscp < 64; dscp++) {
		bool af = dscp / 8 >= 1 && dscp / 8 <= 4 && dscp % 8 && dscp % 2 == 0;

		if (!af)
			assert_int_equal(tn_dscp_remark((uint8_t)dscp, 1), dscp);
	}
	assert_int_equal(tn_dscp_remark(10, 1), 12); /* AF11 to AF12 */
	assert_int_equal(tn_dscp_remark(46, 2), 46); /* EF */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_meter_starts_full_and_counts),
		cmocka_unit_test(the_bucket_is_the_burst_or_a_second),
		cmocka_unit_test(rates_hold_over_hours),
		cmocka_unit_test(refills_finer_than_a_token_add_up),
		cmocka_unit_test(one_refill_is_as_many_small_ones),
		cmocka_unit_test(the_largest_rates_and_gaps_do_not_overflow),
		cmocka_unit_test(a_full_bucket_takes_nothing_more),
		cmocka_unit_test(a_step_back_is_no_time),
		cmocka_unit_test(of_two_bands_the_highest_exceeded_applies),
		cmocka_unit_test(two_bands_split_a_steady_stream),
		cmocka_unit_test(equal_rates_go_to_the_first_band),
		cmocka_unit_test(a_meter_without_bands_passes_all),
		cmocka_unit_test(requests_out_of_range_are_refused),
		cmocka_unit_test(deletes_need_only_an_id),
		cmocka_unit_test(remarking_raises_drop_precedence_within_the_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
