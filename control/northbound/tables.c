/* SPDX-License-Identifier: BSD-3-Clause */
/* Flow tables: their settings, and how full they are. */
#include <inttypes.h>

#include "control/model/json_document.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"

struct tables {
	struct tn_call *call;
	json_t *array;
	bool seen[TN_N_TABLES];
};

static const struct tn_table_info *info_of(struct tn_call *c, uint8_t table)
{
	const struct tn_table_info *list;
	size_t n;

	list = tn_engine_tables(tn_call_engine(c), &n);
	for (size_t i = 0; i < n; i++)
		if (list[i].table_id == table)
			return &list[i];
	return NULL;
}

static json_t *table_json(struct tn_call *c, const struct tn_object *o, uint8_t table)
{
	const struct tn_table_setting standard = {.table_id = table};
	const struct tn_object absent = {
		.kind = TN_KIND_TABLE, .state = TN_STATE_ADDED, .table = &standard};
	const struct tn_table_info *info = info_of(c, table);
	struct tn_codec codec = tn_call_codec(c, true);
	json_t *j = tn_object_json(&codec, tn_call_engine(c), o ? o : &absent, TN_OBJECT_STATED);

	if (!json_object_get(j, "maxEntries"))
		json_object_set_new(j, "maxEntries", json_integer(TN_TABLE_ENTRIES_DEFAULT));
	json_object_set_new(j, "activeEntries", json_integer(info ? info->active : 0));
	json_object_set_new(j, "packetsLookedUp", tn_json_from_u64(info ? info->lookups : 0));
	json_object_set_new(j, "packetsMatched", tn_json_from_u64(info ? info->matches : 0));
	if (!info)
		return j;
	if (info->template_name)
		json_object_set_new(j, "lookup", json_string(info->template_name));
	json_object_set_new(j, "memoryBytes", json_integer((json_int_t)info->memory_bytes));
	return j;
}

static bool add_setting(void *ctx, const struct tn_object *o)
{
	struct tables *t = ctx;

	t->seen[o->table->table_id] = true;
	json_array_append_new(t->array, table_json(t->call, o, o->table->table_id));
	return true;
}

/* Those that have a setting, and then those that have flows, or were looked into, without. */
static void answer_tables(struct tn_call *c)
{
	struct tables t = {.call = c, .array = json_array()};
	const struct tn_table_info *info;
	size_t n;

	tn_engine_scan(
		tn_call_engine(c), TN_KIND_TABLE, (struct tn_scope){0}, 0, true, add_setting, &t);
	info = tn_engine_tables(tn_call_engine(c), &n);
	for (size_t i = 0; i < n; i++)
		if (!t.seen[info[i].table_id] && (info[i].active || info[i].lookups))
			json_array_append_new(t.array, table_json(c, NULL, info[i].table_id));
	tn_answer_json(c, 200, json_pack("{s:o}", "tables", t.array));
}

void tn_tables_get(struct tn_call *c)
{
	tn_call_refresh(c, 1, answer_tables);
}

static bool print_setting(void *ctx, const struct tn_object *o)
{
	struct tn_call *c = ctx;

	tn_text_json(&c->text, table_json(c, o, o->table->table_id));
	return false;
}

static void answer_table(struct tn_call *c)
{
	uint8_t *table = c->state;

	if (!tn_engine_get(tn_call_engine(c), TN_KIND_TABLE, *table, (struct tn_scope){0},
		    print_setting, c))
		tn_text_json(&c->text, table_json(c, NULL, *table));
	tn_answer_text(c, 200, TN_TYPE_JSON);
}

/* Of all clients: tables are the switch's. 0: it has no setting. */
static uint64_t table_generation(struct tn_call *c, uint8_t table)
{
	uint32_t tenant = c->who.tenant;
	uint64_t generation;

	c->who.tenant = 0;
	generation = tn_object_generation(c, TN_KIND_TABLE, table);
	c->who.tenant = tenant;
	return generation;
}

void tn_table_get(struct tn_call *c)
{
	uint8_t *table = tn_arena_alloc(&c->arena, 1);

	c->state = table;
	if (tn_param_table(c, c->params[0], table) &&
		tn_call_check_conditions(c, table_generation(c, *table) + 1))
		tn_call_refresh(c, 1, answer_table);
}

static void table_done(struct tn_call *c, const struct tn_outcome *o)
{
	c->etag = table_generation(c, c->ops[0].table.table_id) + 1;
	tn_text_printf(&c->text, "{\"tableId\":%u}", c->ops[0].table.table_id);
	tn_answer_text(c, tn_answer_status(c, o, 200), TN_TYPE_JSON);
}

void tn_table_put(struct tn_call *c)
{
	struct tn_operation *op = tn_call_operation(c, TN_OP_TABLE, "");
	struct tn_names *names = tn_names_new();
	uint64_t generation;
	struct tn_body b;
	uint8_t table;
	bool ok;

	if (!tn_param_table(c, c->params[0], &table))
		goto out;
	generation = table_generation(c, table);
	/* Every table is there, with settings or without. */
	if (!tn_call_check_conditions(c, generation + 1))
		goto out;
	ok = tn_body_read(c, &b);
	b.codec.names = names; /* whether a name is free is for the engine to say */
	ok = ok && tn_json_read_table(&b.reader, b.tape.v, &op->table);
	if (!tn_body_end(c, &b, ok))
		goto out;
	if (op->table.table_id != table) {
		tn_answer_error(c, 422, "\"tableId\" is %u; the path names table %u",
			op->table.table_id, table);
		goto out;
	}
	if (op->table.config.max_entries == TN_TABLE_ENTRIES_DEFAULT)
		op->table.config.max_entries = 0;
	op->if_generation = c->if_match ? generation : 0;
	op->create_only = c->if_match && !generation;
	tn_call_submit(c, table_done);
out:
	tn_names_free(names);
}
