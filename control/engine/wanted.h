/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One wanted object as the engine keeps it: small, never changed but for its counters and its
 * state, and shared by counting. A flow is packed to about a hundred bytes; the others are kept as
 * they are handed out. Aborts when the machine has no memory left. One thread.
 */
#ifndef TN_ENGINE_WANTED_H
#define TN_ENGINE_WANTED_H

#include "control/engine/engine.h"

struct tn_wanted {
	uint64_t id, generation;
	uint64_t row; /* of the store; 0: not there */
	uint64_t created_ns, last_used_ns;
	struct tn_counter counter;
	struct tn_error *failure; /* FAILED; own */
	uint32_t tenant, owner;
	uint32_t refs;
	uint8_t kind, state;
	uint16_t seen;	/* in the dump of this number */
	uint32_t size;	/* of the body */
	bool derived;	/* made of tenant objects: not stored, made again */
	uint64_t maker; /* derived: what made it, see tn_compiler_makers() */
	uint8_t body[] __attribute__((aligned(16)));
};

/* With one reference; state PENDING_ADD. Where what is given points to is copied. */
struct tn_wanted *tn_wanted_flow(uint64_t dpid, const struct tn_flow_mod *fm);
struct tn_wanted *tn_wanted_group(const struct tn_group_info *group);
struct tn_wanted *tn_wanted_meter(const struct tn_api_meter_info *meter);
struct tn_wanted *tn_wanted_port(const struct tn_api_port_info *port);
struct tn_wanted *tn_wanted_table(const struct tn_table_setting *table);
struct tn_wanted *tn_wanted_host(const struct tn_host *host);
/* A reference to it is taken; its number is the id. */
struct tn_wanted *tn_wanted_tenant(const struct tn_tenant_object *o);
/* Of an ADD. */
struct tn_wanted *tn_wanted_group_of(const struct tn_group_mod *gm);
struct tn_wanted *tn_wanted_meter_of(const struct tn_meter_mod *mm);
/* Owner and times of the object, into the body where that names them, too. */
void tn_wanted_sign(struct tn_wanted *w);
struct tn_wanted *tn_wanted_get(struct tn_wanted *w);
void tn_wanted_put(struct tn_wanted *w);
/* NULL: it did not fail. */
void tn_wanted_fail(struct tn_wanted *w, const struct tn_error *failure);
/* What it takes of memory. */
size_t tn_wanted_bytes(const struct tn_wanted *w);

/* The bodies of all kinds but flows; counters in them may be written. */
struct tn_group_info *tn_wanted_as_group(struct tn_wanted *w);
struct tn_api_meter_info *tn_wanted_as_meter(struct tn_wanted *w);
struct tn_api_port_info *tn_wanted_as_port(struct tn_wanted *w);
struct tn_table_setting *tn_wanted_as_table(struct tn_wanted *w);
struct tn_host *tn_wanted_as_host(struct tn_wanted *w);
const struct tn_tenant_object *tn_wanted_as_tenant(const struct tn_wanted *w);

/* What stands in front of a packed flow: everything that has one size. */
struct tn_packed_flow {
	uint64_t cookie, metadata, metadata_mask;
	uint32_t mask_words; /* bit i: word i of the mask is not 0; it and the value's follow */
	uint32_t meter_id;
	uint16_t priority, idle_timeout, hard_timeout, importance, flags;
	uint16_t n_apply, n_write;
	uint8_t table_id, goto_table;
	bool clear_actions;
};

static inline const struct tn_packed_flow *tn_wanted_packed(const struct tn_wanted *w)
{
	return (const struct tn_packed_flow *)(const void *)w->body;
}

/* A flow as it was: info and what it points to. All zero: empty. */
struct tn_unpacked_flow {
	struct tn_flow_info info;
	struct tn_action *actions;
	size_t size;
};

/* The packed form of an ADD: its bytes, for the call that writes them. */
size_t tn_packed_flow_size(const struct tn_flow_mod *fm, uint32_t *mask_words);
void tn_packed_flow_write(
	const struct tn_flow_mod *fm, uint32_t mask_words, struct tn_packed_flow *to);
/* A flow of packed bytes, which are copied. */
struct tn_wanted *tn_wanted_packed_flow(
	uint64_t id, uint32_t owner, const struct tn_packed_flow *packed, size_t size);
void tn_wanted_unpack(const struct tn_wanted *w, struct tn_unpacked_flow *flow);
void tn_unpacked_flow_fini(struct tn_unpacked_flow *flow);
void tn_wanted_match(const struct tn_wanted *w, struct tn_match *match);

/* A match in the form that packed flows are compared with. */
struct tn_packed_match {
	uint32_t mask_words;
	uint64_t mask[TN_KEY_WORDS], value[TN_KEY_WORDS]; /* by word */
};

void tn_packed_match_init(struct tn_packed_match *p, const struct tn_match *match);
bool tn_wanted_is_within(const struct tn_wanted *w, const struct tn_packed_match *general);
bool tn_wanted_overlaps(const struct tn_wanted *w, const struct tn_packed_match *other);
bool tn_wanted_has_match(const struct tn_wanted *w, const struct tn_match *match);
/* OUTPUT to this port, GROUP of this id, in either list; clones are not looked into apart. */
bool tn_wanted_outputs_to(const struct tn_wanted *w, uint32_t port);
bool tn_wanted_uses_group(const struct tn_wanted *w, uint32_t group_id);
typedef void (*tn_group_use_fn)(void *ctx, uint32_t group_id);
void tn_wanted_group_uses(const struct tn_wanted *w, tn_group_use_fn fn, void *ctx);

bool tn_wanted_same_flow(const struct tn_wanted *a, const struct tn_wanted *b);

/* The same wish: of a flow instructions, cookie, timeouts, importance, flags. No counters. */
bool tn_wanted_same(const struct tn_wanted *a, const struct tn_wanted *b);

/* Of a port or a table; "": it has none. */
const char *tn_wanted_name(const struct tn_wanted *w);
/* What a port is without its switches: enabled and config. */
bool tn_port_same_device(const struct tn_api_port *a, const struct tn_api_port *b);
bool tn_table_same_config(const struct tn_table_config *a, const struct tn_table_config *b);

/* As it is handed out; flow: where a flow is unpacked to. */
void tn_wanted_object(struct tn_wanted *w, struct tn_unpacked_flow *flow, struct tn_object *object);

/* The id of a host object. */
uint64_t tn_host_id(struct tn_mac mac, int32_t vlan);

#endif
