/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/field.h"

#include <string.h>

TN_KEY_SEQ_ASSERT(1);

#define MEMBER_SIZE(member) sizeof(((struct tn_key *)0)->member)
#define FIRST_WORD(member)  (offsetof(struct tn_key, member) / 8)
#define LAST_WORD(member)   ((offsetof(struct tn_key, member) + MEMBER_SIZE(member) - 1) / 8)

const struct tn_field tn_fields[TN_N_FIELDS] = {
#define TN_FIELD(id, name_, oxm_, bits_, member_, shift_, maskable_, writable_, prereq_) \
	[TN_FIELD_##id] = {                                                              \
		.name = name_,                                                           \
		.oxm = oxm_,                                                             \
		.bits = bits_,                                                           \
		.offset = offsetof(struct tn_key, member_),                              \
		.size = MEMBER_SIZE(member_),                                            \
		.shift = shift_,                                                         \
		.words = (2u << LAST_WORD(member_)) - (1u << FIRST_WORD(member_)),       \
		.maskable = maskable_,                                                   \
		.writable = writable_,                                                   \
		.prereq = TN_PREREQ_##prereq_,                                           \
	},
#include "dataplane/core/fields.def"
#undef TN_FIELD
};

TN_BUILD_ASSERT(sizeof(struct tn_key) <= UINT8_MAX, "tn_field.offset is too narrow");
TN_BUILD_ASSERT(TN_KEY_WORDS < 32, "tn_field.words is too narrow");

#define TN_FIELD(id, name_, oxm_, bits_, member_, shift_, maskable_, writable_, prereq_) \
	TN_BUILD_ASSERT((bits_) > 0 && (bits_) + (shift_) <= 8 * MEMBER_SIZE(member_),   \
		name_ " does not fit its member of the key");
#include "dataplane/core/fields.def"
#undef TN_FIELD

int tn_field_by_name(const char *name)
{
	for (int id = 0; id < TN_N_FIELDS; id++) {
		if (strcmp(tn_fields[id].name, name) == 0)
			return id;
	}
	return -1;
}

/* Whole words for the usual sizes: fields are written once per packet and action. */
static tn_u128 load_be(const uint8_t *p, unsigned size)
{
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;
	tn_u128 v = 0;

	switch (size) {
	case 1:
		return *p;
	case 2:
		memcpy(&v16, p, sizeof(v16));
		return __builtin_bswap16(v16);
	case 4:
		memcpy(&v32, p, sizeof(v32));
		return __builtin_bswap32(v32);
	case 8:
		memcpy(&v64, p, sizeof(v64));
		return __builtin_bswap64(v64);
	case 16:
		return load_be(p, 8) << 64 | load_be(p + 8, 8);
	default:
		for (unsigned i = 0; i < size; i++)
			v = v << 8 | p[i];
		return v;
	}
}

static void store_be(uint8_t *p, unsigned size, tn_u128 v)
{
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (size) {
	case 1:
		*p = (uint8_t)v;
		return;
	case 2:
		v16 = __builtin_bswap16((uint16_t)v);
		memcpy(p, &v16, sizeof(v16));
		return;
	case 4:
		v32 = __builtin_bswap32((uint32_t)v);
		memcpy(p, &v32, sizeof(v32));
		return;
	case 8:
		v64 = __builtin_bswap64((uint64_t)v);
		memcpy(p, &v64, sizeof(v64));
		return;
	case 16:
		store_be(p, 8, v >> 64);
		store_be(p + 8, 8, v);
		return;
	default:
		for (unsigned i = size; i-- > 0; v >>= 8)
			p[i] = (uint8_t)v;
	}
}

tn_u128 tn_field_get(const struct tn_key *key, enum tn_field_id id)
{
	const struct tn_field *f = &tn_fields[id];
	const uint8_t *p = (const uint8_t *)key + f->offset;

	return load_be(p, f->size) >> f->shift & tn_field_ones(id);
}

void tn_field_set_masked(struct tn_key *key, enum tn_field_id id, tn_u128 value, tn_u128 mask)
{
	const struct tn_field *f = &tn_fields[id];
	uint8_t *p = (uint8_t *)key + f->offset;

	mask = (mask & tn_field_ones(id)) << f->shift;
	value = value << f->shift & mask;
	store_be(p, f->size, (load_be(p, f->size) & ~mask) | value);
}

void tn_field_set(struct tn_key *key, enum tn_field_id id, tn_u128 value)
{
	tn_field_set_masked(key, id, value, tn_field_ones(id));
}

static bool is_ip(uint16_t eth_type)
{
	return eth_type == 0x0800 || eth_type == 0x86dd;
}

/* An L4 header of this protocol, in the first or only fragment. */
static bool has_l4(const struct tn_key *key, uint8_t proto)
{
	return is_ip(tn_be16toh(key->eth_type)) && key->ip_proto == proto &&
		!(key->ip_frag & TN_FRAG_LATER);
}

static bool has_icmpv4(const struct tn_key *key)
{
	return tn_be16toh(key->eth_type) == 0x0800 && has_l4(key, 1);
}

static bool has_icmpv6(const struct tn_key *key)
{
	return tn_be16toh(key->eth_type) == 0x86dd && has_l4(key, 58);
}

static bool prereq_present(const struct tn_key *key, enum tn_prereq p)
{
	uint16_t eth_type = tn_be16toh(key->eth_type);
	uint16_t icmp_type = tn_be16toh(key->tp_src);

	switch (p) {
	case TN_PREREQ_NONE:
	case TN_PREREQ_IN_PORT:
		return true;
	case TN_PREREQ_VLAN:
		return tn_be16toh(key->vlan_tci) & TN_VLAN_PRESENT;
	case TN_PREREQ_ARP:
		return eth_type == 0x0806 || eth_type == 0x8035;
	case TN_PREREQ_IP:
		return is_ip(eth_type);
	case TN_PREREQ_IPV4:
		return eth_type == 0x0800;
	case TN_PREREQ_IPV6:
		return eth_type == 0x86dd;
	case TN_PREREQ_TCP:
		return has_l4(key, 6);
	case TN_PREREQ_UDP:
		return has_l4(key, 17);
	case TN_PREREQ_SCTP:
		return has_l4(key, 132);
	case TN_PREREQ_ICMPV4:
		return has_icmpv4(key);
	case TN_PREREQ_ICMPV6:
		return has_icmpv6(key);
	case TN_PREREQ_ND:
		return has_icmpv6(key) && (icmp_type == 135 || icmp_type == 136);
	case TN_PREREQ_ND_NS:
		return has_icmpv6(key) && icmp_type == 135;
	case TN_PREREQ_ND_NA:
		return has_icmpv6(key) && icmp_type == 136;
	}
	return false;
}

bool tn_field_present(const struct tn_key *key, enum tn_field_id id)
{
	switch (id) {
	case TN_FIELD_VLAN_VID: /* needs no prerequisite to match: untagged is a value of it */
		return prereq_present(key, TN_PREREQ_VLAN);
	case TN_FIELD_INNER_VLAN_VID:
	case TN_FIELD_INNER_VLAN_PCP:
		return tn_be16toh(key->inner_vlan_tci) & TN_VLAN_PRESENT;
	default:
		return prereq_present(key, tn_fields[id].prereq);
	}
}

const char *tn_prereq_text(enum tn_prereq p)
{
	switch (p) {
	case TN_PREREQ_NONE:
		return "nothing";
	case TN_PREREQ_IN_PORT:
		return "in_port";
	case TN_PREREQ_VLAN:
		return "vlan_vid with a tag present (0x1000)";
	case TN_PREREQ_ARP:
		return "eth_type 0x0806 or 0x8035";
	case TN_PREREQ_IP:
		return "eth_type 0x0800 or 0x86dd";
	case TN_PREREQ_IPV4:
		return "eth_type 0x0800";
	case TN_PREREQ_IPV6:
		return "eth_type 0x86dd";
	case TN_PREREQ_TCP:
		return "eth_type 0x0800 or 0x86dd and ip_proto 6";
	case TN_PREREQ_UDP:
		return "eth_type 0x0800 or 0x86dd and ip_proto 17";
	case TN_PREREQ_SCTP:
		return "eth_type 0x0800 or 0x86dd and ip_proto 132";
	case TN_PREREQ_ICMPV4:
		return "eth_type 0x0800 and ip_proto 1";
	case TN_PREREQ_ICMPV6:
		return "eth_type 0x86dd and ip_proto 58";
	case TN_PREREQ_ND:
		return "eth_type 0x86dd, ip_proto 58 and icmpv6_type 135 or 136";
	case TN_PREREQ_ND_NS:
		return "eth_type 0x86dd, ip_proto 58 and icmpv6_type 135";
	case TN_PREREQ_ND_NA:
		return "eth_type 0x86dd, ip_proto 58 and icmpv6_type 136";
	}
	return "nothing";
}

tn_u128 tn_u128_from_ip6(const struct tn_ip6 *a)
{
	return load_be(a->b, sizeof(a->b));
}

struct tn_ip6 tn_u128_to_ip6(tn_u128 v)
{
	struct tn_ip6 a;

	store_be(a.b, sizeof(a.b), v);
	return a;
}

bool tn_u128_is_ip4(tn_u128 v, uint32_t *host_order)
{
	if (v >> 32 != 0xffff)
		return false;
	*host_order = (uint32_t)v;
	return true;
}
