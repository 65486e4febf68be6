/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/route.h"

#include <stdio.h>
#include <string.h>

#include "control/model/json_reader.h"

static const struct {
	enum tn_method method;
	const char *name;
} methods_by_name[] = {
	{TN_GET, "GET"},
	{TN_POST, "POST"},
	{TN_PUT, "PUT"},
	{TN_PATCH, "PATCH"},
	{TN_DELETE, "DELETE"},
	{TN_OPTIONS, "OPTIONS"},
};

const char *tn_method_name(enum tn_method method)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(methods_by_name); i++)
		if (methods_by_name[i].method == method)
			return methods_by_name[i].name;
	return "?";
}

const char *tn_route_allow(struct tn_arena *arena, unsigned methods)
{
	struct tn_text t = {0};
	char *s;

	for (size_t i = 0; i < TN_ARRAY_SIZE(methods_by_name); i++) {
		if (!(methods & methods_by_name[i].method))
			continue;
		tn_text_printf(&t, "%s%s", t.n ? ", " : "", methods_by_name[i].name);
		if (methods_by_name[i].method == TN_GET)
			tn_text_puts(&t, ", HEAD");
	}
	tn_text_puts(&t, t.n ? ", OPTIONS" : "OPTIONS");
	tn_text_add(&t, "", 1);
	s = tn_arena_strdup(arena, t.p);
	tn_text_fini(&t);
	return s;
}

/* Does the path fit? Words of it that stand for {..} go to param, with their lengths. */
static bool fits(const char *template, const char *path, const char **param, size_t *len)
{
	unsigned n = 0;

	for (;;) {
		size_t t, p;

		if (*template != *path || !*template)
			return *template == *path;
		template ++, path++; /* both at '/' */
		t = strcspn(template, "/");
		p = strcspn(path, "/");
		if (*template == '{') {
			if (!p || n == TN_CALL_PARAMS_MAX)
				return false;
			param[n] = path;
			len[n++] = p;
		} else if (t != p || memcmp(template, path, t) != 0) {
			return false;
		}
		template += t;
		path += p;
	}
}

const struct tn_area *const tn_areas[] = {&tn_switch_area, &tn_tenant_area, NULL};

static bool find_in(
	const struct tn_area *area, struct tn_call *c, const char *path, unsigned *methods)
{
	const char *param[TN_CALL_PARAMS_MAX] = {0}, *found = NULL;
	size_t len[TN_CALL_PARAMS_MAX] = {0};

	for (size_t i = 0; i < area->n_routes; i++) {
		const struct tn_route *r = &area->routes[i];

		if (found ? strcmp(found, r->path) != 0 : !fits(r->path, path, param, len))
			continue;
		found = r->path;
		*methods |= r->method;
		if (r->method == c->method)
			c->route = r;
	}
	for (unsigned i = 0; i < TN_CALL_PARAMS_MAX && found && param[i]; i++) {
		char *word = tn_arena_alloc(&c->arena, len[i] + 1);

		memcpy(word, param[i], len[i]);
		c->params[i] = word;
	}
	return found != NULL;
}

bool tn_route_find(struct tn_call *c, const char *path, unsigned *methods)
{
	*methods = 0;
	for (size_t i = 0; tn_areas[i]; i++)
		if (find_in(tn_areas[i], c, path, methods))
			return true;
	return false;
}

/* The first word of a path, with its slash. */
static size_t first_len(const char *path)
{
	return 1 + strcspn(path + 1, "/");
}

#define FIRSTS_MAX 64u

const char *tn_route_near(struct tn_call *c, const char *path)
{
	const char *words[FIRSTS_MAX + 1], *last = "";
	char *near = tn_arena_alloc(&c->arena, 128);
	size_t n = 0;

	for (size_t i = 0; tn_areas[i]; i++) {
		for (size_t k = 0; k < tn_areas[i]->n_routes && n < FIRSTS_MAX; k++) {
			const char *own = tn_areas[i]->routes[k].path;
			size_t len = first_len(own);
			char *word;

			if (strncmp(last, own, len) == 0)
				continue;
			last = own;
			word = tn_arena_alloc(&c->arena, len + 1);
			memcpy(word, own, len);
			word[len] = '\0';
			words[n++] = word;
		}
	}
	words[n] = NULL;
	return tn_json_suggest(
		(struct tn_json_string){path, (uint32_t)first_len(path)}, words, near, 128);
}

/* Parameters. */

static const struct {
	unsigned flag;
	const char *names;
} flag_parameters[] = {
	{TN_ROUTE_CHANGES, "wait dryRun confirmWithin"},
	{TN_ROUTE_LISTS, "limit after stats"},
	{TN_ROUTE_FILTERS, "table appId cookie outPort outGroup match"},
	{TN_ROUTE_COUNTS, "stats"},
};

/* Word i of a list, counted on from *i; NULL: the list has fewer. */
static const char *word_of(const char *list, size_t *i, char *buf, size_t size)
{
	while (list && *list) {
		size_t n = strcspn(list, " ");

		if ((*i)-- == 0) {
			snprintf(buf, size, "%.*s", (int)n, list);
			return buf;
		}
		list += n + (list[n] == ' ');
	}
	return NULL;
}

const char *tn_route_parameter(const struct tn_route *r, size_t i, char *buf, size_t size)
{
	for (size_t k = 0; k < TN_ARRAY_SIZE(flag_parameters); k++)
		if ((r->flags & flag_parameters[k].flag) &&
			word_of(flag_parameters[k].names, &i, buf, size))
			return buf;
	return word_of(r->query, &i, buf, size);
}

bool tn_route_takes(const struct tn_route *r, const char *key)
{
	char name[32];

	for (size_t i = 0; tn_route_parameter(r, i, name, sizeof(name)); i++)
		if (strcmp(name, key) == 0)
			return true;
	return false;
}
