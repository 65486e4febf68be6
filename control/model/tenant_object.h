/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An object of a tenant's network, of any kind: as a value whose pointers lead elsewhere, and as an
 * object that owns all of it, never changes and is shared by counting. Aborts when the machine has
 * no memory left. One thread.
 */
#ifndef TN_MODEL_TENANT_OBJECT_H
#define TN_MODEL_TENANT_OBJECT_H

#include "control/model/tenant.h"

/* What a client left open, to be filled in from what it had before or from its network. */
#define TN_UNSET_FIXED_IPS     1u /* of a port */
#define TN_UNSET_PORT_SECURITY 2u /* of a port */
#define TN_UNSET_BINDING       4u /* of a port */
#define TN_UNSET_QOS_POLICY    8u /* of a port or a network */

struct tn_tenant_value {
	enum tn_tenant_kind kind;
	unsigned unset;
	union {
		struct tn_tenant_common c; /* what each of them begins with */
		struct tn_network network;
		struct tn_subnet subnet;
		struct tn_tenant_port port;
		struct tn_router router;
		struct tn_tenant_host host;
		struct tn_qos_policy qos_policy;
		struct tn_address_group address_group;
		struct tn_tenant_quota quota;
	};
};

struct tn_tenant_object {
	uint32_t refs;
	uint32_t bytes;	  /* of memory, with the text */
	const char *text; /* canonical JSON: the same for the same object */
	uint32_t text_len;
	uint64_t number; /* the caller's own; 0 until it is set */
	struct tn_tenant_value value;
};

/* With one reference. Nothing may be unset. */
struct tn_tenant_object *tn_tenant_object_new(const struct tn_tenant_value *value);
struct tn_tenant_object *tn_tenant_object_get(const struct tn_tenant_object *o);
void tn_tenant_object_put(const struct tn_tenant_object *o);
bool tn_tenant_object_same(const struct tn_tenant_object *a, const struct tn_tenant_object *b);

/* "network", "qos_policy": as keys of JSON name one; "networks": several. */
const char *tn_tenant_kind_name(enum tn_tenant_kind kind);
const char *tn_tenant_kind_plural(enum tn_tenant_kind kind);

#endif
