/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration document: device, ports, tables, groups, meters, flows, underlay, and tenants'
 * networks. A port that has "network_id" is one of a tenant's.
 *
 * Read as a stream: an array's elements are decoded one by one, so that memory follows the rules
 * and not the text. Nesting over TN_DOCUMENT_DEPTH_MAX, a document over TN_DOCUMENT_BYTES_MAX,
 * duplicate keys, unknown keys, NUL bytes, NaN and numbers out of range are errors with line and
 * column. All errors of a document are found in one run.
 */
#ifndef TN_MODEL_DOCUMENT_H
#define TN_MODEL_DOCUMENT_H

#include <jansson.h>

#include "control/model/arena.h"
#include "control/model/diagnostics.h"
#include "control/model/flow_json.h"
#include "control/model/names.h"
#include "control/model/tenant_object.h"
#include "dataplane/core/info.h"
#include "dataplane/core/mods.h"
#include "dataplane/core/underlay_config.h"

#define TN_DOCUMENT_DEPTH_MAX 16u
#define TN_DOCUMENT_BYTES_MAX (128u << 20)

struct tn_model_port {
	uint32_t number;
	const char *name;
	const char *type; /* "pcap", "dpdk", "vhost-user", "veth", "tap", "memory", "vxlan", ... */
	bool enabled;	  /* "isEnabled", default true */
	uint32_t config;  /* "config": ["NO_RECV","NO_FWD","NO_PACKET_IN"] as bits */
	uint32_t mtu;	  /* 0: no limit of its own */
	struct tn_vxlan_options vxlan; /* type "vxlan" */
	json_t *options;   /* other types' options, kept and written back; may be NULL */
	uint32_t position; /* under "ports" */
};

struct tn_table_setting {
	uint8_t table_id;
	const char *name; /* may be NULL */
	struct tn_table_config config;
};

/* A tenant object, and where it stands. */
struct tn_document_tenant {
	struct tn_tenant_value value;
	const char *pointer;
	uint32_t line, column;
};

/* Arrays live in the arena. */
struct tn_document {
	uint64_t dpid;		 /* 1 where the document names no device */
	const char *device_name; /* may be NULL */
	struct tn_arena arena;
	struct tn_names *names;
	struct tn_model_port *ports;
	size_t n_ports;
	struct tn_table_setting *tables;
	size_t n_tables;
	struct tn_underlay_address *addresses;
	size_t n_addresses;
	struct tn_underlay_route *routes;
	size_t n_routes;
	struct tn_underlay_neighbour *neighbours;
	size_t n_neighbours;
	struct tn_document_tenant *tenants; /* by kind, in the order of the text */
	const struct tn_document_tenant **tenants_by_id;
	size_t n_tenants;
	/* Groups, meters and flows as mods in the order groups, meters, flows, each with its place.
	 * In an arena of their own. */
	struct tn_arena mod_arena;
	struct tn_mod *mods;
	size_t n_mods;
	char **mod_pointers; /* "/flows/17" of each mod */
	uint32_t *mod_lines, *mod_columns;
};

/*
 * Decodes text (not NUL-terminated). 0, or -EINVAL with diagnostics in the order of the text. doc
 * is always to be given to tn_document_fini(). The order of keys means nothing; meters that name no
 * number get the lowest free ones. Ports that the document does not declare are refused wherever
 * they are named; whether groups and meters that flows name exist is for the switch to say.
 */
int tn_document_parse(struct tn_document *doc, const char *text, size_t len,
	struct tn_diagnostics *diag) TN_MUST_CHECK;
void tn_document_fini(struct tn_document *doc);
/* NULL: it is not in the document. */
const struct tn_document_tenant *tn_document_tenant(
	const struct tn_document *doc, enum tn_tenant_kind kind, const char *id);
/* Frees the mods, which a switch has taken: they can be most of a document. n_mods is 0 then. */
void tn_document_forget_mods(struct tn_document *doc);

/*
 * The whole document in canonical form. flows, groups, meters: arrays as the encoders of
 * flow_json.h print them, taken over (may be NULL: empty).
 */
json_t *tn_document_to_json(
	const struct tn_document *doc, json_t *flows, json_t *groups, json_t *meters);

#endif
