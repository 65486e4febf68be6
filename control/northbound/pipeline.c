/* SPDX-License-Identifier: BSD-3-Clause */
/* What flow tables can do: OpenFlow's table features, and the same as a Table Type Pattern. */
#include <ctype.h>
#include <stdio.h>

#include "control/model/json_reader.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/tenant/pattern.h"
#include "dataplane/core/field.h"

enum field_set { MATCHED, MASKED, SET };

static json_t *fields(enum field_set set)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < TN_N_FIELDS; i++)
		if (set == MATCHED || (set == MASKED && tn_fields[i].maskable) ||
			(set == SET && tn_fields[i].writable))
			json_array_append_new(array, json_string(tn_fields[i].name));
	return array;
}

static json_t *words(const char *const *list)
{
	json_t *array = json_array();

	for (; *list; list++)
		json_array_append_new(array, json_string(*list));
	return array;
}

static const char *const instructions[] = {"METER", "APPLY_ACTIONS", "CLEAR_ACTIONS",
	"WRITE_ACTIONS", "WRITE_METADATA", "GOTO_TABLE", NULL};
static const char *const last_instructions[] = {
	"METER", "APPLY_ACTIONS", "CLEAR_ACTIONS", "WRITE_ACTIONS", "WRITE_METADATA", NULL};
static const char *const apply_actions[] = {"OUTPUT", "GROUP", "SET_FIELD", "COPY_FIELD",
	"PUSH_VLAN", "POP_VLAN", "DEC_NW_TTL", "SET_NW_TTL", "COPY_TTL_IN", "COPY_TTL_OUT",
	"SET_QUEUE", "POP_QUEUE", "TRUNCATE", "RESUBMIT", "CLONE", "NOTE", NULL};
static const char *const write_actions[] = {"OUTPUT", "GROUP", "SET_FIELD", "PUSH_VLAN", "POP_VLAN",
	"DEC_NW_TTL", "SET_NW_TTL", "COPY_TTL_IN", "COPY_TTL_OUT", "SET_QUEUE", NULL};
static const char *const capabilities[] = {"EVICTION", "VACANCY_EVENTS", NULL};

static bool take_size(void *ctx, const struct tn_object *o)
{
	if (o->table->config.max_entries)
		*(uint32_t *)ctx = o->table->config.max_entries;
	return false;
}

static uint32_t size_of(struct tn_call *c, unsigned table)
{
	uint32_t size = TN_TABLE_ENTRIES_DEFAULT;

	(void)tn_engine_get(
		tn_call_engine(c), TN_KIND_TABLE, table, (struct tn_scope){0}, take_size, &size);
	return size;
}

static json_t *features(struct tn_call *c, unsigned table)
{
	const char *name = tn_names_table_name(tn_engine_names(tn_call_engine(c)), (uint8_t)table);
	json_t *o = json_object(), *next = json_array();
	char number[8];

	snprintf(number, sizeof(number), "%u", table);
	json_object_set_new(o, "tableId", json_integer(table));
	json_object_set_new(o, "name", json_string(name ? name : number));
	json_object_set_new(o, "maxEntries", json_integer(size_of(c, table)));
	json_object_set_new(o, "metadataMatch", json_string("0xffffffffffffffff"));
	json_object_set_new(o, "metadataWrite", json_string("0xffffffffffffffff"));
	json_object_set_new(o, "capabilities", words(capabilities));
	json_object_set_new(
		o, "instructions", words(table < TN_TABLE_MAX ? instructions : last_instructions));
	for (unsigned t = table + 1; t <= TN_TABLE_MAX; t++)
		json_array_append_new(next, json_integer(t));
	json_object_set_new(o, "nextTables", next);
	json_object_set_new(o, "applyActions", words(apply_actions));
	json_object_set_new(o, "writeActions", words(write_actions));
	json_object_set_new(o, "matchFields", fields(MATCHED));
	json_object_set_new(o, "wildcardFields", fields(MATCHED));
	json_object_set_new(o, "maskableFields", fields(MASKED));
	json_object_set_new(o, "applySetFields", fields(SET));
	json_object_set_new(o, "writeSetFields", fields(SET));
	return o;
}

void tn_tables_get_features(struct tn_call *c)
{
	json_t *o = features(c, 0);

	/* All tables are alike. */
	json_object_set_new(o, "tableId", json_string("0-254"));
	json_object_del(o, "name");
	tn_answer_json(c, 200, json_pack("{s:[o]}", "features", o));
}

void tn_table_get_features(struct tn_call *c)
{
	uint8_t table;

	if (tn_param_table(c, c->params[0], &table))
		tn_answer_json(c, 200, features(c, table));
}

/* The pattern. A list of one combinator: {"zero_or_more":[..]}. */

static json_t *any_of(json_t *array)
{
	json_t *list = json_array();

	json_array_append_new(list, json_pack("{s:o}", "zero_or_more", array));
	return list;
}

static json_t *match_set(void)
{
	json_t *array = json_array(), *o;
	char name[32];

	for (unsigned i = 0; i < TN_N_FIELDS; i++) {
		size_t n = 0;

		for (; tn_fields[i].name[n] && n + 1 < sizeof(name); n++)
			name[n] = (char)toupper((unsigned char)tn_fields[i].name[n]);
		name[n] = '\0';
		o = json_pack("{s:s,s:s}", "field", name, "match_type",
			tn_fields[i].maskable ? "mask" : "all_or_exact");
		json_array_append_new(array, o);
	}
	return any_of(array);
}

static json_t *actions(const char *const *list)
{
	json_t *array = json_array();

	for (; *list; list++)
		json_array_append_new(array, json_pack("{s:s}", "action", *list));
	return any_of(array);
}

static json_t *instruction_set(unsigned table)
{
	json_t *array = json_array();

	json_array_append_new(
		array, json_pack("{s:s,s:s}", "instruction", "METER", "meter_name", "<any>"));
	json_array_append_new(array,
		json_pack("{s:s,s:o}", "instruction", "APPLY_ACTIONS", "actions",
			actions(apply_actions)));
	json_array_append_new(array, json_pack("{s:s}", "instruction", "CLEAR_ACTIONS"));
	json_array_append_new(array,
		json_pack("{s:s,s:o}", "instruction", "WRITE_ACTIONS", "actions",
			actions(write_actions)));
	json_array_append_new(array,
		json_pack("{s:s,s:s,s:s}", "instruction", "WRITE_METADATA", "metadata", "<value>",
			"metadata_mask", "<mask>"));
	if (table < TN_TABLE_MAX)
		json_array_append_new(array,
			json_pack("{s:s,s:s}", "instruction", "GOTO_TABLE", "table",
				"<later_table>"));
	return any_of(array);
}

static json_t *table_type(unsigned table, const char *name)
{
	json_t *type = json_object();

	json_object_set_new(type, "name", json_string("Any"));
	json_object_set_new(type, "priority", json_string("<priority>"));
	json_object_set_new(type, "match_set", match_set());
	json_object_set_new(type, "instruction_set", instruction_set(table));
	return json_pack("{s:s,s:[o],s:[{s:s,s:i,s:[],s:[{s:s}]}]}", "name", name, "flow_mod_types",
		type, "built_in_flow_mods", "name", "Drop", "priority", 0, "match_set",
		"instruction_set", "instruction", "CLEAR_ACTIONS");
}

static json_t *group_types(void)
{
	static const char *const names[] = {"ALL", "SELECT", "INDIRECT", "FF", NULL};
	json_t *array = json_array();

	for (unsigned i = 0; names[i]; i++)
		json_array_append_new(array,
			json_pack("{s:s,s:s,s:[{s:s,s:o}]}", "name", names[i], "group_type",
				names[i], "bucket_types", "name", "Any", "action_set",
				actions(write_actions)));
	return array;
}

static json_t *variable(const char *var, const char *range)
{
	return json_pack("{s:s,s:s}", "var", var, "range", range);
}

static json_t *meter_table(void)
{
	json_t *types = json_array();

	json_array_append_new(types,
		json_pack("{s:s,s:[{s:s,s:s,s:s},{s:s,s:s,s:s}]}", "name", "<any>", "bands", "type",
			"DROP", "rate", "1..4294967295", "burst", "0..4294967295", "type",
			"DSCP_REMARK", "rate", "1..4294967295", "burst", "0..4294967295"));
	return json_pack("{s:o,s:[]}", "meter_types", types, "built_in_meters");
}

/*
 * Beside tenant networks theirs. Without them no pattern is enforced: this one says that every
 * table takes every flow. The tables between the first and the last are like the first.
 */
void tn_pipeline_get(struct tn_call *c)
{
	json_t *o, *list, *map;

	if (tn_engine_has_tenant_pipeline(tn_call_engine(c))) {
		tn_answer_json(c, 200, tn_pattern_json());
		return;
	}
	o = json_object();
	list = json_array();
	map = json_object();
	json_object_set_new(o, "NDM_metadata",
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:[s,s]}", "authority", "tenon", "type", "TTPv1",
			"name", "Generic", "version", "1.0.0", "OF_protocol_version", "1.5.1",
			"doc",
			"An OpenFlow switch of 255 like tables; nothing is refused for this pattern.",
			"Tables 1 to 253 are as table 0."));
	json_object_set_new(map, "First", json_integer(0));
	json_object_set_new(map, "Last", json_integer(TN_TABLE_MAX));
	json_object_set_new(o, "table_map", map);
	json_array_append_new(list, variable("<priority>", "0..65535"));
	json_array_append_new(list, variable("<later_table>", "1..254"));
	json_object_set_new(o, "identifiers", list);
	json_object_set_new(o, "meter_table", meter_table());
	list = json_array();
	json_array_append_new(list, table_type(0, "First"));
	json_array_append_new(list, table_type(TN_TABLE_MAX, "Last"));
	json_object_set_new(o, "flow_tables", list);
	json_object_set_new(o, "group_entry_types", group_types());
	json_object_set_new(o, "parameters",
		json_pack("[{s:s,s:s}]", "name", "First::TableSize", "type", "integer"));
	tn_answer_json(c, 200, o);
}
