/* SPDX-License-Identifier: BSD-3-Clause */
/* Treatments: the instructions of a flow and the action set of a bucket, both directions. */
#include "control/model/json_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Errors of one list that are looked for after the first. */
#define ERRORS_MAX 32u

/* A treatment while it is read: what it means, and where each part of it stands. */
struct treatment {
	struct tn_json_actions apply, write;
	struct tn_instructions inst;
	tn_json_ref at, meter, table, metadata;
	bool no_action;
};

static void treatment_fini(struct treatment *t)
{
	free(t->apply.list);
	free(t->apply.at);
	free(t->write.list);
	free(t->write.at);
}

/* Reading: instructions that are no actions. */

static bool once(struct tn_json_reader *r, tn_json_ref v, const char *type, tn_json_ref *seen)
{
	if (*seen)
		return tn_json_error(r, v, TN_OFPBIC_DUP_INST,
			"a flow has at most one %s instruction; remove this one", type);
	*seen = v;
	return true;
}

static bool read_meter(struct tn_json_reader *r, tn_json_ref v, struct treatment *t)
{
	static const char what[] = "instruction METER";
	bool ok = tn_json_only(r, v, what, (const char *const[]){"type", "meterId", NULL});
	tn_json_ref m = tn_json_needed(r, v, what, "meterId");
	uint64_t id;

	if (!once(r, v, "METER", &t->meter) || !m ||
		!tn_json_unsigned(r, m, 1, TN_METER_MAX, TN_OFPBAC_BAD_METER, &id))
		return false;
	t->inst.meter_id = (uint32_t)id;
	return ok;
}

static bool read_goto(struct tn_json_reader *r, tn_json_ref v, struct treatment *t)
{
	static const char what[] = "instruction TABLE";
	bool ok = tn_json_only(r, v, what, (const char *const[]){"type", "tableId", NULL});
	tn_json_ref m = tn_json_needed(r, v, what, "tableId");

	if (!once(r, v, "TABLE", &t->table) || !m ||
		!tn_json_table(r, m, TN_OFPBIC_BAD_TABLE_ID, &t->inst.goto_table))
		return false;
	return ok;
}

static bool read_metadata(struct tn_json_reader *r, tn_json_ref v, struct treatment *t)
{
	static const char what[] = "instruction METADATA";
	bool ok = tn_json_only(
		r, v, what, (const char *const[]){"type", "metadata", "metadataMask", NULL});
	tn_json_ref m = tn_json_needed(r, v, what, "metadata");
	tn_json_ref mask = tn_json_member(r, v, "metadataMask");

	t->inst.metadata_mask = UINT64_MAX;
	if (!once(r, v, "METADATA", &t->metadata) || !m ||
		!tn_json_unsigned(r, m, 0, UINT64_MAX, TN_OFPBIC_UNSUP_METADATA, &t->inst.metadata))
		return false;
	if (mask &&
		!tn_json_unsigned(r, mask, 0, UINT64_MAX, TN_OFPBIC_UNSUP_METADATA_MASK,
			&t->inst.metadata_mask))
		return false;
	t->inst.metadata &= t->inst.metadata_mask;
	return ok;
}

/* Reading: lists. */

static bool read_instruction(struct tn_json_reader *r, tn_json_ref v, struct treatment *t)
{
	struct tn_json_string type;

	if (!tn_json_read_type(r, v, "instruction", &type)) {
		t->apply.lost = true;
		return false;
	}
	if (tn_json_string_is(type, "METER"))
		return read_meter(r, v, t);
	if (tn_json_string_is(type, "TABLE"))
		return read_goto(r, v, t);
	if (tn_json_string_is(type, "METADATA"))
		return read_metadata(r, v, t);
	if (tn_json_string_is(type, "NOACTION")) {
		t->no_action = true;
		return tn_json_only(
			r, v, "instruction NOACTION", (const char *const[]){"type", NULL});
	}
	return tn_json_read_action(r, v, type, &t->apply);
}

static bool read_instructions(struct tn_json_reader *r, tn_json_ref array, struct treatment *t)
{
	tn_json_ref v = tn_json_first(array);
	bool ok = true;
	uint32_t i;

	if (!tn_json_is_array(r, array, "an array of instructions"))
		return false;
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v))
		ok &= read_instruction(r, v, t);
	return ok;
}

static bool read_deferred(struct tn_json_reader *r, tn_json_ref array, struct treatment *t)
{
	tn_json_ref v = tn_json_first(array);
	struct tn_json_string type;
	bool ok = true;
	uint32_t i;

	if (!tn_json_is_array(r, array, "an array of actions"))
		return false;
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v)) {
		if (!tn_json_read_type(r, v, "instruction", &type)) {
			t->write.lost = true;
			ok = false;
		} else {
			ok &= tn_json_read_action(r, v, type, &t->write);
		}
	}
	return ok;
}

/* Checking: every action that is wrong, not the first alone. */

/* How many actions list[i] is with those it holds. */
static size_t action_span(const struct tn_action *list, size_t n, size_t i)
{
	size_t held = tn_action_nests(list[i].type) ? list[i].n_nested : 0;

	return 1 + (held < n - i ? held : n - i - 1);
}

/* Takes list[i] with what it holds out of the list. */
static void remove_action(struct tn_json_actions *l, size_t i)
{
	size_t span = action_span(l->list, l->n, i), k;

	for (k = 0; k < i; k++)
		if (tn_action_nests(l->list[k].type) && k + l->list[k].n_nested >= i)
			l->list[k].n_nested -= (uint16_t)span;
	memmove(&l->list[i], &l->list[i + span], (l->n - i - span) * sizeof(*l->list));
	memmove(&l->at[i], &l->at[i + span], (l->n - i - span) * sizeof(*l->at));
	l->n -= span;
}

/* Says what is wrong with l->list[i] and takes it out, so that what follows can be looked at. */
static void refuse_action(
	struct tn_json_reader *r, struct tn_json_actions *l, const struct tn_error *err)
{
	size_t i = (size_t)err->index;
	uint8_t type = l->list[i].type;

	/* What it needs may have been refused before it. */
	if (!(err->of == TN_OFPBAC_MATCH_INCONSISTENT && l->lost))
		tn_json_error(r, l->at[i], err->of, "%s", err->detail);
	if (type == TN_ACTION_PUSH_VLAN || type == TN_ACTION_MOD_VLAN_VID ||
		type == TN_ACTION_MOD_VLAN_PCP)
		l->lost = true;
	remove_action(l, i);
}

static bool refuse_rest(
	struct tn_json_reader *r, const struct treatment *t, const struct tn_error *err)
{
	tn_json_ref at = t->at;

	if (err->of == TN_OFPBIC_BAD_TABLE_ID && t->table)
		at = t->table;
	else if (err->of == TN_OFPBAC_BAD_METER && t->meter)
		at = t->meter;
	return tn_json_error(r, at, err->of, "%s", err->detail);
}

static bool check_treatment(
	struct tn_json_reader *r, struct treatment *t, const struct tn_match *match, uint8_t table)
{
	struct tn_error err, first;
	bool ok = true;
	unsigned i;

	t->write.lost |= t->apply.lost;
	for (i = 0; i < ERRORS_MAX; i++) {
		t->inst.apply = t->apply.list;
		t->inst.n_apply = (uint16_t)t->apply.n;
		t->inst.write = t->write.list;
		t->inst.n_write = (uint16_t)t->write.n;
		if (!tn_instructions_check(&t->inst, match, table, &err))
			return ok;
		ok = false;
		if (err.index < 0)
			return refuse_rest(r, t, &err);
		/* Positions count from the start of either list: is it the first one's? */
		if (tn_actions_check(
			    t->apply.list, t->apply.n, TN_PLACE_APPLY, match, table, &first))
			refuse_action(r, &t->apply, &first);
		else
			refuse_action(r, &t->write, &err);
		t->write.lost |= t->apply.lost;
	}
	return false;
}

static void keep_treatment(
	struct tn_arena *arena, const struct treatment *t, struct tn_instructions *inst)
{
	*inst = t->inst;
	inst->apply = inst->write = NULL;
	inst->n_apply = inst->n_write = 0;
	if (t->apply.n && !t->no_action) {
		inst->n_apply = (uint16_t)t->apply.n;
		inst->apply =
			tn_arena_dup(arena, t->apply.list, t->apply.n * sizeof(*t->apply.list));
	}
	if (t->write.n) {
		inst->n_write = (uint16_t)t->write.n;
		inst->write =
			tn_arena_dup(arena, t->write.list, t->write.n * sizeof(*t->write.list));
	}
}

static bool read_parts(struct tn_json_reader *r, tn_json_ref v, struct treatment *t)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("instructions"), TN_JSON_KEY("deferred"), TN_JSON_KEY("clearDeferred")};
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	bool ok;

	t->at = v;
	if (!tn_json_is_object(r, v, "an object with \"instructions\""))
		return false;
	ok = tn_json_members(r, v, "treatment", keys, TN_ARRAY_SIZE(keys), m);
	if (m[0])
		ok &= read_instructions(r, m[0], t);
	if (m[1])
		ok &= read_deferred(r, m[1], t);
	if (m[2])
		ok &= tn_json_bool(r, m[2], &t->inst.clear_actions);
	return ok;
}

bool tn_json_read_treatment(struct tn_json_reader *r, tn_json_ref v, const struct tn_match *match,
	uint8_t table, struct tn_instructions *inst)
{
	struct treatment t = {0};
	bool ok;

	tn_instructions_init(&t.inst);
	ok = read_parts(r, v, &t);
	ok &= check_treatment(r, &t, match, table);
	if (ok)
		keep_treatment(r->codec->arena, &t, inst);
	treatment_fini(&t);
	return ok;
}

/* A bucket is an action set, a packet-out a list: whatever is more than actions is refused. */
static bool actions_only(
	struct tn_json_reader *r, const struct treatment *t, enum tn_action_place place)
{
	const char *what = place == TN_PLACE_BUCKET ? "bucket" : "packet-out";
	enum tn_of_error of = place == TN_PLACE_BUCKET ? TN_OFPGMFC_BAD_BUCKET : TN_OFPBAC_BAD_TYPE;
	tn_json_ref extra = t->meter ? t->meter : t->table ? t->table : t->metadata;

	if (extra)
		return tn_json_error(r, extra, TN_OFPBAC_BAD_TYPE,
			"a %s holds actions only; METER, TABLE and METADATA belong to flows", what);
	if (t->write.n)
		return tn_json_error(r, t->at, of,
			"a %s has one list of actions; move \"deferred\" to \"instructions\"",
			what);
	if (t->inst.clear_actions)
		return tn_json_error(
			r, t->at, of, "a %s has no set to clear; remove \"clearDeferred\"", what);
	return true;
}

bool tn_json_read_actions_treatment(struct tn_json_reader *r, tn_json_ref v,
	enum tn_action_place place, const struct tn_action **actions, uint16_t *n)
{
	struct tn_instructions inst;
	struct treatment t = {0};
	struct tn_error err;
	bool ok;
	unsigned i;

	tn_instructions_init(&t.inst);
	ok = read_parts(r, v, &t);
	ok &= actions_only(r, &t, place);
	for (i = 0; i < ERRORS_MAX; i++) {
		if (!tn_actions_check(t.apply.list, t.apply.n, place, NULL, 0, &err))
			break;
		ok = false;
		if (err.index < 0) {
			tn_json_error(r, v, err.of, "%s", err.detail);
			break;
		}
		refuse_action(r, &t.apply, &err);
	}
	if (ok) {
		keep_treatment(r->codec->arena, &t, &inst);
		*actions = inst.apply;
		*n = inst.n_apply;
	}
	treatment_fini(&t);
	return ok;
}

/* Writing. */

static void append(json_t *array, const char *type, const char *key, json_t *value)
{
	json_t *o = json_object();

	json_object_set_new(o, "type", json_string(type));
	if (key)
		json_object_set_new(o, key, value);
	json_array_append_new(array, o);
}

static void append_metadata(json_t *array, const struct tn_instructions *inst)
{
	json_t *o = json_object();

	json_object_set_new(o, "type", json_string("METADATA"));
	json_object_set_new(o, "metadata", tn_json_from_u64(inst->metadata));
	if (inst->metadata_mask != UINT64_MAX)
		json_object_set_new(o, "metadataMask", tn_json_from_u64(inst->metadata_mask));
	json_array_append_new(array, o);
}

static json_t *decimal(uint32_t v)
{
	char s[16];

	snprintf(s, sizeof(s), "%u", v);
	return json_string(s);
}

json_t *tn_json_write_treatment(const struct tn_instructions *inst)
{
	json_t *treatment = json_object(),
	       *array = tn_json_write_actions(inst->apply, inst->n_apply);

	if (inst->meter_id)
		append(array, "METER", "meterId", decimal(inst->meter_id));
	if (inst->metadata_mask)
		append_metadata(array, inst);
	if (inst->goto_table != TN_GOTO_NONE)
		append(array, "TABLE", "tableId", decimal(inst->goto_table));
	if (json_array_size(array) == 0 && inst->n_write == 0 && !inst->clear_actions)
		append(array, "NOACTION", NULL, NULL);
	json_object_set_new(treatment, "instructions", array);
	json_object_set_new(
		treatment, "deferred", tn_json_write_actions(inst->write, inst->n_write));
	if (inst->clear_actions)
		json_object_set_new(treatment, "clearDeferred", json_true());
	return treatment;
}

json_t *tn_json_write_bucket_treatment(const struct tn_action *actions, size_t n)
{
	struct tn_instructions inst;

	tn_instructions_init(&inst);
	inst.apply = actions;
	inst.n_apply = (uint16_t)n;
	return tn_json_write_treatment(&inst);
}
