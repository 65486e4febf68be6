/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups, both directions. */
#include "control/model/json_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/free_numbers.h"

#define COOKIE_BYTES_MAX 64u
#define BUCKETS_MAX	 65536u

enum group_key {
	TYPE,
	COOKIE,
	ID,
	GROUP_ID,
	GIVEN_ID,
	DEVICE,
	APP,
	BUCKETS,
	METHOD,
	FIELDS,
	PARAM,
};

/* After PARAM: what only answers carry. */
static const struct tn_json_key group_keys[] = {
	[TYPE] = TN_JSON_KEY("type"),
	[COOKIE] = TN_JSON_KEY("appCookie"),
	[ID] = TN_JSON_KEY("id"),
	[GROUP_ID] = TN_JSON_KEY("groupId"),
	[GIVEN_ID] = TN_JSON_KEY("givenGroupId"),
	[DEVICE] = TN_JSON_KEY("deviceId"),
	[APP] = TN_JSON_KEY("appId"),
	[BUCKETS] = TN_JSON_KEY("buckets"),
	[METHOD] = TN_JSON_KEY("selectionMethod"),
	[FIELDS] = TN_JSON_KEY("hashFields"),
	[PARAM] = TN_JSON_KEY("selectionParam"),
	TN_JSON_KEY("state"),
	TN_JSON_KEY("failure"),
	TN_JSON_KEY("failureName"),
	TN_JSON_KEY("generation"),
	TN_JSON_KEY("life"),
	TN_JSON_KEY("packets"),
	TN_JSON_KEY("bytes"),
	TN_JSON_KEY("referenceCount"),
};

enum bucket_key { B_TYPE, B_WEIGHT, B_ID, B_WATCH_PORT, B_WATCH_GROUP, B_TREATMENT };

static const struct tn_json_key bucket_keys[] = {
	[B_TYPE] = TN_JSON_KEY("type"),
	[B_WEIGHT] = TN_JSON_KEY("weight"),
	[B_ID] = TN_JSON_KEY("bucketId"),
	[B_WATCH_PORT] = TN_JSON_KEY("watchPort"),
	[B_WATCH_GROUP] = TN_JSON_KEY("watchGroup"),
	[B_TREATMENT] = TN_JSON_KEY("treatment"),
	TN_JSON_KEY("packets"),
	TN_JSON_KEY("bytes"),
};

static const char *const type_names[] = {
	[TN_GROUP_TYPE_ALL] = "ALL",
	[TN_GROUP_TYPE_SELECT] = "SELECT",
	[TN_GROUP_TYPE_INDIRECT] = "INDIRECT",
	[TN_GROUP_TYPE_FF] = "FAILOVER",
};

static const char *const method_names[] = {
	[TN_SELECT_DEFAULT] = "",
	[TN_SELECT_HASH] = "hash",
	[TN_SELECT_DP_HASH] = "dp_hash",
};

/* Reading. */

static bool read_group_type(struct tn_json_reader *r, tn_json_ref v, enum tn_group_type *type)
{
	char found[96];
	unsigned i;

	if (v->type == TN_JSON_STRING) {
		for (i = 0; i < TN_ARRAY_SIZE(type_names); i++)
			if (tn_json_string_is(v->string, type_names[i])) {
				*type = (enum tn_group_type)i;
				return true;
			}
		if (tn_json_string_is(v->string, "FF")) {
			*type = TN_GROUP_TYPE_FF;
			return true;
		}
		if (tn_json_string_is(v->string, "CLONE"))
			return tn_json_error(r, v, TN_OFPGMFC_BAD_TYPE,
				"CLONE groups (P4 clone sessions) are not supported; use ALL");
	}
	return tn_json_error(r, v, TN_OFPGMFC_BAD_TYPE,
		"\"type\" is %s; give ALL, SELECT, INDIRECT or FAILOVER",
		tn_json_describe(v, found, sizeof(found)));
}

/*
 * The client's key is a row of bytes: digits in pairs from the left, a lone last one a byte of its
 * own. Kept as the one string that spells these bytes.
 */
static bool read_cookie(struct tn_json_reader *r, tn_json_ref v, uint32_t *annotation)
{
	char s[2 * COOKIE_BYTES_MAX + 3] = "0x";
	uint32_t i, n = 2;
	const char *p = v->string.p;

	if (v->type != TN_JSON_STRING || v->string.len < 3 || memcmp(p, "0x", 2) != 0)
		return tn_json_error(r, v, TN_OF_OK,
			"\"appCookie\" must be a string of \"0x\" and hex digits, the client's own "
			"key");
	if (v->string.len - 2 > 2 * COOKIE_BYTES_MAX)
		return tn_json_error(r, v, TN_OF_OK, "\"appCookie\" is long; give at most %u bytes",
			COOKIE_BYTES_MAX);
	for (i = 2; i < v->string.len; i++) {
		if (tn_json_hex_digit(p[i]) < 0)
			return tn_json_error(r, v, TN_OF_OK,
				"\"appCookie\" must have hex digits only after \"0x\"");
		/* The lone last digit gets its leading zero. */
		if (i + 1 == v->string.len && v->string.len % 2)
			s[n++] = '0';
		s[n++] = "0123456789abcdef"[tn_json_hex_digit(p[i])];
	}
	s[n] = '\0';
	*annotation = tn_names_intern(r->codec->names, s);
	return true;
}

static bool read_group_id(
	struct tn_json_reader *r, tn_json_ref v, const tn_json_ref *m, uint32_t *id)
{
	static const enum group_key places[] = {GROUP_ID, ID, GIVEN_ID};
	bool have = false;
	uint64_t u;
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(places); i++) {
		tn_json_ref k = m[places[i]];

		if (!k)
			continue;
		if (!tn_json_unsigned(r, k, 0, TN_GROUP_MAX, TN_OFPGMFC_INVALID_GROUP, &u))
			return false;
		if (have && u != *id)
			return tn_json_error(r, k, TN_OFPGMFC_INVALID_GROUP,
				"another key of this group says %u; give one id", *id);
		have = true;
		*id = (uint32_t)u;
	}
	if (!m[GROUP_ID] && !m[ID])
		return tn_json_error(r, v, TN_OF_OK, "a group needs \"groupId\" (or \"id\")");
	return true;
}

static bool read_hash_fields(struct tn_json_reader *r, tn_json_ref array, uint64_t *fields)
{
	tn_json_ref v = tn_json_first(array);
	char found[96];
	bool ok = true;
	uint32_t i;
	unsigned f;

	if (!tn_json_is_array(r, array, "an array of field names"))
		return false;
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v)) {
		for (f = 0; f < TN_N_FIELDS; f++)
			if (v->type == TN_JSON_STRING &&
				tn_json_string_is(v->string, tn_fields[f].name))
				break;
		if (f < TN_N_FIELDS)
			*fields |= UINT64_C(1) << f;
		else
			ok = tn_json_error(r, v, TN_OFPBMC_BAD_FIELD,
				"%s is no field; give OXM names such as \"ipv4_src\"",
				tn_json_describe(v, found, sizeof(found)));
	}
	return ok;
}

static bool read_selection(struct tn_json_reader *r, const tn_json_ref *m, struct tn_group_mod *gm)
{
	tn_json_ref any = m[METHOD] ? m[METHOD] : m[FIELDS] ? m[FIELDS] : m[PARAM];
	unsigned i;

	if (!any)
		return true;
	if (gm->type != TN_GROUP_TYPE_SELECT)
		return tn_json_error(r, any, TN_OFPGMFC_BAD_TYPE,
			"only a SELECT group selects by a method; remove this key");
	if (!m[METHOD])
		return tn_json_error(r, any, TN_OF_OK,
			"this needs \"selectionMethod\": \"hash\" or \"dp_hash\"");
	for (i = 1; i < TN_ARRAY_SIZE(method_names); i++)
		if (m[METHOD]->type == TN_JSON_STRING &&
			tn_json_string_is(m[METHOD]->string, method_names[i]))
			gm->selection = (enum tn_selection_method)i;
	if (gm->selection == TN_SELECT_DEFAULT)
		return tn_json_error(r, m[METHOD], TN_OF_OK,
			"\"selectionMethod\" must be \"hash\" or \"dp_hash\"");
	if (m[FIELDS] && gm->selection != TN_SELECT_HASH)
		return tn_json_error(r, m[FIELDS], TN_OF_OK,
			"\"hashFields\" belongs to \"selectionMethod\":\"hash\"; remove it");
	if (m[FIELDS] && !read_hash_fields(r, m[FIELDS], &gm->hash_fields))
		return false;
	return !m[PARAM] ||
		tn_json_unsigned(r, m[PARAM], 0, UINT64_MAX, TN_OF_OK, &gm->selection_param);
}

/* SELECT needs a weight; other types have none (-1, as answers print it, says the same). */
static bool read_weight(struct tn_json_reader *r, tn_json_ref v, tn_json_ref weight,
	enum tn_group_type type, uint16_t *out)
{
	int64_t w = -1;

	if (weight &&
		!tn_json_signed(r, weight, type == TN_GROUP_TYPE_SELECT ? 0 : -1, UINT16_MAX,
			TN_OFPGMFC_BAD_BUCKET, &w))
		return false;
	if (type == TN_GROUP_TYPE_SELECT) {
		if (!weight)
			return tn_json_error(r, v, TN_OFPGMFC_BAD_BUCKET,
				"a bucket of a SELECT group needs \"weight\": 0 to 65535");
		*out = (uint16_t)w;
	} else if (w > 1) {
		return tn_json_error(r, weight, TN_OFPGMFC_WEIGHT_UNSUPPORTED,
			"only buckets of SELECT groups are weighed; remove \"weight\"");
	}
	return true;
}

/* "GroupId{id=0x1}", which ONOS prints but does not read itself. */
static bool parse_group_text(struct tn_json_string s, uint64_t *id)
{
	static const char prefix[] = "GroupId{id=0x";
	uint32_t i, skip = sizeof(prefix) - 1;

	if (s.len < skip + 2 || s.len > skip + 9 || memcmp(s.p, prefix, skip) != 0 ||
		s.p[s.len - 1] != '}')
		return false;
	for (i = skip, *id = 0; i + 1 < s.len; i++) {
		if (tn_json_hex_digit(s.p[i]) < 0)
			return false;
		*id = *id << 4 | (uint64_t)tn_json_hex_digit(s.p[i]);
	}
	return *id <= TN_GROUP_MAX;
}

static bool read_watch_group(struct tn_json_reader *r, tn_json_ref v, uint32_t *out)
{
	uint64_t id;

	if (!(v->type == TN_JSON_STRING && parse_group_text(v->string, &id)) &&
		!tn_json_unsigned(r, v, 0, TN_GROUP_MAX, TN_OFPGMFC_BAD_WATCH, &id))
		return false;
	*out = (uint32_t)id;
	return true;
}

static bool read_watches(struct tn_json_reader *r, tn_json_ref v, const tn_json_ref *m,
	enum tn_group_type type, struct tn_bucket *b)
{
	bool ok = true;

	b->watch_port = TN_PORT_ANY;
	b->watch_group = TN_GROUP_ANY;
	if (m[B_WATCH_PORT])
		ok &= tn_json_port(r, m[B_WATCH_PORT], TN_OFPGMFC_BAD_WATCH, &b->watch_port);
	if (m[B_WATCH_GROUP])
		ok &= read_watch_group(r, m[B_WATCH_GROUP], &b->watch_group);
	if (ok && type == TN_GROUP_TYPE_FF && b->watch_port == TN_PORT_ANY &&
		b->watch_group == TN_GROUP_ANY)
		return tn_json_error(r, v, TN_OFPGMFC_BAD_WATCH,
			"a bucket of a FAILOVER group needs \"watchPort\" or \"watchGroup\"");
	return ok;
}

/* A bucket's own "type" must repeat its group's. */
static bool read_bucket_type(struct tn_json_reader *r, tn_json_ref v, enum tn_group_type type)
{
	enum tn_group_type own;

	if (!v)
		return true;
	if (!read_group_type(r, v, &own))
		return false;
	return own == type ||
		tn_json_error(r, v, TN_OFPGMFC_BAD_BUCKET,
			"the group is %s; remove the bucket's own \"type\"", type_names[type]);
}

static bool read_bucket(
	struct tn_json_reader *r, tn_json_ref v, enum tn_group_type type, struct tn_bucket *b)
{
	tn_json_ref m[TN_ARRAY_SIZE(bucket_keys)];
	uint64_t id = TN_BUCKET_UNSET;
	bool ok;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a bucket must be an object");
	ok = tn_json_members(r, v, "a bucket", bucket_keys, TN_ARRAY_SIZE(bucket_keys), m);
	ok &= read_bucket_type(r, m[B_TYPE], type);
	ok &= read_weight(r, v, m[B_WEIGHT], type, &b->weight);
	ok &= read_watches(r, v, m, type, b);
	if (m[B_ID])
		ok &= tn_json_unsigned(r, m[B_ID], 0, TN_BUCKET_MAX, TN_OFPGMFC_BAD_BUCKET, &id);
	b->bucket_id = (uint32_t)id;
	if (!m[B_TREATMENT])
		return tn_json_error(
			r, v, TN_OF_OK, "a bucket needs \"treatment\" with its instructions");
	return tn_json_read_actions_treatment(
		       r, m[B_TREATMENT], TN_PLACE_BUCKET, &b->actions, &b->n_actions) &&
		ok;
}

/* Buckets without a number get the lowest ones that are free, in order. */
static void number_buckets(struct tn_bucket *list, size_t n)
{
	struct tn_free_numbers numbers;

	tn_free_numbers_init(&numbers, n, 0);
	for (size_t i = 0; i < n; i++)
		if (list[i].bucket_id != TN_BUCKET_UNSET)
			tn_free_numbers_take(&numbers, list[i].bucket_id);
	tn_free_numbers_sort(&numbers);
	for (size_t i = 0; i < n; i++)
		if (list[i].bucket_id == TN_BUCKET_UNSET)
			list[i].bucket_id = tn_free_numbers_give(&numbers);
	tn_free_numbers_fini(&numbers);
}

struct place {
	uint32_t id, index;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Two buckets of one number: the later one is wrong. */
static bool check_bucket_ids(
	struct tn_json_reader *r, tn_json_ref array, const struct tn_bucket *list)
{
	struct place *p = malloc((array->n + 1) * sizeof(*p));
	tn_json_ref v = tn_json_first(array);
	tn_json_ref *at = malloc((array->n + 1) * sizeof(*at));
	bool ok = true;
	uint32_t i;

	if (!p || !at)
		abort();
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v)) {
		p[i] = (struct place){list[i].bucket_id, i};
		at[i] = v;
	}
	qsort(p, array->n, sizeof(*p), compare_places);
	for (i = 1; i < array->n; i++)
		if (p[i].id == p[i - 1].id && p[i].id != TN_BUCKET_UNSET)
			ok = tn_json_error(r, at[p[i].index], TN_OFPGMFC_BUCKET_EXISTS,
				"another bucket of the group has \"bucketId\" %u; give each its "
				"own",
				p[i].id);
	free(p);
	free(at);
	return ok;
}

static bool read_buckets(struct tn_json_reader *r, tn_json_ref array, struct tn_group_mod *gm)
{
	tn_json_ref v = tn_json_first(array);
	struct tn_bucket *list;
	bool ok = true;
	uint32_t i;

	if (!tn_json_is_array(r, array, "an array of buckets"))
		return false;
	if (array->n > BUCKETS_MAX)
		return tn_json_error(r, array, TN_OFPGMFC_OUT_OF_BUCKETS,
			"%u buckets in one group; give at most %u", array->n, BUCKETS_MAX);
	list = tn_arena_alloc(r->codec->arena, array->n * sizeof(*list));
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v))
		ok &= read_bucket(r, v, gm->type, &list[i]);
	gm->buckets = list;
	gm->n_buckets = array->n;
	if (!ok)
		return false;
	/* Beside what others a bucket comes to stand is not known here. */
	if (gm->command != TN_GROUP_INSERT_BUCKET)
		number_buckets(list, array->n);
	return check_bucket_ids(r, array, list);
}

/* A bucket that has a weight is of a SELECT group; else nothing depends on the type. */
static enum tn_group_type guess_type(struct tn_json_reader *r, tn_json_ref array)
{
	tn_json_ref first = tn_json_first(array);

	if (array->type == TN_JSON_ARRAY && array->n && first->type == TN_JSON_OBJECT &&
		tn_json_member(r, first, "weight"))
		return TN_GROUP_TYPE_SELECT;
	return TN_GROUP_TYPE_ALL;
}

bool tn_json_read_buckets(
	struct tn_json_reader *r, tn_json_ref array, tn_json_ref type, struct tn_group_mod *gm)
{
	gm->type = guess_type(r, array);
	if (type && !read_group_type(r, type, &gm->type))
		return false;
	return read_buckets(r, array, gm);
}

bool tn_json_read_group(struct tn_json_reader *r, tn_json_ref v, struct tn_group_mod *gm)
{
	tn_json_ref m[TN_ARRAY_SIZE(group_keys)];
	bool ok, typed;

	*gm = (struct tn_group_mod){.command = TN_GROUP_ADD, .command_bucket_id = TN_BUCKET_ALL};
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a group must be an object");
	ok = tn_json_members(r, v, "a group", group_keys, TN_ARRAY_SIZE(group_keys), m);
	typed = m[TYPE] ? read_group_type(r, m[TYPE], &gm->type)
			: tn_json_needed(r, v, "a group", "type") != NULL;
	ok &= read_group_id(r, v, m, &gm->group_id);
	if (m[COOKIE])
		ok &= read_cookie(r, m[COOKIE], &gm->annotation);
	else
		ok = tn_json_error(r, v, TN_OF_OK,
			"a group needs \"appCookie\", the client's own key for it: \"0x1\"");
	ok &= tn_json_read_device(r, v);
	ok &= tn_json_read_app(r, v, &gm->owner);
	if (!m[BUCKETS])
		return tn_json_error(r, v, TN_OF_OK, "a group needs \"buckets\", an array");
	/* What a bucket must have depends on the type. */
	if (!typed)
		return false;
	ok &= read_selection(r, m, gm);
	return read_buckets(r, m[BUCKETS], gm) && ok;
}

/* Writing. */

static json_t *write_number_string(uint32_t v)
{
	char s[16];

	snprintf(s, sizeof(s), "%u", v);
	return json_string(s);
}

static json_t *write_bucket(
	const struct tn_codec *c, const struct tn_group_info *g, const struct tn_bucket_info *info)
{
	const struct tn_bucket *b = &info->bucket;
	bool select = g->type == TN_GROUP_TYPE_SELECT;
	json_t *o = json_object();

	if (c->with_stats)
		json_object_set_new(o, "type", json_string(type_names[g->type]));
	if (select || c->with_stats)
		json_object_set_new(o, "weight", json_integer(select ? b->weight : -1));
	if (c->with_stats) {
		json_object_set_new(o, "packets", tn_json_from_u64(info->counter.packets));
		json_object_set_new(o, "bytes", tn_json_from_u64(info->counter.bytes));
	}
	if (b->bucket_id != TN_BUCKET_UNSET)
		json_object_set_new(o, "bucketId", json_integer(b->bucket_id));
	if (b->watch_port != TN_PORT_ANY)
		json_object_set_new(o, "watchPort", tn_json_from_port(b->watch_port));
	if (b->watch_group != TN_GROUP_ANY)
		json_object_set_new(o, "watchGroup", write_number_string(b->watch_group));
	json_object_set_new(
		o, "treatment", tn_json_write_bucket_treatment(b->actions, b->n_actions));
	return o;
}

static void write_selection(json_t *o, const struct tn_group_info *g)
{
	json_t *fields;
	unsigned f;

	if (g->type != TN_GROUP_TYPE_SELECT || g->selection == TN_SELECT_DEFAULT)
		return;
	json_object_set_new(o, "selectionMethod", json_string(method_names[g->selection]));
	if (g->selection == TN_SELECT_HASH && g->hash_fields) {
		fields = json_array();
		for (f = 0; f < TN_N_FIELDS; f++)
			if (g->hash_fields >> f & 1)
				json_array_append_new(fields, json_string(tn_fields[f].name));
		json_object_set_new(o, "hashFields", fields);
	}
	if (g->selection_param)
		json_object_set_new(o, "selectionParam", tn_json_from_u64(g->selection_param));
}

/* A group that came without a client's key is known by its number. */
static json_t *write_cookie(const struct tn_codec *c, const struct tn_group_info *g)
{
	const char *s = tn_names_string(c->names, g->annotation);
	char own[16];

	snprintf(own, sizeof(own), "0x%08x", g->group_id);
	return json_string(*s ? s : own);
}

json_t *tn_group_to_json(const struct tn_codec *c, const struct tn_group_info *g)
{
	json_t *o = json_object(), *buckets = json_array();
	uint32_t i;

	json_object_set_new(o, c->with_stats ? "id" : "groupId", json_integer(g->group_id));
	if (c->with_stats) {
		json_object_set_new(o, "state", json_string("ADDED"));
		tn_json_write_stats(o, c, g->created_ns, &g->counter);
		json_object_set_new(o, "referenceCount", json_integer(g->reference_count));
	}
	json_object_set_new(o, "type", json_string(type_names[g->type]));
	json_object_set_new(o, "deviceId", tn_json_from_dpid(c->dpid));
	json_object_set_new(o, "appId", tn_json_write_app(c, g->owner));
	json_object_set_new(o, "appCookie", write_cookie(c, g));
	if (c->with_stats)
		json_object_set_new(o, "givenGroupId", json_integer(g->group_id));
	write_selection(o, g);
	for (i = 0; i < g->n_buckets; i++)
		json_array_append_new(buckets, write_bucket(c, g, &g->buckets[i]));
	json_object_set_new(o, "buckets", buckets);
	return o;
}
