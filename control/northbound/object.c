/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/model/json_codec.h"
#include "control/model/json_document.h"
#include "control/northbound/json_pool.h"
#include "control/northbound/tenant.h"
#include "dataplane/core/drop.h"

const char *tn_kind_name(enum tn_kind kind)
{
	static const char *const names[TN_N_KINDS] = {
		[TN_KIND_FLOW] = "flow",
		[TN_KIND_GROUP] = "group",
		[TN_KIND_METER] = "meter",
		[TN_KIND_PORT] = "port",
		[TN_KIND_TABLE] = "table",
		[TN_KIND_HOST] = "host",
		[TN_KIND_TENANT + TN_TENANT_NETWORK] = "network",
		[TN_KIND_TENANT + TN_TENANT_SUBNET] = "subnet",
		[TN_KIND_TENANT + TN_TENANT_PORT] = "tenant-port",
		[TN_KIND_TENANT + TN_TENANT_ROUTER] = "router",
		[TN_KIND_TENANT + TN_TENANT_HOST] = "tenant-host",
		[TN_KIND_TENANT + TN_TENANT_QOS_POLICY] = "qos-policy",
		[TN_KIND_TENANT + TN_TENANT_ADDRESS_GROUP] = "address-group",
		[TN_KIND_TENANT + TN_TENANT_QUOTA] = "quota",
	};

	return (unsigned)kind < TN_N_KINDS && names[kind] ? names[kind] : "object";
}

const char *tn_state_name(enum tn_object_state state)
{
	static const char *const names[] = {
		[TN_STATE_PENDING_ADD] = "PENDING_ADD",
		[TN_STATE_ADDED] = "ADDED",
		[TN_STATE_PENDING_REMOVE] = "PENDING_REMOVE",
		[TN_STATE_FAILED] = "FAILED",
	};

	return state < TN_ARRAY_SIZE(names) ? names[state] : "FAILED";
}

void tn_object_id(const struct tn_object *o, char *buf, size_t size)
{
	if (tn_kind_is_tenant(o->kind))
		snprintf(buf, size, "%s", o->tenants->value.c.id);
	else if (o->kind == TN_KIND_FLOW)
		snprintf(buf, size, "%" PRId64, (int64_t)o->id);
	else
		snprintf(buf, size, "%" PRIu64, o->id);
}

/* Meters: the codec prints those of the data plane, with their buckets. */
static json_t *meter_json(struct tn_codec *codec, const struct tn_api_meter_info *info)
{
	struct tn_meter *meter = calloc(1, tn_meter_size((uint16_t)info->n_bands));
	json_t *j;

	if (!meter)
		abort();
	meter->meter_id = info->meter_id;
	meter->flags = info->flags;
	meter->owner = info->owner;
	meter->created_ns = info->created_ns;
	meter->counter = info->counter;
	meter->n_bands = (uint16_t)info->n_bands;
	for (uint32_t i = 0; i < info->n_bands; i++) {
		meter->bands[i].config = info->bands[i].band;
		meter->bands[i].counter = info->bands[i].counter;
	}
	j = tn_meter_to_json(codec, meter, info->reference_count);
	if (!codec->with_stats) { /* as a request names it */
		json_object_del(j, "id");
		json_object_set_new(j, "index", json_integer(info->meter_id));
	}
	free(meter);
	return j;
}

/* Ports. */

static json_t *option_json(const struct tn_api_option *o)
{
	switch (o->type) {
	case TN_API_STRING:
		return json_string(o->string);
	case TN_API_BOOL:
		return json_boolean(o->integer);
	case TN_API_INTEGER:
		break;
	}
	return json_integer(o->integer);
}

json_t *tn_port_json(const struct tn_api_port *p)
{
	struct tn_model_port model = {
		.number = p->number,
		.name = p->name,
		.type = p->type,
		.enabled = p->enabled,
		.config = p->config,
		.mtu = p->mtu,
		.vxlan = p->vxlan,
	};
	json_t *j;

	if (p->n_options && !p->has_vxlan) {
		model.options = json_object();
		for (uint32_t i = 0; i < p->n_options; i++)
			json_object_set_new(
				model.options, p->options[i].key, option_json(&p->options[i]));
	}
	j = tn_json_write_port(&model);
	json_decref(model.options);
	return j;
}

bool tn_port_from_model(const struct tn_model_port *model, struct tn_arena *arena,
	struct tn_diagnostics *diag, const char *pointer, struct tn_api_port *port)
{
	struct tn_api_option *options;
	const char *key;
	json_t *value;
	uint32_t n = 0;

	*port = (struct tn_api_port){
		.number = model->number,
		.name = tn_arena_strdup(arena, model->name),
		.type = tn_arena_strdup(arena, model->type),
		.enabled = model->enabled,
		.config = model->config,
		.mtu = model->mtu,
		.has_vxlan = strcmp(model->type, "vxlan") == 0,
		.vxlan = model->vxlan,
	};
	options = tn_arena_alloc(arena, (json_object_size(model->options) + 1) * sizeof(*options));
	json_object_foreach(model->options, key, value)
	{
		struct tn_api_option *o = &options[n++];

		o->key = tn_arena_strdup(arena, key);
		if (json_is_string(value)) {
			o->type = TN_API_STRING;
			o->string = tn_arena_strdup(arena, json_string_value(value));
		} else if (json_is_boolean(value) || json_is_integer(value)) {
			o->type = json_is_boolean(value) ? TN_API_BOOL : TN_API_INTEGER;
			o->string = "";
			o->integer = json_is_boolean(value) ? json_is_true(value)
							    : json_integer_value(value);
		} else {
			tn_diagnostics_add(diag, pointer, 0, 0, TN_OF_OK,
				"option \"%.60s\" of a port must be a string, an integer or a "
				"boolean",
				key);
			return false;
		}
	}
	port->options = options;
	port->n_options = n;
	return true;
}

static json_t *drops_json(const struct tn_api_port_info *p)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < p->n_drops; i++)
		if (p->drops[i].packets)
			json_object_set_new(o, tn_drop_name((enum tn_drop)p->drops[i].reason),
				tn_json_from_u64(p->drops[i].packets));
	return o;
}

static json_t *counter_json(const struct tn_counter *c)
{
	json_t *o = json_object();

	json_object_set_new(o, "packets", tn_json_from_u64(c->packets));
	json_object_set_new(o, "bytes", tn_json_from_u64(c->bytes));
	return o;
}

static json_t *port_json(const struct tn_api_port_info *p, enum tn_object_form form)
{
	json_t *j = tn_port_json(&p->port);

	if (form == TN_OBJECT_PLAIN)
		return j;
	json_object_set_new(j, "linkUp", json_boolean(!(p->state & TN_PORT_STATE_LINK_DOWN)));
	json_object_set_new(j, "live", json_boolean(p->state & TN_PORT_STATE_LIVE));
	if (form != TN_OBJECT_WHOLE)
		return j;
	json_object_set_new(j, "received", counter_json(&p->rx));
	json_object_set_new(j, "sent", counter_json(&p->tx));
	json_object_set_new(j, "dropped", drops_json(p));
	return j;
}

/* Tables and hosts. */

static json_t *table_json(const struct tn_codec *codec, const struct tn_table_setting *t)
{
	const char *name = t->name ? t->name : tn_names_table_name(codec->names, t->table_id);
	json_t *j = json_object();

	json_object_set_new(j, "tableId", json_integer(t->table_id));
	if (name)
		json_object_set_new(j, "name", json_string(name));
	if (t->config.max_entries)
		json_object_set_new(j, "maxEntries", json_integer(t->config.max_entries));
	if (t->config.eviction)
		json_object_set_new(j, "eviction", json_true());
	if (t->config.vacancy_down || t->config.vacancy_up) {
		json_object_set_new(j, "vacancyDown", json_integer(t->config.vacancy_down));
		json_object_set_new(j, "vacancyUp", json_integer(t->config.vacancy_up));
	}
	return j;
}

static json_t *host_json(const struct tn_codec *codec, const struct tn_host *h)
{
	json_t *j = json_object(), *addresses = json_array(), *mac, *locations;
	char vlan[16] = "None", id[48];

	mac = tn_json_from_mac(tn_mac_number(h->mac));
	if (h->vlan >= 0)
		snprintf(vlan, sizeof(vlan), "%d", h->vlan);
	snprintf(id, sizeof(id), "%s/%s", json_string_value(mac), vlan);
	json_object_set_new(j, "id", json_string(id));
	json_object_set_new(j, "mac", mac);
	json_object_set_new(j, "vlan", json_string(vlan));
	json_object_set_new(j, "innerVlan", json_string("None"));
	json_object_set_new(j, "outerTpid", json_string("unknown"));
	json_object_set_new(j, "configured", json_true());
	json_object_set_new(j, "suspended", json_false());
	for (uint32_t i = 0; i < h->n_addresses; i++)
		json_array_append_new(
			addresses, tn_json_from_address(h->addresses[i], TN_JSON_IP_ANY));
	json_object_set_new(j, "ipAddresses", addresses);
	locations = json_array();
	json_array_append_new(locations,
		json_pack("{s:o,s:o}", "elementId", tn_json_from_dpid(codec->dpid), "port",
			tn_json_from_port(h->port)));
	json_object_set_new(j, "locations", locations);
	return j;
}

/* Any of them. */

static json_t *kind_json(struct tn_codec *codec, const struct tn_engine *e,
	const struct tn_object *o, enum tn_object_form form)
{
	switch (o->kind) {
	case TN_KIND_FLOW:
		return tn_flow_to_json(codec, o->flow);
	case TN_KIND_GROUP:
		return tn_group_to_json(codec, o->group);
	case TN_KIND_METER:
		return meter_json(codec, o->meter);
	case TN_KIND_PORT:
		return port_json(o->port, form);
	case TN_KIND_TABLE:
		return table_json(codec, o->table);
	case TN_KIND_HOST:
		return host_json(codec, o->host);
	case TN_KIND_TENANT:
	case TN_N_KINDS:
		break;
	}
	if (tn_kind_is_tenant(o->kind))
		return tn_tenant_object_json(e, o, form);
	return json_object();
}

static void remove_counters(json_t *j)
{
	static const char *const keys[] = {"life", "packets", "bytes", "liveType", "lastSeen"};
	json_t *array, *o;
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(keys); i++)
		json_object_del(j, keys[i]);
	array = json_object_get(j, "buckets");
	if (!array)
		array = json_object_get(j, "bands");
	json_array_foreach(array, i, o)
	{
		json_object_del(o, "packets");
		json_object_del(o, "bytes");
	}
}

json_t *tn_object_json(struct tn_codec *codec, const struct tn_engine *e, const struct tn_object *o,
	enum tn_object_form form)
{
	json_t *j;

	codec->with_stats = form != TN_OBJECT_PLAIN;
	j = kind_json(codec, e, o, form);
	if (form == TN_OBJECT_PLAIN)
		return j;
	if (form == TN_OBJECT_STATED)
		remove_counters(j);
	/* What something is made of has said it already. */
	if (!tn_kind_is_tenant(o->kind) || !json_object_get(j, "state"))
		json_object_set_new(j, "state", json_string(tn_state_name(o->state)));
	/* Its ETag; a table has one before it has a setting. */
	if (o->kind != TN_KIND_TABLE)
		json_object_set_new(j, "generation", json_integer((json_int_t)o->generation));
	if (o->state == TN_STATE_FAILED && o->failure) {
		json_object_set_new(j, "failure", json_string_nocheck(o->failure->detail));
		json_object_set_new(
			j, "failureName", json_string(tn_of_error_name(o->failure->of)));
	}
	return j;
}

void tn_object_print(struct tn_text *out, struct tn_codec *codec, const struct tn_engine *e,
	const struct tn_object *o, enum tn_object_form form)
{
	if (tn_kind_is_tenant(o->kind) && form == TN_OBJECT_PLAIN) {
		tn_text_add(out, o->tenants->text, o->tenants->text_len);
		return;
	}
	tn_json_pool_begin();
	tn_text_json(out, tn_object_json(codec, e, o, form));
	tn_json_pool_end();
}
