/* SPDX-License-Identifier: BSD-3-Clause */
/* Underlay of the document, both directions: own addresses, routes, neighbours. */
#include "control/model/json_document.h"

#include <string.h>

enum underlay_key { ADDRESSES, ROUTES, NEIGHBOURS };

static const struct tn_json_key underlay_keys[] = {
	[ADDRESSES] = TN_JSON_KEY("addresses"),
	[ROUTES] = TN_JSON_KEY("routes"),
	[NEIGHBOURS] = TN_JSON_KEY("neighbours"),
};

/* Reading. */

static bool read_uplink(struct tn_json_reader *r, tn_json_ref v, uint32_t *port)
{
	*port = 0;
	if (!v)
		return true;
	if (!tn_json_port(r, v, TN_OFPBRC_BAD_PORT, port))
		return false;
	return *port <= TN_PORT_MAX ||
		tn_json_error(r, v, TN_OFPBRC_BAD_PORT,
			"a reserved port is no uplink; name a declared one");
}

static bool read_underlay_address(
	struct tn_json_reader *r, tn_json_ref v, struct tn_underlay_address *a)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("address"), TN_JSON_KEY("mac"), TN_JSON_KEY("port")};
	static const char what[] = "an address of the underlay";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	bool ok, unused;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", what);
	ok = tn_json_members(r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	ok &= m[0] ? tn_json_network(r, m[0], &a->address, &a->prefix_len, &unused)
		   : tn_json_needed(r, v, what, "address") != NULL;
	ok &= m[1] ? tn_json_read_station(r, m[1], &a->mac)
		   : tn_json_needed(r, v, what, "mac") != NULL;
	return read_uplink(r, m[2], &a->port) && ok;
}

static tn_u128 route_mask(const struct tn_underlay_route *route)
{
	unsigned length = route->prefix_len + (route->is_ip4 ? 96u : 0u);

	return length == 0 ? 0 : ~(tn_u128)0 << (128 - length);
}

static bool read_underlay_route(
	struct tn_json_reader *r, tn_json_ref v, struct tn_underlay_route *route)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("prefix"), TN_JSON_KEY("via"), TN_JSON_KEY("port")};
	static const char what[] = "a route of the underlay";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	uint32_t unused;
	bool ok;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", what);
	ok = tn_json_members(r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	if (!m[0])
		return tn_json_needed(r, v, what, "prefix") != NULL;
	if (!tn_json_network(r, m[0], &route->prefix, &route->prefix_len, &route->is_ip4))
		return false;
	route->prefix &= route_mask(route);
	if (m[1])
		ok &= tn_json_read_endpoint(r, m[1], &route->via);
	if (ok && m[1] && tn_u128_is_ip4(route->via, &unused) != route->is_ip4)
		ok = tn_json_error(r, m[1], TN_OF_OK,
			"\"via\" and \"prefix\" are of two families; give both as IPv4 or both as "
			"IPv6");
	return read_uplink(r, m[2], &route->port) && ok;
}

static bool read_neighbour(struct tn_json_reader *r, tn_json_ref v, struct tn_underlay_neighbour *n)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("address"), TN_JSON_KEY("mac"), TN_JSON_KEY("port")};
	static const char what[] = "a neighbour of the underlay";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	bool ok;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", what);
	ok = tn_json_members(r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	ok &= m[0] ? tn_json_read_endpoint(r, m[0], &n->address)
		   : tn_json_needed(r, v, what, "address") != NULL;
	ok &= m[1] ? tn_json_read_station(r, m[1], &n->mac)
		   : tn_json_needed(r, v, what, "mac") != NULL;
	return read_uplink(r, m[2], &n->port) && ok;
}

bool tn_json_read_underlay(struct tn_json_reader *r, tn_json_ref v, struct tn_document *doc)
{
	struct tn_arena *arena = r->codec->arena;
	tn_json_ref m[TN_ARRAY_SIZE(underlay_keys)], e;
	bool ok;
	size_t i;

	if (!tn_json_is_object(r, v, "an object with \"addresses\", \"routes\" and \"neighbours\""))
		return false;
	ok = tn_json_members(r, v, "the underlay", underlay_keys, TN_ARRAY_SIZE(underlay_keys), m);
	for (i = 0; i < TN_ARRAY_SIZE(m); i++)
		if (m[i] && !tn_json_is_array(r, m[i], "an array")) {
			m[i] = NULL;
			ok = false;
		}
	doc->n_addresses = m[ADDRESSES] ? m[ADDRESSES]->n : 0;
	doc->n_routes = m[ROUTES] ? m[ROUTES]->n : 0;
	doc->n_neighbours = m[NEIGHBOURS] ? m[NEIGHBOURS]->n : 0;
	doc->addresses = tn_arena_alloc(arena, doc->n_addresses * sizeof(*doc->addresses));
	doc->routes = tn_arena_alloc(arena, doc->n_routes * sizeof(*doc->routes));
	doc->neighbours = tn_arena_alloc(arena, doc->n_neighbours * sizeof(*doc->neighbours));
	e = m[ADDRESSES] ? tn_json_first(m[ADDRESSES]) : NULL;
	for (i = 0; i < doc->n_addresses; i++, e = tn_json_next(r->tape, e))
		ok &= read_underlay_address(r, e, &doc->addresses[i]);
	e = m[ROUTES] ? tn_json_first(m[ROUTES]) : NULL;
	for (i = 0; i < doc->n_routes; i++, e = tn_json_next(r->tape, e))
		ok &= read_underlay_route(r, e, &doc->routes[i]);
	e = m[NEIGHBOURS] ? tn_json_first(m[NEIGHBOURS]) : NULL;
	for (i = 0; i < doc->n_neighbours; i++, e = tn_json_next(r->tape, e))
		ok &= read_neighbour(r, e, &doc->neighbours[i]);
	return ok;
}

/* Writing. */

static void write_mac(json_t *o, const struct tn_mac *mac)
{
	json_object_set_new(o, "mac", tn_json_from_mac(tn_mac_number(*mac)));
}

static void write_uplink(json_t *o, const struct tn_names *names, uint32_t port)
{
	const char *name = port ? tn_names_port_name(names, port) : NULL;

	if (name)
		json_object_set_new(o, "port", json_string(name));
	else if (port)
		json_object_set_new(o, "port", json_integer(port));
}

/* Prefixes as they are asked for in text: the length counts from the family's own start. */
static json_t *write_network(tn_u128 address, uint8_t length, bool ip4)
{
	unsigned n = length + (ip4 ? 96u : 0u);

	return tn_json_from_prefix(address, n == 0 ? 0 : ~(tn_u128)0 << (128 - n), TN_JSON_IP_ANY);
}

json_t *tn_json_write_underlay(const struct tn_document *doc)
{
	json_t *underlay = json_object(), *array, *o;
	uint32_t unused;
	size_t i;

	array = json_array();
	for (i = 0; i < doc->n_addresses; i++) {
		const struct tn_underlay_address *a = &doc->addresses[i];

		o = json_object();
		json_object_set_new(o, "address",
			write_network(
				a->address, a->prefix_len, tn_u128_is_ip4(a->address, &unused)));
		write_mac(o, &a->mac);
		write_uplink(o, doc->names, a->port);
		json_array_append_new(array, o);
	}
	json_object_set_new(underlay, "addresses", array);
	array = json_array();
	for (i = 0; i < doc->n_routes; i++) {
		const struct tn_underlay_route *route = &doc->routes[i];

		o = json_object();
		json_object_set_new(o, "prefix",
			write_network(route->prefix, route->prefix_len, route->is_ip4));
		if (route->via)
			json_object_set_new(
				o, "via", tn_json_from_address(route->via, TN_JSON_IP_ANY));
		write_uplink(o, doc->names, route->port);
		json_array_append_new(array, o);
	}
	json_object_set_new(underlay, "routes", array);
	array = json_array();
	for (i = 0; i < doc->n_neighbours; i++) {
		const struct tn_underlay_neighbour *n = &doc->neighbours[i];

		o = json_object();
		json_object_set_new(o, "address", tn_json_from_address(n->address, TN_JSON_IP_ANY));
		write_mac(o, &n->mac);
		write_uplink(o, doc->names, n->port);
		json_array_append_new(array, o);
	}
	json_object_set_new(underlay, "neighbours", array);
	return underlay;
}
