/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/tenant/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/tenant/layout.h"
#include "control/tenant/named.h"

struct number {
	struct tn_named named;
	struct number *next_change;
	uint32_t number;
	bool kept, wanted; /* settled where they are the same */
	bool changed;	   /* in the list of changes */
	char name[];
};

/* Who has which number, or had it when it was settled last. 0 is nobody's. */
struct space {
	struct number **by_number;
	size_t size;
	size_t low; /* none below it is free */
};

struct tn_numbers {
	struct tn_named_tree tree;
	struct space spaces[TN_N_NUMBER_SPACES];
	struct number *changes, **last_change;
};

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

struct tn_numbers *tn_numbers_new(void)
{
	struct tn_numbers *n = checked(calloc(1, sizeof(*n)));

	n->last_change = &n->changes;
	return n;
}

static void free_number(void *ctx, struct tn_named *thing)
{
	(void)ctx;
	free(thing);
}

void tn_numbers_free(struct tn_numbers *n)
{
	if (!n)
		return;
	tn_named_fini(&n->tree, free_number, NULL);
	for (unsigned i = 0; i < TN_N_NUMBER_SPACES; i++)
		free(n->spaces[i].by_number);
	free(n);
}

static void grow(struct space *s, size_t number)
{
	size_t size = s->size ? s->size : 64;

	while (size <= number)
		size *= 2;
	if (size == s->size)
		return;
	s->by_number = checked(realloc(s->by_number, size * sizeof(struct number *)));
	memset(s->by_number + s->size, 0, (size - s->size) * sizeof(struct number *));
	s->size = size;
}

static struct number *holder(const struct space *s, uint32_t number)
{
	return number < s->size ? s->by_number[number] : NULL;
}

/* 0: there is none. */
static uint32_t lowest(struct space *s)
{
	if (!s->low)
		s->low = 1;
	while (holder(s, (uint32_t)s->low))
		s->low++;
	return s->low <= TN_TENANT_NUMBER_MAX ? (uint32_t)s->low : 0;
}

static struct number *find(const struct tn_numbers *n, enum tn_number_space space, const char *name)
{
	return (struct number *)(void *)tn_named_find(&n->tree, space, name);
}

static struct number *add(
	struct tn_numbers *n, enum tn_number_space space, const char *name, uint32_t number)
{
	size_t len = strlen(name) + 1;
	struct number *e = checked(calloc(1, sizeof(*e) + len));

	memcpy(e->name, name, len);
	e->named = (struct tn_named){.name = e->name, .kind = space};
	e->number = number;
	tn_named_add(&n->tree, &e->named);
	grow(&n->spaces[space], number);
	n->spaces[space].by_number[number] = e;
	return e;
}

static void drop(struct tn_numbers *n, struct number *e)
{
	struct space *s = &n->spaces[e->named.kind];

	s->by_number[e->number] = NULL;
	if (e->number < s->low)
		s->low = e->number;
	tn_named_remove(&n->tree, &e->named);
	free(e);
}

static void note_change(struct tn_numbers *n, struct number *e)
{
	if (e->changed)
		return;
	e->changed = true;
	e->next_change = NULL;
	*n->last_change = e;
	n->last_change = &e->next_change;
}

int tn_numbers_restore(
	struct tn_numbers *n, enum tn_number_space space, const char *name, uint32_t number)
{
	struct number *e;

	if (!number || number > TN_TENANT_NUMBER_MAX)
		return -EINVAL;
	if (find(n, space, name) || holder(&n->spaces[space], number))
		return -EEXIST;
	e = add(n, space, name, number);
	e->kept = e->wanted = true;
	return 0;
}

uint32_t tn_numbers_take(struct tn_numbers *n, enum tn_number_space space, const char *name)
{
	struct number *e = find(n, space, name);
	uint32_t number = e ? e->number : lowest(&n->spaces[space]);

	if (!number)
		return 0;
	if (!e)
		e = add(n, space, name, number);
	if (!e->wanted)
		note_change(n, e);
	e->wanted = true;
	return number;
}

uint32_t tn_numbers_find(const struct tn_numbers *n, enum tn_number_space space, const char *name)
{
	const struct number *e = find(n, space, name);

	return e && e->wanted ? e->number : 0;
}

void tn_numbers_give_back(struct tn_numbers *n, enum tn_number_space space, uint32_t number)
{
	struct number *e = holder(&n->spaces[space], number);

	if (!e || !e->wanted)
		return;
	note_change(n, e);
	e->wanted = false;
}

void tn_numbers_changes(const struct tn_numbers *n, tn_number_fn fn, void *ctx)
{
	for (const struct number *e = n->changes; e; e = e->next_change) {
		if (e->kept != e->wanted)
			fn(ctx, (enum tn_number_space)e->named.kind, e->name,
				e->wanted ? e->number : 0);
	}
}

static struct number *take_changes(struct tn_numbers *n)
{
	struct number *changes = n->changes;

	n->changes = NULL;
	n->last_change = &n->changes;
	return changes;
}

static void finish(struct tn_numbers *n, bool settle)
{
	struct number *next;

	for (struct number *e = take_changes(n); e; e = next) {
		next = e->next_change;
		e->changed = false;
		e->kept = e->wanted = settle ? e->wanted : e->kept;
		if (!e->kept)
			drop(n, e);
	}
}

void tn_numbers_settle(struct tn_numbers *n)
{
	finish(n, true);
}

void tn_numbers_revert(struct tn_numbers *n)
{
	finish(n, false);
}

struct all {
	tn_number_fn fn;
	void *ctx;
};

static void tell(void *ctx, struct tn_named *thing)
{
	const struct number *e = (const struct number *)(const void *)thing;
	const struct all *all = ctx;

	if (e->wanted)
		all->fn(all->ctx, (enum tn_number_space)e->named.kind, e->name, e->number);
}

void tn_numbers_all(const struct tn_numbers *n, tn_number_fn fn, void *ctx)
{
	struct all all = {fn, ctx};

	tn_named_each(&n->tree, tell, &all);
}
