/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests to change the switch: flow_mod, group_mod, meter_mod (OpenFlow 1.5, 7.3.4) and the
 * bundle that holds them. Plain data; pointers are borrowed for the call that takes the request.
 */
#ifndef TN_CORE_MODS_H
#define TN_CORE_MODS_H

#include "dataplane/core/action.h"
#include "dataplane/core/match.h"
#include "dataplane/core/openflow.h"

struct tn_flow_mod {
	enum tn_flow_command command;
	uint8_t table_id; /* TN_TABLE_ALL for every table: MODIFY*, DELETE* */
	uint16_t priority;
	uint16_t idle_timeout, hard_timeout; /* seconds, 0: never */
	uint16_t importance;
	uint16_t flags;	 /* enum tn_flow_flags */
	uint64_t cookie; /* ADD: the new cookie; else compared under cookie_mask */
	uint64_t cookie_mask;
	bool set_cookie; /* MODIFY*: also give the flows `new_cookie` (as Open vSwitch does) */
	uint64_t new_cookie;
	uint32_t out_port;  /* DELETE*: TN_PORT_ANY = no filter */
	uint32_t out_group; /* DELETE*: TN_GROUP_ANY = no filter */
	uint32_t owner;	    /* the client's; kept and handed back, never looked at */
	struct tn_match match;
	struct tn_instructions inst;
};

/* ADD of an empty match in table 0, default priority, no filters, goto none. */
void tn_flow_mod_init(struct tn_flow_mod *fm);

struct tn_bucket {
	uint32_t bucket_id;
	uint16_t weight;      /* SELECT; 0 = never chosen */
	uint32_t watch_port;  /* TN_PORT_ANY: none */
	uint32_t watch_group; /* TN_GROUP_ANY: none */
	const struct tn_action *actions;
	uint16_t n_actions;
};

enum tn_selection_method {
	TN_SELECT_DEFAULT = 0, /* hash of addresses, protocol and ports; both directions differ */
	TN_SELECT_HASH = 1,    /* selection_method=hash: hash of hash_fields */
	TN_SELECT_DP_HASH = 2, /* selection_method=dp_hash: as the default */
};

struct tn_group_mod {
	enum tn_group_command command;
	enum tn_group_type type;
	uint32_t group_id;	    /* DELETE: TN_GROUP_ALL for every group */
	uint32_t command_bucket_id; /* INSERT_BUCKET, REMOVE_BUCKET: TN_BUCKET_* or an id */
	enum tn_selection_method selection;
	uint64_t hash_fields; /* bitmap of enum tn_field_id; 0: the default ones */
	uint64_t selection_param;
	uint32_t owner, annotation; /* the client's; kept and handed back, never looked at */
	const struct tn_bucket *buckets;
	uint32_t n_buckets;
};

struct tn_band {
	enum tn_band_type type;
	uint32_t rate;	    /* in the meter's unit, > 0 */
	uint32_t burst;	    /* kilobit, packets or byte by the meter's unit; read with BURST, 0: the
			       default of meter.c */
	uint8_t prec_level; /* DSCP_REMARK: drop precedence to add */
};

struct tn_meter_mod {
	enum tn_meter_command command;
	uint32_t meter_id; /* DELETE: TN_METER_ALL for every meter */
	uint32_t flags;	   /* enum tn_meter_flags */
	uint32_t owner;
	const struct tn_band *bands;
	uint16_t n_bands;
};

enum tn_mod_kind { TN_MOD_FLOW, TN_MOD_GROUP, TN_MOD_METER };

/* One message of a bundle. */
struct tn_mod {
	enum tn_mod_kind kind;
	union {
		const struct tn_flow_mod *flow;
		const struct tn_group_mod *group;
		const struct tn_meter_mod *meter;
	};
};

#endif
