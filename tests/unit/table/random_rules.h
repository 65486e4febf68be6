/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random rules of the shapes that tables have in practice, and of some that they should not, with
 * values from small domains so that rules overlap and keys hit them.
 */
#ifndef TN_TESTS_RANDOM_RULES_H
#define TN_TESTS_RANDOM_RULES_H

#include "dataplane/core/match.h"

#include <string.h>

struct tn_random {
	uint64_t state;
};

static inline uint32_t random_below(struct tn_random *r, uint32_t n)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(((z ^ (z >> 31)) >> 32) * n >> 32);
}

static inline void set_bytes(struct tn_match *m, size_t offset, const void *value, size_t size)
{
	memcpy((uint8_t *)&m->value + offset, value, size);
	memset((uint8_t *)&m->mask + offset, 0xff, size);
}

/* value is cut to its first len bits. */
static inline void set_prefix(
	struct tn_match *m, size_t offset, const void *value, size_t size, unsigned len)
{
	const uint8_t *from = value;
	uint8_t *to = (uint8_t *)&m->value + offset, *mask = (uint8_t *)&m->mask + offset;
	size_t i;

	for (i = 0; i < size; i++, len -= len < 8 ? len : 8) {
		mask[i] = len >= 8 ? 0xff : (uint8_t)(0xff00 >> len);
		to[i] = from[i] & mask[i];
	}
}

#define SET(m, member, v) set_bytes(m, offsetof(struct tn_key, member), &(v), sizeof(v))
#define SET_PREFIX(m, member, v, len) \
	set_prefix(m, offsetof(struct tn_key, member), &(v), sizeof(v), len)

static inline void set_ipv4(struct tn_match *m)
{
	struct tn_be16 type = tn_htobe16(0x0800);

	SET(m, eth_type, type);
}

static inline struct tn_be32 random_ip4(struct tn_random *r)
{
	uint32_t a = 0x0a000000;

	a |= random_below(r, 3) << 16 | random_below(r, 4) << 8 | random_below(r, 256);
	return tn_htobe32(random_below(r, 8) ? a : a ^ 0xc0000000);
}

static inline struct tn_ip6 random_ip6(struct tn_random *r)
{
	struct tn_ip6 a = {{0x20, 0x01, 0x0d, 0xb8}};
	unsigned i;

	for (i = 4; i < 16; i++)
		a.b[i] = (uint8_t)random_below(r, i % 4 == 3 ? 200 : 2);
	return a;
}

static inline void random_exact(struct tn_random *r, struct tn_match *m)
{
	struct tn_be32 in_port = tn_htobe32(1 + random_below(r, 2));
	struct tn_be32 src = random_ip4(r), dst = random_ip4(r);
	struct tn_be16 tp = tn_htobe16((uint16_t)random_below(r, 3));
	uint8_t proto = 6;

	set_ipv4(m);
	SET(m, in_port, in_port);
	SET(m, ipv4_src, src);
	SET(m, ipv4_dst, dst);
	SET(m, ip_proto, proto);
	SET(m, tp_dst, tp);
}

static inline void random_prefix4(struct tn_random *r, struct tn_match *m)
{
	struct tn_be64 network = tn_htobe64(random_below(r, 3));
	struct tn_be32 dst = random_ip4(r);

	set_ipv4(m);
	SET(m, metadata, network);
	SET_PREFIX(m, ipv4_dst, dst, random_below(r, 33));
}

static inline void random_prefix6(struct tn_random *r, struct tn_match *m)
{
	struct tn_be16 type = tn_htobe16(0x86dd);
	struct tn_ip6 dst = random_ip6(r);

	SET(m, eth_type, type);
	SET_PREFIX(m, ipv6_dst, dst, random_below(r, 129));
}

static inline void random_acl(struct tn_random *r, struct tn_match *m)
{
	static const uint8_t lens[] = {0, 8, 16, 20, 24, 28, 32};
	struct tn_be32 src = random_ip4(r), dst = random_ip4(r);
	struct tn_be16 tp = tn_htobe16((uint16_t)random_below(r, 4));
	uint8_t proto = random_below(r, 2) ? 6 : 17;

	set_ipv4(m);
	SET_PREFIX(m, ipv4_src, src, lens[random_below(r, sizeof(lens))]);
	SET_PREFIX(m, ipv4_dst, dst, lens[random_below(r, sizeof(lens))]);
	SET(m, ip_proto, proto);
	if (random_below(r, 3))
		SET(m, tp_dst, tp);
	else if (random_below(r, 3) == 0)
		SET_PREFIX(m, tp_src, tp, random_below(r, 17));
}

static inline void random_mac(struct tn_random *r, struct tn_match *m)
{
	struct tn_mac mac = {
		{2, 0, 0, 0, (uint8_t)random_below(r, 4), (uint8_t)random_below(r, 64)}};
	struct tn_be16 vid = tn_htobe16((uint16_t)(0x1000 | random_below(r, 4)));

	if (random_below(r, 8) == 0) {
		m->value.eth_dst.b[0] = m->mask.eth_dst.b[0] = 1;
		return;
	}
	SET(m, eth_dst, mac);
	if (random_below(r, 2)) {
		SET(m, vlan_tci, vid);
		m->mask.vlan_tci = tn_htobe16(0x1fff);
	}
}

/* Any bits of a few words: few masks where n_masks is small. */
static inline void random_bits(struct tn_random *r, struct tn_match *m, uint32_t n_masks)
{
	struct tn_random of_mask = {random_below(r, n_masks)};
	unsigned i, j;

	for (i = 0; i < 3; i++) {
		uint8_t *mask = (uint8_t *)&m->mask.reg[i], *value = (uint8_t *)&m->value.reg[i];

		for (j = 0; j < 4; j++) {
			mask[j] = (uint8_t)(random_below(&of_mask, 256) &
				random_below(&of_mask, 256) & 0x77);
			value[j] = (uint8_t)(random_below(r, 2) * 0x11) & mask[j];
		}
	}
}

enum rule_shape {
	RULES_EXACT,
	RULES_PREFIX4,
	RULES_PREFIX6,
	RULES_ACL,
	RULES_MAC,
	RULES_BITS,
	RULES_MIXED,
	RULES_ANY_BITS,
	N_RULE_SHAPES
};

static inline void random_match(struct tn_random *r, enum rule_shape shape, struct tn_match *m)
{
	memset(m, 0, sizeof(*m));
	if (shape == RULES_MIXED)
		shape = random_below(r, RULES_MIXED);
	switch (shape) {
	case RULES_EXACT:
		random_exact(r, m);
		break;
	case RULES_PREFIX4:
		random_prefix4(r, m);
		break;
	case RULES_PREFIX6:
		random_prefix6(r, m);
		break;
	case RULES_ACL:
		random_acl(r, m);
		break;
	case RULES_MAC:
		random_mac(r, m);
		break;
	case RULES_BITS:
		random_bits(r, m, 12);
		break;
	default:
		random_bits(r, m, 100000);
		break;
	}
}

/* A key that the match accepts, or nearly. */
static inline void random_key(
	struct tn_random *r, enum rule_shape shape, const struct tn_match *m, struct tn_key *key)
{
	uint64_t *k = tn_key_words(key);
	struct tn_match noise;
	unsigned i;

	random_match(r, shape, &noise);
	if (random_below(r, 4) == 0)
		random_match(r, RULES_MIXED, &noise);
	for (i = 0; i < TN_KEY_WORDS; i++) {
		k[i] = (tn_key_cwords(&noise.value)[i] & ~tn_key_cwords(&m->mask)[i]) |
			tn_key_cwords(&m->value)[i];
	}
	if (random_below(r, 8) == 0) {
		i = random_below(r, TN_KEY_WORDS);
		k[i] ^= UINT64_C(1) << random_below(r, 64);
	}
}

#endif
