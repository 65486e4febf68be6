/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/tenant/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/tenant/layout.h"

const char *const tn_tenant_table_names[TN_TENANT_N_TABLES] = {
	[TN_TABLE_INGRESS] = "ingress",
	[TN_TABLE_SECURITY] = "security",
	[TN_TABLE_POLICY_OUT] = "policy-out",
	[TN_TABLE_SERVICES] = "services",
	[TN_TABLE_ROUTING] = "routing",
	[TN_TABLE_BRIDGE] = "bridge",
	[TN_TABLE_POLICY_IN] = "policy-in",
	[TN_TABLE_OUTPUT] = "output",
};

/* --- what the pipeline is made of --------------------------------------------------------------
 */

#define FIELD(f)  (UINT64_C(1) << TN_FIELD_##f)
#define ACTION(a) (1u << TN_ACTION_##a)
#define NEXT(t)	  (1u << TN_TABLE_##t)

#define ETH	 (FIELD(ETH_DST) | FIELD(ETH_SRC) | FIELD(ETH_TYPE))
#define ARP	 (FIELD(ARP_OP) | FIELD(ARP_SPA) | FIELD(ARP_TPA) | FIELD(ARP_SHA))
#define ICMP	 (FIELD(ICMPV4_TYPE) | FIELD(ICMPV6_TYPE))
#define IP_SRC	 (FIELD(IPV4_SRC) | FIELD(IPV6_SRC))
#define IP_DST	 (FIELD(IPV4_DST) | FIELD(IPV6_DST))
#define ANSWERED (ACTION(REPLY) | ACTION(NOTE) | ACTION(MOVE) | ACTION(SET_FIELD))

static const struct table_type {
	uint64_t fields;  /* that its flows match */
	uint32_t actions; /* that they apply */
	uint32_t next;	  /* tables that they go to */
	bool meters;
} types[TN_TENANT_N_TABLES] = {
	[TN_TABLE_INGRESS] = {FIELD(IN_PORT) | FIELD(VLAN_VID) | FIELD(TUNNEL_ID) | FIELD(TUN_SRC) |
			FIELD(ETH_SRC),
		ACTION(SET_FIELD) | ACTION(POP_VLAN) | ACTION(LEARN) | ACTION(CIRCUIT),
		NEXT(SECURITY) | NEXT(SERVICES), true},
	[TN_TABLE_SECURITY] = {ETH | FIELD(REG0) | FIELD(REG1) | FIELD(VLAN_VID) | ARP | ICMP |
			IP_SRC | FIELD(IPV4_DST) | FIELD(IP_PROTO) | FIELD(UDP_SRC) |
			FIELD(UDP_DST) | FIELD(ND_TARGET) | FIELD(ND_SLL) | FIELD(ND_TLL),
		0, NEXT(POLICY_OUT), false},
	[TN_TABLE_POLICY_OUT] = {FIELD(REG1) | FIELD(ETH_TYPE), ACTION(SET_FIELD) | ACTION(LEARN),
		NEXT(SERVICES), true},
	[TN_TABLE_SERVICES] = {ETH | FIELD(TUNNEL_ID) | FIELD(REG0) | FIELD(REG1) | ARP | ICMP |
			IP_SRC | FIELD(IP_PROTO) | FIELD(UDP_DST) | FIELD(ND_TARGET),
		ANSWERED | ACTION(SNOOP) | ACTION(ADVERTISE) | ACTION(GROUP),
		NEXT(ROUTING) | NEXT(BRIDGE) | NEXT(POLICY_IN), false},
	[TN_TABLE_ROUTING] = {FIELD(REG3) | FIELD(TUNNEL_ID) | FIELD(ETH_TYPE) | FIELD(IP_PROTO) |
			FIELD(IP_TTL) | ICMP | IP_SRC | IP_DST,
		ANSWERED | ACTION(IF_LONGER) | ACTION(RESUBMIT) | ACTION(DEC_TTL) | ACTION(GROUP),
		NEXT(BRIDGE) | NEXT(POLICY_IN), false},
	[TN_TABLE_BRIDGE] = {FIELD(TUNNEL_ID) | FIELD(ETH_DST) | FIELD(REG0) | FIELD(REG1),
		ACTION(SET_FIELD) | ACTION(OUTPUT) | ACTION(GROUP) | ACTION(FDB) | ACTION(MCAST),
		NEXT(POLICY_IN), false},
	[TN_TABLE_POLICY_IN] = {FIELD(REG2), 0, NEXT(OUTPUT), true},
	[TN_TABLE_OUTPUT] = {FIELD(TUNNEL_ID) | FIELD(REG1) | FIELD(REG2),
		ACTION(SET_FIELD) | ACTION(PUSH_VLAN) | ACTION(OUTPUT), 0, true},
};

static const char *const action_names[] = {
	[TN_ACTION_OUTPUT] = "OUTPUT",
	[TN_ACTION_GROUP] = "GROUP",
	[TN_ACTION_SET_FIELD] = "SET_FIELD",
	[TN_ACTION_MOVE] = "COPY_FIELD",
	[TN_ACTION_PUSH_VLAN] = "PUSH_VLAN",
	[TN_ACTION_POP_VLAN] = "POP_VLAN",
	[TN_ACTION_DEC_TTL] = "DEC_NW_TTL",
	[TN_ACTION_RESUBMIT] = "RESUBMIT",
	[TN_ACTION_NOTE] = "NOTE",
	[TN_ACTION_REPLY] = "REPLY",
	[TN_ACTION_IF_LONGER] = "IF_LONGER",
	[TN_ACTION_LEARN] = "LEARN",
	[TN_ACTION_FDB] = "FDB",
	[TN_ACTION_SNOOP] = "SNOOP",
	[TN_ACTION_MCAST] = "MCAST",
	[TN_ACTION_CIRCUIT] = "CIRCUIT",
	[TN_ACTION_ADVERTISE] = "ADVERTISE",
};

static bool flow_fits(const struct tn_flow_mod *fm)
{
	const struct table_type *t = &types[fm->table_id % TN_TENANT_N_TABLES];

	if (fm->table_id >= TN_TENANT_N_TABLES || fm->priority < TN_TENANT_PRIORITY_MIN ||
		fm->priority > TN_TENANT_PRIORITY_MAX ||
		(fm->cookie & TN_TENANT_COOKIE_MASK) != TN_TENANT_COOKIE)
		return false;
	if (tn_match_fields(&fm->match) & ~t->fields || (fm->inst.meter_id && !t->meters) ||
		fm->inst.n_write || fm->inst.metadata_mask || fm->inst.clear_actions)
		return false;
	if (fm->inst.goto_table != TN_GOTO_NONE && !(t->next >> fm->inst.goto_table & 1))
		return false;
	for (uint16_t i = 0; i < fm->inst.n_apply; i++) {
		if (!(t->actions >> fm->inst.apply[i].type & 1))
			return false;
	}
	return true;
}

static bool is_ours(uint32_t id, uint32_t least, uint32_t most)
{
	return id >= least && id <= most;
}

static bool group_is_ours(uint32_t id)
{
	return is_ours(id, TN_TENANT_GROUP_MIN, TN_TENANT_GROUP_MAX);
}

static bool meter_is_ours(uint32_t id)
{
	return is_ours(id, TN_TENANT_METER_MIN, TN_TENANT_METER_MAX);
}

bool tn_pattern_fits(const struct tn_mod *mod)
{
	switch (mod->kind) {
	case TN_MOD_FLOW:
		return flow_fits(mod->flow);
	case TN_MOD_GROUP:
		return group_is_ours(mod->group->group_id) &&
			(mod->group->type == TN_GROUP_TYPE_ALL ||
				mod->group->type == TN_GROUP_TYPE_SELECT);
	case TN_MOD_METER:
		return meter_is_ours(mod->meter->meter_id) && mod->meter->n_bands == 1 &&
			mod->meter->bands->type == TN_BAND_DROP;
	}
	return false;
}

/* --- what may stand beside it ------------------------------------------------------------------
 */

static bool writes_register(const struct tn_action *a)
{
	return (a->type == TN_ACTION_SET_FIELD || a->type == TN_ACTION_MOVE) &&
		a->field >= TN_FIELD_REG0 && a->field <= TN_REG_KEPT_LAST;
}

static bool is_kept(uint8_t table)
{
	return table >= TN_TENANT_N_TABLES && table <= TN_TENANT_TABLE_LAST;
}

/* in_pipeline: of a flow in one of the pipeline's tables. */
static int check_list(
	const struct tn_action *list, size_t n, bool in_pipeline, struct tn_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (in_pipeline && writes_register(&list[i]))
			return tn_error_set(err, TN_OFPBAC_EPERM, (int)i,
				"%s is the tenant pipeline's; use reg8 to reg15, metadata or "
				"pkt_mark",
				tn_fields[list[i].field].name);
		if (list[i].type == TN_ACTION_GROUP && group_is_ours(list[i].group_id))
			return tn_error_set(err, TN_OFPBAC_EPERM, (int)i,
				"group 0x%x is the tenant pipeline's; use one of your own",
				list[i].group_id);
		if (list[i].type == TN_ACTION_RESUBMIT && is_kept(list[i].resubmit.table))
			return tn_error_set(err, TN_OFPBAC_EPERM, (int)i,
				"table %u is kept for the tenant pipeline; use one from %u on",
				list[i].resubmit.table, TN_TENANT_TABLE_LAST + 1);
	}
	return 0;
}

static bool has_priority(const struct tn_flow_mod *fm)
{
	return fm->command == TN_FLOW_ADD || fm->command == TN_FLOW_MODIFY_STRICT ||
		fm->command == TN_FLOW_DELETE_STRICT;
}

static int check_place(const struct tn_flow_mod *fm, struct tn_error *err)
{
	if (is_kept(fm->table_id))
		return tn_error_set(err, TN_OFPFMFC_EPERM, -1,
			"table %u is kept for the tenant pipeline; use one from %u on",
			fm->table_id, TN_TENANT_TABLE_LAST + 1);
	if (fm->table_id >= TN_TENANT_N_TABLES || !has_priority(fm) ||
		fm->priority < TN_TENANT_PRIORITY_MIN || fm->priority > TN_TENANT_PRIORITY_MAX)
		return 0;
	return tn_error_set(err, TN_OFPFMFC_EPERM, -1,
		"priorities %u to %u of table %u (%s) are the tenant pipeline's; use one above to come "
		"before it, one below to come after it, or a table from %u on",
		TN_TENANT_PRIORITY_MIN, TN_TENANT_PRIORITY_MAX, fm->table_id,
		tn_tenant_table_names[fm->table_id], TN_TENANT_TABLE_LAST + 1);
}

static int check_flow(const struct tn_flow_mod *fm, struct tn_error *err)
{
	bool in_pipeline = fm->table_id < TN_TENANT_N_TABLES;

	if (check_place(fm, err))
		return -EINVAL;
	if (fm->command == TN_FLOW_DELETE || fm->command == TN_FLOW_DELETE_STRICT)
		return 0;
	if (fm->command == TN_FLOW_ADD && (fm->cookie & TN_TENANT_COOKIE_MASK) == TN_TENANT_COOKIE)
		return tn_error_set(err, TN_OFPFMFC_EPERM, -1,
			"cookies that begin with 0x74 are the tenant pipeline's; use another");
	if (fm->inst.meter_id && meter_is_ours(fm->inst.meter_id))
		return tn_error_set(err, TN_OFPBAC_EPERM, -1,
			"meter 0x%x is the tenant pipeline's; use one of your own",
			fm->inst.meter_id);
	if (fm->inst.goto_table != TN_GOTO_NONE && is_kept(fm->inst.goto_table))
		return tn_error_set(err, TN_OFPBIC_EPERM, -1,
			"table %u is kept for the tenant pipeline; go to one from %u on",
			fm->inst.goto_table, TN_TENANT_TABLE_LAST + 1);
	if (check_list(fm->inst.apply, fm->inst.n_apply, in_pipeline, err))
		return -EINVAL;
	return check_list(fm->inst.write, fm->inst.n_write, in_pipeline, err);
}

/* Tables only go forward, but for buckets: those would come back with registers of their own. */
static int check_bucket(const struct tn_bucket *b, struct tn_error *err)
{
	for (uint32_t i = 0; i < b->n_actions; i++) {
		if (b->actions[i].type == TN_ACTION_RESUBMIT &&
			b->actions[i].resubmit.table <= TN_TENANT_TABLE_LAST)
			return tn_error_set(err, TN_OFPBAC_EPERM, -1,
				"table %u is the tenant pipeline's; a bucket resubmits to one from "
				"%u on",
				b->actions[i].resubmit.table, TN_TENANT_TABLE_LAST + 1);
	}
	return 0;
}

static int check_group(const struct tn_group_mod *gm, struct tn_error *err)
{
	if (group_is_ours(gm->group_id))
		return tn_error_set(err, TN_OFPGMFC_EPERM, -1,
			"groups 0x%x to 0x%x are the tenant pipeline's; use another number",
			TN_TENANT_GROUP_MIN, TN_TENANT_GROUP_MAX);
	for (uint32_t i = 0; i < gm->n_buckets; i++) {
		if (check_list(gm->buckets[i].actions, gm->buckets[i].n_actions, false, err) ||
			check_bucket(&gm->buckets[i], err)) {
			err->index = (int)i;
			return -EINVAL;
		}
	}
	return 0;
}

int tn_pattern_check(const struct tn_mod *mod, struct tn_error *err)
{
	struct tn_error unused;

	if (!err)
		err = &unused;
	switch (mod->kind) {
	case TN_MOD_FLOW:
		return check_flow(mod->flow, err);
	case TN_MOD_GROUP:
		return check_group(mod->group, err);
	case TN_MOD_METER:
		if (!meter_is_ours(mod->meter->meter_id))
			return 0;
		return tn_error_set(err, TN_OFPMMFC_INVALID_METER, -1,
			"meters 0x%x to 0x%x are the tenant pipeline's; use another number",
			TN_TENANT_METER_MIN, TN_TENANT_METER_MAX);
	}
	return 0;
}

/* --- published ---------------------------------------------------------------------------------
 */

static json_t *match_set(uint64_t fields)
{
	json_t *list = json_array();
	char name[32];

	for (; fields; fields &= fields - 1) {
		const struct tn_field *f = &tn_fields[__builtin_ctzll(fields)];
		size_t n = 0;

		for (; f->name[n] && n + 1 < sizeof(name); n++)
			name[n] = (char)toupper((unsigned char)f->name[n]);
		name[n] = '\0';
		json_array_append_new(list,
			json_pack("{s:s,s:s}", "field", name, "match_type",
				f->maskable ? "mask" : "all_or_exact"));
	}
	return json_pack("[{s:o}]", "zero_or_more", list);
}

static json_t *actions(uint32_t set)
{
	json_t *list = json_array();

	for (; set; set &= set - 1)
		json_array_append_new(
			list, json_pack("{s:s}", "action", action_names[__builtin_ctz(set)]));
	return json_pack("[{s:o}]", "zero_or_more", list);
}

static json_t *instructions(const struct table_type *t)
{
	json_t *list = json_array();

	if (t->meters)
		json_array_append_new(list,
			json_pack("{s:s,s:s}", "instruction", "METER", "meter_name", "Limit"));
	if (t->actions)
		json_array_append_new(list,
			json_pack("{s:s,s:o}", "instruction", "APPLY_ACTIONS", "actions",
				actions(t->actions)));
	for (uint32_t left = t->next; left; left &= left - 1)
		json_array_append_new(list,
			json_pack("{s:s,s:s}", "instruction", "GOTO_TABLE", "table",
				tn_tenant_table_names[__builtin_ctz(left)]));
	return json_pack("[{s:o}]", "zero_or_more", list);
}

/* What operators may add: all that tn_pattern_check() lets pass. */
static json_t *operators(const char *name, const char *priority)
{
	return json_pack("{s:s,s:s,s:s,s:[{s:[{s:s}]}],s:[{s:[{s:s}]}]}", "name", name, "priority",
		priority, "doc", "Flows of operators; reg0 to reg7 are not written.", "match_set",
		"zero_or_more", "field", "<any>", "instruction_set", "zero_or_more", "instruction",
		"<any>");
}

static json_t *table(unsigned id)
{
	const struct table_type *t = &types[id];
	json_t *flows = json_array();

	json_array_append_new(flows, operators("Before", "<before>"));
	json_array_append_new(flows,
		json_pack("{s:s,s:s,s:o,s:o}", "name", "Tenant", "priority", "<tenant>",
			"match_set", match_set(t->fields), "instruction_set", instructions(t)));
	json_array_append_new(flows, operators("After", "<after>"));
	return json_pack("{s:s,s:o}", "name", tn_tenant_table_names[id], "flow_mod_types", flows);
}

static json_t *range(const char *var, unsigned least, unsigned most)
{
	char text[32];

	snprintf(text, sizeof(text), "%u..%u", least, most);
	return json_pack("{s:s,s:s}", "var", var, "range", text);
}

static json_t *groups(void)
{
	const uint32_t copy =
		ACTION(SET_FIELD) | ACTION(PUSH_VLAN) | ACTION(OUTPUT) | ACTION(RESUBMIT);

	return json_pack("[{s:s,s:s,s:[{s:s,s:o}]},{s:s,s:s,s:[{s:s,s:o}]}]", "name", "Flood",
		"group_type", "ALL", "bucket_types", "name", "Copy", "action_set", actions(copy),
		"name", "Route", "group_type", "SELECT", "bucket_types", "name", "NextHop",
		"action_set", actions(copy));
}

json_t *tn_pattern_json(void)
{
	json_t *o = json_object(), *map = json_object(), *tables = json_array();

	json_object_set_new(o, "NDM_metadata",
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:[s,s,s]}", "authority", "tenon", "type", "TTPv1",
			"name", "Tenant", "version", "1.0.0", "OF_protocol_version", "1.5.1", "doc",
			"Tenant networks; what does not fit is refused with the reason.",
			"Tables 8 to 31 are kept, those from 32 on are operators'.",
			"The network is TUNNEL_ID, its VNI."));
	for (unsigned i = 0; i < TN_TENANT_N_TABLES; i++) {
		json_object_set_new(map, tn_tenant_table_names[i], json_integer(i));
		json_array_append_new(tables, table(i));
	}
	json_object_set_new(o, "table_map", map);
	json_object_set_new(o, "identifiers",
		json_pack("[o,o,o]", range("<before>", TN_TENANT_PRIORITY_MAX + 1, UINT16_MAX),
			range("<tenant>", TN_TENANT_PRIORITY_MIN, TN_TENANT_PRIORITY_MAX),
			range("<after>", 0, TN_TENANT_PRIORITY_MIN - 1)));
	json_object_set_new(o, "meter_table",
		json_pack("{s:[{s:s,s:[{s:s,s:s,s:s}]}],s:[]}", "meter_types", "name", "Limit",
			"bands", "type", "DROP", "rate", "1..4294967295", "burst", "1..4294967295",
			"built_in_meters"));
	json_object_set_new(o, "flow_tables", tables);
	json_object_set_new(o, "group_entry_types", groups());
	return o;
}
