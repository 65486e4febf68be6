/* SPDX-License-Identifier: BSD-3-Clause */
/* Ways to a port: tags of a trunk, limits of what it sends and gets. */
#include "tests/unit/tenant/two_tenants.h"

/* --- bare metal ------------------------------------------------------------------------------- */

static void test_trunk(void **state)
{
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	struct frame f = udp(MAC_M, MAC_A3, "10.0.0.10", "10.0.0.3"), t;

	lab_device(lab, "h1", "nic0", 5);
	lab_metal(lab, "m", "na", MAC_M, "10.0.0.10", "h1", "nic0", 10);
	lab_metal(lab, "mb", "nb", MAC_M, "10.0.0.10", "h1", "nic0", 20);
	lab_apply(lab);
	t = tagged(&f, 10);
	lab_send_at(lab, h1, 5, &t);
	lab_expect(lab, "a3");
	expect_same(&f, lab_got(lab, "a3", 0));
	/* Of the other tenant's VLAN, of none's, untagged, with a tag inside. */
	t = tagged(&f, 20);
	lab_send_at(lab, h1, 5, &t);
	lab_expect(lab, "");
	t = tagged(&f, 30);
	lab_send_at(lab, h1, 5, &t);
	lab_expect(lab, "");
	lab_send_at(lab, h1, 5, &f);
	lab_expect(lab, "");
	t = tagged(&f, 77);
	t = tagged(&t, 10);
	lab_send_at(lab, h1, 5, &t);
	lab_expect(lab, "");
	assert_string_equal(lab_why(lab), "port security: VLAN tags inside a network");
	/* And back. */
	f = udp(MAC_A1, MAC_M, "10.0.0.1", "10.0.0.10");
	t = tagged(&f, 20);
	lab_send(lab, "b1", &f);
	assert_int_equal(lab->n_frames, 1);
	expect_same(&t, &lab->frames[0]);
	t = tagged(&f, 10);
	lab_send(lab, "a1", &f);
	expect_same(&t, &lab->frames[0]);
	/* A device that is gone. */
	tn_compiler_set_device(h1->compiler, "nic0", 0);
	h1->n_devices = 0;
	lab_apply(lab);
	lab_send(lab, "a1", &f);
	lab_expect(lab, "");
}

static void expect_tagged(struct lab *lab, const char *from, struct frame f, uint16_t vid)
{
	struct frame t = tagged(&f, vid);
	unsigned n = 0;

	lab_send(lab, from, &f);
	for (size_t i = 0; i < lab->n_frames; i++) {
		if (lab->frames[i].port != 5)
			continue;
		expect_same(&t, &lab->frames[i]);
		n++;
	}
	assert_int_equal(n, 1);
}

/* Known, unknown, learnt, broadcast, multicast, routed: what leaves by a trunk has its VLAN. */
static void test_every_way_to_a_trunk_has_its_vlan(void **state)
{
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	const uint64_t behind = 0x02000000aaaa;
	struct tn_tenant_port *p;
	struct tn_router *r;
	struct frame f, t;

	lab_device(lab, "h1", "nic0", 5);
	p = lab_metal(lab, "m", "na", MAC_M, "10.0.0.10", "h1", "nic0", 10);
	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	lab_network(lab, "nc", 300);
	lab_subnet(lab, "sc", "nc", "10.0.3.0/24", "10.0.3.254");
	lab_port(lab, "c1", "nc", MAC_M, "10.0.3.1", "h1");
	r = lab_router(lab, "r", "sa sc");
	lab_route(lab, r, "203.0.113.0/24", "10.0.0.10");
	lab_route(lab, r, "203.0.114.0/24", "10.0.0.10");
	lab_route(lab, r, "203.0.114.0/24", "10.0.0.3");
	lab_apply(lab);
	expect_tagged(lab, "a1", udp(MAC_A1, behind, "10.0.0.1", "10.0.0.99"), 10);
	f = udp(behind, MAC_A1, "10.0.0.99", "10.0.0.1");
	t = tagged(&f, 10);
	lab_send_at(lab, h1, 5, &t);
	lab_expect(lab, "a1");
	f = igmp(MAC_M, "10.0.0.10", 0x16);
	t = tagged(&f, 10);
	lab_send_at(lab, h1, 5, &t);
	for (unsigned host = 0; host < 2; host++) {
		const char *from = host ? "a3" : "a1", *ip = host ? "10.0.0.3" : "10.0.0.1";
		uint64_t mac = host ? MAC_A3 : MAC_A1;

		expect_tagged(lab, from, udp(mac, behind, ip, "10.0.0.99"), 10);
		expect_tagged(lab, from, udp(mac, MAC_M, ip, "10.0.0.10"), 10);
		expect_tagged(lab, from, arp(mac, 1, mac, ip, "10.0.0.77"), 10);
		expect_tagged(lab, from, udp(mac, 0x01005e010101, ip, "239.1.1.1"), 10);
	}
	f = udp(MAC_M, 0x02005e000101, "10.0.3.1", "203.0.113.1");
	lab_send(lab, "c1", &f);
	assert_int_equal(lab->n_frames, 1);
	assert_int_equal(lab->frames[0].f.buf[PACKET_ROOM + 15], 10);
	for (unsigned i = 1, n = 0; i < 250 && n < 5; i++) {
		char address[32];

		snprintf(address, sizeof(address), "203.0.114.%u", i);
		f = udp(MAC_M, 0x02005e000101, "10.0.3.1", address);
		lab_send(lab, "c1", &f);
		if (!lab_got(lab, "a3", 0)) {
			assert_int_equal(lab->n_frames, 1);
			assert_int_equal(lab->frames[0].f.buf[PACKET_ROOM + 12], 0x81);
			assert_int_equal(lab->frames[0].f.buf[PACKET_ROOM + 15], 10);
			n++;
		}
	}
}

/* As many networks as a NIC can have VLANs. */
static void test_trunk_of_all_vlans(void **state)
{
	const unsigned vids[] = {1, 2, 2047, 4094};
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	char id[16], network[16];

	lab->check_full = false;
	lab_device(lab, "h1", "nic0", 5);
	for (unsigned vid = 1; vid <= 4094; vid++) {
		snprintf(network, sizeof(network), "v%u", vid);
		lab_network(lab, tn_arena_strdup(&lab->arena, network), 10000 + vid);
		snprintf(id, sizeof(id), "m%u", vid);
		lab_metal(lab, tn_arena_strdup(&lab->arena, id),
			tn_arena_strdup(&lab->arena, network), MAC_M, "", "h1", "nic0",
			(uint16_t)vid)
			->port_security_enabled = false;
		if (vid % 1000 == 0)
			lab_apply(lab);
	}
	for (unsigned i = 0; i < TN_ARRAY_SIZE(vids); i++) {
		snprintf(network, sizeof(network), "v%u", vids[i]);
		snprintf(id, sizeof(id), "x%u", vids[i]);
		lab_port(lab, tn_arena_strdup(&lab->arena, id),
			tn_arena_strdup(&lab->arena, network), MAC_A1, "", "h2")
			->port_security_enabled = false;
	}
	lab_apply(lab);
	for (unsigned i = 0; i < TN_ARRAY_SIZE(vids); i++) {
		struct frame f = arp(MAC_M, 1, MAC_M, "0.0.0.0", "10.9.9.9"), t;

		snprintf(id, sizeof(id), "x%u", vids[i]);
		t = tagged(&f, (uint16_t)vids[i]);
		lab_send_at(lab, h1, 5, &t);
		lab_expect(lab, id);
		f = arp(MAC_A1, 1, MAC_A1, "0.0.0.0", "10.9.9.9");
		expect_tagged(lab, id, f, (uint16_t)vids[i]);
		assert_int_equal(lab->n_frames, 1);
	}
}

/* Two VLANs of one device are one network: out by the port that a frame came in by. */
static void test_two_vlans_of_one_network(void **state)
{
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	struct frame f, t;

	lab_device(lab, "h1", "nic0", 5);
	lab_metal(lab, "m", "na", MAC_M, "10.0.0.10", "h1", "nic0", 10);
	lab_metal(lab, "m2", "na", MAC_M2, "10.0.0.11", "h1", "nic0", 20);
	lab_apply(lab);
	f = udp(MAC_M, MAC_M2, "10.0.0.10", "10.0.0.11");
	t = tagged(&f, 10);
	lab_send_at(lab, h1, 5, &t);
	assert_int_equal(lab->n_frames, 1);
	t = tagged(&f, 20);
	expect_same(&t, &lab->frames[0]);
	/* Broadcast: to the other VLAN, not to its own. */
	f = arp(MAC_M, 1, MAC_M, "10.0.0.10", "10.0.0.77");
	t = tagged(&f, 10);
	lab_send_at(lab, h1, 5, &t);
	assert_int_equal(lab->n_frames, 4);
	t = tagged(&f, 20);
	for (size_t i = 0; i < lab->n_frames; i++) {
		if (lab->frames[i].port == 5)
			expect_same(&t, &lab->frames[i]);
	}
	assert_non_null(lab_got(lab, "a1", 0));
	assert_non_null(lab_got(lab, "a2", 0));
	assert_non_null(lab_got(lab, "a3", 0));
	/* From elsewhere: to both. */
	f = arp(MAC_A3, 1, MAC_A3, "10.0.0.3", "10.0.0.77");
	lab_send(lab, "a3", &f);
	assert_int_equal(lab->n_frames, 4);
}

/* Came out of the trunk, and nowhere else. */
static void expect_trunk_alone(struct lab *lab, const char *from, struct frame f, uint16_t vid)
{
	expect_tagged(lab, from, f, vid);
	assert_int_equal(lab->n_frames, 1);
}

static void show(struct lab *lab, struct frame f, uint16_t vid)
{
	struct frame t = tagged(&f, vid);

	lab_send_at(lab, lab_find_host(lab, "h1"), 5, &t);
}

static struct tn_tenant_port *learning(struct tn_tenant_port *p)
{
	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	return p;
}

/* Learnt behind one VLAN of two that a trunk has in a network: that one gets it, and nobody else.
 */
static void test_what_is_learnt_behind_a_trunk(void **state)
{
	const uint64_t behind = 0x02000000aaaa;
	struct lab *lab = *state;
	struct frame f = udp(behind, MAC_A1, "10.0.0.99", "10.0.0.1"), t;

	lab_device(lab, "h1", "nic0", 5);
	learning(lab_metal(lab, "m", "na", MAC_M, "10.0.0.10", "h1", "nic0", 10));
	learning(lab_metal(lab, "m2", "na", MAC_M2, "10.0.0.11", "h1", "nic0", 20));
	lab_apply(lab);
	for (uint16_t vid = 10; vid <= 20; vid += 10) {
		show(lab, f, vid);
		lab_expect(lab, "a1");
		expect_trunk_alone(lab, "a2", udp(MAC_A2, behind, "10.0.0.2", "10.0.0.99"), vid);
		expect_trunk_alone(lab, "a3", udp(MAC_A3, behind, "10.0.0.3", "10.0.0.99"), vid);
	}
	/* From the other VLAN of the trunk; from its own not back. */
	f = udp(MAC_M, behind, "10.0.0.10", "10.0.0.99");
	show(lab, f, 10);
	assert_int_equal(lab->n_frames, 1);
	t = tagged(&f, 20);
	expect_same(&t, &lab->frames[0]);
	show(lab, udp(MAC_M2, behind, "10.0.0.11", "10.0.0.99"), 20);
	lab_expect(lab, "");
	assert_int_equal(lab->drops[0].reason, TN_DROP_TO_INGRESS);
}

/* To everywhere in the network that learns: nobody knows the address. */
static void expect_unknown(struct lab *lab, uint64_t mac, unsigned copies)
{
	struct frame f = udp(MAC_A2, mac, "10.0.0.2", "10.0.0.99");

	lab_send(lab, "a2", &f);
	assert_int_equal(lab->n_frames, copies);
}

/* Another tag, another network, another port with the number of one that is gone. */
static void test_what_was_learnt_goes_with_its_port(void **state)
{
	const uint64_t behind = 0x02000000aaaa;
	struct lab *lab = *state;
	struct frame f = udp(behind, MAC_A1, "10.0.0.99", "10.0.0.1");
	struct frame to = udp(MAC_A2, behind, "10.0.0.2", "10.0.0.99");
	const struct tn_numbers *numbers = lab_find_host(lab, "h1")->numbers;
	struct tn_tenant_port *p;
	uint32_t number;

	lab_device(lab, "h1", "nic0", 5);
	lab_device(lab, "h1", "nic1", 6);
	learning(lab_metal(lab, "m", "na", MAC_M, "10.0.0.10", "h1", "nic0", 10));
	learning(lab_metal(lab, "m2", "na", MAC_M2, "10.0.0.11", "h1", "nic0", 20));
	lab_apply(lab);
	show(lab, f, 20);
	expect_trunk_alone(lab, "a2", to, 20);
	p = lab_change(lab, TN_TENANT_PORT, "m2");
	p->binding.vlan = 30;
	lab_apply(lab);
	expect_unknown(lab, behind, 2);
	show(lab, f, 30);
	expect_trunk_alone(lab, "a2", to, 30);
	p = lab_change(lab, TN_TENANT_PORT, "m2");
	p->network_id = "nb";
	lab_apply(lab);
	expect_unknown(lab, behind, 1);
	p = lab_change(lab, TN_TENANT_PORT, "m2");
	p->network_id = "na";
	lab_apply(lab);
	expect_unknown(lab, behind, 2);
	show(lab, f, 30);
	number = tn_numbers_find(numbers, TN_NUMBER_PORT, "port/m2");
	lab_remove(lab, TN_TENANT_PORT, "m2");
	lab_apply(lab);
	expect_unknown(lab, behind, 1);
	learning(lab_metal(lab, "m3", "na", MAC_M2, "10.0.0.11", "h1", "nic1", 0));
	lab_apply(lab);
	expect_unknown(lab, behind, 2);
	assert_int_equal(tn_numbers_find(numbers, TN_NUMBER_PORT, "port/m3"), number);
}

/* Groups on a network with a trunk and a port with a limit: their members alone, and as they get
 * everything. */
static void test_snooping_behind_tags_and_limits(void **state)
{
	struct lab *lab = *state;
	struct frame data = udp(MAC_A2, 0x01005e010101, "10.0.0.2", "239.1.1.1"), f, t;
	struct tn_qos_policy *q = lab_qos(lab, "q");
	struct tn_tenant_port *p = lab_change(lab, TN_TENANT_PORT, "a1");

	q->ingress = (struct tn_rate_limit){.there = true, .max_kpps = 1};
	p->qos_policy_id = "q";
	lab_device(lab, "h1", "nic0", 5);
	lab_metal(lab, "m", "na", MAC_M, "10.0.0.10", "h1", "nic0", 10);
	lab_metal(lab, "m2", "na", MAC_M2, "10.0.0.11", "h1", "nic0", 20);
	lab_apply(lab);
	lab_send(lab, "a2", &data);
	assert_int_equal(lab->n_frames, 4);
	show(lab, igmp(MAC_M2, "10.0.0.11", 0x16), 20);
	expect_trunk_alone(lab, "a2", data, 20);
	expect_trunk_alone(lab, "a3", udp(MAC_A3, 0x01005e010101, "10.0.0.3", "239.1.1.1"), 20);
	/* From the trunk's other VLAN, and from the member's own. */
	f = udp(MAC_M, 0x01005e010101, "10.0.0.10", "239.1.1.1");
	show(lab, f, 10);
	assert_int_equal(lab->n_frames, 1);
	t = tagged(&f, 20);
	expect_same(&t, &lab->frames[0]);
	f = igmp(MAC_A1, "10.0.0.1", 0x16);
	lab_send(lab, "a1", &f);
	show(lab, udp(MAC_M2, 0x01005e010101, "10.0.0.11", "239.1.1.1"), 20);
	lab_expect(lab, "a1");
	/* And once more than its limit. */
	lab->now_ns += UINT64_C(1000000000);
	for (unsigned i = 0; i < 101; i++) {
		lab->now_ns -= 1000000;
		lab_send(lab, "a2", &data);
		assert_int_equal(lab_got(lab, "a1", 0) != NULL, i < 100);
		assert_int_equal(lab->n_frames, i < 100 ? 2 : 1);
	}
	lab_remove(lab, TN_TENANT_PORT, "m2");
	lab->now_ns += UINT64_C(1000000000);
	lab_apply(lab);
	lab_send(lab, "a2", &data);
	lab_expect(lab, "a1");
}

static void test_access(void **state)
{
	struct lab *lab = *state;
	struct lab_host *h1 = lab_find_host(lab, "h1");
	struct frame f = udp(MAC_M, MAC_A1, "10.0.0.10", "10.0.0.1"), t;

	lab_device(lab, "h1", "nic0", 5);
	lab_metal(lab, "m", "na", MAC_M, "10.0.0.10", "h1", "nic0", 0);
	lab_apply(lab);
	lab_send_at(lab, h1, 5, &f);
	lab_expect(lab, "a1");
	t = tagged(&f, 0); /* a priority and no VLAN */
	lab_send_at(lab, h1, 5, &t);
	lab_expect(lab, "a1");
	expect_same(&f, lab_got(lab, "a1", 0));
	t = tagged(&f, 10);
	lab_send_at(lab, h1, 5, &t);
	lab_expect(lab, "");
}

/* --- limits ---------------------------------------------------------------------------------- */

static void test_limits(void **state)
{
	struct lab *lab = *state;
	struct tn_qos_policy *q = lab_qos(lab, "q");
	struct tn_tenant_port *p = lab_change(lab, TN_TENANT_PORT, "a1");
	struct frame f = udp(MAC_A1, MAC_A3, "10.0.0.1", "10.0.0.3");
	unsigned n = 0;

	q->egress = (struct tn_rate_limit){.there = true, .max_kpps = 1};
	q->dscp_mark = 46;
	p->qos_policy_id = "q";
	lab_apply(lab);
	for (unsigned i = 0; i < 1000; i++) {
		lab->now_ns -= 1000000; /* all at once */
		lab_send(lab, "a1", &f);
		n += (unsigned)lab->n_frames;
		if (!i)
			assert_int_equal(lab->frames[0].f.buf[PACKET_ROOM + 15], 46 << 2);
	}
	assert_int_equal(n, 100); /* a tenth of a second */
	assert_int_equal(lab->drops[0].reason, TN_DROP_METER);
	/* What it gets: bits. */
	q = lab_change(lab, TN_TENANT_QOS_POLICY, "q");
	q->egress.there = false;
	q->ingress = (struct tn_rate_limit){.there = true, .max_kbps = 1000, .max_burst_kbps = 8};
	lab_apply(lab);
	f = udp(MAC_A3, MAC_A1, "10.0.0.3", "10.0.0.1");
	n = 0;
	for (unsigned i = 0; i < 100; i++) {
		lab->now_ns -= 1000000;
		lab_send(lab, "a3", &f);
		n += (unsigned)lab->n_frames;
	}
	assert_int_equal(n, 1000 / f.view.len);
	lab_remove(lab, TN_TENANT_QOS_POLICY, "q");
	lab_apply(lab);
	lab->now_ns -= 1000000;
	lab_send(lab, "a3", &f);
	lab_expect(lab, "a1");
}

/* So many of n frames, sent at once, come to the port. */
static unsigned come_to(
	struct lab *lab, const char *from, const char *to, struct frame f, unsigned n)
{
	unsigned came = 0;

	for (unsigned i = 0; i < n; i++) {
		lab->now_ns -= 1000000;
		lab_send(lab, from, &f);
		came += lab_got(lab, to, 0) != NULL;
	}
	return came;
}

/* A second later there is another burst of a tenth of a second to be had. */
static void expect_burst(struct lab *lab, const char *from, struct frame f)
{
	lab->now_ns += UINT64_C(1000000000);
	assert_int_equal(come_to(lab, from, "a1", f, 150), 100);
	for (size_t i = 0; i < lab->n_drops; i++) {
		if (lab->drops[i].reason == TN_DROP_METER)
			return;
	}
	fail_msg("dropped, but not by the meter");
}

/* Flooded, multicast, unknown and by one of several routes: what a port gets has its limit. */
static void test_limits_hold_on_every_way(void **state)
{
	struct lab *lab = *state;
	struct tn_tenant_port *p = lab_change(lab, TN_TENANT_PORT, "a1");
	struct tn_qos_policy *q = lab_qos(lab, "q");
	struct tn_router *r;
	struct frame f;

	q->ingress = (struct tn_rate_limit){.there = true, .max_kpps = 1};
	p->qos_policy_id = "q";
	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	lab_network(lab, "nc", 300);
	lab_subnet(lab, "sc", "nc", "10.0.3.0/24", "10.0.3.254");
	lab_port(lab, "c1", "nc", MAC_M, "10.0.3.1", "h1");
	r = lab_router(lab, "r", "sa sc");
	lab_route(lab, r, "203.0.113.0/24", "10.0.0.1");
	lab_route(lab, r, "203.0.113.0/24", "10.0.0.3");
	lab_apply(lab);
	expect_burst(lab, "a2", arp(MAC_A2, 1, MAC_A2, "10.0.0.2", "10.0.0.77"));
	expect_burst(lab, "a3", arp(MAC_A3, 1, MAC_A3, "10.0.0.3", "10.0.0.77"));
	expect_burst(lab, "a2", udp(MAC_A2, 0x02000000aaaa, "10.0.0.2", "10.0.0.99"));
	expect_burst(lab, "a3", udp(MAC_A3, 0x02000000aaaa, "10.0.0.3", "10.0.0.99"));
	/* It shows itself, and joins a group: no way past the limit opens. */
	f = udp(0x02000000aaaa, MAC_A2, "10.0.0.99", "10.0.0.2");
	lab_send(lab, "a1", &f);
	lab_expect(lab, "a2");
	expect_burst(lab, "a2", udp(MAC_A2, 0x02000000aaaa, "10.0.0.2", "10.0.0.99"));
	f = igmp(MAC_A1, "10.0.0.1", 0x16);
	lab_send(lab, "a1", &f);
	expect_burst(lab, "a2", udp(MAC_A2, 0x01005e010101, "10.0.0.2", "239.1.1.1"));
	expect_burst(lab, "a3", udp(MAC_A3, 0x01005e010101, "10.0.0.3", "239.1.1.1"));
	/* Of two next hops, a destination that the limited one is chosen for. */
	for (unsigned i = 1; i < 250; i++) {
		char address[32];

		snprintf(address, sizeof(address), "203.0.113.%u", i);
		f = udp(MAC_M, 0x02005e000101, "10.0.3.1", address);
		lab_send(lab, "c1", &f);
		if (lab_got(lab, "a1", 0))
			break;
	}
	expect_burst(lab, "c1", f);
	/* What was learnt while it had none: the limit holds at once. */
	p = lab_change(lab, TN_TENANT_PORT, "a1");
	p->qos_policy_id = "";
	lab_apply(lab);
	f = udp(0x02000000bbbb, MAC_A2, "10.0.0.98", "10.0.0.2");
	lab_send(lab, "a1", &f);
	f = udp(MAC_A2, 0x02000000bbbb, "10.0.0.2", "10.0.0.98");
	assert_int_equal(come_to(lab, "a2", "a1", f, 150), 150);
	p = lab_change(lab, TN_TENANT_PORT, "a1");
	p->qos_policy_id = "q";
	lab_apply(lab);
	expect_burst(lab, "a2", f);
	/* Its own pings of the gateway are answered to it. */
	lab->now_ns += UINT64_C(1000000000);
	q = lab_change(lab, TN_TENANT_QOS_POLICY, "q");
	q->ingress = (struct tn_rate_limit){.there = true, .max_kbps = 1000, .max_burst_kbps = 8};
	lab_apply(lab);
	f = arp(MAC_A1, 1, MAC_A1, "10.0.0.1", "10.0.0.254");
	assert_int_equal(come_to(lab, "a1", "a1", f, 100), 1000 / 42);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_trunk),
		TEST(test_every_way_to_a_trunk_has_its_vlan),
		TEST(test_trunk_of_all_vlans),
		TEST(test_two_vlans_of_one_network),
		TEST(test_what_is_learnt_behind_a_trunk),
		TEST(test_what_was_learnt_goes_with_its_port),
		TEST(test_snooping_behind_tags_and_limits),
		TEST(test_access),
		TEST(test_limits),
		TEST(test_limits_hold_on_every_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
