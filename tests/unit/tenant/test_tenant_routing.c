/* SPDX-License-Identifier: BSD-3-Clause */
/* What hosts answer for their ports, and routing between networks. */
#include "tests/unit/tenant/lab.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/tenant/layout.h"

#define MAC_A1	  UINT64_C(0x020000000001)
#define MAC_A2	  UINT64_C(0x020000000002)
#define MAC_B1	  UINT64_C(0x020000000011)
#define MAC_B2	  UINT64_C(0x020000000012)
#define BROADCAST UINT64_C(0xffffffffffff)
#define ICMP	  1
#define UDP	  17
#define ICMPV6	  58

/* Networks a and b with a router; a1 and b1 on h1, a2 and b2 on h2. */
static int set_up(void **state)
{
	struct lab *lab = lab_new();

	lab->check_full = true;
	lab_host(lab, "h1", "198.51.100.1", NULL);
	lab_host(lab, "h2", "198.51.100.2", NULL);
	lab_network(lab, "na", 100);
	lab_subnet(lab, "sa", "na", "10.0.1.0/24", "10.0.1.254");
	lab_subnet(lab, "sa6", "na", "2001:db8:a::/64", "2001:db8:a::fe");
	lab_network(lab, "nb", 200);
	lab_subnet(lab, "sb", "nb", "10.0.2.0/24", "10.0.2.254");
	lab_subnet(lab, "sb6", "nb", "2001:db8:b::/64", "2001:db8:b::fe");
	lab_router(lab, "r", "sa sa6 sb sb6");
	lab_port(lab, "a1", "na", MAC_A1, "10.0.1.1 2001:db8:a::1", "h1");
	lab_port(lab, "a2", "na", MAC_A2, "10.0.1.2 2001:db8:a::2", "h2");
	lab_port(lab, "b1", "nb", MAC_B1, "10.0.2.1 2001:db8:b::1", "h1");
	lab_port(lab, "b2", "nb", MAC_B2, "10.0.2.2 2001:db8:b::2", "h2");
	lab_apply(lab);
	*state = lab;
	return 0;
}

static int tear_down(void **state)
{
	lab_free(*state);
	return 0;
}

static struct packet ip(uint64_t src, const char *ip_src, const char *ip_dst, uint8_t proto)
{
	struct packet p;

	packet_init(&p);
	p.eth_src = src;
	p.eth_dst = TN_GATEWAY_MAC;
	p.src = lab_ip(ip_src);
	p.dst = lab_ip(ip_dst);
	p.proto = proto;
	if (strchr(ip_src, ':')) {
		p.l3 = L3_IPV6;
	} else {
		p.src &= UINT32_MAX;
		p.dst &= UINT32_MAX;
	}
	return p;
}

static void send_packet(struct lab *lab, const char *port, const struct packet *p)
{
	struct frame f;

	packet_build(p, &f);
	lab_send(lab, port, &f);
}

/* The key of a frame that came out at a port. */
static struct tn_key key_of(const struct lab *lab, const char *port)
{
	const struct lab_frame *got = lab_got(lab, port, 0);
	struct tn_headers h;
	struct tn_view view;
	struct tn_key key;

	assert_non_null(got);
	view = got->f.view;
	view.data = (uint8_t *)(uintptr_t)got->f.buf + PACKET_ROOM;
	assert_int_equal(tn_parse(&view, &h), TN_DROP_NONE);
	tn_key_extract(&view, &h, &key);
	return key;
}

static uint64_t field(const struct tn_key *key, enum tn_field_id id)
{
	return (uint64_t)tn_field_get(key, id);
}

static void ask_arp(
	struct lab *lab, const char *port, uint64_t mac, const char *spa, const char *tpa)
{
	struct packet p;

	packet_init(&p);
	p.l3 = L3_ARP;
	p.eth_src = mac;
	p.eth_dst = BROADCAST;
	p.arp_op = 1;
	p.arp_sha = mac;
	p.arp_spa = lab_ip(spa) & UINT32_MAX;
	p.arp_tpa = lab_ip(tpa) & UINT32_MAX;
	send_packet(lab, port, &p);
}

static void ask_nd(
	struct lab *lab, const char *port, uint64_t mac, const char *src, const char *target)
{
	struct packet p = ip(mac, src, "ff02::1:ff00:1", ICMPV6);

	p.eth_dst = UINT64_C(0x3333ff000001);
	p.ttl = 255;
	p.icmp_type = 135;
	p.nd_target = lab_ip(target);
	p.nd_mac = mac;
	p.nd_option = 1;
	send_packet(lab, port, &p);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void expect_arp(struct lab *lab, const char *port, uint64_t mac, uint64_t to)
{
	struct tn_key key;

	lab_expect(lab, port);
	key = key_of(lab, port);
	assert_int_equal(field(&key, TN_FIELD_ARP_OP), 2);
	assert_int_equal(field(&key, TN_FIELD_ARP_SHA), mac);
	assert_int_equal(field(&key, TN_FIELD_ETH_SRC), mac);
	assert_int_equal(field(&key, TN_FIELD_ETH_DST), to);
}

static void test_arp_is_answered(void **state)
{
	struct lab *lab = *state;

	ask_arp(lab, "a1", MAC_A1, "10.0.1.1", "10.0.1.2");
	expect_arp(lab, "a1", MAC_A2, MAC_A1);
	ask_arp(lab, "a1", MAC_A1, "10.0.1.1", "10.0.1.254");
	expect_arp(lab, "a1", TN_GATEWAY_MAC, MAC_A1);
	/* On every host. */
	ask_arp(lab, "a2", MAC_A2, "10.0.1.2", "10.0.1.254");
	expect_arp(lab, "a2", TN_GATEWAY_MAC, MAC_A2);
	/* Its own address: others are to hear of it. */
	ask_arp(lab, "a1", MAC_A1, "0.0.0.0", "10.0.1.1");
	lab_expect(lab, "a2");
	ask_arp(lab, "a1", MAC_A1, "10.0.1.1", "10.0.1.1");
	lab_expect(lab, "a2");
	/* Nobody's: it is flooded. */
	ask_arp(lab, "a1", MAC_A1, "10.0.1.1", "10.0.1.99");
	lab_expect(lab, "a2");
	lab_remove(lab, TN_TENANT_ROUTER, "r");
	lab_apply(lab);
	ask_arp(lab, "a1", MAC_A1, "10.0.1.1", "10.0.1.254");
	lab_expect(lab, "a2");
}

static void test_solicitations_are_answered(void **state)
{
	static const char *const targets[] = {
		"2001:db8:a::2", "2001:db8:a::fe", "fe80::5eff:fe00:101"};
	struct lab *lab = *state;
	struct tn_key key;

	for (unsigned i = 0; i < TN_ARRAY_SIZE(targets); i++) {
		ask_nd(lab, "a1", MAC_A1, "2001:db8:a::1", targets[i]);
		lab_expect(lab, "a1");
		key = key_of(lab, "a1");
		assert_int_equal(field(&key, TN_FIELD_ICMPV6_TYPE), 136);
		assert_true(tn_field_get(&key, TN_FIELD_ND_TARGET) == lab_ip(targets[i]));
		assert_int_equal(field(&key, TN_FIELD_ND_TLL), i ? TN_GATEWAY_MAC : MAC_A2);
	}
}

static void test_gateway_answers_ping(void **state)
{
	static const char *const ip4[] = {"10.0.1.254", "10.0.2.254"};
	static const char *const ip6[] = {
		"2001:db8:a::fe", "2001:db8:b::fe", "fe80::5eff:fe00:101"};
	struct lab *lab = *state;
	struct packet p;
	struct tn_key key;

	for (unsigned i = 0; i < TN_ARRAY_SIZE(ip4); i++) {
		p = ip(MAC_A1, "10.0.1.1", ip4[i], ICMP);
		p.icmp_type = 8;
		p.ttl = 1;
		send_packet(lab, "a1", &p);
		lab_expect(lab, "a1");
		key = key_of(lab, "a1");
		assert_int_equal(field(&key, TN_FIELD_ICMPV4_TYPE), 0);
		assert_int_equal(field(&key, TN_FIELD_IPV4_SRC), lab_ip(ip4[i]) & UINT32_MAX);
		assert_int_equal(field(&key, TN_FIELD_ETH_DST), MAC_A1);
	}
	for (unsigned i = 0; i < TN_ARRAY_SIZE(ip6); i++) {
		p = ip(MAC_A1, "2001:db8:a::1", ip6[i], ICMPV6);
		p.icmp_type = 128;
		send_packet(lab, "a1", &p);
		lab_expect(lab, "a1");
		key = key_of(lab, "a1");
		assert_int_equal(field(&key, TN_FIELD_ICMPV6_TYPE), 129);
	}
}

static void put16(struct frame *f, unsigned at, unsigned v)
{
	f->buf[PACKET_ROOM + at] = (uint8_t)(v >> 8);
	f->buf[PACKET_ROOM + at + 1] = (uint8_t)v;
}

/* The payload of a UDP frame that was built with room for it; no checksum. */
static void fill(struct frame *f, const uint8_t *data, size_t n, bool ip4)
{
	memcpy(f->buf + PACKET_ROOM + (ip4 ? 42 : 62), data, n);
	if (ip4)
		put16(f, 40, 0);
}

static const uint8_t *find_option(const struct lab_frame *got, uint8_t code)
{
	const uint8_t *p = got->f.buf + PACKET_ROOM + 42 + 240;
	const uint8_t *end = got->f.buf + PACKET_ROOM + got->f.view.len;

	while (p < end && *p != 255) {
		if (*p == code)
			return p + 1;
		p += *p ? 2 + p[1] : 1;
	}
	return NULL;
}

static void discover(struct lab *lab, const char *port, uint64_t mac)
{
	uint8_t message[300] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78};
	struct packet p = ip(mac, "0.0.0.0", "255.255.255.255", UDP);
	struct tn_mac m = lab_mac(mac);
	struct frame f;

	memcpy(message + 28, m.b, 6);
	memcpy(message + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8);
	p.eth_dst = BROADCAST;
	p.sport = 68;
	p.dport = 67;
	p.payload = sizeof(message);
	packet_build(&p, &f);
	fill(&f, message, sizeof(message), true);
	lab_send(lab, port, &f);
}

static void test_dhcp(void **state)
{
	struct lab *lab = *state;
	struct tn_tenant_port *port = lab_change(lab, TN_TENANT_PORT, "a1");
	struct tn_dhcp_option boot[] = {
		{"bootfile-name", "pxelinux.0", 4}, {"tftp-server-address", "10.0.1.77", 4}};
	struct tn_subnet *s = lab_change(lab, TN_TENANT_SUBNET, "sa");
	const tn_u128 dns[] = {lab_ip("192.0.2.53"), lab_ip("192.0.2.54")};
	const struct tn_host_route route = {lab_prefix("192.0.2.0/24"), lab_ip("10.0.1.9")};
	const struct lab_frame *got;

	port->extra_dhcp_opts = tn_arena_dup(&lab->arena, boot, sizeof(boot));
	port->n_extra_dhcp_opts = 2;
	s->dns_nameservers = tn_arena_dup(&lab->arena, dns, sizeof(dns));
	s->n_dns_nameservers = 2;
	s->host_routes = tn_arena_dup(&lab->arena, &route, sizeof(route));
	s->n_host_routes = 1;
	lab_apply(lab);
	discover(lab, "a1", MAC_A1);
	lab_expect(lab, "a1");
	got = lab_got(lab, "a1", 0);
	assert_memory_equal(got->f.buf + PACKET_ROOM + 42 + 16, "\x0a\x00\x01\x01", 4);
	assert_memory_equal(find_option(got, 53), "\x01\x02", 2); /* an offer */
	assert_memory_equal(find_option(got, 1), "\x04\xff\xff\xff\x00", 5);
	assert_memory_equal(find_option(got, 3), "\x04\x0a\x00\x01\xfe", 5);
	assert_memory_equal(find_option(got, 6), "\x08\xc0\x00\x02\x35\xc0\x00\x02\x36", 9);
	assert_memory_equal(find_option(got, 26), "\x02\x05\xaa", 3); /* 1450 */
	assert_memory_equal(find_option(got, 51), "\x04\x00\x01\x51\x80", 5);
	assert_memory_equal(find_option(got, 54), "\x04\x0a\x00\x01\xfe", 5);
	assert_memory_equal(find_option(got, 67), "\x0apxelinux.0", 11);
	assert_memory_equal(find_option(got, 121),
		"\x0d\x18\xc0\x00\x02\x0a\x00\x01\x09\x00\x0a\x00\x01\xfe", 14);
	/* Without it a server of the tenant's may answer. */
	s = lab_change(lab, TN_TENANT_SUBNET, "sa");
	s->enable_dhcp = false;
	lab_apply(lab);
	discover(lab, "a1", MAC_A1);
	lab_expect(lab, "a2");
}

static void test_router_advertisement(void **state)
{
	struct lab *lab = *state;
	struct packet p = ip(MAC_A1, "fe80::ff:fe00:1", "ff02::2", ICMPV6);
	const uint8_t *body;
	struct tn_key key;

	p.eth_dst = UINT64_C(0x333300000002);
	p.ttl = 255;
	p.icmp_type = 133;
	p.payload = 4;
	p.seed = 0;
	{
		struct frame f;

		packet_build(&p, &f);
		lab_send(lab, "a1", &f);
	}
	lab_expect(lab, "a1");
	key = key_of(lab, "a1");
	assert_int_equal(field(&key, TN_FIELD_ICMPV6_TYPE), 134);
	assert_true(tn_field_get(&key, TN_FIELD_IPV6_SRC) == TN_GATEWAY_LINK_LOCAL);
	body = lab_got(lab, "a1", 0)->f.buf + PACKET_ROOM + 58;
	assert_int_equal(body[0], 64);
	assert_int_equal(body[1], 0xc0); /* addresses by DHCP */
}

/* What a port next hears unasked, behind the checksum; NULL: nothing in an hour. */
static const uint8_t *hear(struct lab *lab, const char *host, const char *port)
{
	uint64_t until = lab->now_ns + UINT64_C(3600000000000);

	while (lab->now_ns < until && lab_advertise(lab, host)) {
		const struct lab_frame *got = lab_got(lab, port, 0);

		if (got) {
			assert_int_equal(got->f.buf[PACKET_ROOM + 54], 134);
			return got->f.buf + PACKET_ROOM + 58;
		}
	}
	return NULL;
}

/* The lifetime of an advertisement's router; of its first option of a type, its second half. */
static unsigned router_lifetime(const uint8_t *body)
{
	return (unsigned)body[2] << 8 | body[3];
}

static uint32_t option_lifetime(const uint8_t *body, uint8_t type)
{
	const uint8_t *o = body + 12;
	uint32_t raw;

	while (o[0] != type) {
		assert_true(o[1]);
		o += o[1] * 8;
	}
	memcpy(&raw, o + 4, sizeof(raw));
	return ntohl(raw);
}

enum { PREFIX = 3, ROUTE = 24 };

/* Each host tells its own ports, and of endpoints that are no hosts one host all. */
static void test_advertisements_unasked(void **state)
{
	struct lab *lab = *state;
	const uint8_t *body;

	lab_remote(lab, "ra", "na", 0x020000000020, "2001:db8:a::20", "198.51.100.9");
	lab_remote(lab, "ra2", "na", 0x020000000021, "2001:db8:a::21", "198.51.100.9");
	lab_remote(lab, "ra3", "na", 0x020000000022, "2001:db8:a::22", "198.51.100.7");
	lab_apply(lab);
	body = hear(lab, "h1", "a1");
	lab_expect(lab, "a1 198.51.100.7 198.51.100.9");
	assert_int_equal(lab_got(lab, "198.51.100.9", 0)->vni, 100);
	assert_int_equal(router_lifetime(body), UINT16_MAX);
	assert_int_equal(option_lifetime(body, PREFIX), UINT32_MAX);
	assert_non_null(hear(lab, "h2", "a2"));
	lab_expect(lab, "a2");
	/* Who was first is there no more. */
	lab_remove(lab, TN_TENANT_PORT, "a1");
	lab_apply(lab);
	assert_non_null(hear(lab, "h2", "a2"));
	lab_expect(lab, "a2 198.51.100.7 198.51.100.9");
	assert_null(hear(lab, "h1", "198.51.100.9"));
}

/* A network that no host has ports of: from one that routes there. */
static void test_advertisements_from_afar(void **state)
{
	struct lab *lab = *state;

	lab_network(lab, "nc", 300);
	lab_subnet(lab, "sc6", "nc", "2001:db8:c::/64", "2001:db8:c::fe");
	lab_remote(lab, "rc", "nc", 0x020000000020, "2001:db8:c::20", "198.51.100.9");
	lab_apply(lab);
	assert_null(hear(lab, "h1", "198.51.100.9"));
	lab_router(lab, "r", "sa sa6 sb sb6 sc6");
	lab_apply(lab);
	assert_non_null(hear(lab, "h1", "198.51.100.9"));
	lab_expect(lab, "198.51.100.9");
	assert_null(hear(lab, "h2", "198.51.100.9"));
	/* The last that it has to route for. */
	lab_remove(lab, TN_TENANT_PORT, "a1");
	lab_remove(lab, TN_TENANT_PORT, "b1");
	lab_apply(lab);
	assert_null(hear(lab, "h1", "198.51.100.9"));
	assert_non_null(hear(lab, "h2", "198.51.100.9"));
}

static void expect_thrice(struct lab *lab, unsigned router, uint32_t prefix, uint32_t route)
{
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *body = hear(lab, "h1", "a1");

		assert_non_null(body);
		lab_expect(lab, "a1 198.51.100.9");
		assert_int_equal(router_lifetime(body), router);
		assert_int_equal(option_lifetime(body, PREFIX), prefix);
		assert_int_equal(option_lifetime(body, ROUTE), route);
	}
}

/* The router goes, and then all that is advertised: each is told, and the last thing no more. */
static void test_advertisements_are_taken_back(void **state)
{
	struct lab *lab = *state;
	struct tn_subnet *s;

	lab_remote(lab, "ra", "na", 0x020000000020, "2001:db8:a::20", "198.51.100.9");
	lab_apply(lab);
	expect_thrice(lab, UINT16_MAX, UINT32_MAX, UINT32_MAX);
	lab_router(lab, "r", "sa sb sb6");
	lab_apply(lab);
	expect_thrice(lab, 0, UINT32_MAX, 0);
	s = lab_change(lab, TN_TENANT_SUBNET, "sa6");
	s->ipv6_mode = TN_IPV6_NONE;
	lab_apply(lab);
	expect_thrice(lab, 0, 0, 0);
	assert_null(hear(lab, "h1", "a1"));
	s = lab_change(lab, TN_TENANT_SUBNET, "sa6");
	s->ipv6_mode = TN_IPV6_SLAAC;
	lab_router(lab, "r", "sa sa6 sb sb6");
	lab_apply(lab);
	expect_thrice(lab, UINT16_MAX, UINT32_MAX, UINT32_MAX);
	lab_remove(lab, TN_TENANT_SUBNET, "sa6");
	lab_router(lab, "r", "sa sb sb6");
	lab_apply(lab);
	expect_thrice(lab, 0, 0, 0);
	assert_null(hear(lab, "h1", "a1"));
}

/* --- routing -----------------------------------------------------------------------------------
 */

static void expect_routed(struct lab *lab, const char *port, uint64_t mac, uint8_t ttl)
{
	struct tn_key key;

	lab_expect(lab, port);
	key = key_of(lab, port);
	assert_int_equal(field(&key, TN_FIELD_ETH_SRC), TN_GATEWAY_MAC);
	assert_int_equal(field(&key, TN_FIELD_ETH_DST), mac);
	assert_int_equal(field(&key, TN_FIELD_IP_TTL), ttl);
}

static void test_between_subnets(void **state)
{
	struct lab *lab = *state;
	struct packet p = ip(MAC_A1, "10.0.1.1", "10.0.2.1", UDP);

	send_packet(lab, "a1", &p);
	expect_routed(lab, "b1", MAC_B1, 63);
	p = ip(MAC_A1, "10.0.1.1", "10.0.2.2", UDP);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "b2", MAC_B2, 63);
	p = ip(MAC_B2, "2001:db8:b::2", "2001:db8:a::1", UDP);
	send_packet(lab, "b2", &p);
	expect_routed(lab, "a1", MAC_A1, 63);
	/* Back into its own network, and to itself. */
	p = ip(MAC_A1, "10.0.1.1", "10.0.1.2", UDP);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "a2", MAC_A2, 63);
	p = ip(MAC_A1, "10.0.1.1", "10.0.1.1", UDP);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "a1", MAC_A1, 63);
}

/* A network that a router leads to is there without a port of its own. */
static void test_network_elsewhere(void **state)
{
	struct lab *lab = *state;
	struct packet p = ip(MAC_A1, "10.0.1.1", "10.0.2.2", UDP);

	lab_remove(lab, TN_TENANT_PORT, "b1");
	lab_remove(lab, TN_TENANT_PORT, "a2");
	lab_apply(lab);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "b2", MAC_B2, 63);
	p = ip(MAC_B2, "10.0.2.2", "10.0.1.1", UDP);
	send_packet(lab, "b2", &p);
	expect_routed(lab, "a1", MAC_A1, 63);
}

static void expect_icmp(
	struct lab *lab, const char *port, uint8_t type, uint8_t code, const char *from)
{
	struct tn_key key;
	bool ip4 = !strchr(from, ':');

	lab_expect(lab, port);
	key = key_of(lab, port);
	assert_int_equal(field(&key, TN_FIELD_IP_PROTO), ip4 ? ICMP : ICMPV6);
	assert_int_equal(field(&key, TN_FIELD_ICMPV4_TYPE), type);
	assert_int_equal(field(&key, TN_FIELD_ICMPV4_CODE), code);
	assert_true(tn_field_get(&key, ip4 ? TN_FIELD_IPV4_SRC : TN_FIELD_IPV6_SRC) ==
		(ip4 ? lab_ip(from) & UINT32_MAX : lab_ip(from)));
}

static void test_errors(void **state)
{
	struct lab *lab = *state;
	struct packet p = ip(MAC_A1, "10.0.1.1", "10.0.2.2", UDP);

	p.ttl = 1;
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 11, 0, "10.0.1.254");
	p = ip(MAC_A1, "2001:db8:a::1", "2001:db8:b::2", UDP);
	p.ttl = 1;
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 3, 0, "2001:db8:a::fe");
	p = ip(MAC_A1, "10.0.1.1", "192.0.2.1", UDP); /* no route */
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 3, 0, "10.0.1.254");
	p = ip(MAC_A1, "2001:db8:a::1", "2001:db8:ffff::1", UDP);
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 1, 0, "2001:db8:a::fe");
	p = ip(MAC_A1, "10.0.1.1", "10.0.2.99", UDP); /* nobody */
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 3, 1, "10.0.2.254");
	p = ip(MAC_A1, "10.0.1.1", "10.0.2.254", UDP); /* the end of a traceroute */
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 3, 3, "10.0.2.254");
}

static void test_too_big(void **state)
{
	struct lab *lab = *state;
	struct tn_network *n = lab_change(lab, TN_TENANT_NETWORK, "nb");
	struct packet p = ip(MAC_A1, "10.0.1.1", "10.0.2.2", UDP);

	n->mtu = 1300;
	lab_apply(lab);
	p.payload = 1300 - 28;
	send_packet(lab, "a1", &p);
	expect_routed(lab, "b2", MAC_B2, 63);
	p.payload++;
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 3, 4, "10.0.2.254");
	p = ip(MAC_A1, "2001:db8:a::1", "2001:db8:b::1", UDP);
	p.payload = 1300;
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 2, 0, "2001:db8:b::fe");
	p = ip(MAC_B1, "10.0.2.1", "10.0.1.1", UDP);
	p.payload = 1300;
	send_packet(lab, "b1", &p);
	expect_routed(lab, "a1", MAC_A1, 63);
}

static void test_static_routes(void **state)
{
	struct lab *lab = *state;
	struct tn_router *r = lab_change(lab, TN_TENANT_ROUTER, "r");
	struct packet p = ip(MAC_A1, "10.0.1.1", "192.0.2.7", UDP);
	unsigned to[2] = {0, 0};
	struct tn_tenant_port *port;

	lab_route(lab, r, "192.0.2.0/24", "10.0.2.2");
	lab_route(lab, r, "192.0.2.128/25", "10.0.2.1");
	lab_route(lab, r, "0.0.0.0/0", "10.0.2.99");
	lab_apply(lab);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "b2", MAC_B2, 63);
	p = ip(MAC_A1, "10.0.1.1", "192.0.2.200", UDP);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "b1", MAC_B1, 63);
	p = ip(MAC_A1, "10.0.1.1", "203.0.113.1", UDP);
	send_packet(lab, "a1", &p);
	expect_icmp(lab, "a1", 3, 1, "10.0.1.254");
	/* Equal cost: both, and each connection one way. */
	r = lab_change(lab, TN_TENANT_ROUTER, "r");
	r->n_routes = 0;
	lab_route(lab, r, "192.0.2.0/24", "10.0.2.2");
	lab_route(lab, r, "192.0.2.0/24", "10.0.2.1");
	lab_apply(lab);
	for (unsigned i = 0; i < 64; i++) {
		p = ip(MAC_A1, "10.0.1.1", "192.0.2.7", UDP);
		p.sport = (uint16_t)(2000 + i);
		send_packet(lab, "a1", &p);
		assert_int_equal(lab->n_frames, 1);
		to[lab_got(lab, "b1", 0) != NULL]++;
		expect_routed(lab, lab_got(lab, "b1", 0) ? "b1" : "b2",
			lab_got(lab, "b1", 0) ? MAC_B1 : MAC_B2, 63);
	}
	assert_in_range(to[0], 16, 48);
	/* The next hop moves with its port. */
	port = lab_change(lab, TN_TENANT_PORT, "b1");
	port->admin_state_up = false;
	lab_apply(lab);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "b2", MAC_B2, 63);
}

/* The same addresses behind routers of two tenants. */
static void test_overlapping_tenants(void **state)
{
	struct lab *lab = *state;
	struct packet p = ip(MAC_A1, "10.0.1.1", "10.0.2.2", UDP);

	lab_network(lab, "xa", 300);
	lab_subnet(lab, "xsa", "xa", "10.0.1.0/24", "10.0.1.254");
	lab_network(lab, "xb", 400);
	lab_subnet(lab, "xsb", "xb", "10.0.2.0/24", "10.0.2.254");
	lab_router(lab, "xr", "xsa xsb");
	lab_port(lab, "x1", "xa", MAC_A1, "10.0.1.1", "h1");
	lab_port(lab, "x2", "xb", MAC_B2, "10.0.2.2", "h2");
	lab_apply(lab);
	send_packet(lab, "x1", &p);
	expect_routed(lab, "x2", MAC_B2, 63);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "b2", MAC_B2, 63);
	/* b1's address is nobody's there. */
	p = ip(MAC_A1, "10.0.1.1", "10.0.2.1", UDP);
	send_packet(lab, "x1", &p);
	expect_icmp(lab, "x1", 3, 1, "10.0.2.254");
}

/* An endpoint that is no host: routed by any host, answered by one. */
static void test_remote(void **state)
{
	struct lab *lab = *state;
	struct packet p = ip(MAC_A1, "10.0.1.1", "10.0.2.20", UDP);
	struct frame f;

	lab_remote(lab, "rb", "nb", 0x020000000020, "10.0.2.20", "198.51.100.9");
	lab_apply(lab);
	send_packet(lab, "a1", &p);
	expect_routed(lab, "198.51.100.9", 0x020000000020, 63);
	assert_int_equal(lab->frames[0].vni, 200);
	p = ip(0x020000000020, "10.0.2.20", "10.0.1.2", UDP);
	packet_build(&p, &f);
	lab_send_from(lab, "198.51.100.9", "h1", 200, &f);
	expect_routed(lab, "a2", MAC_A2, 63);
	p = ip(0x020000000020, "10.0.2.20", "10.0.2.254", ICMP);
	p.icmp_type = 8;
	packet_build(&p, &f);
	lab_send_from(lab, "198.51.100.9", "h2", 200, &f);
	lab_expect(lab, "198.51.100.9");
	packet_init(&p);
	p.l3 = L3_ARP;
	p.eth_src = p.arp_sha = 0x020000000020;
	p.eth_dst = BROADCAST;
	p.arp_op = 1;
	p.arp_spa = 0x0a000214;
	p.arp_tpa = 0x0a0002fe;
	packet_build(&p, &f);
	lab_send_from(lab, "198.51.100.9", "h1", 200, &f);
	expect_arp(lab, "198.51.100.9", TN_GATEWAY_MAC, 0x020000000020);
	lab_send_from(lab, "198.51.100.9", "h2", 200, &f);
	lab_expect(lab, "b2");
	p.arp_tpa = 0x0a000201;
	packet_build(&p, &f);
	lab_send_from(lab, "198.51.100.9", "h1", 200, &f);
	lab_expect(lab, "b1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_arp_is_answered),
		TEST(test_solicitations_are_answered),
		TEST(test_gateway_answers_ping),
		TEST(test_dhcp),
		TEST(test_router_advertisement),
		TEST(test_advertisements_unasked),
		TEST(test_advertisements_from_afar),
		TEST(test_advertisements_are_taken_back),
		TEST(test_between_subnets),
		TEST(test_network_elsewhere),
		TEST(test_errors),
		TEST(test_too_big),
		TEST(test_static_routes),
		TEST(test_overlapping_tenants),
		TEST(test_remote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
