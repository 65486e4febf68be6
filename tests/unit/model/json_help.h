/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the JSON model share. JSON in them is written with ' for ". */
#ifndef TN_TESTS_MODEL_JSON_HELP_H
#define TN_TESTS_MODEL_JSON_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "control/model/document.h"

#define HELP_DPID UINT64_C(0xa1)

struct help {
	struct tn_names *names;
	struct tn_arena arena;
	struct tn_diagnostics diag;
	struct tn_codec codec;
};

static inline void help_init(struct help *h)
{
	h->names = tn_names_new();
	assert_int_equal(tn_names_add_port(h->names, "tap7", 7), 0);
	assert_int_equal(tn_names_add_port(h->names, "uplink", 1), 0);
	assert_int_equal(tn_names_add_table(h->names, "acl", 4), 0);
	tn_arena_init(&h->arena);
	tn_diagnostics_init(&h->diag);
	h->codec = (struct tn_codec){
		.dpid = HELP_DPID, .names = h->names, .arena = &h->arena, .diag = &h->diag};
}

static inline void help_fini(struct help *h)
{
	tn_diagnostics_fini(&h->diag);
	tn_arena_fini(&h->arena);
	tn_names_free(h->names);
}

/* ' to "; the caller frees it. */
static inline char *help_quotes(const char *s)
{
	char *copy = strdup(s), *p;

	assert_non_null(copy);
	for (p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

static inline json_t *help_tree(const char *s)
{
	char *text = help_quotes(s);
	json_error_t err;
	json_t *j = json_loads(text, JSON_DECODE_ANY, &err);

	if (!j)
		fail_msg("%s: %s", err.text, text);
	free(text);
	return j;
}

static inline char *help_dump(json_t *j)
{
	char *s = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(s);
	return s;
}

/* What the switch would answer for a flow just added. */
static inline struct tn_flow_info help_flow_info(const struct tn_flow_mod *fm)
{
	return (struct tn_flow_info){
		.flow_id = tn_flow_id(HELP_DPID, fm->table_id, fm->priority, &fm->match),
		.table_id = fm->table_id,
		.priority = fm->priority,
		.cookie = fm->cookie,
		.idle_timeout = fm->idle_timeout,
		.hard_timeout = fm->hard_timeout,
		.importance = fm->importance,
		.flags = fm->flags,
		.owner = fm->owner,
		.match = fm->match,
		.inst = fm->inst,
	};
}

/* And for a group; buckets in the arena. */
static inline struct tn_group_info help_group_info(struct help *h, const struct tn_group_mod *gm)
{
	struct tn_bucket_info *b = tn_arena_alloc(&h->arena, gm->n_buckets * sizeof(*b));
	uint32_t i;

	for (i = 0; i < gm->n_buckets; i++)
		b[i].bucket = gm->buckets[i];
	return (struct tn_group_info){
		.group_id = gm->group_id,
		.type = gm->type,
		.selection = gm->selection,
		.hash_fields = gm->hash_fields,
		.selection_param = gm->selection_param,
		.owner = gm->owner,
		.annotation = gm->annotation,
		.buckets = b,
		.n_buckets = gm->n_buckets,
	};
}

static inline struct tn_meter *help_meter(struct help *h, const struct tn_meter_mod *mm)
{
	struct tn_meter *m = tn_arena_alloc(&h->arena, tn_meter_size(mm->n_bands));

	tn_meter_init(m, mm, 0);
	return m;
}

static inline void help_no_errors(const struct help *h, const char *what)
{
	if (h->diag.n)
		fail_msg("%s: %s: %s", what, h->diag.list[0].pointer, h->diag.list[0].detail);
}

static inline void help_clear(struct help *h)
{
	tn_diagnostics_fini(&h->diag);
}

/* One diagnostic is as expected: words is part of its sentence. */
static inline void help_expect(
	const struct help *h, size_t i, const char *pointer, enum tn_of_error of, const char *words)
{
	const struct tn_diagnostic *d;

	if (i >= h->diag.n)
		fail_msg("no diagnostic %zu; wanted %s %s", i, pointer, words);
	d = &h->diag.list[i];
	if (strcmp(d->pointer, pointer) != 0 || d->of != of || !strstr(d->detail, words))
		fail_msg("got %s %s \"%s\"; wanted %s %s \"%s\"", d->pointer,
			tn_of_error_name(d->of), d->detail, pointer, tn_of_error_name(of), words);
}

#endif
