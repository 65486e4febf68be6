/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is read back from the switch: ports, tables, flows and groups as the pipeline hands them to
 * codecs and reports. Plain data; pointers are borrowed for the call that hands it over. Times are
 * nanoseconds of the switch's clock.
 */
#ifndef TN_CORE_INFO_H
#define TN_CORE_INFO_H

#include "dataplane/core/mods.h"
#include "dataplane/core/types.h"

enum tn_port_type { TN_PORT_PLAIN, TN_PORT_VXLAN };

struct tn_port_config_data {
	uint32_t number; /* 1..TN_PORT_MAX or TN_PORT_LOCAL */
	enum tn_port_type type;
	uint32_t config; /* enum tn_port_config */
	uint32_t state;	 /* enum tn_port_state; LIVE is derived: up and link up */
};

struct tn_table_config {
	uint32_t max_entries; /* 0: the default, TN_TABLE_ENTRIES_DEFAULT */
	bool eviction;	      /* full: remove the least important flow instead of refusing */
	uint8_t vacancy_down, vacancy_up; /* percent free; 0/0: no vacancy events */
};

#define TN_TABLE_ENTRIES_DEFAULT 1000000u

/* A flow as read back. Borrowed pointers, valid during the call that hands it over. */
struct tn_flow_info {
	uint64_t flow_id;
	uint8_t table_id;
	uint16_t priority;
	uint64_t cookie;
	uint16_t idle_timeout, hard_timeout, importance, flags;
	uint32_t owner;
	uint64_t created_ns, last_used_ns; /* last_used = created until a packet comes */
	struct tn_counter counter;
	struct tn_match match;
	struct tn_instructions inst;
};

struct tn_bucket_info {
	struct tn_bucket bucket;
	struct tn_counter counter;
};

struct tn_group_info {
	uint32_t group_id;
	enum tn_group_type type;
	enum tn_selection_method selection;
	uint64_t hash_fields, selection_param;
	uint32_t owner, annotation;
	uint32_t reference_count; /* flows and groups that name it */
	uint64_t created_ns;
	struct tn_counter counter;
	const struct tn_bucket_info *buckets;
	uint32_t n_buckets;
};

struct tn_table_info {
	uint8_t table_id;
	struct tn_table_config config;
	uint32_t active; /* flows in it */
	uint64_t lookups, matches;
	const char *template_name; /* how it is looked up: "exact", "prefix", "tuples", "linear" */
	uint32_t n_subtables;	   /* hash tuples and tries a lookup may visit */
	size_t memory_bytes;
};

#endif
