/* SPDX-License-Identifier: BSD-3-Clause */
/* virtio-net headers of the kernel's TAPs: what they leave to the switch, and what they may not. */
#include "dataplane/port/vnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/offload.h"
#include "tests/unit/core/packets.h"

#define L4   34u /* behind IPv4 without options */
#define TCP  6u
#define UDP  17u
#define CSUM VIRTIO_NET_HDR_F_NEEDS_CSUM

/* Its view is into itself: there is one, until the next. */
static struct frame *built(uint8_t proto, uint32_t payload)
{
	static struct frame f;
	struct packet p;

	packet_init(&p);
	p.proto = proto;
	p.payload = payload;
	packet_build(&p, &f);
	return &f;
}

static void test_finished(void **state)
{
	struct frame *f = built(UDP, 20);
	struct virtio_net_hdr h = {0};
	uint16_t offload = 7;

	(void)state;
	assert_true(tn_vnet_take(&h, f->view.data, f->view.len, &offload));
	assert_int_equal(offload, TN_OFFLOAD_NONE);
}

static void test_checksum_left(void **state)
{
	static const struct {
		uint8_t proto, at;
	} kinds[] = {{TCP, 16}, {UDP, 6}};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
		struct frame *f = built(kinds[i].proto, 20);
		struct virtio_net_hdr h = {
			.flags = CSUM, .csum_start = L4, .csum_offset = kinds[i].at};
		struct tn_packet p = {.data = f->view.data, .len = f->view.len};

		assert_true(tn_vnet_take(&h, p.data, p.len, &p.offload));
		assert_int_equal(p.offload, TN_OFFLOAD_CSUM);
		memset(&h, 0, sizeof(h));
		assert_true(tn_vnet_give(&h, &p));
		assert_int_equal(h.flags, CSUM);
		assert_int_equal(h.csum_start, L4);
		assert_int_equal(h.csum_offset, kinds[i].at);
		assert_int_equal(h.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	}
}

/* Within a tunnel of the sender's own: the sum that a device would make. */
static void test_checksum_elsewhere(void **state)
{
	struct frame *f = built(UDP, 60);
	struct virtio_net_hdr h = {.flags = CSUM, .csum_start = L4 + 20, .csum_offset = 6};
	uint8_t *field = f->view.data + L4 + 26;
	uint16_t offload;
	uint64_t sum;

	(void)state;
	field[0] = 0x12;
	field[1] = 0x34;
	sum = tn_csum_add(0, f->view.data + L4 + 20, f->view.len - L4 - 20);
	assert_true(tn_vnet_take(&h, f->view.data, f->view.len, &offload));
	assert_int_equal(offload, TN_OFFLOAD_NONE);
	assert_memory_equal(field, &(struct tn_be16){tn_csum_fold(sum).raw}, 2);
}

static void test_large(void **state)
{
	struct frame *f = built(TCP, 1000);
	struct virtio_net_hdr h = {.flags = CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
		.gso_size = 300,
		.csum_start = L4,
		.csum_offset = 16};
	struct tn_packet p = {.data = f->view.data, .len = f->view.len};

	(void)state;
	assert_true(tn_vnet_take(&h, p.data, p.len, &p.offload));
	assert_int_equal(p.offload, 300);
	assert_true(tn_vnet_give(&h, &p));
	assert_int_equal(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(h.gso_size, 300);
	assert_int_equal(h.hdr_len, L4 + 20);
}

static void test_refused(void **state)
{
	static const struct virtio_net_hdr bad[] = {
		{.gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 100},
		{.gso_type = 0x7f, .gso_size = 100},
		{.gso_type = VIRTIO_NET_HDR_GSO_TCPV4},
		{.gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 1},
		{.flags = CSUM, .csum_start = 61, .csum_offset = 0},
		{.flags = CSUM, .csum_start = 40, .csum_offset = 65535},
		{.flags = CSUM, .csum_start = 65535, .csum_offset = 65535},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(bad); i++) {
		struct frame *f = built(UDP, 20);
		uint16_t offload;

		f->view.len = 62;
		assert_false(tn_vnet_take(&bad[i], f->view.data, f->view.len, &offload));
	}
	/* what is said to be left, and cannot be done with this frame */
	struct frame *f = built(UDP, 20);
	struct tn_packet p = {.data = f->view.data, .len = f->view.len, .offload = 100};
	struct virtio_net_hdr h;

	assert_false(tn_vnet_give(&h, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finished),
		cmocka_unit_test(test_checksum_left),
		cmocka_unit_test(test_checksum_elsewhere),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
