/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/byte_ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE	4096u
#define RECORDS 200000u

/* Record i: its length and bytes follow from i. */
static uint32_t length(uint32_t i)
{
	return i * 2654435761u >> 23; /* 0 to 511 */
}

static bool write_record(struct tn_byte_ring *r, uint32_t i)
{
	uint8_t *p = tn_byte_ring_reserve(r, 4 + length(i));

	if (!p)
		return false;
	memcpy(p, &i, 4);
	memset(p + 4, (int)(i & 0xff), length(i));
	tn_byte_ring_commit(r);
	return true;
}

static bool read_record(struct tn_byte_ring *r, uint32_t i)
{
	uint32_t len, number;
	const uint8_t *p = tn_byte_ring_peek(r, &len);

	if (!p)
		return false;
	memcpy(&number, p, 4);
	assert_int_equal(number, i);
	assert_int_equal(len, 4 + length(i));
	for (uint32_t b = 4; b < len; b++)
		assert_int_equal(p[b], i & 0xff);
	assert_int_equal((uintptr_t)p & 15, 0);
	tn_byte_ring_pop(r);
	return true;
}

static void test_full_and_empty(void **state)
{
	struct tn_byte_ring *r = tn_byte_ring_new(SIZE);
	uint32_t in = 0, out = 0, len;

	(void)state;
	assert_null(tn_byte_ring_peek(r, &len));
	for (unsigned round = 0; round < 1000; round++) {
		while (write_record(r, in))
			in++;
		assert_true(in > out);
		for (unsigned i = 0; i <= round % 7 && read_record(r, out); i++)
			out++;
	}
	while (read_record(r, out))
		out++;
	assert_int_equal(in, out);
	assert_null(tn_byte_ring_peek(r, &len));
	assert_null(tn_byte_ring_reserve(r, SIZE));
	assert_null(tn_byte_ring_reserve(r, UINT32_MAX));
	tn_byte_ring_free(r);
}

/* What was reserved and not committed is nobody's. */
static void test_not_committed(void **state)
{
	struct tn_byte_ring *r = tn_byte_ring_new(SIZE);
	uint32_t len;

	(void)state;
	assert_non_null(tn_byte_ring_reserve(r, 100));
	assert_null(tn_byte_ring_peek(r, &len));
	assert_true(write_record(r, 5));
	assert_true(read_record(r, 5));
	tn_byte_ring_free(r);
}

static void *writer(void *ring)
{
	for (uint32_t i = 0; i < RECORDS;) {
		if (write_record(ring, i))
			i++;
		else
			sched_yield();
	}
	return NULL;
}

static void test_two_threads(void **state)
{
	struct tn_byte_ring *r = tn_byte_ring_new(SIZE);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, writer, r), 0);
	for (uint32_t i = 0; i < RECORDS;) {
		if (read_record(r, i))
			i++;
		else
			sched_yield();
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	tn_byte_ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_and_empty),
		cmocka_unit_test(test_not_committed),
		cmocka_unit_test(test_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
