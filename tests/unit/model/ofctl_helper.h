/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of ovs-ofctl text share: a line in, its canonical text or its complaint out. */
#ifndef TN_MODEL_OFCTL_HELPER_H
#define TN_MODEL_OFCTL_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/model/ofctl.h"

/* A reader with all it needs. */
struct bench {
	struct tn_arena arena;
	struct tn_diagnostics diag;
	struct tn_ofctl o;
};

static inline void bench_init(struct bench *b, struct tn_names *names)
{
	tn_arena_init(&b->arena);
	tn_diagnostics_init(&b->diag);
	b->o = (struct tn_ofctl){.names = names, .arena = &b->arena, .diag = &b->diag, .line = 7};
}

static inline void bench_fini(struct bench *b)
{
	tn_diagnostics_fini(&b->diag);
	tn_arena_fini(&b->arena);
}

static inline struct tn_flow_info info_of(const struct tn_flow_mod *fm)
{
	struct tn_flow_info info;

	memset(&info, 0, sizeof(info));
	info.table_id = fm->table_id;
	info.priority = fm->priority;
	info.cookie = fm->cookie;
	info.idle_timeout = fm->idle_timeout;
	info.hard_timeout = fm->hard_timeout;
	info.importance = fm->importance;
	info.flags = fm->flags;
	info.match = fm->match;
	info.inst = fm->inst;
	return info;
}

/* Canonical text of a flow to add; fails the test when it is refused. */
static inline char *canonical(struct bench *b, const char *text)
{
	struct tn_flow_info info;
	struct tn_flow_mod fm;
	char *s;

	if (tn_ofctl_parse_flow(&b->o, TN_OFCTL_ADD, text, strlen(text), &fm))
		fail_msg("%s: column %u: %s", text, b->diag.list[0].column, b->diag.list[0].detail);
	assert_int_equal(b->diag.n, 0);
	info = info_of(&fm);
	s = tn_ofctl_print_flow(&info, b->o.names, false, 0);
	assert_non_null(s);
	return s;
}

/* text reads as `want`, and `want` as itself. NULL: text is canonical. */
static inline void check_canonical(const char *text, const char *want)
{
	const char *texts[] = {text, want ? want : text};

	for (int i = 0; i < 2; i++) {
		struct bench b;
		char *got;

		bench_init(&b, NULL);
		got = canonical(&b, texts[i]);
		if (strcmp(got, want ? want : text) != 0)
			fail_msg("\"%s\"\n is \"%s\"\nnot \"%s\"", texts[i], got,
				want ? want : text);
		free(got);
		bench_fini(&b);
	}
}

/* A complaint: one diagnostic of that error at that column, with those words in its sentence. */
struct complaint {
	const char *text;
	uint32_t column;
	enum tn_of_error of;
	const char *words;
};

static inline void check_complaint(
	const struct tn_diagnostics *diag, int rc, const struct complaint *want)
{
	const struct tn_diagnostic *d = diag->list;

	if (rc == 0)
		fail_msg("\"%s\" is accepted", want->text);
	assert_int_equal(rc, -22);
	if (diag->n != 1)
		fail_msg("\"%s\": %zu diagnostics, the second: %s", want->text, diag->n,
			diag->n > 1 ? d[1].detail : "");
	if (d->column != want->column || d->of != want->of || !strstr(d->detail, want->words))
		fail_msg("\"%s\": column %u %s: %s\nwanted column %u %s: ...%s...", want->text,
			d->column, tn_of_error_name(d->of), d->detail, want->column,
			tn_of_error_name(want->of), want->words);
	assert_null(d->pointer);
	assert_int_equal(d->line, 7);
}

static inline void check_flow_complaint(enum tn_ofctl_use use, const struct complaint *want)
{
	struct tn_flow_mod fm;
	struct bench b;
	int rc;

	bench_init(&b, NULL);
	rc = tn_ofctl_parse_flow(&b.o, use, want->text, strlen(want->text), &fm);
	check_complaint(&b.diag, rc, want);
	bench_fini(&b);
}

struct pair {
	const char *text, *want; /* NULL: text is canonical */
};

static inline void check_pairs(const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_canonical(pairs[i].text, pairs[i].want);
}

static inline void check_complaints(const struct complaint *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_flow_complaint(TN_OFCTL_ADD, &list[i]);
}

#endif
