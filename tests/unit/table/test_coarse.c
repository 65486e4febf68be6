/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/coarse.h"

#include "tests/unit/table/random_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool within(const struct tn_key *coarse, const struct tn_key *fine)
{
	unsigned i;

	for (i = 0; i < TN_KEY_WORDS; i++) {
		if (tn_key_cwords(coarse)[i] & ~tn_key_cwords(fine)[i])
			return false;
	}
	return true;
}

static void check_coarsening(const struct tn_key *mask)
{
	struct tn_key coarsest, coarse, again;

	tn_coarsen(mask, TN_COARSEST, &coarsest);
	tn_coarsen(mask, TN_COARSE, &coarse);
	assert_true(within(&coarse, mask));
	assert_true(within(&coarsest, &coarse));
	tn_coarsen(&coarsest, TN_COARSEST, &again);
	assert_memory_equal(&again, &coarsest, sizeof(again));
	tn_coarsen(&coarse, TN_COARSE, &again);
	assert_memory_equal(&again, &coarse, sizeof(again));
}

static void test_any_mask(void **state)
{
	struct tn_random random = {1};
	struct tn_match m;
	struct tn_key mask;
	unsigned i, j;

	(void)state;
	for (i = 0; i < 20000; i++) {
		random_match(&random, i % N_RULE_SHAPES, &m);
		check_coarsening(&m.mask);
		for (j = 0; j < sizeof(mask); j++)
			((uint8_t *)&mask)[j] = (uint8_t)random_below(&random, 256);
		check_coarsening(&mask);
	}
}

static void test_whole_members_stay(void **state)
{
	struct tn_key mask, coarse;

	(void)state;
	memset(&mask, 0xff, sizeof(mask));
	memset(mask.pad15, 0, sizeof(mask.pad15));
	memset(mask.pad16, 0, sizeof(mask.pad16));
	tn_coarsen(&mask, TN_COARSE, &coarse);
	/* But for addresses, which are rounded down. */
	assert_int_equal(coarse.ipv4_src.raw, tn_htobe32(0xffffff00).raw);
	assert_int_equal(coarse.ipv6_src.b[14], 0xff);
	assert_int_equal(coarse.ipv6_src.b[15], 0);
	mask.ipv4_src = mask.ipv4_dst = coarse.ipv4_src;
	mask.ipv6_src = mask.ipv6_dst = mask.nd_target = coarse.ipv6_src;
	mask.tun_src = mask.tun_dst = coarse.ipv6_src;
	/* And for bits that no field has, in members taken as a whole or not at all. */
	mask.tcp_flags = tn_htobe16(0x0fff);
	mask.ipv6_exthdr = tn_htobe16(0x01ff);
	tn_coarsen(&mask, TN_COARSE, &coarse);
	assert_memory_equal(&coarse, &mask, sizeof(mask));
}

static void test_rounding(void **state)
{
	static const uint8_t ipv4[][3] = {{32, 24, 16}, {25, 24, 16}, {24, 24, 16}, {23, 20, 16},
		{16, 16, 16}, {15, 12, 8}, {8, 8, 8}, {7, 4, 0}, {3, 0, 0}};
	static const uint8_t ipv6[][3] = {{128, 120, 112}, {112, 112, 112}, {105, 104, 104},
		{96, 96, 96}, {95, 88, 64}, {64, 64, 64}, {63, 56, 48}, {48, 48, 48}, {20, 16, 16}};
	struct tn_be32 ones4 = {~0u};
	struct tn_ip6 ones6;
	struct tn_match m, expected;
	struct tn_key coarse;
	size_t i;
	int level;

	(void)state;
	memset(&ones6, 0xff, sizeof(ones6));
	for (level = 0; level < TN_N_COARSE; level++) {
		for (i = 0; i < TN_ARRAY_SIZE(ipv4); i++) {
			memset(&m, 0, sizeof(m));
			memset(&expected, 0, sizeof(expected));
			SET_PREFIX(&m, ipv4_dst, ones4, ipv4[i][0]);
			SET_PREFIX(
				&expected, ipv4_dst, ones4, ipv4[i][level == TN_COARSEST ? 2 : 1]);
			tn_coarsen(&m.mask, level, &coarse);
			assert_memory_equal(&coarse, &expected.mask, sizeof(coarse));
		}
		for (i = 0; i < TN_ARRAY_SIZE(ipv6); i++) {
			memset(&m, 0, sizeof(m));
			memset(&expected, 0, sizeof(expected));
			SET_PREFIX(&m, tun_dst, ones6, ipv6[i][0]);
			SET_PREFIX(
				&expected, tun_dst, ones6, ipv6[i][level == TN_COARSEST ? 2 : 1]);
			tn_coarsen(&m.mask, level, &coarse);
			assert_memory_equal(&coarse, &expected.mask, sizeof(coarse));
		}
	}
}

static void check_port(uint16_t mask, uint16_t coarse, uint16_t coarsest)
{
	struct tn_key m = {0}, out;

	m.tp_dst = tn_htobe16(mask);
	tn_coarsen(&m, TN_COARSE, &out);
	assert_int_equal(tn_be16toh(out.tp_dst), coarse);
	tn_coarsen(&m, TN_COARSEST, &out);
	assert_int_equal(tn_be16toh(out.tp_dst), coarsest);
}

static void check_vlan(uint16_t mask, uint16_t expected)
{
	struct tn_key m = {0}, out;

	m.vlan_tci = tn_htobe16(mask);
	tn_coarsen(&m, TN_COARSEST, &out);
	assert_int_equal(tn_be16toh(out.vlan_tci), expected);
}

static void test_groups_of_bits(void **state)
{
	struct tn_key m = {0}, out;

	(void)state;
	check_port(0xffff, 0xffff, 0xffff);
	check_port(0x00ff, 0x00ff, 0x00ff);
	check_port(0xfff0, 0xfff0, 0);
	check_port(0xff80, 0xff00, 0);
	check_port(0x0001, 0, 0);
	check_vlan(0x1fff, 0x1fff);
	check_vlan(0x1000, 0x1000);
	check_vlan(0xf000, 0xf000);
	check_vlan(0xffff, 0xffff);
	check_vlan(0x1001, 0x1000);
	m.reg[3] = tn_htobe32(0x00fff001);
	tn_coarsen(&m, TN_COARSEST, &out);
	assert_int_equal(tn_be32toh(out.reg[3]), 0x00ff0000);
	tn_coarsen(&m, TN_COARSE, &out);
	assert_int_equal(tn_be32toh(out.reg[3]), 0x00fff000);
	m.tcp_flags = tn_htobe16(0x0012);
	tn_coarsen(&m, TN_COARSE, &out);
	assert_int_equal(out.tcp_flags.raw, 0);
	m.eth_dst.b[0] = 1;
	tn_coarsen(&m, TN_COARSE, &out);
	assert_int_equal(out.eth_dst.b[0], 0);
}

static void test_prefix_shapes(void **state)
{
	struct tn_be32 ones4 = {~0u};
	struct tn_match m;
	uint8_t len = 0, member;
	unsigned i;

	(void)state;
	for (i = 0; i <= 32; i++) {
		memset(&m, 0, sizeof(m));
		m.mask.metadata.raw = 0x1234;
		SET_PREFIX(&m, ipv4_src, ones4, 32);
		SET_PREFIX(&m, ipv4_dst, ones4, i);
		member = tn_prefix_shape(&m.mask, &len);
		if (i == 0 || i == 32) {
			assert_int_equal(member, TN_NO_MEMBER);
			continue;
		}
		assert_int_equal(
			tn_prefix_members[member].offset, offsetof(struct tn_key, ipv4_dst));
		assert_int_equal(len, i);
	}
	SET_PREFIX(&m, ipv4_dst, ones4, 8);
	SET_PREFIX(&m, ipv4_src, ones4, 8);
	assert_int_equal(tn_prefix_shape(&m.mask, &len), TN_NO_MEMBER);
	m.mask.ipv4_src = tn_htobe32(0xff00ff00);
	assert_int_equal(tn_prefix_shape(&m.mask, &len), TN_NO_MEMBER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_mask),
		cmocka_unit_test(test_whole_members_stay),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_groups_of_bits),
		cmocka_unit_test(test_prefix_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
