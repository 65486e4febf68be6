/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/tenant/named.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *x, const void *y)
{
	const struct tn_named *a = x, *b = y;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

struct tn_named *tn_named_find(const struct tn_named_tree *tree, unsigned kind, const char *name)
{
	const struct tn_named key = {.name = name, .kind = kind};
	struct tn_named **at = tfind(&key, &tree->root, compare);

	return at ? *at : NULL;
}

void tn_named_add(struct tn_named_tree *tree, struct tn_named *thing)
{
	if (!tsearch(thing, &tree->root, compare))
		abort();
}

void tn_named_remove(struct tn_named_tree *tree, struct tn_named *thing)
{
	tdelete(thing, &tree->root, compare);
}

struct each {
	tn_named_fn fn;
	void *ctx;
};

static void visit(const void *node, VISIT which, void *closure)
{
	struct tn_named *const *at = node;
	const struct each *each = closure;

	if (which == postorder || which == leaf)
		each->fn(each->ctx, *at);
}

void tn_named_each(const struct tn_named_tree *tree, tn_named_fn fn, void *ctx)
{
	struct each each = {fn, ctx};

	twalk_r(tree->root, visit, &each);
}

void tn_named_fini(struct tn_named_tree *tree, tn_named_fn fn, void *ctx)
{
	while (tree->root) {
		struct tn_named *thing = *(struct tn_named **)tree->root;

		tn_named_remove(tree, thing);
		fn(ctx, thing);
	}
}
