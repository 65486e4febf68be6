/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a port may send. Its pairs of MAC and IP address are its own MAC with each of its fixed
 * addresses, and the allowed address pairs. IPv6 link-local addresses are those that follow from
 * the MAC (RFC 4291, appendix A); other ones are for allowed address pairs to name.
 */
#include "control/tenant/state.h"

#define ICMPV6 58u
#define UDP    17u

enum { RS = 133, NS = 135, NA = 136, MLD_REPORT = 131, MLD_DONE = 132, MLD2_REPORT = 143 };

struct pair {
	uint64_t mac;
	struct tn_prefix ip;
};

/* In whose frames the pairs are. */
struct source {
	struct tn_emit *e;
	uint32_t number;
};

static tn_u128 link_local(uint64_t mac)
{
	uint64_t id =
		(mac & UINT64_C(0xffffff000000)) << 16 | UINT64_C(0xfffe000000) | (mac & 0xffffff);

	return (tn_u128)UINT64_C(0xfe80000000000000) << 64 | (id ^ UINT64_C(0x0200000000000000));
}

static void begin(const struct source *s, unsigned priority, enum tn_rule_role role, uint64_t mac)
{
	tn_emit_flow(s->e, TN_TABLE_SECURITY, priority, role);
	tn_emit_source(s->e, s->number);
	tn_emit_match(s->e, TN_FIELD_ETH_SRC, mac);
}

static void allow(const struct source *s)
{
	tn_emit_goto(s->e, TN_TABLE_POLICY_OUT);
	tn_emit_end(s->e);
}

/* --- IPv4 ------------------------------------------------------------------------------------ */

static void arp(const struct source *s, const struct pair *pair)
{
	begin(s, 30000, TN_ROLE_SECURE_ARP, pair->mac);
	tn_emit_match(s->e, TN_FIELD_ETH_TYPE, 0x0806);
	tn_emit_match(s->e, TN_FIELD_ARP_SHA, pair->mac);
	tn_emit_match_prefix(s->e, TN_FIELD_ARP_SPA, TN_FIELD_ARP_SPA, &pair->ip);
	allow(s);
}

static void ip4(const struct source *s, const struct pair *pair)
{
	arp(s, pair);
	begin(s, 30000, TN_ROLE_SECURE_IP, pair->mac);
	tn_emit_match(s->e, TN_FIELD_ETH_TYPE, 0x0800);
	tn_emit_match_prefix(s->e, TN_FIELD_IPV4_SRC, TN_FIELD_IPV4_SRC, &pair->ip);
	allow(s);
}

/* Before it has an address: DHCP, and ARP probes (RFC 5227) for one that may be its own. */
static void start_ip4(const struct source *s, uint64_t mac)
{
	begin(s, 30000, TN_ROLE_SECURE_START, mac);
	tn_emit_match_ip(s->e, true, UDP);
	tn_emit_match(s->e, TN_FIELD_IPV4_SRC, 0);
	tn_emit_match(s->e, TN_FIELD_IPV4_DST, UINT32_MAX);
	tn_emit_match(s->e, TN_FIELD_UDP_SRC, 68);
	tn_emit_match(s->e, TN_FIELD_UDP_DST, 67);
	allow(s);
}

static void probe_ip4(const struct source *s, const struct pair *pair)
{
	begin(s, 30000, TN_ROLE_SECURE_START, pair->mac);
	tn_emit_match(s->e, TN_FIELD_ETH_TYPE, 0x0806);
	tn_emit_match(s->e, TN_FIELD_ARP_OP, 1);
	tn_emit_match(s->e, TN_FIELD_ARP_SHA, pair->mac);
	tn_emit_match(s->e, TN_FIELD_ARP_SPA, 0);
	tn_emit_match_prefix(s->e, TN_FIELD_ARP_TPA, TN_FIELD_ARP_TPA, &pair->ip);
	allow(s);
}

/* --- IPv6 ------------------------------------------------------------------------------------ */

static void match_icmpv6(const struct source *s, uint8_t type)
{
	tn_emit_match_ip(s->e, false, ICMPV6);
	tn_emit_match(s->e, TN_FIELD_ICMPV6_TYPE, type);
}

static void match_ip6_src(const struct source *s, const struct tn_prefix *ip)
{
	tn_emit_match_prefix(s->e, TN_FIELD_IPV6_SRC, TN_FIELD_IPV6_SRC, ip);
}

/* A solicitation may leave its own link address out; an advertisement, too. */
static void solicit(const struct source *s, const struct pair *pair)
{
	for (unsigned told = 0; told < 2; told++) {
		begin(s, 40000, TN_ROLE_SECURE_ND, pair->mac);
		match_icmpv6(s, NS);
		match_ip6_src(s, &pair->ip);
		tn_emit_match(s->e, TN_FIELD_ND_SLL, told ? pair->mac : 0);
		allow(s);
	}
}

/* Advertises `pair`, from an address of `from` or its own. */
static void advertise(const struct source *s, const struct pair *pair, const struct tn_prefix *from)
{
	for (unsigned told = 0; told < 2; told++) {
		begin(s, 40000, TN_ROLE_SECURE_ND, pair->mac);
		match_icmpv6(s, NA);
		match_ip6_src(s, from);
		tn_emit_match_prefix(s->e, TN_FIELD_ND_TARGET, TN_FIELD_ND_TARGET, &pair->ip);
		tn_emit_match(s->e, TN_FIELD_ND_TLL, told ? pair->mac : 0);
		allow(s);
	}
}

/* From no address yet: is somebody there who has this one (RFC 4862, 5.4)? */
static void probe_ip6(const struct source *s, const struct pair *pair)
{
	begin(s, 40000, TN_ROLE_SECURE_START, pair->mac);
	match_icmpv6(s, NS);
	tn_emit_match(s->e, TN_FIELD_IPV6_SRC, 0);
	tn_emit_match_prefix(s->e, TN_FIELD_ND_TARGET, TN_FIELD_ND_TARGET, &pair->ip);
	allow(s);
}

/* Neighbour discovery that is not of the pairs goes no further, whoever it says it is from. */
static void refuse_nd(struct tn_emit *e, uint32_t number)
{
	for (unsigned type = NS; type <= NA; type++) {
		tn_emit_flow(e, TN_TABLE_SECURITY, 35000, TN_ROLE_SECURE_OTHER);
		tn_emit_source(e, number);
		tn_emit_match_ip(e, false, ICMPV6);
		tn_emit_match(e, TN_FIELD_ICMPV6_TYPE, type);
		tn_emit_end(e);
	}
}

static void start_ip6(const struct source *s, uint64_t mac)
{
	static const uint8_t types[] = {RS, MLD_REPORT, MLD_DONE, MLD2_REPORT};

	for (unsigned i = 0; i < TN_ARRAY_SIZE(types); i++) {
		begin(s, 30000, TN_ROLE_SECURE_START, mac);
		match_icmpv6(s, types[i]);
		tn_emit_match(s->e, TN_FIELD_IPV6_SRC, 0);
		allow(s);
	}
}

static void ip6(const struct source *s, const struct pair *pair, const struct tn_prefix *local)
{
	begin(s, 30000, TN_ROLE_SECURE_IP, pair->mac);
	tn_emit_match(s->e, TN_FIELD_ETH_TYPE, 0x86dd);
	match_ip6_src(s, &pair->ip);
	allow(s);
	solicit(s, pair);
	advertise(s, pair, &pair->ip);
	if (local)
		advertise(s, pair, local);
	probe_ip6(s, pair);
}

/*
 * What a machine makes of an advertised prefix and is not the port's: an identifier of its own
 * making (RFC 7217, 8981), or of its MAC address where the port was given another address. It would
 * be refused anyway; these say why, of the probe, of the question for a neighbour, of the rest.
 */
static void refuse_formed(const struct source *s, uint64_t mac, const struct tn_prefix *prefix)
{
	begin(s, 36000, TN_ROLE_SECURE_FORMED, mac);
	match_icmpv6(s, NS);
	tn_emit_match(s->e, TN_FIELD_IPV6_SRC, 0);
	tn_emit_match_prefix(s->e, TN_FIELD_ND_TARGET, TN_FIELD_ND_TARGET, prefix);
	tn_emit_end(s->e);
	begin(s, 36000, TN_ROLE_SECURE_FORMED, mac);
	match_icmpv6(s, NS);
	match_ip6_src(s, prefix);
	tn_emit_match(s->e, TN_FIELD_ND_SLL, mac);
	tn_emit_end(s->e);
	begin(s, 20000, TN_ROLE_SECURE_FORMED, mac);
	tn_emit_match(s->e, TN_FIELD_ETH_TYPE, 0x86dd);
	match_ip6_src(s, prefix);
	tn_emit_end(s->e);
}

static void refuse_all_formed(const struct source *s, const struct tn_vport *port)
{
	const struct tn_sub *sub;

	TN_LIST_EACH(sub, &port->net->subnets, const struct tn_sub, link) {
		if (sub->t.object && tn_subnet_is_autonomous(tn_sub_object(sub)))
			refuse_formed(s, tn_vport_mac(port), &tn_sub_object(sub)->cidr);
	}
}

/* --- all of it ------------------------------------------------------------------------------- */

static void allow_pair(
	const struct source *s, const struct pair *pair, const struct tn_prefix *local)
{
	if (pair->ip.is_ip4) {
		ip4(s, pair);
		probe_ip4(s, pair);
	} else {
		ip6(s, pair, local);
	}
}

static bool has_ip6(const struct tn_vport *port)
{
	const struct tn_tenant_port *p = tn_vport_object(port);
	const struct tn_sub *sub;

	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		if (!tn_address_is_ip4(p->fixed_ips[i].ip_address) && p->fixed_ips[i].ip_address)
			return true;
	}
	TN_LIST_EACH(sub, &port->net->subnets, const struct tn_sub, link) {
		if (sub->t.object && !tn_sub_object(sub)->cidr.is_ip4)
			return true;
	}
	return false;
}

static void allow_mac(const struct source *s, uint64_t mac, bool with_ip6)
{
	const struct pair local = {mac, tn_prefix_of_host(link_local(mac))};

	start_ip4(s, mac);
	if (!with_ip6)
		return;
	start_ip6(s, mac);
	ip6(s, &local, NULL);
}

static void allow_own(const struct source *s, const struct tn_vport *port)
{
	const struct tn_tenant_port *p = tn_vport_object(port);
	uint64_t mac = tn_vport_mac(port);
	struct tn_prefix local = tn_prefix_of_host(link_local(mac));
	bool with_ip6 = has_ip6(port);

	allow_mac(s, mac, with_ip6);
	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		const struct pair pair = {mac, tn_prefix_of_host(p->fixed_ips[i].ip_address)};

		if (p->fixed_ips[i].ip_address)
			allow_pair(s, &pair, &local);
	}
	for (uint32_t i = 0; i < p->n_allowed_address_pairs; i++) {
		const struct tn_address_pair *a = &p->allowed_address_pairs[i];
		const struct pair pair = {
			a->has_mac ? tn_mac_number(a->mac_address) : mac, a->ip_address};

		allow_pair(s, &pair, NULL);
	}
}

void tn_emit_other(struct tn_emit *e, uint32_t number, bool secured)
{
	tn_emit_flow(
		e, TN_TABLE_SECURITY, 15000, secured ? TN_ROLE_SECURE_OTHER : TN_ROLE_UNSECURED);
	tn_emit_source(e, number);
	if (!secured)
		tn_emit_goto(e, TN_TABLE_POLICY_OUT);
	tn_emit_end(e);
	if (secured)
		refuse_nd(e, number);
}

void tn_unit_port_security(struct tn_emit *e, struct tn_vport *port, uint32_t number)
{
	const struct source s = {e, number};

	if (tn_vport_is_secured(port)) {
		allow_own(&s, port);
		refuse_all_formed(&s, port);
	}
	/* Of a place, which may have several, it is the place's. */
	if (!port->place)
		tn_emit_other(e, number, tn_vport_is_secured(port));
}
