/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Units of compilation: each is what one object needs of the switch, a function of the declaration.
 * A unit keeps of what it emitted just enough to find out, when it is compiled again, what is
 * different. One thread.
 */
#ifndef TN_TENANT_EMIT_H
#define TN_TENANT_EMIT_H

#include "control/model/arena.h"
#include "control/tenant/compile.h"
#include "control/tenant/layout.h"

enum tn_unit_kind {
	TN_UNIT_GLOBAL,
	TN_UNIT_NETWORK,
	TN_UNIT_PORT,	/* a port on this host, or at an endpoint that is no host */
	TN_UNIT_PLACE,	/* an endpoint that is no host, in one network */
	TN_UNIT_BRIDGE, /* where a port of a network is, for frames to it */
	TN_UNIT_ROUTER,
	TN_N_UNITS
};

enum tn_rule_role {
#define TN_ROLE(name, text) TN_ROLE_##name,
#include "control/tenant/roles.def"
#undef TN_ROLE
	TN_N_ROLES
};

/* What was emitted, packed. */
struct tn_records {
	uint8_t *data;
	uint32_t bytes, n;
};

struct tn_unit {
	uint64_t cookie;	/* without a role */
	struct tn_thing *thing; /* NULL: global */
	struct tn_unit **slot;	/* where the unit hangs */
	struct tn_unit *next;	/* that is to be compiled */
	struct tn_records records;
	uint8_t kind; /* enum tn_unit_kind */
	bool dirty;
};

/* The mod that is being written. */
#define TN_EMIT_ACTIONS_MAX 128u

struct tn_emit {
	struct tn_compiler *c;
	struct tn_unit *unit;
	struct tn_flow_mod flow;
	struct tn_action actions[TN_EMIT_ACTIONS_MAX];
	uint16_t n_actions;
	/* Buckets of the group that is being written. */
	struct tn_group_mod group;
	struct tn_bucket *buckets;
	uint32_t n_buckets, buckets_size;
};

/* A flow, from here to tn_emit_end(). */
void tn_emit_flow(struct tn_emit *e, uint8_t table, unsigned priority, enum tn_rule_role role);
void tn_emit_match(struct tn_emit *e, enum tn_field_id field, tn_u128 value);
void tn_emit_match_masked(struct tn_emit *e, enum tn_field_id field, tn_u128 value, tn_u128 mask);
/* eth_type and protocol in one. */
void tn_emit_match_ip(struct tn_emit *e, bool ip4, uint8_t proto);
void tn_emit_match_prefix(
	struct tn_emit *e, enum tn_field_id ip4, enum tn_field_id ip6, const struct tn_prefix *p);
struct tn_action *tn_emit_action(struct tn_emit *e, enum tn_action_type type);
void tn_emit_set(struct tn_emit *e, enum tn_field_id field, tn_u128 value);
void tn_emit_move(struct tn_emit *e, enum tn_field_id from, enum tn_field_id to);
void tn_emit_output(struct tn_emit *e, uint32_t port);
void tn_emit_goto(struct tn_emit *e, uint8_t table);
void tn_emit_end(struct tn_emit *e);

/*
 * A group, from here to tn_emit_end_group(). A bucket takes the actions that were written since it
 * was begun. false, and nothing is emitted: it has no bucket.
 */
void tn_emit_group(struct tn_emit *e, uint32_t group_id, enum tn_group_type type);
void tn_emit_bucket(struct tn_emit *e);
bool tn_emit_end_group(struct tn_emit *e);

void tn_emit_meter(
	struct tn_emit *e, uint32_t meter_id, uint32_t flags, uint32_t rate, uint32_t burst);
/* Options and names are copied. */
void tn_emit_port(struct tn_emit *e, const struct tn_api_port *port);

/* --- for the compiler ------------------------------------------------------------------------ */

/* What all units of a change came to. All zero: empty. */
struct tn_output {
	struct tn_arena arena;
	struct tn_mod_list {
		struct tn_mod *v;
		uint64_t *makers;
		size_t n, size;
	} before, deleted, added, after; /* mods, in the order of a bundle */
	struct tn_api_port *ports;
	uint64_t *port_makers;
	size_t n_ports, ports_size;
	uint32_t *gone_ports;
	size_t n_gone_ports, gone_size;
	struct tn_mod *all; /* the four lists in one */
	uint64_t *all_makers;
	bool everything; /* nothing is compared, all of it is new */
};

void tn_output_init(struct tn_output *out);
void tn_output_clear(struct tn_output *out);
void tn_output_fini(struct tn_output *out);
void tn_output_get(struct tn_output *out, struct tn_compiled *compiled);

/* Where a unit's new records are made; reused from unit to unit. All zero: empty. */
struct tn_scratch {
	uint8_t *data;
	size_t bytes, size;
	uint32_t n;
	uint32_t *old_slots, *new_slots; /* position of a record + 1, by identity */
	size_t n_old_slots, n_new_slots;
};

void tn_scratch_fini(struct tn_scratch *s);

/* Between these, a unit is compiled. */
void tn_emit_begin_unit(struct tn_emit *e);
void tn_emit_end_unit(struct tn_emit *e);

#endif
