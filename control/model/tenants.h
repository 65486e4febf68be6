/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All tenant objects together, and what belongs together in them. A change of any number of objects
 * is made whole and then checked: its order means nothing, and every contradiction that it brings
 * is told at the place of the object that brings it. What was left open is filled in: VNI, MAC
 * address, addresses out of pools. The same objects in the same order get the same values anywhere,
 * so that hosts which are told the same agree.
 *
 *	tn_tenants_put(), tn_tenants_remove() ...
 *	if (tn_tenants_complete())	-> diagnostics; then tn_tenants_undo()
 *	tn_tenants_changes() ...
 *	tn_tenants_keep() or tn_tenants_undo()
 *
 * A change costs time in proportion to itself and what hangs on it, not to all that there is.
 *Aborts when the machine has no memory left. One thread.
 */
#ifndef TN_MODEL_TENANTS_H
#define TN_MODEL_TENANTS_H

#include "control/model/diagnostics.h"
#include "control/model/tenant_object.h"

struct tn_tenants;

/* One object's change. before NULL: it is new; after NULL: it goes. */
struct tn_tenants_change {
	enum tn_tenant_kind kind;
	const struct tn_tenant_object *before, *after;
	size_t tag;
};

/* Who asks for a change, and where. */
struct tn_tenants_origin {
	const char *pointer; /* in the client's request, for errors; NULL: "" */
	const char *scope;   /* its tenant, whose objects alone it may name; NULL: all */
	size_t tag;	     /* of the caller's own */
};

struct tn_tenants *tn_tenants_new(void);
void tn_tenants_free(struct tn_tenants *t);

/* NULL: there is none. With what is complete. */
const struct tn_tenant_object *tn_tenants_get(
	const struct tn_tenants *t, enum tn_tenant_kind kind, const char *id);
/* As it was before what is neither kept nor undone yet. */
const struct tn_tenant_object *tn_tenants_kept(
	const struct tn_tenants *t, enum tn_tenant_kind kind, const char *id);
/* In the order in which they came. */
typedef void (*tn_tenant_fn)(void *ctx, const struct tn_tenant_object *o);
void tn_tenants_each(
	const struct tn_tenants *t, enum tn_tenant_kind kind, tn_tenant_fn fn, void *ctx);
size_t tn_tenants_count(const struct tn_tenants *t, enum tn_tenant_kind kind);
/* Those of a kind that name the object; of a network its subnets and ports, ... */
void tn_tenants_users(const struct tn_tenants *t, enum tn_tenant_kind kind, const char *id,
	enum tn_tenant_kind user_kind, tn_tenant_fn fn, void *ctx);
/* How many of the kind a tenant has. */
uint32_t tn_tenants_owned(
	const struct tn_tenants *t, enum tn_tenant_kind kind, const char *tenant_id);

/*
 * New or in place of the one with its id. What it leaves open is taken from that one, where it
 * still fits. Everything is borrowed until it is complete or undone. Of one object the last change
 * counts.
 */
void tn_tenants_put(struct tn_tenants *t, const struct tn_tenant_value *value,
	const struct tn_tenants_origin *origin);
/* No such object is fine. */
void tn_tenants_remove(struct tn_tenants *t, enum tn_tenant_kind kind, const char *id,
	const struct tn_tenants_origin *origin);
/* -EINVAL with a diagnostic for each contradiction. */
int tn_tenants_complete(struct tn_tenants *t, struct tn_diagnostics *diag) TN_MUST_CHECK;
/* In its place as it is, without a check: one that was kept by an earlier run. Nothing is changed
 * at that time. */
void tn_tenants_restore(struct tn_tenants *t, struct tn_tenant_object *o);
/* Of what is complete; objects that are as they were are left out. Good until kept or undone. */
const struct tn_tenants_change *tn_tenants_changes(const struct tn_tenants *t, size_t *n);
void tn_tenants_keep(struct tn_tenants *t);
void tn_tenants_undo(struct tn_tenants *t);

/* The MTU of a network's packets: its own, or what the tunnels of all hosts leave. */
uint32_t tn_tenants_mtu(const struct tn_tenants *t, const struct tn_network *network);
uint32_t tn_tenants_mtu_max(const struct tn_tenants *t, const char *network_id);
/* 02: and bits of the id; the same for the same id. */
struct tn_mac tn_tenant_mac_of(const char *port_id, unsigned attempt);

#endif
