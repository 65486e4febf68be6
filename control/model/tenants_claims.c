/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/prefix.h"
#include "control/model/tenants_private.h"

uint64_t tn_tenant_hash(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

/* What an object claims. */

typedef void (*claim_fn)(struct tn_claims *c, const struct tn_tenant_object *o, const char *claim);

struct laying {
	struct tn_claims *c;
	const struct tn_tenant_object *o;
	claim_fn fn;
};

static void lay(const struct laying *l, const char *fmt, ...) TN_PRINTF(2, 3);
static void lay(const struct laying *l, const char *fmt, ...)
{
	char text[TN_CLAIM_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	l->fn(l->c, l->o, text);
}

static void lay_use(const struct laying *l, enum tn_tenant_kind kind, const char *id)
{
	if (id[0])
		lay(l, TN_CLAIM_USE, tn_tenant_kind_name(kind), id);
}

static void lay_binding(const struct laying *l, const struct tn_tenant_port *p)
{
	const struct tn_binding *b = &p->binding;

	lay_use(l, TN_TENANT_HOST, b->host);
	switch (b->kind) {
	case TN_BINDING_VM:
		if (b->vhost_socket[0])
			lay(l, TN_CLAIM_SOCKET, b->host, b->vhost_socket);
		break;
	case TN_BINDING_CONTAINER:
	case TN_BINDING_BAREMETAL:
		lay(l, TN_CLAIM_DEVICE, b->host, b->device);
		break;
	case TN_BINDING_REMOTE:
		lay(l, TN_CLAIM_REMOTE, TN_CLAIM_HALVES(b->vtep));
		if (!tn_address_is_ip4(b->vtep))
			lay(l, TN_CLAIM_FAR6, p->network_id);
		break;
	case TN_BINDING_NONE:
		break;
	}
}

/* A subnet that is named several times is used once: holders are found by who they are. */
static void lay_subnets(const struct laying *l, const struct tn_tenant_port *p)
{
	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		uint32_t k = 0;

		while (k < i && strcmp(p->fixed_ips[k].subnet_id, p->fixed_ips[i].subnet_id) != 0)
			k++;
		if (k == i)
			lay_use(l, TN_TENANT_SUBNET, p->fixed_ips[i].subnet_id);
	}
}

static void lay_port(const struct laying *l, const struct tn_tenant_port *p)
{
	lay_use(l, TN_TENANT_NETWORK, p->network_id);
	lay_use(l, TN_TENANT_QOS_POLICY, p->qos_policy_id);
	lay(l, TN_CLAIM_MAC, p->network_id, TN_CLAIM_NUMBER(p->mac_address));
	lay_subnets(l, p);
	for (uint32_t i = 0; i < p->n_fixed_ips; i++)
		lay(l, TN_CLAIM_ADDRESS, p->network_id,
			TN_CLAIM_HALVES(p->fixed_ips[i].ip_address));
	lay_binding(l, p);
}

static void lay_router(const struct laying *l, const struct tn_router *r)
{
	for (uint32_t i = 0; i < r->n_interfaces; i++) {
		uint32_t k = 0;

		while (k < i && strcmp(r->interfaces[k].subnet_id, r->interfaces[i].subnet_id) != 0)
			k++;
		if (k == i)
			lay_use(l, TN_TENANT_SUBNET, r->interfaces[i].subnet_id);
	}
}

static void lay_all(const struct laying *l)
{
	const struct tn_tenant_value *v = &l->o->value;

	if (v->c.tenant_id[0])
		lay(l, TN_CLAIM_OWN, tn_tenant_kind_name(v->kind), v->c.tenant_id);
	switch (v->kind) {
	case TN_TENANT_NETWORK:
		lay_use(l, TN_TENANT_QOS_POLICY, v->network.qos_policy_id);
		lay(l, TN_CLAIM_VNI, v->network.vni);
		break;
	case TN_TENANT_SUBNET:
		lay_use(l, TN_TENANT_NETWORK, v->subnet.network_id);
		if (v->subnet.has_gateway)
			lay(l, TN_CLAIM_ADDRESS, v->subnet.network_id,
				TN_CLAIM_HALVES(v->subnet.gateway_ip));
		break;
	case TN_TENANT_PORT:
		lay_port(l, &v->port);
		break;
	case TN_TENANT_ROUTER:
		lay_router(l, &v->router);
		break;
	case TN_TENANT_HOST:
		for (uint32_t i = 0; i < v->host.n_vtep_addresses; i++)
			lay(l, TN_CLAIM_VTEP, TN_CLAIM_HALVES(v->host.vtep_addresses[i]));
		break;
	case TN_TENANT_QOS_POLICY:
	case TN_TENANT_ADDRESS_GROUP:
	case TN_TENANT_QUOTA:
	case TN_TENANT_N_KINDS:
		break;
	}
}

/* Who lays them. */

static size_t slot_of(const struct tn_claims *c, uint64_t hash, const char *text)
{
	size_t i = hash & (c->n_slots - 1);

	while (c->slots[i] && (c->slots[i]->hash != hash || strcmp(c->slots[i]->text, text) != 0))
		i = (i + 1) & (c->n_slots - 1);
	return i;
}

static void grow(struct tn_claims *c)
{
	struct tn_claims larger = {.n = c->n, .n_slots = c->n_slots ? 2 * c->n_slots : 64};

	if (c->n_slots && c->n < c->n_slots / 2)
		return;
	larger.slots = calloc(larger.n_slots, sizeof(struct tn_claim *));
	if (!larger.slots)
		abort();
	for (size_t i = 0; i < c->n_slots; i++)
		if (c->slots[i])
			larger.slots[slot_of(&larger, c->slots[i]->hash, c->slots[i]->text)] =
				c->slots[i];
	free(c->slots);
	*c = larger;
}

static struct tn_claim *new_claim(uint64_t hash, const char *text)
{
	size_t len = strlen(text) + 1;
	struct tn_claim *claim = malloc(sizeof(*claim) + len);

	if (!claim)
		abort();
	*claim = (struct tn_claim){.hash = hash};
	memcpy(claim->text, text, len);
	return claim;
}

static void add(struct tn_claims *c, const struct tn_tenant_object *o, const char *text)
{
	uint64_t hash = tn_tenant_hash(text);
	struct tn_claim *claim;
	size_t i;

	grow(c);
	i = slot_of(c, hash, text);
	if (!c->slots[i]) {
		c->slots[i] = new_claim(hash, text);
		c->n++;
	}
	claim = c->slots[i];
	if (claim->n == claim->room) {
		claim->room = claim->room ? 2 * claim->room : 1;
		claim->holders = realloc(claim->holders, claim->room * sizeof(*claim->holders));
		if (!claim->holders)
			abort();
	}
	claim->holders[claim->n++] = o;
}

/* What follows in the chain moves up, so that it is found without marks for what is gone. */
static void drop_slot(struct tn_claims *c, size_t i)
{
	size_t mask = c->n_slots - 1, k = i;

	free(c->slots[i]->holders);
	free(c->slots[i]);
	c->slots[i] = NULL;
	c->n--;
	for (;;) {
		size_t home;

		k = (k + 1) & mask;
		if (!c->slots[k])
			return;
		home = c->slots[k]->hash & mask;
		if (((k - home) & mask) < ((k - i) & mask))
			continue;
		c->slots[i] = c->slots[k];
		c->slots[k] = NULL;
		i = k;
	}
}

static void drop(struct tn_claims *c, const struct tn_tenant_object *o, const char *text)
{
	size_t i = slot_of(c, tn_tenant_hash(text), text);
	struct tn_claim *claim = c->slots[i];
	uint32_t k = claim->n;

	while (claim->holders[--k] != o)
		;
	claim->holders[k] = claim->holders[--claim->n];
	if (!claim->n)
		drop_slot(c, i);
}

void tn_claims_add(struct tn_claims *c, const struct tn_tenant_object *o)
{
	lay_all(&(struct laying){.c = c, .o = o, .fn = add});
}

void tn_claims_remove(struct tn_claims *c, const struct tn_tenant_object *o)
{
	lay_all(&(struct laying){.c = c, .o = o, .fn = drop});
}

const struct tn_claim *tn_claims_find(const struct tn_claims *c, const char *fmt, ...)
{
	char text[TN_CLAIM_MAX];
	va_list args;

	if (!c->n)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return c->slots[slot_of(c, tn_tenant_hash(text), text)];
}

void tn_claims_fini(struct tn_claims *c)
{
	for (size_t i = 0; i < c->n_slots; i++) {
		if (!c->slots[i])
			continue;
		free(c->slots[i]->holders);
		free(c->slots[i]);
	}
	free(c->slots);
	*c = (struct tn_claims){0};
}
