/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/underlay.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static tn_u128 ip(const char *text)
{
	struct tn_ip6 ip6;
	uint32_t ip4;

	if (inet_pton(AF_INET, text, &ip4) == 1)
		return tn_u128_from_ip4(ntohl(ip4));
	assert_int_equal(inet_pton(AF_INET6, text, ip6.b), 1);
	return tn_u128_from_ip6(&ip6);
}

static struct tn_underlay_route route(
	const char *prefix, uint8_t len, const char *via, uint32_t port)
{
	return (struct tn_underlay_route){.prefix = ip(prefix),
		.prefix_len = len,
		.is_ip4 = tn_u128_is_ip4(ip(prefix), &(uint32_t){0}),
		.via = via ? ip(via) : 0,
		.port = port};
}

static struct tn_underlay_address addresses[3];
static struct tn_underlay_route routes[6];
static struct tn_underlay_neighbour neighbours[6];
static struct tn_underlay_config config;
static struct tn_underlay *underlay;

static int set_up(void **state)
{
	(void)state;
	addresses[0] =
		(struct tn_underlay_address){ip("198.51.100.1"), 24, {{2, 0, 0, 0, 0, 1}}, 10};
	addresses[1] =
		(struct tn_underlay_address){ip("203.0.113.1"), 24, {{2, 0, 0, 0, 0, 2}}, 11};
	addresses[2] =
		(struct tn_underlay_address){ip("2001:db8::1"), 64, {{2, 0, 0, 0, 0, 1}}, 10};
	routes[0] = route("0.0.0.0", 0, "198.51.100.254", 10);
	routes[1] = route("192.0.2.0", 24, "203.0.113.254", 11);
	routes[2] = route("192.0.2.128", 25, "198.51.100.253", 0);
	routes[3] = route("192.0.2.200", 32, NULL, 10);
	routes[4] = route("::", 0, "2001:db8::fe", 10);
	routes[5] = route("192.0.2.128", 25, "203.0.113.254", 11); /* the same cost */
	neighbours[0] =
		(struct tn_underlay_neighbour){ip("198.51.100.254"), {{4, 0, 0, 0, 0, 254}}, 10};
	neighbours[1] =
		(struct tn_underlay_neighbour){ip("203.0.113.254"), {{4, 0, 0, 0, 1, 254}}, 11};
	neighbours[2] =
		(struct tn_underlay_neighbour){ip("198.51.100.253"), {{4, 0, 0, 0, 0, 253}}, 10};
	neighbours[3] =
		(struct tn_underlay_neighbour){ip("2001:db8::fe"), {{4, 0, 0, 0, 2, 254}}, 0};
	neighbours[4] = (struct tn_underlay_neighbour){ip("198.51.100.7"), {{4, 0, 0, 0, 0, 7}}, 0};
	neighbours[5] = (struct tn_underlay_neighbour){
		ip("192.0.2.200"), {{4, 0, 0, 0, 0, 200}}, 11}; /* behind another port */
	config = (struct tn_underlay_config){
		.addresses = addresses,
		.n_addresses = 3,
		.routes = routes,
		.n_routes = 6,
		.neighbours = neighbours,
		.n_neighbours = 6,
	};
	underlay = tn_underlay_new(&config);
	assert_non_null(underlay);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tn_underlay_free(underlay);
	return 0;
}

static void expect(const char *dst, const char *src, const char *want_src, uint8_t eth_src,
	uint16_t eth_dst, uint32_t port)
{
	struct tn_next_hop hop;

	assert_int_equal(tn_underlay_resolve(underlay, ip(dst), src ? ip(src) : 0, 0, &hop), 0);
	assert_true(hop.src == ip(want_src));
	assert_int_equal(hop.eth_src.b[5], eth_src);
	assert_int_equal(hop.eth_dst.b[4] << 8 | hop.eth_dst.b[5], eth_dst);
	assert_int_equal(hop.port, port);
}

static void expect_drop(const char *dst, const char *src, enum tn_drop drop)
{
	struct tn_next_hop hop;

	assert_int_equal(tn_underlay_resolve(underlay, ip(dst), src ? ip(src) : 0, 0, &hop), drop);
}

static void takes_the_longest_prefix(void **state)
{
	(void)state;
	expect("8.8.8.8", NULL, "198.51.100.1", 1, 254, 10);
	expect("192.0.2.1", NULL, "203.0.113.1", 2, 1 << 8 | 254, 11);
	expect("192.0.2.129", NULL, "198.51.100.1", 1, 253, 10);
	expect("2001:db8:1::5", NULL, "2001:db8::1", 1, 2 << 8 | 254, 10);
}

/* Two next hops of one prefix, with another prefix between them in the list. */
static void spreads_flows_over_equal_routes(void **state)
{
	struct tn_next_hop hop;
	unsigned through_10 = 0, through_11 = 0;

	(void)state;
	for (uint32_t i = 0; i < 16; i++) {
		assert_int_equal(
			tn_underlay_resolve(underlay, ip("192.0.2.129"), 0, i << 28, &hop), 0);
		through_10 += hop.port == 10;
		through_11 += hop.port == 11;
	}
	assert_int_equal(through_10, 8);
	assert_int_equal(through_11, 8);
}

/* A route to a network that we are in ourselves is not asked. */
static void prefers_on_link(void **state)
{
	(void)state;
	routes[1] = route("198.51.100.0", 24, "203.0.113.254", 11);
	tn_underlay_free(underlay);
	underlay = tn_underlay_new(&config);
	expect("198.51.100.7", NULL, "198.51.100.1", 1, 7, 10);
}

static void reaches_its_own_networks(void **state)
{
	(void)state;
	expect("198.51.100.7", NULL, "198.51.100.1", 1, 7, 10);
}

static void uses_the_source_it_is_told(void **state)
{
	(void)state;
	/* The MAC is that of the uplink on the way, whose ever the address is. */
	expect("8.8.8.8", "203.0.113.1", "203.0.113.1", 1, 254, 10);
	/* One that no address has: MAC of the address on the way. */
	expect("8.8.8.8", "10.0.0.1", "10.0.0.1", 1, 254, 10);
}

static void says_why_there_is_no_way(void **state)
{
	(void)state;
	expect_drop("192.0.2.200", NULL, TN_DROP_NO_NEIGHBOUR);
	expect_drop("198.51.100.8", NULL, TN_DROP_NO_NEIGHBOUR);
	expect_drop("198.51.100.1", NULL, TN_DROP_NO_ROUTE); /* itself */
	expect_drop("8.8.8.8", "2001:db8::1", TN_DROP_NO_ROUTE);
	config.n_routes = config.n_addresses = 0;
	tn_underlay_free(underlay);
	underlay = tn_underlay_new(&config);
	expect_drop("8.8.8.8", NULL, TN_DROP_NO_ROUTE);
	expect_drop("2001:db8::5", NULL, TN_DROP_NO_ROUTE);
}

/* An IPv6 default route must not carry IPv4-mapped destinations. */
static void keeps_the_families_apart(void **state)
{
	(void)state;
	config.routes = &routes[4];
	config.n_routes = 1;
	config.n_addresses = 0;
	tn_underlay_free(underlay);
	underlay = tn_underlay_new(&config);
	expect_drop("8.8.8.8", NULL, TN_DROP_NO_ROUTE);
}

static void knows_its_addresses(void **state)
{
	(void)state;
	assert_int_equal(tn_underlay_address(underlay, ip("203.0.113.1"))->port, 11);
	assert_int_equal(tn_underlay_address(underlay, ip("2001:db8::1"))->prefix_len, 64);
	assert_null(tn_underlay_address(underlay, ip("203.0.113.2")));
	assert_true(tn_underlay_is_uplink(underlay, 10));
	assert_false(tn_underlay_is_uplink(underlay, 12));
	assert_false(tn_underlay_is_uplink(underlay, 0));
}

static void rebuild(void)
{
	tn_underlay_free(underlay);
	underlay = tn_underlay_new(&config);
	assert_non_null(underlay);
}

/* A prefix that the host reaches past the uplinks, within one that they lead to. */
static void leaves_elsewhere_alone(void **state)
{
	(void)state;
	routes[5] = route("8.8.0.0", 16, NULL, TN_UNDERLAY_ELSEWHERE);
	rebuild();
	expect_drop("8.8.8.8", NULL, TN_DROP_NO_ROUTE);
	expect("8.9.8.8", NULL, "198.51.100.1", 1, 254, 10);
}

/* The tunnels' address is a loopback's, the uplinks have addresses of their links alone. */
static void sends_from_a_loopback(void **state)
{
	static struct tn_underlay_address own[3];

	(void)state;
	own[0] = (struct tn_underlay_address){ip("192.0.2.77"), 32, {{0}}, 0};
	own[1] = (struct tn_underlay_address){ip("fe80::10"), 64, {{2, 0, 0, 0, 0, 10}}, 10};
	own[2] = (struct tn_underlay_address){ip("2001:db8::77"), 128, {{0}}, 0};
	routes[0] = route("0.0.0.0", 0, "fe80::1", 10);
	routes[4] = route("::", 0, "fe80::1", 10);
	neighbours[0] = (struct tn_underlay_neighbour){ip("fe80::1"), {{4, 0, 0, 0, 0, 1}}, 10};
	config.addresses = own;
	rebuild();
	expect("8.8.8.8", "192.0.2.77", "192.0.2.77", 10, 1, 10);
	expect("8.8.8.8", NULL, "192.0.2.77", 10, 1, 10);
	expect("2001:db8:1::5", NULL, "2001:db8::77", 10, 1, 10);
	expect("fe80::1", NULL, "fe80::10", 10, 1, 10);
	assert_true(tn_underlay_is_uplink(underlay, 10));
	assert_non_null(tn_underlay_address(underlay, ip("192.0.2.77")));
}

/* One that stands for all that have no own, at its port and nowhere else. */
static void sends_to_any_neighbour(void **state)
{
	(void)state;
	expect_drop("198.51.100.99", NULL, TN_DROP_NO_NEIGHBOUR);
	neighbours[5] =
		(struct tn_underlay_neighbour){TN_UNDERLAY_ANY_NEIGHBOUR, {{4, 0, 0, 0, 9, 9}}, 10};
	rebuild();
	expect("198.51.100.99", NULL, "198.51.100.1", 1, 9 << 8 | 9, 10);
	expect("192.0.2.200", NULL, "198.51.100.1", 1, 9 << 8 | 9, 10);
	expect("2001:db8::99", NULL, "2001:db8::1", 1, 9 << 8 | 9, 10);
	expect("198.51.100.7", NULL, "198.51.100.1", 1, 7, 10);
	expect_drop("203.0.113.99", NULL, TN_DROP_NO_NEIGHBOUR);
}

#define MANY 2000u

/* Against a walk over the list: random prefixes, two next hops. */
static void finds_among_many(void **state)
{
	static struct tn_underlay_route many[MANY];
	uint64_t random = 1;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		unsigned length = (unsigned)(random >> 40) % 25 + 8;

		random = random * 6364136223846793005u + 1442695040888963407u;
		many[i] = route("0.0.0.0", (uint8_t)length,
			i & 1 ? "198.51.100.254" : "203.0.113.254", i & 1 ? 10 : 11);
		many[i].prefix |= (uint32_t)(random >> 32) & 0x07ffffffu &
			~(uint32_t)((UINT64_C(1) << (32 - length)) - 1);
	}
	config.routes = many;
	config.n_routes = MANY;
	rebuild();
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t dst = (uint32_t)((random = random * 6364136223846793005u + 1) >> 32) &
			0x07ffffffu;
		int length = -1, hops = 0;
		struct tn_next_hop hop;
		bool found;

		for (unsigned k = 0; k < MANY; k++) {
			uint32_t prefix = (uint32_t)many[k].prefix;
			int l = many[k].prefix_len;

			if ((prefix ^ dst) >> (32 - l) || l < length)
				continue;
			hops = (l == length ? hops : 0) | 1 << (many[k].port - 10);
			length = l;
		}
		found = !tn_underlay_resolve(underlay, tn_u128_from_ip4(dst), 0, dst * 7919, &hop);
		assert_int_equal(found, length >= 0);
		assert_true(!found || hops & 1 << (hop.port - 10));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_the_longest_prefix, set_up, tear_down),
		cmocka_unit_test_setup_teardown(spreads_flows_over_equal_routes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(prefers_on_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reaches_its_own_networks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(uses_the_source_it_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(says_why_there_is_no_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_the_families_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(knows_its_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_elsewhere_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sends_from_a_loopback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sends_to_any_neighbour, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finds_among_many, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
