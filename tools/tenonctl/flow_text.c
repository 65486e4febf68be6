/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/flow_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "tools/tenonctl/say.h"

#define NS_PER_S UINT64_C(1000000000)

void tn_ctl_say_diagnostics(struct tn_ctl *ctl, const struct tn_ctl_line *line)
{
	tn_ctl_say_line(&ctl->diag, line->source, line->number, line->text, line->len);
	tn_diagnostics_fini(&ctl->diag);
	tn_diagnostics_init(&ctl->diag);
	tn_ctl_forget_text(ctl);
}

void tn_ctl_forget_text(struct tn_ctl *ctl)
{
	tn_arena_fini(&ctl->arena);
	tn_arena_init(&ctl->arena);
}

/* --- a mod as a line -------------------------------------------------------------------------- */

static void print_choice(FILE *f, const struct tn_flow_mod *fm, bool strict)
{
	const char *comma = "";

	if (fm->table_id != TN_TABLE_ALL) {
		fprintf(f, "table=%u", fm->table_id);
		comma = ",";
	}
	if (fm->cookie_mask) {
		fprintf(f, "%scookie=0x%" PRIx64 "/0x%" PRIx64, comma, fm->cookie, fm->cookie_mask);
		comma = ",";
	}
	if (fm->set_cookie) {
		fprintf(f, "%scookie=0x%" PRIx64, comma, fm->new_cookie);
		comma = ",";
	}
	if (fm->out_port != TN_PORT_ANY) {
		fprintf(f, "%sout_port=%" PRIu32, comma, fm->out_port);
		comma = ",";
	}
	if (fm->out_group != TN_GROUP_ANY) {
		fprintf(f, "%sout_group=%" PRIu32, comma, fm->out_group);
		comma = ",";
	}
	if (strict)
		fprintf(f, "%spriority=%u", comma, fm->priority);
}

/* What follows after the last field of a flow without cookie, table and priority. */
static char *actions_of(const struct tn_flow_mod *fm, const struct tn_names *names)
{
	struct tn_flow_info info = {.table_id = 0, .priority = 32768};
	char *text, *start, *copy;

	tn_match_init(&info.match);
	info.inst = fm->inst;
	text = tn_ofctl_print_flow(&info, names, false, 0);
	if (!text)
		abort();
	start = strstr(text, "actions=");
	copy = strdup(start ? start : text);
	free(text);
	if (!copy)
		abort();
	return copy;
}

static char *choice_text(const struct tn_flow_mod *fm, const struct tn_names *names)
{
	static const char *const words[] = {
		[TN_FLOW_MODIFY] = "modify",
		[TN_FLOW_MODIFY_STRICT] = "modify_strict",
		[TN_FLOW_DELETE] = "delete",
		[TN_FLOW_DELETE_STRICT] = "delete_strict",
	};
	bool strict = fm->command == TN_FLOW_MODIFY_STRICT || fm->command == TN_FLOW_DELETE_STRICT;
	bool modifies = fm->command == TN_FLOW_MODIFY || fm->command == TN_FLOW_MODIFY_STRICT;
	char *match = tn_ofctl_print_match(&fm->match, names), *text = NULL, *actions, *key = NULL;
	size_t size, key_size;
	FILE *f = open_memstream(&text, &size), *k = open_memstream(&key, &key_size);

	if (!f || !k || !match)
		abort();
	print_choice(k, fm, strict);
	fclose(k);
	fputs(words[fm->command], f);
	if (*key || *match)
		fprintf(f, " %s%s%s", key, *key && *match ? "," : "", match);
	if (modifies) {
		actions = actions_of(fm, names);
		fprintf(f, " %s", actions);
		free(actions);
	}
	fclose(f);
	free(key);
	free(match);
	return text;
}

char *tn_ctl_flow_mod_text(const struct tn_flow_mod *fm, const struct tn_names *names)
{
	struct tn_flow_info info;
	char *text;

	if (fm->command != TN_FLOW_ADD)
		return choice_text(fm, names);
	tn_flow_mod_to_info(0, fm, &info);
	text = tn_ofctl_print_flow(&info, names, false, 0);
	if (!text)
		abort();
	return text;
}

char *tn_ctl_flow_json_text(struct tn_ctl *ctl, const json_t *flow)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	struct tn_flow_mod fm;
	char *text = NULL;

	if (!tn_flow_from_json(&codec, "", flow, &fm))
		text = tn_ctl_flow_mod_text(&fm, ctl->options.names ? ctl->names : NULL);
	tn_ctl_forget_text(ctl);
	return text ? text : json_dumps(flow, JSON_COMPACT);
}

/* --- flows of an answer ----------------------------------------------------------------------- */

static uint64_t number_of(const struct tn_json_reader *r, tn_json_ref v, const char *key)
{
	tn_json_ref m = tn_json_member(r, v, key);

	if (!m)
		return 0;
	if (m->type == TN_JSON_INTEGER)
		return m->magnitude;
	if (m->type == TN_JSON_STRING && m->string.len > 2 && m->string.len < 20) {
		char digits[24];

		memcpy(digits, m->string.p, m->string.len);
		digits[m->string.len] = '\0';
		return strtoull(digits, NULL, 0);
	}
	return 0;
}

static bool read_flow(
	struct tn_ctl *ctl, const struct tn_json_tape *t, struct tn_ctl_flow *flow, char state[16])
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	struct tn_json_reader r = {.codec = &codec, .tape = t, .base = "/flows"};
	struct tn_flow_mod fm;
	tn_json_ref m;

	if (!tn_json_read_flow(&r, t->v, &fm))
		return false;
	tn_flow_mod_to_info(ctl->dpid, &fm, &flow->info);
	flow->info.counter.packets = number_of(&r, t->v, "packets");
	flow->info.counter.bytes = number_of(&r, t->v, "bytes");
	flow->life_s = number_of(&r, t->v, "life");
	m = tn_json_member(&r, t->v, "state");
	snprintf(state, 16, "%.*s", m && m->type == TN_JSON_STRING ? (int)m->string.len : 0,
		m && m->type == TN_JSON_STRING ? m->string.p : "");
	flow->state = state;
	return true;
}

static bool walk_flows(struct tn_ctl *ctl, struct tn_json_source *s, struct tn_json_tape *t,
	tn_ctl_flow_fn fn, void *ctx)
{
	struct tn_ctl_flow flow;
	char state[16];

	if (tn_json_peek(s) != '[')
		return false;
	tn_json_enter(s);
	for (bool first = true; tn_json_more(s, '[', first); first = false) {
		if (!tn_json_value(s, t) || !read_flow(ctl, t, &flow, state))
			return false;
		fn(ctx, &flow);
	}
	return !s->failed;
}

int tn_ctl_each_flow(struct tn_ctl *ctl, const char *text, size_t len, tn_ctl_flow_fn fn, void *ctx)
{
	struct tn_json_source s;
	struct tn_json_value key;
	struct tn_json_tape t;
	bool ok = true;

	tn_json_tape_init(&t);
	tn_json_source_init(&s, text, len, &ctl->diag);
	ok = tn_json_peek(&s) == '{';
	if (ok)
		tn_json_enter(&s);
	for (bool first = true; ok && tn_json_more(&s, '{', first); first = false) {
		ok = tn_json_key(&s, &t, &key);
		if (ok && tn_json_string_is(key.string, "flows"))
			ok = walk_flows(ctl, &s, &t, fn, ctx);
		else if (ok)
			ok = tn_json_value(&s, &t);
	}
	tn_json_tape_fini(&t);
	if (ok && !s.failed)
		return 0;
	tn_ctl_say("the daemon's list of flows is not what this tenonctl reads: %s",
		ctl->diag.n ? ctl->diag.list[0].detail : "no flows in it");
	return -1;
}
