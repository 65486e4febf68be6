/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration document, whole: all that clients want of the switch. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/model/document.h"
#include "control/model/json_reader.h"
#include "control/northbound/answer.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"
#include "control/northbound/port.h"
#include "control/northbound/service.h"

#define PART_BYTES 32768u

/* Of everything that the document holds; never 0. */
static uint64_t document_generation(struct tn_call *c)
{
	uint64_t newest = 0;

	for (int k = TN_KIND_FLOW; k < TN_N_KINDS; k++) {
		uint64_t g = tn_engine_generation(tn_call_engine(c), (enum tn_kind)k);

		if (k != TN_KIND_HOST && g > newest)
			newest = g;
	}
	return newest + 1;
}

/* Reading it. */

/* Parts of one key stand one behind the other. */
static const struct part {
	enum tn_kind kind;
	const char *key;
} parts[] = {
	{TN_KIND_TENANT + TN_TENANT_HOST, "hosts"},
	{TN_KIND_TENANT + TN_TENANT_QUOTA, "quotas"},
	{TN_KIND_TENANT + TN_TENANT_QOS_POLICY, "qos_policies"},
	{TN_KIND_TENANT + TN_TENANT_ADDRESS_GROUP, "address_groups"},
	{TN_KIND_TENANT + TN_TENANT_NETWORK, "networks"},
	{TN_KIND_TENANT + TN_TENANT_SUBNET, "subnets"},
	{TN_KIND_TENANT + TN_TENANT_ROUTER, "routers"},
	{TN_KIND_PORT, "ports"},
	{TN_KIND_TENANT + TN_TENANT_PORT, "ports"},
	{TN_KIND_TABLE, "tables"},
	{TN_KIND_GROUP, "groups"},
	{TN_KIND_METER, "meters"},
	{TN_KIND_FLOW, "flows"},
};

struct reading {
	struct tn_codec codec;
	const struct tn_engine *engine;
	struct tn_text *out;
	size_t part;
	uint64_t after;
	bool from_start, more;
	bool any; /* something stands under the key */
};

static bool add_object(void *ctx, const struct tn_object *o)
{
	struct reading *r = ctx;

	if (r->out->n > PART_BYTES) {
		r->more = true;
		return false;
	}
	if (o->derived) /* stands in the document as what it is made of */
		return true;
	if (r->any)
		tn_text_add(r->out, ",", 1);
	r->any = true;
	tn_text_add(r->out, "\n ", 2);
	tn_object_print(r->out, &r->codec, r->engine, o, TN_OBJECT_PLAIN);
	r->after = o->id;
	r->from_start = false;
	return true;
}

static enum tn_produced produce(struct tn_call *c, struct tn_text *out)
{
	struct reading *r = c->state;

	r->out = out;
	while (r->part < TN_ARRAY_SIZE(parts)) {
		r->more = false;
		tn_engine_scan(tn_call_engine(c), parts[r->part].kind, (struct tn_scope){0},
			r->after, r->from_start, add_object, r);
		if (r->more)
			return TN_PRODUCED_MORE;
		r->part++;
		r->after = 0;
		r->from_start = true;
		if (r->part == TN_ARRAY_SIZE(parts) ||
			strcmp(parts[r->part].key, parts[r->part - 1].key) == 0)
			continue;
		tn_text_printf(out, "],\n\"%s\":[", parts[r->part].key);
		r->any = false;
	}
	tn_text_puts(out, "]}\n");
	return TN_PRODUCED_END;
}

void tn_config_get(struct tn_call *c)
{
	struct reading *r = tn_arena_alloc(&c->arena, sizeof(*r));

	if (!tn_call_check_conditions(c, document_generation(c)))
		return;
	r->codec = tn_call_codec(c, false);
	r->engine = tn_call_engine(c);
	r->from_start = true;
	c->state = r;
	tn_text_printf(&c->text, "{\"device\":{\"id\":\"of:%016" PRIx64 "\"},\n\"%s\":[",
		r->codec.dpid, parts[0].key);
	tn_answer_stream(c, 200, TN_TYPE_JSON, produce);
}

/* Replacing it. */

struct writing {
	struct tn_document doc;
	uint32_t *strings; /* of the document's names: the engine's number + 1; 0: not known yet */
	uint32_t n_strings;
	bool counted; /* in the service's documents */
};

static void end_writing(struct tn_call *c)
{
	struct writing *w = c->state;

	if (w->counted && c->service)
		c->service->documents--;
	tn_document_fini(&w->doc);
	free(w->strings);
}

/* The document's strings are numbered by itself: the same one by the engine. */
static bool translate(struct tn_call *c, uint32_t *number)
{
	struct tn_names *names = tn_engine_names(tn_call_engine(c));
	struct writing *w = c->state;

	if (!*number)
		return true;
	if (*number >= w->n_strings) {
		uint32_t room = *number + 256;

		w->strings = realloc(w->strings, room * sizeof(*w->strings));
		if (!w->strings)
			abort();
		memset(w->strings + w->n_strings, 0, (room - w->n_strings) * sizeof(*w->strings));
		w->n_strings = room;
	}
	if (!w->strings[*number])
		w->strings[*number] =
			tn_names_intern(names, tn_names_string(w->doc.names, *number)) + 1;
	*number = w->strings[*number] - 1;
	return *number != 0;
}

/* The mods are ours: their const keeps those that only borrow them from writing. */
static bool translate_mod(struct tn_call *c, const struct tn_mod *mod)
{
	struct tn_group_mod *group;

	switch (mod->kind) {
	case TN_MOD_FLOW:
		return translate(c, &((struct tn_flow_mod *)(uintptr_t)mod->flow)->owner);
	case TN_MOD_METER:
		return translate(c, &((struct tn_meter_mod *)(uintptr_t)mod->meter)->owner);
	case TN_MOD_GROUP:
		break;
	}
	group = (struct tn_group_mod *)(uintptr_t)mod->group;
	return translate(c, &group->owner) && translate(c, &group->annotation);
}

/* Ports and tables that the document does not have. */

static bool remove_port(void *ctx, const struct tn_object *o)
{
	struct tn_call *c = ctx;
	struct writing *w = c->state;

	for (size_t i = 0; i < w->doc.n_ports; i++)
		if (w->doc.ports[i].number == o->id)
			return true;
	if (o->derived)
		return true;
	tn_call_operation(c, TN_OP_PORT_REMOVE, "/ports")->port_number = (uint32_t)o->id;
	return true;
}

static bool reset_table(void *ctx, const struct tn_object *o)
{
	struct tn_call *c = ctx;
	struct writing *w = c->state;

	for (size_t i = 0; i < w->doc.n_tables; i++)
		if (w->doc.tables[i].table_id == o->id)
			return true;
	tn_call_operation(c, TN_OP_TABLE, "/tables")->table =
		(struct tn_table_setting){.table_id = (uint8_t)o->id};
	return true;
}

static bool remove_tenant(void *ctx, const struct tn_object *o)
{
	struct tn_call *c = ctx;
	struct writing *w = c->state;
	struct tn_operation *op;

	if (tn_document_tenant(&w->doc, o->tenants->value.kind, o->tenants->value.c.id))
		return true;
	op = tn_call_operation(c, TN_OP_TENANT_REMOVE, "");
	op->tenants_id.kind = o->tenants->value.kind;
	op->tenants_id.id = tn_arena_strdup(&c->arena, o->tenants->value.c.id);
	return true;
}

static void add_tenants(struct tn_call *c)
{
	struct writing *w = c->state;

	for (size_t i = 0; i < w->doc.n_tenants; i++)
		tn_call_operation(c, TN_OP_TENANT_PUT, w->doc.tenants[i].pointer)->tenants =
			&w->doc.tenants[i].value;
	for (int k = TN_KIND_TENANT; k < TN_N_KINDS; k++)
		tn_engine_scan(tn_call_engine(c), (enum tn_kind)k, (struct tn_scope){0}, 0, true,
			remove_tenant, c);
}

static const char *pointer_of(struct tn_call *c, const char *key, size_t i)
{
	char s[48];

	snprintf(s, sizeof(s), "/%s/%zu", key, i);
	return tn_arena_strdup(&c->arena, s);
}

static bool add_operations(struct tn_call *c)
{
	struct writing *w = c->state;
	struct tn_document *doc = &w->doc;
	struct tn_operation *op;
	const char *pointer;

	for (size_t i = 0; i < doc->n_tables; i++)
		tn_call_operation(c, TN_OP_TABLE, pointer_of(c, "tables", i))->table =
			doc->tables[i];
	tn_engine_scan(
		tn_call_engine(c), TN_KIND_TABLE, (struct tn_scope){0}, 0, true, reset_table, c);
	for (size_t i = 0; i < doc->n_ports; i++) {
		pointer = pointer_of(c, "ports", doc->ports[i].position);
		if (!tn_port_from_model(&doc->ports[i], &c->arena, &c->diag, pointer,
			    tn_port_operation(c, pointer)))
			return false;
	}
	op = tn_call_operation(c, TN_OP_REPLACE, "");
	op->replace.everybody = true;
	for (size_t i = 0; i < doc->n_mods; i++) {
		if (!translate_mod(c, &doc->mods[i])) {
			tn_diagnostics_add(&c->diag, doc->mod_pointers[i], 0, 0, TN_OF_OK,
				"too many different appIds and appCookies are in use");
			return false;
		}
		tn_call_operation(c, TN_OP_MOD, doc->mod_pointers[i])->mod = doc->mods[i];
	}
	add_tenants(c);
	/* Last: nothing uses them any more. */
	tn_engine_scan(
		tn_call_engine(c), TN_KIND_PORT, (struct tn_scope){0}, 0, true, remove_port, c);
	return true;
}

static bool check_document(struct tn_call *c)
{
	struct writing *w = c->state;
	uint64_t dpid = tn_engine_dpid(tn_call_engine(c));

	if (w->doc.dpid != dpid)
		tn_diagnostics_add(&c->diag, "/device/id", 0, 0, TN_OF_OK,
			"this is device of:%016" PRIx64 "; correct \"device\"", dpid);
	if (w->doc.n_addresses || w->doc.n_routes || w->doc.n_neighbours)
		tn_diagnostics_add(&c->diag, "/underlay", 0, 0, TN_OF_OK,
			"the underlay is the kernel's: set addresses and routes with ip(8) and "
			"remove \"underlay\"");
	return !c->diag.n;
}

static void replaced(struct tn_call *c, const struct tn_outcome *o)
{
	size_t changed = 0;

	for (size_t i = 0; i < o->n_results; i++)
		changed += o->results[i].n_objects;
	c->etag = document_generation(c);
	tn_text_printf(
		&c->text, "{\"generation\":%" PRIu64 ",\"changed\":%zu", o->generation, changed);
	if (o->transaction)
		tn_text_printf(&c->text, ",\"transaction\":\"%" PRIu64 "\"", o->transaction);
	tn_text_puts(&c->text, "}");
	tn_answer_text(c, tn_answer_status(c, o, 200), TN_TYPE_JSON);
}

void tn_config_put(struct tn_call *c)
{
	struct writing *w;
	int rc;

	if (!c->if_match && !tn_call_flag(c, "dryRun")) {
		tn_answer_error(c, 428,
			"the whole configuration is replaced: say which one, with If-Match and the "
			"ETag that GET gave, or *");
		return;
	}
	if (!tn_call_check_conditions(c, document_generation(c)))
		return;
	if (c->service->documents) {
		tn_answer_error(c, 503, "another document is being applied; try again");
		return;
	}
	w = tn_arena_alloc(&c->arena, sizeof(*w));
	c->state = w;
	c->end = end_writing;
	rc = tn_document_parse(&w->doc, c->body.p, c->body.n, &c->diag);
	if (rc || !check_document(c) || !add_operations(c)) {
		tn_answer_diagnostics(c, &c->diag, 0, TN_NO_INDEX);
		return;
	}
	w->counted = true;
	c->service->documents++;
	tn_call_submit(c, replaced);
}
