/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever the switch may hold reads back as the same: random flows, groups and meters are printed
 * and parsed, and the text of what was parsed is the text it was parsed from.
 */
#include "tests/unit/model/ofctl_helper.h"

#define N_FLOWS	 10000
#define N_GROUPS 2000
#define N_METERS 1000
#define LIST_MAX 32u

/* splitmix64: the same flows in every run. */
static uint64_t seed = 1;

static uint64_t draw(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned below(unsigned n)
{
	return (unsigned)(draw() % n);
}

static bool one_in(unsigned n)
{
	return below(n) == 0;
}

static tn_u128 draw_u128(void)
{
	return (tn_u128)draw() << 64 | draw();
}

static uint32_t draw_port(void)
{
	static const uint32_t special[] = {TN_PORT_IN_PORT, TN_PORT_NORMAL, TN_PORT_FLOOD,
		TN_PORT_ALL, TN_PORT_CONTROLLER, TN_PORT_LOCAL, 0xff00, 0xfffe, 0xffff, 0x10000,
		TN_PORT_MAX, 1};

	return one_in(3) ? special[below(TN_ARRAY_SIZE(special))] : 1 + below(70000);
}

/* Values near the edges as often as any; addresses of tunnels are often IPv4. */
static tn_u128 draw_value(enum tn_field_id id)
{
	if (id == TN_FIELD_IN_PORT || id == TN_FIELD_IN_PHY_PORT)
		return draw_port();
	if ((id == TN_FIELD_TUN_SRC || id == TN_FIELD_TUN_DST) && one_in(2))
		return tn_u128_from_ip4((uint32_t)draw());
	if (id == TN_FIELD_VLAN_VID && !one_in(8))
		return below(4096) | TN_VLAN_PRESENT;
	switch (below(4)) {
	case 0:
		return 0;
	case 1:
		return tn_field_ones(id);
	case 2:
		return below(16) & tn_field_ones(id);
	default:
		return draw_u128() & tn_field_ones(id);
	}
}

static tn_u128 draw_mask(enum tn_field_id id, bool maskable)
{
	tn_u128 ones = tn_field_ones(id);

	if (!maskable || one_in(2))
		return ones;
	switch (below(4)) {
	case 0:
		return draw_u128() & ones;
	case 1: /* an IPv4 prefix in a tunnel field, too */
		return ones &
			~(((tn_u128)1 << below(33 < tn_fields[id].bits ? 33 : tn_fields[id].bits)) -
				1);
	default:
		return ones & ~(((tn_u128)1 << below(tn_fields[id].bits)) - 1);
	}
}

static void add_field(struct tn_match *m, enum tn_field_id id, tn_u128 value, tn_u128 mask)
{
	struct tn_match with = *m;
	struct tn_error err;

	if (!tn_match_set(&with, id, value, mask, &err) && !tn_match_check(&with, &err))
		*m = with;
}

static struct tn_match draw_match(void)
{
	static const uint16_t eth_types[] = {
		0x0800, 0x86dd, 0x0806, 0x8035, 0x8847, 0x88cc, 0x05ff};
	static const uint8_t protos[] = {6, 17, 132, 1, 58, 0, 2, 255};
	struct tn_match m;

	tn_match_init(&m);
	if (!one_in(4))
		add_field(&m, TN_FIELD_ETH_TYPE, eth_types[below(one_in(3) ? 7 : 2)], 0xffff);
	if (!one_in(4))
		add_field(&m, TN_FIELD_IP_PROTO, protos[below(TN_ARRAY_SIZE(protos))], 0xff);
	if (one_in(2))
		add_field(&m, TN_FIELD_ICMPV6_TYPE, 135 + below(2), 0xff);
	for (unsigned n = below(12); n > 0; n--) {
		enum tn_field_id id = (enum tn_field_id)below(TN_N_FIELDS);

		add_field(&m, id, draw_value(id), draw_mask(id, tn_fields[id].maskable));
	}
	return m;
}

static struct tn_action draw_output(void)
{
	struct tn_action a = {.type = TN_ACTION_OUTPUT};

	a.output.port = draw_port();
	a.output.reason = TN_REASON_DEFAULT;
	if (a.output.port == TN_PORT_CONTROLLER) {
		a.output.max_len = one_in(2) ? 0xffff : (uint16_t)draw();
		if (one_in(2))
			a.output.reason = (uint8_t)below(TN_PACKET_IN_PACKET_OUT + 1);
	} else if (one_in(4)) {
		a.output.max_len = (uint16_t)(14 + below(65522));
	}
	return a;
}

static struct tn_action draw_set(void)
{
	struct tn_action a = {.type = TN_ACTION_SET_FIELD, .field = (uint8_t)below(TN_N_FIELDS)};
	enum tn_field_id id = (enum tn_field_id)a.field;

	a.set.mask = draw_mask(id, tn_fields[id].maskable);
	a.set.value = draw_value(id) & a.set.mask;
	return a;
}

static struct tn_action draw_move(void)
{
	struct tn_action a = {.type = TN_ACTION_MOVE, .field = (uint8_t)below(TN_N_FIELDS)};
	unsigned src_bits, dst_bits, n;

	a.move.src = (uint8_t)below(TN_N_FIELDS);
	src_bits = tn_fields[a.move.src].bits;
	dst_bits = tn_fields[a.field].bits;
	n = src_bits < dst_bits ? src_bits : dst_bits;
	n = one_in(2) ? n : 1 + below(n);
	a.move.n_bits = (uint8_t)n;
	a.move.src_ofs = (uint8_t)below(src_bits - n + 1);
	a.move.dst_ofs = (uint8_t)below(dst_bits - n + 1);
	return a;
}

static struct tn_action draw_note(void)
{
	struct tn_action a = {.type = TN_ACTION_NOTE};

	a.note.len = (uint8_t)below(TN_NOTE_MAX + 1);
	for (unsigned i = 0; i < a.note.len; i++)
		a.note.data[i] = (uint8_t)draw();
	return a;
}

/* Without data: options are to be sound, and other tests give such. */
static struct tn_action draw_reply(void)
{
	struct tn_action a = {.type = TN_ACTION_REPLY};
	bool six;

	a.reply.kind = (uint8_t)(1 + below(TN_REPLY_LAST - 1));
	six = a.reply.kind == TN_REPLY_DHCP6 || (a.reply.kind != TN_REPLY_DHCP4 && one_in(2));
	a.reply.ip = six ? (tn_u128)0x20010db8 << 96 | draw() : tn_u128_from_ip4((uint32_t)draw());
	a.reply.address = six ? a.reply.ip + 1 : tn_u128_from_ip4((uint32_t)draw());
	for (unsigned i = 1; i < sizeof(a.reply.mac.b); i++)
		a.reply.mac.b[i] = (uint8_t)draw();
	a.reply.number = 1280 + below(9000);
	a.reply.code = (uint8_t)draw();
	a.reply.router = one_in(2);
	return a;
}

static struct tn_action draw_action(void)
{
	struct tn_action a = {.type = (uint8_t)(1 + below(TN_ACTION_LAST))};

	if (one_in(2)) /* most of these are refused: their fields need a match */
		return one_in(3) ? draw_move() : draw_set();
	switch ((enum tn_action_type)a.type) {
	case TN_ACTION_OUTPUT:
		return draw_output();
	case TN_ACTION_GROUP:
		a.group_id = (uint32_t)draw();
		break;
	case TN_ACTION_SET_FIELD:
		return draw_set();
	case TN_ACTION_MOVE:
		return draw_move();
	case TN_ACTION_PUSH_VLAN:
		a.ethertype = one_in(2) ? 0x8100 : 0x88a8;
		break;
	case TN_ACTION_MOD_VLAN_VID:
		a.vlan_vid = (uint16_t)below(4096);
		break;
	case TN_ACTION_MOD_VLAN_PCP:
		a.vlan_pcp = (uint8_t)below(8);
		break;
	case TN_ACTION_SET_QUEUE:
		a.queue_id = below(65536);
		break;
	case TN_ACTION_TRUNCATE:
		a.max_len = (uint32_t)draw();
		break;
	case TN_ACTION_RESUBMIT:
		a.resubmit.in_port = one_in(2) ? TN_PORT_IN_PORT : draw_port();
		a.resubmit.table = (uint8_t)draw();
		break;
	case TN_ACTION_NOTE:
		return draw_note();
	case TN_ACTION_REPLY:
		return draw_reply();
	case TN_ACTION_IF_LONGER:
		a.max_len = 68 + below(9000);
		break;
	case TN_ACTION_LEARN:
		a.limit = one_in(2) ? 0 : (uint32_t)draw();
		break;
	case TN_ACTION_MCAST:
		a.known.routers = one_in(2);
		a.known.local = one_in(2);
		break;
	case TN_ACTION_FDB:
		a.known.local = one_in(2);
		break;
	case TN_ACTION_ADVERTISE:
		a.advertise.most = (uint16_t)(4 + below(1797));
		a.advertise.least = (uint16_t)(3 + below(a.advertise.most - 3u));
		break;
	case TN_ACTION_CIRCUIT:
		a.circuit.number = 1 + (uint32_t)draw() / 2;
		a.circuit.table = (uint8_t)below(TN_TABLE_MAX + 1);
		a.field = (uint8_t)(TN_FIELD_REG0 + below(16));
		break;
	default:
		break;
	}
	return a;
}

/* Where a list stands. */
struct place {
	enum tn_action_place place;
	const struct tn_match *match;
	uint8_t table;
};

/* Adds what the check lets through; a clone holds what fits into it. */
static size_t draw_list(struct tn_action list[LIST_MAX], const struct place *p)
{
	size_t n = 0;

	for (unsigned tries = below(20); tries > 0 && n + 4 < LIST_MAX; tries--) {
		struct tn_error err;
		size_t more = 1;

		list[n] = draw_action();
		if (list[n].type == TN_ACTION_CLONE || list[n].type == TN_ACTION_IF_LONGER) {
			list[n].n_nested = (uint16_t)below(4);
			for (unsigned i = 0; i < list[n].n_nested; i++) {
				list[n + more] = draw_action();
				if (list[n + more].type == TN_ACTION_CLONE)
					list[n + more].n_nested =
						(uint16_t)(list[n].n_nested - 1 - i);
				more++;
			}
		}
		if (!tn_actions_check(list, n + more, p->place, p->match, p->table, &err))
			n += more;
	}
	return n;
}

static void draw_flow(
	struct tn_flow_info *f, struct tn_action apply[LIST_MAX], struct tn_action write[LIST_MAX])
{
	struct place p = {TN_PLACE_APPLY, &f->match, 0};
	struct tn_error err;

	memset(f, 0, sizeof(*f));
	f->table_id = (uint8_t)(one_in(2) ? 0 : below(TN_TABLE_MAX));
	f->priority = one_in(3) ? TN_PRIORITY_DEFAULT : (uint16_t)draw();
	f->cookie = one_in(2) ? 0 : draw();
	f->idle_timeout = one_in(2) ? 0 : (uint16_t)draw();
	f->hard_timeout = one_in(2) ? 0 : (uint16_t)draw();
	f->importance = one_in(2) ? 0 : (uint16_t)draw();
	f->flags = (uint16_t)below(32);
	f->match = draw_match();
	p.table = f->table_id;
	tn_instructions_init(&f->inst);
	f->inst.apply = apply;
	f->inst.n_apply = (uint16_t)draw_list(apply, &p);
	p.place = TN_PLACE_WRITE;
	f->inst.write = write;
	f->inst.n_write = (uint16_t)(one_in(2) ? 0 : draw_list(write, &p));
	f->inst.clear_actions = one_in(4);
	f->inst.meter_id = one_in(4) ? 1 + below(TN_METER_MAX) : 0;
	f->inst.metadata_mask = one_in(4) ? draw() : one_in(4) ? UINT64_MAX : 0;
	f->inst.metadata = draw() & f->inst.metadata_mask;
	if (one_in(3))
		f->inst.goto_table = (uint8_t)(f->table_id + 1u);
	/* The write list follows what the apply list did to the packet. */
	if (tn_instructions_check(&f->inst, &f->match, f->table_id, &err))
		f->inst.n_write = 0;
	assert_int_equal(tn_instructions_check(&f->inst, &f->match, f->table_id, &err), 0);
	assert_int_equal(tn_match_check(&f->match, &err), 0);
}

static void check_same_flow(
	const struct tn_flow_info *f, const struct tn_flow_mod *fm, const char *text)
{
	const struct tn_instructions *a = &f->inst, *b = &fm->inst;
	bool same = f->table_id == fm->table_id && f->priority == fm->priority &&
		f->cookie == fm->cookie && f->idle_timeout == fm->idle_timeout &&
		f->hard_timeout == fm->hard_timeout && f->importance == fm->importance &&
		f->flags == fm->flags && a->meter_id == b->meter_id &&
		a->clear_actions == b->clear_actions && a->metadata == b->metadata &&
		a->metadata_mask == b->metadata_mask && a->goto_table == b->goto_table;

	if (!same)
		fail_msg("another flow: %s", text);
	if (!tn_match_equal(&f->match, &fm->match))
		fail_msg("another match: %s", text);
	if (!tn_actions_equal(a->apply, a->n_apply, b->apply, b->n_apply) ||
		!tn_actions_equal(a->write, a->n_write, b->write, b->n_write))
		fail_msg("other actions: %s", text);
}

static void flows(void **state)
{
	(void)state;
	for (int i = 0; i < N_FLOWS; i++) {
		struct tn_action apply[LIST_MAX], write[LIST_MAX];
		struct tn_flow_info f, again;
		struct tn_flow_mod fm;
		struct bench b;
		char *text, *dump, *second;

		draw_flow(&f, apply, write);
		bench_init(&b, NULL);
		text = tn_ofctl_print_flow(&f, NULL, false, 0);
		if (tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, text, strlen(text), &fm))
			fail_msg("%s\ncolumn %u: %s", text, b.diag.list[0].column,
				b.diag.list[0].detail);
		check_same_flow(&f, &fm, text);
		again = info_of(&fm);
		second = tn_ofctl_print_flow(&again, NULL, false, 0);
		assert_string_equal(text, second);
		dump = tn_ofctl_print_flow(&f, NULL, true, draw());
		assert_int_equal(
			tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, dump, strlen(dump), &fm), 0);
		check_same_flow(&f, &fm, dump);
		free(text);
		free(dump);
		free(second);
		bench_fini(&b);
	}
}

#define BUCKETS_MAX 4u

static void draw_group(struct tn_group_info *g, struct tn_bucket_info buckets[BUCKETS_MAX],
	struct tn_action lists[BUCKETS_MAX][LIST_MAX])
{
	const struct place p = {TN_PLACE_BUCKET, NULL, TN_TABLE_ALL};

	memset(g, 0, sizeof(*g));
	g->group_id = below(TN_GROUP_MAX) + 1;
	g->type = (enum tn_group_type)below(4);
	if (g->type == TN_GROUP_TYPE_SELECT)
		g->selection = (enum tn_selection_method)below(3);
	if (g->selection != TN_SELECT_DEFAULT && one_in(2))
		g->selection_param = draw();
	if (g->selection == TN_SELECT_HASH)
		g->hash_fields = draw() & draw() & draw() & ((UINT64_C(1) << TN_N_FIELDS) - 1);
	g->buckets = buckets;
	g->n_buckets = below(g->type == TN_GROUP_TYPE_INDIRECT ? 2 : BUCKETS_MAX + 1);
	for (uint32_t i = 0; i < g->n_buckets; i++) {
		struct tn_bucket *bucket = &buckets[i].bucket;

		memset(&buckets[i], 0, sizeof(buckets[i]));
		bucket->bucket_id = i * 1000 + below(1000);
		bucket->weight = g->type == TN_GROUP_TYPE_SELECT ? (uint16_t)draw() : 0;
		bucket->watch_port = one_in(2) ? TN_PORT_ANY : 1 + below(70000);
		bucket->watch_group =
			bucket->watch_port != TN_PORT_ANY && one_in(2) ? TN_GROUP_ANY : below(1000);
		bucket->actions = lists[i];
		bucket->n_actions = (uint16_t)draw_list(lists[i], &p);
	}
}

static void check_same_group(
	const struct tn_group_info *g, const struct tn_group_mod *gm, const char *text)
{
	if (g->group_id != gm->group_id || g->type != gm->type || g->selection != gm->selection ||
		g->hash_fields != gm->hash_fields || g->selection_param != gm->selection_param ||
		g->n_buckets != gm->n_buckets)
		fail_msg("another group: %s", text);
	for (uint32_t i = 0; i < g->n_buckets; i++) {
		const struct tn_bucket *a = &g->buckets[i].bucket, *b = &gm->buckets[i];

		if (a->bucket_id != b->bucket_id || a->weight != b->weight ||
			a->watch_port != b->watch_port || a->watch_group != b->watch_group ||
			!tn_actions_equal(a->actions, a->n_actions, b->actions, b->n_actions))
			fail_msg("another bucket: %s", text);
	}
}

static void groups(void **state)
{
	(void)state;
	for (int i = 0; i < N_GROUPS; i++) {
		struct tn_action lists[BUCKETS_MAX][LIST_MAX];
		struct tn_bucket_info buckets[BUCKETS_MAX];
		struct tn_group_info g;
		struct tn_group_mod gm;
		struct bench b;
		char *text;

		draw_group(&g, buckets, lists);
		bench_init(&b, NULL);
		text = tn_ofctl_print_group(&g, NULL);
		if (tn_ofctl_parse_group(&b.o, TN_GROUP_ADD, text, strlen(text), &gm))
			fail_msg("%s\ncolumn %u: %s", text, b.diag.list[0].column,
				b.diag.list[0].detail);
		check_same_group(&g, &gm, text);
		free(text);
		bench_fini(&b);
	}
}

static void meters(void **state)
{
	static const uint32_t units[] = {TN_METER_KBPS, TN_METER_PKTPS, TN_METER_BYTEPS};

	(void)state;
	for (int i = 0; i < N_METERS; i++) {
		struct tn_band bands[TN_METER_BANDS_MAX];
		struct tn_meter_mod mm = {.bands = bands}, again;
		struct tn_meter *meter;
		struct bench b;
		char *text;

		mm.meter_id = 1 + below(TN_METER_MAX);
		mm.flags = units[below(3)] | (one_in(2) ? TN_METER_BURST : 0u) |
			(one_in(2) ? TN_METER_STATS : 0u);
		mm.n_bands = (uint16_t)(1 + below(TN_METER_BANDS_MAX));
		for (unsigned j = 0; j < mm.n_bands; j++) {
			bands[j] = (struct tn_band){.type = TN_BAND_DROP, .rate = 1 + below(~0u)};
			if (mm.flags & TN_METER_BURST)
				bands[j].burst = (uint32_t)draw();
			if (one_in(2)) {
				bands[j].type = TN_BAND_DSCP_REMARK;
				bands[j].prec_level = (uint8_t)(1 + below(255));
			}
		}
		bench_init(&b, NULL);
		meter = tn_arena_alloc(&b.arena, tn_meter_size(mm.n_bands));
		tn_meter_init(meter, &mm, 0);
		text = tn_ofctl_print_meter(meter);
		if (tn_ofctl_parse_meter(&b.o, TN_METER_ADD, text, strlen(text), &again))
			fail_msg("%s\n%s", text, b.diag.list[0].detail);
		assert_int_equal(again.meter_id, mm.meter_id);
		assert_int_equal(again.flags, mm.flags);
		assert_int_equal(again.n_bands, mm.n_bands);
		for (unsigned j = 0; j < mm.n_bands; j++) {
			assert_int_equal(again.bands[j].type, bands[j].type);
			assert_int_equal(again.bands[j].rate, bands[j].rate);
			assert_int_equal(again.bands[j].burst, bands[j].burst);
			assert_int_equal(again.bands[j].prec_level, bands[j].prec_level);
		}
		free(text);
		bench_fini(&b);
	}
}

/* Damaged text is refused or read, and never more than that. */
static void damaged_text(void **state)
{
	static const char junk[] = "=,:()/*+-|[]\"\\. \t0x9azreg->";

	(void)state;
	for (int i = 0; i < N_FLOWS; i++) {
		struct tn_action apply[LIST_MAX], write[LIST_MAX];
		struct tn_flow_info f;
		struct tn_flow_mod fm;
		struct bench b;
		char *text;
		size_t len;

		draw_flow(&f, apply, write);
		bench_init(&b, NULL);
		text = tn_ofctl_print_flow(&f, NULL, one_in(2), 0);
		len = strlen(text);
		for (unsigned n = 1 + below(3); n > 0; n--)
			text[below((unsigned)len)] = junk[below(sizeof(junk) - 1)];
		if (one_in(3))
			len = below((unsigned)len);
		if (tn_ofctl_parse_flow(&b.o, TN_OFCTL_ANY, text, len, &fm)) {
			assert_true(b.diag.n > 0);
			for (size_t j = 0; j < b.diag.n; j++)
				assert_in_range(b.diag.list[j].column, 1, len + 1);
		} else {
			assert_int_equal(b.diag.n, 0);
		}
		free(text);
		bench_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows),
		cmocka_unit_test(groups),
		cmocka_unit_test(meters),
		cmocka_unit_test(damaged_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
