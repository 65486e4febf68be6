/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Byte-order types, identifiers and the few macros every room uses. BPF-safe.
 *
 * A value in network byte order is a struct, so that it cannot meet a host-order integer without
 * a conversion the reader sees.
 */
#ifndef TN_CORE_TYPES_H
#define TN_CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tn_be16 {
	uint16_t raw;
};

struct tn_be32 {
	uint32_t raw;
};

struct tn_be64 {
	uint64_t raw;
};

struct tn_mac {
	uint8_t b[6];
};

/* An IPv6 address, or an IPv4 address as ::ffff:a.b.c.d where a field carries either. */
struct tn_ip6 {
	uint8_t b[16];
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Tenon runs on little-endian machines");

static inline struct tn_be16 tn_htobe16(uint16_t v)
{
	return (struct tn_be16){__builtin_bswap16(v)};
}

static inline struct tn_be32 tn_htobe32(uint32_t v)
{
	return (struct tn_be32){__builtin_bswap32(v)};
}

static inline struct tn_be64 tn_htobe64(uint64_t v)
{
	return (struct tn_be64){__builtin_bswap64(v)};
}

static inline uint16_t tn_be16toh(struct tn_be16 v)
{
	return __builtin_bswap16(v.raw);
}

static inline uint32_t tn_be32toh(struct tn_be32 v)
{
	return __builtin_bswap32(v.raw);
}

static inline uint64_t tn_be64toh(struct tn_be64 v)
{
	return __builtin_bswap64(v.raw);
}

/* 48 bits, of which b[0] is the highest. */
static inline uint64_t tn_mac_number(struct tn_mac mac)
{
	uint64_t number = 0;

	for (int i = 0; i < 6; i++)
		number = number << 8 | mac.b[i];
	return number;
}

static inline struct tn_mac tn_mac_of(uint64_t number)
{
	struct tn_mac mac;

	for (int i = 0; i < 6; i++)
		mac.b[i] = (uint8_t)(number >> (40 - 8 * i));
	return mac;
}

#define TN_ARRAY_SIZE(a)      (sizeof(a) / sizeof((a)[0]))
#define TN_BUILD_ASSERT(c, m) _Static_assert(c, m)
#define TN_MUST_CHECK	      __attribute__((warn_unused_result))
#define TN_PRINTF(f, a)	      __attribute__((format(printf, f, a)))
#define TN_CACHE_LINE	      64
#define tn_likely(c)	      __builtin_expect(!!(c), 1)
#define tn_unlikely(c)	      __builtin_expect(!!(c), 0)

/*
 * For mistakes of the programmer, never for the content of a packet or a request. On in debug,
 * sanitizer and fuzz builds (TN_DEBUG).
 */
#ifdef TN_DEBUG
#define TN_ASSERT(c) ((c) ? (void)0 : __builtin_trap())
#else
#define TN_ASSERT(c) ((void)0)
#endif

/* One byte counter pair. One writer; readers may see the two a packet apart. */
struct tn_counter {
	uint64_t packets;
	uint64_t bytes;
};

#endif
