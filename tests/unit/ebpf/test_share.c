/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the guard shares an uplink out, by BPF_PROG_TEST_RUN: which frames are for a worker's socket,
 * which for the kernel, and that the guard comes first. Needs a kernel that loads it.
 */
#include "ebpf/loader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_xdp.h>

#include <cmocka.h>

#include "tests/unit/ebpf/ebpf_fixture.h"

#include "dataplane/core/wire.h"

#define LOOP	1u /* the loopback device */
#define PORT	4789
#define VNI	100u
#define INNER	14u
#define FRAME	160u
#define OUTER4	50u
#define OUTER6	70u
#define MAPPED4 [10] = 0xff, 0xff

static struct tn_ebpf *ebpf;
static int sock = -1;

static const struct tn_ebpf_share share = {
	.mac = {2, 0, 0, 0, 0, 1},
	.local = {{MAPPED4, 198, 51, 100, 2}, {0x20, 1, 0x0d, 0xb8, [15] = 2}},
};

/* Who may send: one of each family. */
static const struct tn_ebpf_peer peers[] = {
	{.address = {MAPPED4, 198, 51, 100, 1}, .vni = TN_EBPF_ANY_VNI},
	{.address = {0x20, 1, 0x0d, 0xb8, [15] = 1}, .vni = TN_EBPF_ANY_VNI},
};
static const uint32_t vnis[] = {VNI, VNI + 1};

struct frame {
	uint8_t b[FRAME];
	uint8_t *inner;
	uint32_t len;
};

static void put16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

/* VXLAN of the endpoint to this host; within it a frame for 10.0.0.2 or fd00::2. */
static struct frame vxlan(bool v6, bool inner6)
{
	static const uint8_t macs[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	static const uint8_t inner_macs[] = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 2};
	uint32_t overhead = v6 ? OUTER6 : OUTER4, inner_len = INNER + (inner6 ? 40 : 20) + 8;
	struct frame f = {.len = overhead + inner_len};
	uint8_t *b = f.b, *udp = b + overhead - 16, *in;

	memcpy(b, macs, sizeof(macs));
	if (v6) {
		put16(b + 12, TN_ETH_TYPE_IPV6);
		b[14] = 0x60;
		put16(b + 18, 16 + inner_len);
		b[20] = TN_IPPROTO_UDP;
		b[21] = 64;
		memcpy(b + 22, peers[1].address, 16);
		memcpy(b + 38, share.local[1], 16);
	} else {
		put16(b + 12, TN_ETH_TYPE_IPV4);
		b[14] = 0x45;
		put16(b + 16, 36 + inner_len);
		b[22] = 64;
		b[23] = TN_IPPROTO_UDP;
		memcpy(b + 26, peers[0].address + 12, 4);
		memcpy(b + 30, share.local[0] + 12, 4);
	}
	put16(udp, 50000);
	put16(udp + 2, PORT);
	put16(udp + 4, 16 + inner_len);
	udp[8] = 8;
	udp[14] = VNI;
	in = f.b + overhead;
	memcpy(in, inner_macs, sizeof(inner_macs));
	put16(in + 12, inner6 ? TN_ETH_TYPE_IPV6 : TN_ETH_TYPE_IPV4);
	in[14] = inner6 ? 0x60 : 0x45;
	if (inner6) {
		in[38] = 0xfd;
		in[53] = 2;
	} else {
		memcpy(in + 30, "\x0a\0\0\2", 4);
	}
	return f;
}

static int run_bytes(const uint8_t *b, uint32_t len)
{
	uint8_t out[FRAME];
	struct tn_ebpf_run run = {
		.in = b, .in_len = len, .out = out, .out_size = sizeof(out), .ifindex = LOOP};

	return tn_ebpf_test_run(ebpf, TN_EBPF_GUARD, &run);
}

/* With one byte of it changed. */
static int run_odd(struct frame f, uint32_t at, uint8_t value)
{
	f.b[at] = value;
	return run_bytes(f.b, f.len);
}

static int run(const struct frame *f)
{
	return run_bytes(f->b, f->len);
}

static uint64_t given(void)
{
	uint64_t counters[TN_EBPF_N_COUNTERS];

	tn_ebpf_counters(ebpf, counters);
	return counters[TN_EBPF_TO_WORKERS];
}

static void new_socket(void)
{
	const int ring = 64;
	struct tn_error err;

	sock = socket(AF_XDP, SOCK_RAW, 0);
	assert_true(sock >= 0);
	assert_int_equal(setsockopt(sock, SOL_XDP, XDP_RX_RING, &ring, sizeof(ring)), 0);
	assert_int_equal(tn_ebpf_set_socket(ebpf, 0, sock, &err), 0);
}

static int fresh(void **state)
{
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_ebpf_set_peers(ebpf, PORT, peers, 2, vnis, 2, &err), 0);
	assert_int_equal(tn_ebpf_set_share(ebpf, &share, &err), 0);
	if (sock < 0)
		new_socket();
	return 0;
}

static struct tn_ebpf_station station_of(const struct frame *f)
{
	struct tn_ebpf_station s = {.vni = VNI};
	uint32_t overhead = f->b[12] == 8 ? OUTER4 : OUTER6;

	memcpy(s.mac, f->b + overhead, 6);
	return s;
}

/* Nobody's station: a worker's. Its station: the kernel's, as long as a session leads there. */
static void test_stations(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct frame f = vxlan(i & 1, i & 2);
		struct tn_ebpf_station s = station_of(&f), other = s;
		uint64_t before = given();

		other.vni = VNI + 1;
		assert_int_equal(run(&f), XDP_REDIRECT);
		assert_int_equal(given(), before + 1);
		assert_true(tn_ebpf_add_station(ebpf, &other));
		assert_int_equal(run(&f), XDP_REDIRECT);
		assert_true(tn_ebpf_add_station(ebpf, &s));
		assert_true(tn_ebpf_add_station(ebpf, &s));
		assert_int_equal(run(&f), XDP_PASS);
		tn_ebpf_drop_station(ebpf, &s);
		assert_int_equal(run(&f), XDP_PASS);
		tn_ebpf_drop_station(ebpf, &s);
		assert_int_equal(run(&f), XDP_REDIRECT);
		tn_ebpf_drop_station(ebpf, &s); /* one that is not there */
		tn_ebpf_drop_station(ebpf, &other);
		assert_int_equal(given(), before + 3);
	}
}

/* Behind a routing hop some are the kernel's, others not. */
static void test_behind_a_routing_hop(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool inner6 = i & 2;
		struct frame f = vxlan(i & 1, inner6);
		struct tn_ebpf_station s = station_of(&f);
		uint32_t overhead = i & 1 ? OUTER6 : OUTER4;

		if (inner6) {
			s.ip[0] = 0xfd;
			s.ip[15] = 2;
		} else {
			memcpy(s.ip, (const uint8_t[16]){MAPPED4, 10, 0, 0, 2}, 16);
		}
		assert_true(tn_ebpf_add_station(ebpf, &s));
		assert_int_equal(run(&f), XDP_PASS);
		assert_int_equal(run_odd(f, overhead + (inner6 ? 53 : 33), 3), XDP_REDIRECT);
		assert_int_equal(run_odd(f, overhead + 12, 0x12), XDP_REDIRECT); /* no IP */
		tn_ebpf_drop_station(ebpf, &s);
		assert_int_equal(run(&f), XDP_REDIRECT);
	}
}

/* One thing is other than in VXLAN to this host: the kernel sorts it out, or the guard ends it. */
static void test_what_is_not_shared(void **state)
{
	static const struct {
		uint8_t at, value;
		int verdict;
	} odd[] = {
		{0, 3, XDP_PASS},      /* to another MAC */
		{12, 0x81, XDP_PASS},  /* tagged */
		{14, 0x46, XDP_PASS},  /* options */
		{20, 0x20, XDP_PASS},  /* a fragment */
		{23, 6, XDP_PASS},     /* no UDP */
		{29, 9, XDP_DROP},     /* of somebody else */
		{33, 9, XDP_PASS},     /* to another host, by way of this one */
		{37, 0, XDP_PASS},     /* another UDP port */
		{42, 0, XDP_DROP},     /* no VNI */
		{48, 7, XDP_DROP},     /* another network */
		{50, 3, XDP_REDIRECT}, /* to a group: for the worker to copy */
	};
	const struct frame f = vxlan(false, false), f6 = vxlan(true, false);
	struct tn_ebpf_station group = station_of(&f);
	uint64_t before = given();

	(void)state;
	group.mac[0] = 3;
	assert_true(tn_ebpf_add_station(ebpf, &group));
	for (size_t i = 0; i < TN_ARRAY_SIZE(odd); i++)
		assert_int_equal(run_odd(f, odd[i].at, odd[i].value), odd[i].verdict);
	tn_ebpf_drop_station(ebpf, &group);
	assert_int_equal(given(), before + 1);
	assert_int_equal(run_odd(f6, 53, 9), XDP_PASS);	 /* to another host */
	assert_int_equal(run_odd(f6, 37, 9), XDP_DROP);	 /* of somebody else */
	assert_int_equal(run_odd(f6, 20, 44), XDP_PASS); /* a fragment */
	/* cut off anywhere: nothing is read behind it */
	for (uint32_t len = 14; len < f.len; len++) {
		int verdict = run_bytes(f.b, len);

		assert_int_equal(verdict,
			len < 42	       ? XDP_PASS
				: len < OUTER4 ? XDP_DROP
					       : XDP_REDIRECT);
	}
}

/* Without a socket (its process is gone), or where it is not shared, the kernel has it all. */
static void test_nobody_there(void **state)
{
	const struct frame f = vxlan(false, false);
	struct tn_ebpf_station s = station_of(&f);
	struct tn_error err;

	(void)state;
	assert_int_equal(run(&f), XDP_REDIRECT);
	close(sock);
	sock = -1;
	/* the kernel takes a socket out of the map a moment after its last descriptor is closed */
	for (int tries = 0; run(&f) != XDP_PASS && tries < 1000; tries++)
		usleep(10000);
	assert_int_equal(run(&f), XDP_PASS);
	new_socket();
	assert_int_equal(run(&f), XDP_REDIRECT);
	assert_int_equal(tn_ebpf_set_share(ebpf, NULL, &err), 0);
	assert_int_equal(run(&f), XDP_PASS);
	assert_false(tn_ebpf_add_station(ebpf, &s));
	/* nor before it is known who may send */
	assert_int_equal(tn_ebpf_set_share(ebpf, &share, &err), 0);
	assert_int_equal(tn_ebpf_set_peers(ebpf, 0, NULL, 0, NULL, 0, &err), 0);
	assert_int_equal(run(&f), XDP_PASS);
	assert_int_equal(tn_ebpf_set_socket(ebpf, TN_EBPF_QUEUES_MAX, sock, &err), -E2BIG);
}

/* Stations end with the sessions they are of. Last: once in a process. */
static void test_sessions_expire(void **state)
{
	const struct frame f = vxlan(false, false);
	struct tn_ebpf_station s = station_of(&f);

	(void)state;
	assert_true(tn_ebpf_add_station(ebpf, &s));
	assert_int_equal(run(&f), XDP_PASS);
	tn_ebpf_expire(ebpf);
	assert_int_equal(run(&f), XDP_REDIRECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_stations, fresh),
		cmocka_unit_test_setup(test_behind_a_routing_hop, fresh),
		cmocka_unit_test_setup(test_what_is_not_shared, fresh),
		cmocka_unit_test_setup(test_nobody_there, fresh),
		cmocka_unit_test_setup(test_sessions_expire, fresh),
	};

	return ebpf_run(&ebpf, tests, TN_ARRAY_SIZE(tests));
}
