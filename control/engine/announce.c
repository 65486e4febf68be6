/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of a port that came to this host are told to its network: gratuitous ARP (RFC 5227) and
 * unsolicited neighbour advertisements (RFC 4861, 7.2.6), as if the port had sent them. Switches
 * and hosts that learn know at once where it is now.
 */
#include <stdlib.h>
#include <string.h>

#include "control/engine/engine_private.h"
#include "control/model/prefix.h"

#define ETHERNET_BYTES 14u
#define TAG_BYTES      4u
#define ARP_BYTES      28u
#define IP6_BYTES      40u
#define NA_BYTES       32u /* with the option of the link-layer address */
#define FRAME_MAX      (ETHERNET_BYTES + TAG_BYTES + IP6_BYTES + NA_BYTES)

/* A request of the engine's own, with all that it holds. */
struct announcement {
	struct tn_action action;
	struct tn_operation *ops;
	uint8_t (*frames)[FRAME_MAX];
	size_t n;
};

static void done(void *ctx, const struct tn_outcome *outcome)
{
	struct announcement *a = ctx;

	(void)outcome; /* nothing hangs on it */
	free(a->ops);
	free(a->frames);
	free(a);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

static uint8_t *put16(uint8_t *at, unsigned v)
{
	const uint8_t bytes[] = {(uint8_t)(v >> 8), (uint8_t)v};

	return put(at, bytes, sizeof(bytes));
}

static uint8_t *put_ethernet(
	uint8_t *at, const uint8_t *to, const struct tn_tenant_port *p, unsigned type)
{
	at = put(at, to, 6);
	at = put(at, p->mac_address.b, 6);
	if (p->binding.has_vlan) {
		at = put16(at, 0x8100);
		at = put16(at, p->binding.vlan);
	}
	return put16(at, type);
}

static uint8_t *put_arp(uint8_t *at, const struct tn_tenant_port *p, uint32_t address)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct tn_be32 ip = tn_htobe32(address);

	at = put_ethernet(at, everybody, p, 0x0806);
	at = put16(at, 1); /* Ethernet */
	at = put16(at, 0x0800);
	at = put16(at, 6 << 8 | 4);
	at = put16(at, 2); /* a reply that nobody asked for: to a request the switch would reply */
	for (int i = 0; i < 2; i++) {
		at = put(at, i ? everybody : p->mac_address.b, 6);
		at = put(at, &ip, 4);
	}
	return at;
}

static unsigned sum(const uint8_t *bytes, size_t n, unsigned so_far)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		so_far += (unsigned)bytes[i] << 8 | bytes[i + 1];
	return so_far;
}

static uint8_t *put_na(uint8_t *at, const struct tn_tenant_port *p, tn_u128 address)
{
	static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
	const struct tn_ip6 ip = tn_u128_to_ip6(address);
	uint8_t *ip6, *icmp;
	unsigned check;

	ip6 = put_ethernet(at, all_nodes_mac, p, 0x86dd);
	at = put16(ip6, 0x6000);
	at = put16(at, 0);
	at = put16(at, NA_BYTES);
	at = put16(at, 58 << 8 | 255); /* ICMPv6, hop limit */
	at = put(at, &ip, 16);
	icmp = put(at, all_nodes, 16);
	at = put16(icmp, 136 << 8);
	at = put16(at, 0);
	at = put16(at, 0x2000); /* override */
	at = put16(at, 0);
	at = put(at, &ip, 16);
	at = put16(at, 2 << 8 | 1); /* target link-layer address */
	at = put(at, p->mac_address.b, 6);
	check = sum(ip6 + 8, 32, NA_BYTES + 58);
	check = sum(icmp, NA_BYTES, check);
	while (check >> 16)
		check = (check & 0xffff) + (check >> 16);
	(void)put16(icmp + 2, ~check & 0xffff);
	return at;
}

static void add_frame(
	struct announcement *a, const struct tn_tenant_port *p, uint32_t number, tn_u128 address)
{
	uint8_t *frame = a->frames[a->n], *end;
	uint32_t ip4;

	end = tn_u128_is_ip4(address, &ip4) ? put_arp(frame, p, ip4) : put_na(frame, p, address);
	a->ops[a->n++] = (struct tn_operation){
		.kind = TN_OP_PACKET_OUT,
		.packet_out = {.in_port = number,
			.actions = &a->action,
			.n_actions = 1,
			.frame = frame,
			.frame_len = (uint32_t)(end - frame)},
	};
}

static void announce(struct tn_engine *e, const struct tn_tenant_port *p, uint32_t number)
{
	struct announcement *a;
	struct tn_request r = {.done = done};

	if (!p->n_fixed_ips || !e->link.connected)
		return;
	a = calloc(1, sizeof(*a));
	if (!a)
		abort();
	a->action.type = TN_ACTION_OUTPUT;
	a->action.output.port = TN_PORT_TABLE;
	a->ops = calloc(p->n_fixed_ips, sizeof(*a->ops));
	a->frames = calloc(p->n_fixed_ips, sizeof(*a->frames));
	if (!a->ops || !a->frames)
		abort();
	for (uint32_t i = 0; i < p->n_fixed_ips; i++)
		add_frame(a, p, number, p->fixed_ips[i].ip_address);
	r.operations = a->ops;
	r.n = a->n;
	r.ctx = a;
	tn_engine_submit(e, &r);
}

static bool is_here(const struct tn_engine *e, const struct tn_tenant_object *o)
{
	const struct tn_binding *b = &o->value.port.binding;

	return o->value.port.admin_state_up && b->kind != TN_BINDING_NONE &&
		b->kind != TN_BINDING_REMOTE && strcmp(b->host, e->tenants.host) == 0;
}

static bool same_place(const struct tn_tenant_port *a, const struct tn_tenant_port *b)
{
	return memcmp(&a->mac_address, &b->mac_address, sizeof(a->mac_address)) == 0 &&
		a->n_fixed_ips == b->n_fixed_ips &&
		strcmp(a->binding.device, b->binding.device) == 0;
}

void tn_announce_edits(struct tn_engine *e, const struct tn_edits *edits)
{
	const enum tn_kind kind = tn_kind_of_tenant(TN_TENANT_PORT);
	uint32_t number;

	for (size_t i = 0; i < edits->n && e->tenants.compiler; i++) {
		const struct tn_edit *edit = &edits->v[i];
		const struct tn_tenant_object *before, *after;

		if (edit->kind != kind || !edit->after)
			continue;
		before = edit->before ? tn_wanted_as_tenant(edit->before) : NULL;
		after = tn_wanted_as_tenant(edit->after);
		if (!is_here(e, after) ||
			(before && is_here(e, before) &&
				same_place(&before->value.port, &after->value.port)))
			continue;
		number = tn_compiler_switch_port(e->tenants.compiler, after->value.c.id);
		if (number)
			announce(e, &after->value.port, number);
	}
}

struct looking {
	struct tn_engine *e;
	uint32_t number;
};

static void announce_if_it(void *ctx, const struct tn_tenant_object *o)
{
	const struct looking *l = ctx;

	if (is_here(l->e, o) &&
		tn_compiler_switch_port(l->e->tenants.compiler, o->value.c.id) == l->number)
		announce(l->e, &o->value.port, l->number);
}

void tn_announce_port(struct tn_engine *e, const struct tn_wanted *port)
{
	struct looking l = {.e = e, .number = (uint32_t)port->id};

	if (e->tenants.compiler && e->tenants.host[0])
		tn_tenants_users(e->tenants.all, TN_TENANT_HOST, e->tenants.host, TN_TENANT_PORT,
			announce_if_it, &l);
}
