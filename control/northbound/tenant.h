/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenant objects: networks, subnets, ports, routers, hosts, ... Internal to the northbound. */
#ifndef TN_NORTHBOUND_TENANT_H
#define TN_NORTHBOUND_TENANT_H

#include "control/model/json_reader.h"
#include "control/northbound/object.h"

/* What was declared, and, but in its plain form, what has become of it. */
json_t *tn_tenant_object_json(
	const struct tn_engine *e, const struct tn_object *o, enum tn_object_form form);

/* The one that a request names; NULL: it is not there, for this client. */
const struct tn_tenant_object *tn_tenant_find(
	struct tn_call *c, enum tn_tenant_kind kind, const char *id);
/*
 * Reads an object, gives it an id if it has none, and makes it one of the call's operations. False
 * after a diagnostic. pointer: where v stands.
 */
struct tn_operation *tn_tenant_read(struct tn_call *c, struct tn_json_reader *r, tn_json_ref v,
	enum tn_tenant_kind kind, const char *pointer);
/* Objects of this kind are changed by administrators alone. */
bool tn_tenant_is_admins(enum tn_tenant_kind kind);

/* An element of a transaction on a tenant object: {"op":"add|set|delete","network":{..}}. */
bool tn_tenant_is_operation(const struct tn_json_reader *r, tn_json_ref v);
bool tn_tenant_read_operation(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref v, const char *pointer);

/* /ports and /hosts are of the switch, too: whether a request means those of tenants. */
bool tn_tenant_check_which(struct tn_call *c); /* false: its ?kind= was answered */
bool tn_tenant_means_list(struct tn_call *c, enum tn_tenant_kind kind);
bool tn_tenant_means_body(struct tn_call *c, enum tn_tenant_kind kind);
bool tn_tenant_means_path(struct tn_call *c, enum tn_tenant_kind kind);

/* The handlers, for those who found out. */
void tn_tenant_list(struct tn_call *c, enum tn_tenant_kind kind);
void tn_tenant_post(struct tn_call *c, enum tn_tenant_kind kind);
void tn_tenant_get(struct tn_call *c, enum tn_tenant_kind kind);
void tn_tenant_put(struct tn_call *c, enum tn_tenant_kind kind);
void tn_tenant_patch(struct tn_call *c, enum tn_tenant_kind kind);
void tn_tenant_delete(struct tn_call *c, enum tn_tenant_kind kind);

#endif
