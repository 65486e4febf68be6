/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a port of a network is, for frames to it. */
#include "control/tenant/state.h"

void tn_emit_tunnel(struct tn_emit *e, const struct tn_tunnel_to *to)
{
	tn_emit_set(e, TN_FIELD_TUN_DST, to->vtep);
	tn_emit_output(e, to->port);
}

/* Nobody: the packet has no port that it came by, so that it may leave by any. */
static void forget_ingress(struct tn_emit *e)
{
	tn_emit_set(e, TN_FIELD_IN_PORT, TN_PORT_NONE_YET);
}

void tn_emit_back(struct tn_emit *e)
{
	tn_emit_move(e, TN_REG_SOURCE, TN_REG_DESTINATION);
	tn_emit_set(e, TN_REG_SOURCE, 0);
	forget_ingress(e);
	tn_emit_goto(e, TN_TABLE_POLICY_IN);
}

static void push_tag(struct tn_emit *e, const struct tn_vport *port)
{
	const struct tn_binding *b = &tn_vport_object(port)->binding;

	if (b->kind != TN_BINDING_BAREMETAL || !b->has_vlan)
		return;
	tn_emit_action(e, TN_ACTION_PUSH_VLAN)->ethertype = 0x8100;
	tn_emit_set(e, TN_FIELD_VLAN_VID, TN_VLAN_PRESENT | b->vlan);
}

void tn_emit_to_port(struct tn_emit *e, struct tn_vport *port)
{
	push_tag(e, port);
	tn_emit_output(e, tn_vport_switch_port(e->c, port));
}

/* The tables after this one say more of what it gets. */
static void by_tables(struct tn_emit *e, const struct tn_vport *port)
{
	tn_emit_set(e, TN_REG_DESTINATION, tn_vport_number(e->c, port));
	tn_emit_resubmit(e, TN_TABLE_POLICY_IN);
}

void tn_emit_copy_to_port(struct tn_emit *e, struct tn_vport *port, bool from_device)
{
	if (tn_vport_is_limited(e->c, port)) {
		by_tables(e, port);
		return;
	}
	if (from_device && port->device)
		forget_ingress(e);
	tn_emit_to_port(e, port);
}

static void match_known(struct tn_emit *e, const struct tn_vport *port)
{
	tn_emit_flow(e, TN_TABLE_BRIDGE, 30000, TN_ROLE_BRIDGE);
	tn_emit_net(e, port->net);
	tn_emit_match(e, TN_FIELD_ETH_DST, tn_vport_mac(port));
}

static void bridge_here(struct tn_emit *e, struct tn_vport *port)
{
	uint32_t number = tn_vport_number(e->c, port);

	if (!tn_vport_switch_port(e->c, port) || !number)
		return;
	match_known(e, port);
	tn_emit_set(e, TN_REG_DESTINATION, number);
	tn_emit_goto(e, TN_TABLE_POLICY_IN);
	tn_emit_end(e);
}

static void bridge_away(struct tn_emit *e, struct tn_vport *port, const struct tn_tunnel_to *to)
{
	match_known(e, port);
	tn_emit_flags(e, 0, TN_FLAG_TUNNEL);
	tn_emit_tunnel(e, to);
	tn_emit_end(e);
}

/* The way to a port that is not here; port 0: there is none. */
static struct tn_tunnel_to way_to(const struct tn_compiler *c, const struct tn_vport *port)
{
	struct tn_tunnel_to none = {0};

	if (!port->place)
		return tn_tunnel_to_host(c, port->host);
	return tn_place_is_active(c, port->place) ? tn_tunnel_to_place(c, port->place) : none;
}

bool tn_vport_is_somewhere(struct tn_compiler *c, const struct tn_vport *port)
{
	return port->here_link.next ? tn_vport_switch_port(c, port) != 0
				    : way_to(c, port).port != 0;
}

void tn_emit_to_vport(struct tn_emit *e, struct tn_vport *port)
{
	struct tn_tunnel_to to;

	if (port->here_link.next) {
		tn_emit_copy_to_port(e, port, false);
		return;
	}
	to = way_to(e->c, port);
	tn_emit_tunnel(e, &to);
}

/* Its addresses: who asks for them, who routes to them. */
static void neighbour(struct tn_emit *e, const struct tn_vport *port)
{
	const struct tn_tenant_port *p = tn_vport_object(port);

	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		tn_u128 ip = p->fixed_ips[i].ip_address;
		const struct tn_sub *sub = tn_net_subnet(port->net, p->fixed_ips[i].subnet_id, ip);
		const struct tn_rtr *router = sub ? tn_sub_router(sub) : NULL;

		/* The gateway's own is nobody else's. */
		if (!ip || (router && ip == tn_sub_object(sub)->gateway_ip))
			continue;
		if (port->net->local)
			tn_emit_neighbour(e, port, ip);
		if (router && router->local)
			tn_emit_route_to(e, router, sub, port, ip);
	}
}

void tn_unit_bridge(struct tn_emit *e, struct tn_vport *port)
{
	struct tn_tunnel_to to;

	if (!port->net || !port->net->needed || !tn_vport_is_up(port) ||
		!tn_vport_is_somewhere(e->c, port))
		return;
	if (port->here_link.next) {
		bridge_here(e, port);
	} else {
		to = way_to(e->c, port);
		bridge_away(e, port, &to);
	}
	neighbour(e, port);
}
