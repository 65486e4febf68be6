/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of the document and the options of VXLAN ports, both directions. */
#include "control/model/json_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 63u
#define TYPE_MAX_BYTES 31u
#define VNI_MAX	       0xffffffu
#define UDP_PORT_VXLAN 4789u
#define TTL_DEFAULT    64u

enum port_key { NUMBER, NAME, TYPE, ENABLED, CONFIG, MTU, OPTIONS };

static const struct tn_json_key port_keys[] = {
	[NUMBER] = TN_JSON_KEY("number"),
	[NAME] = TN_JSON_KEY("name"),
	[TYPE] = TN_JSON_KEY("type"),
	[ENABLED] = TN_JSON_KEY("isEnabled"),
	[CONFIG] = TN_JSON_KEY("config"),
	[MTU] = TN_JSON_KEY("mtu"),
	[OPTIONS] = TN_JSON_KEY("options"),
	TN_JSON_KEY("state"), /* from here on what only answers carry */
	TN_JSON_KEY("failure"),
	TN_JSON_KEY("failureName"),
	TN_JSON_KEY("generation"),
	TN_JSON_KEY("linkUp"),
	TN_JSON_KEY("live"),
	TN_JSON_KEY("received"),
	TN_JSON_KEY("sent"),
	TN_JSON_KEY("dropped"),
};

enum vxlan_key {
	LOCAL,
	REMOTE,
	VNI,
	UDP_PORT,
	UDP_CHECKSUM,
	TTL,
	DSCP,
	DONT_FRAGMENT,
	PEERS,
	VNIS
};

static const struct tn_json_key vxlan_keys[] = {
	[LOCAL] = TN_JSON_KEY("local"),
	[REMOTE] = TN_JSON_KEY("remote"),
	[VNI] = TN_JSON_KEY("vni"),
	[UDP_PORT] = TN_JSON_KEY("udpDestPort"),
	[UDP_CHECKSUM] = TN_JSON_KEY("udpChecksum"),
	[TTL] = TN_JSON_KEY("ttl"),
	[DSCP] = TN_JSON_KEY("dscp"),
	[DONT_FRAGMENT] = TN_JSON_KEY("dontFragment"),
	[PEERS] = TN_JSON_KEY("peers"),
	[VNIS] = TN_JSON_KEY("vnis"),
};

static const struct {
	const char *name;
	uint32_t bit;
} config_bits[] = {
	{"NO_RECV", TN_PORT_CONFIG_NO_RECV},
	{"NO_FWD", TN_PORT_CONFIG_NO_FWD},
	{"NO_PACKET_IN", TN_PORT_CONFIG_NO_PACKET_IN},
};

/* Reading. */

static bool is_word(tn_json_ref v, const char *word)
{
	return v->type == TN_JSON_STRING && tn_json_string_is(v->string, word);
}

static bool read_port_number(struct tn_json_reader *r, tn_json_ref v, uint32_t *number)
{
	int64_t n;

	if (is_word(v, "LOCAL")) {
		*number = TN_PORT_LOCAL;
		return true;
	}
	if (!tn_json_signed(r, v, (int32_t)TN_PORT_LOCAL, TN_PORT_MAX, TN_OFPBRC_BAD_PORT, &n))
		return false;
	if (n < 1 && n != (int32_t)TN_PORT_LOCAL)
		return tn_json_error(r, v, TN_OFPBRC_BAD_PORT,
			"\"number\" must be 1 to %u, or \"LOCAL\"", TN_PORT_MAX);
	*number = (uint32_t)n;
	return true;
}

/*
 * A name stands where numbers and reserved names stand too, and names files of captures: it must
 * be none of the former and fit the latter.
 */
static bool check_port_name(
	struct tn_json_reader *r, tn_json_ref v, const char *name, uint32_t number)
{
	char own[16];
	size_t i;

	snprintf(own, sizeof(own), "%u", number);
	if (name[strspn(name, "0123456789")] == '\0' && strcmp(name, own) != 0)
		return tn_json_error(r, v, TN_OFPBRC_BAD_PORT,
			"a name of digits would be read as a number; add a letter");
	if (tn_json_reserved_port((struct tn_json_string){name, (uint32_t)strlen(name)}) &&
		!(number == TN_PORT_LOCAL && strcasecmp(name, "local") == 0))
		return tn_json_error(r, v, TN_OFPBRC_BAD_PORT,
			"\"%s\" is the name of a reserved port; give another", name);
	if (name[0] == '.' || name[0] == '-')
		return tn_json_error(r, v, TN_OFPBRC_BAD_PORT,
			"a port's name must not start with '%c'", name[0]);
	for (i = 0; name[i]; i++)
		if (strchr("/\\ []()=,\"'", name[i]))
			return tn_json_error(r, v, TN_OFPBRC_BAD_PORT,
				"a port's name must not hold '%c'", name[i]);
	return true;
}

static bool read_port_name(
	struct tn_json_reader *r, tn_json_ref at, tn_json_ref v, struct tn_model_port *port)
{
	char name[NAME_MAX_BYTES + 1];
	struct tn_json_string s;
	const char *other;

	snprintf(name, sizeof(name), port->number == TN_PORT_LOCAL ? "local" : "%u", port->number);
	if (v) {
		if (!tn_json_text(r, v, NAME_MAX_BYTES, &s))
			return false;
		memcpy(name, s.p, s.len);
		name[s.len] = '\0';
		if (!check_port_name(r, v, name, port->number))
			return false;
	}
	other = tn_names_port_name(r->codec->names, port->number);
	if (other)
		return tn_json_error(r, at, TN_OFPBRC_BAD_PORT,
			"port %u is declared already, as \"%s\"; give each port its own number",
			port->number, other);
	if (tn_names_add_port(r->codec->names, name, port->number))
		return tn_json_error(r, v ? v : at, TN_OFPBRC_BAD_PORT,
			"another port is named \"%s\"; give each its own name", name);
	port->name = tn_arena_strdup(r->codec->arena, name);
	return true;
}

static bool read_port_type(struct tn_json_reader *r, tn_json_ref v, struct tn_model_port *port)
{
	char type[TYPE_MAX_BYTES + 1];
	struct tn_json_string s;
	uint32_t i;

	if (!tn_json_text(r, v, TYPE_MAX_BYTES, &s))
		return false;
	for (i = 0; i < s.len; i++) {
		type[i] = s.p[i];
		if (!((type[i] >= 'a' && type[i] <= 'z') || (type[i] >= '0' && type[i] <= '9') ||
			    type[i] == '-' || type[i] == '_'))
			return tn_json_error(r, v, TN_OF_OK,
				"a port's type has small letters, digits, '-' and '_': \"pcap\", "
				"\"vxlan\"");
	}
	type[s.len] = '\0';
	port->type = tn_arena_strdup(r->codec->arena, type);
	return true;
}

static bool read_config(struct tn_json_reader *r, tn_json_ref array, uint32_t *config)
{
	tn_json_ref v = tn_json_first(array);
	char found[96];
	bool ok = true;
	uint32_t i;
	size_t k;

	if (!tn_json_is_array(r, array, "an array of NO_RECV, NO_FWD, NO_PACKET_IN"))
		return false;
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v)) {
		for (k = 0; k < TN_ARRAY_SIZE(config_bits); k++)
			if (is_word(v, config_bits[k].name))
				break;
		if (k < TN_ARRAY_SIZE(config_bits))
			*config |= config_bits[k].bit;
		else
			ok = tn_json_error(r, v, TN_OFPPMFC_BAD_CONFIG,
				"%s is no setting of a port; give NO_RECV, NO_FWD or NO_PACKET_IN",
				tn_json_describe(v, found, sizeof(found)));
	}
	return ok;
}

/* VXLAN options. */

bool tn_json_read_endpoint(struct tn_json_reader *r, tn_json_ref v, tn_u128 *out)
{
	uint32_t ip4;
	bool host;

	if (!tn_json_address(r, v, TN_JSON_IP_ANY, out))
		return false;
	if (tn_u128_is_ip4(*out, &ip4))
		host = ip4 != 0 && ip4 < 0xe0000000u;
	else
		host = *out != 0 && (uint8_t)(*out >> 120) != 0xff;
	return host || tn_json_error(r, v, TN_OF_OK, "not the address of one host; give one");
}

bool tn_json_read_station(struct tn_json_reader *r, tn_json_ref v, struct tn_mac *out)
{
	uint64_t mac;

	if (!tn_json_mac(r, v, &mac))
		return false;
	if (mac == 0 || (mac >> 40 & 1))
		return tn_json_error(
			r, v, TN_OF_OK, "not the MAC address of one station; give a unicast one");
	*out = tn_mac_of(mac);
	return true;
}

static bool read_remote(struct tn_json_reader *r, tn_json_ref v, struct tn_vxlan_options *x)
{
	x->remote_flow = is_word(v, "flow");
	return x->remote_flow || tn_json_read_endpoint(r, v, &x->remote);
}

static bool read_vni(struct tn_json_reader *r, tn_json_ref v, struct tn_vxlan_options *x)
{
	uint64_t vni;

	x->vni_flow = is_word(v, "flow");
	if (x->vni_flow)
		return true;
	if (!tn_json_unsigned(r, v, 0, VNI_MAX, TN_OF_OK, &vni))
		return false;
	x->vni = (uint32_t)vni;
	return true;
}

static bool read_peers(struct tn_json_reader *r, tn_json_ref array, struct tn_vxlan_options *x)
{
	tn_json_ref v = tn_json_first(array);
	tn_u128 *list;
	bool ok = true;
	uint32_t i;

	if (!tn_json_is_array(r, array, "an array of addresses"))
		return false;
	list = tn_arena_alloc(r->codec->arena, array->n * sizeof(*list));
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v))
		ok &= tn_json_read_endpoint(r, v, &list[i]);
	x->peers = list;
	x->n_peers = array->n;
	return ok;
}

static bool read_vnis(struct tn_json_reader *r, tn_json_ref array, struct tn_vxlan_options *x)
{
	tn_json_ref v = tn_json_first(array);
	uint32_t *list, i;
	bool ok = true;
	uint64_t vni = 0;

	if (!tn_json_is_array(r, array, "an array of VNIs"))
		return false;
	if (!x->vni_flow)
		return tn_json_error(r, array, TN_OF_OK,
			"\"vnis\" belongs to \"vni\":\"flow\"; remove one of the two");
	list = tn_arena_alloc(r->codec->arena, array->n * sizeof(*list));
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v)) {
		ok &= tn_json_unsigned(r, v, 0, VNI_MAX, TN_OF_OK, &vni);
		list[i] = (uint32_t)vni;
	}
	x->vnis = list;
	x->n_vnis = array->n;
	return ok;
}

static bool is_ip4(tn_u128 address)
{
	uint32_t unused;

	return tn_u128_is_ip4(address, &unused);
}

static bool check_families(
	struct tn_json_reader *r, const tn_json_ref *m, const struct tn_vxlan_options *x)
{
	size_t i;

	if (!x->has_local)
		return true;
	if (!x->remote_flow && is_ip4(x->remote) != is_ip4(x->local))
		return tn_json_error(r, m[REMOTE], TN_OF_OK,
			"\"local\" and \"remote\" are of two families; give both as IPv4 or both "
			"as IPv6");
	for (i = 0; i < x->n_peers; i++)
		if (is_ip4(x->peers[i]) != is_ip4(x->local))
			return tn_json_error(r, m[PEERS], TN_OF_OK,
				"\"local\" and \"peers\" are of two families; give all as IPv4 or "
				"all as IPv6");
	return true;
}

static void vxlan_defaults(struct tn_vxlan_options *x)
{
	*x = (struct tn_vxlan_options){
		.remote_flow = true,
		.vni_flow = true,
		.udp_port = UDP_PORT_VXLAN,
		.ttl = TTL_DEFAULT,
		.dscp = -1,
		.dont_fragment = true,
	};
}

static bool read_vxlan_numbers(
	struct tn_json_reader *r, const tn_json_ref *m, struct tn_vxlan_options *x)
{
	uint64_t udp_port = x->udp_port, ttl = x->ttl;
	int64_t dscp = x->dscp;
	bool ok = true;

	if (m[UDP_PORT])
		ok &= tn_json_unsigned(r, m[UDP_PORT], 1, UINT16_MAX, TN_OF_OK, &udp_port);
	if (m[TTL])
		ok &= tn_json_unsigned(r, m[TTL], 1, UINT8_MAX, TN_OF_OK, &ttl);
	if (m[DSCP])
		ok &= tn_json_signed(r, m[DSCP], -1, 63, TN_OF_OK, &dscp);
	if (m[UDP_CHECKSUM])
		ok &= tn_json_bool(r, m[UDP_CHECKSUM], &x->udp_checksum);
	if (m[DONT_FRAGMENT])
		ok &= tn_json_bool(r, m[DONT_FRAGMENT], &x->dont_fragment);
	x->udp_port = (uint16_t)udp_port;
	x->ttl = (uint8_t)ttl;
	x->dscp = (int16_t)dscp;
	return ok;
}

static bool read_vxlan(struct tn_json_reader *r, tn_json_ref v, struct tn_vxlan_options *x)
{
	tn_json_ref m[TN_ARRAY_SIZE(vxlan_keys)];
	bool ok;

	if (!tn_json_is_object(r, v, "an object of VXLAN options"))
		return false;
	ok = tn_json_members(
		r, v, "the options of a vxlan port", vxlan_keys, TN_ARRAY_SIZE(vxlan_keys), m);
	if (m[LOCAL]) {
		x->has_local = true;
		ok &= tn_json_read_endpoint(r, m[LOCAL], &x->local);
	}
	if (m[REMOTE])
		ok &= read_remote(r, m[REMOTE], x);
	if (m[VNI])
		ok &= read_vni(r, m[VNI], x);
	ok &= read_vxlan_numbers(r, m, x);
	if (m[PEERS])
		ok &= read_peers(r, m[PEERS], x);
	if (m[VNIS])
		ok &= read_vnis(r, m[VNIS], x);
	return ok && check_families(r, m, x);
}

/* Options of other types are kept as they are; those of VXLAN show that the type is misspelt. */
static bool read_options(struct tn_json_reader *r, tn_json_ref v, struct tn_model_port *port)
{
	static const char *const only_vxlan[] = {"vni", "remote", "udpDestPort", "vnis"};
	size_t i;

	if (!tn_json_is_object(r, v, "an object of options"))
		return false;
	for (i = 0; i < TN_ARRAY_SIZE(only_vxlan); i++)
		if (tn_json_member(r, v, only_vxlan[i]))
			return tn_json_error(r, v, TN_OF_OK,
				"\"%s\" is an option of \"type\":\"vxlan\"; correct the type or "
				"remove it",
				only_vxlan[i]);
	port->options = tn_json_tape_dump(r->tape, v);
	return port->options ||
		tn_json_error(r, v, TN_OF_OK,
			"options hold a fraction or an integer over 63 bits; write it as a "
			"string");
}

bool tn_json_read_port(struct tn_json_reader *r, tn_json_ref v, struct tn_model_port *port)
{
	tn_json_ref m[TN_ARRAY_SIZE(port_keys)];
	uint64_t mtu = 0;
	bool ok;

	*port = (struct tn_model_port){.enabled = true};
	vxlan_defaults(&port->vxlan);
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a port must be an object");
	ok = tn_json_members(r, v, "a port", port_keys, TN_ARRAY_SIZE(port_keys), m);
	if (m[NUMBER] ? read_port_number(r, m[NUMBER], &port->number)
		      : tn_json_needed(r, v, "a port", "number") != NULL)
		ok &= read_port_name(r, m[NUMBER], m[NAME], port);
	else
		ok = false;
	if (m[ENABLED])
		ok &= tn_json_bool(r, m[ENABLED], &port->enabled);
	if (m[CONFIG])
		ok &= read_config(r, m[CONFIG], &port->config);
	if (m[MTU])
		ok &= tn_json_unsigned(r, m[MTU], 68, UINT16_MAX, TN_OF_OK, &mtu);
	port->mtu = (uint32_t)mtu;
	if (!m[TYPE])
		return tn_json_needed(r, v, "a port", "type") != NULL;
	if (!read_port_type(r, m[TYPE], port))
		return false;
	if (!m[OPTIONS])
		return ok;
	return (strcmp(port->type, "vxlan") == 0 ? read_vxlan(r, m[OPTIONS], &port->vxlan)
						 : read_options(r, m[OPTIONS], port)) &&
		ok;
}

/* Writing. */

static void write_peers(json_t *o, const struct tn_vxlan_options *x)
{
	json_t *array;
	size_t i;

	if (x->n_peers) {
		array = json_array();
		for (i = 0; i < x->n_peers; i++)
			json_array_append_new(
				array, tn_json_from_address(x->peers[i], TN_JSON_IP_ANY));
		json_object_set_new(o, "peers", array);
	}
	if (x->n_vnis) {
		array = json_array();
		for (i = 0; i < x->n_vnis; i++)
			json_array_append_new(array, json_integer(x->vnis[i]));
		json_object_set_new(o, "vnis", array);
	}
}

static json_t *write_vxlan(const struct tn_vxlan_options *x)
{
	json_t *o = json_object();

	if (x->has_local)
		json_object_set_new(o, "local", tn_json_from_address(x->local, TN_JSON_IP_ANY));
	json_object_set_new(o, "remote",
		x->remote_flow ? json_string("flow")
			       : tn_json_from_address(x->remote, TN_JSON_IP_ANY));
	json_object_set_new(o, "vni", x->vni_flow ? json_string("flow") : json_integer(x->vni));
	json_object_set_new(o, "udpDestPort", json_integer(x->udp_port));
	json_object_set_new(o, "udpChecksum", json_boolean(x->udp_checksum));
	if (x->ttl != TTL_DEFAULT)
		json_object_set_new(o, "ttl", json_integer(x->ttl));
	if (x->dscp >= 0)
		json_object_set_new(o, "dscp", json_integer(x->dscp));
	if (!x->dont_fragment)
		json_object_set_new(o, "dontFragment", json_false());
	write_peers(o, x);
	return o;
}

json_t *tn_json_write_port(const struct tn_model_port *port)
{
	json_t *o = json_object(), *config;
	size_t i;

	json_object_set_new(o, "number",
		port->number == TN_PORT_LOCAL ? json_string("LOCAL") : json_integer(port->number));
	json_object_set_new(o, "name", json_string(port->name));
	json_object_set_new(o, "type", json_string(port->type));
	json_object_set_new(o, "isEnabled", json_boolean(port->enabled));
	if (port->config) {
		config = json_array();
		for (i = 0; i < TN_ARRAY_SIZE(config_bits); i++)
			if (port->config & config_bits[i].bit)
				json_array_append_new(config, json_string(config_bits[i].name));
		json_object_set_new(o, "config", config);
	}
	if (port->mtu)
		json_object_set_new(o, "mtu", json_integer(port->mtu));
	if (strcmp(port->type, "vxlan") == 0)
		json_object_set_new(o, "options", write_vxlan(&port->vxlan));
	else if (port->options)
		json_object_set(o, "options", port->options);
	return o;
}
