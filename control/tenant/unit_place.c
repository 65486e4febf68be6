/* SPDX-License-Identifier: BSD-3-Clause */
/* An endpoint that is no Tenon host: a switch, a Linux kernel; in one network. */
#include "control/tenant/state.h"

static void ingress(
	struct tn_emit *e, const struct tn_place *place, uint32_t number, uint32_t tunnel)
{
	uint32_t flags = TN_FLAG_TUNNEL;

	if (tn_place_is_secured(place))
		flags |= TN_FLAG_SECURED;
	tn_emit_flow(e, TN_TABLE_INGRESS, 40000, TN_ROLE_INGRESS_ENDPOINT);
	tn_emit_match(e, TN_FIELD_IN_PORT, tunnel);
	tn_emit_net(e, place->net);
	tn_emit_match(e, TN_FIELD_TUN_SRC, place->vtep);
	tn_emit_set(e, TN_REG_FLAGS, flags);
	tn_emit_set(e, TN_REG_SOURCE, number);
	tn_emit_goto(e, TN_TABLE_SECURITY);
	tn_emit_end(e);
}

/* The most that one of its ports may have; 0: many. */
static uint32_t learning_limit(const struct tn_place *place)
{
	const struct tn_vport *port;
	uint32_t most = 0;

	TN_LIST_EACH(port, &place->net->ports, struct tn_vport, net_link) {
		uint32_t limit = tn_vport_object(port)->mac_learning_limit;

		if (port->place != place || !tn_vport_is_up(port) || !tn_vport_learns(port))
			continue;
		if (!limit)
			return 0;
		if (limit > most)
			most = limit;
	}
	return most;
}

static void learning(struct tn_emit *e, const struct tn_place *place, uint32_t number)
{
	if (!tn_place_learns(place))
		return;
	tn_emit_flow(e, TN_TABLE_POLICY_OUT, 20000, TN_ROLE_LEARN);
	tn_emit_source(e, number);
	tn_emit_learn(e, learning_limit(place));
	tn_emit_goto(e, TN_TABLE_SERVICES);
	tn_emit_end(e);
}

void tn_unit_place(struct tn_emit *e, struct tn_place *place)
{
	struct tn_tunnel_to to;
	uint32_t number;

	if (!place->net || !tn_place_is_active(e->c, place)) {
		tn_numbers_give_back(e->c->numbers, TN_NUMBER_PORT,
			tn_numbers_find(e->c->numbers, TN_NUMBER_PORT, place->t.named.name));
		return;
	}
	number = tn_place_number(e->c, place);
	to = tn_tunnel_to_place(e->c, place);
	if (!number)
		return;
	ingress(e, place, number, to.port);
	tn_emit_other(e, number, tn_place_is_secured(place));
	learning(e, place, number);
	tn_unit_place_services(e, place, number);
	tn_emit_flow(e, TN_TABLE_OUTPUT, 20000, TN_ROLE_OUTPUT_ENDPOINT);
	tn_emit_net(e, place->net);
	tn_emit_match(e, TN_REG_DESTINATION, number);
	tn_emit_tunnel(e, &to);
	tn_emit_end(e);
}
