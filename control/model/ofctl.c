/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/ofctl.h"

#include <errno.h>
#include <string.h>

#include "control/model/ofctl_action.h"
#include "control/model/ofctl_match.h"

#define NS_PER_S UINT64_C(1000000000)

/* Sets of uses. */
#define ADD	     (1u << TN_OFCTL_ADD)
#define MODIFY	     (1u << TN_OFCTL_MODIFY | 1u << TN_OFCTL_MODIFY_STRICT)
#define DELETE	     (1u << TN_OFCTL_DELETE | 1u << TN_OFCTL_DELETE_STRICT)
#define FILTER	     (1u << TN_OFCTL_FILTER)
#define STRICT	     (1u << TN_OFCTL_MODIFY_STRICT | 1u << TN_OFCTL_DELETE_STRICT)
#define HAS_ACTIONS  (ADD | MODIFY)
#define HAS_PRIORITY (ADD | MODIFY | STRICT)
#define ALL_TABLES   (~(ADD | STRICT)) /* these may mean every table */
#define EVERYWHERE   (~0u)

struct reading {
	struct tn_ofctl_line line;
	unsigned use; /* one bit of the sets above */
	struct tn_flow_mod *fm;
	uint64_t seen; /* keys, by their place in flow_keys */
	struct tn_ofctl_terms terms;
};

struct flow_key {
	const char *word;
	unsigned uses;
	int (*parse)(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value);
	uint16_t flag; /* enum tn_flow_flags: the word stands alone */
	bool once;
};

static int parse_table(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	uint8_t max = (uint8_t)(r->use & ALL_TABLES ? TN_TABLE_ALL : TN_TABLE_MAX);

	(void)key;
	return tn_ofctl_table(&r->line, value, TN_OFPFMFC_BAD_TABLE_ID, max, &r->fm->table_id);
}

static int parse_u16(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value,
	enum tn_of_error of, uint16_t *number)
{
	uint64_t v;

	if (tn_ofctl_number(&r->line, value, key->word, of, 0, UINT16_MAX, &v))
		return -EINVAL;
	*number = (uint16_t)v;
	return 0;
}

static int parse_priority(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	return parse_u16(r, key, value, TN_OFPFMFC_BAD_PRIORITY, &r->fm->priority);
}

static int parse_idle(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	return parse_u16(r, key, value, TN_OFPFMFC_BAD_TIMEOUT, &r->fm->idle_timeout);
}

static int parse_hard(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	return parse_u16(r, key, value, TN_OFPFMFC_BAD_TIMEOUT, &r->fm->hard_timeout);
}

static int parse_importance(
	struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	return parse_u16(r, key, value, TN_OF_OK, &r->fm->importance);
}

/* cookie=V sets one, cookie=V/M looks for one: modify may have both. */
static int parse_cookie(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	struct tn_ofctl_span v = value, m;
	uint64_t *cookie = &r->fm->cookie;

	if (tn_ofctl_split(value, "/", &v, &m)) {
		if (r->use & ADD)
			return tn_ofctl_complain(&r->line, m.p - 1, TN_OF_OK,
				"a mask of the cookie is for finding flows; leave it out");
		if (tn_ofctl_u64(&r->line, m, "mask", TN_OF_OK, &r->fm->cookie_mask))
			return -EINVAL;
	} else if (r->use & (DELETE | FILTER)) {
		return tn_ofctl_complain(&r->line, value.p, TN_OF_OK,
			"to find flows by cookie, write a mask too: cookie=%s/-1",
			tn_ofctl_show(value).s);
	} else if (r->use & MODIFY) {
		r->fm->set_cookie = true;
		cookie = &r->fm->new_cookie;
	}
	return tn_ofctl_u64(&r->line, v, key->word, TN_OF_OK, cookie);
}

static int parse_out_port(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	(void)key;
	return tn_ofctl_port(&r->line, value, TN_OFPBAC_BAD_OUT_PORT, &r->fm->out_port);
}

static int parse_out_group(
	struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	uint64_t v;

	if (tn_ofctl_is_nocase(value, "any")) {
		r->fm->out_group = TN_GROUP_ANY;
		return 0;
	}
	if (tn_ofctl_number(
		    &r->line, value, key->word, TN_OFPBAC_BAD_OUT_GROUP, 0, TN_GROUP_MAX, &v))
		return -EINVAL;
	r->fm->out_group = (uint32_t)v;
	return 0;
}

/* Counters and times of a dump, so that it can be fed back. */
static int parse_ignored(struct reading *r, const struct flow_key *key, struct tn_ofctl_span value)
{
	(void)r;
	(void)key;
	(void)value;
	return 0;
}

static const struct flow_key flow_keys[] = {
	{"table", EVERYWHERE, parse_table, 0, true},
	{"priority", HAS_PRIORITY, parse_priority, 0, true},
	{"cookie", EVERYWHERE, parse_cookie, 0, false},
	{"idle_timeout", HAS_ACTIONS, parse_idle, 0, true},
	{"hard_timeout", HAS_ACTIONS, parse_hard, 0, true},
	{"importance", ADD, parse_importance, 0, true},
	{"out_port", DELETE | FILTER, parse_out_port, 0, true},
	{"out_group", DELETE | FILTER, parse_out_group, 0, true},
	{"send_flow_rem", HAS_ACTIONS, NULL, TN_FLOW_SEND_FLOW_REM, false},
	{"check_overlap", HAS_ACTIONS, NULL, TN_FLOW_CHECK_OVERLAP, false},
	{"reset_counts", HAS_ACTIONS, NULL, TN_FLOW_RESET_COUNTS, false},
	{"no_packet_counts", HAS_ACTIONS, NULL, TN_FLOW_NO_PKT_COUNTS, false},
	{"no_byte_counts", HAS_ACTIONS, NULL, TN_FLOW_NO_BYT_COUNTS, false},
	{"duration", EVERYWHERE, parse_ignored, 0, false},
	{"n_packets", EVERYWHERE, parse_ignored, 0, false},
	{"n_bytes", EVERYWHERE, parse_ignored, 0, false},
	{"idle_age", EVERYWHERE, parse_ignored, 0, false},
	{"hard_age", EVERYWHERE, parse_ignored, 0, false},
};

static const struct flow_key *find_key(struct tn_ofctl_span s)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(flow_keys); i++)
		if (tn_ofctl_is(s, flow_keys[i].word))
			return &flow_keys[i];
	return NULL;
}

static int parse_key(
	struct reading *r, const struct tn_ofctl_item *item, const struct flow_key *key)
{
	if (!(key->uses & r->use))
		return tn_ofctl_complain(&r->line, item->key.p, TN_OF_OK,
			strcmp(key->word, "priority") == 0
				? "%s is looked at by the strict commands only; leave it out or "
				  "use delete_strict"
				: "%s has no meaning for this command; leave it out",
			key->word);
	if (key->flag) {
		if (item->delimiter)
			return tn_ofctl_complain(&r->line, item->value.p, TN_OF_OK,
				"%s takes no value; write it alone", key->word);
		r->fm->flags |= key->flag;
		return 0;
	}
	if (item->value.n == 0)
		return tn_ofctl_complain(&r->line, item->key.p, TN_OF_OK,
			"%s has no value; write %s=VALUE", key->word, key->word);
	if (key->once && tn_ofctl_once(&r->line, item, (unsigned)(key - flow_keys), &r->seen))
		return -EINVAL;
	return key->parse(r, key, item->value);
}

void tn_ofctl_each_key(tn_ofctl_word_fn fn, void *ctx)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(flow_keys); i++)
		if (flow_keys[i].parse != parse_ignored)
			fn(ctx, flow_keys[i].word, !flow_keys[i].flag);
	tn_ofctl_each_match_word(fn, ctx);
	fn(ctx, "actions", true);
}

static void try_word(void *near, const char *word, bool takes_value)
{
	(void)takes_value;
	tn_ofctl_near_try(near, word);
}

static int unknown_key(struct reading *r, const struct tn_ofctl_item *item)
{
	struct tn_ofctl_near near;

	if (tn_ofctl_is(item->key, "actions") || tn_ofctl_is(item->key, "action"))
		return tn_ofctl_complain(&r->line, item->key.p, TN_OF_OK,
			"actions are written actions=ACTION,..., with drop for none");
	tn_ofctl_near_init(&near, item->key);
	tn_ofctl_each_key(try_word, &near);
	return tn_ofctl_unknown(
		&r->line, item->key, "key or field", &near, "ovs-fields(7) has the names");
}

static int parse_item(struct reading *r, const struct tn_ofctl_item *item)
{
	const struct flow_key *key = find_key(item->key);
	int rc;

	if (key)
		return parse_key(r, item, key);
	rc = tn_ofctl_match_item(&r->line, item, &r->terms);
	if (rc == 0)
		return unknown_key(r, item);
	return rc < 0 ? rc : 0;
}

static bool is_actions(const struct tn_ofctl_item *item)
{
	return (tn_ofctl_is(item->key, "actions") || tn_ofctl_is(item->key, "action")) &&
		(item->delimiter == '=' || item->delimiter == ':');
}

static const struct {
	const char *word;
	enum tn_ofctl_use use;
} command_words[] = {
	{"add", TN_OFCTL_ADD},
	{"modify", TN_OFCTL_MODIFY},
	{"modify_strict", TN_OFCTL_MODIFY_STRICT},
	{"delete", TN_OFCTL_DELETE},
	{"delete_strict", TN_OFCTL_DELETE_STRICT},
};

/* Takes the command that may stand first off *rest. */
static int parse_command(struct reading *r, enum tn_ofctl_use use, struct tn_ofctl_span *rest)
{
	struct tn_ofctl_span after = *rest;
	struct tn_ofctl_item item;
	int rc = tn_ofctl_next(&r->line, &after, &item);

	r->use = 1u << (use == TN_OFCTL_ANY ? TN_OFCTL_ADD : use);
	for (size_t i = 0; rc > 0 && i < TN_ARRAY_SIZE(command_words); i++) {
		if (item.delimiter || !tn_ofctl_is(item.key, command_words[i].word))
			continue;
		if (use != TN_OFCTL_ANY && use != command_words[i].use)
			return tn_ofctl_complain(&r->line, item.key.p, TN_OFPFMFC_BAD_COMMAND,
				"this command does not %s flows; leave the word out",
				command_words[i].word);
		r->use = 1u << command_words[i].use;
		*rest = after;
	}
	return rc < 0 ? rc : 0;
}

static void set_command(struct reading *r)
{
	static const enum tn_flow_command commands[] = {
		[TN_OFCTL_ADD] = TN_FLOW_ADD,
		[TN_OFCTL_MODIFY] = TN_FLOW_MODIFY,
		[TN_OFCTL_MODIFY_STRICT] = TN_FLOW_MODIFY_STRICT,
		[TN_OFCTL_DELETE] = TN_FLOW_DELETE,
		[TN_OFCTL_DELETE_STRICT] = TN_FLOW_DELETE_STRICT,
		[TN_OFCTL_FILTER] = TN_FLOW_DELETE,
	};

	tn_flow_mod_init(r->fm);
	for (unsigned i = 0; i < TN_ARRAY_SIZE(commands); i++)
		if (r->use == 1u << i)
			r->fm->command = commands[i];
	r->fm->table_id = (uint8_t)(r->use & ALL_TABLES ? TN_TABLE_ALL : 0);
}

static int parse_actions(struct reading *r, struct tn_ofctl_span s, bool match_ok)
{
	const struct tn_match *match = match_ok ? &r->fm->match : NULL;

	return tn_ofctl_parse_instructions(&r->line, s, match, r->fm->table_id, &r->fm->inst);
}

static int read_flow(struct reading *r, struct tn_ofctl_span rest)
{
	struct tn_ofctl_span actions = {NULL, 0};
	struct tn_ofctl_item item;
	bool match_ok;
	int rc, bad = 0;

	while ((rc = tn_ofctl_next(&r->line, &rest, &item)) > 0) {
		if (is_actions(&item)) {
			actions = (struct tn_ofctl_span){
				item.value.p, (size_t)(rest.p + rest.n - item.value.p)};
			break;
		}
		bad |= parse_item(r, &item);
	}
	if (rc < 0)
		return -EINVAL;
	match_ok = !bad && !tn_ofctl_match_settle(&r->line, &r->terms, &r->fm->match);
	if (actions.p && !(r->use & HAS_ACTIONS))
		return tn_ofctl_complain(&r->line, item.key.p, TN_OF_OK,
			"actions have no meaning for this command; leave them out");
	if (actions.p)
		bad |= parse_actions(r, actions, match_ok);
	else if (r->use & HAS_ACTIONS && !bad)
		return tn_ofctl_complain(&r->line, r->line.text.p + r->line.text.n, TN_OF_OK,
			"actions are missing; end the line with actions=, with drop for none");
	return match_ok && !bad ? 0 : -EINVAL;
}

int tn_ofctl_parse_flow(struct tn_ofctl *o, enum tn_ofctl_use use, const char *text, size_t len,
	struct tn_flow_mod *fm)
{
	struct tn_ofctl_span rest = {text, len};
	struct reading r;

	r.fm = fm;
	r.seen = 0;
	r.terms.n = 0;
	if (tn_ofctl_line_init(&r.line, o, text, len) || parse_command(&r, use, &rest))
		return -EINVAL;
	set_command(&r);
	return read_flow(&r, rest);
}

int tn_ofctl_parse_actions(
	struct tn_ofctl *o, const char *text, size_t len, const struct tn_action **list, size_t *n)
{
	struct tn_ofctl_span rest = {text, len}, after = rest;
	struct tn_ofctl_list read = {0};
	struct tn_ofctl_line line;
	struct tn_ofctl_item item;
	int rc;

	*list = NULL;
	*n = 0;
	if (tn_ofctl_line_init(&line, o, text, len))
		return -EINVAL;
	rc = tn_ofctl_next(&line, &after, &item);
	if (rc > 0 && is_actions(&item))
		rest = (struct tn_ofctl_span){item.value.p, (size_t)(text + len - item.value.p)};
	if (rc >= 0)
		rc = tn_ofctl_action_items(&line, rest, NULL, &read);
	if (rc == 0)
		rc = tn_ofctl_keep_list(&line, &read, TN_PLACE_PACKET_OUT, list, n);
	tn_ofctl_list_fini(&read);
	return rc;
}

static void put_flags(struct tn_ofctl_out *out, uint16_t flags)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(flow_keys); i++)
		if (flow_keys[i].flag & flags)
			tn_ofctl_put(out, "%s ", flow_keys[i].word);
}

static void put_duration(struct tn_ofctl_out *out, uint64_t ns)
{
	tn_ofctl_put(out, "duration=%llu", (unsigned long long)(ns / NS_PER_S));
	if (ns % NS_PER_S) {
		tn_ofctl_put(out, ".%09llu", (unsigned long long)(ns % NS_PER_S));
		while (out->n && out->s[out->n - 1] == '0')
			tn_ofctl_chomp(out, '0');
	}
	tn_ofctl_put(out, "s, ");
}

static uint64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static void put_stats(struct tn_ofctl_out *out, const struct tn_flow_info *flow)
{
	tn_ofctl_put(out, "n_packets=%llu, n_bytes=%llu, ",
		(unsigned long long)flow->counter.packets, (unsigned long long)flow->counter.bytes);
}

static void put_times(struct tn_ofctl_out *out, const struct tn_flow_info *flow)
{
	if (flow->idle_timeout)
		tn_ofctl_put(out, "idle_timeout=%u, ", flow->idle_timeout);
	if (flow->hard_timeout)
		tn_ofctl_put(out, "hard_timeout=%u, ", flow->hard_timeout);
	put_flags(out, flow->flags);
	if (flow->importance)
		tn_ofctl_put(out, "importance=%u, ", flow->importance);
}

char *tn_ofctl_print_flow(
	const struct tn_flow_info *flow, const struct tn_names *names, bool stats, uint64_t now_ns)
{
	struct tn_ofctl_out out;
	size_t before;

	tn_ofctl_out_init(&out, names);
	if (stats)
		tn_ofctl_put(&out, " ");
	if (stats || flow->cookie)
		tn_ofctl_put(&out, "cookie=0x%llx, ", (unsigned long long)flow->cookie);
	if (stats)
		put_duration(&out, since(now_ns, flow->created_ns));
	if (stats || flow->table_id) {
		tn_ofctl_put(&out, "table=");
		tn_ofctl_put_table(&out, flow->table_id);
		tn_ofctl_put(&out, ", ");
	}
	if (stats)
		put_stats(&out, flow);
	put_times(&out, flow);
	if (stats)
		tn_ofctl_put(&out, "idle_age=%llu, ",
			(unsigned long long)(since(now_ns, flow->last_used_ns) / NS_PER_S));
	before = out.n;
	if (flow->priority != TN_PRIORITY_DEFAULT)
		tn_ofctl_put(&out, "priority=%u,", flow->priority);
	tn_ofctl_put_match(&out, &flow->match);
	if (out.n != before) {
		tn_ofctl_chomp(&out, ',');
		tn_ofctl_put(&out, " ");
	}
	tn_ofctl_put(&out, "actions=");
	tn_ofctl_put_instructions(&out, &flow->inst);
	return tn_ofctl_finish(&out);
}

char *tn_ofctl_print_match(const struct tn_match *match, const struct tn_names *names)
{
	struct tn_ofctl_out out;

	tn_ofctl_out_init(&out, names);
	tn_ofctl_put_match(&out, match);
	tn_ofctl_chomp(&out, ',');
	return tn_ofctl_finish(&out);
}

char *tn_ofctl_print_actions(const struct tn_action *list, size_t n, const struct tn_names *names)
{
	struct tn_ofctl_out out;

	tn_ofctl_out_init(&out, names);
	tn_ofctl_put_actions(&out, list, n);
	return tn_ofctl_finish(&out);
}
