/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/model/json_codec.h"
#include "control/model/json_reader.h"
#include "control/northbound/answer.h"
#include "control/northbound/memory.h"
#include "control/northbound/object.h"
#include "control/northbound/route.h"
#include "control/northbound/service.h"

#define DIFFERENCES_MAX 10000u
#define CONFIRM_MAX	86400u

struct tn_call *tn_call_new(struct tn_service *s)
{
	struct tn_call *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->service = s;
	c->number = ++s->n_calls;
	c->next = s->calls;
	c->at = &s->calls;
	if (c->next)
		c->next->at = &c->next;
	s->calls = c;
	tn_arena_init(&c->arena);
	tn_diagnostics_init(&c->diag);
	return c;
}

static void call_free(struct tn_call *c)
{
	if (c->end)
		c->end(c);
	if (c->service) {
		*c->at = c->next;
		if (c->next)
			c->next->at = c->at;
	}
	tn_text_fini(&c->body);
	tn_text_fini(&c->text);
	tn_text_fini(&c->differences);
	tn_diagnostics_fini(&c->diag);
	tn_arena_fini(&c->arena);
	free(c->ops);
	free(c);
}

void tn_call_release(struct tn_call *c)
{
	if (c->released)
		return;
	c->released = true;
	c->wake = NULL;
	tn_service_unpick(c->service, c);
	/* Traces and refreshes need nothing of ours; a request's operations must stay. */
	if (c->submitted)
		return;
	if (!c->answered) {
		tn_engine_forget(c->service->engine, c);
		tn_memory_forget(c->service->memory, c);
	}
	call_free(c);
}

void tn_call_add_query(struct tn_call *c, const char *key, const char *value)
{
	if (c->n_query == TN_CALL_QUERIES_MAX) {
		c->too_many_queries = true;
		return;
	}
	c->query[c->n_query++] = (struct tn_call_query){
		tn_arena_strdup(&c->arena, key), tn_arena_strdup(&c->arena, value ? value : "")};
}

const char *tn_call_query(const struct tn_call *c, const char *key)
{
	for (size_t i = 0; i < c->n_query; i++)
		if (strcmp(c->query[i].key, key) == 0)
			return c->query[i].value;
	return NULL;
}

bool tn_call_flag(const struct tn_call *c, const char *key)
{
	const char *value = tn_call_query(c, key);

	return value && (!*value || strcmp(value, "true") == 0);
}

struct tn_codec tn_call_codec(struct tn_call *c, bool with_stats)
{
	return (struct tn_codec){
		.dpid = tn_engine_dpid(c->service->engine),
		.names = tn_engine_names(c->service->engine),
		.arena = &c->arena,
		.diag = &c->diag,
		.with_stats = with_stats,
		.now_ns = tn_service_now(),
	};
}

struct tn_scope tn_call_scope(const struct tn_call *c)
{
	return (struct tn_scope){.tenant = c->who.tenant};
}

struct tn_engine *tn_call_engine(const struct tn_call *c)
{
	return c->service->engine;
}

/* Begin: where to, and may the client. */

/* The path below the version; NULL: it is of neither. */
static const char *below_version(struct tn_call *c)
{
	if (strncmp(c->path, "/v1/", 4) == 0)
		return c->path + 3;
	if (strncmp(c->path, "/onos/v1/", 9) == 0) {
		c->onos = true;
		return c->path + 8;
	}
	return NULL;
}

/* "true", "false", or nothing for true. */
static bool check_flag(struct tn_call *c, const struct tn_call_query *q)
{
	static const char *const flags[] = {"stats", "dryRun", "initial"};

	if (!*q->value || strcmp(q->value, "true") == 0 || strcmp(q->value, "false") == 0)
		return true;
	for (size_t i = 0; i < TN_ARRAY_SIZE(flags); i++)
		if (strcmp(q->key, flags[i]) == 0) {
			tn_answer_error(c, 400, "\"%s\" is true or false", q->key);
			return false;
		}
	return true;
}

static void say_no_parameter(struct tn_call *c, const char *key)
{
	const char *words[TN_CALL_QUERIES_MAX + 1];
	char name[32], near[64];
	size_t n = 0;

	while (n < TN_CALL_QUERIES_MAX && tn_route_parameter(c->route, n, name, sizeof(name)))
		words[n++] = tn_arena_strdup(&c->arena, name);
	words[n] = NULL;
	(void)tn_json_suggest(
		(struct tn_json_string){key, (uint32_t)strlen(key)}, words, near, sizeof(near));
	tn_answer_error(c, 400, "%s %s takes no parameter \"%.40s\"%s; see /v1/openapi.json",
		tn_method_name(c->method), c->route->path, key, near);
}

static bool check_queries(struct tn_call *c)
{
	if (c->too_many_queries) {
		tn_answer_error(c, 400, "over %u parameters", TN_CALL_QUERIES_MAX);
		return false;
	}
	for (size_t i = 0; i < c->n_query; i++) {
		const char *key = c->query[i].key;

		/* Clients of ONOS may send what it never read. */
		if (!c->onos && !tn_route_takes(c->route, key)) {
			say_no_parameter(c, key);
			return false;
		}
		for (size_t k = 0; k < i; k++)
			if (strcmp(c->query[k].key, key) == 0) {
				tn_answer_error(
					c, 400, "parameter \"%.40s\" stands twice; keep one", key);
				return false;
			}
		if (!check_flag(c, &c->query[i]))
			return false;
	}
	return true;
}

/* What the route would not look at must not be sent to be looked at. */
static bool check_headers(struct tn_call *c)
{
	if (c->onos || c->method == TN_GET || c->route->flags & TN_ROUTE_TAGGED)
		return true;
	if (!c->if_match && !c->if_none_match)
		return true;
	tn_answer_error(c, 400,
		"%s %s has no ETag to compare with: send it without If-Match and If-None-Match",
		tn_method_name(c->method), c->route->path);
	return false;
}

static bool check_role(struct tn_call *c)
{
	if (c->who.role >= c->route->role &&
		!(c->who.tenant && (c->route->flags & TN_ROUTE_NO_TENANTS)))
		return true;
	if (c->who.role == TN_ROLE_NONE) {
		c->challenge = c->onos ? "Basic realm=\"tenon\"" : "Bearer realm=\"tenon\"";
		tn_answer_error(c, 401, "say who you are: Authorization: Bearer <token>");
	} else if (c->who.role < c->route->role) {
		tn_answer_of_error(c, 403, TN_OFPBRC_EPERM, "this needs the role %s; \"%s\" is %s",
			tn_role_name(c->route->role), c->who.name, tn_role_name(c->who.role));
	} else {
		tn_answer_of_error(c, 403, TN_OFPBRC_EPERM,
			"this is of the switch and not for clients of one tenant, whose are networks, "
			"subnets, ports and routers; ask an operator");
	}
	return false;
}

/* {deviceId} is the one that there is. */
static bool check_device(struct tn_call *c)
{
	uint64_t dpid = tn_engine_dpid(c->service->engine);
	const char *p = c->route->path;
	char own[24];
	unsigned i = 0;

	snprintf(own, sizeof(own), "of:%016" PRIx64, dpid);
	for (; (p = strchr(p, '{')); p++, i++)
		if (strncmp(p, "{deviceId}", 10) == 0 && strcasecmp(c->params[i], own) != 0) {
			tn_answer_error(c,
				c->onos && (c->route->flags & TN_ROUTE_BAD_DEVICE) ? 400 : 404,
				"Device is not found: this is %s", own);
			return false;
		}
	return true;
}

void tn_call_begin(struct tn_call *c)
{
	const char *path = below_version(c);
	unsigned methods = 0;

	if (!path || !tn_route_find(c, path, &methods)) {
		tn_answer_error(c, 404,
			"nothing is at %.200s%s; /v1/openapi.json lists what there is", c->path,
			path ? tn_route_near(c, path) : "");
		return;
	}
	if (c->method == TN_OPTIONS || !c->route) {
		c->allow = tn_route_allow(&c->arena, methods);
		if (c->method == TN_OPTIONS)
			tn_answer_empty(c, 204);
		else
			tn_answer_error(c, 405, "%s takes %s", c->path, c->allow);
		return;
	}
	(void)(check_role(c) && check_queries(c) && check_headers(c) && check_device(c));
}

/* application/json, or what a format over JSON calls itself; parameters do not matter. */
static bool is_json(const char *type)
{
	size_t n = strcspn(type, "; \t");

	return (n == 16 && strncasecmp(type, TN_TYPE_JSON, n) == 0) ||
		(n > 5 && strncasecmp(type + n - 5, "+json", 5) == 0);
}

void tn_call_run(struct tn_call *c)
{
	const struct tn_route *route = c->route;

	if (c->answered)
		return;
	if (route->request && c->body.n && c->content_type && !is_json(c->content_type)) {
		tn_answer_error(
			c, 415, "Content-Type is %.80s; send application/json", c->content_type);
		return;
	}
	if (route->request && !c->body.n && !(route->flags & TN_ROUTE_OPTIONAL_BODY)) {
		tn_answer_error(c, 400, "%s %s needs a body of JSON", tn_method_name(c->method),
			route->path);
		return;
	}
	if (c->idempotency_key && c->method != TN_GET &&
		!tn_memory_begin(c->service->memory, c, tn_service_monotonic()))
		return;
	route->handle(c);
}

/* Changes. */

struct tn_operation *tn_call_operation(
	struct tn_call *c, enum tn_operation_kind kind, const char *pointer)
{
	struct tn_operation *op;

	if (c->n_ops == c->ops_room) {
		c->ops_room = c->ops_room ? c->ops_room * 2 : 1;
		c->ops = realloc(c->ops, c->ops_room * sizeof(*c->ops));
		if (!c->ops)
			abort();
	}
	op = &c->ops[c->n_ops++];
	*op = (struct tn_operation){.kind = kind, .pointer = pointer};
	return op;
}

void tn_call_remove(struct tn_call *c, enum tn_kind kind, uint64_t id, uint64_t generation)
{
	struct tn_operation *op = tn_call_operation(c, TN_OP_REMOVE, "");

	op->object.kind = kind;
	op->object.id = id;
	op->if_generation = c->if_match ? generation : 0;
}

/* One change of a dry run. */
static void on_difference(void *ctx, const struct tn_object *before, const struct tn_object *after)
{
	const struct tn_object *either = before ? before : after;
	struct tn_call *c = ctx;
	struct tn_codec codec;

	if (!either || c->n_differences++ >= DIFFERENCES_MAX)
		return;
	codec = tn_call_codec(c, false);
	tn_text_printf(&c->differences, "%s{\"change\":\"%s\",\"kind\":\"%s\"",
		c->n_differences > 1 ? "," : "",
		!before		 ? "ADDED"
			: !after ? "REMOVED"
				 : "MODIFIED",
		tn_kind_name(either->kind));
	if (before) {
		tn_text_puts(&c->differences, ",\"before\":");
		tn_object_print(
			&c->differences, &codec, c->service->engine, before, TN_OBJECT_PLAIN);
	}
	if (after) {
		tn_text_puts(&c->differences, ",\"after\":");
		tn_object_print(
			&c->differences, &codec, c->service->engine, after, TN_OBJECT_PLAIN);
	}
	tn_text_puts(&c->differences, "}");
}

static void answer_dry_run(struct tn_call *c)
{
	tn_text_printf(&c->text, "{\"dryRun\":true,\"total\":%zu,\"changes\":[", c->n_differences);
	tn_text_add(&c->text, c->differences.p, c->differences.n);
	tn_text_puts(&c->text, "]}");
	tn_answer_text(c, 200, TN_TYPE_JSON);
}

static void answer_done(struct tn_call *c, const struct tn_outcome *o)
{
	if (o->verdict != TN_DONE && o->verdict != TN_ACCEPTED)
		tn_answer_outcome(c, o);
	else if (tn_call_flag(c, "dryRun"))
		answer_dry_run(c);
	else
		c->finish(c, o);
}

static void on_done(void *ctx, const struct tn_outcome *o)
{
	struct tn_call *c = ctx;

	c->submitted = false;
	if (!c->service) {
		call_free(c);
		return;
	}
	tn_service_unpick(c->service, c);
	answer_done(c, o);
	/* Its client is gone; who asks again with its Idempotency-Key gets the answer. */
	if (c->released)
		call_free(c);
}

/* What the query says of the change. */
static bool read_manner(struct tn_call *c, struct tn_request *request)
{
	const char *wait = tn_call_query(c, "wait"), *confirm = tn_call_query(c, "confirmWithin");
	unsigned long seconds;
	char *rest;

	if (wait && strcmp(wait, "none") != 0 && strcmp(wait, "done") != 0) {
		tn_answer_error(c, 400, "\"wait\" is none or done");
		return false;
	}
	request->no_wait = wait && strcmp(wait, "none") == 0;
	request->dry_run = tn_call_flag(c, "dryRun");
	if (!confirm)
		return true;
	seconds = strtoul(confirm, &rest, 10);
	if (*confirm < '1' || *confirm > '9' || *rest || seconds > CONFIRM_MAX) {
		tn_answer_error(c, 400, "\"confirmWithin\" is 1 to %u seconds", CONFIRM_MAX);
		return false;
	}
	request->confirm_within_s = (uint32_t)seconds;
	return true;
}

void tn_call_submit(
	struct tn_call *c, void (*finish)(struct tn_call *c, const struct tn_outcome *outcome))
{
	struct tn_names *names = tn_engine_names(c->service->engine);
	struct tn_request request = {
		.operations = c->ops,
		.n = c->n_ops,
		.scope = tn_call_scope(c),
		.tenant = c->who.tenant,
		.difference = on_difference,
		.done = on_done,
		.ctx = c,
	};
	struct tn_outcome nothing = {.verdict = TN_DONE};

	request.owner = c->owner ? c->owner : tn_names_intern(names, TN_JSON_APP_DEFAULT);
	if (!read_manner(c, &request))
		return;
	if (c->confirm_within)
		request.confirm_within_s = c->confirm_within;
	c->finish = finish;
	c->submitted = true;
	if (c->n_ops)
		tn_engine_submit(c->service->engine, &request);
	else
		on_done(c, &nothing);
}

int tn_call_settle(struct tn_call *c, uint64_t transaction,
	int (*fn)(struct tn_engine *e, uint64_t transaction, struct tn_scope scope, tn_done_fn done,
		void *ctx),
	void (*finish)(struct tn_call *c, const struct tn_outcome *outcome))
{
	int rc;

	c->finish = finish;
	c->submitted = true;
	rc = fn(c->service->engine, transaction, tn_call_scope(c), on_done, c);
	if (rc)
		c->submitted = false;
	return rc;
}

/* Reading. */

static void on_refreshed(void *ctx, int rc)
{
	struct tn_call *c = ctx;

	(void)rc; /* without the data plane: as last read */
	c->refreshed(c);
}

void tn_call_refresh(struct tn_call *c, unsigned kinds, void (*fn)(struct tn_call *c))
{
	const char *stats = tn_call_query(c, "stats");

	c->refreshed = fn;
	if (!kinds || (stats && strcmp(stats, "false") == 0))
		fn(c);
	else
		tn_engine_refresh(c->service->engine, kinds, on_refreshed, c);
}

/* Conditions. */

/* Is the generation among these tags? `"17", "18"`; "*" is any of what is there. */
static bool tag_in(const char *list, uint64_t generation)
{
	char own[24];
	size_t n = (size_t)snprintf(own, sizeof(own), "\"%" PRIu64 "\"", generation);

	for (;;) {
		list += strspn(list, " \t,");
		if (!*list)
			return false;
		if (*list == '*')
			return generation != 0;
		if (generation && strncmp(list, own, n) == 0)
			return true;
		/* Weak tags never match: ours are strong. */
		list += strncmp(list, "W/\"", 3) == 0 ? 3 : *list == '"';
		list += strcspn(list, "\"");
		list += *list == '"';
	}
}

bool tn_call_check_conditions(struct tn_call *c, uint64_t generation)
{
	if (c->if_match && !tag_in(c->if_match, generation)) {
		tn_answer_error(c, 412,
			generation ? "it was changed since: read it again (If-Match)"
				   : "it is not there (If-Match)");
		return false;
	}
	c->etag = generation;
	if (!c->if_none_match || !tag_in(c->if_none_match, generation))
		return true;
	if (c->method == TN_GET)
		tn_answer_empty(c, 304);
	else
		tn_answer_error(c, 412, "it is there already (If-None-Match)");
	return false;
}
