/* SPDX-License-Identifier: BSD-3-Clause */
/* Rate limits and DSCP of a port on this host, and what is learnt behind it. */
#include "control/tenant/state.h"

/* What is not said is a tenth of a second. */
static uint32_t burst_of(uint32_t rate, uint32_t burst)
{
	if (burst)
		return burst;
	return rate / 10 ? rate / 10 : 1;
}

static void meters(struct tn_emit *e, uint32_t number, const struct tn_rate_limit *limit,
	enum tn_tenant_meter bits, enum tn_tenant_meter packets)
{
	if (limit->there && limit->max_kbps)
		tn_emit_meter(e, tn_meter_id(number, bits), TN_METER_KBPS | TN_METER_BURST,
			limit->max_kbps, burst_of(limit->max_kbps, limit->max_burst_kbps));
	if (limit->there && limit->max_kpps) {
		uint32_t rate =
			limit->max_kpps > UINT32_MAX / 1000 ? UINT32_MAX : limit->max_kpps * 1000;

		tn_emit_meter(e, tn_meter_id(number, packets), TN_METER_PKTPS | TN_METER_BURST,
			rate, burst_of(rate, 0));
	}
}

void tn_emit_learn(struct tn_emit *e, uint32_t limit)
{
	tn_emit_action(e, TN_ACTION_LEARN)->limit = limit;
}

void tn_emit_fdb(struct tn_emit *e, bool local)
{
	tn_emit_action(e, TN_ACTION_FDB)->known.local = local;
}

void tn_emit_circuit(struct tn_emit *e, uint32_t number)
{
	struct tn_action *a = tn_emit_action(e, TN_ACTION_CIRCUIT);

	a->field = TN_REG_DESTINATION;
	a->circuit.number = number;
	a->circuit.table = TN_TABLE_POLICY_IN;
}

/* ip: 0: any packet, else its Ethernet type, whose DSCP is set. qos NULL: there is none. */
static void policy_out(struct tn_emit *e, const struct tn_vport *port, uint32_t number,
	const struct tn_qos_policy *qos, uint16_t ip)
{
	tn_emit_flow(e, TN_TABLE_POLICY_OUT, ip ? 21000 : 20000,
		qos ? TN_ROLE_LIMIT_OUT : TN_ROLE_LEARN);
	tn_emit_source(e, number);
	if (ip)
		tn_emit_match(e, TN_FIELD_ETH_TYPE, ip);
	if (qos && qos->egress.there && qos->egress.max_kbps)
		e->flow.inst.meter_id = tn_meter_id(number, TN_METER_OUT_BITS);
	if (ip)
		tn_emit_set(e, TN_FIELD_IP_DSCP, (tn_u128)qos->dscp_mark);
	if (tn_vport_learns(port))
		tn_emit_learn(e, tn_vport_object(port)->mac_learning_limit);
	tn_emit_goto(e, TN_TABLE_SERVICES);
	tn_emit_end(e);
}

void tn_unit_port_policy(struct tn_emit *e, struct tn_vport *port, uint32_t number)
{
	const struct tn_qos_policy *qos = tn_vport_qos(e->c, port);

	if (qos) {
		meters(e, number, &qos->egress, TN_METER_OUT_BITS, TN_METER_OUT_PACKETS);
		meters(e, number, &qos->ingress, TN_METER_IN_BITS, TN_METER_IN_PACKETS);
	}
	if (qos || tn_vport_learns(port))
		policy_out(e, port, number, qos, 0);
	if (!qos)
		return;
	if (qos->dscp_mark >= 0) {
		policy_out(e, port, number, qos, 0x0800);
		policy_out(e, port, number, qos, 0x86dd);
	}
	if (!qos->ingress.there || !qos->ingress.max_kbps)
		return;
	tn_emit_flow(e, TN_TABLE_POLICY_IN, 20000, TN_ROLE_LIMIT_IN);
	tn_emit_match(e, TN_REG_DESTINATION, number);
	e->flow.inst.meter_id = tn_meter_id(number, TN_METER_IN_BITS);
	tn_emit_goto(e, TN_TABLE_OUTPUT);
	tn_emit_end(e);
}
