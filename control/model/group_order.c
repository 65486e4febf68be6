/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/group_order.h"

#include <stdlib.h>
#include <string.h>

/* A group on the way down from one to those that it uses. */
struct step {
	uint32_t at;	 /* place in the document */
	uint32_t bucket; /* next reference to follow */
	uint32_t action; /* in that bucket; 0 is the watched group */
};

struct by_id {
	uint32_t group_id, at;
};

enum visit { UNSEEN, ON_PATH, DONE };

struct sorter {
	struct tn_document *doc;
	struct tn_diagnostics *diag;
	size_t n;
	struct by_id *ids; /* sorted */
	uint8_t *visits;   /* enum visit of each */
	struct step *path;
	size_t depth;
	uint32_t *order; /* places in their new order */
	size_t n_ordered;
	bool ok;
};

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

static int compare_ids(const void *x, const void *y)
{
	const struct by_id *a = x, *b = y;

	return a->group_id != b->group_id ? (a->group_id < b->group_id ? -1 : 1)
					  : (a->at > b->at) - (a->at < b->at);
}

/* UINT32_MAX: no group of the document has that number. The first one, if several have. */
static uint32_t find(const struct sorter *s, uint32_t group_id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->ids[middle].group_id < group_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n && s->ids[low].group_id == group_id ? s->ids[low].at : UINT32_MAX;
}

static const struct tn_group_mod *group_at(const struct sorter *s, uint32_t at)
{
	return s->doc->mods[at].group;
}

/* The next group that the step's group names; false: none is left. */
static bool next_used(const struct sorter *s, struct step *step, uint32_t *group_id)
{
	const struct tn_group_mod *g = group_at(s, step->at);

	for (; step->bucket < g->n_buckets; step->bucket++, step->action = 0) {
		const struct tn_bucket *b = &g->buckets[step->bucket];

		if (step->action == 0) {
			step->action = 1;
			if (b->watch_group != TN_GROUP_ANY) {
				*group_id = b->watch_group;
				return true;
			}
		}
		while (step->action <= b->n_actions) {
			const struct tn_action *a = &b->actions[step->action++ - 1];

			if (a->type == TN_ACTION_GROUP) {
				*group_id = a->group_id;
				return true;
			}
		}
	}
	return false;
}

static void report_loop(struct sorter *s, uint32_t at)
{
	uint32_t last = s->path[s->depth - 1].at;

	s->ok = false;
	tn_diagnostics_add(s->diag, s->doc->mod_pointers[last], s->doc->mod_lines[last],
		s->doc->mod_columns[last], TN_OFPGMFC_LOOP,
		"group %u leads back to group %u, which leads to it: take one of the two ways out",
		group_at(s, last)->group_id, group_at(s, at)->group_id);
}

static void enter(struct sorter *s, uint32_t at)
{
	s->visits[at] = ON_PATH;
	s->path[s->depth++] = (struct step){.at = at};
}

/* Depth first, without recursion: chains may be as long as a document. */
static void visit(struct sorter *s, uint32_t start)
{
	if (s->visits[start] != UNSEEN)
		return;
	enter(s, start);
	while (s->depth) {
		struct step *step = &s->path[s->depth - 1];
		uint32_t group_id, at;

		if (!next_used(s, step, &group_id)) {
			s->visits[step->at] = DONE;
			s->order[s->n_ordered++] = step->at;
			s->depth--;
			continue;
		}
		at = find(s, group_id);
		if (at == UINT32_MAX || s->visits[at] == DONE)
			continue;
		if (s->visits[at] == ON_PATH)
			report_loop(s, at);
		else
			enter(s, at);
	}
}

/* array[i] becomes what array[order[i]] was. */
static void permute(void *array, size_t size, const uint32_t *order, size_t n)
{
	char *old = allocate(n, size), *new = array;

	memcpy(old, array, n * size);
	for (size_t i = 0; i < n; i++)
		memcpy(new + i *size, old + order[i] * size, size);
	free(old);
}

bool tn_groups_order(struct tn_document *doc, size_t n, struct tn_diagnostics *diag)
{
	struct sorter s = {.doc = doc, .diag = diag, .n = n, .ok = true};

	if (!n)
		return true;
	s.ids = allocate(n, sizeof(*s.ids));
	s.visits = allocate(n, sizeof(*s.visits));
	s.path = allocate(n, sizeof(*s.path));
	s.order = allocate(n, sizeof(*s.order));
	for (uint32_t i = 0; i < n; i++)
		s.ids[i] = (struct by_id){group_at(&s, i)->group_id, i};
	qsort(s.ids, n, sizeof(*s.ids), compare_ids);
	for (uint32_t i = 0; i < n; i++)
		visit(&s, i);
	permute(doc->mods, sizeof(*doc->mods), s.order, n);
	permute(doc->mod_pointers, sizeof(*doc->mod_pointers), s.order, n);
	permute(doc->mod_lines, sizeof(*doc->mod_lines), s.order, n);
	permute(doc->mod_columns, sizeof(*doc->mod_columns), s.order, n);
	free(s.ids);
	free(s.visits);
	free(s.path);
	free(s.order);
	return s.ok;
}
