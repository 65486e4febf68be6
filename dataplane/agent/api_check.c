/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/api_private.h"

#include <string.h>

#include "dataplane/core/vxlan.h"

#define MTU_MAX	     65535u
#define PREFIXES_MAX 100000u /* of addresses, routes and neighbours each */

static bool is_ip4(tn_u128 address)
{
	return tn_u128_is_ip4(address, &(uint32_t){0});
}

static int check_lists(const struct tn_vxlan_options *v, struct tn_error *err)
{
	for (size_t i = 0; i < v->n_peers; i++) {
		if (v->has_local && is_ip4(v->peers[i]) != is_ip4(v->local))
			return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
				"\"local\" and \"peers\" are of two families; give all as IPv4 or "
				"all as IPv6");
	}
	for (size_t i = 0; i < v->n_vnis; i++) {
		if (v->vnis[i] > TN_VXLAN_VNI_MAX)
			return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
				"%u is no VNI: they go to %u", v->vnis[i], TN_VXLAN_VNI_MAX);
	}
	return 0;
}

static int check_vxlan(const struct tn_vxlan_options *v, struct tn_error *err)
{
	if (v->vni > TN_VXLAN_VNI_MAX)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "%u is no VNI: they go to %u",
			v->vni, TN_VXLAN_VNI_MAX);
	if (!v->udp_port || !v->ttl || v->dscp < -1 || v->dscp > 63)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"a tunnel has a UDP port and a TTL of 1 or more and a DSCP of -1 to 63");
	if (!v->remote_flow && !v->remote)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"a tunnel has a remote endpoint, or takes it from the flow");
	if (v->has_local && !v->remote_flow && is_ip4(v->remote) != is_ip4(v->local))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"\"local\" and \"remote\" are of two families; give both as IPv4 or both "
			"as IPv6");
	return check_lists(v, err);
}

int tn_api_check_port(const struct tn_api_port *port, struct tn_error *err)
{
	bool vxlan = !strcmp(port->type, "vxlan");

	if (!*port->name || !*port->type)
		return tn_error_set(
			err, TN_OFPBRC_BAD_PORT, -1, "a port has a name and a type; give both");
	if (vxlan != port->has_vxlan)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %.64s is of type %.32s; tunnel options belong to type vxlan, which "
			"needs them",
			port->name, port->type);
	if (port->mtu > MTU_MAX)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %.64s: an MTU of %u is more than the largest, %u", port->name,
			port->mtu, MTU_MAX);
	return vxlan ? check_vxlan(&port->vxlan, err) : 0;
}

static int check_routes(const struct tn_underlay_config *u, struct tn_error *err)
{
	for (size_t i = 0; i < u->n_routes; i++) {
		const struct tn_underlay_route *r = &u->routes[i];

		if (r->prefix_len > (r->is_ip4 ? 32 : 128))
			return tn_error_set(err, TN_OFPBRC_BAD_LEN, (int)i,
				"route %zu: no prefix of this family has %u bits", i,
				r->prefix_len);
		if (r->via && is_ip4(r->via) != r->is_ip4)
			return tn_error_set(err, TN_OFPBRC_BAD_LEN, (int)i,
				"route %zu: prefix and next hop are of two families", i);
	}
	return 0;
}

int tn_api_check_underlay(const struct tn_underlay_config *u, struct tn_error *err)
{
	if (u->n_addresses > PREFIXES_MAX || u->n_routes > PREFIXES_MAX ||
		u->n_neighbours > PREFIXES_MAX)
		return tn_error_set(err, TN_OFPBFC_MSG_TOO_MANY, -1,
			"an underlay has at most %u addresses, routes and neighbours each",
			PREFIXES_MAX);
	for (size_t i = 0; i < u->n_addresses; i++) {
		const struct tn_underlay_address *a = &u->addresses[i];

		if (!a->address || a->prefix_len > (is_ip4(a->address) ? 32 : 128))
			return tn_error_set(err, TN_OFPBRC_BAD_LEN, (int)i,
				"address %zu: it is none, or its prefix of %u bits is too long", i,
				a->prefix_len);
	}
	return check_routes(u, err);
}
