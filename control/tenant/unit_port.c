/* SPDX-License-Identifier: BSD-3-Clause */
/* A port on this host: its port of the switch, its frames' way in and their way out. */
#include <stdio.h>
#include <string.h>

#include "control/tenant/attach.h"
#include "control/tenant/state.h"

#define NO_TAG	     0u
#define PRIORITY_TAG TN_VLAN_PRESENT /* VID 0 */

/* --- the port of the switch ------------------------------------------------------------------ */

static struct tn_api_option string_option(const char *key, const char *value)
{
	return (struct tn_api_option){.key = key, .type = TN_API_STRING, .string = value};
}

static void switch_port(struct tn_emit *e, const struct tn_vport *port, uint32_t number)
{
	const struct tn_tenant_port *p = tn_vport_object(port);
	char name[TN_SWITCH_PORT_NAME_MAX], socket[TN_VHOST_SOCKET_MAX];
	struct tn_api_option options[2];
	bool ebpf = strcmp(p->binding.datapath, "ebpf") == 0;
	struct tn_api_port sp = {
		.number = number,
		.name = name,
		.enabled = tn_vport_is_up(port),
		.mtu = port->net->t.object ? tn_net_mtu(e->c, port->net) : 0,
		.options = options,
	};

	tn_switch_port_name(p, number, name);
	if (p->binding.kind == TN_BINDING_VM) {
		tn_vhost_socket(p, socket);
		sp.type = "vhost-user";
		options[sp.n_options++] = string_option("socket", socket);
		if (p->binding.vhost_server)
			options[sp.n_options++] = string_option("mode", "server");
	} else {
		sp.type = "veth";
		options[sp.n_options++] = string_option("interface", p->binding.device);
		if (ebpf)
			options[sp.n_options++] = string_option("datapath", "ebpf");
	}
	tn_emit_port(e, &sp);
}

/* --- in -------------------------------------------------------------------------------------- */

static void accept(struct tn_emit *e, const struct tn_vport *port, uint32_t switch_port_number,
	uint32_t number, uint32_t vlan)
{
	const struct tn_qos_policy *qos = tn_vport_qos(e->c, port);

	tn_emit_flow(e, TN_TABLE_INGRESS, 20000, TN_ROLE_INGRESS);
	tn_emit_match(e, TN_FIELD_IN_PORT, switch_port_number);
	tn_emit_match(e, TN_FIELD_VLAN_VID, vlan);
	if (vlan)
		tn_emit_action(e, TN_ACTION_POP_VLAN);
	if (qos && qos->egress.there && qos->egress.max_kpps)
		e->flow.inst.meter_id = tn_meter_id(number, TN_METER_OUT_PACKETS);
	tn_emit_set(e, TN_FIELD_TUNNEL_ID, tn_net_object(port->net)->vni);
	if (tn_vport_is_secured(port))
		tn_emit_set(e, TN_REG_FLAGS, TN_FLAG_SECURED);
	tn_emit_set(e, TN_REG_SOURCE, number);
	tn_emit_circuit(e, number);
	tn_emit_goto(e, TN_TABLE_SECURITY);
	tn_emit_end(e);
}

static void ingress(struct tn_emit *e, const struct tn_vport *port, uint32_t switch_port_number,
	uint32_t number)
{
	const struct tn_binding *b = &tn_vport_object(port)->binding;

	if (b->kind == TN_BINDING_BAREMETAL && b->has_vlan) {
		accept(e, port, switch_port_number, number, TN_VLAN_PRESENT | b->vlan);
		return;
	}
	accept(e, port, switch_port_number, number, NO_TAG);
	accept(e, port, switch_port_number, number, PRIORITY_TAG);
	if (b->kind == TN_BINDING_BAREMETAL)
		return; /* other tags may be other ports' */
	tn_emit_flow(e, TN_TABLE_INGRESS, 15000, TN_ROLE_INGRESS_OTHER);
	tn_emit_match(e, TN_FIELD_IN_PORT, switch_port_number);
	tn_emit_end(e);
}

/* --- out ------------------------------------------------------------------------------------- */

static void output(struct tn_emit *e, struct tn_vport *port, uint32_t number)
{
	const struct tn_qos_policy *qos = tn_vport_qos(e->c, port);

	tn_emit_flow(e, TN_TABLE_OUTPUT, 20000, TN_ROLE_OUTPUT);
	tn_emit_net(e, port->net);
	tn_emit_match(e, TN_REG_DESTINATION, number);
	if (qos && qos->ingress.there && qos->ingress.max_kpps)
		e->flow.inst.meter_id = tn_meter_id(number, TN_METER_IN_PACKETS);
	/* Other ports' frames may have come by the same device. */
	if (tn_vport_shares_device(port))
		tn_emit_set(e, TN_FIELD_IN_PORT, TN_PORT_NONE_YET);
	tn_emit_to_port(e, port);
	tn_emit_end(e);
	if (!tn_vport_shares_device(port))
		return;
	tn_emit_flow(e, TN_TABLE_OUTPUT, 30000, TN_ROLE_OUTPUT_BACK);
	tn_emit_net(e, port->net);
	tn_emit_source(e, number);
	tn_emit_match(e, TN_REG_DESTINATION, number);
	tn_emit_end(e);
}

static void give_number_back(struct tn_emit *e, const struct tn_vport *port)
{
	char name[TN_TENANT_ID_MAX + 8];

	snprintf(name, sizeof(name), "port/%s", port->t.named.name);
	tn_numbers_give_back(e->c->numbers, TN_NUMBER_PORT,
		tn_numbers_find(e->c->numbers, TN_NUMBER_PORT, name));
}

static void port_here(struct tn_emit *e, struct tn_vport *port)
{
	uint32_t number = tn_vport_number(e->c, port);
	uint32_t switch_port_number = tn_vport_switch_port(e->c, port);

	if (!number || !switch_port_number)
		return;
	if (!port->device)
		switch_port(e, port, switch_port_number);
	if (!tn_vport_is_up(port))
		return;
	ingress(e, port, switch_port_number, number);
	tn_unit_port_security(e, port, number);
	tn_unit_port_policy(e, port, number);
	tn_unit_port_services(e, port, number);
	output(e, port, number);
}

void tn_unit_port(struct tn_emit *e, struct tn_vport *port)
{
	uint32_t number;

	if (port->here_link.next) {
		port_here(e, port);
		return;
	}
	give_number_back(e, port);
	if (!port->place || !tn_vport_is_up(port) || !tn_place_is_active(e->c, port->place))
		return;
	number = tn_place_number(e->c, port->place);
	if (!number)
		return;
	tn_unit_port_security(e, port, number);
	if (tn_place_is_served_here(e->c, port->place))
		tn_emit_dhcp(e, port, number);
}
