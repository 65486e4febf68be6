/* SPDX-License-Identifier: BSD-3-Clause */
/* From a flow of the switch back to the objects that it is there for. */
#include "control/tenant/compile.h"

#include <search.h>

#include "control/tenant/state.h"

static const char *const texts[TN_N_ROLES] = {
#define TN_ROLE(name, text) [TN_ROLE_##name] = text,
#include "control/tenant/roles.def"
#undef TN_ROLE
};

static int compare_cookies(const void *x, const void *y)
{
	const struct tn_unit *a = x, *b = y;

	if (a->cookie != b->cookie)
		return a->cookie < b->cookie ? -1 : 1;
	return 0;
}

static void name(struct tn_explanation *explanation, const struct tn_thing *t)
{
	const struct tn_tenant_common *common = t->object;

	explanation->objects[explanation->n_objects].kind = (enum tn_tenant_kind)t->named.kind;
	explanation->objects[explanation->n_objects].id = t->named.name;
	/* What every object begins with. */
	explanation->objects[explanation->n_objects++].name =
		common && common->name ? common->name : "";
}

static void name_objects(struct tn_explanation *explanation, const struct tn_unit *unit)
{
	const void *thing = unit->thing;
	const struct tn_net *net = NULL;

	switch ((enum tn_unit_kind)unit->kind) {
	case TN_UNIT_PORT:
	case TN_UNIT_BRIDGE:
		net = ((const struct tn_vport *)thing)->net;
		name(explanation, unit->thing);
		break;
	case TN_UNIT_PLACE:
		net = ((const struct tn_place *)thing)->net;
		break;
	case TN_UNIT_NETWORK:
	case TN_UNIT_ROUTER:
		name(explanation, unit->thing);
		break;
	case TN_UNIT_GLOBAL:
	case TN_N_UNITS:
		break;
	}
	if (net)
		name(explanation, &net->t);
}

bool tn_compiler_explain(
	const struct tn_compiler *c, uint64_t cookie, struct tn_explanation *explanation)
{
	const struct tn_unit key = {.cookie = cookie & ~UINT64_C(0xff)};
	struct tn_unit **at = tfind(&key, &c->cookies, compare_cookies);
	unsigned role = cookie & 0xff;

	*explanation = (struct tn_explanation){0};
	if (!at || role >= TN_N_ROLES)
		return false;
	explanation->what = texts[role];
	name_objects(explanation, *at);
	return true;
}

uint32_t tn_compiler_switch_port(const struct tn_compiler *c, const char *port_id)
{
	struct tn_thing *t = tn_state_find(c, TN_TENANT_PORT, port_id);
	struct tn_vport *port = (struct tn_vport *)(void *)t;

	if (!t || !t->object || !port->here_link.next)
		return 0;
	/* It has its number already. */
	return port->unit ? tn_vport_switch_port((struct tn_compiler *)(uintptr_t)c, port) : 0;
}
