/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups in ovs-ofctl text, in and out. */
#include "control/model/ofctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/free_numbers.h"
#include "control/model/ofctl_action.h"

#define BUCKETS_MAX 65536u /* in one line */

struct reading {
	struct tn_ofctl_line line;
	struct tn_group_mod *gm;
	bool has_id, has_type, has_command_bucket;
	uint64_t seen; /* keys, by their place in group_keys */
	struct tn_ofctl_span type, selection, fields, param;
	struct tn_bucket *bucket; /* malloc()ed while they are read */
	const char **at;
	bool *has_bucket_id;
	size_t n, room;
};

/* A bucket that is read. */
struct bucket {
	struct tn_bucket b;
	const char *at, *weight_at;
	bool has_id, has_actions;
	uint64_t seen; /* keys, by their place in bucket_keys */
	struct tn_ofctl_list list;
};

static bool takes_type(const struct reading *r)
{
	return r->gm->command == TN_GROUP_ADD || r->gm->command == TN_GROUP_MODIFY;
}

static bool takes_buckets(const struct reading *r)
{
	return takes_type(r) || r->gm->command == TN_GROUP_INSERT_BUCKET;
}

static bool takes_command_bucket(const struct reading *r)
{
	return r->gm->command == TN_GROUP_INSERT_BUCKET || r->gm->command == TN_GROUP_REMOVE_BUCKET;
}

static int not_here(struct reading *r, const struct tn_ofctl_item *item)
{
	return tn_ofctl_complain(&r->line, item->key.p, TN_OF_OK,
		"%s has no meaning for this command; leave it out", tn_ofctl_show(item->key).s);
}

static int parse_group_id(struct reading *r, const struct tn_ofctl_item *item)
{
	uint64_t v = TN_GROUP_ALL;

	if (!tn_ofctl_is(item->value, "all") &&
		tn_ofctl_number(&r->line, item->value, "group_id", TN_OFPGMFC_INVALID_GROUP, 0,
			TN_GROUP_MAX, &v))
		return -EINVAL;
	if (v == TN_GROUP_ALL && r->gm->command != TN_GROUP_DELETE)
		return tn_ofctl_complain(&r->line, item->value.p, TN_OFPGMFC_INVALID_GROUP,
			"group_id=all is for deleting; write the number of one group");
	r->gm->group_id = (uint32_t)v;
	r->has_id = true;
	return 0;
}

static int parse_type(struct reading *r, const struct tn_ofctl_item *item)
{
	static const struct {
		const char *word;
		enum tn_group_type type;
	} types[] = {
		{"all", TN_GROUP_TYPE_ALL},
		{"select", TN_GROUP_TYPE_SELECT},
		{"indirect", TN_GROUP_TYPE_INDIRECT},
		{"ff", TN_GROUP_TYPE_FF},
		{"fast_failover", TN_GROUP_TYPE_FF},
	};
	struct tn_ofctl_near near;

	if (!takes_type(r))
		return not_here(r, item);
	r->has_type = true;
	r->type = item->value;
	tn_ofctl_near_init(&near, item->value);
	for (size_t i = 0; i < TN_ARRAY_SIZE(types); i++) {
		if (tn_ofctl_is(item->value, types[i].word)) {
			r->gm->type = types[i].type;
			return 0;
		}
		tn_ofctl_near_try(&near, types[i].word);
	}
	return tn_ofctl_unknown(
		&r->line, item->value, "group type", &near, "write all, select, indirect or ff");
}

static int parse_selection(struct reading *r, const struct tn_ofctl_item *item)
{
	if (!takes_type(r))
		return not_here(r, item);
	r->selection = item->value;
	if (tn_ofctl_is(item->value, "hash"))
		r->gm->selection = TN_SELECT_HASH;
	else if (tn_ofctl_is(item->value, "dp_hash"))
		r->gm->selection = TN_SELECT_DP_HASH;
	else
		return tn_ofctl_complain(&r->line, item->value.p, TN_OFPGMFC_BAD_TYPE,
			"unknown selection_method \"%s\"; write hash or dp_hash, or leave it out",
			tn_ofctl_show(item->value).s);
	return 0;
}

static int parse_param(struct reading *r, const struct tn_ofctl_item *item)
{
	if (!takes_type(r))
		return not_here(r, item);
	r->param = item->value;
	return tn_ofctl_u64(
		&r->line, item->value, "selection_method_param", TN_OF_OK, &r->gm->selection_param);
}

/* One of fields(...): only whole fields go into the hash. */
static int parse_hash_field(struct reading *r, const struct tn_ofctl_item *item)
{
	struct tn_ofctl_view view;
	tn_u128 value, mask;
	const char *mask_at;
	uint64_t bits = 0;

	if (!tn_ofctl_view_by_name(item->key, false, &view))
		return tn_ofctl_no_field(&r->line, item->key, TN_OFPBMC_BAD_FIELD);
	if (item->delimiter) {
		if (tn_ofctl_parse_value(&r->line, &view, item->value, TN_OFPBMC_BAD_VALUE, &value,
			    &mask, &mask_at))
			return -EINVAL;
		if ((value & mask) != tn_ofctl_ones(view.bits))
			return tn_ofctl_complain(&r->line, item->value.p, TN_OFPBMC_BAD_MASK,
				"a part of a field in the hash is not supported by this switch; "
				"name the field alone");
	}
	for (unsigned i = 0; i < view.n_pieces; i++)
		bits |= UINT64_C(1) << view.piece[i].field;
	if (r->gm->hash_fields & bits)
		return tn_ofctl_complain(&r->line, item->key.p, TN_OFPBMC_DUP_FIELD,
			"%s is in the hash already; write it once", tn_ofctl_show(item->key).s);
	r->gm->hash_fields |= bits;
	return 0;
}

static int parse_fields(struct reading *r, const struct tn_ofctl_item *item)
{
	struct tn_ofctl_span rest = item->value;
	struct tn_ofctl_item field;
	int rc;

	if (!takes_type(r))
		return not_here(r, item);
	r->fields = item->value;
	while ((rc = tn_ofctl_next(&r->line, &rest, &field)) > 0)
		if (parse_hash_field(r, &field))
			return -EINVAL;
	return rc;
}

static int parse_command_bucket(struct reading *r, const struct tn_ofctl_item *item)
{
	static const struct {
		const char *word;
		uint32_t id;
	} words[] = {
		{"first", TN_BUCKET_FIRST},
		{"last", TN_BUCKET_LAST},
		{"all", TN_BUCKET_ALL},
	};
	uint32_t *id = &r->gm->command_bucket_id;
	uint64_t v;

	if (!takes_command_bucket(r))
		return not_here(r, item);
	r->has_command_bucket = true;
	for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
		if (!tn_ofctl_is(item->value, words[i].word))
			continue;
		*id = words[i].id;
		if (*id == TN_BUCKET_ALL && r->gm->command == TN_GROUP_INSERT_BUCKET)
			return tn_ofctl_complain(&r->line, item->value.p, TN_OFPGMFC_BAD_BUCKET,
				"buckets are inserted at first, at last or after a bucket's number");
		return 0;
	}
	if (tn_ofctl_number(&r->line, item->value, "command_bucket_id", TN_OFPGMFC_BAD_BUCKET, 0,
		    TN_BUCKET_MAX, &v))
		return -EINVAL;
	*id = (uint32_t)v;
	return 0;
}

static const struct group_key {
	const char *word;
	int (*parse)(struct reading *r, const struct tn_ofctl_item *item);
} group_keys[] = {
	{"group_id", parse_group_id},
	{"type", parse_type},
	{"selection_method", parse_selection},
	{"selection_method_param", parse_param},
	{"fields", parse_fields},
	{"command_bucket_id", parse_command_bucket},
};

static int parse_group_item(struct reading *r, const struct tn_ofctl_item *item)
{
	struct tn_ofctl_near near;

	tn_ofctl_near_init(&near, item->key);
	for (size_t i = 0; i < TN_ARRAY_SIZE(group_keys); i++) {
		if (tn_ofctl_is(item->key, group_keys[i].word))
			return tn_ofctl_once(&r->line, item, (unsigned)i, &r->seen)
				? -EINVAL
				: group_keys[i].parse(r, item);
		tn_ofctl_near_try(&near, group_keys[i].word);
	}
	tn_ofctl_near_try(&near, "bucket");
	return tn_ofctl_unknown(&r->line, item->key, "key", &near,
		"a group has group_id, type, selection_method, fields and bucket");
}

static int parse_weight(struct reading *r, const struct tn_ofctl_item *item, struct bucket *b)
{
	uint64_t v;

	if (tn_ofctl_number(
		    &r->line, item->value, "weight", TN_OFPGMFC_BAD_BUCKET, 0, UINT16_MAX, &v))
		return -EINVAL;
	b->b.weight = (uint16_t)v;
	b->weight_at = item->key.p;
	return 0;
}

static int parse_watch_port(struct reading *r, const struct tn_ofctl_item *item, struct bucket *b)
{
	uint32_t port;

	if (tn_ofctl_port(&r->line, item->value, TN_OFPGMFC_BAD_WATCH, &port))
		return -EINVAL;
	if (tn_ofctl_port_is_reserved(port) && port != TN_PORT_ANY && port != TN_PORT_LOCAL)
		return tn_ofctl_complain(&r->line, item->value.p, TN_OFPGMFC_BAD_WATCH,
			"watch_port: %s is never up or down; write an ordinary port",
			tn_ofctl_show(item->value).s);
	b->b.watch_port = port;
	return 0;
}

static int parse_watch_group(struct reading *r, const struct tn_ofctl_item *item, struct bucket *b)
{
	uint64_t v;

	if (tn_ofctl_number(&r->line, item->value, "watch_group", TN_OFPGMFC_BAD_WATCH, 0,
		    TN_GROUP_MAX, &v))
		return -EINVAL;
	b->b.watch_group = (uint32_t)v;
	return 0;
}

static int parse_bucket_id(struct reading *r, const struct tn_ofctl_item *item, struct bucket *b)
{
	uint64_t v;

	if (tn_ofctl_number(&r->line, item->value, "bucket_id", TN_OFPGMFC_BAD_BUCKET, 0,
		    TN_BUCKET_MAX, &v))
		return -EINVAL;
	b->b.bucket_id = (uint32_t)v;
	b->has_id = true;
	return 0;
}

static const struct bucket_key {
	const char *word;
	int (*parse)(struct reading *r, const struct tn_ofctl_item *item, struct bucket *b);
} bucket_keys[] = {
	{"weight", parse_weight},
	{"watch_port", parse_watch_port},
	{"watch_group", parse_watch_group},
	{"bucket_id", parse_bucket_id},
};

/* "actions=" in front of the first action is a word for the reader's eye. */
static int parse_bucket_item(
	struct reading *r, struct tn_ofctl_span *rest, struct tn_ofctl_item *item, struct bucket *b)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(bucket_keys); i++)
		if (tn_ofctl_is_nocase(item->key, bucket_keys[i].word))
			return tn_ofctl_once(&r->line, item, (unsigned)i, &b->seen)
				? -EINVAL
				: bucket_keys[i].parse(r, item, b);
	b->has_actions = true;
	if (tn_ofctl_is_nocase(item->key, "actions") || tn_ofctl_is_nocase(item->key, "action")) {
		if (!item->delimiter)
			return tn_ofctl_complain(&r->line, item->key.p, TN_OF_OK,
				"actions of a bucket are written actions=ACTION,...");
		rest->n += (size_t)(rest->p - item->value.p);
		rest->p = item->value.p;
		return 0;
	}
	return tn_ofctl_action_item(&r->line, item, NULL, &b->list);
}

static void keep_bucket(struct reading *r, const struct bucket *b)
{
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 8;
		r->bucket = realloc(r->bucket, r->room * sizeof(*r->bucket));
		r->at = realloc(r->at, r->room * sizeof(*r->at));
		r->has_bucket_id = realloc(r->has_bucket_id, r->room * sizeof(*r->has_bucket_id));
		if (!r->bucket || !r->at || !r->has_bucket_id)
			abort();
	}
	r->bucket[r->n] = b->b;
	r->at[r->n] = b->at;
	r->has_bucket_id[r->n] = b->has_id;
	r->n++;
}

static void check_bucket(struct reading *r, const struct bucket *b, bool select, bool insert)
{
	if (!b->has_actions)
		tn_ofctl_complain(&r->line, b->at, TN_OFPGMFC_BAD_BUCKET,
			"bucket has no actions; add actions=, with drop for none");
	if (b->weight_at && b->b.weight && !select && !insert)
		tn_ofctl_complain(&r->line, b->weight_at, TN_OFPGMFC_WEIGHT_UNSUPPORTED,
			"only buckets of select groups have a weight; leave it out");
	if (r->gm->type == TN_GROUP_TYPE_FF && takes_type(r) && b->b.watch_port == TN_PORT_ANY &&
		b->b.watch_group == TN_GROUP_ANY)
		tn_ofctl_complain(&r->line, b->at, TN_OFPGMFC_BAD_WATCH,
			"bucket of a fast failover group watches nothing; add watch_port or "
			"watch_group");
}

static void finish_bucket(struct reading *r, struct bucket *b)
{
	bool select = r->gm->type == TN_GROUP_TYPE_SELECT && takes_type(r);
	bool insert = r->gm->command == TN_GROUP_INSERT_BUCKET;
	size_t n;

	check_bucket(r, b, select, insert);
	if (!b->weight_at && (select || insert))
		b->b.weight = 1;
	if (tn_ofctl_keep_list(&r->line, &b->list, TN_PLACE_BUCKET, &b->b.actions, &n))
		return;
	b->b.n_actions = (uint16_t)n;
	keep_bucket(r, b);
}

/*
 * From after "bucket=" to the next one; *rest moves there. -EINVAL when the rest of the line cannot
 * be read; other errors are counted in the line only.
 */
static int parse_bucket(struct reading *r, struct tn_ofctl_span *rest)
{
	struct bucket b = {.at = rest->p};
	unsigned before = r->line.n_errors;
	struct tn_ofctl_span here;
	struct tn_ofctl_item item;
	int rc;

	b.b.watch_port = TN_PORT_ANY;
	b.b.watch_group = TN_GROUP_ANY;
	for (;;) {
		here = *rest;
		rc = tn_ofctl_next(&r->line, rest, &item);
		if (rc <= 0)
			break;
		if (tn_ofctl_is(item.key, "bucket")) {
			*rest = here;
			break;
		}
		if (parse_bucket_item(r, rest, &item, &b) && b.list.n > TN_ACTIONS_MAX) {
			rc = -EINVAL;
			break;
		}
	}
	if (r->line.n_errors == before)
		finish_bucket(r, &b);
	tn_ofctl_list_fini(&b.list);
	return rc < 0 ? -EINVAL : 0;
}

static int parse_buckets(struct reading *r, struct tn_ofctl_span rest)
{
	struct tn_ofctl_item item;
	int rc;

	while ((rc = tn_ofctl_next(&r->line, &rest, &item)) > 0) {
		if (!takes_buckets(r))
			return not_here(r, &item);
		if (!item.delimiter || item.delimiter == '(')
			return tn_ofctl_complain(&r->line, item.key.p, TN_OF_OK,
				"a bucket is written bucket=weight:2,actions=output:3");
		if (r->n == BUCKETS_MAX)
			return tn_ofctl_complain(&r->line, item.key.p, TN_OFPGMFC_OUT_OF_BUCKETS,
				"too many buckets; give at most %u", BUCKETS_MAX);
		rest.n += (size_t)(rest.p - item.value.p);
		rest.p = item.value.p;
		if (parse_bucket(r, &rest))
			return -EINVAL;
	}
	return rc;
}

static int check_keys(struct reading *r)
{
	struct tn_group_mod *gm = r->gm;
	const char *start = r->line.text.p;

	if (!r->has_id)
		return tn_ofctl_complain(&r->line, start, TN_OFPGMFC_INVALID_GROUP,
			"group has no number; add group_id=N");
	if (takes_type(r) && !r->has_type)
		return tn_ofctl_complain(&r->line, start, TN_OFPGMFC_BAD_TYPE,
			"group has no type; add type=all, select, indirect or ff");
	if (gm->command == TN_GROUP_INSERT_BUCKET && !r->has_command_bucket)
		return tn_ofctl_complain(&r->line, start, TN_OFPGMFC_BAD_BUCKET,
			"where to insert is missing; add command_bucket_id=first, last or a "
			"bucket's number");
	if (r->selection.p && gm->type != TN_GROUP_TYPE_SELECT)
		return tn_ofctl_complain(&r->line, r->selection.p, TN_OFPGMFC_BAD_TYPE,
			"selection_method is for select groups; leave it out or write "
			"type=select");
	if (r->fields.p && gm->hash_fields && gm->selection != TN_SELECT_HASH)
		return tn_ofctl_complain(&r->line, r->fields.p, TN_OFPGMFC_BAD_TYPE,
			"fields need selection_method=hash; add it or leave them out");
	if (r->param.p && gm->selection_param && gm->selection == TN_SELECT_DEFAULT)
		return tn_ofctl_complain(&r->line, r->param.p, TN_OFPGMFC_BAD_TYPE,
			"selection_method_param needs a selection_method; add it");
	return 0;
}

/* Buckets without a number get the lowest ones that are free. */
static void number_buckets(struct reading *r)
{
	struct tn_free_numbers numbers;

	tn_free_numbers_init(&numbers, r->n, 0);
	for (size_t i = 0; i < r->n; i++)
		if (r->has_bucket_id[i])
			tn_free_numbers_take(&numbers, r->bucket[i].bucket_id);
	tn_free_numbers_sort(&numbers);
	for (size_t i = 0; i < r->n; i++)
		if (!r->has_bucket_id[i])
			r->bucket[i].bucket_id = tn_free_numbers_give(&numbers);
	tn_free_numbers_fini(&numbers);
}

/* Beside what others a bucket comes to stand is not known here. */
static void leave_to_switch(struct reading *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->has_bucket_id[i])
			r->bucket[i].bucket_id = TN_BUCKET_UNSET;
}

static int finish_group(struct reading *r)
{
	struct tn_group_mod *gm = r->gm;

	if (gm->type == TN_GROUP_TYPE_INDIRECT && takes_type(r) && r->n > 1)
		return tn_ofctl_complain(&r->line, r->at[1], TN_OFPGMFC_INVALID_GROUP,
			"an indirect group has one bucket; take the others out or write "
			"type=all");
	if (gm->command == TN_GROUP_INSERT_BUCKET)
		leave_to_switch(r);
	else
		number_buckets(r);
	gm->n_buckets = (uint32_t)r->n;
	if (r->n)
		gm->buckets = tn_arena_dup(r->line.o->arena, r->bucket, r->n * sizeof(*r->bucket));
	return 0;
}

static int read_group(struct reading *r, struct tn_ofctl_span rest)
{
	struct tn_ofctl_span here = rest;
	struct tn_ofctl_item item;
	int rc, bad = 0;

	while ((rc = tn_ofctl_next(&r->line, &rest, &item)) > 0) {
		if (tn_ofctl_is(item.key, "bucket"))
			break;
		bad |= parse_group_item(r, &item);
		here = rest;
	}
	if (rc < 0 || (!bad && check_keys(r)) || parse_buckets(r, here) || r->line.n_errors)
		return -EINVAL;
	return finish_group(r);
}

int tn_ofctl_parse_group(struct tn_ofctl *o, enum tn_group_command command, const char *text,
	size_t len, struct tn_group_mod *gm)
{
	struct reading r = {.gm = gm};
	int rc;

	memset(gm, 0, sizeof(*gm));
	gm->command = command;
	gm->command_bucket_id = TN_BUCKET_ALL;
	if (tn_ofctl_line_init(&r.line, o, text, len))
		return -EINVAL;
	if (command == TN_GROUP_DELETE && tn_ofctl_is_blank(r.line.text)) {
		gm->group_id = TN_GROUP_ALL;
		return 0;
	}
	rc = read_group(&r, r.line.text);
	free(r.bucket);
	free(r.at);
	free(r.has_bucket_id);
	return rc;
}

static void put_hash_fields(struct tn_ofctl_out *out, uint64_t fields)
{
	bool one = (fields & (fields - 1)) == 0;
	struct tn_ofctl_view view;

	if (!fields)
		return;
	tn_ofctl_put(out, one ? ",fields=" : ",fields(");
	for (unsigned i = 0; i < TN_N_FIELDS; i++) {
		enum tn_field_id id = tn_ofctl_field_in_order(i);

		if (!(fields >> id & 1))
			continue;
		tn_ofctl_view_of(id, &view);
		tn_ofctl_put(out, "%s,", view.name);
	}
	tn_ofctl_chomp(out, ',');
	if (!one)
		tn_ofctl_put(out, ")");
}

static void put_selection(struct tn_ofctl_out *out, const struct tn_group_info *g)
{
	if (g->selection == TN_SELECT_DEFAULT)
		return;
	tn_ofctl_put(
		out, ",selection_method=%s", g->selection == TN_SELECT_HASH ? "hash" : "dp_hash");
	if (g->selection_param)
		tn_ofctl_put(out, ",selection_method_param=%llu",
			(unsigned long long)g->selection_param);
	put_hash_fields(out, g->hash_fields);
}

static void put_bucket(struct tn_ofctl_out *out, const struct tn_bucket *b, enum tn_group_type type)
{
	tn_ofctl_put(out, ",bucket=");
	if (b->bucket_id != TN_BUCKET_UNSET)
		tn_ofctl_put(out, "bucket_id:%u,", b->bucket_id);
	if (type == TN_GROUP_TYPE_SELECT && b->weight != 1)
		tn_ofctl_put(out, "weight:%u,", b->weight);
	if (b->watch_port != TN_PORT_ANY) {
		tn_ofctl_put(out, "watch_port:");
		tn_ofctl_put_port(out, b->watch_port);
		tn_ofctl_put(out, ",");
	}
	if (b->watch_group != TN_GROUP_ANY)
		tn_ofctl_put(out, "watch_group:%u,", b->watch_group);
	tn_ofctl_put(out, "actions=");
	tn_ofctl_put_actions(out, b->actions, b->n_actions);
}

char *tn_ofctl_print_group(const struct tn_group_info *group, const struct tn_names *names)
{
	static const char *const types[] = {
		[TN_GROUP_TYPE_ALL] = "all",
		[TN_GROUP_TYPE_SELECT] = "select",
		[TN_GROUP_TYPE_INDIRECT] = "indirect",
		[TN_GROUP_TYPE_FF] = "ff",
	};
	struct tn_ofctl_out out;

	tn_ofctl_out_init(&out, names);
	tn_ofctl_put(&out, "group_id=%u,type=%s", group->group_id, types[group->type]);
	put_selection(&out, group);
	for (uint32_t i = 0; i < group->n_buckets; i++)
		put_bucket(&out, &group->buckets[i].bucket, group->type);
	return tn_ofctl_finish(&out);
}
