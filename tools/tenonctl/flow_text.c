/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/flow_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/json_codec.h"
#include "tools/tenonctl/say.h"

void tn_ctl_say_diagnostics(struct tn_ctl *ctl, const struct tn_ctl_line *line)
{
	tn_ctl_say_line(&ctl->diag, line->source, line->number, line->text, line->len);
	tn_diagnostics_fini(&ctl->diag);
	tn_diagnostics_init(&ctl->diag);
	tn_ctl_forget_text(ctl);
}

/* "file:3:14: /flows/0/priority: ..." */
void tn_ctl_say_document(struct tn_ctl *ctl, const char *source, const char *base)
{
	for (size_t i = 0; i < ctl->diag.n; i++) {
		const struct tn_diagnostic *d = &ctl->diag.list[i];
		const char *of = d->of == TN_OF_OK ? "" : tn_of_error_name(d->of);
		const char *pointer = d->pointer ? d->pointer : "";

		fprintf(stderr, "%s:", source);
		if (d->line)
			fprintf(stderr, "%" PRIu32 ":%" PRIu32 ":", d->line, d->column);
		fprintf(stderr, " %s%s%s%s%s", base, pointer, *base || *pointer ? ": " : "", of,
			*of ? ": " : "");
		tn_ctl_print_clean(stderr, d->detail);
		fputc('\n', stderr);
	}
	tn_diagnostics_fini(&ctl->diag);
	tn_diagnostics_init(&ctl->diag);
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

/* --- flows of a document ---------------------------------------------------------------------- */

/* Who takes the flows of a document, one by one. */
struct walk {
	struct tn_ctl *ctl;
	/* False: enough. */
	bool (*take)(struct walk *w, const struct tn_json_reader *r, struct tn_flow_mod *fm);
	bool strict; /* members beside "flows" are errors, and all errors are looked for */
	size_t n;
	/* of the one or the other kind of walk */
	uint32_t app;
	tn_ctl_mod_fn mod;
	tn_ctl_flow_fn flow;
	void *ctx;
};

static bool walk_array(struct walk *w, struct tn_json_source *s, struct tn_json_tape *t, bool bare)
{
	struct tn_codec codec = tn_ctl_codec(w->ctl);
	bool ok = true;

	if (tn_json_peek(s) != '[')
		return false;
	tn_json_enter(s);
	for (bool first = true; tn_json_more(s, '[', first); first = false) {
		struct tn_json_reader r = {.codec = &codec, .tape = t};
		struct tn_flow_mod fm;
		char base[32];

		snprintf(base, sizeof(base), "%s/%zu", bare ? "" : "/flows", w->n++);
		r.base = base;
		if (!tn_json_value(s, t))
			return false;
		if (!tn_json_read_flow(&r, t->v, &fm) || !w->take(w, &r, &fm))
			ok = false;
		if (!ok && !w->strict)
			return false;
		tn_ctl_forget_text(w->ctl);
	}
	return ok && !s->failed;
}

static bool walk_member(struct walk *w, struct tn_json_source *s, struct tn_json_tape *t)
{
	struct tn_json_value key;
	char name[64];

	if (!tn_json_key(s, t, &key))
		return false;
	if (tn_json_string_is(key.string, "flows"))
		return walk_array(w, s, t, false);
	if (w->strict)
		tn_diagnostics_add(s->diag, "", key.line, key.column, TN_OF_OK,
			"%s has no place here: give {\"flows\": [..]}, or the array alone",
			tn_json_quote(key.string, name, sizeof(name)));
	return tn_json_value(s, t) && !w->strict;
}

static bool walk_text(struct walk *w, const char *text, size_t len)
{
	struct tn_json_source s;
	struct tn_json_tape t;
	bool ok = true;

	tn_json_tape_init(&t);
	tn_json_source_init(&s, text, len, &w->ctl->diag);
	if (tn_json_peek(&s) == '[') {
		ok = walk_array(w, &s, &t, true);
	} else if (tn_json_peek(&s) == '{') {
		tn_json_enter(&s);
		for (bool first = true; !s.failed && tn_json_more(&s, '{', first); first = false)
			ok &= walk_member(w, &s, &t);
	} else {
		ok = false;
	}
	ok = ok && tn_json_end(&s);
	tn_json_tape_fini(&t);
	tn_ctl_forget_text(w->ctl);
	return ok && !s.failed;
}

/* --- those of the user ------------------------------------------------------------------------ */

static bool take_mod(struct walk *w, const struct tn_json_reader *r, struct tn_flow_mod *fm)
{
	if (!tn_json_member(r, r->tape->v, "appId"))
		fm->owner = w->app;
	w->mod(w->ctx, fm);
	return true;
}

static int each_line(struct tn_ctl *ctl, const struct tn_ctl_input *in, enum tn_ofctl_use use,
	tn_ctl_mod_fn fn, void *ctx)
{
	uint32_t app = tn_names_intern(ctl->names, tn_ctl_app(ctl));
	int code = TN_CTL_OK;

	for (size_t i = 0; i < in->n; i++) {
		const struct tn_ctl_line *l = &in->lines[i];
		struct tn_flow_mod fm;
		struct tn_ofctl o;

		tn_ctl_reader(ctl, l->number, &o);
		if (tn_ofctl_parse_flow(&o, use, l->text, l->len, &fm)) {
			code = TN_CTL_USAGE;
			tn_ctl_say_diagnostics(ctl, l);
			continue;
		}
		fm.owner = app;
		fn(ctx, &fm);
		tn_ctl_forget_text(ctl);
	}
	return code;
}

int tn_ctl_each_mod(struct tn_ctl *ctl, struct tn_ctl_input *in, enum tn_ofctl_use use,
	tn_ctl_mod_fn fn, void *ctx)
{
	struct walk w = {.ctl = ctl, .take = take_mod, .strict = true, .mod = fn, .ctx = ctx};

	if (!in->is_json)
		return each_line(ctl, in, use, fn, ctx);
	w.app = tn_names_intern(ctl->names, tn_ctl_app(ctl));
	tn_ctl_input_list(in, in->data[strspn(in->data, " \t\r\n")] == '[' ? NULL : "flows", 0);
	if (walk_text(&w, in->data, in->len))
		return TN_CTL_OK;
	if (!ctl->diag.n)
		tn_ctl_say("%s: give {\"flows\": [..]}, or the array alone", in->source);
	tn_ctl_say_document(ctl, in->source, "");
	return TN_CTL_USAGE;
}

/* --- those of an answer ----------------------------------------------------------------------- */

static uint64_t number_of(const struct tn_json_reader *r, const char *key)
{
	tn_json_ref m = tn_json_member(r, r->tape->v, key);
	char digits[24];

	if (m && m->type == TN_JSON_INTEGER)
		return m->magnitude;
	if (!m || m->type != TN_JSON_STRING || m->string.len >= sizeof(digits))
		return 0;
	memcpy(digits, m->string.p, m->string.len);
	digits[m->string.len] = '\0';
	return strtoull(digits, NULL, 0);
}

static void copy_string(const struct tn_json_reader *r, const char *key, char *buf, size_t size)
{
	tn_json_ref m = tn_json_member(r, r->tape->v, key);
	bool is = m && m->type == TN_JSON_STRING;

	snprintf(buf, size, "%.*s", is ? (int)m->string.len : 0, is ? m->string.p : "");
}

static bool take_flow(struct walk *w, const struct tn_json_reader *r, struct tn_flow_mod *fm)
{
	char state[16], failure[256];
	struct tn_ctl_flow flow = {.state = state, .failure = failure};

	tn_flow_mod_to_info(w->ctl->dpid, fm, &flow.info);
	flow.info.counter.packets = number_of(r, "packets");
	flow.info.counter.bytes = number_of(r, "bytes");
	flow.life_s = number_of(r, "life");
	flow.last_seen_ms = number_of(r, "lastSeen");
	copy_string(r, "state", state, sizeof(state));
	copy_string(r, "failure", failure, sizeof(failure));
	w->flow(w->ctx, &flow);
	return true;
}

int tn_ctl_each_flow(struct tn_ctl *ctl, const char *text, size_t len, tn_ctl_flow_fn fn, void *ctx)
{
	struct walk w = {.ctl = ctl, .take = take_flow, .flow = fn, .ctx = ctx};

	if (walk_text(&w, text, len))
		return 0;
	tn_ctl_say("the daemon's list of flows is not what this tenonctl reads: %s",
		ctl->diag.n ? ctl->diag.list[0].detail : "no flows in it");
	return -1;
}
