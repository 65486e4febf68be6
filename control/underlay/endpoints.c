/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/underlay/endpoints.h"

#include <search.h>
#include <stdlib.h>

struct endpoint {
	tn_u128 address;
	uint32_t seen;
	struct endpoint *next; /* to be taken out */
};

struct tn_endpoints {
	void *root; /* of tsearch() */
	uint32_t n, round;
	uint64_t lost;
	struct endpoint *unseen;
};

struct tn_endpoints *tn_endpoints_new(void)
{
	return calloc(1, sizeof(struct tn_endpoints));
}

void tn_endpoints_free(struct tn_endpoints *e)
{
	if (!e)
		return;
	tdestroy(e->root, free);
	free(e);
}

static int compare(const void *x, const void *y)
{
	const struct endpoint *a = x, *b = y;

	return (a->address > b->address) - (a->address < b->address);
}

static bool add(struct tn_endpoints *e, tn_u128 address)
{
	const struct endpoint key = {.address = address};
	struct endpoint **at, *new;

	if (!address)
		return false;
	at = tfind(&key, &e->root, compare);
	if (at) {
		(*at)->seen = e->round;
		return false;
	}
	new = e->n < TN_ENDPOINTS_MAX ? malloc(sizeof(*new)) : NULL;
	if (new) {
		*new = (struct endpoint){.address = address, .seen = e->round};
		if (tsearch(new, &e->root, compare)) {
			e->n++;
			return true;
		}
	}
	free(new);
	e->lost++;
	return false;
}

/* Each destination that a list of actions sets whole. */
static bool add_actions(struct tn_endpoints *e, const struct tn_action *list, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (list[i].type != TN_ACTION_SET_FIELD || list[i].field != TN_FIELD_TUN_DST ||
			list[i].set.mask != ~(tn_u128)0)
			continue;
		any |= !e || add(e, list[i].set.value);
	}
	return any;
}

static bool add_port(struct tn_endpoints *e, const struct tn_api_port *port)
{
	const struct tn_vxlan_options *v = &port->vxlan;
	bool any = false;

	if (!port->has_vxlan)
		return false;
	if (!v->remote_flow)
		any |= !e || add(e, v->remote);
	for (size_t i = 0; i < v->n_peers; i++)
		any |= !e || add(e, v->peers[i]);
	return any;
}

/* e NULL: only looks whether there is one. */
static bool add_object(struct tn_endpoints *e, const struct tn_object *object)
{
	bool any = false;

	switch (object->kind) {
	case TN_KIND_FLOW:
		any = add_actions(e, object->flow->inst.apply, object->flow->inst.n_apply);
		any |= add_actions(e, object->flow->inst.write, object->flow->inst.n_write);
		return any;
	case TN_KIND_GROUP:
		for (uint32_t i = 0; i < object->group->n_buckets; i++) {
			const struct tn_bucket *b = &object->group->buckets[i].bucket;

			any |= add_actions(e, b->actions, b->n_actions);
		}
		return any;
	case TN_KIND_PORT:
		return add_port(e, &object->port->port);
	case TN_KIND_METER:
	case TN_KIND_TABLE:
	case TN_KIND_HOST:
	case TN_KIND_TENANT:
	case TN_N_KINDS:
		break;
	}
	return false;
}

bool tn_endpoints_add(struct tn_endpoints *e, const struct tn_object *object)
{
	return add_object(e, object);
}

bool tn_endpoints_concern(const struct tn_object *object)
{
	return add_object(NULL, object);
}

void tn_endpoints_begin(struct tn_endpoints *e)
{
	e->round++;
	e->lost = 0;
}

static void collect_unseen(const void *node, VISIT which, void *ctx)
{
	struct endpoint *endpoint = *(struct endpoint *const *)node;
	struct tn_endpoints *e = ctx;

	if ((which != postorder && which != leaf) || endpoint->seen == e->round)
		return;
	endpoint->next = e->unseen;
	e->unseen = endpoint;
}

void tn_endpoints_end(struct tn_endpoints *e)
{
	e->unseen = NULL;
	twalk_r(e->root, collect_unseen, e);
	while (e->unseen) {
		struct endpoint *gone = e->unseen;

		e->unseen = gone->next;
		(void)tdelete(gone, &e->root, compare);
		free(gone);
		e->n--;
	}
}

uint32_t tn_endpoints_count(const struct tn_endpoints *e)
{
	return e->n;
}

uint64_t tn_endpoints_lost(const struct tn_endpoints *e)
{
	return e->lost;
}

struct walk {
	tn_endpoint_fn fn;
	void *ctx;
};

static void visit(const void *node, VISIT which, void *ctx)
{
	const struct endpoint *endpoint = *(struct endpoint *const *)node;
	const struct walk *w = ctx;

	if (which == postorder || which == leaf)
		w->fn(w->ctx, endpoint->address);
}

void tn_endpoints_each(const struct tn_endpoints *e, tn_endpoint_fn fn, void *ctx)
{
	struct walk w = {fn, ctx};

	twalk_r(e->root, visit, &w);
}
