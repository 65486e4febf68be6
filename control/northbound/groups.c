/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"

static const char missing[] = "no group has this appCookie or number";

void tn_groups_get(struct tn_call *c)
{
	tn_list_answer_owned(c, TN_KIND_GROUP, "groups");
}

/* Groups by the client's key. */

#define COOKIE_MAX 512u

/* "0x111" as it is kept: "0x1101". False: it is none. */
static bool canonical_cookie(const char *s, char *out)
{
	size_t n = strlen(s), k = 0;

	if (n < 3 || n > COOKIE_MAX || s[0] != '0' || (s[1] | 0x20) != 'x')
		return false;
	out[k++] = '0';
	out[k++] = 'x';
	for (size_t i = 2; i < n; i++) {
		if (tn_json_hex_digit(s[i]) < 0)
			return false;
		/* A lone last digit is a byte of its own. */
		if (i + 1 == n && n % 2)
			out[k++] = '0';
		out[k++] = "0123456789abcdef"[tn_json_hex_digit(s[i])];
	}
	out[k] = '\0';
	return true;
}

struct search {
	const struct tn_names *names;
	const char *cookie;
	bool found;
	uint32_t id;
};

static bool compare(void *ctx, const struct tn_object *o)
{
	struct search *s = ctx;
	char own[16];
	const char *cookie = tn_names_string(s->names, o->group->annotation);

	/* One that came without a cookie has its number as such. */
	snprintf(own, sizeof(own), "0x%08" PRIx32, o->group->group_id);
	s->found = strcasecmp(*cookie ? cookie : own, s->cookie) == 0;
	if (s->found)
		s->id = o->group->group_id;
	return !s->found;
}

/*
 * The group of a path, by appCookie or by number. 1: it is *id; 0: it is not there; -1: it is
 * neither (answered).
 */
static int find_group(struct tn_call *c, const char *key, uint32_t *id)
{
	char cookie[COOKIE_MAX + 2];
	struct search s = {.names = tn_engine_names(tn_call_engine(c)), .cookie = cookie};
	uint64_t number;

	if (canonical_cookie(key, cookie)) {
		tn_engine_scan(
			tn_call_engine(c), TN_KIND_GROUP, tn_call_scope(c), 0, true, compare, &s);
		*id = s.id;
		return s.found;
	}
	if (tn_scan_u64(key, &number) && number <= TN_GROUP_MAX) {
		*id = (uint32_t)number;
		return tn_object_generation(c, TN_KIND_GROUP, number) != 0;
	}
	tn_answer_error(c, 400, "a group is named by its appCookie (0x and hex digits) or number");
	return -1;
}

void tn_group_get(struct tn_call *c)
{
	uint32_t id = 0;
	int found = find_group(c, c->params[1], &id);

	if (found > 0)
		tn_object_answer(c, TN_KIND_GROUP, id, "groups", true, missing);
	else if (found == 0)
		tn_answer_error(c, 404, missing);
}

/* Adding. */

static struct tn_group_mod *read_one(struct tn_call *c)
{
	struct tn_group_mod *gm = tn_arena_alloc(&c->arena, sizeof(*gm));
	struct tn_body b;
	bool ok = tn_body_read(c, &b) && tn_json_read_group(&b.reader, b.tape.v, gm);

	if (!tn_body_end(c, &b, ok))
		return NULL;
	tn_call_operation(c, TN_OP_MOD, "")->mod =
		(struct tn_mod){.kind = TN_MOD_GROUP, .group = gm};
	if (c->owner)
		gm->owner = c->owner;
	return gm;
}

static void group_added(struct tn_call *c, const struct tn_outcome *o)
{
	const struct tn_result *r = &o->results[0];

	if (tn_answer_location(c, o, "groups"))
		return;
	tn_text_printf(&c->text, "{\"deviceId\":\"of:%016" PRIx64 "\",\"groupId\":%" PRIu64 "}",
		tn_engine_dpid(tn_call_engine(c)), r->id);
	tn_answer_text(c, tn_answer_status(c, o, r->created ? 201 : 200), TN_TYPE_JSON);
}

void tn_groups_post(struct tn_call *c)
{
	if (tn_call_read_app(c) && read_one(c))
		tn_call_submit(c, group_added);
}

/* Is the group the one of the path? One that is new must be found there afterwards. */
static bool names(struct tn_call *c, const struct tn_group_mod *gm, int found, uint32_t id)
{
	char cookie[COOKIE_MAX + 2];
	uint64_t number;

	if (found)
		return gm->group_id == id;
	if (canonical_cookie(c->params[1], cookie))
		return strcasecmp(
			       tn_names_string(tn_engine_names(tn_call_engine(c)), gm->annotation),
			       cookie) == 0;
	return tn_scan_u64(c->params[1], &number) && number == gm->group_id;
}

/* Type and buckets anew, or a new group. */
void tn_group_put(struct tn_call *c)
{
	uint64_t generation = 0;
	struct tn_group_mod *gm;
	uint32_t id = 0;
	int found = find_group(c, c->params[1], &id);

	if (found < 0 || !tn_call_read_app(c))
		return;
	if (found)
		generation = tn_object_generation(c, TN_KIND_GROUP, id);
	if (!tn_call_check_conditions(c, generation))
		return;
	gm = read_one(c);
	if (!gm)
		return;
	if (!names(c, gm, found, id)) {
		tn_answer_error(c, 422,
			"the path names another group than the body, whose number is %" PRIu32,
			gm->group_id);
		return;
	}
	if (found)
		gm->command = TN_GROUP_MODIFY;
	c->ops[0].if_generation = c->if_match ? generation : 0;
	tn_call_submit(c, group_added);
}

/* Removing. */

void tn_group_delete(struct tn_call *c)
{
	uint64_t generation;
	uint32_t id = 0;
	int found = find_group(c, c->params[1], &id);

	if (found < 0)
		return;
	generation = found ? tn_object_generation(c, TN_KIND_GROUP, id) : 0;
	if (!tn_call_check_conditions(c, generation))
		return;
	if (found)
		tn_call_remove(c, TN_KIND_GROUP, id, generation);
	tn_call_submit(c, tn_answer_done);
}

/* Buckets. */

/* -1: answered. */
static int group_of_buckets(struct tn_call *c, uint32_t *id)
{
	uint64_t generation;
	int found = find_group(c, c->params[1], id);

	if (found == 0)
		tn_answer_of_error(c, 404, TN_OFPGMFC_UNKNOWN_GROUP, missing);
	if (found <= 0)
		return -1;
	generation = tn_object_generation(c, TN_KIND_GROUP, *id);
	return tn_call_check_conditions(c, generation) ? 0 : -1;
}

void tn_buckets_post(struct tn_call *c)
{
	struct tn_group_mod *gm = tn_arena_alloc(&c->arena, sizeof(*gm));
	static const char *const keys[] = {"buckets", NULL};
	tn_json_ref buckets;
	struct tn_body b;
	bool ok;

	if (group_of_buckets(c, &gm->group_id))
		return;
	gm->command = TN_GROUP_INSERT_BUCKET;
	gm->command_bucket_id = TN_BUCKET_LAST;
	ok = tn_body_read(c, &b);
	if (ok && b.tape.v->type != TN_JSON_OBJECT)
		ok = tn_json_error(
			&b.reader, b.tape.v, TN_OF_OK, "the body must be {\"buckets\":[..]}");
	ok = ok && tn_json_only(&b.reader, b.tape.v, "the body", keys);
	buckets = ok ? tn_json_needed(&b.reader, b.tape.v, "the body", "buckets") : NULL;
	ok = buckets && tn_json_read_buckets(&b.reader, buckets, NULL, gm);
	if (!tn_body_end(c, &b, ok))
		return;
	tn_call_operation(c, TN_OP_MOD, "/buckets")->mod =
		(struct tn_mod){.kind = TN_MOD_GROUP, .group = gm};
	c->ops[0].if_generation = c->if_match ? c->etag : 0;
	tn_call_submit(c, tn_answer_done);
}

void tn_buckets_delete(struct tn_call *c)
{
	const char *ids = c->params[2];
	uint32_t group;
	uint64_t id;

	if (group_of_buckets(c, &group))
		return;
	while (*ids) {
		struct tn_group_mod *gm = tn_arena_alloc(&c->arena, sizeof(*gm));
		size_t n = strcspn(ids, ",");
		char word[16];

		snprintf(word, sizeof(word), "%.*s", (int)(n < 15 ? n : 15), ids);
		if (!tn_param_number(c, "a bucket's id", word, TN_BUCKET_MAX, &id))
			return;
		*gm = (struct tn_group_mod){.command = TN_GROUP_REMOVE_BUCKET,
			.group_id = group,
			.command_bucket_id = (uint32_t)id};
		tn_call_operation(c, TN_OP_MOD, "")->mod =
			(struct tn_mod){.kind = TN_MOD_GROUP, .group = gm};
		ids += n + (ids[n] == ',');
	}
	c->ops[0].if_generation = c->if_match ? c->etag : 0;
	tn_call_submit(c, tn_answer_done);
}
