/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual machines that leave checksums and segments to the switch, or take them unfinished. */
#include "dataplane/port/vhost_offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/packets.h"
#include "tests/unit/port/vhost_guest.h"

#define F(name)	 (UINT64_C(1) << VIRTIO_NET_F_##name)
#define SUMS	 (F(CSUM) | F(GUEST_CSUM))
#define TSO	 (F(HOST_TSO4) | F(HOST_TSO6) | F(GUEST_TSO4) | F(GUEST_TSO6))
#define ALL	 (FEATURES | SUMS | TSO)
#define BIG	 40000u
#define LONGEST	 65407u /* what a large buffer holds */
#define MSS	 1448u
#define SCRAMBLE 0xbeef

static uint8_t big[2 * LONGEST];

static void write16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned read16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* A TCP or UDP frame of that length in `big`, its checksum field nonsense. */
static struct frame make_frame(bool ip6, uint8_t proto, uint32_t len)
{
	struct packet p;
	struct frame f;

	packet_init(&p);
	p.l3 = ip6 ? L3_IPV6 : L3_IPV4;
	p.proto = proto;
	p.payload = 0;
	packet_build(&p, &f);
	memcpy(big, f.view.data, f.view.len);
	for (uint32_t i = f.view.len; i < len; i++)
		big[i] = (uint8_t)(i * 7);
	if (ip6)
		write16(big + f.l3 + 4, len - f.l3 - 40);
	else
		write16(big + f.l3 + 2, len - f.l3);
	if (proto == TN_IPPROTO_UDP)
		write16(big + f.l4 + 4, len - f.l4);
	if (f.l4_csum)
		write16(big + f.l4_csum, SCRAMBLE);
	return f;
}

static struct virtio_net_hdr_v1 header_of(const struct frame *f, uint8_t gso_type, uint16_t size)
{
	return (struct virtio_net_hdr_v1){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = gso_type,
		.gso_size = size,
		.hdr_len = (uint16_t)f->l4_end,
		.csum_start = (uint16_t)f->l4,
		.csum_offset = (uint16_t)(f->l4_csum - f->l4),
	};
}

static struct tn_port *start(const char *offloads, struct guest *g, uint64_t features)
{
	struct tn_port *port = make_port("server", offloads);

	boot(g, connect_to_port(), features);
	return port;
}

static void end(struct tn_port *port, struct guest *g)
{
	port->ops->destroy(port);
	halt(g);
	check_no_leak();
}

static void test_options(void **state)
{
	static const struct {
		const char *option;
		uint64_t offered;
		unsigned takes;
	} cases[] = {
		{"none", 0, 0},
		{"checksum", SUMS, TN_PORT_TAKES_CSUM},
		{"all", SUMS | TSO, TN_PORT_TAKES_CSUM | TN_PORT_TAKES_TSO4 | TN_PORT_TAKES_TSO6},
	};

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		struct tn_port *port = make_port("server", cases[i].option);
		int fd = connect_to_port();
		struct guest g;

		assert_true((ask_features(fd) & (SUMS | TSO)) == cases[i].offered);
		boot(&g, fd, FEATURES | cases[i].offered);
		assert_int_equal(port->takes, cases[i].takes);
		end(port, &g);
	}
	/* A guest decides for itself. */
	struct guest g;
	struct tn_port *port = start("all", &g, FEATURES | SUMS | F(GUEST_TSO6));

	assert_int_equal(port->takes, TN_PORT_TAKES_CSUM | TN_PORT_TAKES_TSO6);
	end(port, &g);
}

static void test_from_guest(void **state)
{
	static const struct {
		bool ip6;
		uint8_t proto;
		uint32_t len;
		uint8_t type;
		uint16_t size, want;
	} cases[] = {
		{false, TN_IPPROTO_TCP, 60, 0, 0, TN_OFFLOAD_CSUM},
		{true, TN_IPPROTO_UDP, 900, 0, 0, TN_OFFLOAD_CSUM},
		{false, TN_IPPROTO_TCP, BIG, VIRTIO_NET_HDR_GSO_TCPV4, MSS, MSS},
		{true, TN_IPPROTO_TCP, BIG, VIRTIO_NET_HDR_GSO_TCPV6, MSS, MSS},
		{false, TN_IPPROTO_TCP, 2000, VIRTIO_NET_HDR_GSO_TCPV4, 500, 500},
		{false, TN_IPPROTO_TCP, LONGEST, VIRTIO_NET_HDR_GSO_TCPV4, MSS, MSS},
	};
	struct tn_packet packets[TN_BURST];
	struct tn_port_wire_stats stats;
	struct guest g;
	struct tn_port *port = start("all", &g, ALL);

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		struct frame f = make_frame(cases[i].ip6, cases[i].proto, cases[i].len);
		struct virtio_net_hdr_v1 h = header_of(&f, cases[i].type, cases[i].size);

		send_with_header(&g, &h, big, cases[i].len);
		assert_int_equal(receive(port, packets), 1);
		assert_int_equal(packets[0].offload, cases[i].want);
		assert_int_equal(packets[0].len, cases[i].len);
		assert_memory_equal(packets[0].data, big, cases[i].len);
		assert_true(packets[0].headroom >= TN_HEADROOM_MIN);
		give_back(packets, 1);
	}
	/* Nothing to be done, on the same port. */
	send_frame(&g, 0, 1);
	assert_int_equal(receive(port, packets), 1);
	assert_int_equal(packets[0].offload, TN_OFFLOAD_NONE);
	assert_int_equal(packets[0].len, FRAME);
	give_back(packets, 1);
	port->ops->wire_stats(port, &stats);
	assert_int_equal(stats.rx_large, 4);
	assert_int_equal(stats.rx_dropped, 0);
	end(port, &g);
}

/* A checksum that is not TCP's or UDP's own, as of a tunnel that the guest makes. */
static void test_sum_elsewhere(void **state)
{
	struct virtio_net_hdr_v1 h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM};
	struct frame f = make_frame(false, TN_IPPROTO_UDP, 200);
	struct tn_packet packets[TN_BURST];
	struct guest g;
	struct tn_port *port = start("all", &g, ALL);

	(void)state;
	h.csum_start = (uint16_t)(f.l4 + 50);
	h.csum_offset = 16;
	write16(big + f.l4 + 66, 0x1234);
	send_with_header(&g, &h, big, 200);
	assert_int_equal(receive(port, packets), 1);
	assert_int_equal(packets[0].offload, TN_OFFLOAD_NONE);
	assert_int_equal(read16(packets[0].data + f.l4 + 66),
		slow_csum(big + f.l4 + 50, 200 - f.l4 - 50, 0));
	give_back(packets, 1);
	end(port, &g);
}

/* What guests may write into a header; how much of it the frame can have is found out later. */
static void test_hostile_headers(void **state)
{
	static const struct {
		uint8_t flags, type;
		uint16_t size, start, offset;
	} headers[] = {
		{1, 0, 0, 65535, 65535},
		{1, 0, 0, 65535, 0},
		{1, 0, 0, 0, 65535},
		{1, 0, 0, 50, 65500},
		{1, 0, 0, 60000, 6000},
		{1, VIRTIO_NET_HDR_GSO_TCPV4, 0, 34, 16},
		{1, VIRTIO_NET_HDR_GSO_TCPV4, 1, 34, 16},
		{1, VIRTIO_NET_HDR_GSO_TCPV4, 65535, 34, 16},
		{0, VIRTIO_NET_HDR_GSO_TCPV4, 1000, 0, 0},
		{1, VIRTIO_NET_HDR_GSO_TCPV6, 1000, 34, 16},
		{1, VIRTIO_NET_HDR_GSO_UDP, 1000, 34, 6},
		{1, 0x7f, 1000, 34, 16},
		{255, 255, 65535, 65535, 65535},
	};
	static const uint32_t lengths[] = {
		14, 15, 60, 2036, 2048, 2049, 5000, BIG, 2 * LONGEST - 20};
	struct tn_packet packets[TN_BURST];
	struct tn_offload o;
	struct guest g;
	struct tn_port *port = start("all", &g, ALL);

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(headers) * TN_ARRAY_SIZE(lengths) * 4; i++) {
		unsigned n = i / 4 % TN_ARRAY_SIZE(headers), k = i / 4 / TN_ARRAY_SIZE(headers);
		struct virtio_net_hdr_v1 h = {.flags = headers[n].flags,
			.gso_type = headers[n].type,
			.gso_size = headers[n].size,
			.csum_start = headers[n].start,
			.csum_offset = headers[n].offset};
		static const uint8_t protos[] = {
			TN_IPPROTO_TCP, TN_IPPROTO_UDP, 47, TN_IPPROTO_SCTP};
		unsigned got;

		(void)make_frame(i & 1, protos[i % 4], lengths[k]);
		if (lengths[k] + HEADER > (RING - 1) * DATA_SIZE)
			continue;
		send_with_header(&g, &h, big, lengths[k]);
		got = receive(port, packets);
		for (unsigned m = 0; m < got; m++) {
			if (packets[m].offload)
				(void)!tn_offload_find(
					packets[m].data, packets[m].len, packets[m].offload, &o);
		}
		give_back(packets, got);
	}
	/* At the end all is as it was. */
	send_frame(&g, 0, 1);
	assert_int_equal(receive(port, packets), 1);
	give_back(packets, 1);
	end(port, &g);
}

/* Longer than any buffer, or long and not to be cut: counted, not kept. */
static void test_too_long(void **state)
{
	struct virtio_net_hdr_v1 none = {0};
	struct tn_packet packets[TN_BURST];
	struct tn_port_wire_stats stats;
	struct guest g;
	struct tn_port *port = start("all", &g, ALL);
	struct frame f = make_frame(false, TN_IPPROTO_TCP, LONGEST + 1);
	struct virtio_net_hdr_v1 h = header_of(&f, VIRTIO_NET_HDR_GSO_TCPV4, MSS);

	(void)state;
	send_with_header(&g, &h, big, LONGEST + 1);
	assert_int_equal(receive(port, packets), 0);
	send_with_header(&g, &none, big, 2049);
	assert_int_equal(receive(port, packets), 0);
	send_with_header(&g, &none, big, 13);
	assert_int_equal(receive(port, packets), 0);
	port->ops->wire_stats(port, &stats);
	assert_int_equal(stats.rx_dropped, 2);
	assert_int_equal(stats.rx_errors, 1);
	end(port, &g);
}

/* Frames wait in the ring while all large buffers are out; ordinary ones are nobody's to wait for.
 */
static void test_no_large_buffers(void **state)
{
	struct frame f = make_frame(false, TN_IPPROTO_TCP, BIG);
	struct virtio_net_hdr_v1 h = header_of(&f, VIRTIO_NET_HDR_GSO_TCPV4, MSS);
	struct tn_packet held[LARGE], packets[TN_BURST];
	struct guest g;
	struct tn_port *port = start("all", &g, ALL);

	(void)state;
	for (unsigned i = 0; i < LARGE; i++) {
		send_with_header(&g, &h, big, BIG);
		assert_int_equal(receive(port, &held[i]), 1);
	}
	send_with_header(&g, &h, big, BIG);
	assert_int_equal(receive(port, packets), 0);
	assert_int_equal(rte_mempool_avail_count(guest_buffers.pool), BUFFERS);
	give_back(held, LARGE);
	assert_int_equal(receive(port, packets), 1);
	assert_int_equal(packets[0].len, BIG);
	give_back(packets, 1);
	end(port, &g);
}

/* A packet of the fast path with what is in `big`. */
static struct tn_packet packet_of(uint32_t len, uint16_t offload)
{
	const struct tn_packet whole = {.data = big, .len = len, .offload = offload};
	struct tn_packet p;

	assert_true(tn_dpdk_buffer_ops.clone(&guest_buffers, &whole, &p));
	return p;
}

static void offer_room(struct guest *g, unsigned n)
{
	for (uint16_t i = 0; i < n; i++) {
		describe(g, TO_GUEST, i, DATA_SIZE);
		offer(g, TO_GUEST, i);
	}
}

/* What came by the used ring from element `from` on, put together; its header goes to *h. */
static uint32_t take_frame(struct guest *g, unsigned from, struct virtio_net_hdr_v1 *h, uint8_t *to)
{
	const struct vring_used *used = g->rings[TO_GUEST].used;
	uint32_t len = 0;

	memcpy(h, buffer(g, TO_GUEST, (uint16_t)used->ring[from].id), sizeof(*h));
	for (unsigned i = 0; i < h->num_buffers; i++) {
		uint32_t skip = i ? 0 : HEADER, n = used->ring[from + i].len - skip;

		memcpy(to + len, buffer(g, TO_GUEST, (uint16_t)used->ring[from + i].id) + skip, n);
		len += n;
	}
	return len;
}

/* The sum that a guest starts from: addresses, protocol and length. */
static uint16_t pseudo(const struct frame *f, bool ip6, uint8_t proto, uint32_t len)
{
	uint32_t sum = proto + (len - f->l4);

	for (unsigned i = ip6 ? 8 : 12; i < (ip6 ? 40u : 20u); i += 2)
		sum += read16(big + f->l3 + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void test_to_guest(void **state)
{
	static const struct {
		bool ip6;
		uint8_t proto;
		uint32_t len;
		uint16_t offload;
		uint8_t type;
	} cases[] = {
		{false, TN_IPPROTO_TCP, 60, TN_OFFLOAD_CSUM, 0},
		{true, TN_IPPROTO_TCP, 1000, TN_OFFLOAD_CSUM, 0},
		{false, TN_IPPROTO_UDP, 1000, TN_OFFLOAD_CSUM, 0},
		{true, TN_IPPROTO_UDP, 63, TN_OFFLOAD_CSUM, 0},
		{false, TN_IPPROTO_TCP, BIG, MSS, VIRTIO_NET_HDR_GSO_TCPV4},
		{true, TN_IPPROTO_TCP, BIG, MSS, VIRTIO_NET_HDR_GSO_TCPV6},
		{false, TN_IPPROTO_TCP, 1900, 600, VIRTIO_NET_HDR_GSO_TCPV4},
	};

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		struct frame f = make_frame(cases[i].ip6, cases[i].proto, cases[i].len);
		struct tn_packet p = packet_of(cases[i].len, cases[i].offload);
		static uint8_t got[LONGEST];
		struct virtio_net_hdr_v1 h;
		struct tn_port_wire_stats stats;
		struct guest g;
		struct tn_port *port = start("all", &g, ALL);

		offer_room(&g, 30);
		assert_int_equal(port->ops->tx(port, 0, &p, 1), 1);
		assert_int_equal(take_frame(&g, 0, &h, got), cases[i].len);
		assert_int_equal(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		assert_int_equal(h.csum_start, f.l4);
		assert_int_equal(h.csum_offset, f.l4_csum - f.l4);
		assert_int_equal(h.gso_type, cases[i].type);
		assert_int_equal(h.gso_size, cases[i].type ? cases[i].offload : 0);
		if (cases[i].type)
			assert_int_equal(h.hdr_len, f.l4 + 20);
		write16(big + f.l4_csum, pseudo(&f, cases[i].ip6, cases[i].proto, cases[i].len));
		assert_memory_equal(got, big, cases[i].len);
		port->ops->wire_stats(port, &stats);
		assert_int_equal(stats.tx_large, cases[i].type != 0);
		end(port, &g);
	}
}

/* What a guest has no room for, or never agreed to take, stays the worker's and is as before. */
static void test_stays_ours(void **state)
{
	struct tn_packet p[2];
	struct guest g;
	struct tn_port *port = start("all", &g, ALL);

	(void)state;
	(void)make_frame(false, TN_IPPROTO_TCP, BIG);
	p[0] = packet_of(BIG, MSS);
	p[1] = packet_of(BIG, MSS);
	offer_room(&g, 25); /* for one of them */
	assert_int_equal(port->ops->tx(port, 0, p, 2), 1);
	assert_int_equal(port->ops->tx(port, 0, &p[1], 1), 0);
	assert_int_equal(p[1].len, BIG);
	assert_memory_equal(p[1].data + 54, big + 54, BIG - 54);
	offer_room(&g, 25);
	assert_int_equal(port->ops->tx(port, 0, &p[1], 1), 1);
	end(port, &g);
	port = start("all", &g, FEATURES);
	p[0] = packet_of(60, TN_OFFLOAD_NONE);
	p[1] = packet_of(BIG, MSS);
	offer_room(&g, 40);
	assert_int_equal(port->ops->tx(port, 0, p, 2), 1);
	give_back(&p[1], 1);
	end(port, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_from_guest),
		cmocka_unit_test(test_sum_elsewhere),
		cmocka_unit_test(test_hostile_headers),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_no_large_buffers),
		cmocka_unit_test(test_to_guest),
		cmocka_unit_test(test_stays_ours),
	};

	return cmocka_run_group_tests(tests, start_dpdk, stop_dpdk);
}
