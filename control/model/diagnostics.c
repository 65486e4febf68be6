/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tn_diagnostics_init(struct tn_diagnostics *d)
{
	*d = (struct tn_diagnostics){0};
}

void tn_diagnostics_fini(struct tn_diagnostics *d)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		free(d->list[i].pointer);
		free(d->list[i].detail);
	}
	free(d->list);
	tn_diagnostics_init(d);
}

/* Room for one more: the list doubles whenever its length is a power of two. */
static void grow(struct tn_diagnostics *d)
{
	struct tn_diagnostic *list;

	if (d->n & (d->n - 1))
		return;
	list = realloc(d->list, (d->n ? d->n * 2 : 1) * sizeof(*list));
	if (!list)
		abort();
	d->list = list;
}

void tn_diagnostics_add(struct tn_diagnostics *d, const char *pointer, uint32_t line,
	uint32_t column, enum tn_of_error of, const char *fmt, ...)
{
	struct tn_diagnostic *e;
	va_list ap;

	if (d->n >= TN_DIAGNOSTICS_MAX) {
		d->dropped++;
		return;
	}
	grow(d);
	e = &d->list[d->n];
	*e = (struct tn_diagnostic){.line = line, .column = column, .of = of};
	if (pointer && !(e->pointer = strdup(pointer)))
		abort();
	va_start(ap, fmt);
	if (vasprintf(&e->detail, fmt, ap) < 0)
		abort();
	va_end(ap);
	d->n++;
}

struct ranked {
	struct tn_diagnostic d;
	size_t rank;
};

static int compare_places(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->d.line != y->d.line)
		return x->d.line < y->d.line ? -1 : 1;
	if (x->d.column != y->d.column)
		return x->d.column < y->d.column ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

void tn_diagnostics_sort(struct tn_diagnostics *d, size_t from)
{
	size_t n = d->n - from, i;
	struct ranked *list;

	if (n < 2)
		return;
	list = malloc(n * sizeof(*list));
	if (!list)
		abort();
	for (i = 0; i < n; i++)
		list[i] = (struct ranked){d->list[from + i], i};
	qsort(list, n, sizeof(*list), compare_places);
	for (i = 0; i < n; i++)
		d->list[from + i] = list[i].d;
	free(list);
}
