/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/random.h"

#define ROUNDS 200

static void random_bytes(struct random *r, void *to, size_t n)
{
	uint8_t *p = to;

	while (n--)
		*p++ = (uint8_t)random_u64(r);
}

static tn_u128 random_u128(struct random *r)
{
	return (tn_u128)random_u64(r) << 64 | random_u64(r);
}

/* The slow model: where bit `bit` of a field's value is in the bytes of the key. */
static unsigned bit_place(const struct tn_field *f, unsigned bit, uint8_t *bit_mask)
{
	unsigned from_low = f->shift + bit;

	*bit_mask = (uint8_t)(1u << from_low % 8);
	return f->offset + f->size - 1u - from_low / 8;
}

static tn_u128 model_get(const struct tn_key *key, const struct tn_field *f)
{
	const uint8_t *bytes = (const uint8_t *)key;
	tn_u128 v = 0;

	for (unsigned bit = 0; bit < f->bits; bit++) {
		uint8_t bit_mask;
		unsigned at = bit_place(f, bit, &bit_mask);

		if (bytes[at] & bit_mask)
			v |= (tn_u128)1 << bit;
	}
	return v;
}

static void model_set_masked(
	struct tn_key *key, const struct tn_field *f, tn_u128 value, tn_u128 mask)
{
	uint8_t *bytes = (uint8_t *)key;

	for (unsigned bit = 0; bit < f->bits; bit++) {
		uint8_t bit_mask;
		unsigned at = bit_place(f, bit, &bit_mask);

		if (!(mask >> bit & 1))
			continue;
		if (value >> bit & 1)
			bytes[at] |= bit_mask;
		else
			bytes[at] &= (uint8_t)~bit_mask;
	}
}

static void every_field_reads_and_writes_as_the_bitwise_model(void **state)
{
	struct random r = {1};

	(void)state;
	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		const struct tn_field *f = &tn_fields[id];

		for (int round = 0; round < ROUNDS; round++) {
			tn_u128 value = random_u128(&r), mask = random_u128(&r);
			struct tn_key key, wanted;

			random_bytes(&r, &key, sizeof(key));
			wanted = key;
			assert_true(tn_field_get(&key, id) == model_get(&key, f));

			tn_field_set_masked(&key, id, value, mask);
			model_set_masked(&wanted, f, value, mask);
			assert_memory_equal(&key, &wanted, sizeof(key));

			tn_field_set(&key, id, value);
			model_set_masked(&wanted, f, value, ~(tn_u128)0);
			assert_memory_equal(&key, &wanted, sizeof(key));
			assert_true(tn_field_get(&key, id) == (value & tn_field_ones(id)));
		}
	}
}

static void the_table_is_sound(void **state)
{
	uint64_t oxm_seen = 0;

	(void)state;
	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		const struct tn_field *f = &tn_fields[id];

		assert_int_equal(tn_field_by_name(f->name), id);
		assert_true(f->offset + f->size <= sizeof(struct tn_key));
		assert_true(tn_prereq_text(f->prereq)[0] != '\0');
		if (f->oxm >= 0) {
			assert_false(oxm_seen >> f->oxm & 1);
			oxm_seen |= UINT64_C(1) << f->oxm;
		}
	}
	assert_int_equal(tn_field_by_name("vlan"), -1);
	assert_int_equal(tn_field_by_name(""), -1);
	assert_int_equal(tn_field_by_name("ETH_TYPE"), -1);
	assert_true(tn_field_ones(TN_FIELD_IPV6_SRC) == ~(tn_u128)0);
	assert_true(tn_field_ones(TN_FIELD_VLAN_PCP) == 7);
}

static struct tn_key packet(uint16_t eth_type, uint8_t proto)
{
	struct tn_key key;

	memset(&key, 0, sizeof(key));
	key.eth_type = tn_htobe16(eth_type);
	key.ip_proto = proto;
	return key;
}

static void a_packet_has_the_fields_of_its_headers(void **state)
{
	static const struct {
		uint16_t eth_type;
		uint8_t proto;
		enum tn_field_id yes, no;
	} cases[] = {
		{0x0800, 6, TN_FIELD_TCP_SRC, TN_FIELD_UDP_SRC},
		{0x86dd, 6, TN_FIELD_TCP_FLAGS, TN_FIELD_IPV4_SRC},
		{0x0800, 17, TN_FIELD_UDP_DST, TN_FIELD_SCTP_DST},
		{0x86dd, 132, TN_FIELD_SCTP_SRC, TN_FIELD_TCP_DST},
		{0x0800, 1, TN_FIELD_ICMPV4_TYPE, TN_FIELD_ICMPV6_TYPE},
		{0x86dd, 58, TN_FIELD_ICMPV6_CODE, TN_FIELD_ICMPV4_CODE},
		{0x86dd, 1, TN_FIELD_IPV6_FLABEL, TN_FIELD_ICMPV4_TYPE},
		{0x0800, 58, TN_FIELD_IP_TTL, TN_FIELD_ICMPV6_TYPE},
		{0x0806, 0, TN_FIELD_ARP_SPA, TN_FIELD_IPV4_SRC},
		{0x8035, 0, TN_FIELD_ARP_THA, TN_FIELD_IP_DSCP},
		{0x0800, 6, TN_FIELD_IP_FRAG, TN_FIELD_ARP_OP},
		{0x9000, 6, TN_FIELD_ETH_SRC, TN_FIELD_IP_PROTO},
		{0x9000, 6, TN_FIELD_REG7, TN_FIELD_TCP_SRC},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		struct tn_key key = packet(cases[i].eth_type, cases[i].proto);

		assert_true(tn_field_present(&key, cases[i].yes));
		assert_false(tn_field_present(&key, cases[i].no));
	}
}

static void a_later_fragment_has_no_ports(void **state)
{
	struct tn_key key = packet(0x0800, 6);

	(void)state;
	key.ip_frag = TN_FRAG_ANY;
	assert_true(tn_field_present(&key, TN_FIELD_TCP_SRC));
	key.ip_frag = TN_FRAG_ANY | TN_FRAG_LATER;
	assert_false(tn_field_present(&key, TN_FIELD_TCP_SRC));
	assert_true(tn_field_present(&key, TN_FIELD_IP_PROTO));
	assert_true(tn_field_present(&key, TN_FIELD_IPV4_DST));
}

static void tags_and_neighbour_discovery_are_seen_in_the_key(void **state)
{
	struct tn_key key = packet(0x86dd, 58);

	(void)state;
	assert_false(tn_field_present(&key, TN_FIELD_VLAN_VID));
	assert_false(tn_field_present(&key, TN_FIELD_VLAN_PCP));
	tn_field_set(&key, TN_FIELD_VLAN_VID, TN_VLAN_PRESENT);
	assert_true(tn_field_present(&key, TN_FIELD_VLAN_VID));
	assert_true(tn_field_present(&key, TN_FIELD_VLAN_PCP));
	assert_false(tn_field_present(&key, TN_FIELD_INNER_VLAN_VID));
	tn_field_set(&key, TN_FIELD_INNER_VLAN_VID, TN_VLAN_PRESENT | 7);
	assert_true(tn_field_present(&key, TN_FIELD_INNER_VLAN_PCP));

	tn_field_set(&key, TN_FIELD_ICMPV6_TYPE, 135);
	assert_true(tn_field_present(&key, TN_FIELD_ND_TARGET));
	assert_true(tn_field_present(&key, TN_FIELD_ND_SLL));
	assert_false(tn_field_present(&key, TN_FIELD_ND_TLL));
	tn_field_set(&key, TN_FIELD_ICMPV6_TYPE, 136);
	assert_true(tn_field_present(&key, TN_FIELD_ND_TLL));
	assert_false(tn_field_present(&key, TN_FIELD_ND_SLL));
	tn_field_set(&key, TN_FIELD_ICMPV6_TYPE, 128);
	assert_false(tn_field_present(&key, TN_FIELD_ND_TARGET));
}

static void addresses_are_numbers(void **state)
{
	struct tn_ip6 a = {{0x20, 0x01, 0x0d, 0xb8, [15] = 0x01}};
	struct tn_ip6 back;
	uint32_t ip4;

	(void)state;
	assert_true(tn_u128_from_ip6(&a) == ((tn_u128)UINT64_C(0x20010db800000000) << 64 | 1));
	back = tn_u128_to_ip6(tn_u128_from_ip6(&a));
	assert_memory_equal(&a, &back, sizeof(a));
	assert_false(tn_u128_is_ip4(tn_u128_from_ip6(&a), &ip4));
	assert_false(tn_u128_is_ip4(0, &ip4));
	assert_false(tn_u128_is_ip4(0xc6336401, &ip4));
	assert_true(tn_u128_is_ip4(tn_u128_from_ip4(0xc6336401), &ip4));
	assert_int_equal(ip4, 0xc6336401);
	back = tn_u128_to_ip6(tn_u128_from_ip4(0xc6336401));
	assert_int_equal(back.b[10], 0xff);
	assert_int_equal(back.b[12], 198);
	assert_int_equal(back.b[15], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_reads_and_writes_as_the_bitwise_model),
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(a_packet_has_the_fields_of_its_headers),
		cmocka_unit_test(a_later_fragment_has_no_ports),
		cmocka_unit_test(tags_and_neighbour_discovery_are_seen_in_the_key),
		cmocka_unit_test(addresses_are_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
