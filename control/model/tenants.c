/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/tenants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/prefix.h"
#include "control/model/tenants_private.h"

#define UNDERLAY_MTU_DEFAULT 1500u
#define OVERHEAD_IP4	     50u /* Ethernet within, VXLAN, UDP and IP around it */
#define OVERHEAD_IP6	     70u

/* --- entries --- */

struct tn_tenant_entry *tn_tenants_entry(
	const struct tn_tenants *t, enum tn_tenant_kind kind, const char *id)
{
	const struct tn_tenant_table *table = &t->tables[kind];
	uint64_t hash = tn_tenant_hash(id);
	struct tn_tenant_entry *e;

	if (!table->n_slots)
		return NULL;
	for (e = table->slots[hash & (table->n_slots - 1)]; e; e = e->next_in_slot)
		if (e->hash == hash && strcmp(e->id, id) == 0)
			return e;
	return NULL;
}

static void grow_table(struct tn_tenant_table *table)
{
	struct tn_tenant_entry **slot;

	if (table->n_entries < table->n_slots)
		return;
	free(table->slots);
	table->n_slots = table->n_slots ? 2 * table->n_slots : 16;
	table->slots = calloc(table->n_slots, sizeof(struct tn_tenant_entry *));
	if (!table->slots)
		abort();
	for (struct tn_tenant_entry *e = table->first; e; e = e->next) {
		slot = &table->slots[e->hash & (table->n_slots - 1)];
		e->next_in_slot = *slot;
		*slot = e;
	}
}

static struct tn_tenant_entry *make_entry(
	struct tn_tenants *t, enum tn_tenant_kind kind, const char *id)
{
	struct tn_tenant_table *table = &t->tables[kind];
	struct tn_tenant_entry *e = tn_tenants_entry(t, kind, id), **slot;
	size_t len = strlen(id) + 1;

	if (e)
		return e;
	grow_table(table);
	e = calloc(1, sizeof(*e) + len);
	if (!e)
		abort();
	memcpy(e->id, id, len);
	e->kind = kind;
	e->hash = tn_tenant_hash(id);
	slot = &table->slots[e->hash & (table->n_slots - 1)];
	e->next_in_slot = *slot;
	*slot = e;
	e->previous = table->last;
	if (table->last)
		table->last->next = e;
	else
		table->first = e;
	table->last = e;
	table->n_entries++;
	return e;
}

static void free_entry(struct tn_tenants *t, struct tn_tenant_entry *e)
{
	struct tn_tenant_table *table = &t->tables[e->kind];
	struct tn_tenant_entry **at = &table->slots[e->hash & (table->n_slots - 1)];

	while (*at != e)
		at = &(*at)->next_in_slot;
	*at = e->next_in_slot;
	if (e->previous)
		e->previous->next = e->next;
	else
		table->first = e->next;
	if (e->next)
		e->next->previous = e->previous;
	else
		table->last = e->previous;
	table->n_entries--;
	free(e);
}

/* Addresses that a port had are free: look for those first. */
static void free_addresses(struct tn_tenants *t, const struct tn_tenant_port *p)
{
	struct tn_tenant_entry *subnet;

	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		subnet = tn_tenants_entry(t, TN_TENANT_SUBNET, p->fixed_ips[i].subnet_id);
		if (subnet && p->fixed_ips[i].ip_address < subnet->hint)
			subnet->hint = p->fixed_ips[i].ip_address;
	}
}

/* The entry's object is this one now; NULL: none. */
static void set_object(
	struct tn_tenants *t, struct tn_tenant_entry *e, const struct tn_tenant_object *o)
{
	struct tn_tenant_table *table = &t->tables[e->kind];

	if (e->object) {
		tn_claims_remove(&t->claims, e->object);
		if (e->kind == TN_TENANT_PORT)
			free_addresses(t, &e->object->value.port);
		table->n--;
		tn_tenant_object_put(e->object);
	}
	e->hint = 0;
	e->object = o ? tn_tenant_object_get(o) : NULL;
	if (!o)
		return;
	tn_claims_add(&t->claims, o);
	table->n++;
}

/* --- life, and reading --- */

struct tn_tenants *tn_tenants_new(void)
{
	struct tn_tenants *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	tn_arena_init(&t->arena);
	t->underlay_mtu = UNDERLAY_MTU_DEFAULT;
	return t;
}

void tn_tenants_free(struct tn_tenants *t)
{
	if (!t)
		return;
	tn_tenants_undo(t);
	for (unsigned kind = 0; kind < TN_TENANT_N_KINDS; kind++) {
		struct tn_tenant_entry *e, *next;

		for (e = t->tables[kind].first; e; e = next) {
			next = e->next;
			tn_tenant_object_put(e->object);
			free(e);
		}
		free(t->tables[kind].slots);
	}
	tn_claims_fini(&t->claims);
	tn_arena_fini(&t->arena);
	free(t->drafts);
	free(t->changes);
	free(t);
}

const struct tn_tenant_object *tn_tenants_get(
	const struct tn_tenants *t, enum tn_tenant_kind kind, const char *id)
{
	const struct tn_tenant_entry *e = tn_tenants_entry(t, kind, id);

	return e ? e->object : NULL;
}

const struct tn_tenant_object *tn_tenants_kept(
	const struct tn_tenants *t, enum tn_tenant_kind kind, const char *id)
{
	const struct tn_tenant_entry *e = tn_tenants_entry(t, kind, id);

	return !e ? NULL : e->draft ? t->drafts[e->draft - 1].before : e->object;
}

void tn_tenants_each(
	const struct tn_tenants *t, enum tn_tenant_kind kind, tn_tenant_fn fn, void *ctx)
{
	for (const struct tn_tenant_entry *e = t->tables[kind].first; e; e = e->next)
		if (e->object)
			fn(ctx, e->object);
}

size_t tn_tenants_count(const struct tn_tenants *t, enum tn_tenant_kind kind)
{
	return t->tables[kind].n;
}

void tn_tenants_users(const struct tn_tenants *t, enum tn_tenant_kind kind, const char *id,
	enum tn_tenant_kind user_kind, tn_tenant_fn fn, void *ctx)
{
	const struct tn_claim *claim =
		tn_claims_find(&t->claims, TN_CLAIM_USE, tn_tenant_kind_name(kind), id);

	for (uint32_t i = 0; claim && i < claim->n; i++)
		if (claim->holders[i]->value.kind == user_kind)
			fn(ctx, claim->holders[i]);
}

uint32_t tn_tenants_owned(
	const struct tn_tenants *t, enum tn_tenant_kind kind, const char *tenant_id)
{
	const struct tn_claim *claim =
		tn_claims_find(&t->claims, TN_CLAIM_OWN, tn_tenant_kind_name(kind), tenant_id);

	return claim ? claim->n : 0;
}

/* --- the underlay --- */

static void look_at_hosts(struct tn_tenants *t)
{
	t->underlay_mtu = 0;
	t->underlay_ip6 = false;
	for (const struct tn_tenant_entry *e = t->tables[TN_TENANT_HOST].first; e; e = e->next) {
		const struct tn_tenant_host *host;
		bool has_ip4 = false;
		uint32_t mtu;

		if (!e->object)
			continue;
		host = &e->object->value.host;
		mtu = host->underlay_mtu ? host->underlay_mtu : UNDERLAY_MTU_DEFAULT;
		if (!t->underlay_mtu || mtu < t->underlay_mtu)
			t->underlay_mtu = mtu;
		for (uint32_t i = 0; i < host->n_vtep_addresses; i++)
			has_ip4 |= tn_address_is_ip4(host->vtep_addresses[i]);
		t->underlay_ip6 |= !has_ip4;
	}
	if (!t->underlay_mtu)
		t->underlay_mtu = UNDERLAY_MTU_DEFAULT;
}

uint32_t tn_tenants_mtu_max(const struct tn_tenants *t, const char *network_id)
{
	bool ip6 = t->underlay_ip6 || tn_claims_find(&t->claims, TN_CLAIM_FAR6, network_id);

	return t->underlay_mtu - (ip6 ? OVERHEAD_IP6 : OVERHEAD_IP4);
}

uint32_t tn_tenants_mtu(const struct tn_tenants *t, const struct tn_network *network)
{
	return network->mtu ? network->mtu : tn_tenants_mtu_max(t, network->c.id);
}

/* --- changes --- */

static struct tn_tenant_draft *draft(struct tn_tenants *t, enum tn_tenant_kind kind, const char *id)
{
	struct tn_tenant_entry *e = make_entry(t, kind, id);
	struct tn_tenant_draft *d;

	if (e->draft)
		return &t->drafts[e->draft - 1];
	if (t->n_drafts == t->room) {
		t->room = t->room ? 2 * t->room : 16;
		t->drafts = realloc(t->drafts, t->room * sizeof(*t->drafts));
		if (!t->drafts)
			abort();
	}
	d = &t->drafts[t->n_drafts++];
	*d = (struct tn_tenant_draft){.entry = e, .before = e->object};
	if (d->before)
		(void)tn_tenant_object_get(d->before);
	e->draft = t->n_drafts;
	return d;
}

void tn_tenants_put(struct tn_tenants *t, const struct tn_tenant_value *value,
	const struct tn_tenants_origin *origin)
{
	struct tn_tenant_draft *d = draft(t, value->kind, value->c.id);

	d->value = *value;
	d->removes = false;
	d->origin = *origin;
}

void tn_tenants_remove(struct tn_tenants *t, enum tn_tenant_kind kind, const char *id,
	const struct tn_tenants_origin *origin)
{
	struct tn_tenant_draft *d = draft(t, kind, id);

	d->removes = true;
	d->origin = *origin;
}

static bool is_open(const struct tn_tenant_draft *d)
{
	const struct tn_tenant_value *v = &d->value;

	if (v->kind == TN_TENANT_NETWORK)
		return !v->network.vni && !d->before;
	if (v->kind != TN_TENANT_PORT || d->before)
		return false;
	if (v->unset & TN_UNSET_FIXED_IPS || !tn_mac_number(v->port.mac_address))
		return true;
	for (uint32_t i = 0; i < v->port.n_fixed_ips; i++)
		if (!v->port.fixed_ips[i].ip_address)
			return true;
	return false;
}

/* Said again: it stays the very same object. */
static void keep_before(struct tn_tenant_draft *d)
{
	tn_tenant_object_put(d->after);
	d->after = tn_tenant_object_get(d->before);
}

static bool make_kind(
	struct tn_tenants *t, enum tn_tenant_kind kind, bool open, struct tn_diagnostics *diag)
{
	bool ok = true;

	for (size_t i = 0; i < t->n_drafts; i++) {
		struct tn_tenant_draft *d = &t->drafts[i];

		if (d->removes || d->entry->kind != kind || is_open(d) != open)
			continue;
		if (!tn_tenant_fill(t, d, diag)) {
			ok = false;
			continue;
		}
		d->after = tn_tenant_object_new(&d->value);
		if (d->before && tn_tenant_object_same(d->before, d->after))
			keep_before(d);
		set_object(t, d->entry, d->after);
	}
	return ok;
}

/* Those that say all come first: what is given out afterwards is not what they want. */
static bool make(struct tn_tenants *t, struct tn_diagnostics *diag)
{
	static const enum tn_tenant_kind order[] = {TN_TENANT_HOST, TN_TENANT_QUOTA,
		TN_TENANT_QOS_POLICY, TN_TENANT_ADDRESS_GROUP, TN_TENANT_NETWORK, TN_TENANT_SUBNET,
		TN_TENANT_ROUTER, TN_TENANT_PORT};
	bool ok = true;

	for (size_t i = 0; i < t->n_drafts; i++)
		set_object(t, t->drafts[i].entry, NULL);
	for (size_t i = 0; i < TN_ARRAY_SIZE(order); i++) {
		ok &= make_kind(t, order[i], false, diag);
		ok &= make_kind(t, order[i], true, diag);
		if (order[i] == TN_TENANT_HOST)
			look_at_hosts(t);
	}
	return ok;
}

static void list_changes(struct tn_tenants *t)
{
	t->changes = realloc(t->changes, (t->n_drafts + 1) * sizeof(*t->changes));
	if (!t->changes)
		abort();
	t->n_changes = 0;
	for (size_t i = 0; i < t->n_drafts; i++) {
		const struct tn_tenant_draft *d = &t->drafts[i];

		if (d->before == d->after)
			continue;
		t->changes[t->n_changes++] = (struct tn_tenants_change){
			.kind = d->entry->kind,
			.before = d->before,
			.after = d->after,
			.tag = d->origin.tag,
		};
	}
}

void tn_tenants_restore(struct tn_tenants *t, struct tn_tenant_object *o)
{
	set_object(t, make_entry(t, o->value.kind, o->value.c.id), o);
	if (o->value.kind == TN_TENANT_HOST)
		look_at_hosts(t);
}

int tn_tenants_complete(struct tn_tenants *t, struct tn_diagnostics *diag)
{
	size_t before = diag->n + diag->dropped;

	(void)make(t, diag);
	tn_tenants_check(t, diag);
	tn_arena_fini(&t->arena);
	if (diag->n + diag->dropped != before)
		return -EINVAL;
	list_changes(t);
	return 0;
}

const struct tn_tenants_change *tn_tenants_changes(const struct tn_tenants *t, size_t *n)
{
	*n = t->n_changes;
	return t->changes;
}

static void forget_drafts(struct tn_tenants *t)
{
	for (size_t i = 0; i < t->n_drafts; i++) {
		struct tn_tenant_draft *d = &t->drafts[i];

		tn_tenant_object_put(d->before);
		tn_tenant_object_put(d->after);
		d->entry->draft = 0;
		if (!d->entry->object)
			free_entry(t, d->entry);
	}
	t->n_drafts = 0;
	t->n_changes = 0;
}

void tn_tenants_keep(struct tn_tenants *t)
{
	forget_drafts(t);
}

void tn_tenants_undo(struct tn_tenants *t)
{
	bool hosts = false;

	for (size_t i = 0; i < t->n_drafts; i++)
		set_object(t, t->drafts[i].entry, NULL);
	for (size_t i = 0; i < t->n_drafts; i++) {
		hosts |= t->drafts[i].entry->kind == TN_TENANT_HOST;
		set_object(t, t->drafts[i].entry, t->drafts[i].before);
	}
	if (hosts)
		look_at_hosts(t);
	forget_drafts(t);
}
