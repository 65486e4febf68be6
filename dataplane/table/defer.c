/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/defer.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64

struct entry {
	void *p;
	tn_defer_fn fn;
};

struct batch {
	struct entry *entries;
	size_t n, capacity;
};

/*
 * Entries gather in `waiting`. A run takes that batch away before it calls anyone, so that what
 * the callbacks add waits for a grace period of its own.
 */
struct tn_defer {
	struct batch waiting;
	struct batch spare; /* an empty array kept from the last run */
};

struct tn_defer *tn_defer_new(void)
{
	return calloc(1, sizeof(struct tn_defer));
}

void tn_defer_free(struct tn_defer *d)
{
	if (!d)
		return;
	while (d->waiting.n)
		tn_defer_run(d);
	free(d->waiting.entries);
	free(d->spare.entries);
	free(d);
}

static void grow(struct batch *b)
{
	size_t capacity = b->capacity ? 2 * b->capacity : FIRST_CAPACITY;
	struct entry *entries = realloc(b->entries, capacity * sizeof(*entries));

	if (!entries) {
		fprintf(stderr,
			"tenon: out of memory while %zu objects wait to be freed; "
			"give the process more memory\n",
			b->n);
		abort();
	}
	b->entries = entries;
	b->capacity = capacity;
}

void tn_defer_add(struct tn_defer *d, void *p, tn_defer_fn fn)
{
	if (d->waiting.n == d->waiting.capacity)
		grow(&d->waiting);
	d->waiting.entries[d->waiting.n++] = (struct entry){p, fn};
}

void tn_defer_run(struct tn_defer *d)
{
	struct batch due = d->waiting;
	size_t i;

	if (!due.n)
		return;
	d->waiting = d->spare;
	d->spare = (struct batch){0};
	for (i = 0; i < due.n; i++)
		due.entries[i].fn(due.entries[i].p);
	due.n = 0;
	/* Keep the array for the next time, unless a rare huge commit blew it up. */
	if (d->spare.entries || due.capacity > 64 * FIRST_CAPACITY)
		free(due.entries);
	else
		d->spare = due;
}

size_t tn_defer_pending(const struct tn_defer *d)
{
	return d->waiting.n;
}
