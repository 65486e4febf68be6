/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Session keys of frames. The common shape (untagged Ethernet, IPv4 without options, whole TCP or
 * UDP) is read with three loads, the same over IPv6 without extension headers with a few more;
 * everything else goes through the one parser and is converted. All ways give the same key for the
 * same frame: a test holds them against each other.
 */
#ifndef TN_FASTPATH_SHAPE_H
#define TN_FASTPATH_SHAPE_H

#include <string.h>

#include "dataplane/core/key.h"
#include "dataplane/fastpath/session.h"

/* Bytes that the three loads may touch. */
#define TN_SHAPE_LEN_MIN     48u
#define TN_SHAPE_IP6_LEN_MIN 62u /* whole UDP */

static inline uint16_t tn_load16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t tn_load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t tn_load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * Is the frame of the common shape, and would the parser find it sound? Mirrors parse_ipv4(),
 * parse_udp() and parse_tcp().
 */
static inline bool tn_shape_common(const uint8_t *data, uint32_t len)
{
	uint32_t kind, total, l4, least;

	/* type 0x0800, version 4 and IHL 5 in one compare */
	if (len < TN_SHAPE_LEN_MIN || (tn_load32(data + 12) & 0x00ffffffu) != 0x00450008u)
		return false;
	/* no fragment (offset and MF are zero), and the protocol, in another one */
	kind = tn_load32(data + 20) & 0xff00ff3fu;
	if (tn_likely(kind == 17u << 24)) {
		l4 = __builtin_bswap16(tn_load16(data + 38));
		least = 8;
	} else if (kind == 6u << 24) {
		l4 = (data[46] >> 4) * 4u;
		least = 20;
	} else {
		return false;
	}
	/* at least the header, at most what the IP packet holds, which is whole in the frame */
	total = __builtin_bswap16(tn_load16(data + 16));
	return l4 >= least && l4 + 20 <= total && total + 14 <= len;
}

/* A key mask with what the three loads bring along cut off. */
struct tn_shape_mask {
	__m128i eth, addr, ip, ports;
	bool tcp_flags;
	uint16_t tcp_flags_mask;
};

static inline struct tn_shape_mask tn_shape_mask_of(const struct tn_session_key *mask)
{
	const __m128i keep14 =
		_mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0);
	const __m128i keep12 =
		_mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0);

	return (struct tn_shape_mask){
		.eth = _mm_and_si128(mask->v[0], keep14),
		.addr = _mm_and_si128(mask->v[1], keep12),
		.ip = mask->v[1],
		.ports = mask->v[2],
		.tcp_flags = mask->tcp_flags.raw != 0,
		.tcp_flags_mask = mask->tcp_flags.raw,
	};
}

/*
 * The masked key of a frame of the common shape. v2: in_port and tunnel id, masked.
 */
static inline void tn_shape_key(
	const uint8_t *data, const struct tn_shape_mask *m, __m128i v2, struct tn_session_key *k)
{
	/* IP header bytes 1 (tos), 8 (ttl), 9 (proto) to places 12, 14, 15 */
	const __m128i ip_to_key =
		_mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, -1, 8, 9);
	__m128i eth = _mm_loadu_si128((const __m128i *)(const void *)data);
	__m128i ip = _mm_loadu_si128((const __m128i *)(const void *)(data + 14));
	__m128i addr = _mm_loadu_si128((const __m128i *)(const void *)(data + 26));

	k->v[0] = _mm_and_si128(eth, m->eth);
	k->v[1] = _mm_or_si128(_mm_and_si128(addr, m->addr),
		_mm_and_si128(_mm_shuffle_epi8(ip, ip_to_key), m->ip));
	if (tn_unlikely(m->tcp_flags) && data[23] == 6) {
		/* place 5 of eight: offsets 10 and 11 */
		v2 = _mm_or_si128(v2,
			_mm_and_si128(m->ports,
				_mm_insert_epi16(
					_mm_setzero_si128(), tn_load16(data + 46) & 0xff0f, 5)));
	}
	k->v[2] = v2;
}

/* The common shape's like over IPv6. Mirrors parse_ipv6(), parse_udp() and parse_tcp(). */
static inline bool tn_shape_ip6(const uint8_t *data, uint32_t len)
{
	uint32_t payload, l4, least;

	/* type 0x86dd and version 6 in one compare */
	if (len < TN_SHAPE_IP6_LEN_MIN || (tn_load32(data + 12) & 0x00f0ffffu) != 0x0060dd86u)
		return false;
	if (tn_likely(data[20] == 17)) {
		l4 = __builtin_bswap16(tn_load16(data + 58));
		least = 8;
	} else if (data[20] == 6 && len >= TN_SHAPE_IP6_LEN_MIN + 12) {
		l4 = (data[66] >> 4) * 4u;
		least = 20;
	} else {
		return false;
	}
	payload = __builtin_bswap16(tn_load16(data + 18));
	return l4 >= least && l4 <= payload && payload + 54 <= len;
}

static inline uint8_t tn_shape_ip6_tos(const uint8_t *data)
{
	return (uint8_t)(data[14] << 4 | data[15] >> 4);
}

/* Its key; with_addresses: *ip6, too, is part of it. */
static inline void tn_shape_ip6_key(const uint8_t *data, const struct tn_shape_mask *m, __m128i v2,
	bool with_addresses, struct tn_session_key *k, struct tn_session_ip6 *ip6)
{
	uint32_t tos_ttl_proto =
		tn_shape_ip6_tos(data) | (uint32_t)data[21] << 16 | (uint32_t)data[20] << 24;

	k->v[0] = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)data), m->eth);
	k->v[1] = _mm_and_si128(
		_mm_set_epi32((int)tos_ttl_proto, (int)tn_load32(data + 54), 0, 0), m->ip);
	k->v[2] = v2;
	if (tn_unlikely(m->tcp_flags) && data[20] == 6)
		k->tcp_flags.raw = (uint16_t)(tn_load16(data + 66) & 0xff0f & m->tcp_flags_mask);
	k->kind |= with_addresses ? TN_SESSION_IP6 : 0; /* beside the ends of a tunnel */
	ip6->src = _mm_loadu_si128((const __m128i *)(const void *)(data + 22));
	ip6->dst = _mm_loadu_si128((const __m128i *)(const void *)(data + 38));
}

/* The packet members of the flow key of a frame of the common shape, as the parser gives them. */
static inline void tn_shape_flow_key(const uint8_t *data, struct tn_key *key)
{
	TN_KEY_SEQ_ASSERT(1);
	tn_key_clear(key);
	memcpy(&key->eth_dst, data, sizeof(key->eth_dst));
	memcpy(&key->eth_src, data + 6, sizeof(key->eth_src));
	key->eth_type.raw = tn_load16(data + 12);
	key->ip_tos = data[15];
	key->ip_ttl = data[22];
	key->ip_proto = data[23];
	key->ipv4_src.raw = tn_load32(data + 26);
	key->ipv4_dst.raw = tn_load32(data + 30);
	key->tp_src.raw = tn_load16(data + 34);
	key->tp_dst.raw = tn_load16(data + 36);
	if (data[23] == 6)
		key->tcp_flags.raw = tn_load16(data + 46) & 0xff0f;
}

/*
 * From a flow key that the parser filled. False: the frame has members that tables with this mask
 * can read and a session key cannot hold (`rest`: bytes of the mask outside the session key), or a
 * tunnel id over 32 bits; such a packet is decided each time. *has_ip6: *ip6 was filled.
 */
bool tn_session_key_from(const struct tn_key *key, const struct tn_key *rest,
	struct tn_session_key *k, struct tn_session_ip6 *ip6, bool *has_ip6);

/* What of a flow-key mask a session key holds, and the rest. */
void tn_session_mask(
	const struct tn_key *mask, struct tn_session_key *k, bool *ip6, struct tn_key *rest);

/* Does a flow-key mask have bits that another one has not? By their words. */
bool tn_key_beyond(const uint64_t *bits, const uint64_t *mask);

#endif
