/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "control/model/json_document.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"
#include "control/northbound/port.h"
#include "control/northbound/tenant.h"

static const char missing[] = "no port has this number or name";

/* Ports of tenants stand below the same path: theirs have ids, which are never numbers. */

void tn_ports_get(struct tn_call *c)
{
	if (!tn_tenant_check_which(c))
		return;
	if (tn_tenant_means_list(c, TN_TENANT_PORT))
		tn_tenant_list(c, TN_TENANT_PORT);
	else
		tn_list_answer(c, TN_KIND_PORT, "ports", NULL, NULL);
}

/* Those of the switch are changed by administrators alone. */
static bool may_change(struct tn_call *c)
{
	if (c->who.role == TN_ROLE_ADMIN && !c->who.tenant)
		return true;
	tn_answer_of_error(c, 403, TN_OFPBRC_EPERM,
		"ports of the switch are changed by administrators; one of a tenant has "
		"\"network_id\"");
	return false;
}

void tn_port_get(struct tn_call *c)
{
	uint32_t number;

	if (tn_tenant_means_path(c, TN_TENANT_PORT))
		tn_tenant_get(c, TN_TENANT_PORT);
	else if (tn_param_port(c, c->params[0], &number))
		tn_object_answer(c, TN_KIND_PORT, number, "ports", false, missing);
}

/*
 * The reader wants a port's name to be new to the names that it enters it into; whether it is new
 * to the switch is for the engine to say.
 */
bool tn_port_read(
	struct tn_json_reader *r, tn_json_ref v, const char *pointer, struct tn_api_port *port)
{
	struct tn_names *names = r->codec->names;
	struct tn_model_port model;
	bool ok;

	r->codec->names = tn_names_new();
	ok = tn_json_read_port(r, v, &model);
	tn_names_free(r->codec->names);
	r->codec->names = names;
	ok = ok && tn_port_from_model(&model, r->codec->arena, r->codec->diag, pointer, port);
	json_decref(model.options);
	return ok;
}

struct tn_api_port *tn_port_operation(struct tn_call *c, const char *pointer)
{
	struct tn_api_port *port = tn_arena_alloc(&c->arena, sizeof(*port));

	tn_call_operation(c, TN_OP_PORT_ADD, pointer)->port = port;
	return port;
}

static struct tn_operation *read_one(struct tn_call *c)
{
	struct tn_api_port *port = tn_port_operation(c, "");
	struct tn_body b;
	bool ok = tn_body_read(c, &b) && tn_port_read(&b.reader, b.tape.v, "", port);

	return tn_body_end(c, &b, ok) ? &c->ops[0] : NULL;
}

/* Answers with the port as it is now. */
static void port_done(struct tn_call *c, const struct tn_outcome *o)
{
	const struct tn_result *r = &o->results[0];
	char location[40];

	snprintf(location, sizeof(location), "%s/ports/%" PRIu64, c->onos ? "/onos/v1" : "/v1",
		r->id);
	c->location = r->created ? tn_arena_strdup(&c->arena, location) : NULL;
	c->etag = r->generation;
	tn_text_printf(&c->text, "{\"number\":%" PRIu64 "}", r->id);
	tn_answer_text(c, tn_answer_status(c, o, r->created ? 201 : 200), TN_TYPE_JSON);
}

static void post_switch(struct tn_call *c)
{
	struct tn_operation *op = read_one(c);

	if (!op)
		return;
	op->create_only = true;
	if (tn_object_generation(c, TN_KIND_PORT, op->port->number))
		tn_answer_of_error(c, 409, TN_OFPBRC_BAD_PORT,
			"there is a port %" PRIu32 "; change it with PUT or PATCH",
			op->port->number);
	else
		tn_call_submit(c, port_done);
}

void tn_ports_post(struct tn_call *c)
{
	if (tn_tenant_means_body(c, TN_TENANT_PORT))
		tn_tenant_post(c, TN_TENANT_PORT);
	else if (may_change(c))
		post_switch(c);
}

static void put_switch(struct tn_call *c)
{
	uint64_t generation;
	struct tn_operation *op;
	uint32_t number;

	if (!tn_param_port(c, c->params[0], &number))
		return;
	generation = tn_object_generation(c, TN_KIND_PORT, number);
	if (!tn_call_check_conditions(c, generation))
		return;
	op = read_one(c);
	if (!op)
		return;
	if (op->port->number != number) {
		tn_answer_error(c, 422, "\"number\" is %" PRIu32 "; the path names port %" PRIu32,
			op->port->number, number);
		return;
	}
	op->if_generation = c->if_match ? generation : 0;
	op->create_only = c->if_none_match && !generation;
	tn_call_submit(c, port_done);
}

void tn_port_put(struct tn_call *c)
{
	if (tn_tenant_means_path(c, TN_TENANT_PORT) || tn_tenant_means_body(c, TN_TENANT_PORT))
		tn_tenant_put(c, TN_TENANT_PORT);
	else if (may_change(c))
		put_switch(c);
}

/* Settings. */

static bool take_settings(void *ctx, const struct tn_object *o)
{
	struct tn_api_port_configure *p = ctx;

	p->number = o->port->port.number;
	p->enabled = o->port->port.enabled;
	p->config = o->port->port.config;
	return false;
}

/* An operation with the settings that the port has; NULL: answered. */
static struct tn_operation *configure(struct tn_call *c, const char *name)
{
	struct tn_operation *op;
	uint64_t generation;
	uint32_t number;

	if (!tn_param_port(c, name, &number))
		return NULL;
	generation = tn_object_generation(c, TN_KIND_PORT, number);
	if (!generation) {
		tn_answer_of_error(c, 404, TN_OFPPMFC_BAD_PORT, missing);
		return NULL;
	}
	if (!tn_call_check_conditions(c, generation))
		return NULL;
	op = tn_call_operation(c, TN_OP_PORT_CONFIGURE, "");
	op->must_exist = true;
	op->if_generation = c->if_match ? generation : 0;
	(void)tn_engine_get(tn_call_engine(c), TN_KIND_PORT, number, tn_call_scope(c),
		take_settings, &op->port_configure);
	return op;
}

static bool read_config(struct tn_json_reader *r, tn_json_ref array, uint32_t *config)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} bits[] = {
		{"NO_RECV", TN_PORT_CONFIG_NO_RECV},
		{"NO_FWD", TN_PORT_CONFIG_NO_FWD},
		{"NO_PACKET_IN", TN_PORT_CONFIG_NO_PACKET_IN},
	};
	tn_json_ref v = tn_json_first(array);
	uint32_t all = 0;
	size_t k;

	if (!tn_json_is_array(r, array, "an array of NO_RECV, NO_FWD, NO_PACKET_IN"))
		return false;
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(r->tape, v)) {
		for (k = 0; k < TN_ARRAY_SIZE(bits); k++)
			if (v->type == TN_JSON_STRING && tn_json_string_is(v->string, bits[k].name))
				break;
		if (k == TN_ARRAY_SIZE(bits))
			return tn_json_error(r, v, TN_OFPPMFC_BAD_CONFIG,
				"give NO_RECV, NO_FWD or NO_PACKET_IN");
		all |= bits[k].bit;
	}
	*config = (*config & TN_PORT_CONFIG_DOWN) | all;
	return true;
}

bool tn_port_read_settings(
	struct tn_json_reader *r, tn_json_ref v, struct tn_api_port_configure *settings)
{
	tn_json_ref enabled = tn_json_member(r, v, "isEnabled");
	tn_json_ref config = tn_json_member(r, v, "config");

	if (!enabled && !config)
		return tn_json_error(
			r, v, TN_OF_OK, "give \"isEnabled\", \"config\" or both to change");
	if (enabled && !tn_json_bool(r, enabled, &settings->enabled))
		return false;
	return !config || read_config(r, config, &settings->config);
}

static void configured(struct tn_call *c, const struct tn_outcome *o)
{
	c->etag = o->results[0].generation;
	if (c->onos)
		tn_answer_empty(c, 200);
	else
		port_done(c, o);
}

static void patch_switch(struct tn_call *c)
{
	static const char *const keys[] = {"isEnabled", "config", NULL};
	struct tn_operation *op = configure(c, c->params[0]);
	struct tn_body b;
	bool ok;

	if (!op)
		return;
	ok = tn_body_read(c, &b);
	if (ok && b.tape.v->type != TN_JSON_OBJECT)
		ok = tn_json_error(&b.reader, b.tape.v, TN_OF_OK, "the body must be an object");
	ok = ok && tn_json_only(&b.reader, b.tape.v, "the settings of a port", keys) &&
		tn_port_read_settings(&b.reader, b.tape.v, &op->port_configure);
	if (tn_body_end(c, &b, ok))
		tn_call_submit(c, configured);
}

void tn_port_patch(struct tn_call *c)
{
	if (tn_tenant_means_path(c, TN_TENANT_PORT))
		tn_tenant_patch(c, TN_TENANT_PORT);
	else if (may_change(c))
		patch_switch(c);
}

void tn_device_post_portstate(struct tn_call *c)
{
	static const char *const keys[] = {"enabled", NULL};
	struct tn_operation *op = configure(c, c->params[1]);
	tn_json_ref enabled = NULL;
	struct tn_body b;
	bool ok;

	if (!op)
		return;
	ok = tn_body_read(c, &b);
	if (ok && b.tape.v->type != TN_JSON_OBJECT)
		ok = tn_json_error(
			&b.reader, b.tape.v, TN_OF_OK, "the body must be {\"enabled\":true}");
	ok = ok && tn_json_only(&b.reader, b.tape.v, "the body", keys);
	if (ok)
		enabled = tn_json_needed(&b.reader, b.tape.v, "the body", "enabled");
	ok = enabled && tn_json_bool(&b.reader, enabled, &op->port_configure.enabled);
	if (tn_body_end(c, &b, ok))
		tn_call_submit(c, configured);
}

static void delete_switch(struct tn_call *c)
{
	const char *s = c->params[0];
	uint64_t generation;
	struct tn_operation *op;
	uint32_t number;

	if (!tn_param_port(c, s, &number))
		return;
	generation = tn_object_generation(c, TN_KIND_PORT, number);
	if (!tn_call_check_conditions(c, generation))
		return;
	if (generation) {
		op = tn_call_operation(c, TN_OP_PORT_REMOVE, "");
		op->port_number = number;
		op->if_generation = c->if_match ? generation : 0;
	}
	tn_call_submit(c, tn_answer_done);
}

void tn_port_delete(struct tn_call *c)
{
	if (tn_tenant_means_path(c, TN_TENANT_PORT))
		tn_tenant_delete(c, TN_TENANT_PORT);
	else if (may_change(c))
		delete_switch(c);
}
