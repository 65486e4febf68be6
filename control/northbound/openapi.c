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

static json_t *parameter(const char *name, const char *in)
{
	json_t *o = json_object(), *schema = NULL;
	const char *text = "";

	for (size_t i = 0; tn_schema_parameters[i].name; i++)
		if (strcmp(tn_schema_parameters[i].name, name) == 0) {
			schema = parse(tn_schema_parameters[i].schema);
			text = tn_schema_parameters[i].text;
		}
	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "in", json_string(in));
	if (strcmp(in, "path") == 0)
		json_object_set_new(o, "required", json_true());
	json_object_set_new(o, "description", json_string(text));
	json_object_set_new(o, "schema", schema ? schema : json_pack("{s:s}", "type", "string"));
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
	if (r->method == TN_GET)
		json_array_append_new(array, parameter("If-None-Match", "header"));
	if (r->flags & TN_ROUTE_CHANGES) {
		json_array_append_new(array, parameter("If-Match", "header"));
		json_array_append_new(array, parameter("Idempotency-Key", "header"));
	}
	return array;
}

static json_t *content(const char *type, const char *schema)
{
	return json_pack("{s:{s:o}}", type, "schema", reference(schema));
}

static json_t *responses(const struct tn_route *r)
{
	json_t *o = json_object(), *answer = json_object();
	bool watch = strcmp(r->path, "/watch") == 0;
	char status[8];

	json_object_set_new(answer, "description", json_string("Done"));
	if (watch)
		json_object_set_new(answer, "content",
			json_pack("{s:{s:o},s:{s:o}}", TN_TYPE_NDJSON, "schema",
				reference(r->answer), TN_TYPE_SSE, "schema", reference(r->answer)));
	else if (r->answer)
		json_object_set_new(answer, "content", content(TN_TYPE_JSON, r->answer));
	snprintf(status, sizeof(status), "%u", r->status);
	json_object_set(o, status, answer);
	/* POST of what is there already, PUT of what is not; stored, but not in the data plane. */
	if (r->answer && r->status == 201)
		json_object_set(o, "200", answer);
	if (r->answer && r->method == TN_PUT)
		json_object_set(o, "201", answer);
	if (r->answer && (r->flags & TN_ROUTE_CHANGES))
		json_object_set(o, "202", answer);
	json_decref(answer);
	json_object_set_new(
		o, "default", json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	return o;
}

static json_t *operation(const struct tn_route *r)
{
	static const char *const roles[] = {"nobody", "viewer", "operator", "admin"};
	json_t *o = json_object();

	json_object_set_new(o, "operationId", json_string(r->id));
	json_object_set_new(o, "summary", json_string(r->summary));
	json_object_set_new(o, "x-role", json_string(roles[r->role]));
	if (r->role == TN_ROLE_NONE)
		json_object_set_new(o, "security", json_array());
	json_object_set_new(o, "parameters", parameters(r));
	if (r->request)
		json_object_set_new(o, "requestBody",
			json_pack("{s:b,s:o}", "required", 1, "content",
				content(TN_TYPE_JSON, r->request)));
	json_object_set_new(o, "responses", responses(r));
	return o;
}

static json_t *paths(void)
{
	static const struct {
		enum tn_method method;
		const char *key;
	} keys[] = {{TN_GET, "get"}, {TN_POST, "post"}, {TN_PUT, "put"}, {TN_PATCH, "patch"},
		{TN_DELETE, "delete"}};
	json_t *o = json_object(), *path;

	for (size_t i = 0; i < tn_n_routes; i++) {
		path = json_object_get(o, tn_routes[i].path);
		if (!path) {
			path = json_object();
			json_object_set_new(o, tn_routes[i].path, path);
		}
		for (size_t k = 0; k < TN_ARRAY_SIZE(keys); k++)
			if (keys[k].method == tn_routes[i].method)
				json_object_set_new(path, keys[k].key, operation(&tn_routes[i]));
	}
	return o;
}

static json_t *components(void)
{
	json_t *o = json_object(), *schemas = json_object();

	for (size_t i = 0; tn_schemas[i].name; i++)
		json_object_set_new(schemas, tn_schemas[i].name, parse(tn_schemas[i].schema));
	json_object_set_new(o, "schemas", schemas);
	json_object_set_new(o, "responses",
		json_pack("{s:{s:s,s:o}}", "Problem", "description",
			"What was wrong, and what to do; nothing was changed", "content",
			content(TN_TYPE_PROBLEM, "Problem")));
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
				"Under /onos/v1 the same with the statuses and shapes of ONOS."));
		json_object_set_new(
			o, "servers", json_pack("[{s:s},{s:s}]", "url", "/v1", "url", "/onos/v1"));
		json_object_set_new(o, "security", json_pack("[{s:[]},{s:[]}]", "bearer", "basic"));
		json_object_set_new(o, "paths", paths());
		json_object_set_new(o, "components", components());
		tn_text_json(text, o);
	}
	tn_text_add(&c->text, text->p, text->n);
	tn_answer_text(c, 200, TN_TYPE_JSON);
}
