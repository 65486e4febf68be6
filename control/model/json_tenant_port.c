/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of tenants in JSON: addresses, what is allowed to them, where they are attached. */
#include <string.h>

#include "control/model/json_codec.h"
#include "control/model/json_document.h"
#include "control/model/prefix.h"
#include "control/model/tenant_json.h"

#define FIXED_IPS_MAX	 64u
#define PAIRS_MAX	 64u
#define OPTIONS_MAX	 64u
#define OPTION_BYTES_MAX 255u
#define LEARNING_MAX	 4096u
#define LEARNING_DEFAULT 64u
#define SOCKET_BYTES_MAX 107u /* of a sockaddr_un */
#define DEVICE_BYTES_MAX 63u  /* name of a port of the switch */
#define VETH_BYTES_MAX	 15u  /* of a network interface */
#define TEXT_MAX	 255u
#define VLAN_MAX	 4094u

enum port_key {
	NETWORK = TN_KEY_FIRST,
	MAC,
	FIXED_IPS,
	PAIRS,
	UP,
	SECURITY,
	LEARNING,
	LEARNING_LIMIT,
	QOS,
	OPTIONS,
	DEVICE_ID,
	DEVICE_OWNER,
	BINDING,
};

const struct tn_json_key tn_tenant_port_keys[] = {
	TN_TENANT_COMMON_KEYS,
	[NETWORK] = TN_JSON_KEY("network_id"),
	[MAC] = TN_JSON_KEY("mac_address"),
	[FIXED_IPS] = TN_JSON_KEY("fixed_ips"),
	[PAIRS] = TN_JSON_KEY("allowed_address_pairs"),
	[UP] = TN_JSON_KEY("admin_state_up"),
	[SECURITY] = TN_JSON_KEY("port_security_enabled"),
	[LEARNING] = TN_JSON_KEY("mac_learning_enabled"),
	[LEARNING_LIMIT] = TN_JSON_KEY("mac_learning_limit"),
	[QOS] = TN_JSON_KEY("qos_policy_id"),
	[OPTIONS] = TN_JSON_KEY("extra_dhcp_opts"),
	[DEVICE_ID] = TN_JSON_KEY("device_id"),
	[DEVICE_OWNER] = TN_JSON_KEY("device_owner"),
	[BINDING] = TN_JSON_KEY("binding"),
	TN_TENANT_ANSWER_KEYS,
	TN_JSON_KEY("warnings"),
};
const size_t tn_tenant_n_port_keys = TN_ARRAY_SIZE(tn_tenant_port_keys);

/* Addresses. */

static bool read_fixed_ip(struct tn_json_reader *r, tn_json_ref v, struct tn_fixed_ip *ip)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("subnet_id"), TN_JSON_KEY("ip_address")};
	static const char what[] = "a fixed IP";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	struct tn_tenant_members o = {.r = r, .v = v, .what = what, .m = m};

	ip->subnet_id = "";
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", what);
	o.ok = tn_json_members(r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	tn_tenant_read_reference(&o, 0, &ip->subnet_id);
	if (m[1] && !tn_tenant_read_address(r, m[1], &ip->ip_address))
		o.ok = false;
	if (o.ok && !ip->subnet_id[0] && !m[1])
		o.ok = tn_json_error(
			r, v, TN_OF_OK, "a fixed IP needs \"subnet_id\", \"ip_address\" or both");
	return o.ok;
}

static void read_fixed_ips(struct tn_tenant_members *o, struct tn_tenant_value *value)
{
	struct tn_tenant_port *p = &value->port;
	struct tn_fixed_ip *list;
	tn_json_ref array, v;

	if (!o->m[FIXED_IPS]) {
		value->unset |= TN_UNSET_FIXED_IPS;
		return;
	}
	array = tn_tenant_read_array(o, FIXED_IPS, FIXED_IPS_MAX);
	if (!array)
		return;
	list = tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*list));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v)) {
		if (!read_fixed_ip(o->r, v, &list[i])) {
			o->ok = false;
			continue;
		}
		for (uint32_t k = 0; k < i; k++)
			if (list[i].ip_address && list[k].ip_address == list[i].ip_address)
				o->ok = tn_json_error(o->r, v, TN_OF_OK,
					"this address stands twice in the port; keep one");
	}
	p->fixed_ips = list;
	p->n_fixed_ips = array->n;
}

static bool read_pair(struct tn_json_reader *r, tn_json_ref v, struct tn_address_pair *pair)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("ip_address"), TN_JSON_KEY("mac_address")};
	static const char what[] = "an allowed address pair";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	bool ok;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", what);
	ok = tn_json_members(r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	if (!m[0])
		return tn_json_needed(r, v, what, "ip_address") != NULL;
	if (m[0]->type == TN_JSON_STRING && memchr(m[0]->string.p, '/', m[0]->string.len)) {
		ok &= tn_tenant_read_prefix(r, m[0], &pair->ip_address);
	} else {
		ok &= tn_tenant_read_address(r, m[0], &pair->ip_address.address);
		pair->ip_address.is_ip4 = tn_address_is_ip4(pair->ip_address.address);
		pair->ip_address.len = pair->ip_address.is_ip4 ? 32 : 128;
	}
	if (m[1] && m[1]->type != TN_JSON_NULL) {
		pair->has_mac = true;
		ok &= tn_json_read_station(r, m[1], &pair->mac_address);
	}
	return ok;
}

static void read_pairs(struct tn_tenant_members *o, struct tn_tenant_port *p)
{
	tn_json_ref array = tn_tenant_read_array(o, PAIRS, PAIRS_MAX), v;
	struct tn_address_pair *list;

	if (!array)
		return;
	list = tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*list));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v))
		o->ok &= read_pair(o->r, v, &list[i]);
	p->allowed_address_pairs = list;
	p->n_allowed_address_pairs = array->n;
}

/* DHCP options. */

static bool read_option(struct tn_json_reader *r, tn_json_ref v, struct tn_dhcp_option *option)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("opt_name"), TN_JSON_KEY("opt_value"), TN_JSON_KEY("ip_version")};
	static const char what[] = "a DHCP option";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	struct tn_tenant_members o = {.r = r, .v = v, .what = what, .m = m};
	uint32_t version = 4;

	option->name = "";
	option->value = "";
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", what);
	o.ok = tn_json_members(r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	tn_tenant_read_text(&o, 0, OPTION_BYTES_MAX, &option->name);
	tn_tenant_read_text(&o, 1, OPTION_BYTES_MAX, &option->value);
	tn_tenant_read_u32(&o, 2, 4, 6, &version);
	option->ip_version = (uint8_t)version;
	if (o.ok && !option->name[0])
		o.ok = tn_json_error(r, m[0] ? m[0] : v, TN_OF_OK,
			"%s needs a name or a number in \"opt_name\"", what);
	if (o.ok && version == 5)
		o.ok = tn_json_error(r, m[2], TN_OF_OK, "there is no IPv5; give 4 or 6");
	return o.ok;
}

static void read_options(struct tn_tenant_members *o, struct tn_tenant_port *p)
{
	tn_json_ref array = tn_tenant_read_array(o, OPTIONS, OPTIONS_MAX), v;
	struct tn_dhcp_option *list;

	if (!array)
		return;
	list = tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*list));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v))
		o->ok &= read_option(o->r, v, &list[i]);
	p->extra_dhcp_opts = list;
	p->n_extra_dhcp_opts = array->n;
}

/* Bindings. */

enum binding_key { KIND, HOST, SOCKET, MODE, DEVICE, DATAPATH, VLAN, VTEP, N_BINDING_KEYS };

static const struct tn_json_key binding_keys[] = {
	[KIND] = TN_JSON_KEY("kind"),
	[HOST] = TN_JSON_KEY("host"),
	[SOCKET] = TN_JSON_KEY("vhost_socket"),
	[MODE] = TN_JSON_KEY("vhost_mode"),
	[DEVICE] = TN_JSON_KEY("device"),
	[DATAPATH] = TN_JSON_KEY("datapath"),
	[VLAN] = TN_JSON_KEY("vlan"),
	[VTEP] = TN_JSON_KEY("vtep"),
	TN_JSON_KEY("switch_port"), /* from here on what only answers carry */
	TN_JSON_KEY("socket"),
};

static const char *const kind_words[] = {
	[TN_BINDING_NONE] = "none",
	[TN_BINDING_VM] = "vm",
	[TN_BINDING_CONTAINER] = "container",
	[TN_BINDING_BAREMETAL] = "baremetal",
	[TN_BINDING_REMOTE] = "remote",
	NULL,
};

#define BIT(key) (1u << (key))

/* What each kind must have and what it can have. */
static const struct {
	unsigned needs, takes;
} binding_rules[] = {
	[TN_BINDING_NONE] = {0, BIT(KIND)},
	[TN_BINDING_VM] = {BIT(HOST), BIT(KIND) | BIT(HOST) | BIT(SOCKET) | BIT(MODE)},
	[TN_BINDING_CONTAINER] = {BIT(HOST) | BIT(DEVICE),
		BIT(KIND) | BIT(HOST) | BIT(DEVICE) | BIT(DATAPATH)},
	[TN_BINDING_BAREMETAL] = {BIT(HOST) | BIT(DEVICE),
		BIT(KIND) | BIT(HOST) | BIT(DEVICE) | BIT(DATAPATH) | BIT(VLAN)},
	[TN_BINDING_REMOTE] = {BIT(VTEP), BIT(KIND) | BIT(VTEP)},
};

const char *tn_binding_kind_name(enum tn_binding_kind kind)
{
	return kind < TN_ARRAY_SIZE(binding_rules) ? kind_words[kind] : "none";
}

static void check_binding(struct tn_tenant_members *o, enum tn_binding_kind kind)
{
	for (unsigned key = 0; key < N_BINDING_KEYS; key++) {
		if (o->m[key] && !(binding_rules[kind].takes & BIT(key)))
			o->ok = tn_json_error(o->r, o->m[key], TN_OF_OK,
				"\"%s\" means nothing to a binding of kind \"%s\"; remove it",
				binding_keys[key].name, kind_words[kind]);
		if (!o->m[key] && (binding_rules[kind].needs & BIT(key)))
			o->ok = tn_json_error(o->r, o->v, TN_OF_OK,
				"a binding of kind \"%s\" needs \"%s\"", kind_words[kind],
				binding_keys[key].name);
	}
}

static void read_socket(struct tn_tenant_members *o, struct tn_binding *b)
{
	static const char *const modes[] = {"client", "server", NULL};

	tn_tenant_read_text(o, SOCKET, SOCKET_BYTES_MAX, &b->vhost_socket);
	if (o->ok && b->vhost_socket[0] &&
		(b->vhost_socket[0] != '/' || strstr(b->vhost_socket, "/../")))
		o->ok = tn_json_error(o->r, o->m[SOCKET], TN_OF_OK,
			"give the whole path of the socket, from / on and without \"..\"");
	b->vhost_server = tn_tenant_read_word(o, MODE, modes) == 1;
}

static void read_device(struct tn_tenant_members *o, struct tn_binding *b)
{
	static const char *const datapaths[] = {"afxdp", "ebpf", NULL};
	bool container = b->kind == TN_BINDING_CONTAINER;
	int word;

	tn_tenant_read_text(o, DEVICE, container ? VETH_BYTES_MAX : DEVICE_BYTES_MAX, &b->device);
	if (o->ok && o->m[DEVICE] &&
		(!b->device[0] || strpbrk(b->device, "/ :") || b->device[0] == '.'))
		o->ok = tn_json_error(o->r, o->m[DEVICE], TN_OF_OK,
			"not the name of a network interface; give one such as \"veth0\"");
	word = tn_tenant_read_word(o, DATAPATH, datapaths);
	b->datapath = word < 0 ? "" : datapaths[word];
}

static void read_vlan(struct tn_tenant_members *o, struct tn_binding *b)
{
	uint32_t vlan = 0;

	if (!o->m[VLAN] || o->m[VLAN]->type == TN_JSON_NULL)
		return;
	tn_tenant_read_u32(o, VLAN, 1, VLAN_MAX, &vlan);
	b->has_vlan = vlan != 0;
	b->vlan = (uint16_t)vlan;
}

static void read_binding_members(struct tn_tenant_members *o, struct tn_binding *b)
{
	int kind = tn_tenant_read_word(o, KIND, kind_words);

	if (!o->m[KIND] && o->v->n)
		o->ok = tn_json_error(o->r, o->v, TN_OF_OK,
			"a binding needs \"kind\": \"vm\", \"container\", \"baremetal\" or "
			"\"remote\"");
	if (kind < 0)
		return;
	b->kind = (enum tn_binding_kind)kind;
	check_binding(o, b->kind);
	tn_tenant_read_reference(o, HOST, &b->host);
	if (o->m[HOST] && !b->host[0])
		o->ok = tn_json_error(o->r, o->m[HOST], TN_OF_OK, "name a host, or leave it out");
	read_socket(o, b);
	read_device(o, b);
	read_vlan(o, b);
	if (o->m[VTEP])
		o->ok &= tn_tenant_read_address(o->r, o->m[VTEP], &b->vtep);
}

static void read_binding(struct tn_tenant_members *port, struct tn_binding *b)
{
	tn_json_ref v = port->m[BINDING], m[TN_ARRAY_SIZE(binding_keys)];
	struct tn_tenant_members o = {.r = port->r, .v = v, .what = "a binding", .m = m};

	*b = (struct tn_binding){.host = "", .vhost_socket = "", .device = "", .datapath = ""};
	if (!v || v->type == TN_JSON_NULL)
		return;
	if (v->type != TN_JSON_OBJECT) {
		port->ok = tn_json_error(port->r, v, TN_OF_OK, "a binding must be an object");
		return;
	}
	o.ok = tn_json_members(port->r, v, o.what, binding_keys, TN_ARRAY_SIZE(binding_keys), m);
	read_binding_members(&o, b);
	port->ok &= o.ok;
}

/* Ports. */

void tn_tenant_read_port(struct tn_tenant_members *o, struct tn_tenant_value *value)
{
	struct tn_tenant_port *p = &value->port;

	p->network_id = "";
	p->qos_policy_id = "";
	p->device_id = "";
	p->device_owner = "";
	p->admin_state_up = true;
	tn_tenant_need_reference(o, NETWORK, "network_id", &p->network_id);
	if (o->m[MAC])
		o->ok &= tn_json_read_station(o->r, o->m[MAC], &p->mac_address);
	read_fixed_ips(o, value);
	read_pairs(o, p);
	tn_tenant_read_bool(o, UP, &p->admin_state_up);
	if (o->m[SECURITY])
		tn_tenant_read_bool(o, SECURITY, &p->port_security_enabled);
	else
		value->unset |= TN_UNSET_PORT_SECURITY;
	tn_tenant_read_bool(o, LEARNING, &p->mac_learning_enabled);
	p->mac_learning_limit = p->mac_learning_enabled ? LEARNING_DEFAULT : 0;
	tn_tenant_read_u32(o, LEARNING_LIMIT, 0, LEARNING_MAX, &p->mac_learning_limit);
	tn_tenant_read_reference(o, QOS, &p->qos_policy_id);
	if (!o->m[QOS])
		value->unset |= TN_UNSET_QOS_POLICY;
	if (!o->m[BINDING])
		value->unset |= TN_UNSET_BINDING;
	read_options(o, p);
	tn_tenant_read_text(o, DEVICE_ID, TEXT_MAX, &p->device_id);
	tn_tenant_read_text(o, DEVICE_OWNER, TEXT_MAX, &p->device_owner);
	read_binding(o, &p->binding);
	if (value->c.id[0] && value->c.id[strspn(value->c.id, "0123456789")] == '\0')
		o->ok = tn_json_error(o->r, o->m[TN_KEY_ID], TN_OF_OK,
			"a port whose id is a number would be taken for a port of the switch; add "
			"a letter");
}

static json_t *write_fixed_ips(const struct tn_tenant_port *p)
{
	json_t *array = json_array(), *j;

	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		const struct tn_fixed_ip *ip = &p->fixed_ips[i];

		j = json_object();
		if (ip->subnet_id[0])
			json_object_set_new(j, "subnet_id", json_string(ip->subnet_id));
		if (ip->ip_address)
			json_object_set_new(j, "ip_address",
				tn_json_from_address(ip->ip_address, TN_JSON_IP_ANY));
		json_array_append_new(array, j);
	}
	return array;
}

static json_t *write_pairs(const struct tn_tenant_port *p)
{
	json_t *array = json_array(), *j;

	for (uint32_t i = 0; i < p->n_allowed_address_pairs; i++) {
		const struct tn_address_pair *pair = &p->allowed_address_pairs[i];

		j = json_object();
		json_object_set_new(j, "ip_address",
			tn_prefix_bits(&pair->ip_address) == 128
				? tn_json_from_address(pair->ip_address.address, TN_JSON_IP_ANY)
				: tn_tenant_write_prefix(&pair->ip_address));
		if (pair->has_mac)
			json_object_set_new(
				j, "mac_address", tn_tenant_write_mac(&pair->mac_address));
		json_array_append_new(array, j);
	}
	return array;
}

static json_t *write_options(const struct tn_tenant_port *p)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < p->n_extra_dhcp_opts; i++) {
		const struct tn_dhcp_option *option = &p->extra_dhcp_opts[i];

		json_array_append_new(array,
			json_pack("{s:s,s:s,s:i}", "opt_name", option->name, "opt_value",
				option->value, "ip_version", (int)option->ip_version));
	}
	return array;
}

static json_t *write_binding(const struct tn_binding *b)
{
	json_t *j = json_object();

	if (b->kind == TN_BINDING_NONE)
		return j;
	json_object_set_new(j, "kind", json_string(kind_words[b->kind]));
	if (b->host[0])
		json_object_set_new(j, "host", json_string(b->host));
	if (b->vhost_socket[0])
		json_object_set_new(j, "vhost_socket", json_string(b->vhost_socket));
	if (b->vhost_server)
		json_object_set_new(j, "vhost_mode", json_string("server"));
	if (b->device[0])
		json_object_set_new(j, "device", json_string(b->device));
	if (b->datapath[0])
		json_object_set_new(j, "datapath", json_string(b->datapath));
	if (b->has_vlan)
		json_object_set_new(j, "vlan", json_integer(b->vlan));
	if (b->vtep)
		json_object_set_new(j, "vtep", tn_json_from_address(b->vtep, TN_JSON_IP_ANY));
	return j;
}

static bool is_zero_mac(const struct tn_mac *mac)
{
	static const struct tn_mac zero;

	return memcmp(mac, &zero, sizeof(zero)) == 0;
}

void tn_tenant_write_port(json_t *j, const struct tn_tenant_port *p)
{
	json_object_set_new(j, "network_id", json_string(p->network_id));
	if (!is_zero_mac(&p->mac_address))
		json_object_set_new(j, "mac_address", tn_tenant_write_mac(&p->mac_address));
	json_object_set_new(j, "fixed_ips", write_fixed_ips(p));
	json_object_set_new(j, "allowed_address_pairs", write_pairs(p));
	json_object_set_new(j, "admin_state_up", json_boolean(p->admin_state_up));
	json_object_set_new(j, "port_security_enabled", json_boolean(p->port_security_enabled));
	json_object_set_new(j, "mac_learning_enabled", json_boolean(p->mac_learning_enabled));
	if (p->mac_learning_enabled)
		json_object_set_new(j, "mac_learning_limit", json_integer(p->mac_learning_limit));
	json_object_set_new(j, "qos_policy_id", tn_tenant_write_reference(p->qos_policy_id));
	json_object_set_new(j, "extra_dhcp_opts", write_options(p));
	if (p->device_id[0])
		json_object_set_new(j, "device_id", json_string(p->device_id));
	if (p->device_owner[0])
		json_object_set_new(j, "device_owner", json_string(p->device_owner));
	json_object_set_new(j, "binding", write_binding(&p->binding));
}
