/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums and segments against frames that a plain model writes byte by byte: lengths, IDs,
 * sequence numbers and flags from what they mean, sums by the slow ones of packets.c.
 */
#include "dataplane/core/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/packets.h"

#define BIG 65407u /* as long as a frame of a guest can be */

/* A whole TCP frame as the model knows it. */
struct whole {
	const uint8_t *frame;
	unsigned l3, l4, data, end;
	bool ip6;
};

static unsigned read16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void write16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void write32(uint8_t *p, uint32_t v)
{
	write16(p, v >> 16);
	write16(p + 2, v & 0xffff);
}

static uint32_t read32(const uint8_t *p)
{
	return (uint32_t)read16(p) << 16 | read16(p + 2);
}

/* Addresses, length and protocol, each number in 16-bit pieces. */
static uint32_t slow_pseudo(const uint8_t *l3, bool ip6, unsigned proto, unsigned l4_len)
{
	unsigned from = ip6 ? 8 : 12, to = ip6 ? 40 : 20;
	uint32_t sum = proto + (l4_len >> 16) + (l4_len & 0xffff);

	for (unsigned i = from; i < to; i += 2)
		sum += read16(l3 + i);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Segment i, from what it is. Returns its length. */
static unsigned model_segment(
	const struct whole *w, unsigned i, unsigned n, unsigned size, uint8_t *to)
{
	unsigned from = w->data + i * size;
	unsigned len = w->data + (w->end - from < size ? w->end - from : size);
	uint8_t flags = w->frame[w->l4 + 13];

	memcpy(to, w->frame, w->data);
	memcpy(to + w->data, w->frame + from, len - w->data);
	if (w->ip6) {
		write16(to + w->l3 + 4, len - w->l3 - 40);
	} else {
		write16(to + w->l3 + 2, len - w->l3);
		write16(to + w->l3 + 4, (read16(w->frame + w->l3 + 4) + i) & 0xffff);
		write16(to + w->l3 + 10, 0);
		write16(to + w->l3 + 10, slow_csum(to + w->l3, (to[w->l3] & 15u) * 4u, 0));
	}
	write32(to + w->l4 + 4, read32(w->frame + w->l4 + 4) + i * size);
	if (i != n - 1)
		flags &= (uint8_t)~0x09; /* FIN, PSH */
	if (i != 0)
		flags &= (uint8_t)~0x80; /* CWR */
	to[w->l4 + 13] = flags;
	write16(to + w->l4 + 16, 0);
	write16(to + w->l4 + 16,
		slow_csum(
			to + w->l4, len - w->l4, slow_pseudo(to + w->l3, w->ip6, 6, len - w->l4)));
	return len;
}

static void check_segments(const struct whole *w, unsigned frame_len, uint16_t size)
{
	static uint8_t got[BIG + 16], want[BIG + 16];
	unsigned data = w->end - w->data, n = data > size ? (data + size - 1) / size : 1;
	struct tn_offload o;

	assert_true(tn_offload_find(w->frame, frame_len, size, &o));
	assert_int_equal(o.n, n);
	for (unsigned i = 0; i < n; i++) {
		unsigned len = model_segment(w, i, n, size, want);

		assert_int_equal(tn_offload_segment_len(&o, i), len);
		memset(got, 0xa5, len + 16);
		tn_offload_write_segment(w->frame, &o, i, got);
		assert_memory_equal(got, want, len);
		for (unsigned k = 0; k < 16; k++)
			assert_int_equal(got[len + k], 0xa5);
	}
}

static bool can_be_finished(const struct packet *p)
{
	uint8_t l4 = packet_l4(p);

	return (l4 == TN_IPPROTO_TCP || l4 == TN_IPPROTO_UDP) && !p->fragment &&
		!(p->routing && p->segments_left);
}

/* A random packet that is whole and right. */
static void random_whole(struct packet *p, struct rng *r, bool tcp)
{
	do {
		packet_random(p, r);
		p->cut = 0;
		p->ip_err = p->l4_err = 0;
		p->no_csum = false;
	} while (!can_be_finished(p) || (tcp && packet_l4(p) != TN_IPPROTO_TCP));
}

static void test_segments_of_random_packets(void **state)
{
	struct rng r = {.state = 1};

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct packet p;
		struct frame f;
		struct whole w;
		unsigned size;

		random_whole(&p, &r, true);
		p.snap = false; /* its length field ends at 1500 */
		p.payload = rng_below(&r, 3000);
		p.tcp_flags = (uint16_t)(p.tcp_flags | (rng_next(&r) & 0x89));
		packet_build(&p, &f);
		w = (struct whole){.frame = f.view.data,
			.l3 = f.l3,
			.l4 = f.l4,
			.data = f.l4 + 20 + p.tcp_options,
			.end = f.end,
			.ip6 = p.l3 == L3_IPV6};
		size = 2 + rng_below(&r, 1500);
		if (p.payload / size < TN_OFFLOAD_SEGMENTS_MAX)
			check_segments(&w, f.view.len, (uint16_t)size);
	}
}

/* As long as guests send them, with an ID and a sequence number that wrap around. */
static void test_segments_of_a_large_frame(void **state)
{
	uint8_t *frame = malloc(BIG);
	struct rng r = {.state = 2};

	(void)state;
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct packet p;
		struct frame f;
		struct whole w;

		packet_init(&p);
		p.l3 = ip6 ? L3_IPV6 : L3_IPV4;
		p.proto = TN_IPPROTO_TCP;
		p.tcp_flags = 0x99;
		p.tcp_options = 12;
		packet_build(&p, &f);
		memcpy(frame, f.view.data, f.view.len);
		for (unsigned i = f.l4 + 32; i < BIG; i++)
			frame[i] = (uint8_t)rng_next(&r);
		w = (struct whole){.frame = frame,
			.l3 = f.l3,
			.l4 = f.l4,
			.data = f.l4 + 32,
			.end = BIG,
			.ip6 = ip6};
		if (ip6) {
			write16(frame + f.l3 + 4, BIG - f.l3 - 40);
		} else {
			write16(frame + f.l3 + 2, BIG - f.l3);
			write16(frame + f.l3 + 4, 0xfff0);
		}
		write32(frame + f.l4 + 4, 0xffff8000);
		check_segments(&w, BIG, 1448);
		check_segments(&w, BIG, 8948);
		check_segments(&w, BIG, 256);
		check_segments(&w, BIG, UINT16_MAX);
	}
	free(frame);
}

/* Whatever stood in the field, it is right after; nothing else has changed. */
static void test_checksums_of_random_packets(void **state)
{
	struct rng r = {.state = 3};

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		struct packet p;
		struct frame f, g;
		struct tn_offload o;
		uint32_t pseudo;

		random_whole(&p, &r, false);
		packet_build(&p, &f);
		g = f;
		g.view.data = g.buf + (f.view.data - f.buf);
		write16(g.view.data + f.l4_csum, (unsigned)rng_next(&r) & 0xffff);
		assert_true(tn_offload_find(g.view.data, g.view.len, TN_OFFLOAD_CSUM, &o));
		assert_int_equal(o.n, 1);
		assert_int_equal(o.tcp, packet_l4(&p) == TN_IPPROTO_TCP);
		assert_int_equal(o.ip6, p.l3 == L3_IPV6);
		tn_offload_complete(g.view.data, &o);
		assert_memory_equal(g.view.data, f.view.data, f.view.len);
		/* A receiver that completes what it gets comes to the same. */
		tn_offload_prepare(g.view.data, &o);
		pseudo = slow_pseudo(g.view.data + f.l3, o.ip6, o.tcp ? 6 : 17, f.end - f.l4);
		assert_int_equal(read16(g.view.data + f.l4_csum), fold(pseudo));
	}
}

static void build(struct frame *f, void (*change)(struct packet *p))
{
	struct packet p;

	packet_init(&p);
	p.proto = TN_IPPROTO_TCP;
	p.payload = 600;
	change(&p);
	packet_build(&p, f);
}

static void as_it_is(struct packet *p)
{
	(void)p;
}

static void as_udp(struct packet *p)
{
	p->proto = TN_IPPROTO_UDP;
}

static void as_sctp(struct packet *p)
{
	p->proto = TN_IPPROTO_SCTP;
}

static void as_arp(struct packet *p)
{
	p->l3 = L3_ARP;
}

static void as_fragment(struct packet *p)
{
	p->fragment = p->more = true;
	p->frag_ofs = 0;
	p->frag_len = 320;
}

static void with_route(struct packet *p)
{
	p->l3 = L3_IPV6;
	p->routing = true;
	p->segments_left = 1;
}

static void test_what_is_refused(void **state)
{
	void (*const never[])(struct packet * p) = {as_sctp, as_arp, as_fragment, with_route};
	struct tn_offload o;
	struct frame f;

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(never); i++) {
		build(&f, never[i]);
		assert_false(tn_offload_find(f.view.data, f.view.len, TN_OFFLOAD_CSUM, &o));
		assert_false(tn_offload_find(f.view.data, f.view.len, 500, &o));
	}
	build(&f, as_udp);
	assert_true(tn_offload_find(f.view.data, f.view.len, TN_OFFLOAD_CSUM, &o));
	assert_false(tn_offload_find(f.view.data, f.view.len, 500, &o));
	build(&f, as_it_is);
	assert_true(tn_offload_find(f.view.data, f.view.len, 500, &o));
	assert_false(tn_offload_find(f.view.data, f.view.len, 2, &o)); /* 300 segments */
	/* Cut anywhere: never more than the frame is read. */
	for (uint32_t len = 0; len < f.view.len; len++) {
		uint8_t *part = malloc(len + 1);

		memcpy(part, f.view.data, len);
		assert_false(tn_offload_find(part, len, TN_OFFLOAD_CSUM, &o));
		free(part);
	}
	memset(f.view.data + 12, 0x81, f.view.len - 12); /* tags without end */
	for (uint32_t i = 13; i < f.view.len; i += 2)
		f.view.data[i] = 0;
	assert_false(tn_offload_find(f.view.data, f.view.len, TN_OFFLOAD_CSUM, &o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_of_random_packets),
		cmocka_unit_test(test_segments_of_a_large_frame),
		cmocka_unit_test(test_checksums_of_random_packets),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
