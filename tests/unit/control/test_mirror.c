/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mirror against the kernel itself, in a network namespace of the test's own, with an engine
 * that only remembers what it was told.
 */
#include "control/underlay/mirror.h"

#include <arpa/inet.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND	      UINT64_C(1000000000)
#define PATIENCE_S    20
#define FLOOD	      10000u
#define ROUTES_MAX    (FLOOD + 100)
#define ADDRESSES_MAX 16

/* --- an engine --- */

static struct {
	const struct tn_api_port_info *ports;
	size_t n_ports;
	tn_watch_fn watch;
	void *watch_ctx;
	unsigned updates;
	struct tn_underlay_address addresses[ADDRESSES_MAX];
	struct tn_underlay_route routes[ROUTES_MAX];
	struct tn_underlay_neighbour neighbours[ADDRESSES_MAX];
	size_t n_addresses, n_routes, n_neighbours;
	struct tn_loop *loop;
	bool (*wanted)(void);
	bool seen;
} engine;

void tn_engine_scan(struct tn_engine *e, enum tn_kind kind, struct tn_scope scope, uint64_t after,
	bool from_start, tn_object_fn fn, void *ctx)
{
	(void)e;
	(void)scope;
	(void)after;
	(void)from_start;
	for (size_t i = 0; kind == TN_KIND_PORT && i < engine.n_ports; i++) {
		const struct tn_object object = {.kind = kind, .port = &engine.ports[i]};

		if (!fn(ctx, &object))
			return;
	}
}

int tn_engine_listen(struct tn_engine *e, tn_watch_fn fn, void *ctx)
{
	(void)e;
	engine.watch = fn;
	engine.watch_ctx = ctx;
	return 0;
}

void tn_engine_unlisten(struct tn_engine *e, const void *ctx)
{
	(void)e;
	assert_ptr_equal(ctx, engine.watch_ctx);
	engine.watch = NULL;
}

void tn_engine_set_underlay(struct tn_engine *e, const struct tn_underlay_config *c)
{
	(void)e;
	assert_true(c->n_addresses <= ADDRESSES_MAX && c->n_routes <= ROUTES_MAX &&
		c->n_neighbours <= ADDRESSES_MAX);
	engine.updates++;
	engine.n_addresses = c->n_addresses;
	engine.n_routes = c->n_routes;
	engine.n_neighbours = c->n_neighbours;
	for (size_t i = 0; i < c->n_addresses; i++)
		engine.addresses[i] = c->addresses[i];
	for (size_t i = 0; i < c->n_routes; i++)
		engine.routes[i] = c->routes[i];
	for (size_t i = 0; i < c->n_neighbours; i++)
		engine.neighbours[i] = c->neighbours[i];
	if (engine.wanted && engine.wanted()) {
		engine.seen = true;
		tn_loop_stop(engine.loop);
	}
}

/* --- a host --- */

/* One has a shadow, the other is shared with the kernel. */
static const struct tn_api_option shadow = {
	.key = "shadow", .type = TN_API_STRING, .string = "up1"};
static const struct tn_api_option shared[] = {
	{.key = "uplink", .type = TN_API_STRING, .string = "up2"},
	{.key = "shared", .type = TN_API_BOOL, .integer = 1},
};
static const struct tn_api_option not_shared[] = {
	{.key = "uplink", .type = TN_API_STRING, .string = "lo"},
	{.key = "shared", .type = TN_API_BOOL, .integer = 0},
};
static const struct tn_api_port_info ports[] = {
	{.port = {.number = 11, .name = "one", .options = &shadow, .n_options = 1}},
	{.port = {.number = 12, .name = "two", .options = shared, .n_options = 2}},
	{.port = {.number = 20, .name = "vtep", .has_vxlan = true}},
	{.port = {.number = 13, .name = "none", .options = not_shared, .n_options = 2}},
};
static struct tn_api_port_info with_remote[4];
static struct tn_mirror *mirror;

static void ip(const char *words)
{
	char command[512];

	snprintf(command, sizeof(command), "ip %s", words);
	if (system(command)) /* NOLINT: the words are the test's own */
		fail_msg("ip %s", words);
}

/* The other host's namespace is that of a process that waits. */
static pid_t other_host;

static void ip_there(const char *words)
{
	char command[512];

	snprintf(command, sizeof(command), "nsenter -t %d -n ip %s", (int)other_host, words);
	if (system(command)) /* NOLINT: the words are the test's own */
		fail_msg("there: ip %s", words);
}

/* An interface on a wire to the other host, where its name begins with p. */
static void plug(const char *name, unsigned mac)
{
	char words[256];

	snprintf(words, sizeof(words),
		"link add %s address 02:00:00:00:00:%02x type veth peer name p%s netns %d", name,
		mac, name, (int)other_host);
	ip(words);
	snprintf(words, sizeof(words), "link set p%s up", name);
	ip_there(words);
	snprintf(words, sizeof(words), "link set %s up", name);
	ip(words);
}

static tn_u128 ip4(const char *text)
{
	uint32_t a;

	assert_int_equal(inet_pton(AF_INET, text, &a), 1);
	return tn_u128_from_ip4(ntohl(a));
}

static void say(const char *fmt, ...)
{
	(void)fmt;
}

static void give_up(void *ctx)
{
	(void)ctx;
	fail_msg("not in %u s; %zu addresses, %zu routes, %zu neighbours", PATIENCE_S,
		engine.n_addresses, engine.n_routes, engine.n_neighbours);
}

/* Until the engine is told what satisfies. */
static void wait_for(bool (*wanted)(void))
{
	engine.wanted = wanted;
	engine.seen = wanted();
	if (!engine.seen)
		tn_loop_run(engine.loop);
	assert_true(engine.seen);
}

static void start_other_host(void)
{
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	other_host = fork();
	assert_true(other_host >= 0);
	if (!other_host) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
}

static int setup(void **state)
{
	struct tn_error err;

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	memset(&engine, 0, sizeof(engine));
	start_other_host();
	plug("up1", 1);
	plug("up2", 2);
	plug("other", 3);
	ip("addr add 198.51.100.2/24 dev up1");
	ip("addr add 203.0.113.2/24 dev up2");
	ip("addr add 192.0.2.2/24 dev other");
	memcpy(with_remote, ports, sizeof(ports));
	with_remote[2].port.vxlan.remote = ip4("198.51.100.77");
	engine.ports = with_remote;
	engine.n_ports = TN_ARRAY_SIZE(ports);
	engine.loop = tn_loop_new();
	assert_int_equal(tn_loop_every(engine.loop, PATIENCE_S * SECOND, give_up, NULL), 0);
	mirror = tn_mirror_new(engine.loop, NULL, say, &err);
	assert_non_null(mirror);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tn_mirror_free(mirror);
	assert_null(engine.watch);
	tn_loop_free(engine.loop);
	kill(other_host, SIGKILL);
	waitpid(other_host, NULL, 0);
	return 0;
}

/* How often a route is there. */
static unsigned routes(const char *prefix, uint8_t length, const char *via, uint32_t port)
{
	unsigned n = 0;

	for (size_t i = 0; i < engine.n_routes; i++) {
		const struct tn_underlay_route *r = &engine.routes[i];

		n += r->is_ip4 && r->prefix == ip4(prefix) && r->prefix_len == length &&
			r->via == (via ? ip4(via) : 0) && r->port == port;
	}
	return n;
}

static bool address(const char *text, uint32_t port)
{
	for (size_t i = 0; i < engine.n_addresses; i++) {
		const struct tn_underlay_address *a = &engine.addresses[i];

		if (a->address == ip4(text) && a->port == port && a->prefix_len == 24 &&
			a->mac.b[5] == port - 10)
			return true;
	}
	return false;
}

static bool neighbour(const char *text, uint8_t mac, uint32_t port)
{
	for (size_t i = 0; i < engine.n_neighbours; i++) {
		const struct tn_underlay_neighbour *n = &engine.neighbours[i];

		if (n->address == ip4(text) && n->mac.b[5] == mac && n->port == port)
			return true;
	}
	return false;
}

/* --- what is awaited --- */

static bool both_uplinks(void)
{
	return address("198.51.100.2", 11) && address("203.0.113.2", 12) &&
		routes("198.51.100.0", 24, NULL, 11) && routes("203.0.113.0", 24, NULL, 12);
}

/* fe80:: of both, once nobody else claims them. */
static bool link_local(void)
{
	return both_uplinks() && engine.n_addresses == 4;
}

static bool two_ways(void)
{
	return routes("10.0.0.0", 8, "198.51.100.1", 11) == 1 &&
		routes("10.0.0.0", 8, "203.0.113.1", 12) == 1;
}

static bool one_way(void)
{
	return routes("10.0.0.0", 8, "198.51.100.1", 11) == 1 &&
		!routes("10.0.0.0", 8, "203.0.113.1", 12);
}

static bool no_way(void)
{
	return !routes("10.0.0.0", 8, "198.51.100.1", 11) &&
		!routes("10.0.0.0", 8, "203.0.113.1", 12);
}

static bool weighted(void)
{
	return routes("10.0.0.0", 8, "198.51.100.1", 11) == 1 &&
		routes("10.0.0.0", 8, "203.0.113.1", 12) == 3;
}

static bool not_by_other(void)
{
	return one_way() && routes("10.1.0.0", 16, NULL, TN_UNDERLAY_ELSEWHERE) == 1;
}

static bool known(void)
{
	return neighbour("198.51.100.1", 0xaa, 11);
}

static bool changed(void)
{
	return neighbour("198.51.100.1", 0xbb, 11);
}

static bool forgotten(void)
{
	return !neighbour("198.51.100.1", 0xbb, 11);
}

static bool renamed(void)
{
	return !address("203.0.113.2", 12) && address("198.51.100.2", 11);
}

static bool empty(void)
{
	return !engine.n_addresses && !engine.n_routes && !engine.n_neighbours;
}

/* --- tests --- */

static void test_addresses(void **state)
{
	(void)state;
	wait_for(both_uplinks);
	wait_for(link_local);
}

static void test_routes(void **state)
{
	(void)state;
	wait_for(both_uplinks);
	ip("route add 10.0.0.0/8 nexthop via 198.51.100.1 nexthop via 203.0.113.1");
	wait_for(two_ways);
	ip("route replace 10.0.0.0/8 nexthop via 198.51.100.1 weight 1 "
	   "nexthop via 203.0.113.1 weight 3");
	wait_for(weighted);
	ip("route replace 10.0.0.0/8 via 198.51.100.1");
	wait_for(one_way);
	ip("route add 10.1.0.0/16 via 192.0.2.1");
	wait_for(not_by_other);
	ip("route del 10.0.0.0/8");
	wait_for(no_way);
}

/* The kernel says nothing of the routes that go. */
static void test_link_down(void **state)
{
	(void)state;
	ip("route add 10.0.0.0/8 via 198.51.100.1");
	ip("route add 10.0.0.0/8 via 192.0.2.1 metric 100");
	wait_for(one_way);
	ip("link set up1 down");
	wait_for(no_way);
	ip("link set up1 up");
	wait_for(both_uplinks);
	ip("route add 10.0.0.0/8 via 198.51.100.1");
	wait_for(one_way);
	ip("addr del 198.51.100.2/24 dev up1");
	wait_for(no_way);
}

static void test_nexthop_objects(void **state)
{
	(void)state;
	ip("nexthop add id 1 via 198.51.100.1 dev up1");
	ip("nexthop add id 2 via 203.0.113.1 dev up2");
	ip("nexthop add id 3 group 1/2");
	ip("route add 10.0.0.0/8 nhid 3");
	wait_for(two_ways);
	ip("nexthop replace id 3 group 1");
	wait_for(one_way);
	ip("nexthop replace id 3 group 1,1/2,3");
	wait_for(weighted);
	ip("nexthop del id 3");
	wait_for(no_way);
}

static void test_neighbours(void **state)
{
	(void)state;
	ip("neigh add 198.51.100.1 lladdr 02:00:00:00:00:aa dev up1");
	ip("neigh add 192.0.2.1 lladdr 02:00:00:00:00:cc dev other");
	wait_for(known);
	assert_int_equal(engine.n_neighbours, 1);
	ip("neigh replace 198.51.100.1 lladdr 02:00:00:00:00:bb dev up1");
	wait_for(changed);
	ip("neigh del 198.51.100.1 dev up1");
	wait_for(forgotten);
}

static void test_interfaces(void **state)
{
	(void)state;
	wait_for(both_uplinks);
	ip("link set up2 down");
	ip("link set up2 name else");
	ip("link set else up");
	wait_for(renamed);
	ip("link set else down");
	ip("link set else name up2");
	ip("link set up2 up");
	wait_for(both_uplinks);
	ip("link del up2");
	wait_for(renamed);
	ip("link del up1");
	wait_for(empty);
	plug("up1", 1);
	plug("up2", 2);
	ip("addr add 198.51.100.2/24 dev up1");
	ip("addr add 203.0.113.2/24 dev up2");
	wait_for(both_uplinks);
}

/* The ports that are there decide which interfaces count. */
static void test_ports(void **state)
{
	const struct tn_object object = {.kind = TN_KIND_PORT, .port = &with_remote[1]};
	const struct tn_watch_event event = {.kind = TN_WATCH_REMOVED, .object = &object};

	(void)state;
	wait_for(both_uplinks);
	engine.n_ports = 1;
	engine.watch(engine.watch_ctx, &event);
	wait_for(renamed);
	engine.n_ports = TN_ARRAY_SIZE(ports);
	engine.watch(engine.watch_ctx, &event);
	wait_for(both_uplinks);
}

static unsigned flood_wanted;

static bool flooded(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < engine.n_routes; i++)
		n += engine.routes[i].is_ip4 && engine.routes[i].prefix_len == 32 &&
			engine.routes[i].via == ip4("203.0.113.1");
	return n == flood_wanted;
}

static void flood(const char *verb)
{
	FILE *f = popen("ip -batch -", "w"); /* NOLINT: the words are the test's own */

	assert_non_null(f);
	for (unsigned i = 0; i < FLOOD; i++)
		fprintf(f, "route %s 10.%u.%u.%u/32 via 203.0.113.1\n", verb, i >> 16 & 255,
			i >> 8 & 255, i & 255);
	assert_int_equal(pclose(f), 0);
}

/* Routes and no time to read them, then time. */
static void test_flood(void **state)
{
	unsigned before;

	(void)state;
	ip("route add 10.0.0.0/8 via 198.51.100.1");
	wait_for(one_way);
	before = engine.updates;
	flood("add");
	flood_wanted = FLOOD;
	wait_for(flooded);
	assert_true(one_way());
	flood("del");
	flood_wanted = 0;
	wait_for(flooded);
	assert_true(one_way());
	assert_true(engine.updates - before < 100);
}

static bool asked(void)
{
	return neighbour("198.51.100.77", 0x77, 11);
}

/* The remote of a tunnel is looked for without any traffic, and again when it went. */
static void test_resolves(void **state)
{
	(void)state;
	wait_for(both_uplinks);
	ip_there("link set pup1 address 02:00:00:00:00:77");
	ip_there("addr add 198.51.100.77/24 dev pup1");
	wait_for(asked);
	ip("neigh flush dev up1");
	wait_for(asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nexthop_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neighbours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interfaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolves, setup, teardown),
	};

	if (geteuid() || unshare(CLONE_NEWNET) || system("ip link add probe type veth")) {
		puts("needs root, network namespaces and veth pairs");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
