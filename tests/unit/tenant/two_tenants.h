/* SPDX-License-Identifier: BSD-3-Clause */
/* Two hosts and two tenants with the same addresses, and frames that their machines send. */
#ifndef TESTS_UNIT_TENANT_TWO_TENANTS_H
#define TESTS_UNIT_TENANT_TWO_TENANTS_H

#include "tests/unit/tenant/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAC_A1	  UINT64_C(0x020000000001)
#define MAC_A2	  UINT64_C(0x020000000002)
#define MAC_A3	  UINT64_C(0x020000000003)
#define MAC_M	  UINT64_C(0x020000000010)
#define MAC_M2	  UINT64_C(0x020000000011)
#define MAC_R	  UINT64_C(0x020000000020)
#define BROADCAST UINT64_C(0xffffffffffff)

/* Two hosts and two tenants with the same addresses; a1 and a2 share a host. */
static inline int set_up(void **state)
{
	struct lab *lab = lab_new();

	lab->check_full = true;
	lab_host(lab, "h1", "198.51.100.1", "2001:db8:100::1");
	lab_host(lab, "h2", "198.51.100.2", "2001:db8:100::2");
	lab_network(lab, "na", 100);
	lab_subnet(lab, "sa", "na", "10.0.0.0/24", "10.0.0.254");
	lab_subnet(lab, "sa6", "na", "2001:db8:a::/64", "2001:db8:a::fe");
	lab_network(lab, "nb", 200);
	lab_subnet(lab, "sb", "nb", "10.0.0.0/24", "10.0.0.254");
	lab_port(lab, "a1", "na", MAC_A1, "10.0.0.1 2001:db8:a::1", "h1");
	lab_port(lab, "a2", "na", MAC_A2, "10.0.0.2 2001:db8:a::2", "h1");
	lab_port(lab, "a3", "na", MAC_A3, "10.0.0.3 2001:db8:a::3", "h2");
	lab_port(lab, "b1", "nb", MAC_A1, "10.0.0.1", "h1");
	lab_port(lab, "b2", "nb", MAC_A2, "10.0.0.2", "h2");
	lab_apply(lab);
	*state = lab;
	return 0;
}

static inline int tear_down(void **state)
{
	lab_free(*state);
	return 0;
}

static inline struct frame udp(uint64_t src, uint64_t dst, const char *ip_src, const char *ip_dst)
{
	struct packet p;
	struct frame f;

	packet_init(&p);
	p.eth_src = src;
	p.eth_dst = dst;
	p.src = lab_ip(ip_src);
	p.dst = lab_ip(ip_dst);
	if (strchr(ip_src, ':')) {
		p.l3 = L3_IPV6;
	} else {
		p.src &= UINT32_MAX;
		p.dst &= UINT32_MAX;
	}
	packet_build(&p, &f);
	return f;
}

static inline struct frame arp(
	uint64_t src, uint16_t op, uint64_t sha, const char *spa, const char *tpa)
{
	struct packet p;
	struct frame f;

	packet_init(&p);
	p.l3 = L3_ARP;
	p.eth_src = src;
	p.eth_dst = BROADCAST;
	p.arp_op = op;
	p.arp_sha = sha;
	p.arp_spa = lab_ip(spa) & UINT32_MAX;
	p.arp_tpa = lab_ip(tpa) & UINT32_MAX;
	packet_build(&p, &f);
	return f;
}

static inline struct frame nd(uint8_t type, uint64_t src, const char *ip_src, const char *ip_dst,
	const char *target, uint64_t mac)
{
	struct packet p;
	struct frame f;

	packet_init(&p);
	p.l3 = L3_IPV6;
	p.eth_src = src;
	p.eth_dst = UINT64_C(0x333300000001);
	p.src = lab_ip(ip_src);
	p.dst = lab_ip(ip_dst);
	p.proto = 58;
	p.ttl = 255;
	p.icmp_type = type;
	p.icmp_code = 0;
	p.nd_target = lab_ip(target);
	p.nd_mac = mac;
	p.nd_option = mac ? (type == 135 ? 1 : 2) : 0;
	packet_build(&p, &f);
	return f;
}

/* IGMP, version 2: a report (0x16) or leave (0x17) of 239.1.1.1. */
static inline struct frame igmp(uint64_t src, const char *ip_src, uint8_t type)
{
	uint8_t message[8] = {type, 0, 0, 0, 239, 1, 1, 1};
	uint16_t sum = slow_csum(message, sizeof(message), 0);
	struct packet p;
	struct frame f;

	packet_init(&p);
	p.eth_src = src;
	p.eth_dst = UINT64_C(0x01005e010101);
	p.src = lab_ip(ip_src) & UINT32_MAX;
	p.dst = lab_ip("239.1.1.1") & UINT32_MAX;
	p.ttl = 1;
	p.proto = 2;
	p.payload = 0; /* eight bytes are there without */
	packet_build(&p, &f);
	message[2] = (uint8_t)(sum >> 8);
	message[3] = (uint8_t)sum;
	memcpy(f.buf + PACKET_ROOM + 34, message, sizeof(message));
	return f;
}

static inline void expect_same(const struct frame *a, const struct lab_frame *b)
{
	assert_non_null(b);
	assert_int_equal(a->view.len, b->f.view.len);
	assert_memory_equal(a->buf + PACKET_ROOM, b->f.buf + PACKET_ROOM, a->view.len);
}

static inline struct frame tagged(const struct frame *f, uint16_t vid)
{
	struct frame t = *f;
	uint8_t *data = t.buf + PACKET_ROOM;

	memmove(data + 16, data + 12, t.view.len - 12);
	data[12] = 0x81;
	data[13] = 0;
	data[14] = (uint8_t)(vid >> 8);
	data[15] = (uint8_t)vid;
	t.view.len += 4;
	t.view.wire_len += 4;
	return t;
}

#endif
