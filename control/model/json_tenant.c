/* SPDX-License-Identifier: BSD-3-Clause */
/* What tenant objects have in common in JSON, and the kinds that are small. */
#include "control/model/tenant_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/json_codec.h"
#include "control/model/prefix.h"

#define TEXT_MAX	 255u
#define KEYS_MAX	 48u
#define VNI_MAX		 0xffffffu
#define MTU_MIN		 68u
#define VTEPS_MAX	 8u
#define INTERFACES_MAX	 256u
#define ROUTES_MAX	 4096u
#define ADDRESSES_MAX	 4096u
#define UNDERLAY_MTU_MIN 576u

/* Members. */

bool tn_tenant_is_id(const char *s, size_t len)
{
	if (len < 1 || len > TN_TENANT_ID_MAX || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    c == '-' || c == '_' || c == '.' || c == ':'))
			return false;
	}
	return true;
}

static const char *copy_string(struct tn_json_reader *r, struct tn_json_string s)
{
	char *copy = tn_arena_alloc(r->codec->arena, s.len + 1u);

	memcpy(copy, s.p, s.len);
	return copy;
}

static bool is_empty(tn_json_ref v)
{
	return v->type == TN_JSON_NULL || (v->type == TN_JSON_STRING && v->string.len == 0);
}

void tn_tenant_read_bool(struct tn_tenant_members *o, unsigned key, bool *out)
{
	if (o->m[key] && !tn_json_bool(o->r, o->m[key], out))
		o->ok = false;
}

void tn_tenant_read_u32(
	struct tn_tenant_members *o, unsigned key, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t n;

	if (!o->m[key])
		return;
	if (tn_json_unsigned(o->r, o->m[key], min, max, TN_OF_OK, &n))
		*out = (uint32_t)n;
	else
		o->ok = false;
}

void tn_tenant_read_text(struct tn_tenant_members *o, unsigned key, size_t max, const char **out)
{
	struct tn_json_string s;

	if (!o->m[key])
		return;
	if (is_empty(o->m[key]))
		*out = "";
	else if (tn_json_text(o->r, o->m[key], max, &s))
		*out = copy_string(o->r, s);
	else
		o->ok = false;
}

static void read_id(struct tn_tenant_members *o, tn_json_ref v, const char **out)
{
	char found[96];

	if (v->type == TN_JSON_STRING && tn_tenant_is_id(v->string.p, v->string.len))
		*out = copy_string(o->r, v->string);
	else
		o->ok = tn_json_error(o->r, v, TN_OF_OK,
			"%s is no id; give 1 to %u letters, digits, '-', '_', '.' or ':', the first "
			"one a letter or digit",
			tn_json_describe(v, found, sizeof(found)), TN_TENANT_ID_MAX);
}

void tn_tenant_read_reference(struct tn_tenant_members *o, unsigned key, const char **out)
{
	if (!o->m[key])
		return;
	if (is_empty(o->m[key]))
		*out = "";
	else
		read_id(o, o->m[key], out);
}

void tn_tenant_need_reference(
	struct tn_tenant_members *o, unsigned key, const char *name, const char **out)
{
	if (o->m[key])
		read_id(o, o->m[key], out);
	else
		o->ok = tn_json_error(o->r, o->v, TN_OF_OK, "%s needs \"%s\"", o->what, name);
}

int tn_tenant_read_word(struct tn_tenant_members *o, unsigned key, const char *const *words)
{
	char found[96], all[160] = "";
	tn_json_ref v = o->m[key];
	size_t n = 0;

	if (!v)
		return -1;
	for (int i = 0; words[i]; i++)
		if (v->type == TN_JSON_STRING && tn_json_string_is(v->string, words[i]))
			return i;
	for (int i = 0; words[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(
			all + n, sizeof(all) - n, "%s\"%s\"", i ? ", " : "", words[i]);
	o->ok = tn_json_error(o->r, v, TN_OF_OK, "%s is none of %s",
		tn_json_describe(v, found, sizeof(found)), all);
	return -1;
}

tn_json_ref tn_tenant_read_array(struct tn_tenant_members *o, unsigned key, uint32_t max)
{
	tn_json_ref v = o->m[key];

	if (!v)
		return NULL;
	if (!tn_json_is_array(o->r, v, "an array")) {
		o->ok = false;
		return NULL;
	}
	if (v->n > max) {
		o->ok = tn_json_error(
			o->r, v, TN_OF_OK, "%u elements; there can be %u at most", v->n, max);
		return NULL;
	}
	return v;
}

bool tn_tenant_read_address(struct tn_json_reader *r, tn_json_ref v, tn_u128 *out)
{
	uint32_t ip4;
	bool station;

	if (!tn_json_address(r, v, TN_JSON_IP_ANY, out))
		return false;
	if (tn_u128_is_ip4(*out, &ip4))
		station = ip4 >> 24 != 0 && ip4 >> 24 != 127 && ip4 < 0xe0000000u;
	else
		station = *out >> 96 != 0 && (uint8_t)(*out >> 120) != 0xff;
	return station || tn_json_error(r, v, TN_OF_OK, "not the address of one station; give one");
}

bool tn_tenant_read_prefix(struct tn_json_reader *r, tn_json_ref v, struct tn_prefix *out)
{
	char found[96];

	if (!tn_json_network(r, v, &out->address, &out->len, &out->is_ip4))
		return false;
	if (!out->is_ip4 && out->len < 96 && tn_address_is_ip4(out->address))
		return tn_json_error(r, v, TN_OF_OK, "write IPv4 addresses as a.b.c.d/length");
	return out->address == tn_prefix_first(out) ||
		tn_json_error(r, v, TN_OF_OK,
			"%s has bits set behind its length; give the network's address",
			tn_json_describe(v, found, sizeof(found)));
}

bool tn_tenant_read_route(struct tn_json_reader *r, tn_json_ref v, const char *what,
	struct tn_prefix *destination, tn_u128 *next_hop)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("destination"), TN_JSON_KEY("nexthop")};
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	bool ok;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", what);
	ok = tn_json_members(r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	ok &= m[0] ? tn_tenant_read_prefix(r, m[0], destination)
		   : tn_json_needed(r, v, what, "destination") != NULL;
	ok &= m[1] ? tn_tenant_read_address(r, m[1], next_hop)
		   : tn_json_needed(r, v, what, "nexthop") != NULL;
	if (ok && tn_address_is_ip4(*next_hop) != destination->is_ip4)
		ok = tn_json_error(r, m[1], TN_OF_OK,
			"\"destination\" and \"nexthop\" are of two families; give both as IPv4 or "
			"both as IPv6");
	return ok;
}

json_t *tn_tenant_write_prefix(const struct tn_prefix *p)
{
	return tn_json_from_prefix(p->address, tn_prefix_mask(p), TN_JSON_IP_ANY);
}

json_t *tn_tenant_write_route(const struct tn_prefix *destination, tn_u128 next_hop)
{
	json_t *j = json_object();

	json_object_set_new(j, "destination", tn_tenant_write_prefix(destination));
	json_object_set_new(j, "nexthop", tn_json_from_address(next_hop, TN_JSON_IP_ANY));
	return j;
}

json_t *tn_tenant_write_mac(const struct tn_mac *mac)
{
	char s[18];

	snprintf(s, sizeof(s), "%02x:%02x:%02x:%02x:%02x:%02x", mac->b[0], mac->b[1], mac->b[2],
		mac->b[3], mac->b[4], mac->b[5]);
	return json_string(s);
}

json_t *tn_tenant_write_reference(const char *id)
{
	return id[0] ? json_string(id) : json_null();
}

/* Networks. */

static const char *const unicast_words[] = {
	[TN_UNKNOWN_DROP] = "drop", [TN_UNKNOWN_FLOOD] = "flood", NULL};

enum network_key {
	NETWORK_VNI = TN_KEY_FIRST,
	NETWORK_SEGMENT,
	NETWORK_MTU,
	NETWORK_UP,
	NETWORK_SECURITY,
	NETWORK_UNICAST,
	NETWORK_SNOOPING,
	NETWORK_QOS,
	NETWORK_TYPE,
	N_NETWORK_KEYS
};

static const struct tn_json_key network_keys[] = {
	TN_TENANT_COMMON_KEYS,
	[NETWORK_VNI] = TN_JSON_KEY("vni"),
	[NETWORK_SEGMENT] = TN_JSON_KEY("provider:segmentation_id"),
	[NETWORK_MTU] = TN_JSON_KEY("mtu"),
	[NETWORK_UP] = TN_JSON_KEY("admin_state_up"),
	[NETWORK_SECURITY] = TN_JSON_KEY("port_security_enabled"),
	[NETWORK_UNICAST] = TN_JSON_KEY("unknown_unicast"),
	[NETWORK_SNOOPING] = TN_JSON_KEY("multicast_snooping"),
	[NETWORK_QOS] = TN_JSON_KEY("qos_policy_id"),
	[NETWORK_TYPE] = TN_JSON_KEY("provider:network_type"),
	TN_TENANT_ANSWER_KEYS,
	TN_JSON_KEY("subnets"),
};

static void read_network(struct tn_tenant_members *o, struct tn_tenant_value *value)
{
	struct tn_network *n = &value->network;
	static const char *const types[] = {"vxlan", NULL};
	uint32_t segment = 0;
	int word;

	n->admin_state_up = true;
	n->port_security_enabled = true;
	n->multicast_snooping = true;
	n->qos_policy_id = "";
	tn_tenant_read_u32(o, NETWORK_VNI, 0, VNI_MAX, &n->vni);
	tn_tenant_read_u32(o, NETWORK_SEGMENT, 0, VNI_MAX, &segment);
	if (o->ok && o->m[NETWORK_VNI] && o->m[NETWORK_SEGMENT] && segment != n->vni)
		o->ok = tn_json_error(o->r, o->m[NETWORK_SEGMENT], TN_OF_OK,
			"\"vni\" is %u and \"provider:segmentation_id\" %u, which mean the same; "
			"give one",
			n->vni, segment);
	if (!o->m[NETWORK_VNI])
		n->vni = segment;
	tn_tenant_read_u32(o, NETWORK_MTU, 0, UINT16_MAX, &n->mtu);
	if (n->mtu && n->mtu < MTU_MIN)
		o->ok = tn_json_error(o->r, o->m[NETWORK_MTU], TN_OF_OK,
			"an MTU of %u is below %u, the least of IPv4; give more, or 0 to have it "
			"computed",
			n->mtu, MTU_MIN);
	tn_tenant_read_bool(o, NETWORK_UP, &n->admin_state_up);
	tn_tenant_read_bool(o, NETWORK_SECURITY, &n->port_security_enabled);
	tn_tenant_read_bool(o, NETWORK_SNOOPING, &n->multicast_snooping);
	word = tn_tenant_read_word(o, NETWORK_UNICAST, unicast_words);
	if (word >= 0)
		n->unknown_unicast = (enum tn_unknown_unicast)word;
	tn_tenant_read_reference(o, NETWORK_QOS, &n->qos_policy_id);
	if (!o->m[NETWORK_QOS])
		value->unset |= TN_UNSET_QOS_POLICY;
	(void)tn_tenant_read_word(o, NETWORK_TYPE, types);
}

static void write_network(json_t *j, const struct tn_network *n)
{
	if (n->vni)
		json_object_set_new(j, "vni", json_integer(n->vni));
	if (n->mtu)
		json_object_set_new(j, "mtu", json_integer(n->mtu));
	json_object_set_new(j, "admin_state_up", json_boolean(n->admin_state_up));
	json_object_set_new(j, "port_security_enabled", json_boolean(n->port_security_enabled));
	json_object_set_new(j, "unknown_unicast", json_string(unicast_words[n->unknown_unicast]));
	json_object_set_new(j, "multicast_snooping", json_boolean(n->multicast_snooping));
	json_object_set_new(j, "qos_policy_id", tn_tenant_write_reference(n->qos_policy_id));
}

/* Routers. */

enum router_key { ROUTER_UP = TN_KEY_FIRST, ROUTER_INTERFACES, ROUTER_ROUTES, N_ROUTER_KEYS };

static const struct tn_json_key router_keys[] = {
	TN_TENANT_COMMON_KEYS,
	[ROUTER_UP] = TN_JSON_KEY("admin_state_up"),
	[ROUTER_INTERFACES] = TN_JSON_KEY("interfaces"),
	[ROUTER_ROUTES] = TN_JSON_KEY("routes"),
	TN_TENANT_ANSWER_KEYS,
};

static void read_interface(
	struct tn_tenant_members *o, tn_json_ref v, struct tn_router_interface *interface)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("subnet_id"), TN_JSON_KEY("ip_address")};
	static const char what[] = "an interface of a router";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	struct tn_tenant_members one = {.r = o->r, .v = v, .what = what, .m = m, .ok = true};

	interface->subnet_id = "";
	if (v->type != TN_JSON_OBJECT) {
		o->ok = tn_json_error(o->r, v, TN_OF_OK, "%s must be an object", what);
		return;
	}
	one.ok = tn_json_members(o->r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	tn_tenant_need_reference(&one, 0, "subnet_id", &interface->subnet_id);
	o->ok &= one.ok;
}

static void read_router(struct tn_tenant_members *o, struct tn_router *router)
{
	struct tn_router_interface *interfaces;
	struct tn_router_route *routes;
	tn_json_ref array, v;

	router->admin_state_up = true;
	tn_tenant_read_bool(o, ROUTER_UP, &router->admin_state_up);
	array = tn_tenant_read_array(o, ROUTER_INTERFACES, INTERFACES_MAX);
	if (array) {
		interfaces =
			tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*interfaces));
		v = tn_json_first(array);
		for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v))
			read_interface(o, v, &interfaces[i]);
		router->interfaces = interfaces;
		router->n_interfaces = array->n;
	}
	array = tn_tenant_read_array(o, ROUTER_ROUTES, ROUTES_MAX);
	if (!array)
		return;
	routes = tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*routes));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v))
		o->ok &= tn_tenant_read_route(o->r, v, "a route of a router",
			&routes[i].destination, &routes[i].next_hop);
	router->routes = routes;
	router->n_routes = array->n;
}

static void write_router(json_t *j, const struct tn_router *router)
{
	json_t *array = json_array();

	json_object_set_new(j, "admin_state_up", json_boolean(router->admin_state_up));
	for (uint32_t i = 0; i < router->n_interfaces; i++)
		json_array_append_new(
			array, json_pack("{s:s}", "subnet_id", router->interfaces[i].subnet_id));
	json_object_set_new(j, "interfaces", array);
	array = json_array();
	for (uint32_t i = 0; i < router->n_routes; i++)
		json_array_append_new(array,
			tn_tenant_write_route(
				&router->routes[i].destination, router->routes[i].next_hop));
	json_object_set_new(j, "routes", array);
}

/* Hosts. */

enum host_key { HOST_VTEPS = TN_KEY_FIRST, HOST_MTU, N_HOST_KEYS };

static const struct tn_json_key host_keys[] = {
	TN_TENANT_COMMON_KEYS,
	[HOST_VTEPS] = TN_JSON_KEY("vtep_addresses"),
	[HOST_MTU] = TN_JSON_KEY("underlay_mtu"),
	TN_TENANT_ANSWER_KEYS,
	TN_JSON_KEY("is_self"),
};

static void read_host(struct tn_tenant_members *o, struct tn_tenant_host *host)
{
	tn_u128 *addresses;
	tn_json_ref array, v;

	tn_tenant_read_u32(o, HOST_MTU, 0, UINT16_MAX, &host->underlay_mtu);
	if (host->underlay_mtu && host->underlay_mtu < UNDERLAY_MTU_MIN)
		o->ok = tn_json_error(o->r, o->m[HOST_MTU], TN_OF_OK,
			"an underlay with an MTU below %u carries no network; give more",
			UNDERLAY_MTU_MIN);
	array = tn_tenant_read_array(o, HOST_VTEPS, VTEPS_MAX);
	if (!array || !array->n) {
		if (!o->m[HOST_VTEPS] || array)
			o->ok = tn_json_error(o->r, array ? array : o->v, TN_OF_OK,
				"a host needs one address of its tunnels at least in "
				"\"vtep_addresses\"");
		return;
	}
	addresses = tn_arena_alloc(o->r->codec->arena, array->n * sizeof(*addresses));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v))
		o->ok &= tn_tenant_read_address(o->r, v, &addresses[i]);
	host->vtep_addresses = addresses;
	host->n_vtep_addresses = array->n;
}

static void write_host(json_t *j, const struct tn_tenant_host *host)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < host->n_vtep_addresses; i++)
		json_array_append_new(
			array, tn_json_from_address(host->vtep_addresses[i], TN_JSON_IP_ANY));
	json_object_set_new(j, "vtep_addresses", array);
	if (host->underlay_mtu)
		json_object_set_new(j, "underlay_mtu", json_integer(host->underlay_mtu));
}

/* Address groups. */

enum group_key { GROUP_ADDRESSES = TN_KEY_FIRST, N_GROUP_KEYS };

static const struct tn_json_key group_keys[] = {
	TN_TENANT_COMMON_KEYS,
	[GROUP_ADDRESSES] = TN_JSON_KEY("addresses"),
	TN_TENANT_ANSWER_KEYS,
};

static void read_group(struct tn_tenant_members *o, struct tn_address_group *group)
{
	tn_json_ref array = tn_tenant_read_array(o, GROUP_ADDRESSES, ADDRESSES_MAX), v;
	struct tn_prefix *list;

	if (!array)
		return;
	list = tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*list));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v))
		o->ok &= tn_tenant_read_prefix(o->r, v, &list[i]);
	group->addresses = list;
	group->n_addresses = array->n;
}

static void write_group(json_t *j, const struct tn_address_group *group)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < group->n_addresses; i++)
		json_array_append_new(array, tn_tenant_write_prefix(&group->addresses[i]));
	json_object_set_new(j, "addresses", array);
}

/* Quotas. */

enum quota_key {
	QUOTA_NETWORK = TN_KEY_FIRST,
	QUOTA_SUBNET,
	QUOTA_PORT,
	QUOTA_ROUTER,
	QUOTA_QOS_POLICY,
	QUOTA_ADDRESS_GROUP,
	N_QUOTA_KEYS
};

static const struct tn_json_key quota_keys[] = {
	TN_TENANT_COMMON_KEYS,
	[QUOTA_NETWORK] = TN_JSON_KEY("network"),
	[QUOTA_SUBNET] = TN_JSON_KEY("subnet"),
	[QUOTA_PORT] = TN_JSON_KEY("port"),
	[QUOTA_ROUTER] = TN_JSON_KEY("router"),
	[QUOTA_QOS_POLICY] = TN_JSON_KEY("qos_policy"),
	[QUOTA_ADDRESS_GROUP] = TN_JSON_KEY("address_group"),
	TN_TENANT_ANSWER_KEYS,
	TN_JSON_KEY("used"),
};

static int32_t *quota_member(struct tn_tenant_quota *q, unsigned key)
{
	switch ((enum quota_key)key) {
	case QUOTA_NETWORK:
		return &q->networks;
	case QUOTA_SUBNET:
		return &q->subnets;
	case QUOTA_PORT:
		return &q->ports;
	case QUOTA_ROUTER:
		return &q->routers;
	case QUOTA_QOS_POLICY:
		return &q->qos_policies;
	default:
		return &q->address_groups;
	}
}

static void read_quota(struct tn_tenant_members *o, struct tn_tenant_quota *q)
{
	int64_t n;

	for (unsigned key = QUOTA_NETWORK; key < N_QUOTA_KEYS; key++) {
		n = -1;
		if (o->m[key])
			o->ok &= tn_json_signed(o->r, o->m[key], -1, INT32_MAX, TN_OF_OK, &n);
		*quota_member(q, key) = (int32_t)n;
	}
}

static void write_quota(json_t *j, const struct tn_tenant_quota *quota)
{
	struct tn_tenant_quota q = *quota;

	for (unsigned key = QUOTA_NETWORK; key < N_QUOTA_KEYS; key++)
		json_object_set_new(j, quota_keys[key].name, json_integer(*quota_member(&q, key)));
}

/* All of them. */

static const char *const kind_names[TN_TENANT_N_KINDS] = {
	[TN_TENANT_NETWORK] = "network",
	[TN_TENANT_SUBNET] = "subnet",
	[TN_TENANT_PORT] = "port",
	[TN_TENANT_ROUTER] = "router",
	[TN_TENANT_HOST] = "host",
	[TN_TENANT_QOS_POLICY] = "qos_policy",
	[TN_TENANT_ADDRESS_GROUP] = "address_group",
	[TN_TENANT_QUOTA] = "quota",
};

static const char *const kind_plurals[TN_TENANT_N_KINDS] = {
	[TN_TENANT_NETWORK] = "networks",
	[TN_TENANT_SUBNET] = "subnets",
	[TN_TENANT_PORT] = "ports",
	[TN_TENANT_ROUTER] = "routers",
	[TN_TENANT_HOST] = "hosts",
	[TN_TENANT_QOS_POLICY] = "qos_policies",
	[TN_TENANT_ADDRESS_GROUP] = "address_groups",
	[TN_TENANT_QUOTA] = "quotas",
};

const char *tn_tenant_kind_name(enum tn_tenant_kind kind)
{
	return kind < TN_TENANT_N_KINDS ? kind_names[kind] : "object";
}

const char *tn_tenant_kind_plural(enum tn_tenant_kind kind)
{
	return kind < TN_TENANT_N_KINDS ? kind_plurals[kind] : "objects";
}

static const struct tn_json_key *keys_of(enum tn_tenant_kind kind, size_t *n)
{
	switch (kind) {
	case TN_TENANT_NETWORK:
		*n = TN_ARRAY_SIZE(network_keys);
		return network_keys;
	case TN_TENANT_SUBNET:
		*n = tn_tenant_n_subnet_keys;
		return tn_tenant_subnet_keys;
	case TN_TENANT_PORT:
		*n = tn_tenant_n_port_keys;
		return tn_tenant_port_keys;
	case TN_TENANT_ROUTER:
		*n = TN_ARRAY_SIZE(router_keys);
		return router_keys;
	case TN_TENANT_HOST:
		*n = TN_ARRAY_SIZE(host_keys);
		return host_keys;
	case TN_TENANT_QOS_POLICY:
		*n = tn_tenant_n_qos_keys;
		return tn_tenant_qos_keys;
	case TN_TENANT_ADDRESS_GROUP:
		*n = TN_ARRAY_SIZE(group_keys);
		return group_keys;
	default:
		*n = TN_ARRAY_SIZE(quota_keys);
		return quota_keys;
	}
}

/* "tenant_id" and "project_id" are one thing under two names. */
static void read_owner(struct tn_tenant_members *o, struct tn_tenant_value *value)
{
	const char *project = NULL;

	value->c.tenant_id = NULL;
	tn_tenant_read_reference(o, TN_KEY_TENANT, &value->c.tenant_id);
	tn_tenant_read_reference(o, TN_KEY_PROJECT, &project);
	if (value->c.tenant_id && project && strcmp(value->c.tenant_id, project) != 0)
		o->ok = tn_json_error(o->r, o->m[TN_KEY_PROJECT], TN_OF_OK,
			"\"tenant_id\" and \"project_id\" mean the same and differ; give one");
	if (!value->c.tenant_id)
		value->c.tenant_id = project ? project : "";
	if ((value->kind == TN_TENANT_HOST || value->kind == TN_TENANT_QUOTA) &&
		value->c.tenant_id[0] && strcmp(value->c.tenant_id, value->c.id) != 0)
		o->ok = tn_json_error(o->r,
			o->m[TN_KEY_TENANT] ? o->m[TN_KEY_TENANT] : o->m[TN_KEY_PROJECT], TN_OF_OK,
			"%s belongs to no tenant; leave it out", o->what);
	if (value->kind == TN_TENANT_HOST || value->kind == TN_TENANT_QUOTA)
		value->c.tenant_id = "";
}

/* Whose a quota is may be said as "tenant_id", too; "*": everybody's. */
static void read_quota_id(struct tn_tenant_members *o, struct tn_tenant_value *value)
{
	tn_json_ref v = o->m[TN_KEY_ID] ? o->m[TN_KEY_ID] : o->m[TN_KEY_TENANT];

	if (v && v->type == TN_JSON_STRING && tn_json_string_is(v->string, "*"))
		value->c.id = "*";
	else if (v)
		read_id(o, v, &value->c.id);
}

static void read_common(struct tn_tenant_members *o, struct tn_tenant_value *value)
{
	value->c.id = "";
	value->c.name = "";
	value->c.description = "";
	if (value->kind == TN_TENANT_QUOTA)
		read_quota_id(o, value);
	else if (o->m[TN_KEY_ID])
		read_id(o, o->m[TN_KEY_ID], &value->c.id);
	tn_tenant_read_text(o, TN_KEY_NAME, TEXT_MAX, &value->c.name);
	tn_tenant_read_text(o, TN_KEY_DESCRIPTION, TEXT_MAX, &value->c.description);
	if (value->kind == TN_TENANT_HOST && !o->m[TN_KEY_ID] && o->m[TN_KEY_NAME])
		read_id(o, o->m[TN_KEY_NAME], &value->c.id);
	read_owner(o, value);
}

bool tn_json_read_tenant(struct tn_json_reader *r, tn_json_ref v, enum tn_tenant_kind kind,
	struct tn_tenant_value *value)
{
	static const char *const articles[TN_TENANT_N_KINDS] = {"a network", "a subnet", "a port",
		"a router", "a host", "a QoS policy", "an address group", "a quota"};
	tn_json_ref m[KEYS_MAX];
	struct tn_tenant_members o = {.r = r, .v = v, .what = articles[kind], .m = m};
	const struct tn_json_key *keys;
	size_t n;

	memset(value, 0, sizeof(*value));
	value->kind = kind;
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", o.what);
	keys = keys_of(kind, &n);
	o.ok = tn_json_members(r, v, o.what, keys, n, m);
	read_common(&o, value);
	switch (kind) {
	case TN_TENANT_NETWORK:
		read_network(&o, value);
		break;
	case TN_TENANT_SUBNET:
		tn_tenant_read_subnet(&o, &value->subnet);
		break;
	case TN_TENANT_PORT:
		tn_tenant_read_port(&o, value);
		break;
	case TN_TENANT_ROUTER:
		read_router(&o, &value->router);
		break;
	case TN_TENANT_HOST:
		read_host(&o, &value->host);
		break;
	case TN_TENANT_QOS_POLICY:
		tn_tenant_read_qos_policy(&o, &value->qos_policy);
		break;
	case TN_TENANT_ADDRESS_GROUP:
		read_group(&o, &value->address_group);
		break;
	case TN_TENANT_QUOTA:
	case TN_TENANT_N_KINDS:
		read_quota(&o, &value->quota);
		break;
	}
	return o.ok;
}

static json_t *write_common(const struct tn_tenant_value *value)
{
	json_t *j = json_object();

	json_object_set_new(j, "id", json_string(value->c.id));
	json_object_set_new(j, "name", json_string(value->c.name));
	if (value->kind != TN_TENANT_HOST && value->kind != TN_TENANT_QUOTA)
		json_object_set_new(j, "tenant_id", json_string(value->c.tenant_id));
	if (value->c.description[0])
		json_object_set_new(j, "description", json_string(value->c.description));
	return j;
}

/* What the client did not say. */
static void leave_out(json_t *j, unsigned unset)
{
	if (unset & TN_UNSET_FIXED_IPS)
		json_object_del(j, "fixed_ips");
	if (unset & TN_UNSET_PORT_SECURITY)
		json_object_del(j, "port_security_enabled");
	if (unset & TN_UNSET_BINDING)
		json_object_del(j, "binding");
	if (unset & TN_UNSET_QOS_POLICY)
		json_object_del(j, "qos_policy_id");
}

json_t *tn_tenant_to_json(const struct tn_tenant_value *value)
{
	json_t *j = write_common(value);

	switch (value->kind) {
	case TN_TENANT_NETWORK:
		write_network(j, &value->network);
		break;
	case TN_TENANT_SUBNET:
		tn_tenant_write_subnet(j, &value->subnet);
		break;
	case TN_TENANT_PORT:
		tn_tenant_write_port(j, &value->port);
		break;
	case TN_TENANT_ROUTER:
		write_router(j, &value->router);
		break;
	case TN_TENANT_HOST:
		write_host(j, &value->host);
		break;
	case TN_TENANT_QOS_POLICY:
		tn_tenant_write_qos_policy(j, &value->qos_policy);
		break;
	case TN_TENANT_ADDRESS_GROUP:
		write_group(j, &value->address_group);
		break;
	case TN_TENANT_QUOTA:
		write_quota(j, &value->quota);
		break;
	case TN_TENANT_N_KINDS:
		break;
	}
	leave_out(j, value->unset);
	return j;
}

int tn_tenant_parse(enum tn_tenant_kind kind, const char *text, size_t len, struct tn_arena *arena,
	struct tn_diagnostics *diag, struct tn_tenant_value *value)
{
	struct tn_codec codec = {.arena = arena, .diag = diag};
	struct tn_json_source source;
	struct tn_json_reader reader;
	struct tn_json_tape tape;
	size_t before = diag->n + diag->dropped;
	bool ok;

	tn_json_tape_init(&tape);
	tn_json_source_init(&source, text, len, diag);
	ok = tn_json_value(&source, &tape) && tn_json_end(&source) &&
		diag->n + diag->dropped == before;
	reader = (struct tn_json_reader){.codec = &codec, .tape = &tape, .base = ""};
	ok = ok && tn_json_read_tenant(&reader, tape.v, kind, value);
	tn_json_tape_fini(&tape);
	return ok ? 0 : -EINVAL;
}
