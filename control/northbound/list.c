/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/list.h"

#include <inttypes.h>
#include <stdio.h>

#include "control/model/ofctl.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"

#define PART_BYTES 32768u /* of a streamed answer, made at a time */
#define PART_LOOKS 4096u  /* objects looked at for it, kept or not */

struct list {
	enum tn_kind kind;
	const char *key;
	tn_keep_fn keep;
	const void *keep_ctx;
	enum tn_object_form form;
	struct tn_codec codec;
	const struct tn_engine *engine;
	uint64_t after;	 /* the last one looked at */
	bool from_start; /* none was */
	bool more;	 /* it was not the last */
	uint64_t n;	 /* printed */
	uint64_t limit;	 /* 0: none */
	/* Of the part that is being made. */
	struct tn_text *out;
	size_t looks, bytes_max;
	char last_id[TN_TENANT_ID_MAX + 1];
};

uint64_t tn_list_generation(struct tn_call *c, enum tn_kind kind)
{
	return tn_engine_generation(tn_call_engine(c), kind) + 1;
}

static bool take_generation(void *ctx, const struct tn_object *o)
{
	*(uint64_t *)ctx = o->generation ? o->generation : 1;
	return false;
}

uint64_t tn_object_generation(struct tn_call *c, enum tn_kind kind, uint64_t id)
{
	uint64_t generation = 0;

	(void)tn_engine_get(
		tn_call_engine(c), kind, id, tn_call_scope(c), take_generation, &generation);
	return generation;
}

/* Filters. */

static bool read_cookie(struct tn_call *c, struct tn_filter *f)
{
	const char *s = tn_call_query(c, "cookie"), *slash = s ? strchr(s, '/') : NULL;
	char value[32];
	bool ok;

	if (!s)
		return true;
	snprintf(value, sizeof(value), "%.*s", slash ? (int)(slash - s) : (int)strlen(s), s);
	f->cookie_mask = UINT64_MAX;
	ok = tn_scan_u64(value, &f->cookie) && (!slash || tn_scan_u64(slash + 1, &f->cookie_mask));
	f->cookie &= f->cookie_mask;
	if (!ok)
		tn_answer_error(c, 400, "\"cookie\" is a number, or number/mask");
	return ok;
}

static bool read_match(struct tn_call *c, struct tn_filter *f)
{
	const char *text = tn_call_query(c, "match");
	struct tn_ofctl o = {
		.names = tn_engine_names(tn_call_engine(c)),
		.arena = &c->arena,
		.diag = &c->diag,
	};
	struct tn_flow_mod fm;

	if (!text)
		return true;
	if (tn_ofctl_parse_flow(&o, TN_OFCTL_FILTER, text, strlen(text), &fm)) {
		tn_answer_diagnostics(c, &c->diag, 400, TN_NO_INDEX);
		return false;
	}
	f->has_match = true;
	f->match = fm.match;
	if (fm.table_id != TN_TABLE_ALL)
		f->table = fm.table_id;
	if (fm.cookie_mask) {
		f->cookie = fm.cookie & fm.cookie_mask;
		f->cookie_mask = fm.cookie_mask;
	}
	f->out_port = fm.out_port;
	f->out_group = fm.out_group;
	return true;
}

struct tn_filter *tn_filter_read(struct tn_call *c)
{
	const char *table = tn_call_query(c, "table"), *port = tn_call_query(c, "outPort");
	const char *group = tn_call_query(c, "outGroup");
	struct tn_filter *f = tn_arena_alloc(&c->arena, sizeof(*f));
	uint64_t number;
	uint8_t id;

	f->table = -1;
	f->out_port = TN_PORT_ANY;
	f->out_group = TN_GROUP_ANY;
	f->app = tn_call_query(c, "appId");
	f->names = tn_engine_names(tn_call_engine(c));
	if (!read_match(c, f) || !read_cookie(c, f))
		return NULL;
	if (table) {
		if (!tn_param_table(c, table, &id))
			return NULL;
		f->table = id;
	}
	if (port) {
		if (strcasecmp(port, "controller") == 0)
			f->out_port = TN_PORT_CONTROLLER;
		else if (!tn_param_port(c, port, &f->out_port))
			return NULL;
	}
	if (group) {
		if (!tn_param_number(c, "\"outGroup\"", group, TN_GROUP_MAX, &number))
			return NULL;
		f->out_group = (uint32_t)number;
	}
	return f;
}

static bool acts_on(const struct tn_action *list, size_t n, const struct tn_filter *f)
{
	for (size_t i = 0; i < n; i++)
		if ((f->out_port == TN_PORT_ANY ||
			    (list[i].type == TN_ACTION_OUTPUT &&
				    list[i].output.port == f->out_port)) &&
			(f->out_group == TN_GROUP_ANY ||
				(list[i].type == TN_ACTION_GROUP &&
					list[i].group_id == f->out_group)))
			return true;
	return false;
}

/* Each of the two is looked for by itself: one action cannot be both. */
static bool acts(const struct tn_flow_info *flow, const struct tn_filter *filter)
{
	struct tn_filter port = {.out_port = filter->out_port, .out_group = TN_GROUP_ANY};
	struct tn_filter group = {.out_port = TN_PORT_ANY, .out_group = filter->out_group};
	const struct tn_instructions *inst = &flow->inst;

	if (port.out_port != TN_PORT_ANY && !acts_on(inst->apply, inst->n_apply, &port) &&
		!acts_on(inst->write, inst->n_write, &port))
		return false;
	return group.out_group == TN_GROUP_ANY || acts_on(inst->apply, inst->n_apply, &group) ||
		acts_on(inst->write, inst->n_write, &group);
}

bool tn_filter_keeps(const struct tn_object *o, const void *ctx)
{
	const struct tn_filter *f = ctx;
	const struct tn_flow_info *flow = o->flow;

	if (f->table >= 0 && flow->table_id != f->table)
		return false;
	if (f->pending && o->state != TN_STATE_PENDING_ADD && o->state != TN_STATE_PENDING_REMOVE)
		return false;
	if ((flow->cookie & f->cookie_mask) != f->cookie)
		return false;
	if (f->app && strcmp(tn_names_string(f->names, flow->owner), f->app) != 0)
		return false;
	return acts(flow, f) && (!f->has_match || tn_match_subsumes(&f->match, &flow->match));
}

/* Printing. */

static bool add_object(void *ctx, const struct tn_object *o)
{
	struct list *l = ctx;

	/* The page is full and there is one more. */
	if (l->limit && l->n == l->limit) {
		if (!l->keep || l->keep(o, l->keep_ctx)) {
			l->more = true;
			return false;
		}
		return true;
	}
	if (l->looks++ == PART_LOOKS || l->out->n > l->bytes_max) {
		l->more = true;
		return false;
	}
	l->after = o->id;
	l->from_start = false;
	if (l->keep && !l->keep(o, l->keep_ctx))
		return true;
	if (l->n++)
		tn_text_add(l->out, ",", 1);
	tn_object_print(l->out, &l->codec, l->engine, o, l->form);
	if (l->limit)
		tn_object_id(o, l->last_id, sizeof(l->last_id));
	return true;
}

static enum tn_produced produce(struct tn_call *c, struct tn_text *out)
{
	struct list *l = c->state;

	l->out = out;
	l->looks = 0;
	l->more = false;
	tn_engine_scan(tn_call_engine(c), l->kind, tn_call_scope(c), l->after, l->from_start,
		add_object, l);
	if (l->more) {
		if (!out->n)
			tn_text_add(out, "\n", 1); /* still looking */
		return TN_PRODUCED_MORE;
	}
	tn_text_puts(out, "]}");
	return TN_PRODUCED_END;
}

/* As it may stand in a URL. */
static void put_escaped(struct tn_text *t, const char *p, const char *as_is)
{
	for (; *p; p++)
		if (strchr(as_is, *p) || (*p >= '0' && *p <= '9') ||
			((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z'))
			tn_text_add(t, p, 1);
		else
			tn_text_printf(t, "%%%02X", (unsigned char)*p);
}

/* The same request from the last of this page on. */
static const char *next_link(struct tn_call *c, const struct list *l)
{
	struct tn_text t = {0};
	char *s;

	tn_text_add(&t, "<", 1);
	put_escaped(&t, c->path, "-._~:,/");
	tn_text_printf(&t, "?limit=%" PRIu64 "&after=%s", l->limit, l->last_id);
	for (size_t i = 0; i < c->n_query; i++) {
		if (strcmp(c->query[i].key, "limit") == 0 || strcmp(c->query[i].key, "after") == 0)
			continue;
		tn_text_printf(&t, "&%s=", c->query[i].key);
		put_escaped(&t, c->query[i].value, "-._~:,/");
	}
	tn_text_add(&t, ">; rel=\"next\"", 14);
	s = tn_arena_strdup(&c->arena, t.p);
	tn_text_fini(&t);
	return s;
}

static void answer_page(struct tn_call *c)
{
	struct list *l = c->state;
	bool looked_at_all;

	l->out = &c->text;
	l->bytes_max = SIZE_MAX;
	do { /* a part at a time would be another request's turn; a page is bounded by its limit */
		l->looks = 0;
		l->more = false;
		tn_engine_scan(tn_call_engine(c), l->kind, tn_call_scope(c), l->after,
			l->from_start, add_object, l);
		looked_at_all = !l->more || l->n == l->limit;
	} while (!looked_at_all);
	tn_text_puts(&c->text, "]}");
	if (l->more)
		c->link = next_link(c, l);
	tn_answer_text(c, 200, TN_TYPE_JSON);
}

static void on_refreshed(struct tn_call *c)
{
	struct list *l = c->state;

	l->codec = tn_call_codec(c, true);
	l->engine = tn_call_engine(c);
	tn_text_printf(&c->text, "{\"%s\":[", l->key);
	if (l->limit)
		answer_page(c);
	else
		tn_answer_stream(c, 200, TN_TYPE_JSON, produce);
}

static bool read_page(struct tn_call *c, struct list *l)
{
	const char *limit = tn_call_query(c, "limit"), *after = tn_call_query(c, "after");

	l->from_start = true;
	if (limit) {
		if (!tn_param_number(c, "\"limit\"", limit, TN_LIST_LIMIT_MAX, &l->limit))
			return false;
		if (!l->limit) {
			tn_answer_error(c, 400, "\"limit\" is 1 to %u", TN_LIST_LIMIT_MAX);
			return false;
		}
	}
	if (!after)
		return true;
	l->from_start = false;
	if (!tn_kind_is_tenant(l->kind))
		return tn_param_flow(c, after, &l->after);
	l->after = tn_engine_tenant_id(
		tn_call_engine(c), (enum tn_tenant_kind)(l->kind - TN_KIND_TENANT), after);
	if (!l->after)
		tn_answer_error(c, 400, "\"after\": there is nothing \"%.80s\" any more", after);
	return l->after != 0;
}

static enum tn_object_form form_of(const struct tn_call *c)
{
	const char *stats = tn_call_query(c, "stats");

	return stats && strcmp(stats, "false") == 0 ? TN_OBJECT_STATED : TN_OBJECT_WHOLE;
}

static unsigned counted(enum tn_kind kind)
{
	return kind >= TN_KIND_TABLE ? 0 : 1u << kind;
}

void tn_list_answer(
	struct tn_call *c, enum tn_kind kind, const char *key, tn_keep_fn keep, const void *ctx)
{
	struct list *l = tn_arena_alloc(&c->arena, sizeof(*l));

	c->state = l;
	l->kind = kind;
	l->key = key;
	l->keep = keep;
	l->keep_ctx = ctx;
	l->form = form_of(c);
	l->bytes_max = PART_BYTES;
	if (read_page(c, l) && tn_call_check_conditions(c, tn_list_generation(c, kind)))
		tn_call_refresh(c, counted(kind), on_refreshed);
}

static bool is_owned(const struct tn_object *o, const void *ctx)
{
	const struct tn_filter *f = ctx;

	return strcmp(tn_names_string(f->names, o->owner), f->app) == 0;
}

void tn_list_answer_owned(struct tn_call *c, enum tn_kind kind, const char *key)
{
	struct tn_filter *f = tn_arena_alloc(&c->arena, sizeof(*f));

	f->app = tn_call_query(c, "appId");
	f->names = tn_engine_names(tn_call_engine(c));
	tn_list_answer(c, kind, key, f->app ? is_owned : NULL, f);
}

/* One object. */

struct single {
	enum tn_kind kind;
	uint64_t id;
	const char *key; /* NULL: bare */
	const char *missing;
	struct tn_call *call;
};

static bool print_single(void *ctx, const struct tn_object *o)
{
	struct single *s = ctx;
	struct tn_codec codec = tn_call_codec(s->call, true);

	tn_object_print(&s->call->text, &codec, tn_call_engine(s->call), o, form_of(s->call));
	return false;
}

static void answer_single(struct tn_call *c)
{
	struct single *s = c->state;
	bool found;

	if (s->key)
		tn_text_printf(&c->text, "{\"%s\":[", s->key);
	found = tn_engine_get(tn_call_engine(c), s->kind, s->id, tn_call_scope(c), print_single, s);
	if (!found && s->missing) {
		tn_answer_error(c, 404, "%s", s->missing);
		return;
	}
	if (s->key)
		tn_text_puts(&c->text, "]}");
	tn_answer_text(c, 200, TN_TYPE_JSON);
}

void tn_object_answer(struct tn_call *c, enum tn_kind kind, uint64_t id, const char *key, bool wrap,
	const char *missing)
{
	uint64_t generation = tn_object_generation(c, kind, id);
	struct single *s = tn_arena_alloc(&c->arena, sizeof(*s));

	*s = (struct single){.kind = kind, .id = id, .missing = missing, .call = c};
	if (wrap && c->onos)
		s->key = key;
	c->state = s;
	if (!generation && missing)
		tn_answer_error(c, 404, "%s", missing);
	else if (!generation || tn_call_check_conditions(c, generation))
		tn_call_refresh(c, counted(kind), answer_single);
}
