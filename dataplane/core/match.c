/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/match.h"

#include <errno.h>
#include <string.h>

TN_KEY_SEQ_ASSERT(1);

void tn_match_init(struct tn_match *m)
{
	memset(m, 0, sizeof(*m));
}

tn_u128 tn_match_value(const struct tn_match *m, enum tn_field_id id)
{
	return tn_field_get(&m->value, id);
}

tn_u128 tn_match_mask(const struct tn_match *m, enum tn_field_id id)
{
	return tn_field_get(&m->mask, id);
}

int tn_match_set(
	struct tn_match *m, enum tn_field_id id, tn_u128 value, tn_u128 mask, struct tn_error *err)
{
	const struct tn_field *f = &tn_fields[id];
	tn_u128 ones = tn_field_ones(id);

	if (value & ~ones)
		return tn_error_set(err, TN_OFPBMC_BAD_VALUE, -1,
			"%s: value does not fit the field; give at most %u bits", f->name, f->bits);
	if (mask & ~ones)
		return tn_error_set(err, TN_OFPBMC_BAD_MASK, -1,
			"%s: mask does not fit the field; give at most %u bits", f->name, f->bits);
	if (mask == 0)
		return 0;
	if (mask != ones && !f->maskable)
		return tn_error_set(err, TN_OFPBMC_BAD_MASK, -1,
			"%s takes no mask; match its whole value or leave it out", f->name);
	if (tn_match_mask(m, id) != 0)
		return tn_error_set(err, TN_OFPBMC_DUP_FIELD, -1,
			"%s, or a field that excludes it, is in the match already; "
			"give one of the two",
			f->name);
	tn_field_set(&m->value, id, value & mask);
	tn_field_set(&m->mask, id, mask);
	return 0;
}

void tn_match_set_exact(struct tn_match *m, enum tn_field_id id, tn_u128 value)
{
	tn_field_set(&m->value, id, value);
	tn_field_set(&m->mask, id, tn_field_ones(id));
}

static bool fixes_eth_type(const struct tn_match *m, uint16_t eth_type)
{
	return m->mask.eth_type.raw == UINT16_MAX && tn_be16toh(m->value.eth_type) == eth_type;
}

static bool fixes_ip(const struct tn_match *m)
{
	return fixes_eth_type(m, 0x0800) || fixes_eth_type(m, 0x86dd);
}

static bool fixes_ip_proto(const struct tn_match *m, uint8_t proto)
{
	return m->mask.ip_proto == UINT8_MAX && m->value.ip_proto == proto;
}

static bool fixes_icmpv6(const struct tn_match *m)
{
	return fixes_eth_type(m, 0x86dd) && fixes_ip_proto(m, 58);
}

static bool fixes_icmpv6_type(const struct tn_match *m, uint8_t type)
{
	return fixes_icmpv6(m) &&
		tn_match_mask(m, TN_FIELD_ICMPV6_TYPE) == tn_field_ones(TN_FIELD_ICMPV6_TYPE) &&
		tn_match_value(m, TN_FIELD_ICMPV6_TYPE) == type;
}

static bool prereq_ok(const struct tn_match *m, enum tn_prereq p)
{
	switch (p) {
	case TN_PREREQ_NONE:
		return true;
	case TN_PREREQ_IN_PORT:
		return m->mask.in_port.raw == UINT32_MAX;
	case TN_PREREQ_VLAN:
		return tn_be16toh(m->value.vlan_tci) & TN_VLAN_PRESENT;
	case TN_PREREQ_ARP:
		return fixes_eth_type(m, 0x0806) || fixes_eth_type(m, 0x8035);
	case TN_PREREQ_IP:
		return fixes_ip(m);
	case TN_PREREQ_IPV4:
		return fixes_eth_type(m, 0x0800);
	case TN_PREREQ_IPV6:
		return fixes_eth_type(m, 0x86dd);
	case TN_PREREQ_TCP:
		return fixes_ip(m) && fixes_ip_proto(m, 6);
	case TN_PREREQ_UDP:
		return fixes_ip(m) && fixes_ip_proto(m, 17);
	case TN_PREREQ_SCTP:
		return fixes_ip(m) && fixes_ip_proto(m, 132);
	case TN_PREREQ_ICMPV4:
		return fixes_eth_type(m, 0x0800) && fixes_ip_proto(m, 1);
	case TN_PREREQ_ICMPV6:
		return fixes_icmpv6(m);
	case TN_PREREQ_ND:
		return fixes_icmpv6_type(m, 135) || fixes_icmpv6_type(m, 136);
	case TN_PREREQ_ND_NS:
		return fixes_icmpv6_type(m, 135);
	case TN_PREREQ_ND_NA:
		return fixes_icmpv6_type(m, 136);
	}
	return false;
}

bool tn_match_prereq_ok(const struct tn_match *m, enum tn_field_id id)
{
	return prereq_ok(m, tn_fields[id].prereq);
}

/* Fields whose storage another field uses too, under prerequisites that exclude each other. */
#define F(id) (UINT64_C(1) << TN_FIELD_##id)
#define SHARED_FIELDS                                                                          \
	(F(IPV4_SRC) | F(IPV4_DST) | F(ARP_SPA) | F(ARP_TPA) | F(ARP_SHA) | F(ARP_THA) |       \
		F(ND_SLL) | F(ND_TLL) | F(TCP_SRC) | F(TCP_DST) | F(UDP_SRC) | F(UDP_DST) |    \
		F(SCTP_SRC) | F(SCTP_DST) | F(ICMPV4_TYPE) | F(ICMPV4_CODE) | F(ICMPV6_TYPE) | \
		F(ICMPV6_CODE))

/* Few words of a mask are not zero, and most fields are elsewhere. */
static uint32_t masked_words(const struct tn_match *m)
{
	const uint64_t *mask = tn_key_cwords(&m->mask);
	uint32_t words = 0;

	for (unsigned i = 0; i < TN_KEY_WORDS; i++)
		words |= (uint32_t)(mask[i] != 0) << i;
	return words;
}

uint64_t tn_match_fields(const struct tn_match *m)
{
	uint32_t words = masked_words(m);
	uint64_t fields = 0;

	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		uint64_t bit = UINT64_C(1) << id;

		if (!(tn_fields[id].words & words) || tn_match_mask(m, id) == 0)
			continue;
		if (!(bit & SHARED_FIELDS) || tn_match_prereq_ok(m, id))
			fields |= bit;
	}
	return fields;
}

/* The match constrains bits that no field of it accounts for. */
static int refuse_stray(const struct tn_match *m, const struct tn_key *known, struct tn_error *err)
{
	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		if (tn_match_mask(m, id) & ~tn_field_get(known, id))
			return tn_error_set(err, TN_OFPBMC_BAD_PREREQ, -1,
				"%s needs %s in the match", tn_fields[id].name,
				tn_prereq_text(tn_fields[id].prereq));
	}
	return tn_error_set(err, TN_OFPBMC_BAD_FIELD, -1,
		"match constrains bits of the key that belong to no field; clear them in the mask");
}

static int check_field(const struct tn_match *m, enum tn_field_id id, struct tn_error *err)
{
	const struct tn_field *f = &tn_fields[id];

	if (!tn_match_prereq_ok(m, id))
		return tn_error_set(err, TN_OFPBMC_BAD_PREREQ, -1, "%s needs %s in the match",
			f->name, tn_prereq_text(f->prereq));
	if (!f->maskable && tn_match_mask(m, id) != tn_field_ones(id))
		return tn_error_set(err, TN_OFPBMC_BAD_MASK, -1,
			"%s takes no mask; match its whole value or leave it out", f->name);
	return 0;
}

int tn_match_check(const struct tn_match *m, struct tn_error *err)
{
	return tn_match_check_fields(m, tn_match_fields(m), err);
}

int tn_match_check_fields(const struct tn_match *m, uint64_t fields, struct tn_error *err)
{
	const uint64_t *value = tn_key_cwords(&m->value);
	const uint64_t *mask = tn_key_cwords(&m->mask);
	uint64_t outside = 0;
	struct tn_key known;

	memset(&known, 0, sizeof(known));
	for (; fields; fields &= fields - 1) {
		enum tn_field_id id = (enum tn_field_id)__builtin_ctzll(fields);

		if (check_field(m, id, err))
			return -EINVAL;
		tn_field_set(&known, id, tn_field_ones(id));
	}
	for (unsigned i = 0; i < TN_KEY_WORDS; i++) {
		if (mask[i] & ~tn_key_cwords(&known)[i])
			return refuse_stray(m, &known, err);
		outside |= value[i] & ~mask[i];
	}
	if (outside)
		return tn_error_set(err, TN_OFPBMC_BAD_WILDCARDS, -1,
			"match has value bits outside its mask; clear them");
	return 0;
}

bool tn_match_equal(const struct tn_match *a, const struct tn_match *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool tn_match_subsumes(const struct tn_match *general, const struct tn_match *specific)
{
	const uint64_t *gv = tn_key_cwords(&general->value), *gm = tn_key_cwords(&general->mask);
	const uint64_t *sv = tn_key_cwords(&specific->value), *sm = tn_key_cwords(&specific->mask);

	for (unsigned i = 0; i < TN_KEY_WORDS; i++) {
		if ((gm[i] & ~sm[i]) || ((gv[i] ^ sv[i]) & gm[i]))
			return false;
	}
	return true;
}

bool tn_match_overlaps(const struct tn_match *a, const struct tn_match *b)
{
	const uint64_t *av = tn_key_cwords(&a->value), *am = tn_key_cwords(&a->mask);
	const uint64_t *bv = tn_key_cwords(&b->value), *bm = tn_key_cwords(&b->mask);

	for (unsigned i = 0; i < TN_KEY_WORDS; i++) {
		if ((av[i] ^ bv[i]) & am[i] & bm[i])
			return false;
	}
	return true;
}

bool tn_match_key(const struct tn_match *m, const struct tn_key *key)
{
	const uint64_t *value = tn_key_cwords(&m->value), *mask = tn_key_cwords(&m->mask);
	const uint64_t *k = tn_key_cwords(key);

	for (unsigned i = 0; i < TN_KEY_WORDS; i++) {
		if ((k[i] ^ value[i]) & mask[i])
			return false;
	}
	return true;
}

/* Bijective: two states that take in different words never become the same. */
static uint64_t hash_add(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

uint64_t tn_flow_id(uint64_t dpid, uint8_t table, uint16_t priority, const struct tn_match *m)
{
	const uint64_t *value = tn_key_cwords(&m->value), *mask = tn_key_cwords(&m->mask);
	uint64_t hash = hash_add(0, dpid);

	hash = hash_add(hash, (uint64_t)table << 16 | priority);
	for (unsigned i = 0; i < TN_KEY_WORDS; i++) {
		if (mask[i] == 0)
			continue;
		hash = hash_add(hash, i);
		hash = hash_add(hash, mask[i]);
		hash = hash_add(hash, value[i] & mask[i]);
	}
	return hash ? hash : 1;
}
