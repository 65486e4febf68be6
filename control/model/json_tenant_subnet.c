/* SPDX-License-Identifier: BSD-3-Clause */
/* Subnets of tenants in JSON. */
#include <string.h>

#include "control/model/json_codec.h"
#include "control/model/prefix.h"
#include "control/model/tenant_json.h"

#define POOLS_MAX	32u
#define NAMESERVERS_MAX 16u
#define HOST_ROUTES_MAX 64u

enum subnet_key {
	NETWORK = TN_KEY_FIRST,
	CIDR,
	IP_VERSION,
	GATEWAY,
	DHCP,
	ADDRESS_MODE,
	RA_MODE,
	POOLS,
	NAMESERVERS,
	HOST_ROUTES,
};

const struct tn_json_key tn_tenant_subnet_keys[] = {
	TN_TENANT_COMMON_KEYS,
	[NETWORK] = TN_JSON_KEY("network_id"),
	[CIDR] = TN_JSON_KEY("cidr"),
	[IP_VERSION] = TN_JSON_KEY("ip_version"),
	[GATEWAY] = TN_JSON_KEY("gateway_ip"),
	[DHCP] = TN_JSON_KEY("enable_dhcp"),
	[ADDRESS_MODE] = TN_JSON_KEY("ipv6_address_mode"),
	[RA_MODE] = TN_JSON_KEY("ipv6_ra_mode"),
	[POOLS] = TN_JSON_KEY("allocation_pools"),
	[NAMESERVERS] = TN_JSON_KEY("dns_nameservers"),
	[HOST_ROUTES] = TN_JSON_KEY("host_routes"),
	TN_TENANT_ANSWER_KEYS,
};
const size_t tn_tenant_n_subnet_keys = TN_ARRAY_SIZE(tn_tenant_subnet_keys);

static const char *const mode_words[] = {
	[TN_IPV6_SLAAC] = "slaac",
	[TN_IPV6_STATEFUL] = "dhcpv6-stateful",
	[TN_IPV6_STATELESS] = "dhcpv6-stateless",
};

const char *tn_ipv6_mode_name(enum tn_ipv6_mode mode)
{
	return mode < TN_ARRAY_SIZE(mode_words) ? mode_words[mode] : NULL;
}

/* Reading. */

static void read_version(struct tn_tenant_members *o, const struct tn_subnet *s)
{
	uint32_t version = 0;

	tn_tenant_read_u32(o, IP_VERSION, 4, 6, &version);
	if (o->ok && version && version != (s->cidr.is_ip4 ? 4 : 6))
		o->ok = tn_json_error(o->r, o->m[IP_VERSION], TN_OF_OK,
			"\"ip_version\" is %u and \"cidr\" of IPv%d; correct one", version,
			s->cidr.is_ip4 ? 4 : 6);
}

static enum tn_ipv6_mode read_mode(struct tn_tenant_members *o, unsigned key)
{
	static const char *const words[] = {"slaac", "dhcpv6-stateful", "dhcpv6-stateless", NULL};
	tn_json_ref v = o->m[key];
	int word;

	if (!v || v->type == TN_JSON_NULL)
		return TN_IPV6_NONE;
	word = tn_tenant_read_word(o, key, words);
	return word < 0 ? TN_IPV6_NONE : (enum tn_ipv6_mode)(TN_IPV6_SLAAC + word);
}

static void read_modes(struct tn_tenant_members *o, struct tn_subnet *s)
{
	enum tn_ipv6_mode ra = read_mode(o, RA_MODE);
	tn_json_ref at = o->m[ADDRESS_MODE] ? o->m[ADDRESS_MODE] : o->m[RA_MODE];

	s->ipv6_mode = read_mode(o, ADDRESS_MODE);
	if (!o->ok)
		return;
	if (o->m[RA_MODE] && o->m[ADDRESS_MODE] && ra != s->ipv6_mode)
		o->ok = tn_json_error(o->r, o->m[RA_MODE], TN_OF_OK,
			"\"ipv6_ra_mode\" and \"ipv6_address_mode\" differ; router advertisements "
			"follow the latter, leave the former out");
	if (!o->m[ADDRESS_MODE])
		s->ipv6_mode = ra;
	if (s->ipv6_mode == TN_IPV6_NONE)
		return;
	if (s->cidr.is_ip4)
		o->ok = tn_json_error(o->r, at, TN_OF_OK,
			"a mode of IPv6 for an IPv4 subnet; remove it or correct \"cidr\"");
	else if (s->ipv6_mode != TN_IPV6_STATEFUL && s->cidr.len != 64)
		o->ok = tn_json_error(o->r, at, TN_OF_OK,
			"stations make their own addresses of 64 bits only, and \"cidr\" has %u; "
			"make it a /64 or take \"dhcpv6-stateful\"",
			s->cidr.len);
}

/* The first address, unless the client says one or that there is none. */
static void read_gateway(struct tn_tenant_members *o, struct tn_subnet *s)
{
	tn_json_ref v = o->m[GATEWAY];
	char found[96];

	if (!v && tn_prefix_bits(&s->cidr) < 127) {
		s->has_gateway = true;
		s->gateway_ip = s->cidr.address + 1;
		return;
	}
	if (!v || v->type == TN_JSON_NULL || (v->type == TN_JSON_STRING && v->string.len == 0))
		return;
	if (!tn_json_address(o->r, v, TN_JSON_IP_ANY, &s->gateway_ip)) {
		o->ok = false;
		return;
	}
	s->has_gateway = true;
	if (!tn_prefix_holds_station(&s->cidr, s->gateway_ip))
		o->ok = tn_json_error(o->r, v, TN_OF_OK,
			"gateway %s is no station's address of the subnet; give one within "
			"\"cidr\", or null for none",
			tn_json_describe(v, found, sizeof(found)));
}

static void add_pool(struct tn_subnet *s, struct tn_pool *pools, tn_u128 start, tn_u128 end)
{
	if (start <= end)
		pools[s->n_allocation_pools++] = (struct tn_pool){start, end};
}

/* All addresses that stations can have, but for the gateway's. */
static void whole_pool(struct tn_tenant_members *o, struct tn_subnet *s)
{
	struct tn_pool *pools = tn_arena_alloc(o->r->codec->arena, 2 * sizeof(*pools));
	tn_u128 first = tn_prefix_first(&s->cidr), last = tn_prefix_last(&s->cidr);

	if (tn_prefix_bits(&s->cidr) < 127) {
		first++;
		last -= s->cidr.is_ip4;
	}
	s->allocation_pools = pools;
	if (!s->has_gateway) {
		add_pool(s, pools, first, last);
		return;
	}
	if (s->gateway_ip > first)
		add_pool(s, pools, first, s->gateway_ip - 1);
	if (s->gateway_ip < last)
		add_pool(s, pools, s->gateway_ip + 1, last);
}

static bool read_pool(
	struct tn_json_reader *r, tn_json_ref v, const struct tn_subnet *s, struct tn_pool *pool)
{
	static const struct tn_json_key keys[] = {TN_JSON_KEY("start"), TN_JSON_KEY("end")};
	static const char what[] = "an allocation pool";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	char found[96];
	bool ok;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", what);
	ok = tn_json_members(r, v, what, keys, TN_ARRAY_SIZE(keys), m);
	ok &= m[0] ? tn_json_address(r, m[0], TN_JSON_IP_ANY, &pool->start)
		   : tn_json_needed(r, v, what, "start") != NULL;
	ok &= m[1] ? tn_json_address(r, m[1], TN_JSON_IP_ANY, &pool->end)
		   : tn_json_needed(r, v, what, "end") != NULL;
	if (!ok)
		return false;
	if (!tn_prefix_holds_station(&s->cidr, pool->start))
		ok = tn_json_error(r, m[0], TN_OF_OK,
			"%s is outside of what stations of the subnet can have; take a start "
			"within \"cidr\"",
			tn_json_describe(m[0], found, sizeof(found)));
	if (!tn_prefix_holds_station(&s->cidr, pool->end))
		ok = tn_json_error(r, m[1], TN_OF_OK,
			"%s is outside of what stations of the subnet can have; take an end "
			"within \"cidr\"",
			tn_json_describe(m[1], found, sizeof(found)));
	if (ok && pool->end < pool->start)
		ok = tn_json_error(r, v, TN_OF_OK, "the pool ends before it starts; swap the two");
	if (ok && s->has_gateway && pool->start <= s->gateway_ip && s->gateway_ip <= pool->end)
		ok = tn_json_error(r, v, TN_OF_OK,
			"the gateway's address lies in this pool and would be given out; leave it "
			"out of the pool");
	return ok;
}

static void read_pools(struct tn_tenant_members *o, struct tn_subnet *s)
{
	tn_json_ref array, v;
	struct tn_pool *pools;
	uint32_t n = 0;

	if (!o->m[POOLS]) {
		whole_pool(o, s);
		return;
	}
	array = tn_tenant_read_array(o, POOLS, POOLS_MAX);
	if (!array)
		return;
	pools = tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*pools));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v)) {
		if (!read_pool(o->r, v, s, &pools[n])) {
			o->ok = false;
			continue;
		}
		for (uint32_t k = 0; k < n; k++)
			if (pools[k].start <= pools[n].end && pools[n].start <= pools[k].end)
				o->ok = tn_json_error(o->r, v, TN_OF_OK,
					"this pool overlaps one before it; make them apart");
		n++;
	}
	s->allocation_pools = pools;
	s->n_allocation_pools = n;
}

static void read_nameservers(struct tn_tenant_members *o, struct tn_subnet *s)
{
	tn_json_ref array = tn_tenant_read_array(o, NAMESERVERS, NAMESERVERS_MAX), v;
	char found[96];
	tn_u128 *list;

	if (!array)
		return;
	list = tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*list));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v)) {
		if (!tn_tenant_read_address(o->r, v, &list[i]))
			o->ok = false;
		else if (tn_address_is_ip4(list[i]) != s->cidr.is_ip4)
			o->ok = tn_json_error(o->r, v, TN_OF_OK,
				"name server %s is of another family than \"cidr\"; name it in a "
				"subnet of its own",
				tn_json_describe(v, found, sizeof(found)));
	}
	s->dns_nameservers = list;
	s->n_dns_nameservers = array->n;
}

static void read_host_routes(struct tn_tenant_members *o, struct tn_subnet *s)
{
	tn_json_ref array = tn_tenant_read_array(o, HOST_ROUTES, HOST_ROUTES_MAX), v;
	struct tn_host_route *list;

	if (!array)
		return;
	list = tn_arena_alloc(o->r->codec->arena, (array->n + 1u) * sizeof(*list));
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v)) {
		if (!tn_tenant_read_route(
			    o->r, v, "a host route", &list[i].destination, &list[i].next_hop))
			o->ok = false;
		else if (list[i].destination.is_ip4 != s->cidr.is_ip4)
			o->ok = tn_json_error(o->r, v, TN_OF_OK,
				"this route is of another family than \"cidr\"; put it into a "
				"subnet of its own");
	}
	s->host_routes = list;
	s->n_host_routes = array->n;
}

static void check_dhcp(struct tn_tenant_members *o, const struct tn_subnet *s)
{
	if (s->ipv6_mode != TN_IPV6_NONE && !s->enable_dhcp)
		o->ok = tn_json_error(o->r, o->m[DHCP], TN_OF_OK,
			"\"enable_dhcp\" is false, and with it \"ipv6_address_mode\" means "
			"nothing; leave one of the two out");
	else if (s->enable_dhcp && !s->n_allocation_pools &&
		(s->cidr.is_ip4 || s->ipv6_mode == TN_IPV6_STATEFUL))
		o->ok = tn_json_error(o->r, o->m[POOLS] ? o->m[POOLS] : o->v, TN_OF_OK,
			"DHCP has no pool to give addresses from; add one, or set \"enable_dhcp\" "
			"to false");
}

void tn_tenant_read_subnet(struct tn_tenant_members *o, struct tn_subnet *s)
{
	s->network_id = "";
	s->enable_dhcp = true;
	tn_tenant_need_reference(o, NETWORK, "network_id", &s->network_id);
	tn_tenant_read_bool(o, DHCP, &s->enable_dhcp);
	if (!o->m[CIDR]) {
		o->ok = tn_json_needed(o->r, o->v, o->what, "cidr") != NULL;
		return;
	}
	if (!tn_tenant_read_prefix(o->r, o->m[CIDR], &s->cidr)) {
		o->ok = false;
		return;
	}
	read_version(o, s);
	read_modes(o, s);
	read_gateway(o, s);
	read_pools(o, s);
	read_nameservers(o, s);
	read_host_routes(o, s);
	if (o->ok)
		check_dhcp(o, s);
}

/* Writing. */

static void write_pools(json_t *j, const struct tn_subnet *s)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < s->n_allocation_pools; i++)
		json_array_append_new(array,
			json_pack("{s:o,s:o}", "start",
				tn_json_from_address(s->allocation_pools[i].start, TN_JSON_IP_ANY),
				"end",
				tn_json_from_address(s->allocation_pools[i].end, TN_JSON_IP_ANY)));
	json_object_set_new(j, "allocation_pools", array);
}

void tn_tenant_write_subnet(json_t *j, const struct tn_subnet *s)
{
	json_t *array;

	json_object_set_new(j, "network_id", json_string(s->network_id));
	json_object_set_new(j, "ip_version", json_integer(s->cidr.is_ip4 ? 4 : 6));
	json_object_set_new(j, "cidr", tn_tenant_write_prefix(&s->cidr));
	json_object_set_new(j, "gateway_ip",
		s->has_gateway ? tn_json_from_address(s->gateway_ip, TN_JSON_IP_ANY) : json_null());
	json_object_set_new(j, "enable_dhcp", json_boolean(s->enable_dhcp));
	if (s->ipv6_mode != TN_IPV6_NONE)
		json_object_set_new(
			j, "ipv6_address_mode", json_string(tn_ipv6_mode_name(s->ipv6_mode)));
	write_pools(j, s);
	array = json_array();
	for (uint32_t i = 0; i < s->n_dns_nameservers; i++)
		json_array_append_new(
			array, tn_json_from_address(s->dns_nameservers[i], TN_JSON_IP_ANY));
	json_object_set_new(j, "dns_nameservers", array);
	array = json_array();
	for (uint32_t i = 0; i < s->n_host_routes; i++)
		json_array_append_new(array,
			tn_tenant_write_route(
				&s->host_routes[i].destination, s->host_routes[i].next_hop));
	json_object_set_new(j, "host_routes", array);
}
