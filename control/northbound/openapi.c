/* SPDX-License-Identifier: BSD-3-Clause */
/* The OpenAPI document: paths from the table of routes, schemas from the list below. */
#include <stdio.h>
#include <stdlib.h>

#include "control/northbound/answer.h"
#include "control/northbound/handlers.h"
#include "control/northbound/route.h"
#include "control/northbound/schemas.h"
#include "control/northbound/service.h"

/* With ' for ". */
static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *j;

	if (!copy)
		abort();
	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	j = json_loads(copy, 0, &error);
	if (!j) {
		fprintf(stderr, "schema, byte %d: %s\n", error.position, error.text);
		abort();
	}
	free(copy);
	return j;
}

static json_t *reference(const char *schema)
{
	char s[80];

	snprintf(s, sizeof(s), "#/components/schemas/%s", schema);
	return json_pack("{s:s}", "$ref", s);
}

static const struct tn_schema_parameter *find_parameter(const char *name)
{
	for (size_t i = 0; tn_areas[i]; i++)
		for (const struct tn_schema_parameter *p = tn_areas[i]->parameters; p->name; p++)
			if (strcmp(p->name, name) == 0)
				return p;
	fprintf(stderr, "parameter %s is described nowhere\n", name);
	abort();
}

static json_t *parameter(const char *name, const char *in)
{
	const struct tn_schema_parameter *p = find_parameter(name);
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "in", json_string(in));
	if (strcmp(in, "path") == 0)
		json_object_set_new(o, "required", json_true());
	json_object_set_new(o, "description", json_string(p->text));
	json_object_set_new(o, "schema", parse(p->schema));
	return o;
}

static void path_parameters(json_t *array, const char *path)
{
	char name[32];

	for (const char *p = path; (p = strchr(p, '{')); p++) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + 1, "}"), p + 1);
		json_array_append_new(array, parameter(name, "path"));
	}
}

static json_t *parameters(const struct tn_route *r)
{
	json_t *array = json_array();
	char name[32];

	path_parameters(array, r->path);
	for (size_t i = 0; tn_route_parameter(r, i, name, sizeof(name)); i++)
		json_array_append_new(array, parameter(name, "query"));
	if (r->flags & TN_ROUTE_TAGGED)
		json_array_append_new(array, parameter("If-None-Match", "header"));
	if (r->flags & TN_ROUTE_TAGGED && r->method != TN_GET)
		json_array_append_new(array, parameter("If-Match", "header"));
	if (r->method != TN_GET)
		json_array_append_new(array, parameter("Idempotency-Key", "header"));
	return array;
}

static json_t *content(const char *type, json_t *schema)
{
	return json_pack("{s:{s:o}}", type, "schema", schema);
}

static json_t *headers(const struct tn_route *r, unsigned status)
{
	json_t *o = json_object();

	if (r->flags & TN_ROUTE_TAGGED && r->method != TN_DELETE)
		json_object_set_new(
			o, "ETag", json_pack("{s:s}", "$ref", "#/components/headers/ETag"));
	if (r->flags & TN_ROUTE_LISTS && status == 200)
		json_object_set_new(
			o, "Link", json_pack("{s:s}", "$ref", "#/components/headers/Link"));
	if (status == 201)
		json_object_set_new(
			o, "Location", json_pack("{s:s}", "$ref", "#/components/headers/Location"));
	return o;
}

/* schema NULL: no content. */
static void add_response(
	json_t *o, const struct tn_route *r, unsigned status, const char *text, json_t *schema)
{
	json_t *answer = json_object(), *named = headers(r, status);
	char key[8];

	json_object_set_new(answer, "description", json_string(text));
	if (json_object_size(named))
		json_object_set(answer, "headers", named);
	json_decref(named);
	if (schema && strcmp(r->path, "/watch") == 0)
		json_object_set_new(answer, "content",
			json_pack("{s:{s:O},s:{s:o}}", TN_TYPE_NDJSON, "schema", schema,
				TN_TYPE_SSE, "schema", schema));
	else if (schema)
		json_object_set_new(answer, "content", content(TN_TYPE_JSON, schema));
	snprintf(key, sizeof(key), "%u", status);
	json_object_set_new(o, key, answer);
}

static json_t *answer_of(const struct tn_route *r)
{
	return r->answer ? reference(r->answer) : NULL;
}

/* What a change answers, and what it answers when it was only tried. */
static json_t *answer_or_dry_run(const struct tn_route *r)
{
	if (!r->answer)
		return reference("DryRun");
	return json_pack("{s:[o,o]}", "anyOf", reference(r->answer), reference("DryRun"));
}

static json_t *responses(const struct tn_route *r)
{
	json_t *o = json_object();

	add_response(o, r, r->status, "Done", answer_of(r));
	if (r->flags & TN_ROUTE_CHANGES) {
		add_response(o, r, 200,
			r->answer ? "Done, or what dryRun found" : "What dryRun found",
			answer_or_dry_run(r));
		if (!(r->flags & TN_ROUTE_AT_ONCE))
			add_response(
				o, r, 202, "Stored; the data plane has it later", answer_of(r));
	}
	if (r->flags & TN_ROUTE_CREATES)
		add_response(o, r, 201, "Made", answer_of(r));
	if (r->flags & TN_ROUTE_TAGGED && r->method == TN_GET)
		add_response(o, r, 304, "As If-None-Match has it", NULL);
	json_object_set_new(
		o, "default", json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	return o;
}

/* "flows" */
static json_t *tags(const char *path)
{
	json_t *array = json_array();

	json_array_append_new(array, json_stringn(path + 1, strcspn(path + 1, "/.")));
	return array;
}

static json_t *operation(const struct tn_route *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "operationId", json_string(r->id));
	json_object_set_new(o, "summary", json_string(r->summary));
	json_object_set_new(o, "tags", tags(r->path));
	json_object_set_new(o, "x-role", json_string(tn_role_name(r->role)));
	if (r->flags & TN_ROUTE_SHARED)
		json_object_set_new(o, "x-role-switch", json_string(tn_role_name(TN_ROLE_ADMIN)));
	json_object_set_new(o, "x-tenants", json_boolean(!(r->flags & TN_ROUTE_NO_TENANTS)));
	if (r->role == TN_ROLE_NONE)
		json_object_set_new(o, "security", json_array());
	json_object_set_new(o, "parameters", parameters(r));
	if (r->request)
		json_object_set_new(o, "requestBody",
			json_pack("{s:b,s:o}", "required", 1, "content",
				content(TN_TYPE_JSON, reference(r->request))));
	json_object_set_new(o, "responses", responses(r));
	return o;
}

static void add_path(json_t *o, const struct tn_route *r)
{
	static const struct {
		enum tn_method method;
		const char *key;
	} keys[] = {{TN_GET, "get"}, {TN_POST, "post"}, {TN_PUT, "put"}, {TN_PATCH, "patch"},
		{TN_DELETE, "delete"}};
	json_t *path = json_object_get(o, r->path);

	if (!path) {
		path = json_object();
		json_object_set_new(o, r->path, path);
	}
	for (size_t k = 0; k < TN_ARRAY_SIZE(keys); k++)
		if (keys[k].method == r->method)
			json_object_set_new(path, keys[k].key, operation(r));
}

static json_t *paths(void)
{
	json_t *o = json_object();

	for (size_t i = 0; tn_areas[i]; i++)
		for (size_t k = 0; k < tn_areas[i]->n_routes; k++)
			add_path(o, &tn_areas[i]->routes[k]);
	return o;
}

static json_t *header(const char *text)
{
	return json_pack("{s:s,s:{s:s}}", "description", text, "schema", "type", "string");
}

static json_t *schemas(void)
{
	json_t *o = json_object();

	for (size_t i = 0; tn_areas[i]; i++)
		for (const struct tn_schema *s = tn_areas[i]->schemas; s->name; s++)
			json_object_set_new(o, s->name, parse(s->schema));
	return o;
}

static json_t *components(void)
{
	json_t *o = json_object();

	json_object_set_new(o, "schemas", schemas());
	json_object_set_new(o, "headers",
		json_pack("{s:o,s:o,s:o}", "ETag",
			header("Stays while what is wanted stays; counters do not change it"),
			"Link", header("<..>; rel=\"next\": the next page"), "Location",
			header("Where it is")));
	json_object_set_new(o, "responses",
		json_pack("{s:{s:s,s:o}}", "Problem", "description",
			"What was wrong, and what to do; nothing was changed", "content",
			content(TN_TYPE_PROBLEM, reference("Problem"))));
	json_object_set_new(o, "securitySchemes",
		json_pack("{s:{s:s,s:s},s:{s:s,s:s}}", "bearer", "type", "http", "scheme", "bearer",
			"basic", "type", "http", "scheme", "basic"));
	return o;
}

void tn_openapi_get(struct tn_call *c)
{
	struct tn_text *text = &c->service->openapi;
	json_t *o;

	if (!text->n) {
		o = json_object();
		json_object_set_new(o, "openapi", json_string("3.1.0"));
		json_object_set_new(o, "info",
			json_pack("{s:s,s:s,s:s}", "title", "Tenon northbound", "version", "1",
				"description",
				"Under /onos/v1 stand the same resources with the "
				"statuses and shapes of ONOS."));
		json_object_set_new(o, "servers", json_pack("[{s:s}]", "url", "/v1"));
		json_object_set_new(o, "security", json_pack("[{s:[]},{s:[]}]", "bearer", "basic"));
		json_object_set_new(o, "paths", paths());
		json_object_set_new(o, "components", components());
		tn_text_json(text, o);
	}
	tn_text_add(&c->text, text->p, text->n);
	tn_answer_text(c, 200, TN_TYPE_JSON);
}
