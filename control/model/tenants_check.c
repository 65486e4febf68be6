/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/prefix.h"
#include "control/model/tenants_private.h"

#define MTU_MIN_IP6    1280u
#define NAMED_MAX      5u /* users of an object that a sentence names */
#define ECMP_PATHS_MAX 64u

void tn_tenant_complain(const struct tn_tenant_check *c, const char *path, const char *fmt, ...)
{
	const char *base = c->draft->origin.pointer ? c->draft->origin.pointer : "";
	char text[640], pointer[256];
	va_list args;
	size_t n = 0;

	if (c->is_user) {
		n = (size_t)snprintf(text, sizeof(text),
			"%s \"%s\" is against it: ", tn_tenant_kind_name(c->o->value.kind),
			c->o->value.c.id);
		path = "";
	}
	va_start(args, fmt);
	vsnprintf(text + n, sizeof(text) - n, fmt, args);
	va_end(args);
	snprintf(pointer, sizeof(pointer), "%s%s", base, path);
	tn_diagnostics_add(c->diag, pointer, 0, 0, TN_OF_OK, "%s", text);
}

const char *tn_address_text(tn_u128 address, char *buf)
{
	struct tn_ip6 ip6 = tn_u128_to_ip6(address);
	struct tn_be32 ip4;
	uint32_t number;

	if (tn_u128_is_ip4(address, &number)) {
		ip4 = tn_htobe32(number);
		inet_ntop(AF_INET, &ip4, buf, TN_ADDRESS_TEXT);
	} else {
		inet_ntop(AF_INET6, &ip6, buf, TN_ADDRESS_TEXT);
	}
	return buf;
}

const char *tn_prefix_text(const struct tn_prefix *prefix, char *buf)
{
	size_t n;

	tn_address_text(prefix->address, buf);
	n = strlen(buf);
	snprintf(buf + n, TN_ADDRESS_TEXT + 4 - n, "/%u", prefix->len);
	return buf;
}

const struct tn_tenant_object *tn_tenant_check_reference(const struct tn_tenant_check *c,
	enum tn_tenant_kind kind, const char *id, const char *path, bool shared)
{
	const struct tn_tenant_object *o = tn_tenants_get(c->t, kind, id);
	const char *name = tn_tenant_kind_name(kind), *owner = c->o->value.c.tenant_id;
	bool own = o &&
		(kind == TN_TENANT_HOST || (shared && !o->value.c.tenant_id[0]) ||
			strcmp(o->value.c.tenant_id, owner) == 0);

	if (own)
		return o;
	/* Another tenant's is not even there for its client. */
	if (!o || c->draft->origin.scope)
		tn_tenant_complain(
			c, path, "there is no %s \"%s\"; add it, or name another", name, id);
	else
		tn_tenant_complain(c, path,
			"%s \"%s\" is of tenant \"%s\", and this %s of tenant \"%s\"; both must be "
			"of one tenant",
			name, id, o->value.c.tenant_id, tn_tenant_kind_name(c->o->value.kind),
			owner);
	return NULL;
}

const struct tn_tenant_object *tn_tenant_rival(
	const struct tn_tenant_check *c, const struct tn_claim *claim)
{
	for (uint32_t i = 0; claim && i < claim->n; i++)
		if (claim->holders[i] != c->o)
			return claim->holders[i];
	return NULL;
}

/* Networks. */

static void check_mtu(const struct tn_tenant_check *c, const struct tn_network *n)
{
	uint32_t max = tn_tenants_mtu_max(c->t, n->c.id);

	if (n->mtu > max)
		tn_tenant_complain(c, "/mtu",
			"packets of %u bytes do not fit into the tunnels of all hosts, which take "
			"%u; lower \"mtu\" or leave it out",
			n->mtu, max);
}

static void check_network_mtu_ip6(const struct tn_tenant_check *c, const struct tn_network *n,
	const struct tn_subnet *s, const char *path)
{
	if (!s->cidr.is_ip4 && n->mtu && n->mtu < MTU_MIN_IP6)
		tn_tenant_complain(c, path,
			"the network has an MTU of %u, and IPv6 needs %u; raise \"mtu\"", n->mtu,
			MTU_MIN_IP6);
}

struct with_network {
	const struct tn_tenant_check *c;
	const struct tn_network *network;
};

static void check_subnet_of_network(void *ctx, const struct tn_tenant_object *o)
{
	const struct with_network *w = ctx;

	check_network_mtu_ip6(w->c, w->network, &o->value.subnet, "/mtu");
}

static void check_network(const struct tn_tenant_check *c)
{
	const struct tn_network *n = &c->o->value.network;
	const struct tn_tenant_object *rival =
		tn_tenant_rival(c, tn_claims_find(&c->t->claims, TN_CLAIM_VNI, n->vni));
	struct with_network w = {c, n};

	if (rival && c->draft->origin.scope)
		tn_tenant_complain(c, "/vni", "VNI %u is in use; leave it out", n->vni);
	else if (rival)
		tn_tenant_complain(c, "/vni",
			"VNI %u is in use by network \"%s\"; take another or none", n->vni,
			rival->value.c.id);
	if (n->qos_policy_id[0])
		(void)tn_tenant_check_reference(
			c, TN_TENANT_QOS_POLICY, n->qos_policy_id, "/qos_policy_id", true);
	if (n->mtu)
		check_mtu(c, n);
	tn_tenants_users(
		c->t, TN_TENANT_NETWORK, n->c.id, TN_TENANT_SUBNET, check_subnet_of_network, &w);
}

/* Subnets. */

static void check_overlap(void *ctx, const struct tn_tenant_object *other)
{
	const struct tn_tenant_check *c = ctx;
	const struct tn_subnet *s = &c->o->value.subnet;
	char own[TN_ADDRESS_TEXT + 4], text[TN_ADDRESS_TEXT + 4];

	if (other == c->o || !tn_prefixes_overlap(&s->cidr, &other->value.subnet.cidr))
		return;
	tn_tenant_complain(c, "/cidr",
		"%s overlaps %s of subnet \"%s\" on the same network; take addresses of its own",
		tn_prefix_text(&s->cidr, own), tn_prefix_text(&other->value.subnet.cidr, text),
		other->value.c.id);
}

static void check_subnet(const struct tn_tenant_check *c)
{
	const struct tn_subnet *s = &c->o->value.subnet;
	struct tn_tenant_check again = *c;
	const struct tn_tenant_object *network;

	network = tn_tenant_check_reference(
		c, TN_TENANT_NETWORK, s->network_id, "/network_id", false);
	if (!network)
		return;
	check_network_mtu_ip6(c, &network->value.network, s, "/cidr");
	tn_tenants_users(
		c->t, TN_TENANT_NETWORK, s->network_id, TN_TENANT_SUBNET, check_overlap, &again);
}

/* Routers. */

static const struct tn_subnet *check_interface(const struct tn_tenant_check *c, uint32_t i)
{
	const char *id = c->o->value.router.interfaces[i].subnet_id;
	const struct tn_tenant_object *subnet, *rival = NULL;
	const struct tn_claim *claim;
	char path[48];

	snprintf(path, sizeof(path), "/interfaces/%u", i);
	subnet = tn_tenant_check_reference(c, TN_TENANT_SUBNET, id, path, false);
	if (!subnet)
		return NULL;
	if (!subnet->value.subnet.has_gateway)
		tn_tenant_complain(c, path,
			"subnet \"%s\" has no gateway, whose address a router would have there; "
			"give it one",
			id);
	claim = tn_claims_find(
		&c->t->claims, TN_CLAIM_USE, tn_tenant_kind_name(TN_TENANT_SUBNET), id);
	for (uint32_t k = 0; claim && k < claim->n && !rival; k++)
		if (claim->holders[k] != c->o && claim->holders[k]->value.kind == TN_TENANT_ROUTER)
			rival = claim->holders[k];
	if (rival)
		tn_tenant_complain(c, path,
			"subnet \"%s\" is on router \"%s\" already, and can be on one alone", id,
			rival->value.c.id);
	return &subnet->value.subnet;
}

static void check_interfaces(
	const struct tn_tenant_check *c, const struct tn_subnet **subnets, uint32_t n)
{
	char own[TN_ADDRESS_TEXT + 4], other[TN_ADDRESS_TEXT + 4], path[48];

	for (uint32_t i = 0; i < n; i++)
		subnets[i] = check_interface(c, i);
	for (uint32_t i = 1; i < n; i++) {
		snprintf(path, sizeof(path), "/interfaces/%u", i);
		for (uint32_t k = 0; k < i; k++) {
			if (!subnets[i] || !subnets[k])
				continue;
			if (subnets[i] == subnets[k])
				tn_tenant_complain(c, path,
					"subnet \"%s\" stands twice on the router; keep one",
					subnets[i]->c.id);
			else if (tn_prefixes_overlap(&subnets[i]->cidr, &subnets[k]->cidr))
				tn_tenant_complain(c, path,
					"%s of subnet \"%s\" overlaps %s of subnet \"%s\" on the "
					"same router",
					tn_prefix_text(&subnets[i]->cidr, own), subnets[i]->c.id,
					tn_prefix_text(&subnets[k]->cidr, other), subnets[k]->c.id);
		}
	}
}

static void check_route(const struct tn_tenant_check *c, uint32_t i,
	const struct tn_subnet *const *subnets, uint32_t n_subnets)
{
	const struct tn_router *r = &c->o->value.router;
	const struct tn_router_route *route = &r->routes[i];
	char address[TN_ADDRESS_TEXT], path[48];
	bool reached = false;

	snprintf(path, sizeof(path), "/routes/%u/nexthop", i);
	tn_address_text(route->next_hop, address);
	for (uint32_t k = 0; k < n_subnets; k++) {
		if (!subnets[k] || !tn_prefix_holds(&subnets[k]->cidr, route->next_hop))
			continue;
		reached = true;
		if (subnets[k]->has_gateway && subnets[k]->gateway_ip == route->next_hop)
			tn_tenant_complain(c, path,
				"next hop %s is the router's own address; name another station",
				address);
	}
	if (!reached)
		tn_tenant_complain(c, path,
			"next hop %s is in no subnet that the router is on; name a station in one",
			address);
}

static int compare_routes(const void *a, const void *b)
{
	const struct tn_router_route *x = *(const struct tn_router_route *const *)a;
	const struct tn_router_route *y = *(const struct tn_router_route *const *)b;

	if (x->destination.address != y->destination.address)
		return x->destination.address < y->destination.address ? -1 : 1;
	if (tn_prefix_bits(&x->destination) != tn_prefix_bits(&y->destination))
		return tn_prefix_bits(&x->destination) < tn_prefix_bits(&y->destination) ? -1 : 1;
	if (x->next_hop != y->next_hop)
		return x->next_hop < y->next_hop ? -1 : 1;
	return (x > y) - (x < y);
}

static bool same_destination(const struct tn_router_route *a, const struct tn_router_route *b)
{
	return a->destination.address == b->destination.address &&
		tn_prefix_bits(&a->destination) == tn_prefix_bits(&b->destination);
}

/* The same twice, and more ways to one place than there can be. */
static void check_equal_routes(const struct tn_tenant_check *c, const struct tn_router *r)
{
	const struct tn_router_route **sorted = calloc(r->n_routes + 1u, sizeof(*sorted));
	char path[48], text[TN_ADDRESS_TEXT + 4];
	uint32_t paths = 1;

	if (!sorted)
		abort();
	for (uint32_t i = 0; i < r->n_routes; i++)
		sorted[i] = &r->routes[i];
	qsort(sorted, r->n_routes, sizeof(*sorted), compare_routes);
	for (uint32_t i = 1; i < r->n_routes; i++) {
		paths = same_destination(sorted[i - 1], sorted[i]) ? paths + 1 : 1;
		snprintf(path, sizeof(path), "/routes/%u", (unsigned)(sorted[i] - r->routes));
		if (paths > 1 && sorted[i - 1]->next_hop == sorted[i]->next_hop)
			tn_tenant_complain(c, path, "this route stands twice; keep one");
		if (paths == ECMP_PATHS_MAX + 1)
			tn_tenant_complain(c, path,
				"more than %u next hops of equal cost to %s; remove some",
				ECMP_PATHS_MAX, tn_prefix_text(&sorted[i]->destination, text));
	}
	free(sorted);
}

static void check_router(const struct tn_tenant_check *c)
{
	const struct tn_router *r = &c->o->value.router;
	const struct tn_subnet **subnets = calloc(r->n_interfaces + 1u, sizeof(*subnets));

	if (!subnets)
		abort();
	check_interfaces(c, subnets, r->n_interfaces);
	for (uint32_t i = 0; i < r->n_routes; i++)
		check_route(c, i, subnets, r->n_interfaces);
	check_equal_routes(c, r);
	free(subnets);
}

/* Hosts. */

static void check_host(const struct tn_tenant_check *c)
{
	const struct tn_tenant_host *host = &c->o->value.host;
	const struct tn_tenant_object *rival;
	const struct tn_claim *claim;
	char path[48], text[TN_ADDRESS_TEXT];

	for (uint32_t i = 0; i < host->n_vtep_addresses; i++) {
		tn_u128 a = host->vtep_addresses[i];

		snprintf(path, sizeof(path), "/vtep_addresses/%u", i);
		rival = tn_tenant_rival(
			c, tn_claims_find(&c->t->claims, TN_CLAIM_VTEP, TN_CLAIM_HALVES(a)));
		if (rival)
			tn_tenant_complain(c, path,
				"%s is an address of host \"%s\", too; give each host its own",
				tn_address_text(a, text), rival->value.c.id);
		for (uint32_t k = 0; k < i; k++)
			if (host->vtep_addresses[k] == a)
				tn_tenant_complain(c, path, "%s stands twice; keep one",
					tn_address_text(a, text));
		claim = tn_claims_find(&c->t->claims, TN_CLAIM_REMOTE, TN_CLAIM_HALVES(a));
		if (claim)
			tn_tenant_complain(c, path,
				"remote port \"%s\" is behind %s, which would be this host; bind "
				"that port to the host",
				claim->holders[0]->value.c.id, tn_address_text(a, text));
	}
}

/* What all have. */

static int32_t limit_of(const struct tn_tenant_quota *q, enum tn_tenant_kind kind)
{
	switch (kind) {
	case TN_TENANT_NETWORK:
		return q->networks;
	case TN_TENANT_SUBNET:
		return q->subnets;
	case TN_TENANT_PORT:
		return q->ports;
	case TN_TENANT_ROUTER:
		return q->routers;
	case TN_TENANT_QOS_POLICY:
		return q->qos_policies;
	case TN_TENANT_ADDRESS_GROUP:
		return q->address_groups;
	default:
		return -1;
	}
}

/* Of what is new to its tenant. */
static void check_quota(const struct tn_tenant_check *c)
{
	const struct tn_tenant_value *v = &c->o->value;
	const struct tn_tenant_object *quota, *before = c->draft->before;
	uint32_t owned;
	int32_t limit;

	if (!v->c.tenant_id[0] ||
		(before && strcmp(before->value.c.tenant_id, v->c.tenant_id) == 0))
		return;
	quota = tn_tenants_get(c->t, TN_TENANT_QUOTA, v->c.tenant_id);
	if (!quota)
		quota = tn_tenants_get(c->t, TN_TENANT_QUOTA, "*");
	limit = quota ? limit_of(&quota->value.quota, v->kind) : -1;
	owned = tn_tenants_owned(c->t, v->kind, v->c.tenant_id);
	if (limit >= 0 && owned > (uint32_t)limit)
		tn_tenant_complain(c, "",
			"quota of tenant \"%s\": with this it would have %u %s, and may have %d",
			v->c.tenant_id, owned, tn_tenant_kind_plural(v->kind), limit);
}

static void check_object(const struct tn_tenant_check *c)
{
	switch (c->o->value.kind) {
	case TN_TENANT_NETWORK:
		check_network(c);
		break;
	case TN_TENANT_SUBNET:
		check_subnet(c);
		break;
	case TN_TENANT_PORT:
		tn_tenant_check_port(c);
		break;
	case TN_TENANT_ROUTER:
		check_router(c);
		break;
	case TN_TENANT_HOST:
		check_host(c);
		break;
	case TN_TENANT_QOS_POLICY:
	case TN_TENANT_ADDRESS_GROUP:
	case TN_TENANT_QUOTA:
	case TN_TENANT_N_KINDS:
		break;
	}
}

static void check_scope(const struct tn_tenant_check *c)
{
	const char *owner = c->o->value.c.tenant_id;

	if (c->draft->origin.scope && strcmp(owner, c->draft->origin.scope) != 0)
		tn_tenant_complain(c, "/tenant_id",
			"you are of tenant \"%s\" and can declare nothing for another",
			c->draft->origin.scope);
}

/* What hangs on an object that is changed or gone. */

static bool concerns_users(const struct tn_tenant_draft *d)
{
	const struct tn_tenant_value *a = &d->before->value, *b = &d->after->value;

	if (strcmp(a->c.tenant_id, b->c.tenant_id) != 0)
		return true;
	if (a->kind != TN_TENANT_SUBNET)
		return false;
	return memcmp(&a->subnet.cidr.address, &b->subnet.cidr.address, sizeof(tn_u128)) != 0 ||
		a->subnet.cidr.len != b->subnet.cidr.len ||
		a->subnet.has_gateway != b->subnet.has_gateway ||
		a->subnet.gateway_ip != b->subnet.gateway_ip ||
		strcmp(a->subnet.network_id, b->subnet.network_id) != 0;
}

static void check_users(struct tn_tenant_check *c, const struct tn_claim *claim)
{
	for (uint32_t i = 0; i < claim->n; i++) {
		const struct tn_tenant_value *v = &claim->holders[i]->value;

		c->o = claim->holders[i];
		c->is_user = true;
		/* One that is changed, too, speaks for itself. */
		if (!tn_tenants_entry(c->t, v->kind, v->c.id)->draft)
			check_object(c);
	}
}

static void complain_in_use(const struct tn_tenant_check *c, const struct tn_claim *claim)
{
	const struct tn_tenant_value *gone = &c->draft->before->value;
	char names[512] = "";
	uint32_t others = 0;
	size_t n = 0;

	for (uint32_t i = 0; i < claim->n; i++) {
		const struct tn_tenant_value *v = &claim->holders[i]->value;

		if (tn_tenants_entry(c->t, v->kind, v->c.id)->draft)
			continue; /* says so itself */
		if (others++ < NAMED_MAX)
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s \"%s\"",
				n ? ", " : "", tn_tenant_kind_name(v->kind), v->c.id);
	}
	if (!others)
		return;
	if (others > NAMED_MAX)
		snprintf(names + n, sizeof(names) - n, " and %u more", others - NAMED_MAX);
	tn_tenant_complain(c, "", "%s \"%s\" is in use by %s; remove that first",
		tn_tenant_kind_name(gone->kind), gone->c.id, names);
}

static void check_draft(struct tn_tenants *t, struct tn_diagnostics *diag, size_t i)
{
	struct tn_tenant_check c = {.t = t, .diag = diag, .draft = &t->drafts[i]};
	const struct tn_claim *claim = tn_claims_find(&t->claims, TN_CLAIM_USE,
		tn_tenant_kind_name(c.draft->entry->kind), c.draft->entry->id);

	c.o = c.draft->after;
	if (c.o) {
		check_scope(&c);
		check_quota(&c);
		check_object(&c);
	}
	if (!claim || !c.draft->before)
		return;
	if (c.draft->removes)
		complain_in_use(&c, claim);
	else if (c.o && concerns_users(c.draft))
		check_users(&c, claim);
}

/* Hosts whose underlay shrinks may leave too little for networks that say what they need. */
static void check_mtus(
	struct tn_tenants *t, const struct tn_tenant_draft *draft, struct tn_diagnostics *diag)
{
	struct tn_tenant_check c = {.t = t, .diag = diag, .draft = draft, .is_user = true};

	for (struct tn_tenant_entry *e = t->tables[TN_TENANT_NETWORK].first; e; e = e->next) {
		c.o = e->object;
		if (c.o && !e->draft && c.o->value.network.mtu)
			check_mtu(&c, &c.o->value.network);
	}
}

void tn_tenants_check(struct tn_tenants *t, struct tn_diagnostics *diag)
{
	const struct tn_tenant_draft *host = NULL;

	for (size_t i = 0; i < t->n_drafts; i++) {
		check_draft(t, diag, i);
		if (t->drafts[i].after && t->drafts[i].entry->kind == TN_TENANT_HOST)
			host = &t->drafts[i];
	}
	if (host)
		check_mtus(t, host, diag);
}
