/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Knowledge of the key's members that the lookup uses: how to make a mask coarser so that masks
 * that differ little become one, and which members are looked up by prefix. Pure.
 */
#ifndef TN_TABLE_COARSE_H
#define TN_TABLE_COARSE_H

#include "dataplane/core/key.h"

/* Coarsest, finer; the next finer than these is the mask itself. */
enum tn_coarseness { TN_COARSEST, TN_COARSE, TN_N_COARSE };

/*
 * Takes bits out of the mask: prefix lengths are rounded down, other masks lose what is not a
 * whole group of bits (byte, nibble; PCP, VID). A pure function of the mask; out is within it.
 */
void tn_coarsen(const struct tn_key *mask, enum tn_coarseness level, struct tn_key *out);

/* A member that is looked up by prefix; bytes are in network order. */
struct tn_prefix_member {
	uint8_t offset; /* in struct tn_key */
	uint8_t size;	/* bytes */
};

#define TN_N_PREFIX_MEMBERS 11
#define TN_NO_MEMBER	    UINT8_MAX

extern const struct tn_prefix_member tn_prefix_members[TN_N_PREFIX_MEMBERS];

/*
 * The member of which the mask is a prefix, neither empty nor whole, while the mask is exact or
 * empty in every other member of tn_prefix_members; *len is the prefix's bits. TN_NO_MEMBER: the
 * mask is not like that.
 */
uint8_t tn_prefix_shape(const struct tn_key *mask, uint8_t *len);

/* Bytes of the key that tell rules apart best, most telling first: their offsets. */
#define TN_N_TELLING_BYTES 27
extern const uint8_t tn_telling_bytes[TN_N_TELLING_BYTES];
TN_BUILD_ASSERT(TN_N_TELLING_BYTES <= 32, "sets of them are uint32_t bitmaps");

/* Up to 128 bits, first bit of the member highest in bits[0]. */
struct tn_prefix_bits {
	uint64_t word[2];
};

static inline uint64_t tn_load_be(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	__builtin_memcpy(&v, p, size);
	return __builtin_bswap64(v);
}

static inline struct tn_prefix_bits tn_prefix_load(const struct tn_key *key, uint8_t member)
{
	const struct tn_prefix_member *m = &tn_prefix_members[member];
	const uint8_t *p = (const uint8_t *)key + m->offset;

	switch (m->size) {
	case 4:
		return (struct tn_prefix_bits){{tn_load_be(p, 4), 0}};
	case 6:
		return (struct tn_prefix_bits){{tn_load_be(p, 6), 0}};
	default:
		return (struct tn_prefix_bits){{tn_load_be(p, 8), tn_load_be(p + 8, 8)}};
	}
}

#endif
