/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Session keys of frames. The common shape (untagged Ethernet, IPv4 without options, whole TCP or
 * UDP) is read with three loads; everything else goes through the one parser and is converted. Both
 * ways give the same key for the same frame: a test holds them against each other.
 */
#ifndef TN_FASTPATH_SHAPE_H
#define TN_FASTPATH_SHAPE_H

#include <string.h>

#include "dataplane/core/key.h"
#include "dataplane/fastpath/session.h"

/* Bytes that the three loads may touch. */
#define TN_SHAPE_LEN_MIN 48u

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
	/* type 0x0800, version 4 and IHL 5 in one compare; tos is between. */
	uint32_t type_ver = tn_load32(data + 12) & 0x00ffffffu;
	uint32_t total, l4;
	bool udp, sound;

	if (len < TN_SHAPE_LEN_MIN || type_ver != 0x00450008u)
		return false;
	total = __builtin_bswap16(tn_load16(data + 16));
	udp = data[23] == 17;
	/* not a fragment: offset and MF are zero */
	sound = (tn_load16(data + 20) & 0xff3fu) == 0 && total + 14 <= len;
	if (udp) {
		l4 = __builtin_bswap16(tn_load16(data + 38));
		return sound & (l4 >= 8) & (l4 + 20 <= total);
	}
	l4 = (data[46] >> 4) * 4u;
	return sound & (data[23] == 6) & (l4 >= 20) & (l4 + 20 <= total);
}

/* The key of a frame of the common shape but for in_port and tunnel_id, which v2 brings. */
static inline void tn_shape_key(const uint8_t *data, __m128i v2, struct tn_session_key *k)
{
	const __m128i keep14 =
		_mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0);
	/* IP header bytes 1 (tos), 8 (ttl), 9 (proto) to places 12, 14, 15 */
	const __m128i ip_to_key =
		_mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, -1, 8, 9);
	const __m128i keep12 =
		_mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0);
	__m128i eth = _mm_loadu_si128((const __m128i *)(const void *)data);
	__m128i ip = _mm_loadu_si128((const __m128i *)(const void *)(data + 14));
	__m128i addr = _mm_loadu_si128((const __m128i *)(const void *)(data + 26));

	k->v[0] = _mm_and_si128(eth, keep14);
	k->v[1] = _mm_or_si128(_mm_and_si128(addr, keep12), _mm_shuffle_epi8(ip, ip_to_key));
	k->v[2] = v2;
	if (data[23] == 6)
		k->tcp_flags.raw = (uint16_t)(tn_load16(data + 46) & 0xff0fu);
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

#endif
