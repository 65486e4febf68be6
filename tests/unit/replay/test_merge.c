/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/tn-merge-XXXXXX";
static char paths[3][64];
static const char *const inputs[3] = {paths[0], paths[1], paths[2]};

/* A capture of one frame a time; its first byte says which one it is. */
static void make(unsigned file, const uint64_t *times, size_t n, uint32_t len)
{
	static uint8_t frame[65536];
	struct tn_capture_error err;
	struct tn_capture_writer *w = tn_capture_create(paths[file], &err);

	assert_non_null(w);
	for (size_t i = 0; i < n; i++) {
		frame[0] = (uint8_t)(file << 6 | i);
		assert_int_equal(tn_capture_write(w, times[i], frame, len, len, &err), 0);
	}
	assert_int_equal(tn_capture_finish(w, &err), 0);
}

static struct tn_merge *open_ok(size_t n, uint64_t loops)
{
	struct tn_capture_error err = {""};
	struct tn_merge *m = tn_merge_open(inputs, n, loops, &err);

	if (!m)
		fail_msg("%s", err.text);
	return m;
}

static void expect(struct tn_merge *m, size_t input, unsigned index, uint64_t time_ns)
{
	struct tn_merge_record rec;
	struct tn_capture_error err;

	assert_int_equal(tn_merge_next(m, &rec, &err), 1);
	assert_int_equal(rec.input, input);
	assert_int_equal(rec.frame.data[0], input << 6 | index);
	assert_int_equal(rec.frame.time_ns, time_ns);
}

static void expect_end(struct tn_merge *m)
{
	struct tn_merge_record rec;
	struct tn_capture_error err;

	assert_int_equal(tn_merge_next(m, &rec, &err), 0);
	assert_int_equal(tn_merge_next(m, &rec, &err), 0);
	tn_merge_close(m);
}

static void orders_by_time_then_by_input(void **state)
{
	struct tn_merge *m;

	(void)state;
	make(0, (uint64_t[]){10, 20, 20, 50}, 4, 60);
	make(1, (uint64_t[]){20, 30}, 2, 60);
	make(2, (uint64_t[]){5, 20, 60}, 3, 60);
	m = open_ok(3, 1);
	assert_int_equal(tn_merge_start(m), 5);
	expect(m, 2, 0, 5);
	expect(m, 0, 0, 10);
	expect(m, 0, 1, 20);
	expect(m, 0, 2, 20);
	expect(m, 1, 0, 20);
	expect(m, 2, 1, 20);
	expect(m, 1, 1, 30);
	expect(m, 0, 3, 50);
	expect(m, 2, 2, 60);
	assert_int_equal(tn_merge_late(m), 0);
	expect_end(m);
}

static void never_lets_time_go_back(void **state)
{
	struct tn_merge *m;

	(void)state;
	make(0, (uint64_t[]){10, 40, 20, 50}, 4, 60);
	make(1, (uint64_t[]){30}, 1, 60);
	m = open_ok(2, 1);
	expect(m, 0, 0, 10);
	expect(m, 1, 0, 30);
	expect(m, 0, 1, 40);
	expect(m, 0, 2, 40);
	expect(m, 0, 3, 50);
	assert_int_equal(tn_merge_late(m), 1);
	expect_end(m);
}

/* Three frames in 40 ns: a mean gap of 20, so a loop lasts 60. */
static void loops_go_on_in_time(void **state)
{
	struct tn_merge *m;

	(void)state;
	make(0, (uint64_t[]){100, 140}, 2, 60);
	make(1, (uint64_t[]){110}, 1, 60);
	m = open_ok(2, 3);
	for (unsigned loop = 0; loop < 3; loop++) {
		expect(m, 0, 0, 100 + loop * 60);
		expect(m, 1, 0, 110 + loop * 60);
		expect(m, 0, 1, 140 + loop * 60);
	}
	expect_end(m);
}

/* Too much to be kept in memory: the files are read again. */
static void loops_over_large_captures(void **state)
{
	enum { FRAMES = 700 };
	static uint64_t times[FRAMES];
	struct tn_merge *m;

	(void)state;
	for (unsigned i = 0; i < FRAMES; i++)
		times[i] = 1000 + i;
	make(0, times, FRAMES, 65000);
	m = open_ok(1, 2);
	for (unsigned loop = 0; loop < 2; loop++) {
		for (unsigned i = 0; i < FRAMES; i++)
			expect(m, 0, i & 255, 1000 + i + loop * FRAMES);
	}
	expect_end(m);
}

static void loops_over_one_frame_and_over_none(void **state)
{
	struct tn_merge *m;

	(void)state;
	make(0, (uint64_t[]){7}, 1, 60);
	m = open_ok(1, 2);
	expect(m, 0, 0, 7);
	expect(m, 0, 0, 8);
	expect_end(m);
	make(0, NULL, 0, 60);
	make(1, NULL, 0, 60);
	m = open_ok(2, 1000000);
	assert_int_equal(tn_merge_start(m), 0);
	expect_end(m);
}

static void stops_before_time_overflows(void **state)
{
	struct tn_merge_record rec;
	struct tn_capture_error err;
	struct tn_merge *m;

	(void)state;
	make(0, (uint64_t[]){0, 4000000000000000000}, 2, 60);
	m = open_ok(1, 1000);
	expect(m, 0, 0, 0);
	expect(m, 0, 1, 4000000000000000000);
	assert_int_equal(tn_merge_next(m, &rec, &err), -1);
	assert_non_null(strstr(err.text, "use fewer loops"));
	assert_int_equal(tn_merge_next(m, &rec, &err), -1);
	tn_merge_close(m);
}

static void stops_at_a_broken_input(void **state)
{
	struct tn_merge_record rec;
	struct tn_capture_error err = {""};
	struct tn_merge *m;

	(void)state;
	make(0, (uint64_t[]){10, 20, 30}, 3, 60);
	make(1, (uint64_t[]){15, 25}, 2, 60);
	assert_int_equal(truncate(paths[1], 24 + 76 + 75), 0);
	m = open_ok(2, 1);
	expect(m, 0, 0, 10);
	expect(m, 1, 0, 15);
	assert_int_equal(tn_merge_next(m, &rec, &err), -1);
	assert_non_null(strstr(err.text, "record 2 at byte 100"));
	assert_int_equal(tn_merge_next(m, &rec, &err), -1);
	tn_merge_close(m);

	unlink(paths[1]);
	assert_null(tn_merge_open(inputs, 2, 1, &err));
	assert_non_null(strstr(err.text, paths[1]));
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (unsigned i = 0; i < 3; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%u.pcap", dir, i);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		unlink(paths[i]);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_by_time_then_by_input),
		cmocka_unit_test(never_lets_time_go_back),
		cmocka_unit_test(loops_go_on_in_time),
		cmocka_unit_test(loops_over_large_captures),
		cmocka_unit_test(loops_over_one_frame_and_over_none),
		cmocka_unit_test(stops_before_time_overflows),
		cmocka_unit_test(stops_at_a_broken_input),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
