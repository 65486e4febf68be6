/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/partial_checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/wire.h"

/* A frame as it is put together, and where its L4 header is. */
struct frame {
	uint8_t b[400];
	uint32_t len, l4, l4_len;
	uint64_t pseudo;
};

static const uint8_t payload[33] = "thirty-two bytes and an odd one.";

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void ethernet(struct frame *f, uint16_t type)
{
	memset(f, 0, sizeof(*f));
	f->b[0] = 2;
	f->b[6] = 2;
	put16(f->b + 12, type);
	f->len = 14;
}

static void ip(struct frame *f, bool v6, uint8_t proto, uint32_t l4_len)
{
	ethernet(f, v6 ? 0x86dd : 0x0800);
	if (v6) {
		uint8_t *h = f->b + 14;

		h[0] = 0x60;
		put16(h + 4, l4_len);
		h[6] = proto;
		h[7] = 64;
		h[8] = h[24] = 0xfd;
		h[23] = 1;
		h[39] = 2;
		f->pseudo = tn_csum_pseudo_ipv6(h + 8, h + 24, proto, l4_len);
		f->len += 40;
	} else {
		uint8_t *h = f->b + 14;
		struct tn_be16 sum;

		h[0] = 0x45;
		put16(h + 2, 20 + l4_len);
		h[8] = 64;
		h[9] = proto;
		memcpy(h + 12, (uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
		sum = tn_csum_fold(tn_csum_add(0, h, 20));
		memcpy(h + 10, &sum, 2);
		f->pseudo = tn_csum_pseudo_ipv4(h + 12, h + 16, proto, l4_len);
		f->len += 20;
	}
	f->l4 = f->len;
	f->l4_len = l4_len;
	f->len += l4_len;
}

static void make_tcp(struct frame *f, bool v6)
{
	ip(f, v6, TN_IPPROTO_TCP, 20 + sizeof(payload));
	put16(f->b + f->l4, 1234);
	put16(f->b + f->l4 + 2, 80);
	f->b[f->l4 + 12] = 0x50;
	memcpy(f->b + f->l4 + 20, payload, sizeof(payload));
}

static void make_udp(struct frame *f, bool v6, uint16_t port, const void *data, uint32_t len)
{
	ip(f, v6, TN_IPPROTO_UDP, 8 + len);
	put16(f->b + f->l4, 1234);
	put16(f->b + f->l4 + 2, port);
	put16(f->b + f->l4 + 4, 8 + len);
	memcpy(f->b + f->l4 + 8, data, len);
}

/* What the kernel leaves in the field. */
static void leave_partial(struct frame *f, uint32_t ofs)
{
	uint16_t v = (uint16_t)~tn_csum_fold(f->pseudo).raw;

	memcpy(f->b + f->l4 + ofs, &v, 2);
}

static bool right(const struct frame *f)
{
	return !tn_csum_fold(tn_csum_add(f->pseudo, f->b + f->l4, f->l4_len)).raw;
}

static void complete_once(struct frame *f, uint32_t ofs)
{
	struct frame before;

	leave_partial(f, ofs);
	assert_false(right(f));
	assert_true(tn_partial_checksum_complete(f->b, f->len));
	assert_true(right(f));
	/* And a whole one is left alone. */
	before = *f;
	assert_false(tn_partial_checksum_complete(f->b, f->len));
	assert_memory_equal(&before, f, sizeof(before));
}

static void tcp_and_udp_of_both_versions(void **state)
{
	struct frame f;

	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		make_tcp(&f, v6);
		complete_once(&f, 16);
		make_udp(&f, v6, 53, payload, sizeof(payload));
		complete_once(&f, 6);
	}
}

static void padding_is_not_summed(void **state)
{
	struct frame f;

	(void)state;
	make_udp(&f, false, 53, "x", 1);
	memset(f.b + f.len, 0xee, 17);
	f.len += 17;
	complete_once(&f, 6);
}

static void a_sum_of_zero_is_sent_as_ones(void **state)
{
	uint8_t data[2] = {0};
	struct frame f;
	uint16_t sum;

	(void)state;
	make_udp(&f, false, 53, data, 2);
	leave_partial(&f, 6);
	sum = tn_csum_fold(tn_csum_add(0, f.b + f.l4, f.l4_len)).raw;
	memcpy(f.b + f.l4 + 8, &sum, 2); /* makes the sum come out as zero */
	assert_true(tn_partial_checksum_complete(f.b, f.len));
	assert_int_equal(f.b[f.l4 + 6], 0xff);
	assert_int_equal(f.b[f.l4 + 7], 0xff);
}

static void udp_without_checksum_stays_so(void **state)
{
	struct frame f;

	(void)state;
	make_udp(&f, false, 53, payload, sizeof(payload));
	assert_false(tn_partial_checksum_complete(f.b, f.len));
}

static void a_wrong_checksum_stays_wrong(void **state)
{
	struct frame f;

	(void)state;
	make_tcp(&f, false);
	complete_once(&f, 16);
	f.b[f.l4 + 25] ^= 1;
	assert_false(tn_partial_checksum_complete(f.b, f.len));
	assert_false(right(&f));
}

static void sctp_gets_its_crc(void **state)
{
	uint32_t crc, zero = 0;
	struct frame f;

	(void)state;
	ip(&f, false, TN_IPPROTO_SCTP, 12 + sizeof(payload));
	put16(f.b + f.l4, 1234);
	memcpy(f.b + f.l4 + 12, payload, sizeof(payload));
	assert_true(tn_partial_checksum_complete(f.b, f.len));
	memcpy(&crc, f.b + f.l4 + 8, 4);
	memcpy(f.b + f.l4 + 8, &zero, 4);
	assert_int_equal(crc, tn_crc32c(0, f.b + f.l4, f.l4_len));
}

/* The outer sum of a kernel tunnel counts on the inner one being completed. */
static void the_frame_within_vxlan_too(void **state)
{
	uint8_t vxlan[sizeof(struct frame)] = {0x08, 0, 0, 0, 0, 0, 7};
	struct frame in, out;

	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		make_tcp(&in, v6);
		leave_partial(&in, 16);
		memcpy(vxlan + 8, in.b, in.len);
		make_udp(&out, false, 4789, vxlan, 8 + in.len);
		assert_true(tn_partial_checksum_complete(out.b, out.len));
		memcpy(in.b, out.b + out.l4 + 16, in.len);
		assert_true(right(&in));
		/* Both. */
		make_udp(&out, true, 4789, vxlan, 8 + in.len);
		leave_partial(&out, 6);
		assert_true(tn_partial_checksum_complete(out.b, out.len));
		assert_true(right(&out));
		memcpy(in.b, out.b + out.l4 + 16, in.len);
		assert_true(right(&in));
	}
}

static void fragments_and_nonsense_stay(void **state)
{
	struct frame f;

	(void)state;
	make_tcp(&f, false);
	leave_partial(&f, 16);
	f.b[14 + 6] = 0x20; /* more fragments */
	assert_false(tn_partial_checksum_complete(f.b, f.len));
	make_tcp(&f, false);
	leave_partial(&f, 16);
	for (uint32_t len = 0; len < f.len; len++)
		assert_false(tn_partial_checksum_complete(f.b, len));
	ethernet(&f, 0x0806);
	assert_false(tn_partial_checksum_complete(f.b, 60));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_and_udp_of_both_versions),
		cmocka_unit_test(padding_is_not_summed),
		cmocka_unit_test(a_sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(udp_without_checksum_stays_so),
		cmocka_unit_test(a_wrong_checksum_stays_wrong),
		cmocka_unit_test(sctp_gets_its_crc),
		cmocka_unit_test(the_frame_within_vxlan_too),
		cmocka_unit_test(fragments_and_nonsense_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
