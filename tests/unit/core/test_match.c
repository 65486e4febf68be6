/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dataplane/core/mods.h"
#include "tests/unit/random.h"

#define ONES(id) tn_field_ones(TN_FIELD_##id)
#define F(id)	 (UINT64_C(1) << TN_FIELD_##id)

static void set(struct tn_match *m, enum tn_field_id id, tn_u128 value)
{
	struct tn_error err;

	assert_int_equal(tn_match_set(m, id, value, tn_field_ones(id), &err), 0);
}

static void set_masked(struct tn_match *m, enum tn_field_id id, tn_u128 value, tn_u128 mask)
{
	struct tn_error err;

	assert_int_equal(tn_match_set(m, id, value, mask, &err), 0);
}

static void expect_refused(
	struct tn_match *m, enum tn_field_id id, tn_u128 value, tn_u128 mask, enum tn_of_error of)
{
	struct tn_match before = *m;
	struct tn_error err = {0};

	assert_int_not_equal(tn_match_set(m, id, value, mask, &err), 0);
	assert_int_equal(err.of, of);
	assert_int_equal(err.index, -1);
	assert_non_null(strstr(err.detail, tn_fields[id].name));
	assert_memory_equal(m, &before, sizeof(before));
}

static struct tn_match tcp_match(void)
{
	struct tn_match m;

	tn_match_init(&m);
	set(&m, TN_FIELD_TCP_DST, 80);
	set(&m, TN_FIELD_IP_PROTO, 6);
	set(&m, TN_FIELD_ETH_TYPE, 0x0800);
	return m;
}

static void fields_are_set_once_and_in_range(void **state)
{
	struct tn_match m;

	(void)state;
	tn_match_init(&m);
	expect_refused(&m, TN_FIELD_VLAN_PCP, 8, 7, TN_OFPBMC_BAD_VALUE);
	expect_refused(&m, TN_FIELD_VLAN_PCP, 1, 15, TN_OFPBMC_BAD_MASK);
	expect_refused(&m, TN_FIELD_VLAN_PCP, 1, 1, TN_OFPBMC_BAD_MASK);
	expect_refused(&m, TN_FIELD_ETH_TYPE, 0x0800, 0xff00, TN_OFPBMC_BAD_MASK);
	expect_refused(&m, TN_FIELD_IPV6_FLABEL, 0x100000, ONES(IPV6_FLABEL), TN_OFPBMC_BAD_VALUE);
	set(&m, TN_FIELD_ETH_TYPE, 0x0800);
	expect_refused(&m, TN_FIELD_ETH_TYPE, 0x0800, ONES(ETH_TYPE), TN_OFPBMC_DUP_FIELD);
	set(&m, TN_FIELD_TCP_SRC, 1);
	expect_refused(&m, TN_FIELD_UDP_SRC, 1, ONES(UDP_SRC), TN_OFPBMC_DUP_FIELD);
	assert_int_equal(tn_match_set(&m, TN_FIELD_UDP_SRC, 1, ONES(UDP_SRC), NULL), -22);
}

static void matches_are_canonical(void **state)
{
	struct tn_match m, empty;
	struct tn_error err;

	(void)state;
	tn_match_init(&m);
	tn_match_init(&empty);
	set_masked(&m, TN_FIELD_METADATA, 0xff, 0);
	assert_true(tn_match_equal(&m, &empty));
	set_masked(&m, TN_FIELD_METADATA, 0xff, 0xf0);
	assert_true(tn_match_value(&m, TN_FIELD_METADATA) == 0xf0);
	assert_true(tn_match_mask(&m, TN_FIELD_METADATA) == 0xf0);
	assert_int_equal(tn_match_check(&m, &err), 0);
	assert_int_equal(tn_match_fields(&m), F(METADATA));
	tn_match_set_exact(&m, TN_FIELD_METADATA, 5);
	assert_true(tn_match_value(&m, TN_FIELD_METADATA) == 5);
	assert_true(tn_match_mask(&m, TN_FIELD_METADATA) == UINT64_MAX);
}

static void prerequisites_come_from_the_match(void **state)
{
	static const struct {
		uint16_t eth_type;
		int proto, icmp;
		enum tn_field_id yes, no;
	} cases[] = {
		{0x0800, -1, -1, TN_FIELD_IPV4_SRC, TN_FIELD_IPV6_SRC},
		{0x86dd, -1, -1, TN_FIELD_IP_DSCP, TN_FIELD_ARP_SPA},
		{0x0806, -1, -1, TN_FIELD_ARP_SPA, TN_FIELD_IP_PROTO},
		{0x8035, -1, -1, TN_FIELD_ARP_OP, TN_FIELD_IPV4_DST},
		{0x0800, 6, -1, TN_FIELD_TCP_FLAGS, TN_FIELD_UDP_SRC},
		{0x86dd, 17, -1, TN_FIELD_UDP_SRC, TN_FIELD_TCP_SRC},
		{0x0800, 132, -1, TN_FIELD_SCTP_SRC, TN_FIELD_TCP_SRC},
		{0x0800, 1, -1, TN_FIELD_ICMPV4_TYPE, TN_FIELD_ICMPV6_TYPE},
		{0x86dd, 1, -1, TN_FIELD_IPV6_SRC, TN_FIELD_ICMPV4_TYPE},
		{0x0800, 58, -1, TN_FIELD_IPV4_SRC, TN_FIELD_ICMPV6_CODE},
		{0x86dd, 58, -1, TN_FIELD_ICMPV6_TYPE, TN_FIELD_ND_TARGET},
		{0x86dd, 58, 135, TN_FIELD_ND_SLL, TN_FIELD_ND_TLL},
		{0x86dd, 58, 136, TN_FIELD_ND_TLL, TN_FIELD_ND_SLL},
		{0x86dd, 58, 136, TN_FIELD_ND_TARGET, TN_FIELD_ND_SLL},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		struct tn_match m;

		tn_match_init(&m);
		assert_false(tn_match_prereq_ok(&m, cases[i].yes));
		set(&m, TN_FIELD_ETH_TYPE, cases[i].eth_type);
		if (cases[i].proto >= 0)
			set(&m, TN_FIELD_IP_PROTO, (tn_u128)cases[i].proto);
		if (cases[i].icmp >= 0)
			set(&m, TN_FIELD_ICMPV6_TYPE, (tn_u128)cases[i].icmp);
		assert_true(tn_match_prereq_ok(&m, cases[i].yes));
		assert_false(tn_match_prereq_ok(&m, cases[i].no));
	}
}

static void a_tag_or_a_port_can_be_a_prerequisite(void **state)
{
	struct tn_match m;

	(void)state;
	tn_match_init(&m);
	assert_false(tn_match_prereq_ok(&m, TN_FIELD_IN_PHY_PORT));
	set(&m, TN_FIELD_IN_PORT, 1);
	assert_true(tn_match_prereq_ok(&m, TN_FIELD_IN_PHY_PORT));

	assert_true(tn_match_prereq_ok(&m, TN_FIELD_VLAN_VID));
	assert_false(tn_match_prereq_ok(&m, TN_FIELD_VLAN_PCP));
	set(&m, TN_FIELD_VLAN_VID, 0); /* untagged */
	assert_false(tn_match_prereq_ok(&m, TN_FIELD_VLAN_PCP));
	tn_match_set_exact(&m, TN_FIELD_VLAN_VID, TN_VLAN_PRESENT | 5);
	assert_true(tn_match_prereq_ok(&m, TN_FIELD_VLAN_PCP));
	tn_match_init(&m);
	set_masked(&m, TN_FIELD_VLAN_VID, TN_VLAN_PRESENT, TN_VLAN_PRESENT);
	assert_true(tn_match_prereq_ok(&m, TN_FIELD_INNER_VLAN_VID));
	tn_match_init(&m);
	set_masked(&m, TN_FIELD_VLAN_VID, 5, TN_VLAN_VID_MASK);
	assert_false(tn_match_prereq_ok(&m, TN_FIELD_VLAN_PCP));
}

static void shared_storage_is_told_apart(void **state)
{
	struct tn_match m = tcp_match();

	(void)state;
	assert_int_equal(tn_match_fields(&m), F(ETH_TYPE) | F(IP_PROTO) | F(TCP_DST));
	tn_match_set_exact(&m, TN_FIELD_IP_PROTO, 17);
	assert_int_equal(tn_match_fields(&m), F(ETH_TYPE) | F(IP_PROTO) | F(UDP_DST));
	tn_match_init(&m);
	set(&m, TN_FIELD_ARP_SPA, 1);
	set(&m, TN_FIELD_ARP_THA, 1);
	assert_int_equal(tn_match_fields(&m), 0);
	set(&m, TN_FIELD_ETH_TYPE, 0x0806);
	assert_int_equal(tn_match_fields(&m), F(ETH_TYPE) | F(ARP_SPA) | F(ARP_THA));
	/* What no other field could mean counts in any case. */
	tn_match_init(&m);
	set(&m, TN_FIELD_VLAN_PCP, 3);
	set(&m, TN_FIELD_TCP_FLAGS, 2);
	assert_int_equal(tn_match_fields(&m), F(VLAN_PCP) | F(TCP_FLAGS));
	/* One ICMP type bit more than the type has would be a TCP port's. */
	tn_match_init(&m);
	set(&m, TN_FIELD_ETH_TYPE, 0x0800);
	set(&m, TN_FIELD_IP_PROTO, 1);
	set(&m, TN_FIELD_ICMPV4_TYPE, 8);
	assert_int_equal(tn_match_fields(&m), F(ETH_TYPE) | F(IP_PROTO) | F(ICMPV4_TYPE));
}

static void expect_bad(const struct tn_match *m, enum tn_of_error of, const char *word)
{
	struct tn_error err = {0};

	assert_int_not_equal(tn_match_check(m, &err), 0);
	assert_int_equal(err.of, of);
	assert_non_null(strstr(err.detail, word));
}

static void a_match_no_codec_builds_is_refused(void **state)
{
	struct tn_match m = tcp_match();
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_match_check(&m, &err), 0);

	m.mask.pad15[1] = 1;
	expect_bad(&m, TN_OFPBMC_BAD_FIELD, "no field");
	m = tcp_match();
	m.value.metadata = tn_htobe64(1);
	expect_bad(&m, TN_OFPBMC_BAD_WILDCARDS, "outside its mask");
	m = tcp_match();
	m.mask.eth_type = tn_htobe16(0xff00);
	expect_bad(&m, TN_OFPBMC_BAD_MASK, "eth_type");
	m = tcp_match();
	m.mask.ip_tos = 0x04;
	expect_bad(&m, TN_OFPBMC_BAD_MASK, "ip_dscp");

	tn_match_init(&m);
	set(&m, TN_FIELD_TCP_DST, 80);
	expect_bad(&m, TN_OFPBMC_BAD_PREREQ, "tcp_dst");
	tn_match_init(&m);
	set(&m, TN_FIELD_ETH_TYPE, 0x0800);
	set(&m, TN_FIELD_IP_PROTO, 1);
	m.mask.tp_src = tn_htobe16(0x0100);
	expect_bad(&m, TN_OFPBMC_BAD_PREREQ, "tcp_src");
	tn_match_init(&m);
	set(&m, TN_FIELD_VLAN_VID, 0);
	set(&m, TN_FIELD_VLAN_PCP, 3);
	expect_bad(&m, TN_OFPBMC_BAD_PREREQ, "vlan_pcp");
}

/*
 * Properties by brute force: matches over six bits of metadata and VLAN, packets the 64 keys that
 * differ in them.
 */
#define SMALL_BITS 6u

static struct tn_key small_key(unsigned bits)
{
	struct tn_key key;

	memset(&key, 0, sizeof(key));
	key.metadata = tn_htobe64((uint64_t)(bits & 7) << 40);
	key.vlan_tci = tn_htobe16((uint16_t)((bits >> 3) << 11));
	return key;
}

static struct tn_match small_match(unsigned value, unsigned mask)
{
	struct tn_match m;

	m.mask = small_key(mask);
	m.value = small_key(value & mask);
	return m;
}

static void small_packets(
	const struct tn_match *a, const struct tn_match *b, bool *subsumes, bool *overlaps)
{
	*subsumes = true;
	*overlaps = false;
	for (unsigned bits = 0; bits < 1u << SMALL_BITS; bits++) {
		struct tn_key key = small_key(bits);
		bool in_a = tn_match_key(a, &key), in_b = tn_match_key(b, &key);

		if (in_b && !in_a)
			*subsumes = false;
		if (in_a && in_b)
			*overlaps = true;
	}
}

static void subsumes_and_overlaps_agree_with_all_packets(void **state)
{
	struct random r = {2};

	(void)state;
	for (int round = 0; round < 20000; round++) {
		unsigned av = random_below(&r, 64), am = random_below(&r, 64);
		unsigned bv = random_below(&r, 64), bm = random_below(&r, 64);
		struct tn_match a = small_match(av, am), b = small_match(bv, bm);
		bool subsumes, overlaps;

		small_packets(&a, &b, &subsumes, &overlaps);
		assert_int_equal(tn_match_subsumes(&a, &b), subsumes);
		assert_int_equal(tn_match_overlaps(&a, &b), overlaps);
		assert_int_equal(tn_match_overlaps(&b, &a), overlaps);
		assert_int_equal(tn_match_equal(&a, &b), am == bm && !((av ^ bv) & am));
		assert_true(tn_match_subsumes(&a, &a));
		if (tn_match_subsumes(&a, &b) && tn_match_subsumes(&b, &a))
			assert_true(tn_match_equal(&a, &b));
	}
}

static void a_key_matches_when_its_masked_bits_are_the_value(void **state)
{
	(void)state;
	for (unsigned mask = 0; mask < 64; mask++) {
		for (unsigned value = 0; value < 64; value++) {
			struct tn_match m = small_match(value, mask);

			for (unsigned bits = 0; bits < 64; bits++) {
				struct tn_key key = small_key(bits);

				key.reg[3].raw = bits; /* never looked at */
				assert_int_equal(tn_match_key(&m, &key), !((bits ^ value) & mask));
			}
		}
	}
}

static void a_set_of_fields_makes_the_same_match_again(void **state)
{
	struct random r = {3};

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct tn_match m, copy;
		struct tn_error err;
		uint64_t fields;

		tn_match_init(&m);
		set(&m, TN_FIELD_ETH_TYPE, round & 1 ? 0x0800 : 0x86dd);
		set(&m, TN_FIELD_IP_PROTO, round & 2 ? 6 : 17);
		for (int i = 0; i < 6; i++) {
			enum tn_field_id id = random_below(&r, TN_N_FIELDS);
			tn_u128 mask = tn_fields[id].maskable ? random_u64(&r) & tn_field_ones(id)
							      : tn_field_ones(id);

			if (!tn_match_prereq_ok(&m, id))
				continue;
			(void)!tn_match_set(&m, id, random_u64(&r) & tn_field_ones(id), mask, &err);
		}
		assert_int_equal(tn_match_check(&m, &err), 0);
		fields = tn_match_fields(&m);
		tn_match_init(&copy);
		for (unsigned id = 0; id < TN_N_FIELDS; id++) {
			if (fields >> id & 1)
				set_masked(
					&copy, id, tn_match_value(&m, id), tn_match_mask(&m, id));
		}
		assert_true(tn_match_equal(&m, &copy));
		assert_int_equal(tn_flow_id(1, 2, 3, &m), tn_flow_id(1, 2, 3, &copy));
	}
}

static void a_flow_id_never_changes(void **state)
{
	struct tn_match m = tcp_match();

	(void)state;
	/* Written down once: flow ids outlive the program that made them. */
	assert_int_equal(tn_flow_id(0xa1, 0, 100, &m), UINT64_C(0xc30eded7abe9c203));
	tn_match_init(&m);
	assert_int_equal(tn_flow_id(0, 0, 0, &m), UINT64_C(0xa706dd2f4d197e6f));
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void flows_that_differ_have_different_ids(void **state)
{
	enum { N = 200000 };
	static uint64_t ids[N];
	size_t n = 0;
	struct tn_match m;

	(void)state;
	for (unsigned i = 0; n < N; i++) {
		tn_match_init(&m);
		ids[n++] = tn_flow_id(i, 0, 0, &m);
		ids[n++] = tn_flow_id(UINT64_C(1) << 60, (uint8_t)(i >> 16), (uint16_t)i, &m);
		tn_match_set_exact(&m, TN_FIELD_IPV4_DST, i);
		ids[n++] = tn_flow_id(0, 0, 0, &m);
		tn_match_init(&m);
		tn_match_set_exact(&m, TN_FIELD_IPV4_SRC, i);
		ids[n++] = tn_flow_id(0, 0, 0, &m);
		tn_match_init(&m);
		set_masked(&m, TN_FIELD_TUNNEL_ID, 0, i + 1u); /* value zero, masks differ */
		ids[n++] = tn_flow_id(0, 0, 1, &m);
	}
	qsort(ids, N, sizeof(ids[0]), compare_u64);
	/* tn_flow_id(0, 0, 0, empty) and (2^60, ...) never meet: no duplicates at all. */
	for (size_t i = 1; i < N; i++)
		assert_true(ids[i] != ids[i - 1]);
	assert_true(ids[0] != 0);
}

static void every_bit_of_a_match_moves_half_of_the_id(void **state)
{
	struct tn_match m;
	uint64_t base, sum = 0;
	unsigned n = 0;

	(void)state;
	tn_match_init(&m);
	for (unsigned id = 0; id < TN_N_FIELDS; id++)
		tn_match_set_exact(&m, id, 0);
	base = tn_flow_id(1, 2, 3, &m);
	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		for (unsigned bit = 0; bit < tn_fields[id].bits; bit++) {
			struct tn_match other = m;

			tn_match_set_exact(&other, id, (tn_u128)1 << bit);
			sum += (unsigned)__builtin_popcountll(base ^ tn_flow_id(1, 2, 3, &other));
			n++;
		}
	}
	assert_in_range(sum * 100 / n, 3100, 3300);
}

static void a_flow_mod_starts_as_an_add_of_everything(void **state)
{
	struct tn_flow_mod fm;
	struct tn_match empty;

	(void)state;
	memset(&fm, 0x5a, sizeof(fm));
	tn_match_init(&empty);
	tn_flow_mod_init(&fm);
	assert_int_equal(fm.command, TN_FLOW_ADD);
	assert_int_equal(fm.priority, TN_PRIORITY_DEFAULT);
	assert_int_equal(fm.out_port, TN_PORT_ANY);
	assert_int_equal(fm.out_group, TN_GROUP_ANY);
	assert_int_equal(fm.table_id, 0);
	assert_int_equal(fm.cookie_mask, 0);
	assert_int_equal(fm.inst.goto_table, TN_GOTO_NONE);
	assert_int_equal(fm.inst.n_apply + fm.inst.n_write, 0);
	assert_true(tn_match_equal(&fm.match, &empty));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_set_once_and_in_range),
		cmocka_unit_test(matches_are_canonical),
		cmocka_unit_test(prerequisites_come_from_the_match),
		cmocka_unit_test(a_tag_or_a_port_can_be_a_prerequisite),
		cmocka_unit_test(shared_storage_is_told_apart),
		cmocka_unit_test(a_match_no_codec_builds_is_refused),
		cmocka_unit_test(subsumes_and_overlaps_agree_with_all_packets),
		cmocka_unit_test(a_key_matches_when_its_masked_bits_are_the_value),
		cmocka_unit_test(a_set_of_fields_makes_the_same_match_again),
		cmocka_unit_test(a_flow_id_never_changes),
		cmocka_unit_test(flows_that_differ_have_different_ids),
		cmocka_unit_test(every_bit_of_a_match_moves_half_of_the_id),
		cmocka_unit_test(a_flow_mod_starts_as_an_add_of_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
