/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random sequences of changes: after each of them the compiler that was told the changes one by
 * one, one that is told everything at once, and the switch that took the differences are the same.
 */
#include "control/model/prefix.h"
#include "tests/unit/tenant/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEPS	 150u
#define NETWORKS 4u
#define SUBNETS	 8u
#define PORTS	 16u
#define ROUTERS	 3u
#define HOSTS	 3u

struct world {
	struct lab *lab;
	struct rng rng;
	const char *hosts[HOSTS];
};

static const char *name(struct world *w, const char *prefix, unsigned n)
{
	char text[16];

	snprintf(text, sizeof(text), "%s%u", prefix, n);
	return tn_arena_strdup(&w->lab->arena, text);
}

static bool one_in(struct world *w, unsigned n)
{
	return rng_below(&w->rng, n) == 0;
}

static void change_network(struct world *w)
{
	unsigned i = rng_below(&w->rng, NETWORKS);
	struct tn_network *n;

	if (one_in(w, 6)) {
		lab_remove(w->lab, TN_TENANT_NETWORK, name(w, "n", i));
		return;
	}
	n = lab_network(w->lab, name(w, "n", i), 100 + i + (one_in(w, 3) ? 100 : 0));
	n->admin_state_up = !one_in(w, 8);
	n->unknown_unicast = one_in(w, 2) ? TN_UNKNOWN_FLOOD : TN_UNKNOWN_DROP;
	n->multicast_snooping = one_in(w, 2);
	n->mtu = one_in(w, 3) ? 1200 + 100 * i : 0;
	n->qos_policy_id = one_in(w, 3) ? "q0" : "";
}

/* Subnet i is of network i % NETWORKS, so that no two overlap. */
static void change_subnet(struct world *w)
{
	unsigned i = rng_below(&w->rng, SUBNETS);
	const char *id = name(w, "s", i);
	char cidr[64], gateway[64];
	struct tn_subnet *s;

	if (one_in(w, 6)) {
		lab_remove(w->lab, TN_TENANT_SUBNET, id);
		return;
	}
	snprintf(cidr, sizeof(cidr), i % 2 ? "2001:db8:%u::/64" : "10.0.%u.0/24", i);
	snprintf(gateway, sizeof(gateway), i % 2 ? "2001:db8:%u::fe" : "10.0.%u.254", i);
	s = lab_subnet(
		w->lab, id, name(w, "n", i / 2 % NETWORKS), cidr, one_in(w, 5) ? NULL : gateway);
	s->enable_dhcp = !one_in(w, 3);
	if (i % 2)
		s->ipv6_mode = (enum tn_ipv6_mode)rng_below(&w->rng, 4);
	if (one_in(w, 3)) {
		tn_u128 dns = lab_ip(i % 2 ? "2001:db8::53" : "192.0.2.53");

		s->dns_nameservers = tn_arena_dup(&w->lab->arena, &dns, sizeof(dns));
		s->n_dns_nameservers = 1;
	}
}

static void bind(struct world *w, struct tn_tenant_port *p, unsigned i)
{
	p->binding.host = w->hosts[rng_below(&w->rng, HOSTS)];
	switch (rng_below(&w->rng, 6)) {
	case 0:
		p->binding.kind = TN_BINDING_NONE;
		p->binding.host = "";
		break;
	case 1:
		p->binding.kind = TN_BINDING_REMOTE;
		p->binding.host = "";
		p->binding.vtep = lab_ip(one_in(w, 2) ? "198.51.100.20" : "2001:db8:100::20");
		break;
	case 2:
		p->binding.kind = TN_BINDING_BAREMETAL;
		p->binding.device = one_in(w, 3) ? "nic1" : "nic0";
		p->binding.has_vlan = true;
		p->binding.vlan = (uint16_t)(10 + i);
		break;
	case 3:
		p->binding.kind = TN_BINDING_CONTAINER;
		p->binding.device = name(w, "veth", i);
		break;
	default:
		p->binding.kind = TN_BINDING_VM;
		break;
	}
}

static void change_port(struct world *w)
{
	unsigned i = rng_below(&w->rng, PORTS), net = i % NETWORKS;
	const char *id = name(w, "p", i);
	struct tn_address_pair pair = {.ip_address = lab_prefix("10.9.0.0/16")};
	struct tn_tenant_port *p;
	char ips[128];

	if (one_in(w, 6)) {
		lab_remove(w->lab, TN_TENANT_PORT, id);
		return;
	}
	/* Of the network's two pairs of subnets. */
	snprintf(ips, sizeof(ips), "10.0.%u.%u 2001:db8:%u::%u", 2 * net, 10 + i, 2 * net + 1,
		10 + i);
	p = lab_port(
		w->lab, id, name(w, "n", net), 0x020000000100 + i, one_in(w, 5) ? "" : ips, "");
	bind(w, p, i);
	p->admin_state_up = !one_in(w, 8);
	p->port_security_enabled = !one_in(w, 4);
	p->mac_learning_enabled = one_in(w, 3);
	p->qos_policy_id = one_in(w, 4) ? "q1" : "";
	if (one_in(w, 4)) {
		p->allowed_address_pairs = tn_arena_dup(&w->lab->arena, &pair, sizeof(pair));
		p->n_allowed_address_pairs = 1;
	}
}

/* Router i has subnets of its own, so that each has one router. */
static void change_router(struct world *w)
{
	unsigned i = rng_below(&w->rng, ROUTERS);
	char subnets[64] = "";
	struct tn_router *r;

	if (one_in(w, 6)) {
		lab_remove(w->lab, TN_TENANT_ROUTER, name(w, "r", i));
		return;
	}
	for (unsigned s = i; s < SUBNETS; s += ROUTERS) {
		if (!one_in(w, 3))
			sprintf(subnets + strlen(subnets), "s%u ", s);
	}
	r = lab_router(w->lab, name(w, "r", i), subnets);
	r->admin_state_up = !one_in(w, 8);
	for (unsigned n = rng_below(&w->rng, 5); n; n--) {
		char next_hop[64];

		snprintf(next_hop, sizeof(next_hop), "10.0.%u.%u", 2 * rng_below(&w->rng, 4),
			10 + rng_below(&w->rng, PORTS));
		lab_route(w->lab, r, one_in(w, 2) ? "0.0.0.0/0" : "192.0.2.0/24", next_hop);
	}
}

static void change_qos(struct world *w)
{
	const char *id = name(w, "q", rng_below(&w->rng, 2));
	struct tn_qos_policy *q;

	if (one_in(w, 4)) {
		lab_remove(w->lab, TN_TENANT_QOS_POLICY, id);
		return;
	}
	q = lab_qos(w->lab, id);
	q->egress.there = one_in(w, 2);
	q->egress.max_kbps = rng_below(&w->rng, 2) * 1000;
	q->egress.max_kpps = rng_below(&w->rng, 2);
	q->ingress.there = one_in(w, 2);
	q->ingress.max_kbps = rng_below(&w->rng, 2) * 1000;
	q->ingress.max_kpps = rng_below(&w->rng, 2);
	q->dscp_mark = (int16_t)(rng_below(&w->rng, 3) * 8 - 8);
	if (q->dscp_mark < 0)
		q->dscp_mark = -1;
}

static void change_host(struct world *w)
{
	unsigned i = rng_below(&w->rng, HOSTS);
	struct tn_tenant_host *h = tn_arena_alloc(&w->lab->arena, sizeof(*h));
	tn_u128 *vteps = tn_arena_alloc(&w->lab->arena, 2 * sizeof(*vteps));
	char text[32];

	if (one_in(w, 5)) {
		lab_remove(w->lab, TN_TENANT_HOST, w->hosts[i]);
		return;
	}
	*h = (struct tn_tenant_host){
		.c = {.id = w->hosts[i], .name = "", .tenant_id = "", .description = ""},
		.vtep_addresses = vteps,
		.underlay_mtu = one_in(w, 4) ? 9000 : 0};
	if (!one_in(w, 4)) {
		snprintf(text, sizeof(text), "198.51.100.%u", i + 1);
		vteps[h->n_vtep_addresses++] = lab_ip(text);
	}
	if (!one_in(w, 4)) {
		snprintf(text, sizeof(text), "2001:db8:100::%u", i + 1);
		vteps[h->n_vtep_addresses++] = lab_ip(text);
	}
	assert_true(w->lab->n_pending < TN_ARRAY_SIZE(w->lab->pending));
	w->lab->pending[w->lab->n_pending++] =
		(struct tn_tenant_change){TN_TENANT_HOST, w->hosts[i], h};
}

static void change_something(struct world *w)
{
	switch (rng_below(&w->rng, 12)) {
	case 0:
		change_network(w);
		break;
	case 1:
	case 2:
		change_subnet(w);
		break;
	case 3:
		change_router(w);
		break;
	case 4:
		change_qos(w);
		break;
	case 5:
		if (one_in(w, 2))
			change_host(w);
		break;
	default:
		change_port(w);
		break;
	}
}

/* What is pending is tried and undone: nothing is left of it. */
static void try_and_undo(struct world *w)
{
	for (size_t i = 0; i < w->lab->n_hosts; i++) {
		struct lab_host *h = &w->lab->hosts[i];
		struct tn_compiled compiled;
		char *before = lab_text(h), *after;

		tn_compiler_change(h->compiler, w->lab->pending, w->lab->n_pending, &compiled);
		tn_compiler_undo(h->compiler);
		after = lab_text(h);
		assert_string_equal(before, after);
		free(before);
		free(after);
	}
}

static void run(uint64_t seed)
{
	struct world w = {.lab = lab_new(), .rng = {seed}, .hosts = {"h1", "h2", "h3"}};

	w.lab->check_full = true;
	lab_host(w.lab, "h1", "198.51.100.1", "2001:db8:100::1");
	lab_host(w.lab, "h2", "198.51.100.2", NULL);
	lab_device(w.lab, "h1", "nic0", 5);
	lab_device(w.lab, "h2", "nic0", 5);
	for (unsigned step = 0; step < STEPS; step++) {
		for (unsigned n = 1 + rng_below(&w.rng, 3) * rng_below(&w.rng, 4); n; n--)
			change_something(&w);
		if (one_in(&w, 4))
			try_and_undo(&w);
		if (one_in(&w, 8))
			w.lab->n_pending = 0;
		else
			lab_apply(w.lab);
	}
	lab_free(w.lab);
}

static void test_random_changes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++)
		run(seed);
}

/* --- what validation would refuse ------------------------------------------------------------- */

static tn_u128 any_address(struct world *w)
{
	static const char *const texts[] = {"0.0.0.0", "10.0.0.1", "10.0.0.2", "127.0.0.1",
		"224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1", "fe80::1", "2001:db8::1"};

	return lab_ip(texts[rng_below(&w->rng, TN_ARRAY_SIZE(texts))]);
}

static struct tn_prefix any_prefix(struct world *w)
{
	tn_u128 address = any_address(w);
	bool is_ip4 = tn_address_is_ip4(address);

	return (struct tn_prefix){address, (uint8_t)rng_below(&w->rng, is_ip4 ? 33 : 129), is_ip4};
}

static void declare_nonsense(struct world *w)
{
	const char *networks[] = {"n0", "n1", "nowhere"};
	struct tn_network *n = lab_network(
		w->lab, name(w, "n", rng_below(&w->rng, 2)), rng_below(&w->rng, 3) << 23);
	struct tn_subnet *s = lab_subnet(w->lab, name(w, "s", rng_below(&w->rng, 3)),
		networks[rng_below(&w->rng, 3)], "10.0.0.0/8", NULL);
	struct tn_tenant_port *p = lab_port(w->lab, name(w, "p", rng_below(&w->rng, 6)),
		networks[rng_below(&w->rng, 3)], rng_next(&w->rng) >> 16, "", "");
	struct tn_fixed_ip *ips = tn_arena_alloc(&w->lab->arena, 2 * sizeof(*ips));
	struct tn_router *r = lab_router(w->lab, name(w, "r", rng_below(&w->rng, 2)), "s0 s0 s1");
	struct tn_dhcp_option *o = tn_arena_alloc(&w->lab->arena, 2 * sizeof(*o));

	n->mtu = rng_below(&w->rng, 2) ? rng_below(&w->rng, 100000) : 0;
	s->cidr = any_prefix(w);
	s->has_gateway = !one_in(w, 4);
	s->gateway_ip = any_address(w);
	s->ipv6_mode = (enum tn_ipv6_mode)rng_below(&w->rng, 4);
	ips[0] = (struct tn_fixed_ip){one_in(w, 2) ? "s0" : "", any_address(w)};
	ips[1] = (struct tn_fixed_ip){"none", any_address(w)};
	p->fixed_ips = ips;
	p->n_fixed_ips = 2;
	o[0] = (struct tn_dhcp_option){one_in(w, 2) ? "mtu" : "300", "x", 4};
	o[1] = (struct tn_dhcp_option){"67", "0x0", 6};
	p->extra_dhcp_opts = o;
	p->n_extra_dhcp_opts = 2;
	if (one_in(w, 2))
		p->mac_address = lab_mac(0x020000000001);
	bind(w, p, 0);
	if (p->binding.kind == TN_BINDING_REMOTE && one_in(w, 2))
		p->binding.vtep = lab_ip("198.51.100.1");
	r->n_interfaces = 1 + rng_below(&w->rng, 3);
	for (unsigned i = rng_below(&w->rng, 4); i; i--) {
		struct tn_router_route *list = tn_arena_alloc(&w->lab->arena, 4 * sizeof(*list));

		list[0] = (struct tn_router_route){any_prefix(w), any_address(w)};
		list[1] = list[0];
		list[1].next_hop = any_address(w);
		r->routes = list;
		r->n_routes = 2;
	}
}

/* Whatever is declared: it is compiled, and each mod is one that a switch takes. */
static void test_nonsense(void **state)
{
	struct world w = {.lab = lab_new(), .rng = {99}, .hosts = {"h1", "h2", "h3"}};
	struct lab_host *h = lab_host(w.lab, "h1", "198.51.100.1", "2001:db8:100::1");
	struct tn_compiled compiled;
	struct tn_error err;

	(void)state;
	for (unsigned step = 0; step < 400; step++) {
		declare_nonsense(&w);
		tn_compiler_change(h->compiler, w.lab->pending, w.lab->n_pending, &compiled);
		tn_compiler_accept(h->compiler);
		w.lab->n_pending = 0;
		tn_compiler_all(h->compiler, &compiled);
		for (size_t i = 0; i < compiled.n_mods; i++) {
			const struct tn_flow_mod *fm = compiled.mods[i].flow;

			if (compiled.mods[i].kind == TN_MOD_FLOW &&
				(tn_match_check(&fm->match, &err) ||
					tn_instructions_check(
						&fm->inst, &fm->match, fm->table_id, &err)))
				fail_msg("step %u, table %u: %s", step, fm->table_id, err.detail);
		}
	}
	lab_free(w.lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
