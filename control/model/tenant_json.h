/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenant objects in JSON, with the names of OpenStack Networking. Readers as those of json_codec.h:
 * unknown keys, values out of range and what contradicts itself within one object are errors with
 * their pointer; keys that only answers carry are taken and mean nothing. What belongs together in
 * several objects is for tenants.h to say.
 */
#ifndef TN_MODEL_TENANT_JSON_H
#define TN_MODEL_TENANT_JSON_H

#include "control/model/json_reader.h"
#include "control/model/tenant_object.h"

/* value points into the codec's arena. */
bool tn_json_read_tenant(struct tn_json_reader *r, tn_json_ref v, enum tn_tenant_kind kind,
	struct tn_tenant_value *value);
/* One object of text, for those who have no reader. -EINVAL with diagnostics. */
int tn_tenant_parse(enum tn_tenant_kind kind, const char *text, size_t len, struct tn_arena *arena,
	struct tn_diagnostics *diag, struct tn_tenant_value *value) TN_MUST_CHECK;

/* All that was declared, nothing that was left open; a new reference. Read back it is the same. */
json_t *tn_tenant_to_json(const struct tn_tenant_value *value);

/* An id as clients choose them: letters, digits, '-', '_', '.', ':'; 1 to TN_TENANT_ID_MAX. */
bool tn_tenant_is_id(const char *s, size_t len);

const char *tn_binding_kind_name(enum tn_binding_kind kind);
const char *tn_ipv6_mode_name(enum tn_ipv6_mode mode); /* NULL: NONE */

/* --- between the files of the codec --------------------------------------------------------- */

/* Members of an object that is read, by the position of their key. */
struct tn_tenant_members {
	struct tn_json_reader *r;
	tn_json_ref v;
	const char *what;
	tn_json_ref *m;
	bool ok;
};

/* Each leaves *out alone where the member is absent. */
void tn_tenant_read_bool(struct tn_tenant_members *o, unsigned key, bool *out);
void tn_tenant_read_u32(
	struct tn_tenant_members *o, unsigned key, uint32_t min, uint32_t max, uint32_t *out);
/* null is "". */
void tn_tenant_read_text(struct tn_tenant_members *o, unsigned key, size_t max, const char **out);
void tn_tenant_read_reference(struct tn_tenant_members *o, unsigned key, const char **out);
/* The same for a member that must be there. */
void tn_tenant_need_reference(
	struct tn_tenant_members *o, unsigned key, const char *name, const char **out);
/* The position of a word in a list that ends with NULL; -1: absent, or an error was added. */
int tn_tenant_read_word(struct tn_tenant_members *o, unsigned key, const char *const *words);
/* NULL: absent, or no array of at most max elements. */
tn_json_ref tn_tenant_read_array(struct tn_tenant_members *o, unsigned key, uint32_t max);
/* An address of one station; its text must be one of the family of is_ip4, unless any is. */
bool tn_tenant_read_address(struct tn_json_reader *r, tn_json_ref v, tn_u128 *out);
/* A network: no bit is set behind its length. */
bool tn_tenant_read_prefix(struct tn_json_reader *r, tn_json_ref v, struct tn_prefix *out);
/* {"destination":..,"nexthop":..} of routers and subnets. */
bool tn_tenant_read_route(struct tn_json_reader *r, tn_json_ref v, const char *what,
	struct tn_prefix *destination, tn_u128 *next_hop);
json_t *tn_tenant_write_route(const struct tn_prefix *destination, tn_u128 next_hop);
json_t *tn_tenant_write_prefix(const struct tn_prefix *prefix);
json_t *tn_tenant_write_mac(const struct tn_mac *mac);
/* null for "". */
json_t *tn_tenant_write_reference(const char *id);

void tn_tenant_read_subnet(struct tn_tenant_members *o, struct tn_subnet *s);
void tn_tenant_write_subnet(json_t *j, const struct tn_subnet *s);
void tn_tenant_read_port(struct tn_tenant_members *o, struct tn_tenant_value *value);
void tn_tenant_write_port(json_t *j, const struct tn_tenant_port *p);
void tn_tenant_read_qos_policy(struct tn_tenant_members *o, struct tn_qos_policy *q);
void tn_tenant_write_qos_policy(json_t *j, const struct tn_qos_policy *q);

/* The keys of each, in the order that their readers know. */
extern const struct tn_json_key tn_tenant_subnet_keys[], tn_tenant_port_keys[],
	tn_tenant_qos_keys[];
extern const size_t tn_tenant_n_subnet_keys, tn_tenant_n_port_keys, tn_tenant_n_qos_keys;

/* What all kinds have; the first keys of each list. */
enum {
	TN_KEY_ID,
	TN_KEY_NAME,
	TN_KEY_TENANT,
	TN_KEY_PROJECT,
	TN_KEY_DESCRIPTION,
	TN_KEY_FIRST, /* of the kind's own */
};
#define TN_TENANT_COMMON_KEYS                                                                     \
	[TN_KEY_ID] = TN_JSON_KEY("id"), [TN_KEY_NAME] = TN_JSON_KEY("name"),                     \
	[TN_KEY_TENANT] = TN_JSON_KEY("tenant_id"), [TN_KEY_PROJECT] = TN_JSON_KEY("project_id"), \
	[TN_KEY_DESCRIPTION] = TN_JSON_KEY("description")
/* Last of each list: what only answers carry. */
#define TN_TENANT_ANSWER_KEYS                                                             \
	TN_JSON_KEY("status"), TN_JSON_KEY("revision_number"), TN_JSON_KEY("created_at"), \
		TN_JSON_KEY("generation"), TN_JSON_KEY("state"), TN_JSON_KEY("failure"),  \
		TN_JSON_KEY("failureName")

#endif
