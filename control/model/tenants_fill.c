/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients leave open: from what there was, from the network, or the next that is free. */
#include <stdio.h>
#include <string.h>

#include "control/model/prefix.h"
#include "control/model/tenants_private.h"

/* VNIs that are given out leave the low ones to people. */
#define VNI_FIRST 4096u
#define VNI_LAST  0xffffffu

struct filling {
	struct tn_tenants *t;
	struct tn_tenant_draft *d;
	struct tn_diagnostics *diag;
	const struct tn_tenant_object *before;
};

static void complain(const struct filling *f, const char *path, const char *text, const char *id)
{
	char pointer[256];

	snprintf(pointer, sizeof(pointer), "%s%s", f->d->origin.pointer ? f->d->origin.pointer : "",
		path);
	tn_diagnostics_add(f->diag, pointer, 0, 0, TN_OF_OK, text, id);
}

/* Networks. */

static uint32_t free_vni(const struct tn_tenants *t, const char *id)
{
	uint64_t n = tn_tenant_hash(id);
	uint32_t vni;

	/* Some of 16 million are free: there is memory for far fewer networks. */
	do {
		vni = VNI_FIRST + (uint32_t)(n % (VNI_LAST - VNI_FIRST + 1));
		n = vni - VNI_FIRST + 1;
	} while (tn_claims_find(&t->claims, TN_CLAIM_VNI, vni));
	return vni;
}

static void fill_network(const struct filling *f, struct tn_network *n)
{
	const struct tn_network *before = f->before ? &f->before->value.network : NULL;

	if (f->d->value.unset & TN_UNSET_QOS_POLICY && f->d->origin.scope && before)
		n->qos_policy_id = before->qos_policy_id;
	if (n->vni && f->d->origin.scope && (!before || before->vni != n->vni))
		complain(f, "/vni",
			"the VNI of network \"%s\" is the provider's to choose; leave it out",
			n->c.id);
	/* Said again as it was answered. */
	if (before && !before->mtu && n->mtu == tn_tenants_mtu_max(f->t, n->c.id))
		n->mtu = 0;
	if (!n->vni)
		n->vni = before ? before->vni : free_vni(f->t, n->c.id);
}

/* Ports. */

struct tn_mac tn_tenant_mac_of(const char *port_id, unsigned attempt)
{
	uint64_t h = tn_tenant_hash(port_id) + attempt;
	struct tn_mac mac = {{0x02}};

	for (unsigned i = 1; i < 6; i++)
		mac.b[i] = (uint8_t)(h >> (8 * (5 - i)));
	return mac;
}

static void fill_mac(const struct filling *f, struct tn_tenant_port *p)
{
	unsigned attempt = 0;

	if (tn_mac_number(p->mac_address))
		return;
	if (f->before) {
		p->mac_address = f->before->value.port.mac_address;
		return;
	}
	do
		p->mac_address = tn_tenant_mac_of(p->c.id, attempt++);
	while (tn_claims_find(
		&f->t->claims, TN_CLAIM_MAC, p->network_id, TN_CLAIM_NUMBER(p->mac_address)));
}

static bool is_taken(const struct tn_tenants *t, const char *network_id, tn_u128 address)
{
	return tn_claims_find(&t->claims, TN_CLAIM_ADDRESS, network_id, TN_CLAIM_HALVES(address));
}

static bool given_before(const struct tn_fixed_ip *list, uint32_t n, tn_u128 address)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i].ip_address == address)
			return true;
	return false;
}

/* The lowest one that is free, and none of list; 0: there is none. */
static tn_u128 free_address(
	struct tn_tenants *t, const struct tn_subnet *s, const struct tn_fixed_ip *list, uint32_t n)
{
	struct tn_tenant_entry *e = tn_tenants_entry(t, TN_TENANT_SUBNET, s->c.id);
	tn_u128 lowest = 0;

	for (uint32_t i = 0; i < s->n_allocation_pools; i++) {
		const struct tn_pool *pool = &s->allocation_pools[i];
		tn_u128 a = pool->start;

		if (e->hint > a)
			a = e->hint;
		/* Pools stand in any order. */
		while (a <= pool->end && (!lowest || a < lowest)) {
			if (!is_taken(t, s->network_id, a) && !given_before(list, n, a)) {
				lowest = a;
				break;
			}
			a++;
		}
	}
	if (lowest)
		e->hint = lowest;
	return lowest;
}

/* To list[i], where list has n. */
static bool give_address(const struct filling *f, const struct tn_subnet *s,
	struct tn_fixed_ip *list, uint32_t n, uint32_t i)
{
	const struct tn_tenant_port *p = &f->d->value.port;

	list[i].subnet_id = s->c.id;
	list[i].ip_address = tn_subnet_is_autonomous(s) ? tn_prefix_eui64(&s->cidr, p->mac_address)
							: free_address(f->t, s, list, n);
	return list[i].ip_address != 0;
}

/* Of an element without an address: the one that the port has there already. */
static tn_u128 kept_address(
	const struct filling *f, const struct tn_fixed_ip *list, uint32_t n, uint32_t at)
{
	const struct tn_tenant_port *old = f->before ? &f->before->value.port : NULL;

	for (uint32_t i = 0; old && i < old->n_fixed_ips; i++)
		if (strcmp(old->fixed_ips[i].subnet_id, list[at].subnet_id) == 0 &&
			!given_before(list, n, old->fixed_ips[i].ip_address) &&
			!is_taken(f->t, old->network_id, old->fixed_ips[i].ip_address))
			return old->fixed_ips[i].ip_address;
	return 0;
}

struct search {
	const struct tn_subnet *found;
	tn_u128 address; /* the subnet that holds it, or ... */
	bool is_ip4;	 /* ... the first of a family */
};

static void look_for_holder(void *ctx, const struct tn_tenant_object *o)
{
	struct search *s = ctx;

	if (tn_prefix_holds(&o->value.subnet.cidr, s->address))
		s->found = &o->value.subnet;
}

/* The first by address: the same whatever the order in which they came. */
static void look_for_first(void *ctx, const struct tn_tenant_object *o)
{
	const struct tn_subnet *subnet = &o->value.subnet;
	struct search *s = ctx;

	if (subnet->cidr.is_ip4 != s->is_ip4 ||
		(!subnet->n_allocation_pools && !tn_subnet_is_autonomous(subnet)))
		return;
	if (!s->found || subnet->cidr.address < s->found->cidr.address)
		s->found = subnet;
}

static bool fill_fixed_ip(const struct filling *f, struct tn_fixed_ip *list, uint32_t i)
{
	const struct tn_tenant_port *p = &f->d->value.port;
	const struct tn_tenant_object *subnet;
	struct search s = {.address = list[i].ip_address};
	char path[32];

	if (!list[i].subnet_id[0]) {
		tn_tenants_users(f->t, TN_TENANT_NETWORK, p->network_id, TN_TENANT_SUBNET,
			look_for_holder, &s);
		if (s.found)
			list[i].subnet_id = s.found->c.id;
		return true;
	}
	if (list[i].ip_address)
		return true;
	snprintf(path, sizeof(path), "/fixed_ips/%u", i);
	list[i].ip_address = kept_address(f, list, p->n_fixed_ips, i);
	if (list[i].ip_address)
		return true;
	subnet = tn_tenants_get(f->t, TN_TENANT_SUBNET, list[i].subnet_id);
	if (!subnet || strcmp(subnet->value.subnet.network_id, p->network_id) != 0 ||
		(f->d->origin.scope &&
			strcmp(subnet->value.c.tenant_id, f->d->origin.scope) != 0)) {
		complain(f, path, "the network has no subnet \"%s\"; name one of its own",
			list[i].subnet_id);
		return false;
	}
	if (give_address(f, &subnet->value.subnet, list, p->n_fixed_ips, i))
		return true;
	complain(f, path,
		"no address is free in the pools of subnet \"%s\"; remove ports or add a pool",
		list[i].subnet_id);
	return false;
}

/* One address of each family that the network has. */
static bool choose_addresses(const struct filling *f, struct tn_tenant_port *p)
{
	struct tn_fixed_ip *list = tn_arena_alloc(&f->t->arena, 2 * sizeof(*list));
	bool ok = true;

	p->n_fixed_ips = 0;
	p->fixed_ips = list;
	for (int ip4 = 1; ip4 >= 0; ip4--) {
		struct search s = {.is_ip4 = ip4};

		tn_tenants_users(f->t, TN_TENANT_NETWORK, p->network_id, TN_TENANT_SUBNET,
			look_for_first, &s);
		if (!s.found)
			continue;
		if (give_address(f, s.found, list, p->n_fixed_ips, p->n_fixed_ips)) {
			p->n_fixed_ips++;
			continue;
		}
		complain(f, "",
			"no address is free in the pools of subnet \"%s\"; remove ports or add a "
			"pool",
			s.found->c.id);
		ok = false;
	}
	return ok;
}

static bool fill_fixed_ips(const struct filling *f, struct tn_tenant_port *p)
{
	const struct tn_tenant_port *old = f->before ? &f->before->value.port : NULL;
	struct tn_fixed_ip *list;
	bool ok = true;

	if (f->d->value.unset & TN_UNSET_FIXED_IPS) {
		if (!old || strcmp(old->network_id, p->network_id) != 0)
			return choose_addresses(f, p);
		p->fixed_ips = old->fixed_ips;
		p->n_fixed_ips = old->n_fixed_ips;
		return true;
	}
	if (!p->n_fixed_ips)
		return true;
	list = tn_arena_dup(&f->t->arena, p->fixed_ips, p->n_fixed_ips * sizeof(*list));
	for (uint32_t i = 0; i < p->n_fixed_ips; i++)
		ok &= fill_fixed_ip(f, list, i);
	p->fixed_ips = list;
	return ok;
}

static bool fill_port(const struct filling *f, struct tn_tenant_port *p)
{
	const struct tn_tenant_object *network =
		tn_tenants_get(f->t, TN_TENANT_NETWORK, p->network_id);
	unsigned unset = f->d->value.unset;

	if (unset & TN_UNSET_PORT_SECURITY)
		p->port_security_enabled = !network || network->value.network.port_security_enabled;
	if (unset & TN_UNSET_BINDING && f->d->origin.scope && f->before)
		p->binding = f->before->value.port.binding;
	if (unset & TN_UNSET_QOS_POLICY && f->d->origin.scope && f->before)
		p->qos_policy_id = f->before->value.port.qos_policy_id;
	fill_mac(f, p);
	return fill_fixed_ips(f, p);
}

/* Subnets and ports are their network's owner's. */
static void fill_owner(const struct filling *f, struct tn_tenant_value *v)
{
	const char *network_id = v->kind == TN_TENANT_SUBNET ? v->subnet.network_id
		: v->kind == TN_TENANT_PORT		     ? v->port.network_id
							     : NULL;
	const struct tn_tenant_object *network =
		network_id ? tn_tenants_get(f->t, TN_TENANT_NETWORK, network_id) : NULL;

	if (v->c.tenant_id[0] || v->kind == TN_TENANT_HOST || v->kind == TN_TENANT_QUOTA)
		return;
	if (f->d->origin.scope)
		v->c.tenant_id = f->d->origin.scope;
	else if (network)
		v->c.tenant_id = network->value.c.tenant_id;
	else if (f->before)
		v->c.tenant_id = f->before->value.c.tenant_id;
}

bool tn_tenant_fill(
	struct tn_tenants *t, struct tn_tenant_draft *draft, struct tn_diagnostics *diag)
{
	const struct filling f = {.t = t, .d = draft, .diag = diag, .before = draft->before};
	struct tn_tenant_value *v = &draft->value;
	bool ok = true;

	fill_owner(&f, v);
	if (v->kind == TN_TENANT_NETWORK)
		fill_network(&f, &v->network);
	else if (v->kind == TN_TENANT_PORT)
		ok = fill_port(&f, &v->port);
	v->unset = 0;
	return ok;
}
