/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the operations of a request to what becomes of each object: all of them are looked at, in
 * order, against what is wanted now, and nothing is changed yet. What a flow is and which flows a
 * mod means is as OpenFlow 1.5, 6.4 says and as the pipeline does it.
 */
#ifndef TN_ENGINE_PLAN_H
#define TN_ENGINE_PLAN_H

#include "control/engine/edits.h"

struct tn_plan {
	struct tn_engine *e;
	const struct tn_request *r;
	bool alone; /* what is under way is not looked at: a dry run */
	uint64_t now_ns;
	struct tn_edits edits;
	struct tn_arena arena;	   /* of what edits borrow */
	struct tn_result *results; /* one an operation */
	size_t n_packet_outs;
	/* Refused: */
	enum tn_verdict verdict;
	size_t failed;
	struct tn_diagnostics diag;
	/* For the length of the call. */
	const struct tn_operation *op;
	size_t at; /* its position */
	bool replacing;
	bool tenants;  /* it has a change of tenant objects open, to be kept or undone */
	bool deriving; /* what is planned is made of tenant objects */
	struct tn_plan_use *uses;
	size_t n_uses;
	bool uses_known;
};

/*
 * 0; -EINVAL: refused, see above; -EAGAIN: it touches what a request under way touches, or looks at
 * everything while one is. The plan is to be given to tn_plan_fini() in any case.
 */
int tn_plan_make(struct tn_plan *p, struct tn_engine *e, const struct tn_request *r, bool alone,
	uint64_t now_ns) TN_MUST_CHECK;
void tn_plan_fini(struct tn_plan *p);

/* --- between the files of the plan --- */

int tn_plan_refuse(struct tn_plan *p, enum tn_verdict verdict, enum tn_of_error of, const char *fmt,
	...) TN_PRINTF(4, 5);
/* Fails with -EAGAIN where all that there is must be known and something is under way. */
int tn_plan_look_at_all(const struct tn_plan *p) TN_MUST_CHECK;
/* The object's edit, made if there is none; -EAGAIN. */
int tn_plan_edit(
	struct tn_plan *p, enum tn_kind kind, uint64_t id, struct tn_edit **edit) TN_MUST_CHECK;
/* As the plan leaves it so far; NULL: absent. */
struct tn_wanted *tn_plan_current(const struct tn_plan *p, enum tn_kind kind, uint64_t id);
bool tn_plan_sees(const struct tn_plan *p, const struct tn_wanted *w);
/* if_generation, create_only, must_exist and whose it is, of an object that is to be put or changed
 * (w NULL: absent). */
int tn_plan_check_condition(struct tn_plan *p, const struct tn_wanted *w) TN_MUST_CHECK;
/* Says what the operation did with one object, which it names. */
void tn_plan_tell(struct tn_plan *p, const struct tn_edit *edit);
/* after is taken over; tenant, owner, times and counters are filled from what there was. */
void tn_plan_put(struct tn_plan *p, struct tn_edit *edit, struct tn_wanted *after, uint32_t owner);

int tn_plan_flow(struct tn_plan *p, const struct tn_flow_mod *fm) TN_MUST_CHECK;
int tn_plan_flow_add(struct tn_plan *p, const struct tn_flow_add *add) TN_MUST_CHECK;
int tn_plan_group(struct tn_plan *p, const struct tn_group_mod *gm) TN_MUST_CHECK;
int tn_plan_meter(struct tn_plan *p, const struct tn_meter_mod *mm) TN_MUST_CHECK;
/* Of a flow, group or meter that is visible. */
int tn_plan_remove_flow(struct tn_plan *p, uint64_t id) TN_MUST_CHECK;
int tn_plan_remove_group(struct tn_plan *p, uint32_t id) TN_MUST_CHECK;
int tn_plan_remove_meter(struct tn_plan *p, uint32_t id) TN_MUST_CHECK;
/* The flows that use a group or meter go with it. */
int tn_plan_remove_users(struct tn_plan *p, enum tn_kind kind, uint32_t id) TN_MUST_CHECK;
int tn_plan_port_add(struct tn_plan *p, const struct tn_api_port *port) TN_MUST_CHECK;
int tn_plan_port_remove(struct tn_plan *p, uint32_t number) TN_MUST_CHECK;
int tn_plan_port_configure(
	struct tn_plan *p, const struct tn_api_port_configure *config) TN_MUST_CHECK;
int tn_plan_table(struct tn_plan *p, const struct tn_table_setting *table) TN_MUST_CHECK;
int tn_plan_tenant_put(struct tn_plan *p, const struct tn_tenant_value *value) TN_MUST_CHECK;
int tn_plan_tenant_remove(
	struct tn_plan *p, enum tn_tenant_kind kind, const char *id) TN_MUST_CHECK;
/* All operations were looked at: their tenant objects together, and what is made of them. */
int tn_plan_tenants(struct tn_plan *p) TN_MUST_CHECK;

#endif
