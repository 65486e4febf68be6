/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tenant compiler at size: 10,000 ports on 1,000 networks over 100 hosts, of which one with 100
 * ports compiles. Ten networks are a tenant's, joined by a router. Two placements: a host that has
 * ports of few tenants, and one that has ports of all of them and so needs everything.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/model/arena.h"
#include "control/tenant/compile.h"

#define HOSTS	   100u
#define NETWORKS   1000u
#define PER_ROUTER 10u
#define PORTS	   10000u
#define CHANGES	   1000u

struct declaration {
	struct tn_arena arena;
	struct tn_tenant_change *changes;
	size_t n;
	struct tn_tenant_port *ports[PORTS];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *id(struct declaration *d, const char *prefix, unsigned n)
{
	char text[64];

	/* As long as a UUID. */
	snprintf(text, sizeof(text), "%s-%08u-0000-4000-8000-000000000000", prefix, n);
	return tn_arena_strdup(&d->arena, text);
}

static void *add(struct declaration *d, enum tn_tenant_kind kind, const char *name, size_t size)
{
	struct tn_tenant_common *c = tn_arena_alloc(&d->arena, size);

	*c = (struct tn_tenant_common){name, "", "tenant", ""};
	d->changes[d->n++] = (struct tn_tenant_change){kind, name, c};
	return c;
}

static void add_host(struct declaration *d, unsigned i)
{
	struct tn_tenant_host *h = add(d, TN_TENANT_HOST, id(d, "host", i), sizeof(*h));
	tn_u128 *vtep = tn_arena_alloc(&d->arena, sizeof(*vtep));

	*vtep = tn_u128_from_ip4(0x0a640000 + i);
	h->vtep_addresses = vtep;
	h->n_vtep_addresses = 1;
}

static void add_network(struct declaration *d, unsigned i)
{
	struct tn_network *n = add(d, TN_TENANT_NETWORK, id(d, "net", i), sizeof(*n));
	struct tn_subnet *s;

	n->vni = 5000 + i;
	n->admin_state_up = true;
	n->qos_policy_id = "";
	s = add(d, TN_TENANT_SUBNET, id(d, "sub", i), sizeof(*s));
	s->network_id = n->c.id;
	s->cidr = (struct tn_prefix){tn_u128_from_ip4(0x0a000000 + (i << 8)), 24, true};
	s->has_gateway = s->enable_dhcp = true;
	s->gateway_ip = s->cidr.address + 254;
	s = add(d, TN_TENANT_SUBNET, id(d, "sub6", i), sizeof(*s));
	s->network_id = n->c.id;
	s->cidr = (struct tn_prefix){(tn_u128)0x20010db8 << 96 | (tn_u128)i << 64, 64, false};
	s->has_gateway = s->enable_dhcp = true;
	s->ipv6_mode = TN_IPV6_SLAAC;
	s->gateway_ip = s->cidr.address + 254;
}

static void add_router(struct declaration *d, unsigned i)
{
	struct tn_router *r = add(d, TN_TENANT_ROUTER, id(d, "router", i), sizeof(*r));
	struct tn_router_interface *list =
		tn_arena_alloc(&d->arena, 2 * PER_ROUTER * sizeof(*list));

	r->admin_state_up = true;
	r->interfaces = list;
	for (unsigned n = 0; n < PER_ROUTER; n++) {
		list[r->n_interfaces++].subnet_id = id(d, "sub", i * PER_ROUTER + n);
		list[r->n_interfaces++].subnet_id = id(d, "sub6", i * PER_ROUTER + n);
	}
}

static void add_port(struct declaration *d, unsigned i, unsigned network, unsigned host)
{
	struct tn_tenant_port *p = add(d, TN_TENANT_PORT, id(d, "port", i), sizeof(*p));
	struct tn_fixed_ip *ips = tn_arena_alloc(&d->arena, 2 * sizeof(*ips));
	unsigned place = i / NETWORKS + 1;

	p->network_id = id(d, "net", network);
	p->mac_address = (struct tn_mac){{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
	ips[0] = (struct tn_fixed_ip){"", tn_u128_from_ip4(0x0a000000 + (network << 8) + place)};
	ips[1] = (struct tn_fixed_ip){
		"", (tn_u128)0x20010db8 << 96 | (tn_u128)network << 64 | place};
	p->fixed_ips = ips;
	p->n_fixed_ips = 2;
	p->admin_state_up = p->port_security_enabled = true;
	p->qos_policy_id = "";
	p->binding = (struct tn_binding){.kind = TN_BINDING_VM,
		.host = id(d, "host", host),
		.vhost_socket = "",
		.device = "",
		.datapath = ""};
	d->ports[i] = p;
}

/* Port i is of network i % NETWORKS. */
static void declare(struct declaration *d, bool spread)
{
	tn_arena_init(&d->arena);
	d->changes = malloc((size_t)(PORTS + NETWORKS * 4 + HOSTS) * sizeof(*d->changes));
	if (!d->changes)
		abort();
	d->n = 0;
	for (unsigned i = 0; i < HOSTS; i++)
		add_host(d, i);
	for (unsigned i = 0; i < NETWORKS; i++)
		add_network(d, i);
	for (unsigned i = 0; i < NETWORKS / PER_ROUTER; i++)
		add_router(d, i);
	for (unsigned i = 0; i < PORTS; i++) {
		unsigned network = i % NETWORKS;

		/* Spread: networks 0, 10, 20, ..: one of each tenant is on host 0. */
		add_port(d, i, network,
			spread ? network % PER_ROUTER * 10 + i / NETWORKS : network / PER_ROUTER);
	}
}

static void change_one(struct tn_compiler *c, struct declaration *d, unsigned i, double *worst,
	double *sum, size_t *mods)
{
	struct tn_tenant_port *p = tn_arena_dup(&d->arena, d->ports[i], sizeof(*p));
	struct tn_tenant_change change = {TN_TENANT_PORT, p->c.id, p};
	struct tn_compiled compiled;
	double start, took;

	p->mac_address.b[1] ^= 1;
	start = now();
	tn_compiler_change(c, &change, 1, &compiled);
	took = now() - start;
	*mods += compiled.n_mods;
	tn_compiler_accept(c);
	d->ports[i] = p;
	*sum += took;
	if (took > *worst)
		*worst = took;
}

static void measure(bool spread)
{
	static struct declaration d;
	struct tn_numbers *numbers = tn_numbers_new();
	struct tn_compiler_stats stats;
	struct tn_compiled compiled;
	struct tn_compiler *c;
	double start, first, worst = 0, sum = 0;
	struct mallinfo2 before, after;
	size_t mods = 0;

	declare(&d, spread);
	before = mallinfo2();
	start = now();
	c = tn_compiler_new(d.ports[0]->binding.host, 1, numbers);
	tn_compiler_change(c, d.changes, d.n, &compiled);
	first = now() - start;
	tn_compiler_accept(c);
	after = mallinfo2();
	tn_compiler_stats(c, &stats);
	printf("%-22s first compile %6.1f ms, %zu rules, %zu groups, %zu units, "
	       "%.1f MB (%.1f MB counted)\n",
		spread ? "ports of every tenant:" : "ports of one tenant:", first * 1e3,
		stats.rules, stats.groups, stats.units,
		(double)(after.uordblks - before.uordblks) / 1e6, (double)stats.memory_bytes / 1e6);
	for (unsigned i = 0; i < CHANGES; i++)
		change_one(c, &d, i * (PORTS / CHANGES), &worst, &sum, &mods);
	printf("%-22s change of a port %.3f ms, at most %.3f ms, %.1f mods\n", "",
		sum / CHANGES * 1e3, worst * 1e3, (double)mods / CHANGES);
	tn_compiler_free(c);
	tn_numbers_free(numbers);
	tn_arena_fini(&d.arena);
	free(d.changes);
}

int main(void)
{
	printf("%u ports on %u networks of %u tenants over %u hosts; one host's compiler\n", PORTS,
		NETWORKS, NETWORKS / PER_ROUTER, HOSTS);
	measure(false);
	measure(true);
	return 0;
}
