/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into a tunnel by the template of a program: what is the same for all its packets is there, and
 * what differs from packet to packet is filled in. Private to worker.c and slow.c.
 */
#ifndef TN_FASTPATH_ENCAP_H
#define TN_FASTPATH_ENCAP_H

#include "dataplane/fastpath/shape.h"
#include "dataplane/fastpath/worker_private.h"

static inline void tn_encap_store16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline uint32_t tn_encap_entropy(const uint8_t *d)
{
	return tn_entropy_ip4(
		tn_load32(d + 26), tn_load32(d + 30), tn_load16(d + 34), tn_load16(d + 36), d[23]);
}

static inline uint16_t tn_encap_sport(uint32_t entropy)
{
	return __builtin_bswap16((uint16_t)(TN_VXLAN_SPORT_MIN | (entropy & 0x3fff)));
}

/* Bytes of the template from `from` on to the same place after d. */
static inline void tn_encap_16_of(const struct tn_fast_program *prog, uint8_t *d, unsigned from)
{
	const __m128i *t = (const __m128i *)(const void *)(prog->template + from);

	_mm_storeu_si128((__m128i *)(void *)(d + from), _mm_loadu_si128(t));
}

/*
 * Puts the header template at d and fills in what differs from packet to packet: TOS, two lengths,
 * the IPv4 checksum and the source port. len: of the inner frame, which begins behind it.
 */
static inline void tn_encap_header_ip4(const struct tn_fast_program *prog, uint8_t *d, uint32_t len,
	uint8_t inner_tos, uint32_t entropy)
{
	uint8_t tos = (uint8_t)((inner_tos & prog->tos_mask) | prog->tos);
	uint16_t total = __builtin_bswap16((uint16_t)(len + TN_VXLAN_OVERHEAD_IP4 - TN_ETH_LEN));
	uint32_t sum = prog->ip_sum + total + ((uint32_t)tos << 8);

	tn_encap_16_of(prog, d, 0);
	tn_encap_16_of(prog, d, 16);
	tn_encap_16_of(prog, d, 32);
	tn_encap_store16(d + 48, tn_load16(prog->template + 48));
	/* Both halves added, and the carry out of that: what is left is in the upper half. */
	sum += sum >> 16 | sum << 16;
	d[15] = tos;
	tn_encap_store16(d + 16, total);
	tn_encap_store16(d + 24, (uint16_t)(~sum >> 16));
	tn_encap_store16(d + 34, tn_encap_sport(entropy));
	tn_encap_store16(d + 38, __builtin_bswap16((uint16_t)(len + TN_VXLAN_OVERHEAD_IP4 - 34)));
}

/* The same over IPv6, where the flow label tells flows apart, too, and nothing has a checksum. */
static inline void tn_encap_header_ip6(const struct tn_fast_program *prog, uint8_t *d, uint32_t len,
	uint8_t inner_tos, uint32_t entropy)
{
	uint32_t tos = (uint8_t)((inner_tos & prog->tos_mask) | prog->tos);
	uint16_t udp_len = __builtin_bswap16((uint16_t)(len + TN_VXLAN_OVERHEAD_IP6 - 54));
	uint32_t first = __builtin_bswap32(6u << 28 | tos << 20 | entropy >> 12);

	tn_encap_16_of(prog, d, 0);
	tn_encap_16_of(prog, d, 16);
	tn_encap_16_of(prog, d, 32);
	tn_encap_16_of(prog, d, 48);
	tn_encap_16_of(prog, d, TN_VXLAN_OVERHEAD_IP6 - 16);
	memcpy(d + 14, &first, sizeof(first));
	tn_encap_store16(d + 18, udp_len);
	tn_encap_store16(d + 54, tn_encap_sport(entropy));
	tn_encap_store16(d + 58, udp_len);
}

/*
 * Length, headroom and offload as one number: one addition moves the beginning of the frame, and
 * one compare of its upper half asks both "is there room?" and "is nothing left to be done?".
 */
TN_BUILD_ASSERT(offsetof(struct tn_packet, headroom) == offsetof(struct tn_packet, len) + 4 &&
		offsetof(struct tn_packet, offload) == offsetof(struct tn_packet, len) + 6,
	"length is the lower half, offload on top");

static inline uint64_t tn_encap_extent(const struct tn_packet *p)
{
	return tn_load64(&p->len);
}

/* One that there is room before. */
static inline __attribute__((always_inline)) void tn_encap_put(const struct tn_fast_program *prog,
	const struct tn_packet *p, struct tn_packet *out, uint64_t extent, uint32_t overhead,
	uint8_t tos, uint32_t entropy)
{
	uint64_t longer = extent + overhead - ((uint64_t)overhead << 32);
	uint8_t *d = p->data - overhead;

	out->buf = p->buf;
	out->data = d;
	memcpy(&out->len, &longer, sizeof(longer));
	if (overhead == TN_VXLAN_OVERHEAD_IP4)
		tn_encap_header_ip4(prog, d, (uint32_t)extent, tos, entropy);
	else
		tn_encap_header_ip6(prog, d, (uint32_t)extent, tos, entropy);
}

/*
 * Why it cannot go that way; offload apart. Tags count in the frames of the uplink and not in what
 * the tunnel's port may send.
 */
static inline enum tn_drop tn_encap_refuses(const struct tn_forwarding *fwd,
	const struct tn_fast_program *prog, unsigned out, unsigned tunnel,
	const struct tn_packet *p)
{
	if (p->len + prog->overhead > fwd->ports[out].max_frame ||
		!tn_frame_fits(p->data, p->len, fwd->ports[tunnel].max_frame))
		return TN_DROP_MTU;
	return p->headroom < prog->overhead ? TN_DROP_NO_HEADROOM : TN_DROP_NONE;
}

#endif
