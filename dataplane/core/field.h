/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fields by number: width, place in the key, what OpenFlow allows with them. Values are host-order
 * integers of up to 128 bits (an address is the number its bytes spell, first byte highest).
 * Pure, no state; safe from any thread.
 */
#ifndef TN_CORE_FIELD_H
#define TN_CORE_FIELD_H

#include "dataplane/core/key.h"
#include "dataplane/core/types.h"

typedef unsigned __int128 tn_u128;

enum tn_field_id {
#define TN_FIELD(id, ...) TN_FIELD_##id,
#include "dataplane/core/fields.def"
#undef TN_FIELD
	TN_N_FIELDS
};

TN_BUILD_ASSERT(TN_N_FIELDS <= 64, "sets of fields are uint64_t bitmaps");

/* What a match must fix before a field may be matched or set (OpenFlow 1.5, 7.2.3.8). */
enum tn_prereq {
	TN_PREREQ_NONE,
	TN_PREREQ_IN_PORT,
	TN_PREREQ_VLAN, /* a tag present */
	TN_PREREQ_ARP,	/* eth_type 0x0806 or 0x8035 */
	TN_PREREQ_IP,	/* eth_type 0x0800 or 0x86dd */
	TN_PREREQ_IPV4,
	TN_PREREQ_IPV6,
	TN_PREREQ_TCP,
	TN_PREREQ_UDP,
	TN_PREREQ_SCTP,
	TN_PREREQ_ICMPV4,
	TN_PREREQ_ICMPV6,
	TN_PREREQ_ND,	 /* ICMPv6 type 135 or 136 */
	TN_PREREQ_ND_NS, /* type 135 */
	TN_PREREQ_ND_NA, /* type 136 */
};

struct tn_field {
	const char *name; /* OXM lower case */
	int8_t oxm;	  /* -1: none */
	uint8_t bits;
	uint8_t offset; /* of the member in struct tn_key, bytes */
	uint8_t size;	/* of the member, bytes */
	uint8_t shift;	/* bits */
	uint32_t words; /* bit i: the member has bytes in word i of the key */
	bool maskable;
	bool writable;
	enum tn_prereq prereq;
};

extern const struct tn_field tn_fields[TN_N_FIELDS];

/* By OXM lower-case name, NULL-terminated; -1 when there is none. */
int tn_field_by_name(const char *name);

/* All ones of the field's width. */
static inline tn_u128 tn_field_ones(enum tn_field_id id)
{
	unsigned bits = tn_fields[id].bits;

	return bits == 128 ? ~(tn_u128)0 : ((tn_u128)1 << bits) - 1;
}

tn_u128 tn_field_get(const struct tn_key *key, enum tn_field_id id);
/* Bits of value above the field's width are ignored. */
void tn_field_set(struct tn_key *key, enum tn_field_id id, tn_u128 value);
/* key.field = (key.field & ~mask) | (value & mask) */
void tn_field_set_masked(struct tn_key *key, enum tn_field_id id, tn_u128 value, tn_u128 mask);

/*
 * Does a packet with this key have the field at all (an untagged packet no vlan_pcp, a later
 * fragment no tcp_src)? The run-time side of the prerequisites.
 */
bool tn_field_present(const struct tn_key *key, enum tn_field_id id);

/* "eth_type 0x0800 and ip_proto 6": for error sentences. */
const char *tn_prereq_text(enum tn_prereq p);

tn_u128 tn_u128_from_ip6(const struct tn_ip6 *a);
struct tn_ip6 tn_u128_to_ip6(tn_u128 v);
/* ::ffff:a.b.c.d */
static inline tn_u128 tn_u128_from_ip4(uint32_t host_order)
{
	return ((tn_u128)0xffff << 32) | host_order;
}
/* True for ::ffff:0:0/96; then *host_order is the IPv4 address. */
bool tn_u128_is_ip4(tn_u128 v, uint32_t *host_order);

#endif
