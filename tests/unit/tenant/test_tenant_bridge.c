/* SPDX-License-Identifier: BSD-3-Clause */
/* One network over hosts, bare metal and endpoints that are no hosts; port security. */
#include "tests/unit/tenant/two_tenants.h"

/* --- who reaches whom ------------------------------------------------------------------------ */

static void test_unicast(void **state)
{
	struct lab *lab = *state;
	struct frame f = udp(MAC_A1, MAC_A2, "10.0.0.1", "10.0.0.2");

	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
	expect_same(&f, lab_got(lab, "a2", 0));
	f = udp(MAC_A1, MAC_A3, "10.0.0.1", "10.0.0.3");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a3");
	expect_same(&f, lab_got(lab, "a3", 0));
	f = udp(MAC_A3, MAC_A1, "2001:db8:a::3", "2001:db8:a::1");
	lab_send(lab, "a3", &f);
	lab_expect(lab, "a1");
	/* The same addresses, another tenant. */
	f = udp(MAC_A1, MAC_A2, "10.0.0.1", "10.0.0.2");
	lab_send(lab, "b1", &f);
	lab_expect(lab, "b2");
}

static void test_nothing_crosses_tenants(void **state)
{
	struct lab *lab = *state;
	/* a3's address is nobody's in tenant b. */
	struct frame f = udp(MAC_A1, MAC_A3, "10.0.0.1", "10.0.0.3");

	lab_send(lab, "b1", &f);
	lab_expect(lab, "");
	assert_string_equal(lab_why(lab), "addresses that no port has");
	f = arp(MAC_A1, 1, MAC_A1, "10.0.0.1", "10.0.0.77");
	lab_send(lab, "b1", &f);
	lab_expect(lab, "b2");
}

static void test_flood(void **state)
{
	struct lab *lab = *state;
	struct frame f = arp(MAC_A1, 1, MAC_A1, "10.0.0.1", "10.0.0.77");

	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
	expect_same(&f, lab_got(lab, "a3", 0));
	f = arp(MAC_A3, 1, MAC_A3, "10.0.0.3", "10.0.0.77");
	lab_send(lab, "a3", &f);
	lab_expect(lab, "a1 a2");
}

static void test_unknown_unicast(void **state)
{
	struct lab *lab = *state;
	struct frame f = udp(MAC_A1, 0x02000000ffff, "10.0.0.1", "10.0.0.99");
	struct tn_network *n;

	lab_send(lab, "a1", &f);
	lab_expect(lab, "");
	n = lab_change(lab, TN_TENANT_NETWORK, "na");
	n->unknown_unicast = TN_UNKNOWN_FLOOD;
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
}

static void test_ports_go_and_move(void **state)
{
	struct lab *lab = *state;
	struct frame f = udp(MAC_A1, MAC_A3, "10.0.0.1", "10.0.0.3");
	struct tn_tenant_port *p = lab_change(lab, TN_TENANT_PORT, "a3");

	p->binding.host = "h1";
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a3");
	assert_string_equal(lab_got(lab, "a3", 0)->host->name, "h1");
	/* Nobody of the network is on h2 any more. */
	f = arp(MAC_A1, 1, MAC_A1, "10.0.0.1", "10.0.0.77");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
	lab_remove(lab, TN_TENANT_PORT, "a3");
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
	p = lab_change(lab, TN_TENANT_PORT, "a2");
	p->admin_state_up = false;
	lab_apply(lab);
	f = udp(MAC_A1, MAC_A2, "10.0.0.1", "10.0.0.2");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "");
	lab_send(lab, "a2", &f);
	lab_expect(lab, "");
	assert_int_equal(lab->drops[0].reason, TN_DROP_PORT_DOWN);
}

static void test_networks_that_are_down(void **state)
{
	struct lab *lab = *state;
	struct frame f = udp(MAC_A1, MAC_A2, "10.0.0.1", "10.0.0.2");
	struct tn_network *n = lab_change(lab, TN_TENANT_NETWORK, "na");

	n->admin_state_up = false;
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "");
	lab_remove(lab, TN_TENANT_NETWORK, "na");
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "");
	n = lab_network(lab, "na", 101);
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
}

/* Over IPv6 where a host has nothing else. */
static void test_families(void **state)
{
	struct lab *lab = *state;
	struct frame f = udp(MAC_A1, 0x020000000006, "10.0.0.1", "10.0.0.6");

	lab_host(lab, "h3", NULL, "2001:db8:100::3");
	lab_port(lab, "a6", "na", 0x020000000006, "10.0.0.6", "h3");
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a6");
	f = arp(0x020000000006, 1, 0x020000000006, "10.0.0.6", "10.0.0.77");
	lab_send(lab, "a6", &f);
	lab_expect(lab, "a1 a2 a3");
}

/* A host without a port of a network takes nothing of it. */
static void test_only_what_is_needed(void **state)
{
	struct lab *lab = *state;
	struct tn_compiler_stats stats;

	lab_host(lab, "h3", "198.51.100.3", NULL);
	lab_apply(lab);
	tn_compiler_stats(lab_find_host(lab, "h3")->compiler, &stats);
	assert_int_equal(stats.rules + stats.groups + stats.ports + stats.units, 0);
	tn_compiler_stats(lab_find_host(lab, "h1")->compiler, &stats);
	assert_true(stats.rules > 50);
}

/* --- bare metal ------------------------------------------------------------------------------ */

/* --- endpoints that are no hosts ------------------------------------------------------------- */

static void test_remote(void **state)
{
	struct lab *lab = *state;
	struct frame f = udp(MAC_A1, MAC_R, "10.0.0.1", "10.0.0.20");

	lab_remote(lab, "r", "na", MAC_R, "10.0.0.20", "198.51.100.9");
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "198.51.100.9");
	assert_int_equal(lab->frames[0].vni, 100);
	expect_same(&f, &lab->frames[0]);
	/* Split horizon: it floods to every host itself. */
	f = arp(MAC_R, 1, MAC_R, "10.0.0.20", "10.0.0.77");
	lab_send_from(lab, "198.51.100.9", "h1", 100, &f);
	lab_expect(lab, "a1 a2");
	lab_send_from(lab, "198.51.100.9", "h2", 100, &f);
	lab_expect(lab, "a3");
	f = arp(MAC_A1, 1, MAC_A1, "10.0.0.1", "10.0.0.77");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3 198.51.100.9");
	f = udp(MAC_R, MAC_A1, "10.0.0.20", "10.0.0.1");
	lab_send_from(lab, "198.51.100.9", "h1", 100, &f);
	lab_expect(lab, "a1");
	/* To a host where the port is not: it goes no further. */
	lab_send_from(lab, "198.51.100.9", "h2", 100, &f);
	lab_expect(lab, "");
	/* Another tenant's network, a network that is none's, another sender. */
	f = udp(MAC_R, MAC_A2, "10.0.0.20", "10.0.0.2");
	lab_send_from(lab, "198.51.100.9", "h1", 200, &f);
	lab_expect(lab, "");
	assert_string_equal(
		lab_why(lab), "frames of other networks from an endpoint that is no host");
	lab_send_from(lab, "198.51.100.9", "h1", 300, &f);
	lab_expect(lab, "");
	lab_send_from(lab, "198.51.100.2", "h1", 300, &f);
	lab_expect(lab, "");
	assert_int_equal(lab->drops[0].reason, TN_DROP_VXLAN_UNKNOWN_VNI);
	lab_send_from(lab, "198.51.100.10", "h1", 100, &f);
	lab_expect(lab, "");
	assert_int_equal(lab->drops[0].reason, TN_DROP_VXLAN_UNKNOWN_PEER);
	/* Port security is the host's here. */
	f = udp(MAC_A2, MAC_A1, "10.0.0.2", "10.0.0.1");
	lab_send_from(lab, "198.51.100.9", "h1", 100, &f);
	lab_expect(lab, "");
	assert_string_equal(lab_why(lab), "port security: what the port may not send");
}

static void test_remote_without_security(void **state)
{
	struct lab *lab = *state;
	struct frame f = udp(0x02000000aaaa, MAC_A1, "10.0.0.200", "10.0.0.1");
	struct tn_tenant_port *p = lab_remote(lab, "r", "na", MAC_R, "", "2001:db8:100::9");

	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	lab_apply(lab);
	lab_send_from(lab, "2001:db8:100::9", "h1", 100, &f);
	lab_expect(lab, "a1");
	/* Where unknown addresses may be, and nowhere else. */
	f = udp(MAC_A1, 0x02000000bbbb, "10.0.0.1", "10.0.0.201");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "2001:db8:100::9");
	f = udp(0x02000000aaaa, 0x02000000bbbb, "10.0.0.200", "10.0.0.201");
	lab_send_from(lab, "2001:db8:100::9", "h1", 100, &f);
	lab_expect(lab, "");
}

/* A switch behind an access port of h1, another one behind an endpoint. */
static void test_learning(void **state)
{
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	const uint64_t behind = 0x02000000aaaa, far = 0x02000000bbbb;
	struct tn_tenant_port *p;
	struct frame f;

	lab_device(lab, "h1", "nic0", 5);
	p = lab_metal(lab, "m", "na", MAC_M, "", "h1", "nic0", 0);
	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	p = lab_remote(lab, "r", "na", MAC_R, "", "198.51.100.9");
	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	lab_apply(lab);
	/* Unknown: wherever such may be, and nowhere else. */
	f = udp(MAC_A3, behind, "10.0.0.3", "10.0.0.200");
	lab_send(lab, "a3", &f);
	lab_expect(lab, "m 198.51.100.9");
	f = udp(behind, MAC_A3, "10.0.0.200", "10.0.0.3");
	lab_send_at(lab, h1, 5, &f);
	lab_expect(lab, "a3");
	/* Both hosts know it now. */
	f = udp(MAC_A3, behind, "10.0.0.3", "10.0.0.200");
	lab_send(lab, "a3", &f);
	lab_expect(lab, "m");
	f = udp(MAC_A1, behind, "10.0.0.1", "10.0.0.200");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "m");
	f = udp(far, MAC_A1, "10.0.0.201", "10.0.0.1");
	lab_send_from(lab, "198.51.100.9", "h1", 100, &f);
	lab_expect(lab, "a1");
	f = udp(MAC_A1, far, "10.0.0.1", "10.0.0.201");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "198.51.100.9");
	f = udp(behind, far, "10.0.0.200", "10.0.0.201");
	lab_send_at(lab, h1, 5, &f);
	lab_expect(lab, "198.51.100.9");
	/* Split horizon. */
	f = udp(MAC_R, far, "10.0.0.20", "10.0.0.201");
	lab_send_from(lab, "198.51.100.9", "h1", 100, &f);
	assert_null(lab_got(lab, "198.51.100.9", 0));
	/* What is declared is where it is declared, whatever somebody sends. */
	f = udp(MAC_A3, MAC_A1, "10.0.0.3", "10.0.0.1");
	lab_send_at(lab, h1, 5, &f);
	f = udp(MAC_A1, MAC_A3, "10.0.0.1", "10.0.0.3");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a3");
	/* And another tenant hears nothing of it. */
	f = udp(MAC_A1, behind, "10.0.0.1", "10.0.0.200");
	lab_send(lab, "b1", &f);
	lab_expect(lab, "");
}

static void test_snooping(void **state)
{
	struct lab *lab = *state;
	struct frame data = udp(MAC_A1, 0x01005e010101, "10.0.0.1", "239.1.1.1"), f;
	struct tn_network *n;

	lab_port(lab, "a4", "na", 0x020000000004, "10.0.0.4", "h2");
	lab_apply(lab);
	/* Nobody said anything: everybody gets it. */
	lab_send(lab, "a1", &data);
	lab_expect(lab, "a2 a3 a4");
	f = igmp(MAC_A3, "10.0.0.3", 0x16);
	lab_send(lab, "a3", &f);
	lab_send(lab, "a1", &data);
	lab_expect(lab, "a3");
	f = igmp(MAC_A2, "10.0.0.2", 0x16);
	lab_send(lab, "a2", &f);
	lab_send(lab, "a1", &data);
	lab_expect(lab, "a2 a3");
	/* Another tenant's group is another one. */
	data = udp(MAC_A1, 0x01005e010101, "10.0.0.1", "239.1.1.1");
	lab_send(lab, "b1", &data);
	lab_expect(lab, "b2");
	n = lab_change(lab, TN_TENANT_NETWORK, "na");
	n->multicast_snooping = false;
	lab_apply(lab);
	lab_send(lab, "a1", &data);
	lab_expect(lab, "a2 a3 a4");
}

/* --- port security --------------------------------------------------------------------------- */

static void refused(struct lab *lab, const char *port, struct frame f, const char *why)
{
	lab_send(lab, port, &f);
	lab_expect(lab, "");
	assert_string_equal(lab_why(lab), why);
}

#define OTHER "port security: what the port may not send"

static void test_spoofing(void **state)
{
	struct lab *lab = *state;

	refused(lab, "a1", udp(MAC_A3, MAC_A2, "10.0.0.1", "10.0.0.2"), OTHER);
	refused(lab, "a1", udp(MAC_A1, MAC_A2, "10.0.0.3", "10.0.0.2"), OTHER);
	refused(lab, "a1", udp(MAC_A1, MAC_A2, "2001:db8:a::3", "2001:db8:a::2"), OTHER);
	refused(lab, "a1", arp(MAC_A1, 2, MAC_A1, "10.0.0.254", "10.0.0.2"), OTHER);
	refused(lab, "a1", arp(MAC_A1, 2, MAC_A3, "10.0.0.1", "10.0.0.2"), OTHER);
	refused(lab, "a1", arp(MAC_A1, 1, MAC_A1, "0.0.0.0", "10.0.0.2"), OTHER);
	refused(lab, "a1", arp(MAC_A1, 1, MAC_A1, "10.0.0.3", "10.0.0.3"), OTHER);
	refused(lab, "a1", udp(0x030000000001, MAC_A2, "10.0.0.1", "10.0.0.2"),
		"port security: source addresses that nobody may send from");
	refused(lab, "a1", udp(0x02005e000101, MAC_A2, "10.0.0.1", "10.0.0.2"),
		"port security: source addresses that nobody may send from");
}

#define FORMED "port security: addresses of an advertised prefix that the port does not have"

/* What machines make of an advertised prefix is refused as ever, and the reason says it. */
static void test_addresses_that_machines_make(void **state)
{
	const char *formed = "2001:db8:a::ff:fe00:1";
	const struct tn_address_pair pair = {.ip_address = lab_prefix("2001:db8:a::ff:fe00:1/128")};
	struct lab *lab = *state;
	struct tn_subnet *s = lab_change(lab, TN_TENANT_SUBNET, "sa6");
	struct tn_tenant_port *p;
	struct frame f;

	s->ipv6_mode = TN_IPV6_SLAAC;
	lab_apply(lab);
	refused(lab, "a1", udp(MAC_A1, MAC_A2, formed, "2001:db8:a::2"), FORMED);
	refused(lab, "a1", nd(135, MAC_A1, "::", "ff02::1:ff00:1", formed, 0), FORMED);
	refused(lab, "a1", nd(135, MAC_A1, formed, "ff02::1:ff00:77", "2001:db8:a::77", MAC_A1),
		FORMED);
	/* Another's MAC address, another prefix: nothing that it made of what it was told. */
	refused(lab, "a1", udp(MAC_A3, MAC_A2, formed, "2001:db8:a::2"), OTHER);
	refused(lab, "a1", nd(135, MAC_A1, formed, "ff02::1:ff00:77", "2001:db8:a::77", MAC_A2),
		OTHER);
	refused(lab, "a1", udp(MAC_A1, MAC_A2, "2001:db8:b::1", "2001:db8:a::2"), OTHER);
	f = udp(MAC_A1, MAC_A2, "2001:db8:a::1", "2001:db8:a::2");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
	p = lab_change(lab, TN_TENANT_PORT, "a1");
	p->allowed_address_pairs = tn_arena_dup(&lab->arena, &pair, sizeof(pair));
	p->n_allowed_address_pairs = 1;
	lab_apply(lab);
	f = udp(MAC_A1, MAC_A2, formed, "2001:db8:a::2");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
}

static void test_neighbour_discovery(void **state)
{
	struct lab *lab = *state;
	const char *all = "ff02::1";
	struct frame f;

	/* Its own, from its address and from its link-local one. */
	f = nd(136, MAC_A1, "2001:db8:a::1", all, "2001:db8:a::1", MAC_A1);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
	f = nd(136, MAC_A1, "fe80::ff:fe00:1", all, "2001:db8:a::1", MAC_A1);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
	f = nd(136, MAC_A1, "fe80::ff:fe00:1", all, "fe80::ff:fe00:1", MAC_A1);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
	refused(lab, "a1", nd(136, MAC_A1, "2001:db8:a::1", all, "2001:db8:a::2", MAC_A1), OTHER);
	refused(lab, "a1", nd(136, MAC_A1, "2001:db8:a::1", all, "2001:db8:a::1", MAC_A2), OTHER);
	refused(lab, "a1", nd(136, MAC_A1, "2001:db8:a::2", all, "2001:db8:a::1", MAC_A1), OTHER);
	refused(lab, "a1", nd(136, MAC_A1, "fe80::1", all, "fe80::1", MAC_A1), OTHER);
	refused(lab, "a1", nd(135, MAC_A1, "2001:db8:a::1", all, "2001:db8:a::77", MAC_A2), OTHER);
	refused(lab, "a1", nd(135, MAC_A1, "::", all, "2001:db8:a::2", 0), OTHER);
	f = nd(135, MAC_A1, "2001:db8:a::1", "ff02::1:ff00:77", "2001:db8:a::77", MAC_A1);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
	f = nd(135, MAC_A1, "::", "ff02::1:ff00:1", "2001:db8:a::1", 0);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
}

static struct frame service(const char *src, uint8_t proto, uint16_t sport, uint8_t icmp_type)
{
	struct packet p;
	struct frame f;

	packet_init(&p);
	p.eth_src = MAC_A1;
	p.eth_dst = MAC_A2;
	p.src = lab_ip(src);
	p.dst = lab_ip(strchr(src, ':') ? "2001:db8:a::2" : "10.0.0.2");
	if (strchr(src, ':')) {
		p.l3 = L3_IPV6;
	} else {
		p.src &= UINT32_MAX;
		p.dst &= UINT32_MAX;
	}
	p.proto = proto;
	p.sport = sport;
	p.icmp_type = icmp_type;
	packet_build(&p, &f);
	return f;
}

static void test_guards(void **state)
{
	struct lab *lab = *state;
	struct tn_tenant_port *p;
	struct frame f;

	refused(lab, "a1", service("10.0.0.1", 17, 67, 0), "port security: DHCP servers");
	refused(lab, "a1", service("2001:db8:a::1", 17, 547, 0), "port security: DHCP servers");
	refused(lab, "a1", service("fe80::ff:fe00:1", 58, 0, 134),
		"port security: router advertisements and redirects");
	refused(lab, "a1", service("fe80::ff:fe00:1", 58, 0, 137),
		"port security: router advertisements and redirects");
	/* Unless it is switched off. */
	p = lab_change(lab, TN_TENANT_PORT, "a1");
	p->port_security_enabled = false;
	lab_apply(lab);
	f = service("10.0.0.1", 17, 67, 0);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
	f = service("fe80::ff:fe00:1", 58, 0, 134);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
	f = udp(0x020000000099, MAC_A2, "10.9.9.9", "10.0.0.2");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
}

static void test_address_pairs(void **state)
{
	struct lab *lab = *state;
	struct tn_tenant_port *p = lab_change(lab, TN_TENANT_PORT, "a1");
	struct tn_address_pair pairs[] = {
		{.ip_address = lab_prefix("10.0.0.64/26")},
		{.ip_address = lab_prefix("10.0.0.200/32"),
			.has_mac = true,
			.mac_address = lab_mac(0x00005e000101)},
		{.ip_address = lab_prefix("2001:db8:a::100/120")},
	};
	struct frame f;

	p->allowed_address_pairs = tn_arena_dup(&lab->arena, pairs, sizeof(pairs));
	p->n_allowed_address_pairs = TN_ARRAY_SIZE(pairs);
	lab_apply(lab);
	f = udp(MAC_A1, MAC_A2, "10.0.0.65", "10.0.0.2");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
	f = udp(0x00005e000101, MAC_A2, "10.0.0.200", "10.0.0.2");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
	f = arp(0x00005e000101, 1, 0x00005e000101, "10.0.0.200", "10.0.0.200");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
	f = nd(136, MAC_A1, "2001:db8:a::100", "ff02::1", "2001:db8:a::100", MAC_A1);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2 a3");
	refused(lab, "a1", udp(MAC_A1, MAC_A2, "10.0.0.200", "10.0.0.2"), OTHER);
	refused(lab, "a1", udp(0x00005e000101, MAC_A2, "10.0.0.1", "10.0.0.2"), OTHER);
	refused(lab, "a1", udp(MAC_A1, MAC_A2, "10.0.0.128", "10.0.0.2"), OTHER);
}

/* What a guest says is inside its network whatever it looks like: VXLAN to a host is payload. */
static void test_guest_vxlan(void **state)
{
	struct lab *lab = *state;
	struct packet p;
	struct frame f;

	packet_init(&p);
	p.eth_src = MAC_A1;
	p.eth_dst = MAC_A3;
	p.src = lab_ip("10.0.0.1") & UINT32_MAX;
	p.dst = lab_ip("198.51.100.2") & UINT32_MAX;
	p.proto = 17;
	p.dport = 4789;
	p.payload = 80;
	packet_build(&p, &f);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a3");
	expect_same(&f, lab_got(lab, "a3", 0));
}

static void test_link_frames_stay(void **state)
{
	struct lab *lab = *state;
	struct tn_tenant_port *p = lab_change(lab, TN_TENANT_PORT, "a1");
	struct frame f = udp(MAC_A1, 0x0180c200000e, "10.0.0.1", "10.0.0.2");

	p->port_security_enabled = false;
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "");
	assert_string_equal(lab_why(lab), "frames that are for the other end of a link alone");
}

/* --- the compiler ---------------------------------------------------------------------------- */

static void test_undo(void **state)
{
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	struct tn_compiled compiled;
	char *before = lab_text(h1), *after;

	lab_remove(lab, TN_TENANT_PORT, "a1");
	lab_remove(lab, TN_TENANT_NETWORK, "nb");
	lab_port(lab, "a9", "na", 0x020000000009, "10.0.0.9", "h1");
	tn_compiler_change(h1->compiler, lab->pending, lab->n_pending, &compiled);
	assert_true(compiled.n_mods > 20);
	tn_compiler_undo(h1->compiler);
	lab->n_pending = 0;
	after = lab_text(h1);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* A tunnel that everybody uses is not touched by what one network does. */
/* They name the networks that this host takes frames of: all that change with them. */
static void test_tunnels_stay(void **state)
{
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	struct tn_compiled compiled;

	lab_network(lab, "nc", 300);
	lab_port(lab, "c1", "nc", MAC_A1, "", "h1");
	lab_port(lab, "c2", "nc", MAC_A2, "", "h2");
	tn_compiler_change(h1->compiler, lab->pending, lab->n_pending, &compiled);
	assert_int_equal(compiled.n_ports, 3);
	for (size_t i = 0; i < compiled.n_ports; i++) {
		const struct tn_vxlan_options *v = &compiled.ports[i].vxlan;

		if (!compiled.ports[i].has_vxlan)
			continue;
		assert_int_equal(v->n_vnis, 3);
		assert_int_equal(v->vnis[0] + v->vnis[1] + v->vnis[2], 100 + 200 + 300);
	}
	assert_int_equal(compiled.n_gone_ports, 0);
	tn_compiler_undo(h1->compiler);
	lab->n_pending = 0;
	lab_port(lab, "a4", "na", 0x020000000004, "", "h1");
	tn_compiler_change(h1->compiler, lab->pending, lab->n_pending, &compiled);
	assert_int_equal(compiled.n_ports, 1);
	assert_string_equal(compiled.ports[0].name, "p-a4");
	tn_compiler_undo(h1->compiler);
}

static void test_small_changes_are_small(void **state)
{
	struct lab *lab = *state;
	struct tn_tenant_port *p = lab_port(lab, "a9", "na", 0x020000000009, "10.0.0.9", "h1");

	lab_apply(lab);
	assert_in_range(lab_find_host(lab, "h1")->n_mods, 10, 60);
	assert_in_range(lab_find_host(lab, "h2")->n_mods, 1, 10);
	p = lab_change(lab, TN_TENANT_PORT, "a9");
	p->c.name = "another name";
	lab_apply(lab);
	assert_int_equal(lab_find_host(lab, "h1")->n_mods, 0);
}

/* Every flow leads back to the objects that it is there for. */
static void test_explanations(void **state)
{
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	struct tn_compiled compiled;
	struct tn_explanation e;
	unsigned of_a3 = 0, of_a_subnet = 0, network;

	((struct tn_tenant_port *)lab_change(lab, TN_TENANT_PORT, "a3"))->c.name = "web";
	lab_apply(lab);
	tn_compiler_all(h1->compiler, &compiled);
	for (size_t i = 0; i < compiled.n_mods; i++) {
		if (compiled.mods[i].kind != TN_MOD_FLOW)
			continue;
		assert_true(tn_compiler_explain(h1->compiler, compiled.mods[i].flow->cookie,
			&compiled.mods[i].flow->match, &e));
		assert_true(*e.what);
		if (!e.n_objects || strcmp(e.objects[0].id, "a3") != 0)
			continue;
		of_a3++;
		assert_int_equal(e.objects[0].kind, TN_TENANT_PORT);
		assert_string_equal(e.objects[0].name, "web");
		of_a_subnet += e.objects[1].kind == TN_TENANT_SUBNET;
		network = 1 + (e.objects[1].kind == TN_TENANT_SUBNET);
		assert_int_equal(e.objects[network].kind, TN_TENANT_NETWORK);
		assert_string_equal(e.objects[network].id, "na");
	}
	assert_true(of_a3 >= 3); /* bridged to, ARP and ND answered */
	assert_true(of_a_subnet >= 2);
	assert_false(tn_compiler_explain(h1->compiler, 0x21, NULL, &e));
	assert_false(tn_compiler_explain(h1->compiler, UINT64_C(0x7400000000000000), NULL, &e));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unicast),
		TEST(test_nothing_crosses_tenants),
		TEST(test_flood),
		TEST(test_unknown_unicast),
		TEST(test_ports_go_and_move),
		TEST(test_networks_that_are_down),
		TEST(test_families),
		TEST(test_only_what_is_needed),
		TEST(test_remote),
		TEST(test_remote_without_security),
		TEST(test_learning),
		TEST(test_snooping),
		TEST(test_spoofing),
		TEST(test_addresses_that_machines_make),
		TEST(test_neighbour_discovery),
		TEST(test_guards),
		TEST(test_address_pairs),
		TEST(test_guest_vxlan),
		TEST(test_link_frames_stay),
		TEST(test_explanations),
		TEST(test_undo),
		TEST(test_tunnels_stay),
		TEST(test_small_changes_are_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
