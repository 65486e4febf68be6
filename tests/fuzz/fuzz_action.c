/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> a match and two action lists -> their checks. What is accepted must keep the promises
 * that the pipeline builds on: canonical matches, arguments in range, nesting that adds up.
 */
#include "dataplane/core/action.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

#define LIST_MAX 24u

static tn_u128 take_value(struct fuzz_input *in, enum tn_field_id id)
{
	unsigned bytes = (tn_fields[id].bits + 7u) / 8u;
	tn_u128 v = 0;

	fuzz_take(in, &v, bytes);
	return v;
}

/* By the codecs' way: a field at a time. */
static void take_match(struct fuzz_input *in, struct tn_match *m)
{
	unsigned n = fuzz_take8(in) & 15;

	tn_match_init(m);
	for (unsigned i = 0; i < n; i++) {
		uint8_t how = fuzz_take8(in);
		enum tn_field_id id = (enum tn_field_id)(fuzz_take8(in) % TN_N_FIELDS);
		tn_u128 value = take_value(in, id);
		tn_u128 mask = how & 1 ? take_value(in, id) : tn_field_ones(id);
		struct tn_error err = {0};
		struct tn_match before = *m;

		if (tn_match_set(m, id, value, mask, &err)) {
			fuzz_require(err.of != TN_OF_OK && err.detail[0]);
			fuzz_require(tn_match_equal(m, &before));
		} else if (mask != 0) {
			fuzz_require(tn_match_mask(m, id) == mask);
			fuzz_require(tn_match_value(m, id) == (value & mask));
		}
	}
}

static void take_action(struct fuzz_input *in, struct tn_action *a)
{
	uint8_t type = fuzz_take8(in);

	/* Mostly types that exist, sometimes any byte. */
	a->type = type < 240 ? (uint8_t)(1 + type % TN_ACTION_LAST) : (uint8_t)fuzz_take8(in);
	a->field = fuzz_take8(in);
	a->n_nested = fuzz_take8(in) & 7;
	switch (a->type) {
	case TN_ACTION_SET_FIELD:
		if (a->field < 240)
			a->field %= TN_N_FIELDS;
		if (a->field >= TN_N_FIELDS)
			break;
		a->set.value = take_value(in, (enum tn_field_id)a->field);
		a->set.mask = fuzz_take8(in) & 1 ? take_value(in, (enum tn_field_id)a->field)
						 : tn_field_ones((enum tn_field_id)a->field);
		break;
	case TN_ACTION_NOTE:
		a->note.len = fuzz_take8(in);
		break;
	case TN_ACTION_FDB:
	case TN_ACTION_MCAST: /* the codecs know true and false alone */
		a->known.local = fuzz_take8(in) & 1;
		a->known.routers = fuzz_take8(in) & 1;
		break;
	case TN_ACTION_CIRCUIT:
		if (a->field < 240)
			a->field = TN_FIELD_REG0 + (a->field & 15);
		fuzz_take(in, &a->circuit, 8);
		break;
	case TN_ACTION_PUSH_VLAN:
		a->ethertype = fuzz_take8(in) & 1 ? 0x8100 : 0x88a8;
		break;
	case TN_ACTION_REPLY:
		a->reply.kind = fuzz_take8(in) % (TN_REPLY_LAST + 2);
		a->reply.ip = take_value(in, TN_FIELD_TUN_SRC);
		a->reply.address = take_value(in, TN_FIELD_TUN_SRC);
		a->reply.mac.b[0] = fuzz_take8(in);
		a->reply.number = fuzz_take16(in);
		break;
	default:
		/* Covers every other member, little-endian, in declaration order. */
		fuzz_take(in, &a->output, 8);
		break;
	}
}

static unsigned take_list(struct fuzz_input *in, struct tn_action *list)
{
	unsigned n = fuzz_take8(in) % (LIST_MAX + 1);

	memset(list, 0, LIST_MAX * sizeof(*list));
	for (unsigned i = 0; i < n; i++)
		take_action(in, &list[i]);
	return n;
}

static void require_sane(const struct tn_action *list, size_t n, enum tn_action_place place)
{
	bool set = place == TN_PLACE_WRITE || place == TN_PLACE_BUCKET;

	for (size_t i = 0; i < n; i++) {
		const struct tn_action *a = &list[i];

		switch (a->type) {
		case TN_ACTION_SET_FIELD:
			fuzz_require(tn_fields[a->field].writable && a->set.mask != 0);
			fuzz_require(!((a->set.value | a->set.mask) &
				~tn_field_ones((enum tn_field_id)a->field)));
			break;
		case TN_ACTION_MOVE:
			fuzz_require(!set && tn_fields[a->field].writable);
			fuzz_require(
				a->move.src_ofs + a->move.n_bits <= tn_fields[a->move.src].bits);
			fuzz_require(a->move.dst_ofs + a->move.n_bits <= tn_fields[a->field].bits);
			break;
		case TN_ACTION_CLONE:
		case TN_ACTION_IF_LONGER:
			fuzz_require(!set && i + a->n_nested < n);
			break;
		case TN_ACTION_LEARN:
		case TN_ACTION_FDB:
		case TN_ACTION_SNOOP:
		case TN_ACTION_MCAST:
			fuzz_require(!set);
			break;
		case TN_ACTION_ADVERTISE:
			fuzz_require(place == TN_PLACE_APPLY && i == 0);
			break;
		case TN_ACTION_CIRCUIT:
			fuzz_require(!set && a->circuit.number && a->field >= TN_FIELD_REG0 &&
				a->field <= TN_FIELD_REG15);
			break;
		case TN_ACTION_REPLY:
			fuzz_require(!set && i + a->n_nested < n);
			fuzz_require(
				a->reply.kind >= TN_REPLY_ARP && a->reply.kind <= TN_REPLY_LAST);
			break;
		case TN_ACTION_RESUBMIT:
			fuzz_require(place != TN_PLACE_WRITE);
			fuzz_require(a->resubmit.table <= TN_TABLE_MAX);
			break;
		case TN_ACTION_NOTE:
			fuzz_require(!set && a->note.len <= TN_NOTE_MAX);
			break;
		default:
			fuzz_require(a->type >= TN_ACTION_OUTPUT && a->type <= TN_ACTION_LAST);
			break;
		}
	}
}

static void check_one(const struct tn_action *list, size_t n, enum tn_action_place place,
	const struct tn_match *m, uint8_t table)
{
	struct tn_error err = {0};

	if (tn_actions_check(list, n, place, m, table, &err)) {
		fuzz_require(err.of != TN_OF_OK && err.detail[0]);
		fuzz_require(err.index >= -1 && err.index < (int)n);
		return;
	}
	require_sane(list, n, place);
	/* Knowing less of the packet refuses no more. */
	if (m)
		fuzz_require(tn_actions_check(list, n, place, NULL, table, &err) == 0);
	fuzz_require(tn_actions_equal(list, n, list, n));
}

static void check_match(const struct tn_match *m, uint64_t seed)
{
	struct tn_error err = {0};
	struct tn_match copy;

	if (tn_match_check(m, &err)) {
		fuzz_require(err.of != TN_OF_OK && err.detail[0]);
		return;
	}
	fuzz_require(tn_match_subsumes(m, m) && tn_match_overlaps(m, m));
	fuzz_require(tn_match_key(m, &m->value));
	fuzz_require(tn_flow_id(seed, (uint8_t)seed, (uint16_t)seed, m) != 0);
	/* Its fields make the same match again. */
	tn_match_init(&copy);
	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		if (tn_match_fields(m) >> id & 1)
			fuzz_require(tn_match_set(&copy, (enum tn_field_id)id,
					     tn_match_value(m, (enum tn_field_id)id),
					     tn_match_mask(m, (enum tn_field_id)id), &err) == 0);
	}
	fuzz_require(tn_match_equal(m, &copy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct tn_action apply[LIST_MAX], write[LIST_MAX];
	struct tn_instructions inst;
	struct tn_match m;
	struct tn_error err = {0};
	uint8_t table = fuzz_take8(&in);

	take_match(&in, &m);
	check_match(&m, fuzz_take64(&in));

	tn_instructions_init(&inst);
	inst.apply = apply;
	inst.n_apply = (uint16_t)take_list(&in, apply);
	inst.write = write;
	inst.n_write = (uint16_t)take_list(&in, write);
	inst.goto_table = fuzz_take8(&in);
	inst.meter_id = (uint32_t)fuzz_take64(&in);
	check_one(apply, inst.n_apply, TN_PLACE_APPLY, &m, table);
	check_one(apply, inst.n_apply, TN_PLACE_PACKET_OUT, NULL, table);
	check_one(write, inst.n_write, TN_PLACE_WRITE, &m, table);
	check_one(write, inst.n_write, TN_PLACE_BUCKET, NULL, table);
	if (tn_instructions_check(&inst, &m, table, &err))
		fuzz_require(err.of != TN_OF_OK && err.detail[0]);
	else
		fuzz_require(tn_actions_check(
				     apply, inst.n_apply, TN_PLACE_APPLY, &m, table, &err) == 0);
	return 0;
}
