/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/packets.h"

static void fill(uint8_t *p, size_t n, struct rng *r)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rng_next(r);
}

/* RFC 1071, 3: the words 0001 f203 f4f5 f6f7 sum to ddf2. */
static void test_rfc1071_example(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(
		tn_be16toh(tn_csum_fold(tn_csum_add(0, data, sizeof(data)))), (uint16_t)~0xddf2);
}

static void test_any_length_and_alignment(void **state)
{
	struct rng r = {1};
	uint8_t buf[300];

	(void)state;
	fill(buf, sizeof(buf), &r);
	for (size_t ofs = 0; ofs < 16; ofs++)
		for (size_t len = 0; len < 260; len++)
			assert_int_equal(tn_be16toh(tn_csum_fold(tn_csum_add(0, buf + ofs, len))),
				slow_csum(buf + ofs, len, 0));
}

static void test_largest_sums(void **state)
{
	static uint8_t ones[1 << 17];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(tn_csum_fold(tn_csum_add(0, ones, sizeof(ones))).raw, 0);
	assert_int_equal(tn_csum_fold(UINT64_MAX).raw, 0);
	assert_int_equal(tn_csum_fold(0).raw, 0xffff);
}

static void test_ipv4_header(void **state)
{
	uint8_t header[20] = {0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8,
		0, 1, 0xc0, 0xa8, 0, 0xc7};

	(void)state;
	assert_true(tn_csum_ipv4_ok(header, sizeof(header)));
	header[8]--;
	assert_false(tn_csum_ipv4_ok(header, sizeof(header)));
}

static uint16_t canonical(uint16_t csum)
{
	return csum == 0xffff ? 0 : csum;
}

static void test_update_equals_recomputation(void **state)
{
	struct rng r = {2};

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		uint8_t data[48], old[48];
		size_t ofs = 2 * rng_below(&r, 8), len = 2 * rng_below(&r, 17);
		struct tn_be16 csum;

		fill(data, sizeof(data), &r);
		csum = tn_htobe16(slow_csum(data, sizeof(data), 0));
		memcpy(old, data, sizeof(data));
		if (rng_below(&r, 2))
			fill(data + ofs, len, &r);
		else
			memset(data + ofs, rng_below(&r, 2) ? 0xff : 0, len);
		csum = tn_csum_update(csum, old + ofs, data + ofs, len);
		assert_int_equal(
			canonical(tn_be16toh(csum)), canonical(slow_csum(data, sizeof(data), 0)));
	}
}

/* RFC 1624, 4: the case that equation 2 gets wrong. */
static void test_rfc1624_example(void **state)
{
	static const uint8_t old[] = {0x55, 0x55}, new[] = {0x32, 0x85};

	(void)state;
	assert_int_equal(tn_csum_update(tn_htobe16(0xdd2f), old, new, 2).raw, 0);
}

static void test_pseudo_headers(void **state)
{
	struct rng r = {3};
	uint8_t v4[12], v6[40];
	const uint32_t len = 70000;

	(void)state;
	fill(v4, 8, &r);
	memcpy(v4 + 8, (uint8_t[]){0, 17, 0x30, 0x39}, 4);
	assert_int_equal(tn_be16toh(tn_csum_fold(tn_csum_pseudo_ipv4(v4, v4 + 4, 17, 12345))),
		slow_csum(v4, sizeof(v4), 0));
	fill(v6, 32, &r);
	memcpy(v6 + 32, (uint8_t[]){0, 1, 0x11, 0x70, 0, 0, 0, 6}, 8);
	assert_int_equal(tn_be16toh(tn_csum_fold(tn_csum_pseudo_ipv6(v6, v6 + 16, 6, len))),
		slow_csum(v6, sizeof(v6), 0));
}

/* RFC 3720, B.4, and the check value of the catalogues. */
static void test_crc32c_vectors(void **state)
{
	uint8_t buf[32];

	(void)state;
	assert_int_equal(tn_crc32c(0, "123456789", 9), 0xe3069283);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(tn_crc32c(0, buf, sizeof(buf)), 0x8a9136aa);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(tn_crc32c(0, buf, sizeof(buf)), 0x62a8ab43);
	for (unsigned i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)i;
	assert_int_equal(tn_crc32c(0, buf, sizeof(buf)), 0x46dd794e);
	assert_int_equal(tn_crc32c(tn_crc32c(0, buf, 11), buf + 11, 21), 0x46dd794e);
}

static void test_crc32c_update(void **state)
{
	static uint8_t data[66000];
	struct rng r = {4};

	(void)state;
	fill(data, sizeof(data), &r);
	for (unsigned round = 0; round < 2000; round++) {
		size_t total = round < 1900 ? 1 + rng_below(&r, 300) : sizeof(data);
		size_t ofs = rng_below(&r, (unsigned)total), len;
		uint8_t old[8];
		uint32_t crc = tn_crc32c(0, data, total);

		len = total - ofs < sizeof(old) ? total - ofs : sizeof(old);
		memcpy(old, data + ofs, len);
		fill(data + ofs, len, &r);
		crc = tn_crc32c_update(crc, old, data + ofs, len, total - ofs - len);
		assert_int_equal(crc, tn_crc32c(0, data, total));
	}
	assert_int_equal(slow_crc32c(data, 1000), tn_crc32c(0, data, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc1071_example),
		cmocka_unit_test(test_any_length_and_alignment),
		cmocka_unit_test(test_largest_sums),
		cmocka_unit_test(test_ipv4_header),
		cmocka_unit_test(test_update_equals_recomputation),
		cmocka_unit_test(test_rfc1624_example),
		cmocka_unit_test(test_pseudo_headers),
		cmocka_unit_test(test_crc32c_vectors),
		cmocka_unit_test(test_crc32c_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
