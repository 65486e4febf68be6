/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/tunnels.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LOCAL  0xc6336401u /* 198.51.100.1 */
#define OTHER  0xc6336402u
#define PEER_A 0xc6336410u
#define PEER_B 0xcb007111u
#define PEER_C 0xcb007112u
#define UPLINK 9u

static struct tn_underlay_address address;
static struct tn_underlay_route way;
static struct tn_underlay_neighbour gateway;
static struct tn_tunnel_config ports[8];
static size_t n_ports;
static struct tn_underlay *underlay;
static struct tn_tunnels *tunnels;

static tn_u128 ip4(uint32_t a)
{
	return tn_u128_from_ip4(a);
}

static void add_port(uint32_t number, const struct tn_vxlan_options *options)
{
	struct tn_tunnel_config *p = &ports[n_ports++];

	*p = (struct tn_tunnel_config){.number = number, .options = *options};
	if (!p->options.udp_port)
		p->options.udp_port = TN_VXLAN_PORT;
	p->options.ttl = 64;
	p->options.dscp = -1;
}

static int start(void)
{
	const struct tn_underlay_config config = {
		.addresses = &address,
		.n_addresses = 1,
		.routes = &way,
		.n_routes = 1,
		.neighbours = &gateway,
		.n_neighbours = 1,
	};
	uint32_t a, b;

	address = (struct tn_underlay_address){ip4(LOCAL), 24, {{2, 0, 0, 0, 0, 1}}, UPLINK};
	way = (struct tn_underlay_route){.is_ip4 = true, .via = ip4(PEER_A), .port = UPLINK};
	way.prefix = ip4(0);
	gateway = (struct tn_underlay_neighbour){ip4(PEER_A), {{4, 0, 0, 0, 0, 1}}, UPLINK};
	underlay = tn_underlay_new(&config);
	assert_non_null(underlay);
	return tn_tunnels_new(&tunnels, ports, n_ports, &a, &b);
}

static int tear_down(void **state)
{
	(void)state;
	tn_tunnels_free(tunnels);
	tn_underlay_free(underlay);
	n_ports = 0;
	return 0;
}

struct packet {
	uint8_t room[400];
	struct tn_view view;
	struct tn_headers h;
};

static void make_inner(struct packet *p)
{
	memset(p->room, 0, sizeof(p->room));
	p->view =
		(struct tn_view){.data = p->room + 128, .len = 60, .wire_len = 60, .headroom = 128};
	p->room[128] = 2;
	p->room[128 + 12] = 0x88;
	p->room[128 + 13] = 0xb5;
	assert_int_equal(tn_parse(&p->view, &p->h), 0);
}

static void make_outer(struct packet *p, uint32_t src, uint32_t dst, uint32_t vni, uint16_t udp)
{
	const struct tn_vxlan_encap encap = {
		.src = ip4(src), .dst = ip4(dst), .vni = vni, .udp_dst = udp, .ttl = 64};

	make_inner(p);
	assert_int_equal(tn_vxlan_push(&p->view, &encap, &p->h, 1), 0);
	assert_int_equal(tn_parse(&p->view, &p->h), 0);
}

/* By the uplink: the port that takes it. */
static void expect_port(uint32_t src, uint32_t vni, uint16_t udp, uint32_t port)
{
	struct tn_ingress in = {0};
	struct tn_vxlan_outer outer;
	struct packet p;

	make_outer(&p, src, LOCAL, vni, udp);
	assert_true(tn_tunnels_want(tunnels, underlay, &p.view, &p.h));
	assert_int_equal(tn_tunnels_receive(tunnels, underlay, 0, &p.view, &p.h, &in, &outer), 0);
	assert_int_equal(in.in_port, port);
	assert_int_equal(in.tunnel_id, vni);
	assert_true(in.tun_src == ip4(src) && in.tun_dst == ip4(LOCAL));
	assert_int_equal(p.view.len, 60);
	assert_ptr_equal(p.view.data, p.room + 128);
}

static void expect_drop(
	uint32_t own_port, uint32_t src, uint32_t dst, uint32_t vni, enum tn_drop drop)
{
	struct tn_ingress in = {0};
	struct tn_vxlan_outer outer;
	struct packet p;

	make_outer(&p, src, dst, vni, TN_VXLAN_PORT);
	assert_int_equal(
		tn_tunnels_receive(tunnels, underlay, own_port, &p.view, &p.h, &in, &outer), drop);
}

static void gives_a_packet_to_the_port_that_names_most_of_it(void **state)
{
	(void)state;
	add_port(1, &(struct tn_vxlan_options){.remote_flow = true, .vni_flow = true});
	add_port(2, &(struct tn_vxlan_options){.remote = ip4(PEER_A), .vni_flow = true});
	add_port(3, &(struct tn_vxlan_options){.remote_flow = true, .vni = 7});
	add_port(4, &(struct tn_vxlan_options){.remote = ip4(PEER_A), .vni = 7});
	add_port(5,
		&(struct tn_vxlan_options){
			.remote_flow = true, .vni_flow = true, .udp_port = 8472});
	assert_int_equal(start(), 0);
	expect_port(PEER_B, 1, TN_VXLAN_PORT, 1);
	expect_port(PEER_A, 1, TN_VXLAN_PORT, 2);
	expect_port(PEER_B, 7, TN_VXLAN_PORT, 3);
	expect_port(PEER_A, 7, TN_VXLAN_PORT, 4);
	expect_port(PEER_A, 7, 8472, 5);
}

static void takes_only_declared_peers_and_networks(void **state)
{
	const tn_u128 peers[] = {ip4(PEER_B), ip4(PEER_A)};
	const uint32_t vnis[] = {9, 5};

	(void)state;
	add_port(1,
		&(struct tn_vxlan_options){.remote_flow = true,
			.vni_flow = true,
			.peers = peers,
			.n_peers = 2,
			.vnis = vnis,
			.n_vnis = 2});
	assert_int_equal(start(), 0);
	expect_port(PEER_A, 5, TN_VXLAN_PORT, 1);
	expect_port(PEER_B, 9, TN_VXLAN_PORT, 1);
	for (uint32_t own = 0; own < 2; own++) {
		expect_drop(own, PEER_C, LOCAL, 5, TN_DROP_VXLAN_UNKNOWN_PEER);
		expect_drop(own, PEER_A, LOCAL, 6, TN_DROP_VXLAN_UNKNOWN_VNI);
	}
	expect_drop(1, PEER_A, OTHER, 5, TN_DROP_VXLAN_NOT_LOCAL);
}

static void refuses_ports_that_take_the_same(void **state)
{
	(void)state;
	add_port(1, &(struct tn_vxlan_options){.remote = ip4(PEER_A), .vni = 7});
	add_port(2, &(struct tn_vxlan_options){.remote = ip4(PEER_B), .vni = 7});
	add_port(3, &(struct tn_vxlan_options){.remote = ip4(PEER_A), .vni = 7});
	assert_int_equal(start(), -EEXIST);
	assert_null(tunnels);
}

static void leaves_other_frames_of_an_uplink_alone(void **state)
{
	struct packet p;

	(void)state;
	add_port(1, &(struct tn_vxlan_options){.remote_flow = true, .vni_flow = true});
	assert_int_equal(start(), 0);
	make_inner(&p);
	assert_false(tn_tunnels_want(tunnels, underlay, &p.view, &p.h));
	make_outer(&p, PEER_A, OTHER, 1, TN_VXLAN_PORT);
	assert_false(tn_tunnels_want(tunnels, underlay, &p.view, &p.h));
	make_outer(&p, PEER_A, LOCAL, 1, 53);
	assert_false(tn_tunnels_want(tunnels, underlay, &p.view, &p.h));
}

static void says_what_is_no_tunnel_packet(void **state)
{
	struct tn_ingress in = {0};
	struct tn_vxlan_outer outer;
	struct packet p;

	(void)state;
	add_port(1, &(struct tn_vxlan_options){.remote_flow = true, .vni_flow = true});
	assert_int_equal(start(), 0);
	make_inner(&p);
	assert_int_equal(tn_tunnels_receive(tunnels, underlay, 1, &p.view, &p.h, &in, &outer),
		TN_DROP_NOT_TUNNELLED);
	make_outer(&p, PEER_A, LOCAL, 1, 53);
	assert_int_equal(tn_tunnels_receive(tunnels, underlay, 1, &p.view, &p.h, &in, &outer),
		TN_DROP_NOT_TUNNELLED);
	/* More fragments. */
	make_outer(&p, PEER_A, LOCAL, 1, TN_VXLAN_PORT);
	p.view.data[14 + 6] = 0x20;
	assert_int_equal(tn_parse(&p.view, &p.h), 0);
	assert_int_equal(tn_tunnels_receive(tunnels, underlay, 1, &p.view, &p.h, &in, &outer),
		TN_DROP_UNDERLAY_FRAGMENT);
	/* A UDP length beyond the packet; one that the capture cut. */
	make_outer(&p, PEER_A, LOCAL, 1, TN_VXLAN_PORT);
	p.view.data[14 + 20 + 4] = 0xff;
	assert_int_equal(tn_parse(&p.view, &p.h), 0);
	assert_int_equal(tn_tunnels_receive(tunnels, underlay, 1, &p.view, &p.h, &in, &outer),
		TN_DROP_VXLAN_MALFORMED);
	make_outer(&p, PEER_A, LOCAL, 1, TN_VXLAN_PORT);
	p.view.len = 14 + 20 + 4;
	assert_int_equal(tn_parse(&p.view, &p.h), 0);
	assert_int_equal(tn_tunnels_receive(tunnels, underlay, 1, &p.view, &p.h, &in, &outer),
		TN_DROP_TRUNCATED_HEADER);
}

static enum tn_drop send(struct tn_op *op, uint32_t port, struct tn_vxlan_encap *encap)
{
	uint32_t uplink = 0;
	enum tn_drop drop;

	op->output.port = port;
	drop = tn_tunnels_encap(tunnels, underlay, op, 0, encap, &uplink);
	if (!drop)
		assert_int_equal(uplink, UPLINK);
	return drop;
}

static void takes_endpoint_and_network_from_the_flow(void **state)
{
	struct tn_op op = {.type = TN_OP_OUTPUT};
	struct tn_vxlan_encap encap;

	(void)state;
	add_port(1, &(struct tn_vxlan_options){.remote_flow = true, .vni_flow = true});
	add_port(2, &(struct tn_vxlan_options){.remote = ip4(PEER_B), .vni = 42});
	assert_int_equal(start(), 0);
	assert_int_equal(send(&op, 1, &encap), TN_DROP_VXLAN_NO_REMOTE);
	op.output.tun_dst = ip4(PEER_C);
	op.output.tunnel_id = 77;
	assert_int_equal(send(&op, 1, &encap), 0);
	assert_true(encap.dst == ip4(PEER_C) && encap.src == ip4(LOCAL));
	assert_int_equal(encap.vni, 77);
	assert_int_equal(encap.eth_dst.b[0], 4);
	assert_int_equal(encap.eth_src.b[0], 2);
	assert_int_equal(send(&op, 2, &encap), 0);
	assert_true(encap.dst == ip4(PEER_B));
	assert_int_equal(encap.vni, 42);

	op.output.tunnel_id = 1 << 24;
	assert_int_equal(send(&op, 1, &encap), TN_DROP_VXLAN_NO_VNI);
	op.output.tunnel_id = 77;
	op.output.wide_tunnel_id = 1;
	assert_int_equal(send(&op, 1, &encap), TN_DROP_VXLAN_NO_VNI);
	op.output.wide_tunnel_id = 0;

	/* A source that is not ours (what a decapsulated packet has) is not used. */
	op.output.tun_src = ip4(PEER_A);
	assert_int_equal(send(&op, 1, &encap), 0);
	assert_true(encap.src == ip4(LOCAL));
	op.output.tun_dst = ip4(LOCAL);
	assert_int_equal(send(&op, 1, &encap), TN_DROP_NO_ROUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			gives_a_packet_to_the_port_that_names_most_of_it, tear_down),
		cmocka_unit_test_teardown(takes_only_declared_peers_and_networks, tear_down),
		cmocka_unit_test_teardown(refuses_ports_that_take_the_same, tear_down),
		cmocka_unit_test_teardown(leaves_other_frames_of_an_uplink_alone, tear_down),
		cmocka_unit_test_teardown(says_what_is_no_tunnel_packet, tear_down),
		cmocka_unit_test_teardown(takes_endpoint_and_network_from_the_flow, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
