/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON Schemas of what is sent and answered, with ' for ". Internal to the northbound. */
#ifndef TN_NORTHBOUND_SCHEMAS_H
#define TN_NORTHBOUND_SCHEMAS_H

struct tn_schema {
	const char *name, *schema;
};

struct tn_schema_parameter {
	const char *name, *text, *schema;
};

/* schemas.c */
extern const struct tn_schema tn_switch_schemas[];
extern const struct tn_schema_parameter tn_switch_parameters[];

/* tenant_schemas.c */
extern const struct tn_schema tn_tenant_schemas[];
extern const struct tn_schema_parameter tn_tenant_parameters[];

#endif
