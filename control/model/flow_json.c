/* SPDX-License-Identifier: BSD-3-Clause */
/* Flow rules, what flows, groups and meters have in common, and the entry points. */
#include "control/model/flow_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/model/json_codec.h"

#define NS_PER_MS 1000000u
#define NS_PER_S  1000000000u

/* What all codecs share. */

bool tn_json_read_type(
	struct tn_json_reader *r, tn_json_ref v, const char *what, struct tn_json_string *type)
{
	tn_json_ref m;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a %s must be an object with \"type\"", what);
	m = tn_json_needed(r, v, what, "type");
	if (!m)
		return false;
	if (m->type != TN_JSON_STRING)
		return tn_json_error(r, m, TN_OF_OK, "\"type\" must be a string");
	*type = m->string;
	return true;
}

tn_json_ref tn_json_needed(
	struct tn_json_reader *r, tn_json_ref v, const char *what, const char *key)
{
	tn_json_ref m = tn_json_member(r, v, key);

	if (!m)
		tn_json_error(r, v, TN_OF_OK, "%s needs \"%s\"", what, key);
	return m;
}

static bool only_these(const struct tn_json_reader *r, tn_json_ref v, const char *const *names)
{
	tn_json_ref m = tn_json_first(v);

	for (uint32_t i = 0; i < v->n; i++, m = tn_json_next(r->tape, m)) {
		size_t k = 0;

		while (names[k] && !tn_json_string_is(m->key, names[k]))
			k++;
		if (!names[k])
			return false;
	}
	return true;
}

bool tn_json_only(
	struct tn_json_reader *r, tn_json_ref v, const char *what, const char *const *names)
{
	struct tn_json_key keys[12];
	tn_json_ref slots[TN_ARRAY_SIZE(keys)];
	size_t n;

	if (only_these(r, v, names))
		return true;
	for (n = 0; n < TN_ARRAY_SIZE(keys) && names[n]; n++)
		keys[n] = (struct tn_json_key){names[n], (uint8_t)strlen(names[n])};
	return tn_json_members(r, v, what, keys, n, slots);
}

bool tn_json_read_dpid(struct tn_json_reader *r, tn_json_ref v, uint64_t *dpid)
{
	uint64_t id = 0;
	uint32_t i;

	if (v->type != TN_JSON_STRING || v->string.len != 19 || memcmp(v->string.p, "of:", 3) != 0)
		goto wrong;
	for (i = 3; i < 19; i++) {
		char c = v->string.p[i];

		if (c >= '0' && c <= '9')
			id = id << 4 | (uint64_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			id = id << 4 | (uint64_t)((c | 0x20) - 'a' + 10);
		else
			goto wrong;
	}
	*dpid = id;
	return true;
wrong:
	return tn_json_error(
		r, v, TN_OF_OK, "a device id is \"of:\" and 16 hex digits: of:00000000000000a1");
}

bool tn_json_read_device(struct tn_json_reader *r, tn_json_ref v)
{
	tn_json_ref m = tn_json_member(r, v, "deviceId");
	uint64_t dpid;

	if (!m)
		return true;
	if (!tn_json_read_dpid(r, m, &dpid))
		return false;
	if (dpid != r->codec->dpid)
		return tn_json_error(r, m, TN_OF_OK,
			"this is device of:%016" PRIx64 "; correct \"deviceId\" or leave it out",
			r->codec->dpid);
	return true;
}

bool tn_json_read_app(struct tn_json_reader *r, tn_json_ref v, uint32_t *owner)
{
	tn_json_ref m = tn_json_member(r, v, "appId");
	struct tn_json_string s;
	char name[TN_JSON_APP_MAX + 1];

	if (!m) {
		*owner = tn_names_intern(r->codec->names, TN_JSON_APP_DEFAULT);
		return true;
	}
	if (!tn_json_text(r, m, TN_JSON_APP_MAX, &s))
		return false;
	memcpy(name, s.p, s.len);
	name[s.len] = '\0';
	*owner = strcmp(name, TN_JSON_APP_NONE) == 0 ? 0 : tn_names_intern(r->codec->names, name);
	return *owner || strcmp(name, TN_JSON_APP_NONE) == 0 ||
		tn_json_error(r, m, TN_OF_OK,
			"too many different appIds are in use; take one that is there");
}

json_t *tn_json_write_app(const struct tn_codec *c, uint32_t owner)
{
	const char *s = tn_names_string(c->names, owner);

	return json_string(*s ? s : TN_JSON_APP_NONE);
}

void tn_json_write_stats(json_t *object, const struct tn_codec *c, uint64_t created_ns,
	const struct tn_counter *counter)
{
	uint64_t life = c->now_ns > created_ns ? (c->now_ns - created_ns) / NS_PER_S : 0;

	json_object_set_new(object, "life", json_integer((json_int_t)life));
	json_object_set_new(object, "packets", tn_json_from_u64(counter->packets));
	json_object_set_new(object, "bytes", tn_json_from_u64(counter->bytes));
}

/* Flows: reading. */

enum flow_key {
	PRIORITY,
	PERMANENT,
	TIMEOUT,
	DEVICE,
	TABLE,
	APP,
	TREATMENT,
	SELECTOR,
	HARD_TIMEOUT,
	COOKIE,
	IMPORTANCE,
	FLAGS,
};

/* After FLAGS: what only answers carry; accepted, so that they can be sent back. */
static const struct tn_json_key flow_keys[] = {
	[PRIORITY] = TN_JSON_KEY("priority"),
	[PERMANENT] = TN_JSON_KEY("isPermanent"),
	[TIMEOUT] = TN_JSON_KEY("timeout"),
	[DEVICE] = TN_JSON_KEY("deviceId"),
	[TABLE] = TN_JSON_KEY("tableId"),
	[APP] = TN_JSON_KEY("appId"),
	[TREATMENT] = TN_JSON_KEY("treatment"),
	[SELECTOR] = TN_JSON_KEY("selector"),
	[HARD_TIMEOUT] = TN_JSON_KEY("hardTimeout"),
	[COOKIE] = TN_JSON_KEY("cookie"),
	[IMPORTANCE] = TN_JSON_KEY("importance"),
	[FLAGS] = TN_JSON_KEY("flags"),
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
};

static const struct {
	const char *name;
	uint16_t flag;
} flow_flags[] = {
	{"SEND_FLOW_REM", TN_FLOW_SEND_FLOW_REM},
	{"CHECK_OVERLAP", TN_FLOW_CHECK_OVERLAP},
	{"RESET_COUNTS", TN_FLOW_RESET_COUNTS},
	{"NO_PKT_COUNTS", TN_FLOW_NO_PKT_COUNTS},
	{"NO_BYT_COUNTS", TN_FLOW_NO_BYT_COUNTS},
};

static bool read_u16(struct tn_json_reader *r, tn_json_ref v, enum tn_of_error of, uint16_t *out)
{
	uint64_t u;

	if (!tn_json_unsigned(r, v, 0, UINT16_MAX, of, &u))
		return false;
	*out = (uint16_t)u;
	return true;
}

static bool read_flag(struct tn_json_reader *r, tn_json_ref v, uint16_t *flags)
{
	char found[96];
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(flow_flags); i++)
		if (v->type == TN_JSON_STRING && tn_json_string_is(v->string, flow_flags[i].name)) {
			*flags |= flow_flags[i].flag;
			return true;
		}
	return tn_json_error(r, v, TN_OFPFMFC_BAD_FLAGS,
		"%s is no flag of a flow; give SEND_FLOW_REM, CHECK_OVERLAP, RESET_COUNTS, "
		"NO_PKT_COUNTS or NO_BYT_COUNTS",
		tn_json_describe(v, found, sizeof(found)));
}

static bool read_flags(struct tn_json_reader *r, tn_json_ref array, uint16_t *flags)
{
	tn_json_ref v = tn_json_first(array);
	bool ok = true;
	uint32_t i;

	if (!tn_json_is_array(r, array, "an array of flag names"))
		return false;
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v))
		ok &= read_flag(r, v, flags);
	return ok;
}

/* A permanent flow has no timeout, another one has at least one. */
static bool read_timeouts(
	struct tn_json_reader *r, tn_json_ref v, const tn_json_ref *m, struct tn_flow_mod *fm)
{
	bool permanent, ok = true;

	if (m[TIMEOUT])
		ok &= read_u16(r, m[TIMEOUT], TN_OFPFMFC_BAD_TIMEOUT, &fm->idle_timeout);
	if (m[HARD_TIMEOUT])
		ok &= read_u16(r, m[HARD_TIMEOUT], TN_OFPFMFC_BAD_TIMEOUT, &fm->hard_timeout);
	if (!m[PERMANENT])
		return tn_json_error(r, v, TN_OF_OK, "a flow needs \"isPermanent\": true or false");
	if (!tn_json_bool(r, m[PERMANENT], &permanent) || !ok)
		return false;
	if (permanent && fm->idle_timeout)
		return tn_json_error(r, m[TIMEOUT], TN_OFPFMFC_BAD_TIMEOUT,
			"\"isPermanent\" is true: set it to false, or \"timeout\" to 0");
	if (permanent && fm->hard_timeout)
		return tn_json_error(r, m[HARD_TIMEOUT], TN_OFPFMFC_BAD_TIMEOUT,
			"\"isPermanent\" is true: set it to false, or remove \"hardTimeout\"");
	if (!permanent && !fm->idle_timeout && !fm->hard_timeout)
		return tn_json_error(r, m[TIMEOUT] ? m[TIMEOUT] : v, TN_OFPFMFC_BAD_TIMEOUT,
			"a flow that is not permanent needs \"timeout\" (seconds idle) of 1 or "
			"more, or \"hardTimeout\"");
	return true;
}

static bool read_flow_head(
	struct tn_json_reader *r, tn_json_ref v, const tn_json_ref *m, struct tn_flow_mod *fm)
{
	bool ok = true;

	if (m[PRIORITY])
		ok &= read_u16(r, m[PRIORITY], TN_OFPFMFC_BAD_PRIORITY, &fm->priority);
	else
		ok = tn_json_error(r, v, TN_OF_OK, "a flow needs \"priority\": 0 to 65535");
	ok &= read_timeouts(r, v, m, fm);
	ok &= tn_json_read_device(r, v);
	if (m[TABLE])
		ok &= tn_json_table(r, m[TABLE], TN_OFPFMFC_BAD_TABLE_ID, &fm->table_id);
	ok &= tn_json_read_app(r, v, &fm->owner);
	if (m[COOKIE])
		ok &= tn_json_unsigned(r, m[COOKIE], 0, UINT64_MAX, TN_OF_OK, &fm->cookie);
	if (m[IMPORTANCE])
		ok &= read_u16(r, m[IMPORTANCE], TN_OF_OK, &fm->importance);
	if (m[FLAGS])
		ok &= read_flags(r, m[FLAGS], &fm->flags);
	return ok;
}

bool tn_json_read_flow(struct tn_json_reader *r, tn_json_ref v, struct tn_flow_mod *fm)
{
	tn_json_ref m[TN_ARRAY_SIZE(flow_keys)];
	bool ok, sure = true;

	tn_flow_mod_init(fm);
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a flow must be an object");
	ok = tn_json_members(r, v, "a flow", flow_keys, TN_ARRAY_SIZE(flow_keys), m);
	ok &= read_flow_head(r, v, m, fm);
	if (m[SELECTOR])
		ok &= tn_json_read_selector(r, m[SELECTOR], &fm->match, &sure);
	/* Without part of the match, prerequisites of actions say nothing. */
	if (m[TREATMENT])
		ok &= tn_json_read_treatment(
			r, m[TREATMENT], sure ? &fm->match : NULL, fm->table_id, &fm->inst);
	return ok;
}

/* Flows: writing. */

static void write_id(json_t *o, const char *key, int64_t id)
{
	char s[24];

	snprintf(s, sizeof(s), "%" PRId64, id);
	json_object_set_new(o, key, json_string(s));
}

static json_t *write_table_name(const struct tn_codec *c, uint8_t table)
{
	const char *name = tn_names_table_name(c->names, table);
	char s[8];

	snprintf(s, sizeof(s), "%u", table);
	return json_string(name ? name : s);
}

static void write_extensions(json_t *o, const struct tn_flow_info *f)
{
	json_t *flags;
	size_t i;

	if (f->hard_timeout)
		json_object_set_new(o, "hardTimeout", json_integer(f->hard_timeout));
	if (f->cookie)
		json_object_set_new(o, "cookie", tn_json_from_u64(f->cookie));
	if (f->importance)
		json_object_set_new(o, "importance", json_integer(f->importance));
	if (!f->flags)
		return;
	flags = json_array();
	for (i = 0; i < TN_ARRAY_SIZE(flow_flags); i++)
		if (f->flags & flow_flags[i].flag)
			json_array_append_new(flags, json_string(flow_flags[i].name));
	json_object_set_new(o, "flags", flags);
}

static void write_flow_stats(json_t *o, const struct tn_codec *c, const struct tn_flow_info *f)
{
	json_object_set_new(o, "state", json_string("ADDED"));
	tn_json_write_stats(o, c, f->created_ns, &f->counter);
	json_object_set_new(o, "liveType", json_string("UNKNOWN"));
	json_object_set_new(o, "lastSeen", json_integer((json_int_t)(f->last_used_ns / NS_PER_MS)));
	json_object_set_new(o, "tableName", write_table_name(c, f->table_id));
}

json_t *tn_flow_to_json(const struct tn_codec *c, const struct tn_flow_info *f)
{
	json_t *o = json_object();

	if (c->with_stats)
		write_id(o, "id", (int64_t)f->flow_id);
	json_object_set_new(o, "tableId", json_integer(f->table_id));
	json_object_set_new(o, "appId", tn_json_write_app(c, f->owner));
	if (c->with_stats)
		json_object_set_new(o, "groupId", json_integer(0));
	json_object_set_new(o, "priority", json_integer(f->priority));
	json_object_set_new(o, "timeout", json_integer(f->idle_timeout));
	json_object_set_new(
		o, "isPermanent", json_boolean(f->idle_timeout == 0 && f->hard_timeout == 0));
	json_object_set_new(o, "deviceId", tn_json_from_dpid(c->dpid));
	write_extensions(o, f);
	if (c->with_stats)
		write_flow_stats(o, c, f);
	json_object_set_new(o, "treatment", tn_json_write_treatment(&f->inst));
	json_object_set_new(o, "selector", tn_json_write_selector(&f->match));
	return o;
}

json_t *tn_actions_to_json(const struct tn_codec *c, const struct tn_action *list, size_t n)
{
	(void)c;
	return tn_json_write_actions(list, n);
}

/* Entry points for trees of jansson's. */

static bool start_reader(struct tn_json_reader *r, struct tn_json_tape *t, struct tn_codec *c,
	const char *base, const json_t *j)
{
	tn_json_tape_init(t);
	*r = (struct tn_json_reader){.codec = c, .tape = t, .base = base};
	return tn_json_tape_load(t, j, base, c->diag);
}

int tn_flow_from_json(struct tn_codec *c, const char *base, const json_t *j, struct tn_flow_mod *fm)
{
	struct tn_json_reader r;
	struct tn_json_tape t;
	bool ok = start_reader(&r, &t, c, base, j) && tn_json_read_flow(&r, t.v, fm);

	tn_json_tape_fini(&t);
	return ok && !r.failed ? 0 : -EINVAL;
}

int tn_group_from_json(
	struct tn_codec *c, const char *base, const json_t *j, struct tn_group_mod *gm)
{
	struct tn_json_reader r;
	struct tn_json_tape t;
	bool ok = start_reader(&r, &t, c, base, j) && tn_json_read_group(&r, t.v, gm);

	tn_json_tape_fini(&t);
	return ok && !r.failed ? 0 : -EINVAL;
}

int tn_meter_from_json(
	struct tn_codec *c, const char *base, const json_t *j, struct tn_meter_mod *mm)
{
	struct tn_json_reader r;
	struct tn_json_tape t;
	bool ok = start_reader(&r, &t, c, base, j) && tn_json_read_meter(&r, t.v, mm);

	tn_json_tape_fini(&t);
	return ok && !r.failed ? 0 : -EINVAL;
}
