/* SPDX-License-Identifier: BSD-3-Clause */
/* What a host with tenant networks has whatever they are: tunnels, guards, defaults of tables. */
#include <stdlib.h>
#include <string.h>

#include "control/tenant/state.h"

#define DHCP4_SERVER 67u
#define DHCP6_SERVER 547u
#define UDP	     17u
#define ICMPV6	     58u

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

static int compare_addresses(const void *x, const void *y)
{
	const tn_u128 *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

struct endpoints {
	tn_u128 *v;
	size_t n, size;
};

static void add_endpoint(struct endpoints *list, tn_u128 vtep)
{
	if (list->n == list->size) {
		list->size = list->size ? list->size * 2 : 64;
		list->v = checked(realloc(list->v, list->size * sizeof(*list->v)));
	}
	list->v[list->n++] = vtep;
}

static void sort_endpoints(struct endpoints *list)
{
	size_t n = 0;

	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), compare_addresses);
	for (size_t i = 0; i < list->n; i++) {
		if (!n || list->v[n - 1] != list->v[i])
			list->v[n++] = list->v[i];
	}
	list->n = n;
}

/* Endpoints of a family that are not hosts and are behind a network that is needed. */
static void foreign_endpoints(const struct tn_compiler *c, bool ip4, struct endpoints *list)
{
	const struct tn_place *place;

	TN_LIST_EACH(place, &c->places, const struct tn_place, link) {
		if (tn_address_is_ip4(place->vtep) == ip4 && tn_place_is_active(c, place))
			add_endpoint(list, place->vtep);
	}
	sort_endpoints(list);
}

static void host_endpoints(const struct tn_compiler *c, bool ip4, struct endpoints *list)
{
	const struct tn_vhost *host;

	TN_LIST_EACH(host, &c->hosts, const struct tn_vhost, link) {
		const struct tn_tenant_host *h = host->t.object;

		if (!h || strcmp(host->t.named.name, c->host) == 0)
			continue;
		for (uint32_t i = 0; i < h->n_vtep_addresses; i++) {
			if (tn_address_is_ip4(h->vtep_addresses[i]) == ip4)
				add_endpoint(list, h->vtep_addresses[i]);
		}
	}
	sort_endpoints(list);
}

/* Frames of an endpoint are of the networks that it is declared in. */
static void refuse_foreign(struct tn_emit *e, uint32_t tunnel, const struct endpoints *foreign)
{
	for (size_t i = 0; i < foreign->n; i++) {
		tn_emit_flow(e, TN_TABLE_INGRESS, 30000, TN_ROLE_INGRESS_FOREIGN);
		tn_emit_match(e, TN_FIELD_IN_PORT, tunnel);
		tn_emit_match(e, TN_FIELD_TUN_SRC, foreign->v[i]);
		tn_emit_end(e);
	}
}

static int compare_vnis(const void *x, const void *y)
{
	const uint32_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

/* Frames of its own come to a network without a port here from endpoints that are no hosts. */
static bool has_active_place(const struct tn_compiler *c, const struct tn_net *net)
{
	const struct tn_place *place;

	TN_LIST_EACH(place, &net->places, const struct tn_place, net_link) {
		if (tn_place_is_active(c, place))
			return true;
	}
	return false;
}

/* Of the networks that table 0 takes frames of. */
static uint32_t *needed_vnis(const struct tn_compiler *c, size_t *n)
{
	const struct tn_net *net;
	uint32_t *vnis;

	*n = 0;
	TN_LIST_EACH(net, &c->needed, const struct tn_net, needed_link)
		(*n)++;
	vnis = checked(malloc((*n + 1) * sizeof(*vnis)));
	*n = 0;
	TN_LIST_EACH(net, &c->needed, const struct tn_net, needed_link) {
		if (net->local || has_active_place(c, net))
			vnis[(*n)++] = tn_net_object(net)->vni;
	}
	qsort(vnis, *n, sizeof(*vnis), compare_vnis);
	return vnis;
}

/* Declared endpoints and networks alone: without a list it would take anybody's and any. */
static void tunnel(struct tn_emit *e, bool ip4)
{
	struct tn_compiler *c = e->c;
	uint32_t *vnis;
	uint32_t number = ip4 ? TN_TENANT_VXLAN4_PORT : TN_TENANT_VXLAN6_PORT;
	struct endpoints peers = {0}, foreign = {0};
	struct tn_api_port port = {
		.number = number,
		.name = ip4 ? "vxlan4" : "vxlan6",
		.type = "vxlan",
		.enabled = true,
		.has_vxlan = true,
		.vxlan = {.has_local = true,
			.local = ip4 ? c->vtep4 : c->vtep6,
			.remote_flow = true,
			.vni_flow = true,
			.udp_port = 4789,
			.ttl = 64,
			.dscp = -1,
			.dont_fragment = true},
	};

	foreign_endpoints(c, ip4, &foreign);
	host_endpoints(c, ip4, &peers);
	for (size_t i = 0; i < foreign.n; i++)
		add_endpoint(&peers, foreign.v[i]);
	sort_endpoints(&peers);
	if (!peers.n)
		add_endpoint(&peers, port.vxlan.local);
	port.vxlan.peers = peers.v;
	port.vxlan.n_peers = peers.n;
	port.vxlan.vnis = vnis = needed_vnis(c, &port.vxlan.n_vnis);
	tn_emit_port(e, &port);
	refuse_foreign(e, number, &foreign);
	free(peers.v);
	free(vnis);
	free(foreign.v);
}

static void guard_sources(struct tn_emit *e)
{
	tn_emit_flow(e, TN_TABLE_SECURITY, 45000, TN_ROLE_GUARD_SOURCE);
	tn_emit_match_masked(e, TN_FIELD_ETH_SRC, UINT64_C(1) << 40, UINT64_C(1) << 40);
	tn_emit_end(e);
	tn_emit_flow(e, TN_TABLE_SECURITY, 45000, TN_ROLE_GUARD_SOURCE);
	tn_emit_match(e, TN_FIELD_ETH_SRC, TN_GATEWAY_MAC);
	tn_emit_end(e);
	tn_emit_flow(e, TN_TABLE_SECURITY, 45000, TN_ROLE_GUARD_TAG);
	tn_emit_match_masked(e, TN_FIELD_VLAN_VID, TN_VLAN_PRESENT, TN_VLAN_PRESENT);
	tn_emit_end(e);
}

static void guard_icmpv6(struct tn_emit *e, uint8_t type)
{
	tn_emit_flow(e, TN_TABLE_SECURITY, 44000, TN_ROLE_GUARD_RA);
	tn_emit_flags(e, TN_FLAG_SECURED, TN_FLAG_SECURED);
	tn_emit_match_ip(e, false, ICMPV6);
	tn_emit_match(e, TN_FIELD_ICMPV6_TYPE, type);
	tn_emit_end(e);
}

static void guard_servers(struct tn_emit *e)
{
	for (unsigned ip4 = 0; ip4 < 2; ip4++) {
		tn_emit_flow(e, TN_TABLE_SECURITY, 44000, TN_ROLE_GUARD_DHCP);
		tn_emit_flags(e, TN_FLAG_SECURED, TN_FLAG_SECURED);
		tn_emit_match_ip(e, ip4, UDP);
		tn_emit_match(e, TN_FIELD_UDP_SRC, ip4 ? DHCP4_SERVER : DHCP6_SERVER);
		tn_emit_end(e);
	}
	guard_icmpv6(e, 134); /* router advertisement */
	guard_icmpv6(e, 137); /* redirect */
}

static void go_on(struct tn_emit *e, uint8_t table, uint8_t next)
{
	tn_emit_flow(e, table, TN_TENANT_PRIORITY_MIN, TN_ROLE_DEFAULT);
	tn_emit_goto(e, next);
	tn_emit_end(e);
}

static void refuse_destination(
	struct tn_emit *e, unsigned priority, enum tn_rule_role role, uint64_t mac, uint64_t mask)
{
	tn_emit_flow(e, TN_TABLE_BRIDGE, priority, role);
	tn_emit_match_masked(e, TN_FIELD_ETH_DST, mac, mask);
	tn_emit_end(e);
}

/* What no router forwards: groups, link-local addresses. */
static void not_routed(struct tn_emit *e, enum tn_field_id field, tn_u128 address, unsigned len)
{
	bool ip4 = tn_fields[field].bits == 32;
	tn_u128 mask = tn_field_ones(field) << (tn_fields[field].bits - len) & tn_field_ones(field);

	tn_emit_flow(e, TN_TABLE_ROUTING, 44500, TN_ROLE_ROUTE_NONE);
	tn_emit_match_ip(e, ip4, 0);
	tn_emit_match_masked(e, field, address, mask);
	tn_emit_end(e);
}

static void refuse_routing(struct tn_emit *e)
{
	const tn_u128 link_local = (tn_u128)0xfe80 << 112, group6 = (tn_u128)0xff << 120;

	not_routed(e, TN_FIELD_IPV4_DST, 0xe0000000, 3); /* groups and what is above */
	not_routed(e, TN_FIELD_IPV6_DST, group6, 8);
	not_routed(e, TN_FIELD_IPV6_DST, link_local, 10);
	not_routed(e, TN_FIELD_IPV6_SRC, link_local, 10);
}

void tn_unit_global(struct tn_emit *e)
{
	if (tn_list_is_empty(&e->c->needed))
		return;
	if (e->c->vtep4)
		tunnel(e, true);
	if (e->c->vtep6)
		tunnel(e, false);
	guard_sources(e);
	guard_servers(e);
	refuse_routing(e);
	go_on(e, TN_TABLE_POLICY_OUT, TN_TABLE_SERVICES);
	go_on(e, TN_TABLE_SERVICES, TN_TABLE_BRIDGE);
	go_on(e, TN_TABLE_POLICY_IN, TN_TABLE_OUTPUT);
	tn_emit_flow(e, TN_TABLE_SERVICES, 49000, TN_ROLE_SERVED);
	tn_emit_flags(e, TN_FLAG_HOST, TN_FLAG_HOST);
	tn_emit_goto(e, TN_TABLE_BRIDGE);
	tn_emit_end(e);
	refuse_destination(
		e, 40000, TN_ROLE_BRIDGE_GATEWAY, TN_GATEWAY_MAC, UINT64_C(0xffffffffffff));
	/* IEEE 802.1Q, 8.6.3: bridges forward none of them. */
	refuse_destination(
		e, 40000, TN_ROLE_LINK, UINT64_C(0x0180c2000000), UINT64_C(0xfffffffffff0));
}
