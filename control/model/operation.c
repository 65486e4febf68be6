/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/operation.h"

#include <stdio.h>
#include <string.h>

/* --- reading ---------------------------------------------------------------------------------- */

enum flow_key {
	TABLE,
	PRIORITY,
	SELECTOR,
	TREATMENT,
	COOKIE,
	COOKIE_MASK,
	NEW_COOKIE,
	OUT_PORT,
	OUT_GROUP,
	APP,
	DEVICE,
};

/* After DEVICE: what a flow that was read has beside; it says nothing here. */
static const struct tn_json_key flow_keys[] = {
	[TABLE] = TN_JSON_KEY("tableId"),
	[PRIORITY] = TN_JSON_KEY("priority"),
	[SELECTOR] = TN_JSON_KEY("selector"),
	[TREATMENT] = TN_JSON_KEY("treatment"),
	[COOKIE] = TN_JSON_KEY("cookie"),
	[COOKIE_MASK] = TN_JSON_KEY("cookieMask"),
	[NEW_COOKIE] = TN_JSON_KEY("newCookie"),
	[OUT_PORT] = TN_JSON_KEY("outPort"),
	[OUT_GROUP] = TN_JSON_KEY("outGroup"),
	[APP] = TN_JSON_KEY("appId"),
	[DEVICE] = TN_JSON_KEY("deviceId"),
	TN_JSON_KEY("id"),
	TN_JSON_KEY("state"),
	TN_JSON_KEY("failure"),
	TN_JSON_KEY("failureName"),
	TN_JSON_KEY("generation"),
	TN_JSON_KEY("life"),
	TN_JSON_KEY("liveType"),
	TN_JSON_KEY("lastSeen"),
	TN_JSON_KEY("packets"),
	TN_JSON_KEY("bytes"),
	TN_JSON_KEY("tableName"),
	TN_JSON_KEY("groupId"),
	TN_JSON_KEY("isPermanent"),
	TN_JSON_KEY("timeout"),
	TN_JSON_KEY("hardTimeout"),
	TN_JSON_KEY("importance"),
	TN_JSON_KEY("flags"),
};

static const char *const flow_ops[] = {
	[TN_FLOW_ADD] = "add",
	[TN_FLOW_MODIFY] = "modify",
	[TN_FLOW_MODIFY_STRICT] = "modify_strict",
	[TN_FLOW_DELETE] = "delete",
	[TN_FLOW_DELETE_STRICT] = "delete_strict",
	NULL,
};

static const char *const group_ops[] = {
	[TN_GROUP_ADD] = "add",
	[TN_GROUP_MODIFY] = "modify",
	[TN_GROUP_DELETE] = "delete",
	[TN_GROUP_INSERT_BUCKET] = "insert_bucket",
	[TN_GROUP_INSERT_BUCKET + 1] = "", /* no command has this number */
	[TN_GROUP_REMOVE_BUCKET] = "remove_bucket",
	NULL,
};

static const char *const meter_ops[] = {
	[TN_METER_ADD] = "add",
	[TN_METER_MODIFY] = "modify",
	[TN_METER_DELETE] = "delete",
	NULL,
};

/* -1 after a diagnostic. */
static int read_op(struct tn_json_reader *r, tn_json_ref v, const char *const *words)
{
	char found[96], near[96];

	for (int i = 0; v->type == TN_JSON_STRING && words[i]; i++)
		if (*words[i] && tn_json_string_is(v->string, words[i]))
			return i;
	near[0] = '\0';
	if (v->type == TN_JSON_STRING)
		(void)tn_json_suggest(v->string, words, near, sizeof(near));
	(void)tn_json_error(r, v, TN_OFPBRC_BAD_TYPE, "\"op\" is %s, which is nothing to do here%s",
		tn_json_describe(v, found, sizeof(found)), near);
	return -1;
}

static bool read_table(struct tn_json_reader *r, tn_json_ref v, bool strict, struct tn_flow_mod *fm)
{
	if (!v) {
		fm->table_id = strict ? 0 : TN_TABLE_ALL;
		return true;
	}
	if (!strict && v->type == TN_JSON_STRING && tn_json_string_is(v->string, "ALL")) {
		fm->table_id = TN_TABLE_ALL;
		return true;
	}
	return tn_json_table(r, v, TN_OFPFMFC_BAD_TABLE_ID, &fm->table_id);
}

static bool read_cookies(struct tn_json_reader *r, const tn_json_ref *m, struct tn_flow_mod *fm)
{
	bool ok = true;

	if (m[COOKIE])
		ok &= tn_json_unsigned(r, m[COOKIE], 0, UINT64_MAX, TN_OF_OK, &fm->cookie);
	if (m[COOKIE_MASK])
		ok &= tn_json_unsigned(
			r, m[COOKIE_MASK], 0, UINT64_MAX, TN_OF_OK, &fm->cookie_mask);
	if (!m[NEW_COOKIE])
		return ok;
	fm->set_cookie = true;
	return tn_json_unsigned(r, m[NEW_COOKIE], 0, UINT64_MAX, TN_OF_OK, &fm->new_cookie) && ok;
}

static bool read_filters(struct tn_json_reader *r, const tn_json_ref *m, struct tn_flow_mod *fm)
{
	bool deletes = fm->command == TN_FLOW_DELETE || fm->command == TN_FLOW_DELETE_STRICT;
	uint64_t group;
	bool ok = true;

	for (int i = OUT_PORT; i <= OUT_GROUP; i++)
		if (m[i] && !deletes)
			ok = tn_json_error(r, m[i], TN_OF_OK,
				"\"%s\" chooses flows to delete; take it out of a modify",
				flow_keys[i].name);
	if (m[NEW_COOKIE] && deletes)
		ok = tn_json_error(r, m[NEW_COOKIE], TN_OF_OK,
			"\"newCookie\" is for modify; take it out of a delete");
	if (m[OUT_PORT])
		ok &= tn_json_port(r, m[OUT_PORT], TN_OFPBAC_BAD_OUT_PORT, &fm->out_port);
	if (m[OUT_GROUP]) {
		ok &= tn_json_unsigned(
			r, m[OUT_GROUP], 0, TN_GROUP_MAX, TN_OFPBAC_BAD_OUT_GROUP, &group);
		fm->out_group = (uint32_t)group;
	}
	return ok;
}

static bool read_strict_priority(
	struct tn_json_reader *r, tn_json_ref v, tn_json_ref m, bool strict, struct tn_flow_mod *fm)
{
	uint64_t priority;

	if (!m)
		return !strict ||
			tn_json_error(r, v, TN_OF_OK,
				"a strict operation needs \"priority\": 0 to 65535");
	if (!tn_json_unsigned(r, m, 0, UINT16_MAX, TN_OFPFMFC_BAD_PRIORITY, &priority))
		return false;
	if (strict)
		fm->priority = (uint16_t)priority;
	return true;
}

/* Which flows, and for a modify what becomes of them. */
static bool read_choice(struct tn_json_reader *r, tn_json_ref v, struct tn_flow_mod *fm)
{
	bool modifies = fm->command == TN_FLOW_MODIFY || fm->command == TN_FLOW_MODIFY_STRICT;
	bool strict = fm->command == TN_FLOW_MODIFY_STRICT || fm->command == TN_FLOW_DELETE_STRICT;
	tn_json_ref m[TN_ARRAY_SIZE(flow_keys)];
	bool ok, sure = true;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a flow must be an object");
	ok = tn_json_members(r, v, "a flow", flow_keys, TN_ARRAY_SIZE(flow_keys), m);
	ok &= read_strict_priority(r, v, m[PRIORITY], strict, fm);
	ok &= read_table(r, m[TABLE], strict, fm);
	ok &= read_cookies(r, m, fm);
	ok &= read_filters(r, m, fm);
	ok &= tn_json_read_app(r, v, &fm->owner);
	ok &= tn_json_read_device(r, v);
	if (m[SELECTOR])
		ok &= tn_json_read_selector(r, m[SELECTOR], &fm->match, &sure);
	if (m[TREATMENT] && modifies)
		ok &= tn_json_read_treatment(r, m[TREATMENT], sure ? &fm->match : NULL,
			fm->table_id == TN_TABLE_ALL ? 0 : fm->table_id, &fm->inst);
	return ok;
}

static bool read_flow_op(
	struct tn_json_reader *r, tn_json_ref op, tn_json_ref v, struct tn_model_operation *out)
{
	int command = read_op(r, op, flow_ops);

	if (command < 0)
		return false;
	out->mod.kind = TN_MOD_FLOW;
	out->mod.flow = &out->flow;
	if (command == TN_FLOW_ADD)
		return tn_json_read_flow(r, v, &out->flow);
	tn_flow_mod_init(&out->flow);
	out->flow.command = (enum tn_flow_command)command;
	return read_choice(r, v, &out->flow);
}

static bool read_command_bucket(struct tn_json_reader *r, tn_json_ref v, uint32_t *id)
{
	uint64_t number;

	if (v->type == TN_JSON_STRING) {
		if (tn_json_string_is(v->string, "FIRST"))
			*id = TN_BUCKET_FIRST;
		else if (tn_json_string_is(v->string, "LAST"))
			*id = TN_BUCKET_LAST;
		else if (tn_json_string_is(v->string, "ALL"))
			*id = TN_BUCKET_ALL;
		else
			return tn_json_error(r, v, TN_OFPGMFC_BAD_BUCKET,
				"\"commandBucketId\" is FIRST, LAST, ALL or a bucket's number");
		return true;
	}
	if (!tn_json_unsigned(r, v, 0, TN_BUCKET_MAX, TN_OFPGMFC_BAD_BUCKET, &number))
		return false;
	*id = (uint32_t)number;
	return true;
}

/* A delete and the ones of single buckets: the group's number and little else. */
static bool read_group_choice(struct tn_json_reader *r, tn_json_ref v, struct tn_group_mod *gm)
{
	static const char *const keys[] = {"groupId", "commandBucketId", "buckets", "type", "appId",
		"deviceId", "appCookie", NULL};
	bool inserts = gm->command == TN_GROUP_INSERT_BUCKET;
	tn_json_ref id, where, buckets;
	uint64_t number;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a group must be an object");
	if (!tn_json_only(r, v, "the group of this operation", keys))
		return false;
	id = tn_json_needed(r, v, "the group of this operation", "groupId");
	if (!id || !tn_json_read_app(r, v, &gm->owner) || !tn_json_read_device(r, v))
		return false;
	if (gm->command == TN_GROUP_DELETE && id->type == TN_JSON_STRING &&
		tn_json_string_is(id->string, "ALL"))
		number = TN_GROUP_ALL;
	else if (!tn_json_unsigned(r, id, 0, TN_GROUP_MAX, TN_OFPGMFC_INVALID_GROUP, &number))
		return false;
	gm->group_id = (uint32_t)number;
	where = tn_json_member(r, v, "commandBucketId");
	gm->command_bucket_id = inserts ? TN_BUCKET_LAST : TN_BUCKET_ALL;
	if (where && !read_command_bucket(r, where, &gm->command_bucket_id))
		return false;
	if (!inserts)
		return true;
	buckets = tn_json_needed(r, v, "an insert_bucket", "buckets");
	return buckets && tn_json_read_buckets(r, buckets, tn_json_member(r, v, "type"), gm);
}

static bool read_group_op(
	struct tn_json_reader *r, tn_json_ref op, tn_json_ref v, struct tn_model_operation *out)
{
	int command = read_op(r, op, group_ops);

	if (command < 0)
		return false;
	out->mod.kind = TN_MOD_GROUP;
	out->mod.group = &out->group;
	if (command == TN_GROUP_ADD || command == TN_GROUP_MODIFY) {
		if (!tn_json_read_group(r, v, &out->group))
			return false;
		out->group.command = (enum tn_group_command)command;
		return true;
	}
	out->group = (struct tn_group_mod){.command = (enum tn_group_command)command};
	return read_group_choice(r, v, &out->group);
}

static bool read_meter_choice(struct tn_json_reader *r, tn_json_ref v, struct tn_meter_mod *mm)
{
	static const char *const keys[] = {"index", "id", "appId", "deviceId", "scope", "unit",
		"bands", "burst", "stats", NULL};
	tn_json_ref id;
	uint64_t number;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a meter must be an object");
	if (!tn_json_only(r, v, "the meter of a delete", keys) || !tn_json_read_device(r, v) ||
		!tn_json_read_app(r, v, &mm->owner))
		return false;
	id = tn_json_member(r, v, "id");
	if (!id)
		id = tn_json_needed(r, v, "the meter of a delete", "index");
	if (!id)
		return false;
	if (id->type == TN_JSON_STRING && tn_json_string_is(id->string, "ALL"))
		number = TN_METER_ALL;
	else if (!tn_json_unsigned(r, id, 1, TN_METER_MAX, TN_OFPMMFC_INVALID_METER, &number))
		return false;
	mm->meter_id = (uint32_t)number;
	return true;
}

static bool read_meter_op(
	struct tn_json_reader *r, tn_json_ref op, tn_json_ref v, struct tn_model_operation *out)
{
	int command = read_op(r, op, meter_ops);

	if (command < 0)
		return false;
	out->mod.kind = TN_MOD_METER;
	out->mod.meter = &out->meter;
	if (command == TN_METER_DELETE) {
		out->meter = (struct tn_meter_mod){.command = TN_METER_DELETE};
		return read_meter_choice(r, v, &out->meter);
	}
	if (!tn_json_read_meter(r, v, &out->meter))
		return false;
	out->meter.command = (enum tn_meter_command)command;
	return true;
}

bool tn_json_read_frame(
	struct tn_json_reader *r, tn_json_ref v, const uint8_t **frame, uint32_t *len)
{
	uint8_t *bytes;
	uint32_t n;

	if (v->type != TN_JSON_STRING || v->string.len % 2 || v->string.len < 28)
		return tn_json_error(r, v, TN_OFPBRC_BAD_PACKET,
			"\"frame\" is the frame in hex digits, two a byte, 14 bytes or more");
	n = v->string.len / 2;
	if (n > TN_MODEL_FRAME_MAX)
		return tn_json_error(r, v, TN_OFPBRC_BAD_PACKET,
			"a frame of %u bytes; give at most %u", n, TN_MODEL_FRAME_MAX);
	bytes = tn_arena_alloc(r->codec->arena, n);
	for (uint32_t i = 0; i < n; i++) {
		int high = tn_json_hex_digit(v->string.p[2 * i]);
		int low = tn_json_hex_digit(v->string.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return tn_json_error(r, v, TN_OFPBRC_BAD_PACKET,
				"\"frame\" has something else than hex digits at its byte %u", i);
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*frame = bytes;
	*len = n;
	return true;
}

bool tn_json_read_packet_out(struct tn_json_reader *r, tn_json_ref v, struct tn_model_packet_out *p)
{
	static const char *const keys[] = {"inPort", "frame", "treatment", "deviceId", NULL};
	tn_json_ref port, frame, treatment;
	bool ok;

	*p = (struct tn_model_packet_out){.in_port = TN_PORT_CONTROLLER};
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a packet-out must be an object");
	ok = tn_json_only(r, v, "a packet-out", keys);
	ok &= tn_json_read_device(r, v);
	port = tn_json_member(r, v, "inPort");
	if (port)
		ok &= tn_json_port(r, port, TN_OFPBRC_BAD_PORT, &p->in_port);
	frame = tn_json_needed(r, v, "a packet-out", "frame");
	ok &= frame && tn_json_read_frame(r, frame, &p->frame, &p->frame_len);
	treatment = tn_json_needed(r, v, "a packet-out", "treatment");
	return treatment &&
		tn_json_read_actions_treatment(
			r, treatment, TN_PLACE_PACKET_OUT, &p->actions, &p->n_actions) &&
		ok;
}

bool tn_json_read_operation(struct tn_json_reader *r, tn_json_ref v, struct tn_model_operation *out)
{
	static const char *const keys[] = {"op", "flow", "group", "meter", "packetOut", NULL};
	static const char *const packet_out_ops[] = {"packet-out", NULL};
	tn_json_ref op, flow, group, meter, packet_out;

	memset(out, 0, sizeof(*out));
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK,
			"an operation must be an object with \"op\" and what it is about");
	op = tn_json_needed(r, v, "an operation", "op");
	if (!tn_json_only(r, v, "an operation", keys) || !op)
		return false;
	flow = tn_json_member(r, v, "flow");
	group = tn_json_member(r, v, "group");
	meter = tn_json_member(r, v, "meter");
	packet_out = tn_json_member(r, v, "packetOut");
	if (!!flow + !!group + !!meter + !!packet_out != 1)
		return tn_json_error(r, v, TN_OF_OK,
			"an operation is about one thing: \"flow\", \"group\", \"meter\" or "
			"\"packetOut\"");
	if (flow)
		return read_flow_op(r, op, flow, out);
	if (group)
		return read_group_op(r, op, group, out);
	if (meter)
		return read_meter_op(r, op, meter, out);
	if (read_op(r, op, packet_out_ops) < 0)
		return false;
	out->is_packet_out = true;
	return tn_json_read_packet_out(r, packet_out, &out->packet_out);
}

/* --- mods as what is read back ---------------------------------------------------------------- */

void tn_flow_mod_to_info(uint64_t dpid, const struct tn_flow_mod *fm, struct tn_flow_info *info)
{
	*info = (struct tn_flow_info){
		.flow_id = tn_flow_id(dpid, fm->table_id, fm->priority, &fm->match),
		.table_id = fm->table_id,
		.priority = fm->priority,
		.cookie = fm->set_cookie ? fm->new_cookie : fm->cookie,
		.idle_timeout = fm->idle_timeout,
		.hard_timeout = fm->hard_timeout,
		.importance = fm->importance,
		.flags = fm->flags,
		.owner = fm->owner,
		.match = fm->match,
		.inst = fm->inst,
	};
}

void tn_group_mod_to_info(
	struct tn_arena *arena, const struct tn_group_mod *gm, struct tn_group_info *info)
{
	struct tn_bucket_info *buckets =
		tn_arena_alloc(arena, (gm->n_buckets + 1u) * sizeof(*buckets));

	for (uint32_t i = 0; i < gm->n_buckets; i++)
		buckets[i].bucket = gm->buckets[i];
	*info = (struct tn_group_info){
		.group_id = gm->group_id,
		.type = gm->type,
		.selection = gm->selection,
		.hash_fields = gm->hash_fields,
		.selection_param = gm->selection_param,
		.owner = gm->owner,
		.annotation = gm->annotation,
		.buckets = buckets,
		.n_buckets = gm->n_buckets,
	};
}

struct tn_meter *tn_meter_mod_to_meter(struct tn_arena *arena, const struct tn_meter_mod *mm)
{
	struct tn_meter *meter = tn_arena_alloc(arena, tn_meter_size(mm->n_bands));

	tn_meter_init(meter, mm, 0);
	return meter;
}

/* --- writing ---------------------------------------------------------------------------------- */

static json_t *write_flow(const struct tn_codec *c, const struct tn_flow_mod *fm)
{
	struct tn_flow_info info;
	json_t *o;

	if (fm->command == TN_FLOW_ADD) {
		tn_flow_mod_to_info(c->dpid, fm, &info);
		return tn_flow_to_json(c, &info);
	}
	o = json_object();
	json_object_set_new(o, "tableId",
		fm->table_id == TN_TABLE_ALL ? json_string("ALL") : json_integer(fm->table_id));
	if (fm->command == TN_FLOW_MODIFY_STRICT || fm->command == TN_FLOW_DELETE_STRICT)
		json_object_set_new(o, "priority", json_integer(fm->priority));
	if (fm->cookie_mask) {
		json_object_set_new(o, "cookie", tn_json_from_u64(fm->cookie));
		json_object_set_new(o, "cookieMask", tn_json_from_u64(fm->cookie_mask));
	}
	if (fm->set_cookie)
		json_object_set_new(o, "newCookie", tn_json_from_u64(fm->new_cookie));
	if (fm->out_port != TN_PORT_ANY)
		json_object_set_new(o, "outPort", tn_json_from_port(fm->out_port));
	if (fm->out_group != TN_GROUP_ANY)
		json_object_set_new(o, "outGroup", json_integer(fm->out_group));
	if (fm->command == TN_FLOW_MODIFY || fm->command == TN_FLOW_MODIFY_STRICT)
		json_object_set_new(o, "treatment", tn_json_write_treatment(&fm->inst));
	json_object_set_new(o, "selector", tn_json_write_selector(&fm->match));
	return o;
}

static json_t *write_command_bucket(uint32_t id)
{
	if (id == TN_BUCKET_FIRST)
		return json_string("FIRST");
	if (id == TN_BUCKET_LAST)
		return json_string("LAST");
	return id == TN_BUCKET_ALL ? json_string("ALL") : json_integer(id);
}

static json_t *write_group(const struct tn_codec *c, const struct tn_group_mod *gm)
{
	struct tn_group_info info;
	struct tn_arena arena;
	json_t *o, *whole;

	tn_arena_init(&arena);
	tn_group_mod_to_info(&arena, gm, &info);
	if (gm->command == TN_GROUP_INSERT_BUCKET) /* whatever the group is: weights are said */
		info.type = TN_GROUP_TYPE_SELECT;
	whole = tn_group_to_json(c, &info);
	tn_arena_fini(&arena);
	if (gm->command == TN_GROUP_ADD || gm->command == TN_GROUP_MODIFY)
		return whole;
	o = json_object();
	json_object_set_new(o, "groupId",
		gm->group_id == TN_GROUP_ALL ? json_string("ALL") : json_integer(gm->group_id));
	if (gm->command != TN_GROUP_DELETE)
		json_object_set_new(
			o, "commandBucketId", write_command_bucket(gm->command_bucket_id));
	if (gm->command == TN_GROUP_INSERT_BUCKET)
		json_object_set(o, "buckets", json_object_get(whole, "buckets"));
	json_decref(whole);
	return o;
}

static json_t *write_meter(const struct tn_codec *c, const struct tn_meter_mod *mm)
{
	struct tn_arena arena;
	json_t *o;

	if (mm->command == TN_METER_DELETE) {
		o = json_object();
		json_object_set_new(o, "index",
			mm->meter_id == TN_METER_ALL ? json_string("ALL")
						     : json_integer(mm->meter_id));
		return o;
	}
	tn_arena_init(&arena);
	o = tn_meter_to_json(c, tn_meter_mod_to_meter(&arena, mm), 0);
	tn_arena_fini(&arena);
	return o;
}

json_t *tn_mod_to_json(const struct tn_codec *c, const struct tn_mod *mod)
{
	json_t *o = json_object();

	switch (mod->kind) {
	case TN_MOD_FLOW:
		json_object_set_new(o, "op", json_string(flow_ops[mod->flow->command]));
		json_object_set_new(o, "flow", write_flow(c, mod->flow));
		break;
	case TN_MOD_GROUP:
		json_object_set_new(o, "op", json_string(group_ops[mod->group->command]));
		json_object_set_new(o, "group", write_group(c, mod->group));
		break;
	case TN_MOD_METER:
		json_object_set_new(o, "op", json_string(meter_ops[mod->meter->command]));
		json_object_set_new(o, "meter", write_meter(c, mod->meter));
		break;
	}
	return o;
}
