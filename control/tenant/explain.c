/* SPDX-License-Identifier: BSD-3-Clause */
/* From a flow of the switch back to the objects that it is there for. */
#include "control/tenant/compile.h"

#include "control/tenant/state.h"

static const char *const texts[TN_N_ROLES] = {
#define TN_ROLE(name, text) [TN_ROLE_##name] = text,
#include "control/tenant/roles.def"
#undef TN_ROLE
};

static void name(struct tn_explanation *explanation, const struct tn_thing *t)
{
	const struct tn_tenant_common *common = t->object;

	if (explanation->n_objects == TN_EXPLAIN_OBJECTS_MAX)
		return;
	explanation->objects[explanation->n_objects].kind = (enum tn_tenant_kind)t->named.kind;
	explanation->objects[explanation->n_objects].id = t->named.name;
	/* What every object begins with. */
	explanation->objects[explanation->n_objects++].name =
		common && common->name ? common->name : "";
}

/* --- subnets: not in the cookie, but the addresses that the flow matches are of one --- */

/* Every address of the match is one of the subnet's. */
static bool is_of_subnet(
	const struct tn_sub *sub, const struct tn_match *match, enum tn_field_id field)
{
	const struct tn_prefix *cidr = &tn_sub_object(sub)->cidr;
	tn_u128 ones = tn_field_ones(field), mask = tn_prefix_mask(cidr) & ones;
	bool is_ip4 = ones >> 32 == 0;

	return tn_match_fields(match) >> field & 1 && is_ip4 == cidr->is_ip4 &&
		(tn_match_mask(match, field) & mask) == mask &&
		(tn_match_value(match, field) & mask) == (tn_prefix_first(cidr) & ones);
}

/* Where it goes counts more than where it comes from. */
static const enum tn_field_id addresses[] = {TN_FIELD_IPV4_DST, TN_FIELD_IPV6_DST, TN_FIELD_ARP_TPA,
	TN_FIELD_ND_TARGET, TN_FIELD_IPV4_SRC, TN_FIELD_IPV6_SRC, TN_FIELD_ARP_SPA};

static const struct tn_sub *subnet_of_net(
	const struct tn_net *net, const struct tn_match *match, enum tn_field_id field)
{
	const struct tn_sub *sub;

	TN_LIST_EACH(sub, &net->subnets, const struct tn_sub, link) {
		if (sub->t.object && is_of_subnet(sub, match, field))
			return sub;
	}
	return NULL;
}

static const struct tn_sub *subnet_of_router(
	const struct tn_rtr *router, const struct tn_match *match, enum tn_field_id field)
{
	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		const struct tn_sub *sub = router->interfaces[i].sub;

		if (sub->t.object && is_of_subnet(sub, match, field))
			return sub;
	}
	return NULL;
}

static const struct tn_sub *find_subnet(
	const struct tn_net *net, const struct tn_rtr *router, const struct tn_match *match)
{
	const struct tn_sub *sub = NULL;

	for (size_t i = 0; i < TN_ARRAY_SIZE(addresses) && !sub; i++) {
		if (net)
			sub = subnet_of_net(net, match, addresses[i]);
		else if (router)
			sub = subnet_of_router(router, match, addresses[i]);
	}
	return sub;
}

/* --- routers: a packet that is routed has the number of its router in a register --- */

static const struct tn_rtr *numbered(
	const struct tn_compiler *c, const struct tn_sub *sub, uint32_t number)
{
	const struct tn_interface *x;

	TN_LIST_EACH(x, &sub->interfaces, const struct tn_interface, link) {
		/* One with a unit has its number already. */
		if (x->router->unit &&
			tn_rtr_number((struct tn_compiler *)(uintptr_t)c, x->router) == number)
			return x->router;
	}
	return NULL;
}

static const struct tn_rtr *find_router(const struct tn_compiler *c, const struct tn_net *net,
	const struct tn_match *match, unsigned role)
{
	uint32_t number = (uint32_t)tn_match_value(match, TN_REG_ROUTER);
	const struct tn_rtr *router = NULL;
	const struct tn_sub *sub;

	TN_LIST_EACH(sub, &net->subnets, const struct tn_sub, link) {
		if (!router && number)
			router = numbered(c, sub, number);
		else if (!router && role == TN_ROLE_TO_ROUTER)
			router = tn_sub_router(sub);
	}
	return router;
}

static void name_objects(const struct tn_compiler *c, struct tn_explanation *explanation,
	const struct tn_unit *unit, const struct tn_match *match, unsigned role)
{
	const void *thing = unit->thing;
	const struct tn_rtr *router = NULL;
	const struct tn_net *net = NULL;
	const struct tn_sub *sub;

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
		net = thing;
		break;
	case TN_UNIT_ROUTER:
		router = thing;
		name(explanation, unit->thing);
		break;
	case TN_UNIT_GLOBAL:
	case TN_N_UNITS:
		break;
	}
	sub = match ? find_subnet(net, router, match) : NULL;
	if (sub)
		name(explanation, &sub->t);
	if (!net && sub)
		net = sub->net;
	if (net)
		name(explanation, &net->t);
	if (net && match && !router)
		router = find_router(c, net, match, role);
	else
		router = NULL;
	if (router)
		name(explanation, &router->t);
}

bool tn_compiler_explain(const struct tn_compiler *c, uint64_t cookie, const struct tn_match *match,
	struct tn_explanation *explanation)
{
	const struct tn_unit *unit = tn_unit_find(c, cookie & ~UINT64_C(0xff));
	unsigned role = cookie & 0xff;

	*explanation = (struct tn_explanation){0};
	if (!unit || role >= TN_N_ROLES)
		return false;
	explanation->what = texts[role];
	name_objects(c, explanation, unit, match, role);
	return true;
}

struct making {
	bool (*fn)(void *ctx, uint64_t maker);
	void *ctx;
	bool any, enough;
};

static void add_maker(struct making *m, const struct tn_unit *unit)
{
	if (!unit || !unit->records.n || m->enough)
		return;
	m->any = true;
	m->enough = !m->fn(m->ctx, unit->cookie);
}

static void add_net(struct making *m, const struct tn_net *net)
{
	const struct tn_place *place;

	add_maker(m, net->unit);
	TN_LIST_EACH(place, &net->places, const struct tn_place, net_link) {
		if (m->enough)
			break;
		add_maker(m, place->unit);
	}
}

bool tn_compiler_makers(const struct tn_compiler *c, enum tn_tenant_kind kind, const char *id,
	bool (*fn)(void *ctx, uint64_t maker), void *ctx)
{
	const void *thing = tn_state_find(c, kind, id);
	struct making m = {.fn = fn, .ctx = ctx};

	if (!thing)
		return false;
	switch (kind) {
	case TN_TENANT_NETWORK:
		add_net(&m, thing);
		break;
	case TN_TENANT_PORT:
		add_maker(&m, ((const struct tn_vport *)thing)->unit);
		add_maker(&m, ((const struct tn_vport *)thing)->bridge);
		break;
	case TN_TENANT_ROUTER:
		add_maker(&m, ((const struct tn_rtr *)thing)->unit);
		break;
	case TN_TENANT_SUBNET:
	case TN_TENANT_HOST:
	case TN_TENANT_QOS_POLICY:
	case TN_TENANT_ADDRESS_GROUP:
	case TN_TENANT_QUOTA:
	case TN_TENANT_N_KINDS:
		break;
	}
	return m.any;
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
