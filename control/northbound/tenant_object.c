/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenant objects as answers have them: what was declared and what has become of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/model/prefix.h"
#include "control/model/tenant_json.h"
#include "control/northbound/object.h"
#include "control/northbound/tenant.h"
#include "control/tenant/attach.h"

static void set_time(json_t *j, const char *key, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;
	char s[32];

	gmtime_r(&seconds, &tm);
	strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_object_set_new(j, key, json_string(s));
}

static void add_id(void *ctx, const struct tn_tenant_object *o)
{
	json_array_append_new(ctx, json_string(o->value.c.id));
}

static void add_state(json_t *j, enum tn_object_state state, const struct tn_error *failure)
{
	json_object_set_new(j, "state", json_string(tn_state_name(state)));
	if (!failure)
		return;
	json_object_set_new(j, "failure", json_string_nocheck(failure->detail));
	json_object_set_new(j, "failureName", json_string(tn_of_error_name(failure->of)));
}

/* What has become of it. */
static enum tn_object_state add_own_state(
	json_t *j, const struct tn_engine *e, const struct tn_object *o)
{
	const struct tn_error *failure;
	enum tn_object_state state = tn_engine_tenant_state(e, o, &failure);

	add_state(j, state, failure);
	return state;
}

static void add_status(
	json_t *j, const struct tn_engine *e, const struct tn_object *o, bool admin_state_up)
{
	static const char *const names[] = {
		[TN_STATE_PENDING_ADD] = "BUILD",
		[TN_STATE_ADDED] = "ACTIVE",
		[TN_STATE_PENDING_REMOVE] = "ACTIVE",
		[TN_STATE_FAILED] = "ERROR",
	};
	enum tn_object_state state = add_own_state(j, e, o);

	json_object_set_new(j, "status", json_string(admin_state_up ? names[state] : "DOWN"));
}

static void add_network(json_t *j, const struct tn_engine *e, const struct tn_network *n)
{
	json_t *subnets = json_array();

	tn_tenants_users(tn_engine_tenants(e), TN_TENANT_NETWORK, n->c.id, TN_TENANT_SUBNET, add_id,
		subnets);
	json_object_set_new(j, "mtu", json_integer(tn_tenants_mtu(tn_engine_tenants(e), n)));
	json_object_set_new(j, "provider:network_type", json_string("vxlan"));
	json_object_set_new(j, "provider:segmentation_id", json_integer(n->vni));
	json_object_set_new(j, "subnets", subnets);
}

/* What is attached to this host is so when its flows are there, too. */
static enum tn_attachment with_flows(enum tn_attachment attachment, enum tn_object_state state)
{
	if (attachment != TN_ATTACHED_UP && attachment != TN_ATTACHED_DOWN)
		return attachment;
	if (state == TN_STATE_FAILED)
		return TN_ATTACHED_FAILED;
	return state == TN_STATE_PENDING_ADD ? TN_ATTACHED_PENDING : attachment;
}

static void add_attachment(json_t *j, const struct tn_engine *e, const struct tn_object *o)
{
	const struct tn_tenant_port *p = &o->tenants->value.port;
	static const char *const names[] = {
		[TN_ATTACHED_NOWHERE] = "DOWN",
		[TN_ATTACHED_ELSEWHERE] = "N/A",
		[TN_ATTACHED_PENDING] = "BUILD",
		[TN_ATTACHED_DOWN] = "DOWN",
		[TN_ATTACHED_UP] = "ACTIVE",
		[TN_ATTACHED_FAILED] = "ERROR",
	};
	const struct tn_error *failure;
	enum tn_object_state state = tn_engine_tenant_state(e, o, &failure);
	uint32_t number;
	enum tn_attachment attachment = with_flows(tn_engine_attachment(e, p, &number), state);

	json_object_set_new(j, "status", json_string(names[attachment]));
	if (attachment == TN_ATTACHED_FAILED)
		add_state(j, TN_STATE_FAILED,
			failure ? failure : tn_engine_attachment_failure(e, number));
	else
		add_state(j, attachment == TN_ATTACHED_PENDING ? TN_STATE_PENDING_ADD : state,
			failure);
	if (number)
		json_object_set_new(
			json_object_get(j, "binding"), "switch_port", json_integer(number));
	else if (attachment == TN_ATTACHED_PENDING && p->binding.kind == TN_BINDING_BAREMETAL)
		json_object_set_new(j, "failure",
			json_sprintf("the switch of this host has no port \"%s\" yet: add it, with "
				     "type nic or another",
				p->binding.device));
}

static bool may_send_from(const struct tn_tenant_port *p, tn_u128 address)
{
	if (!p->port_security_enabled)
		return true;
	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		if (p->fixed_ips[i].ip_address == address)
			return true;
	}
	for (uint32_t i = 0; i < p->n_allowed_address_pairs; i++) {
		const struct tn_address_pair *a = &p->allowed_address_pairs[i];

		if (tn_prefix_holds(&a->ip_address, address) &&
			(!a->has_mac || !memcmp(&a->mac_address, &p->mac_address, 6)))
			return true;
	}
	return false;
}

/* The machine makes itself an address, as it is told to, that its frames then may not come from. */
static json_t *formed_warning(const struct tn_subnet *s, tn_u128 formed)
{
	json_t *address = tn_json_from_address(formed, TN_JSON_IP_ANY);
	json_t *warning = json_sprintf(
		"\"ipv6_address_mode\" of subnet \"%s\" lets the machine make itself %s, from which "
		"port security drops what it sends: give the port that address, alone or too, in "
		"\"fixed_ips\", or make the subnet \"dhcpv6-stateful\"",
		s->c.id, json_string_value(address));

	json_decref(address);
	return warning;
}

static void add_warnings(json_t *j, const struct tn_engine *e, const struct tn_tenant_port *p)
{
	json_t *warnings = json_array();

	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		const struct tn_tenant_object *o = tn_tenants_get(
			tn_engine_tenants(e), TN_TENANT_SUBNET, p->fixed_ips[i].subnet_id);
		const struct tn_subnet *s = o ? &o->value.subnet : NULL;
		tn_u128 formed;

		if (!s || !tn_subnet_is_autonomous(s))
			continue;
		formed = tn_prefix_eui64(&s->cidr, p->mac_address);
		if (!may_send_from(p, formed))
			json_array_append_new(warnings, formed_warning(s, formed));
	}
	if (json_array_size(warnings))
		json_object_set(j, "warnings", warnings);
	json_decref(warnings);
}

static void add_port(json_t *j, const struct tn_engine *e, const struct tn_object *o)
{
	const struct tn_tenant_port *p = &o->tenants->value.port;
	json_t *binding = json_object_get(j, "binding");
	char socket[TN_VHOST_SOCKET_MAX];

	add_attachment(j, e, o);
	add_warnings(j, e, p);
	if (p->binding.kind == TN_BINDING_VM) {
		tn_vhost_socket(p, socket);
		json_object_set_new(binding, "socket", json_string(socket));
	}
}

static void add_router(json_t *j, const struct tn_engine *e, const struct tn_router *router)
{
	json_t *interfaces = json_object_get(j, "interfaces");

	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		const struct tn_tenant_object *subnet = tn_tenants_get(
			tn_engine_tenants(e), TN_TENANT_SUBNET, router->interfaces[i].subnet_id);

		if (subnet && subnet->value.subnet.has_gateway)
			json_object_set_new(json_array_get(interfaces, i), "ip_address",
				tn_json_from_address(
					subnet->value.subnet.gateway_ip, TN_JSON_IP_ANY));
	}
}

static void add_quota(json_t *j, const struct tn_engine *e, const struct tn_tenant_quota *q)
{
	static const enum tn_tenant_kind kinds[] = {TN_TENANT_NETWORK, TN_TENANT_SUBNET,
		TN_TENANT_PORT, TN_TENANT_ROUTER, TN_TENANT_QOS_POLICY, TN_TENANT_ADDRESS_GROUP};
	json_t *used = json_object();

	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++)
		json_object_set_new(used, tn_tenant_kind_name(kinds[i]),
			json_integer(tn_tenants_owned(tn_engine_tenants(e), kinds[i], q->c.id)));
	json_object_set_new(j, "used", used);
}

json_t *tn_tenant_object_json(
	const struct tn_engine *e, const struct tn_object *o, enum tn_object_form form)
{
	const struct tn_tenant_value *v = &o->tenants->value;
	json_t *j = tn_tenant_to_json(v);

	if (form == TN_OBJECT_PLAIN)
		return j;
	if (json_object_get(j, "tenant_id"))
		json_object_set_new(j, "project_id", json_string(v->c.tenant_id));
	json_object_set_new(j, "revision_number", json_integer((json_int_t)o->generation));
	set_time(j, "created_at", o->created_ns);
	switch (v->kind) {
	case TN_TENANT_NETWORK:
		add_network(j, e, &v->network);
		add_status(j, e, o, v->network.admin_state_up);
		break;
	case TN_TENANT_PORT:
		add_port(j, e, o);
		break;
	case TN_TENANT_ROUTER:
		add_router(j, e, &v->router);
		add_status(j, e, o, v->router.admin_state_up);
		break;
	case TN_TENANT_HOST:
		json_object_set_new(
			j, "is_self", json_boolean(strcmp(v->c.id, tn_engine_host(e)) == 0));
		break;
	case TN_TENANT_QUOTA:
		add_quota(j, e, &v->quota);
		break;
	case TN_TENANT_SUBNET:
		(void)add_own_state(j, e, o);
		break;
	case TN_TENANT_QOS_POLICY:
	case TN_TENANT_ADDRESS_GROUP:
	case TN_TENANT_N_KINDS:
		break;
	}
	return j;
}
