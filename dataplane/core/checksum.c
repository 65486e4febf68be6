/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/checksum.h"

#include <nmmintrin.h>
#include <string.h>

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * The sum of the data, each bit flipped first where flip is all ones. 32-bit halves go into a
 * 64-bit sum, so nothing carries out of it within 2^32 of them.
 */
static inline uint64_t sum_bytes(uint64_t sum, const uint8_t *p, size_t len, uint64_t flip)
{
	uint64_t low = 0, high = 0, w;

	for (; len >= 16; p += 16, len -= 16) {
		w = load64(p) ^ flip;
		low += (uint32_t)w;
		high += w >> 32;
		w = load64(p + 8) ^ flip;
		low += (uint32_t)w;
		high += w >> 32;
	}
	if (len & 8) {
		w = load64(p) ^ flip;
		low += (uint32_t)w;
		high += w >> 32;
		p += 8;
	}
	if (len & 4) {
		uint32_t v;

		memcpy(&v, p, 4);
		low += v ^ (uint32_t)flip;
		p += 4;
	}
	if (len & 2) {
		uint16_t v;

		memcpy(&v, p, 2);
		high += (uint16_t)(v ^ flip);
		p += 2;
	}
	if (len & 1)
		high += (uint8_t)(*p ^ flip);
	return sum + low + high;
}

static inline uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t tn_csum_add(uint64_t sum, const void *data, size_t len)
{
	return sum_bytes(sum, data, len, 0);
}

struct tn_be16 tn_csum_fold(uint64_t sum)
{
	return (struct tn_be16){(uint16_t)~fold(sum)};
}

bool tn_csum_ipv4_ok(const void *header, size_t len)
{
	return fold(sum_bytes(0, header, len, 0)) == 0xffff;
}

/* HC' = ~(~HC + ~m + m') */
struct tn_be16 tn_csum_update(struct tn_be16 csum, const void *old, const void *new, size_t len)
{
	uint64_t sum = (uint16_t)~csum.raw;

	TN_ASSERT((len & 1) == 0);
	sum = sum_bytes(sum, old, len, ~(uint64_t)0);
	sum = sum_bytes(sum, new, len, 0);
	return tn_csum_fold(sum);
}

uint64_t tn_csum_pseudo_ipv4(const void *src, const void *dst, uint8_t proto, uint32_t len)
{
	uint64_t sum = sum_bytes(0, src, 4, 0);

	sum = sum_bytes(sum, dst, 4, 0);
	return sum + tn_htobe32(len).raw + tn_htobe16(proto).raw;
}

uint64_t tn_csum_pseudo_ipv6(const void *src, const void *dst, uint8_t proto, uint32_t len)
{
	uint64_t sum = sum_bytes(0, src, 16, 0);

	sum = sum_bytes(sum, dst, 16, 0);
	return sum + tn_htobe32(len).raw + tn_htobe16(proto).raw;
}

uint32_t tn_crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t state = ~crc;

	for (; len >= 8; p += 8, len -= 8)
		state = _mm_crc32_u64(state, load64(p));
	crc = (uint32_t)state;
	for (; len; p++, len--)
		crc = _mm_crc32_u8(crc, *p);
	return ~crc;
}

/* a * b modulo the CRC32c polynomial; bit 31 is x^0. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (; a; a <<= 1) {
		if (a & 0x80000000)
			product ^= b;
		b = (b >> 1) ^ (b & 1 ? 0x82f63b78 : 0);
	}
	return product;
}

/*
 * A CRC is linear: the CRC of a changed message differs by the CRC register that the difference
 * leaves when it starts at zero. Zeros before the difference leave zero, the n zero bytes after it
 * multiply by x^8n.
 */
uint32_t tn_crc32c_update(uint32_t crc, const void *old, const void *new, size_t len, size_t after)
{
	const uint8_t *o = old, *n = new;
	uint32_t difference = 0;
	uint32_t power = 0x00800000; /* x^8, then its squares */

	for (size_t i = 0; i < len; i++)
		difference = _mm_crc32_u8(difference, o[i] ^ n[i]);
	for (; after; after >>= 1) {
		if (after & 1)
			difference = multiply(difference, power);
		power = multiply(power, power);
	}
	return crc ^ difference;
}
