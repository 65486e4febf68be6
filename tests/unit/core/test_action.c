/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/action.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dataplane/core/reply.h"

#define TABLE 3 /* the flow's own, where a test does not say */

static struct tn_action action(enum tn_action_type type)
{
	struct tn_action a;

	memset(&a, 0, sizeof(a));
	a.type = (uint8_t)type;
	return a;
}

static struct tn_action output(uint32_t port)
{
	struct tn_action a = action(TN_ACTION_OUTPUT);

	a.output.port = port;
	a.output.reason = TN_REASON_DEFAULT;
	return a;
}

static struct tn_action set_masked(enum tn_field_id id, tn_u128 value, tn_u128 mask)
{
	struct tn_action a = action(TN_ACTION_SET_FIELD);

	a.field = (uint8_t)id;
	a.set.value = value;
	a.set.mask = mask;
	return a;
}

static struct tn_action set(enum tn_field_id id, tn_u128 value)
{
	return set_masked(id, value, tn_field_ones(id));
}

static struct tn_action move(enum tn_field_id src, enum tn_field_id dst, unsigned n_bits)
{
	struct tn_action a = action(TN_ACTION_MOVE);

	a.field = (uint8_t)dst;
	a.move.src = (uint8_t)src;
	a.move.n_bits = (uint8_t)n_bits;
	return a;
}

static struct tn_action push(uint16_t ethertype)
{
	struct tn_action a = action(TN_ACTION_PUSH_VLAN);

	a.ethertype = ethertype;
	return a;
}

static struct tn_action mod_vid(uint16_t vid)
{
	struct tn_action a = action(TN_ACTION_MOD_VLAN_VID);

	a.vlan_vid = vid;
	return a;
}

static struct tn_action mod_pcp(uint8_t pcp)
{
	struct tn_action a = action(TN_ACTION_MOD_VLAN_PCP);

	a.vlan_pcp = pcp;
	return a;
}

static struct tn_action resubmit(uint32_t in_port, uint8_t table)
{
	struct tn_action a = action(TN_ACTION_RESUBMIT);

	a.resubmit.in_port = in_port;
	a.resubmit.table = table;
	return a;
}

static struct tn_action clone(uint16_t n_nested)
{
	struct tn_action a = action(TN_ACTION_CLONE);

	a.n_nested = n_nested;
	return a;
}

static struct tn_action reply(uint8_t kind)
{
	struct tn_action a = action(TN_ACTION_REPLY);

	a.reply.kind = kind;
	a.reply.mac = (struct tn_mac){{2, 0, 0, 0, 0, 1}};
	a.reply.ip = tn_u128_from_ip4(0x0a0000fe);
	a.reply.address = tn_u128_from_ip4(0x0a000001);
	a.reply.number = 1400;
	return a;
}

static struct tn_action note(uint8_t len)
{
	struct tn_action a = action(TN_ACTION_NOTE);

	a.note.len = len;
	return a;
}

static struct tn_action advertise(uint16_t least, uint16_t most)
{
	struct tn_action a = action(TN_ACTION_ADVERTISE);

	a.advertise.least = least;
	a.advertise.most = most;
	return a;
}

static struct tn_action circuit(uint32_t number, uint8_t field, uint8_t table)
{
	struct tn_action a = action(TN_ACTION_CIRCUIT);

	a.field = field;
	a.circuit.number = number;
	a.circuit.table = table;
	return a;
}

static struct tn_action if_longer(uint32_t max_len, uint16_t n_nested)
{
	struct tn_action a = action(TN_ACTION_IF_LONGER);

	a.max_len = max_len;
	a.n_nested = n_nested;
	return a;
}

static struct tn_match any_packet(void)
{
	struct tn_match m;

	tn_match_init(&m);
	return m;
}

static struct tn_match ip_packet(uint16_t eth_type, uint8_t proto)
{
	struct tn_match m = any_packet();

	tn_match_set_exact(&m, TN_FIELD_ETH_TYPE, eth_type);
	tn_match_set_exact(&m, TN_FIELD_IP_PROTO, proto);
	return m;
}

static struct tn_match tagged_packet(void)
{
	struct tn_match m = any_packet();

	tn_match_set_exact(&m, TN_FIELD_VLAN_VID, TN_VLAN_PRESENT | 10);
	return m;
}

/* TN_OF_OK, or how the list is refused; then index says where. */
static enum tn_of_error check(const struct tn_action *list, size_t n, enum tn_action_place place,
	const struct tn_match *m, int *index)
{
	struct tn_error err = {0};

	if (tn_actions_check(list, n, place, m, TABLE, &err) == 0)
		return TN_OF_OK;
	assert_int_not_equal(err.of, TN_OF_OK);
	assert_true(strlen(err.detail) > 10 && strlen(err.detail) < sizeof(err.detail) - 1);
	assert_in_range(err.index + 1, 0, n);
	if (index)
		*index = err.index;
	return err.of;
}

static enum tn_of_error check_one(struct tn_action a, enum tn_action_place place)
{
	struct tn_match m = ip_packet(0x0800, 6);

	tn_match_set_exact(&m, TN_FIELD_VLAN_VID, TN_VLAN_PRESENT | 10);
	return check(&a, 1, place, &m, NULL);
}

/* In an apply list of a flow that matches m. */
#define expect(m, of, at, ...)                                                              \
	do {                                                                                \
		const struct tn_action list_[] = {__VA_ARGS__};                             \
		const struct tn_match m_ = (m);                                             \
		int at_ = -1;                                                               \
		assert_int_equal(                                                           \
			check(list_, TN_ARRAY_SIZE(list_), TN_PLACE_APPLY, &m_, &at_), of); \
		assert_int_equal(at_, at);                                                  \
	} while (0)
#define expect_ok(m, ...) expect(m, TN_OF_OK, -1, __VA_ARGS__)

static void ports_are_ordinary_or_reserved_for_output(void **state)
{
	static const uint32_t good[] = {1, 0xffff, TN_PORT_MAX, TN_PORT_IN_PORT, TN_PORT_NORMAL,
		TN_PORT_FLOOD, TN_PORT_ALL, TN_PORT_CONTROLLER, TN_PORT_LOCAL};
	static const uint32_t bad[] = {
		0, TN_PORT_MAX + 1, TN_PORT_UNSET - 1, TN_PORT_UNSET, TN_PORT_ANY};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(good); i++) {
		for (int place = TN_PLACE_APPLY; place <= TN_PLACE_PACKET_OUT; place++)
			assert_int_equal(check_one(output(good[i]), place), TN_OF_OK);
	}
	for (size_t i = 0; i < TN_ARRAY_SIZE(bad); i++) {
		for (int place = TN_PLACE_APPLY; place <= TN_PLACE_PACKET_OUT; place++)
			assert_int_equal(check_one(output(bad[i]), place), TN_OFPBAC_BAD_OUT_PORT);
	}
	assert_int_equal(check_one(output(TN_PORT_TABLE), TN_PLACE_PACKET_OUT), TN_OF_OK);
	assert_int_equal(check_one(output(TN_PORT_TABLE), TN_PLACE_APPLY), TN_OFPBAC_BAD_OUT_PORT);
	assert_int_equal(check_one(output(TN_PORT_TABLE), TN_PLACE_WRITE), TN_OFPBAC_BAD_OUT_PORT);
	assert_int_equal(check_one(output(TN_PORT_TABLE), TN_PLACE_BUCKET), TN_OFPBAC_BAD_OUT_PORT);
}

static void output_lengths_and_reasons_are_in_range(void **state)
{
	struct tn_action a = output(1);

	(void)state;
	a.output.max_len = 13;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	a.output.max_len = 14;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OF_OK);
	a = output(TN_PORT_CONTROLLER);
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OF_OK);
	a.output.max_len = TN_CONTROLLER_MAX_LEN_WHOLE;
	a.output.reason = TN_PACKET_IN_PACKET_OUT;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OF_OK);
	a.output.reason++;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	a = action(TN_ACTION_TRUNCATE);
	a.max_len = 13;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	a.max_len = 14;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OF_OK);
}

static void groups_queues_and_notes_are_in_range(void **state)
{
	struct tn_action a = action(TN_ACTION_GROUP);

	(void)state;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OF_OK);
	a.group_id = TN_GROUP_MAX;
	assert_int_equal(check_one(a, TN_PLACE_BUCKET), TN_OF_OK);
	a.group_id = TN_GROUP_MAX + 1;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_OUT_GROUP);
	a.group_id = TN_GROUP_ANY;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_OUT_GROUP);
	a = action(TN_ACTION_SET_QUEUE);
	a.queue_id = 0xffff;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OF_OK);
	a.queue_id = UINT32_MAX;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_QUEUE);
	a = action(TN_ACTION_NOTE);
	a.note.len = TN_NOTE_MAX;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OF_OK);
	a.note.len++;
	assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_LEN);
}

/* Nothing is known of the packet. */
static enum tn_of_error check_any(struct tn_action a)
{
	return check(&a, 1, TN_PLACE_APPLY, NULL, NULL);
}

static void answers_have_arguments_in_range(void **state)
{
	static const uint8_t router6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	struct tn_action a = reply(TN_REPLY_ARP);
	struct tn_ip6 six;

	(void)state;
	memcpy(&six, router6, sizeof(six));
	assert_int_equal(check_any(a), TN_OF_OK);
	assert_int_equal(check_any(reply(0)), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_any(reply(TN_REPLY_LAST + 1)), TN_OFPBAC_BAD_ARGUMENT);
	a.reply.mac.b[0] = 1;
	assert_int_equal(check_any(a), TN_OFPBAC_BAD_ARGUMENT);
	a.reply.kind = TN_REPLY_ECHO; /* takes none */
	assert_int_equal(check_any(a), TN_OF_OK);
	for (uint8_t kind = TN_REPLY_TIME_EXCEEDED; kind <= TN_REPLY_TOO_BIG; kind++) {
		a = reply(kind);
		assert_int_equal(check_any(a), TN_OF_OK);
		a.reply.ip = tn_u128_from_ip4(0xe0000001);
		assert_int_equal(check_any(a), TN_OFPBAC_BAD_ARGUMENT);
		a.reply.ip = tn_u128_from_ip6(&six);
		assert_int_equal(check_any(a), TN_OF_OK);
		a.reply.ip = 0;
		assert_int_equal(check_any(a), TN_OFPBAC_BAD_ARGUMENT);
	}
	a = reply(TN_REPLY_TOO_BIG);
	a.reply.number = 67;
	assert_int_equal(check_any(a), TN_OFPBAC_BAD_ARGUMENT);
	a.reply.number = 68;
	assert_int_equal(check_any(a), TN_OF_OK);
	a.reply.ip = tn_u128_from_ip6(&six);
	assert_int_equal(check_any(a), TN_OFPBAC_BAD_ARGUMENT);
	a.reply.number = 65536;
	assert_int_equal(check_any(a), TN_OFPBAC_BAD_ARGUMENT);
	a = reply(TN_REPLY_DHCP4);
	assert_int_equal(check_any(a), TN_OF_OK);
	a.reply.address = 0;
	assert_int_equal(check_any(a), TN_OFPBAC_BAD_ARGUMENT);
	a = reply(TN_REPLY_DHCP6);
	assert_int_equal(check_any(a), TN_OFPBAC_BAD_ARGUMENT);
	a.reply.ip = a.reply.address = tn_u128_from_ip6(&six);
	assert_int_equal(check_any(a), TN_OF_OK);
	a.reply.address = 0;
	assert_int_equal(check_any(a), TN_OF_OK);
}

static enum tn_of_error check_data(uint8_t kind, const uint8_t *data, uint32_t n)
{
	static const uint8_t router6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	struct tn_action list[1 + TN_REPLY_NOTES_MAX];
	struct tn_ip6 six;
	uint8_t again[TN_REPLY_DATA_MAX];

	memcpy(&six, router6, sizeof(six));
	list[0] = reply(kind);
	if (kind != TN_REPLY_DHCP4)
		list[0].reply.ip = list[0].reply.address = tn_u128_from_ip6(&six);
	list[0].n_nested = tn_reply_data_notes(data, n, list + 1);
	assert_int_equal(tn_reply_data(list, again), n);
	assert_memory_equal(again, data, n);
	return check(list, 1u + list[0].n_nested, TN_PLACE_APPLY, NULL, NULL);
}

static void answers_hold_sound_data(void **state)
{
	static const uint8_t type[] = {53, 1, 2}, end[] = {255}, pad[] = {0, 0};
	static const uint8_t ra[20] = {[12] = 1, [13] = 1}, ra0[20] = {[12] = 1};
	uint8_t lease[] = {51, 4, 0, 0, 14, 16}, dns[] = {0, 23, 0, 2, 1, 2};
	uint8_t many[TN_REPLY_DATA_MAX];
	struct tn_action list[] = {reply(TN_REPLY_DHCP4), note(TN_NOTE_MAX), note(1)};

	(void)state;
	assert_int_equal(check_data(TN_REPLY_DHCP4, lease, sizeof(lease)), TN_OF_OK);
	assert_int_equal(check_data(TN_REPLY_DHCP4, lease, 1), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_DHCP4, lease, 5), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_DHCP4, type, 3), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_DHCP4, end, 1), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_DHCP4, pad, 2), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_DHCP6, dns, sizeof(dns)), TN_OF_OK);
	assert_int_equal(check_data(TN_REPLY_DHCP6, dns, 5), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_DHCP6, dns, 3), TN_OFPBAC_BAD_ARGUMENT);
	dns[2] = 1;
	assert_int_equal(check_data(TN_REPLY_DHCP6, dns, sizeof(dns)), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_RA, ra, 20), TN_OF_OK);
	assert_int_equal(check_data(TN_REPLY_RA, ra, 12), TN_OF_OK);
	assert_int_equal(check_data(TN_REPLY_RA, ra, 11), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_RA, ra, 14), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_RA, ra0, 20), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_data(TN_REPLY_ARP, lease, 1), TN_OFPBAC_BAD_ARGUMENT);
	for (unsigned i = 0; i < sizeof(many); i += 10) {
		memset(many + i, 7, 10);
		many[i + 1] = 8;
	}
	assert_int_equal(check_data(TN_REPLY_DHCP4, many, sizeof(many)), TN_OF_OK);
	/* In notes of one form. */
	list[0].n_nested = 3;
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_LEN);
	list[0].n_nested = TN_REPLY_NOTES_MAX + 1;
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_LEN);
	list[0].n_nested = 2;
	list[1].note.len--;
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_LEN);
	list[1] = output(1);
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_LEN);
	list[0].n_nested = 1;
	list[1] = note(0);
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_LEN);
}

static void answers_need_their_question(void **state)
{
	const struct {
		uint8_t kind;
		struct tn_match fits, not ;
	} cases[] = {
		{TN_REPLY_ECHO, ip_packet(0x0800, 1), ip_packet(0x0800, 6)},
		{TN_REPLY_ECHO, ip_packet(0x86dd, 58), ip_packet(0x86dd, 1)},
		{TN_REPLY_TIME_EXCEEDED, ip_packet(0x0800, 6), ip_packet(0x86dd, 6)},
		{TN_REPLY_UNREACHABLE, ip_packet(0x0800, 6), any_packet()},
		{TN_REPLY_TOO_BIG, ip_packet(0x0800, 17), ip_packet(0x86dd, 17)},
		{TN_REPLY_DHCP4, ip_packet(0x0800, 17), ip_packet(0x86dd, 17)},
	};
	struct tn_action list[2] = {reply(TN_REPLY_ECHO), set(TN_FIELD_ICMPV4_TYPE, 0)};
	struct tn_match m = ip_packet(0x0800, 1);

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		struct tn_action a = reply(cases[i].kind);

		assert_int_equal(check(&a, 1, TN_PLACE_APPLY, &cases[i].fits, NULL), TN_OF_OK);
		assert_int_equal(check(&a, 1, TN_PLACE_APPLY, &cases[i].not, NULL),
			TN_OFPBAC_MATCH_INCONSISTENT);
	}
	/* What is known of the answer. */
	assert_int_equal(check(list, 2, TN_PLACE_APPLY, &m, NULL), TN_OF_OK);
	m = ip_packet(0x0800, 17);
	list[0] = reply(TN_REPLY_TIME_EXCEEDED);
	assert_int_equal(check(list, 2, TN_PLACE_APPLY, &m, NULL), TN_OF_OK);
	list[1] = set(TN_FIELD_UDP_DST, 1);
	assert_int_equal(check(list, 2, TN_PLACE_APPLY, &m, NULL), TN_OFPBAC_MATCH_INCONSISTENT);
}

static void lengths_to_compare_with_are_in_range(void **state)
{
	struct tn_action list[] = {if_longer(100, 1), output(1), output(2)};
	int index;

	(void)state;
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OF_OK);
	list[0] = if_longer(67, 1);
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_ARGUMENT);
	list[0] = if_longer(65536, 1);
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_ARGUMENT);
	list[0] = if_longer(65535, 3);
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_LEN);
	list[0] = if_longer(65535, 2);
	list[2] = action(0);
	assert_int_equal(check(list, 3, TN_PLACE_APPLY, NULL, &index), TN_OFPBAC_BAD_TYPE);
	assert_int_equal(index, 2);
}

static void vlan_arguments_are_in_range(void **state)
{
	(void)state;
	assert_int_equal(check_one(push(0x8100), TN_PLACE_APPLY), TN_OF_OK);
	assert_int_equal(check_one(push(0x88a8), TN_PLACE_APPLY), TN_OF_OK);
	assert_int_equal(check_one(push(0x8847), TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_one(push(0), TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_one(mod_vid(4095), TN_PLACE_APPLY), TN_OF_OK);
	assert_int_equal(check_one(mod_vid(4096), TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_one(mod_pcp(7), TN_PLACE_APPLY), TN_OF_OK);
	assert_int_equal(check_one(mod_pcp(8), TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
}

static void types_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		enum tn_of_error of = check_one(action(type), TN_PLACE_APPLY);

		if (type < TN_ACTION_OUTPUT || type > TN_ACTION_LAST)
			assert_int_equal(of, TN_OFPBAC_BAD_TYPE);
		else
			assert_int_not_equal(of, TN_OFPBAC_BAD_TYPE);
	}
}

static void read_only_fields_are_not_set(void **state)
{
	(void)state;
	for (unsigned id = 0; id < 256; id++) {
		struct tn_action a = action(TN_ACTION_SET_FIELD);

		a.field = (uint8_t)id;
		if (id < TN_N_FIELDS && tn_fields[id].writable)
			continue;
		assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_SET_TYPE);
		a.type = TN_ACTION_MOVE;
		a.move.n_bits = 1;
		assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_SET_TYPE);
	}
}

static void every_writable_field_keeps_to_its_width_and_masks(void **state)
{
	(void)state;
	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		const struct tn_field *f = &tn_fields[id];
		tn_u128 ones = tn_field_ones(id);
		struct tn_action a = set(id, ones);

		if (!f->writable)
			continue;
		assert_int_equal(check(&a, 1, TN_PLACE_PACKET_OUT, NULL, NULL), TN_OF_OK);
		a = set_masked(id, 0, 0);
		assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_SET_MASK);
		a = set_masked(id, 1, 1);
		assert_int_equal(check(&a, 1, TN_PLACE_PACKET_OUT, NULL, NULL),
			f->maskable ? TN_OF_OK : TN_OFPBAC_BAD_SET_MASK);
		if (f->bits == 128)
			continue;
		a = set(id, ones + 1);
		assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_SET_ARGUMENT);
		a = set_masked(id, 0, ones + 1);
		assert_int_equal(check_one(a, TN_PLACE_APPLY), TN_OFPBAC_BAD_SET_MASK);
	}
}

static void set_vlan_vid_keeps_the_tag(void **state)
{
	(void)state;
	expect_ok(tagged_packet(), set(TN_FIELD_VLAN_VID, TN_VLAN_PRESENT | 5));
	expect_ok(tagged_packet(), set_masked(TN_FIELD_VLAN_VID, 5, 0x0fff));
	expect(tagged_packet(), TN_OFPBAC_BAD_SET_ARGUMENT, 0, set(TN_FIELD_VLAN_VID, 5));
	expect(tagged_packet(), TN_OFPBAC_BAD_SET_ARGUMENT, 0,
		set_masked(TN_FIELD_VLAN_VID, 0, TN_VLAN_PRESENT));
	expect(tagged_packet(), TN_OFPBAC_BAD_SET_ARGUMENT, 0,
		move(TN_FIELD_REG0, TN_FIELD_VLAN_VID, 13));
	expect_ok(tagged_packet(), move(TN_FIELD_REG0, TN_FIELD_VLAN_VID, 12));
	expect_ok(tagged_packet(), move(TN_FIELD_VLAN_VID, TN_FIELD_REG0, 13));
}

static void moves_stay_inside_both_fields(void **state)
{
	struct tn_match m = ip_packet(0x0800, 6);
	struct tn_action a;

	(void)state;
	expect_ok(m, move(TN_FIELD_IPV4_SRC, TN_FIELD_IPV4_DST, 32));
	expect_ok(m, move(TN_FIELD_TUN_SRC, TN_FIELD_TUN_DST, 128));
	expect_ok(m, move(TN_FIELD_IP_PROTO, TN_FIELD_REG1, 8));
	expect(m, TN_OFPBAC_BAD_SET_LEN, 0, move(TN_FIELD_IPV4_SRC, TN_FIELD_IPV4_DST, 0));
	expect(m, TN_OFPBAC_BAD_SET_LEN, 0, move(TN_FIELD_IPV4_SRC, TN_FIELD_METADATA, 33));
	expect(m, TN_OFPBAC_BAD_SET_LEN, 0, move(TN_FIELD_METADATA, TN_FIELD_IPV4_SRC, 33));
	a = move(TN_FIELD_ETH_SRC, TN_FIELD_REG0, 17);
	a.move.src_ofs = 31;
	expect_ok(m, a);
	a.move.src_ofs = 32;
	expect(m, TN_OFPBAC_BAD_SET_LEN, 0, a);
	a.move.src_ofs = 0;
	a.move.dst_ofs = 15;
	expect_ok(m, a);
	a.move.dst_ofs = 16;
	expect(m, TN_OFPBAC_BAD_SET_LEN, 0, a);
	a.move.dst_ofs = 255;
	a.move.n_bits = 255;
	expect(m, TN_OFPBAC_BAD_SET_LEN, 0, a);
	a = move(TN_N_FIELDS, TN_FIELD_REG0, 1);
	expect(m, TN_OFPBAC_BAD_SET_TYPE, 0, a);
}

static void fields_need_their_prerequisites(void **state)
{
	struct tn_match any = any_packet(), tcp = ip_packet(0x0800, 6);
	struct tn_match tcp6 = ip_packet(0x86dd, 6), arp = any_packet();

	(void)state;
	tn_match_set_exact(&arp, TN_FIELD_ETH_TYPE, 0x0806);
	expect_ok(tcp, set(TN_FIELD_IPV4_SRC, 1), set(TN_FIELD_TCP_SRC, 1));
	expect_ok(tcp6, set(TN_FIELD_IPV6_SRC, 1), set(TN_FIELD_TCP_SRC, 1));
	expect(tcp, TN_OFPBAC_MATCH_INCONSISTENT, 1, set(TN_FIELD_IP_TTL, 1),
		set(TN_FIELD_UDP_SRC, 1));
	expect(tcp, TN_OFPBAC_MATCH_INCONSISTENT, 0, set(TN_FIELD_IPV6_SRC, 1));
	expect(any, TN_OFPBAC_MATCH_INCONSISTENT, 0, set(TN_FIELD_IPV4_SRC, 1));
	expect_ok(any, set(TN_FIELD_ETH_SRC, 1), set(TN_FIELD_REG0, 1), set(TN_FIELD_TUN_DST, 1));
	expect_ok(arp, set(TN_FIELD_ARP_OP, 2), move(TN_FIELD_ARP_SHA, TN_FIELD_ARP_THA, 48));
	expect(arp, TN_OFPBAC_MATCH_INCONSISTENT, 0, set(TN_FIELD_IP_DSCP, 2));
	expect(tcp, TN_OFPBAC_MATCH_INCONSISTENT, 0, move(TN_FIELD_ARP_SPA, TN_FIELD_REG0, 32));
	expect(any, TN_OFPBAC_MATCH_INCONSISTENT, 0, move(TN_FIELD_REG0, TN_FIELD_TCP_DST, 16));
	expect_ok(tcp, action(TN_ACTION_DEC_TTL));
	expect(arp, TN_OFPBAC_MATCH_INCONSISTENT, 0, action(TN_ACTION_DEC_TTL));
	expect(any, TN_OFPBAC_MATCH_INCONSISTENT, 0, action(TN_ACTION_DEC_TTL));
	expect_ok(any, action(TN_ACTION_COPY_TTL_IN), action(TN_ACTION_COPY_TTL_OUT));
}

static void an_icmpv6_type_that_is_set_counts(void **state)
{
	struct tn_match m = ip_packet(0x86dd, 58);

	(void)state;
	expect(m, TN_OFPBAC_MATCH_INCONSISTENT, 0, set(TN_FIELD_ND_TLL, 1));
	expect_ok(m, set(TN_FIELD_ICMPV6_TYPE, 136), set(TN_FIELD_ND_TLL, 1));
	tn_match_set_exact(&m, TN_FIELD_ICMPV6_TYPE, 135);
	expect_ok(m, set(TN_FIELD_ND_SLL, 1), set(TN_FIELD_ND_TARGET, 1));
	expect(m, TN_OFPBAC_MATCH_INCONSISTENT, 1, set(TN_FIELD_ICMPV6_TYPE, 136),
		set(TN_FIELD_ND_SLL, 1));
	expect(m, TN_OFPBAC_MATCH_INCONSISTENT, 1, move(TN_FIELD_REG0, TN_FIELD_ICMPV6_TYPE, 8),
		set(TN_FIELD_ND_SLL, 1));
	/* A move from a field whose bits are known says as much as a set. */
	expect_ok(m, set(TN_FIELD_REG0, 136), move(TN_FIELD_REG0, TN_FIELD_ICMPV6_TYPE, 8),
		set(TN_FIELD_ND_TLL, 1));
}

static struct tn_action move_at(unsigned src_ofs, unsigned dst_ofs, unsigned n_bits)
{
	struct tn_action a = move(TN_FIELD_REG0, TN_FIELD_ICMPV6_TYPE, n_bits);

	a.move.src_ofs = (uint8_t)src_ofs;
	a.move.dst_ofs = (uint8_t)dst_ofs;
	return a;
}

static void moved_bits_are_followed_one_by_one(void **state)
{
	struct tn_match m = ip_packet(0x86dd, 58);
	const struct tn_action tll = set(TN_FIELD_ND_TLL, 1);

	(void)state;
	expect_ok(m, set(TN_FIELD_REG0, 136 << 9), move_at(9, 0, 8), tll);
	expect(m, TN_OFPBAC_MATCH_INCONSISTENT, 2, set(TN_FIELD_REG0, 136), move_at(1, 0, 8), tll);
	expect_ok(m, set(TN_FIELD_REG0, 8), move_at(0, 0, 4), move_at(0, 4, 4), tll);
	tn_match_set_exact(&m, TN_FIELD_ICMPV6_TYPE, 136);
	expect(m, TN_OFPBAC_MATCH_INCONSISTENT, 1, move_at(0, 0, 3), tll);
}

static void tags_are_followed_through_the_list(void **state)
{
	struct tn_match any = any_packet(), tagged = tagged_packet(), untagged = any_packet();
	const struct tn_action pop = action(TN_ACTION_POP_VLAN);
	const struct tn_action vid = set(TN_FIELD_VLAN_VID, TN_VLAN_PRESENT | 5);
	const struct tn_action pcp = set(TN_FIELD_VLAN_PCP, 5);
	struct tn_match two_tags = tagged;
	const enum tn_of_error bad = TN_OFPBAC_MATCH_INCONSISTENT;

	(void)state;
	tn_match_set_exact(&untagged, TN_FIELD_VLAN_VID, 0);
	tn_match_set_exact(&two_tags, TN_FIELD_INNER_VLAN_VID, TN_VLAN_PRESENT | 6);
	expect(any, bad, 0, vid);
	expect(untagged, bad, 0, pcp);
	expect_ok(tagged, vid, pcp);
	expect(any, bad, 0, pop);
	expect(untagged, bad, 0, pop);
	expect_ok(tagged, pop);
	expect(tagged, bad, 1, pop, pop);
	expect(tagged, bad, 1, pop, vid);
	expect_ok(two_tags, pop, vid, pop);
	expect(two_tags, bad, 2, pop, pop, pop);
	expect_ok(any, push(0x8100), vid, pcp, pop);
	expect(any, bad, 2, push(0x8100), pop, vid);
	expect_ok(tagged, push(0x88a8), pop, vid, pop);
	expect_ok(any, mod_vid(5), vid, pop);
	expect_ok(any, mod_pcp(5), pcp, pop);
	expect(untagged, bad, 2, mod_pcp(5), pop, pcp);
	expect_ok(any, push(0x8100), push(0x8100), pop, vid, pop);
	expect_ok(tagged, move(TN_FIELD_VLAN_PCP, TN_FIELD_REG0, 3));
	expect(any, bad, 0, move(TN_FIELD_VLAN_VID, TN_FIELD_REG0, 12));
	expect_ok(tagged, move(TN_FIELD_INNER_VLAN_VID, TN_FIELD_REG0, 12));
}

static void nothing_known_leaves_prerequisites_to_run_time(void **state)
{
	const struct tn_action list[] = {action(TN_ACTION_POP_VLAN), set(TN_FIELD_VLAN_PCP, 1),
		set(TN_FIELD_TCP_SRC, 1), action(TN_ACTION_DEC_TTL)};

	(void)state;
	assert_int_equal(check(list, 4, TN_PLACE_PACKET_OUT, NULL, NULL), TN_OF_OK);
	assert_int_equal(check(list, 4, TN_PLACE_BUCKET, NULL, NULL), TN_OF_OK);
}

static void resubmits_go_forward(void **state)
{
	(void)state;
	assert_int_equal(check_one(resubmit(TN_PORT_IN_PORT, TABLE + 1), TN_PLACE_APPLY), TN_OF_OK);
	assert_int_equal(check_one(resubmit(9, TN_TABLE_MAX), TN_PLACE_APPLY), TN_OF_OK);
	assert_int_equal(check_one(resubmit(TN_PORT_LOCAL, 9), TN_PLACE_APPLY), TN_OF_OK);
	assert_int_equal(check_one(resubmit(TN_PORT_IN_PORT, TABLE), TN_PLACE_APPLY),
		TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(
		check_one(resubmit(TN_PORT_IN_PORT, 0), TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_one(resubmit(TN_PORT_IN_PORT, TN_TABLE_ALL), TN_PLACE_APPLY),
		TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(check_one(resubmit(TN_PORT_IN_PORT, 0), TN_PLACE_PACKET_OUT), TN_OF_OK);
	assert_int_equal(check_one(resubmit(0, 9), TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(
		check_one(resubmit(TN_PORT_FLOOD, 9), TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
	assert_int_equal(
		check_one(resubmit(TN_PORT_ANY, 9), TN_PLACE_APPLY), TN_OFPBAC_BAD_ARGUMENT);
}

static void clones_hold_what_follows(void **state)
{
	struct tn_match any = any_packet();
	const struct tn_action pop = action(TN_ACTION_POP_VLAN);

	(void)state;
	expect_ok(any, clone(0));
	expect_ok(any, clone(1), output(1), output(2));
	expect_ok(any, clone(3), clone(1), output(1), output(2), output(3));
	expect(any, TN_OFPBAC_BAD_LEN, 0, clone(1));
	expect(any, TN_OFPBAC_BAD_LEN, 1, output(1), clone(3), output(1), output(2));
	/* The inner one ends where the outer one does. */
	expect(any, TN_OFPBAC_BAD_LEN, 1, clone(2), clone(2), output(1), output(2));
	expect(any, TN_OFPBAC_BAD_OUT_PORT, 2, clone(2), output(1), output(0), output(1));
	/* What is done to the copy says nothing about the packet. */
	expect(any, TN_OFPBAC_MATCH_INCONSISTENT, 3, clone(2), push(0x8100), pop, pop);
	expect_ok(tagged_packet(), clone(1), pop, pop);
}

static void clones_nest_four_deep(void **state)
{
	struct tn_action list[6];

	(void)state;
	for (uint16_t i = 0; i < 5; i++)
		list[i] = clone((uint16_t)(5 - i));
	list[5] = output(1);
	assert_int_equal(check(list + 1, 5, TN_PLACE_APPLY, NULL, NULL), TN_OF_OK);
	assert_int_equal(check(list, 6, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_TOO_MANY);
}

static void lists_have_a_largest_length(void **state)
{
	struct tn_action *list = calloc(TN_ACTIONS_MAX + 1, sizeof(*list));
	int index = 0;

	(void)state;
	assert_non_null(list);
	for (unsigned i = 0; i <= TN_ACTIONS_MAX; i++)
		list[i] = output(1);
	assert_int_equal(check(list, TN_ACTIONS_MAX, TN_PLACE_APPLY, NULL, NULL), TN_OF_OK);
	assert_int_equal(
		check(list, TN_ACTIONS_MAX + 1, TN_PLACE_APPLY, NULL, &index), TN_OFPBAC_TOO_MANY);
	assert_int_equal(index, -1);
	assert_int_equal(check(NULL, 0, TN_PLACE_WRITE, NULL, NULL), TN_OF_OK);
	free(list);
}

static struct tn_action sound(enum tn_action_type type)
{
	switch (type) {
	case TN_ACTION_OUTPUT:
		return output(1);
	case TN_ACTION_SET_FIELD:
		return set(TN_FIELD_ETH_SRC, 1);
	case TN_ACTION_MOVE:
		return move(TN_FIELD_REG0, TN_FIELD_REG1, 32);
	case TN_ACTION_PUSH_VLAN:
		return push(0x8100);
	case TN_ACTION_RESUBMIT:
		return resubmit(TN_PORT_IN_PORT, 9);
	case TN_ACTION_TRUNCATE: {
		struct tn_action a = action(type);

		a.max_len = 64;
		return a;
	}
	case TN_ACTION_REPLY:
		return reply(TN_REPLY_ARP);
	case TN_ACTION_IF_LONGER:
		return if_longer(1500, 0);
	case TN_ACTION_CIRCUIT:
		return circuit(5, TN_FIELD_REG2, 9);
	case TN_ACTION_ADVERTISE:
		return advertise(200, 600);
	default:
		return action(type);
	}
}

static void what_advertises_begins_with_it(void **state)
{
	const struct {
		uint16_t least, most;
		enum tn_of_error of;
	} cases[] = {
		{3, 4, TN_OF_OK},
		{200, 600, TN_OF_OK},
		{1350, 1800, TN_OF_OK},
		{2, 4, TN_OFPBAC_BAD_ARGUMENT},
		{3, 3, TN_OFPBAC_BAD_ARGUMENT},
		{451, 600, TN_OFPBAC_BAD_ARGUMENT},
		{200, 1801, TN_OFPBAC_BAD_ARGUMENT},
		{0, 0, TN_OFPBAC_BAD_ARGUMENT},
	};
	const struct tn_action late[] = {action(TN_ACTION_NOTE), advertise(200, 600)};

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(cases); i++)
		assert_int_equal(
			check_one(advertise(cases[i].least, cases[i].most), TN_PLACE_APPLY),
			cases[i].of);
	assert_int_equal(check(late, 2, TN_PLACE_APPLY, NULL, NULL), TN_OFPBAC_BAD_TYPE);
	assert_int_equal(check_one(advertise(200, 600), TN_PLACE_PACKET_OUT), TN_OFPBAC_BAD_TYPE);
}

static void a_circuit_is_reached_by_a_later_table(void **state)
{
	const struct tn_action right = circuit(1, TN_FIELD_REG15, 4),
			       zero = circuit(0, TN_FIELD_REG0, 4);
	const struct tn_action field = circuit(1, TN_FIELD_METADATA, 4);
	const struct tn_action back = circuit(1, TN_FIELD_REG0, 3),
			       none = circuit(1, TN_FIELD_REG0, 255);
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_actions_check(&right, 1, TN_PLACE_APPLY, NULL, 3, &err), 0);
	assert_int_equal(tn_actions_check(&back, 1, TN_PLACE_APPLY, NULL, 3, &err), -EINVAL);
	assert_int_equal(tn_actions_check(&back, 1, TN_PLACE_APPLY, NULL, 2, &err), 0);
	assert_int_equal(tn_actions_check(&zero, 1, TN_PLACE_APPLY, NULL, 3, &err), -EINVAL);
	assert_int_equal(tn_actions_check(&field, 1, TN_PLACE_APPLY, NULL, 3, &err), -EINVAL);
	assert_int_equal(tn_actions_check(&none, 1, TN_PLACE_PACKET_OUT, NULL, 255, &err), -EINVAL);
	assert_true(tn_actions_equal(&right, 1, &right, 1));
	assert_false(tn_actions_equal(&right, 1, &back, 1));
}

static void a_set_holds_one_of_a_kind(void **state)
{
	(void)state;
	for (int type = TN_ACTION_OUTPUT; type <= TN_ACTION_LAST; type++) {
		const struct tn_action two[] = {sound(type), sound(type)};
		bool member = type != TN_ACTION_MOVE && type != TN_ACTION_RESUBMIT &&
			!tn_action_nests((uint8_t)type) &&
			(type < TN_ACTION_NOTE || type == TN_ACTION_POP_QUEUE);
		enum tn_of_error again =
			type == TN_ACTION_SET_FIELD ? TN_OF_OK : TN_OFPBAC_UNSUPPORTED_ORDER;

		for (int place = TN_PLACE_WRITE; place <= TN_PLACE_BUCKET; place++) {
			member |= type == TN_ACTION_RESUBMIT && place == TN_PLACE_BUCKET;
			assert_int_equal(check(two, 1, place, NULL, NULL),
				member ? TN_OF_OK : TN_OFPBAC_BAD_TYPE);
			assert_int_equal(check(two, 2, place, NULL, NULL),
				member ? again : TN_OFPBAC_BAD_TYPE);
		}
		assert_int_equal(check(two, 2, TN_PLACE_APPLY, NULL, NULL),
			type == TN_ACTION_ADVERTISE ? TN_OFPBAC_BAD_TYPE : TN_OF_OK);
	}
}

static void a_set_is_checked_in_its_own_order(void **state)
{
	const struct tn_action queues[] = {
		action(TN_ACTION_SET_QUEUE), action(TN_ACTION_POP_QUEUE)};
	const struct tn_action nd[] = {set(TN_FIELD_ND_TLL, 1), set(TN_FIELD_ICMPV6_TYPE, 136)};
	const struct tn_action vlan[] = {set(TN_FIELD_VLAN_PCP, 1), action(TN_ACTION_POP_VLAN)};
	const struct tn_action tcp[] = {output(1), set(TN_FIELD_TCP_SRC, 1)};
	struct tn_match any = any_packet(), icmp = ip_packet(0x86dd, 58);
	int index = -1;

	(void)state;
	assert_int_equal(check(queues, 2, TN_PLACE_WRITE, &any, NULL), TN_OFPBAC_UNSUPPORTED_ORDER);
	assert_int_equal(check(nd, 2, TN_PLACE_WRITE, &icmp, NULL), TN_OF_OK);
	assert_int_equal(check(nd, 1, TN_PLACE_WRITE, &icmp, NULL), TN_OFPBAC_MATCH_INCONSISTENT);
	/* Another table may write the push. */
	assert_int_equal(check(vlan, 2, TN_PLACE_WRITE, &any, NULL), TN_OF_OK);
	assert_int_equal(check(tcp, 2, TN_PLACE_WRITE, &any, &index), TN_OFPBAC_MATCH_INCONSISTENT);
	assert_int_equal(index, 1);
}

static void instructions_are_checked_together(void **state)
{
	const struct tn_action apply[] = {set(TN_FIELD_ICMPV6_TYPE, 136)};
	const struct tn_action write[] = {set(TN_FIELD_ND_TLL, 1), output(1)};
	const struct tn_action bad[] = {output(1), output(0)};
	struct tn_match m = ip_packet(0x86dd, 58);
	struct tn_instructions inst;
	struct tn_error err = {0};

	(void)state;
	tn_instructions_init(&inst);
	assert_int_equal(tn_instructions_check(&inst, &m, TABLE, &err), 0);
	inst.write = write;
	inst.n_write = 2;
	assert_int_not_equal(tn_instructions_check(&inst, &m, TABLE, &err), 0);
	assert_int_equal(err.of, TN_OFPBAC_MATCH_INCONSISTENT);
	/* The set runs after the list. */
	inst.apply = apply;
	inst.n_apply = 1;
	assert_int_equal(tn_instructions_check(&inst, &m, TABLE, &err), 0);
	inst.apply = bad;
	inst.n_apply = 2;
	assert_int_not_equal(tn_instructions_check(&inst, &m, TABLE, &err), 0);
	assert_int_equal(err.of, TN_OFPBAC_BAD_OUT_PORT);
	assert_int_equal(err.index, 1);
}

static void tables_and_meters_of_instructions_are_in_range(void **state)
{
	struct tn_match any = any_packet();
	struct tn_instructions inst;
	struct tn_error err = {0};

	(void)state;
	tn_instructions_init(&inst);
	inst.meter_id = TN_METER_MAX;
	inst.metadata = 1;
	inst.metadata_mask = UINT64_MAX;
	for (unsigned to = 0; to <= TN_TABLE_MAX; to++) {
		inst.goto_table = (uint8_t)to;
		assert_int_equal(tn_instructions_check(&inst, &any, TABLE, &err) == 0, to > TABLE);
		if (to <= TABLE)
			assert_int_equal(err.of, TN_OFPBIC_BAD_TABLE_ID);
		assert_int_equal(tn_instructions_check(&inst, &any, TN_TABLE_ALL, &err), 0);
	}
	inst.goto_table = TN_GOTO_NONE;
	inst.meter_id = TN_METER_MAX + 1;
	assert_int_not_equal(tn_instructions_check(&inst, &any, TABLE, &err), 0);
	assert_int_equal(err.of, TN_OFPBAC_BAD_METER);
	assert_int_equal(err.index, -1);
}

static void equality_is_of_what_matters(void **state)
{
	struct tn_action a[TN_ACTION_LAST + 1], b[TN_ACTION_LAST + 1];
	size_t n = 0;

	(void)state;
	for (int type = TN_ACTION_OUTPUT; type <= TN_ACTION_LAST; type++)
		a[n++] = sound(type);
	memcpy(b, a, sizeof(b));
	assert_true(tn_actions_equal(a, n, b, n));
	assert_true(tn_actions_equal(a, 0, NULL, 0));
	assert_false(tn_actions_equal(a, n, b, n - 1));
	for (size_t i = 0; i < n; i++) {
		b[i].pad = 1; /* nothing of an action */
		assert_true(tn_actions_equal(a, n, b, n));
		b[i].type =
			a[i].type == TN_ACTION_POP_VLAN ? TN_ACTION_DEC_TTL : TN_ACTION_POP_VLAN;
		assert_false(tn_actions_equal(a, n, b, n));
		b[i] = a[i];
	}
	a[0] = set_masked(TN_FIELD_REG0, 0xf1, 0x0f);
	b[0] = set_masked(TN_FIELD_REG0, 0x01, 0x0f);
	assert_true(tn_actions_equal(a, 1, b, 1));
	b[0].set.value = 2;
	assert_false(tn_actions_equal(a, 1, b, 1));
	a[0] = output(1);
	b[0] = output(1);
	b[0].output.reason = 0; /* only a packet-in has one */
	assert_true(tn_actions_equal(a, 1, b, 1));
	b[0].output.max_len = 64;
	assert_false(tn_actions_equal(a, 1, b, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_ordinary_or_reserved_for_output),
		cmocka_unit_test(output_lengths_and_reasons_are_in_range),
		cmocka_unit_test(groups_queues_and_notes_are_in_range),
		cmocka_unit_test(answers_have_arguments_in_range),
		cmocka_unit_test(answers_hold_sound_data),
		cmocka_unit_test(answers_need_their_question),
		cmocka_unit_test(lengths_to_compare_with_are_in_range),
		cmocka_unit_test(vlan_arguments_are_in_range),
		cmocka_unit_test(types_that_do_not_exist_are_refused),
		cmocka_unit_test(read_only_fields_are_not_set),
		cmocka_unit_test(every_writable_field_keeps_to_its_width_and_masks),
		cmocka_unit_test(set_vlan_vid_keeps_the_tag),
		cmocka_unit_test(moves_stay_inside_both_fields),
		cmocka_unit_test(fields_need_their_prerequisites),
		cmocka_unit_test(an_icmpv6_type_that_is_set_counts),
		cmocka_unit_test(moved_bits_are_followed_one_by_one),
		cmocka_unit_test(tags_are_followed_through_the_list),
		cmocka_unit_test(nothing_known_leaves_prerequisites_to_run_time),
		cmocka_unit_test(resubmits_go_forward),
		cmocka_unit_test(clones_hold_what_follows),
		cmocka_unit_test(clones_nest_four_deep),
		cmocka_unit_test(lists_have_a_largest_length),
		cmocka_unit_test(a_circuit_is_reached_by_a_later_table),
		cmocka_unit_test(what_advertises_begins_with_it),
		cmocka_unit_test(a_set_holds_one_of_a_kind),
		cmocka_unit_test(a_set_is_checked_in_its_own_order),
		cmocka_unit_test(instructions_are_checked_together),
		cmocka_unit_test(tables_and_meters_of_instructions_are_in_range),
		cmocka_unit_test(equality_is_of_what_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
