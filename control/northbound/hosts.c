/* SPDX-License-Identifier: BSD-3-Clause */
/* Hosts that clients tell of: where a MAC address is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/engine/wanted.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"
#include "control/northbound/tenant.h"

#define ADDRESSES_MAX 64u
#define VLAN_NONE     (-1)
#define VLAN_MAX      4095

static const char missing[] = "no host has this MAC address and VLAN";

/* Hosts of tenants' ports stand below the same path: those have "vtep_addresses". */
void tn_hosts_get(struct tn_call *c)
{
	if (!tn_tenant_check_which(c))
		return;
	if (tn_tenant_means_list(c, TN_TENANT_HOST))
		tn_tenant_list(c, TN_TENANT_HOST);
	else
		tn_list_answer(c, TN_KIND_HOST, "hosts", NULL, NULL);
}

/* {mac}/{vlan} of a path. */
static bool host_of_path(struct tn_call *c, struct tn_mac *mac, int32_t *vlan)
{
	const char *s = c->params[0], *v = c->params[1];
	unsigned b[6];
	uint64_t number;
	int n = 0;

	if (strlen(s) != 17 ||
		sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
			&n) != 6 ||
		n != 17) {
		tn_answer_error(c, 400, "\"%.40s\" is no MAC address", s);
		return false;
	}
	for (unsigned i = 0; i < 6; i++)
		mac->b[i] = (uint8_t)b[i];
	*vlan = VLAN_NONE;
	if (strcasecmp(v, "None") == 0 || strcmp(v, "-1") == 0)
		return true;
	if (!tn_param_number(c, "a VLAN", v, VLAN_MAX, &number))
		return false;
	*vlan = (int32_t)number;
	return true;
}

void tn_host_get(struct tn_call *c)
{
	struct tn_mac mac;
	int32_t vlan;

	if (host_of_path(c, &mac, &vlan))
		tn_object_answer(c, TN_KIND_HOST, tn_host_id(mac, vlan), "hosts", false, missing);
}

/* Adding. */

enum host_key { MAC, VLAN, ADDRESSES, LOCATIONS };

static const struct tn_json_key host_keys[] = {
	[MAC] = TN_JSON_KEY("mac"),
	[VLAN] = TN_JSON_KEY("vlan"),
	[ADDRESSES] = TN_JSON_KEY("ipAddresses"),
	[LOCATIONS] = TN_JSON_KEY("locations"),
	TN_JSON_KEY("id"), /* from here on what only answers carry */
	TN_JSON_KEY("innerVlan"),
	TN_JSON_KEY("outerTpid"),
	TN_JSON_KEY("configured"),
	TN_JSON_KEY("suspended"),
	TN_JSON_KEY("auxLocations"),
	TN_JSON_KEY("annotations"),
	TN_JSON_KEY("state"),
	TN_JSON_KEY("failure"),
	TN_JSON_KEY("failureName"),
	TN_JSON_KEY("generation"),
};

static bool read_vlan(struct tn_json_reader *r, tn_json_ref v, int32_t *vlan)
{
	int64_t number = VLAN_NONE;

	if (!(v->type == TN_JSON_STRING && tn_json_string_is(v->string, "None")) &&
		!tn_json_signed(r, v, VLAN_NONE, VLAN_MAX, TN_OF_OK, &number))
		return false;
	*vlan = (int32_t)number;
	return true;
}

static bool read_addresses(struct tn_json_reader *r, tn_json_ref array, struct tn_host *h)
{
	tn_json_ref v = tn_json_first(array);
	tn_u128 *list;
	bool ok = true;

	if (!tn_json_is_array(r, array, "an array of IP addresses"))
		return false;
	if (array->n > ADDRESSES_MAX)
		return tn_json_error(
			r, array, TN_OF_OK, "a host has at most %u addresses", ADDRESSES_MAX);
	list = tn_arena_alloc(r->codec->arena, array->n * sizeof(*list));
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(r->tape, v))
		ok &= tn_json_address(r, v, TN_JSON_IP_ANY, &list[i]);
	h->addresses = list;
	h->n_addresses = array->n;
	return ok;
}

static bool read_location(struct tn_json_reader *r, tn_json_ref array, uint32_t *port)
{
	static const char *const keys[] = {"elementId", "port", NULL};
	tn_json_ref v = tn_json_first(array), element, p;
	uint64_t dpid;

	if (array->type != TN_JSON_ARRAY || array->n != 1 || v->type != TN_JSON_OBJECT)
		return tn_json_error(
			r, array, TN_OF_OK, "give one location: [{\"elementId\":..,\"port\":..}]");
	if (!tn_json_only(r, v, "a location", keys))
		return false;
	element = tn_json_member(r, v, "elementId");
	if (element && !tn_json_read_dpid(r, element, &dpid))
		return false;
	if (element && dpid != r->codec->dpid)
		return tn_json_error(r, element, TN_OF_OK,
			"this is device of:%016" PRIx64 "; there is no other", r->codec->dpid);
	p = tn_json_needed(r, v, "a location", "port");
	return p && tn_json_port(r, p, TN_OFPBRC_BAD_PORT, port);
}

static bool read_host(struct tn_json_reader *r, tn_json_ref v, struct tn_host *h)
{
	tn_json_ref m[TN_ARRAY_SIZE(host_keys)];
	uint64_t mac = 0;
	bool ok;

	*h = (struct tn_host){.vlan = VLAN_NONE};
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a host must be an object");
	ok = tn_json_members(r, v, "a host", host_keys, TN_ARRAY_SIZE(host_keys), m);
	for (int i = MAC; i <= LOCATIONS; i++)
		if (!m[i])
			ok = tn_json_error(
				r, v, TN_OF_OK, "a host needs \"%s\"", host_keys[i].name);
	if (!ok)
		return false;
	ok = tn_json_mac(r, m[MAC], &mac);
	ok &= read_vlan(r, m[VLAN], &h->vlan);
	ok &= read_addresses(r, m[ADDRESSES], h);
	ok &= read_location(r, m[LOCATIONS], &h->port);
	h->mac = tn_mac_of(mac);
	return ok;
}

static void host_path(struct tn_call *c, const struct tn_host *h, char *buf, size_t size)
{
	char vlan[16] = "None";

	if (h->vlan >= 0)
		snprintf(vlan, sizeof(vlan), "%d", h->vlan);
	snprintf(buf, size, "%s/hosts/%02X:%02X:%02X:%02X:%02X:%02X/%s",
		c->onos ? "/onos/v1" : "/v1", h->mac.b[0], h->mac.b[1], h->mac.b[2], h->mac.b[3],
		h->mac.b[4], h->mac.b[5], vlan);
}

static void host_added(struct tn_call *c, const struct tn_outcome *o)
{
	const struct tn_result *r = &o->results[0];
	char location[64];

	host_path(c, &c->ops[0].host, location, sizeof(location));
	c->location = tn_arena_strdup(&c->arena, location);
	c->etag = r->generation;
	if (c->onos) {
		tn_answer_empty(c, 201);
		return;
	}
	tn_text_printf(&c->text, "{\"id\":\"%s\"}", strstr(location, "/hosts/") + 7);
	tn_answer_text(c, tn_answer_status(c, o, r->created ? 201 : 200), TN_TYPE_JSON);
}

static void post_switch(struct tn_call *c)
{
	struct tn_operation *op = tn_call_operation(c, TN_OP_HOST_ADD, "");
	struct tn_body b;
	bool ok = tn_body_read(c, &b) && read_host(&b.reader, b.tape.v, &op->host);

	if (tn_body_end(c, &b, ok))
		tn_call_submit(c, host_added);
}

void tn_hosts_post(struct tn_call *c)
{
	if (!tn_tenant_means_body(c, TN_TENANT_HOST))
		post_switch(c);
	else if (c->who.role == TN_ROLE_ADMIN && !c->who.tenant)
		tn_tenant_post(c, TN_TENANT_HOST);
	else
		tn_answer_of_error(c, 403, TN_OFPBRC_EPERM,
			"hosts of tenants' networks are declared by administrators");
}

void tn_host_delete(struct tn_call *c)
{
	struct tn_host host = {0};
	uint64_t generation;
	struct tn_operation *op;

	if (!host_of_path(c, &host.mac, &host.vlan))
		return;
	generation = tn_object_generation(c, TN_KIND_HOST, tn_host_id(host.mac, host.vlan));
	if (!tn_call_check_conditions(c, generation))
		return;
	if (generation) {
		op = tn_call_operation(c, TN_OP_HOST_REMOVE, "");
		op->host = host;
		op->if_generation = c->if_match ? generation : 0;
	}
	tn_call_submit(c, tn_answer_done);
}
