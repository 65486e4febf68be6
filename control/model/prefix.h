/* SPDX-License-Identifier: BSD-3-Clause */
/* Arithmetic on prefixes. Addresses are 128 bits, IPv4 as ::ffff:a.b.c.d. */
#ifndef TN_MODEL_PREFIX_H
#define TN_MODEL_PREFIX_H

#include "control/model/tenant.h"

/* Length counted in 128 bits. */
static inline unsigned tn_prefix_bits(const struct tn_prefix *p)
{
	return p->len + (p->is_ip4 ? 96u : 0u);
}

static inline tn_u128 tn_prefix_mask(const struct tn_prefix *p)
{
	unsigned n = tn_prefix_bits(p);

	return n ? ~(tn_u128)0 << (128 - n) : 0;
}

static inline tn_u128 tn_prefix_first(const struct tn_prefix *p)
{
	return p->address & tn_prefix_mask(p);
}

static inline tn_u128 tn_prefix_last(const struct tn_prefix *p)
{
	return p->address | ~tn_prefix_mask(p);
}

static inline bool tn_address_is_ip4(tn_u128 address)
{
	return address >> 32 == 0xffff;
}

/* One address and no other. */
static inline struct tn_prefix tn_prefix_of_host(tn_u128 address)
{
	bool is_ip4 = tn_address_is_ip4(address);

	return (struct tn_prefix){.address = address, .len = is_ip4 ? 32 : 128, .is_ip4 = is_ip4};
}

/* Of its family, too: ::/0 holds no IPv4 address. */
static inline bool tn_prefix_holds(const struct tn_prefix *p, tn_u128 address)
{
	return p->is_ip4 == tn_address_is_ip4(address) &&
		(address & tn_prefix_mask(p)) == tn_prefix_first(p);
}

static inline bool tn_prefixes_overlap(const struct tn_prefix *a, const struct tn_prefix *b)
{
	const struct tn_prefix *wide = tn_prefix_bits(a) < tn_prefix_bits(b) ? a : b;

	return a->is_ip4 == b->is_ip4 && tn_prefix_holds(wide, wide == a ? b->address : a->address);
}

/* Can a station have it: not the address of the network itself, nor IPv4's broadcast. */
static inline bool tn_prefix_holds_station(const struct tn_prefix *p, tn_u128 address)
{
	if (!tn_prefix_holds(p, address))
		return false;
	if (tn_prefix_bits(p) >= 127)
		return true;
	return address != tn_prefix_first(p) && (!p->is_ip4 || address != tn_prefix_last(p));
}

/* Do stations make addresses of it by themselves, as router advertisements tell them? */
static inline bool tn_subnet_is_autonomous(const struct tn_subnet *s)
{
	return s->ipv6_mode == TN_IPV6_SLAAC || s->ipv6_mode == TN_IPV6_STATELESS;
}

/* The one that a station makes of its MAC address (RFC 4291, appendix A), under 64 bits. */
static inline tn_u128 tn_prefix_eui64(const struct tn_prefix *p, struct tn_mac mac)
{
	uint64_t id = (uint64_t)(mac.b[0] ^ 2) << 56 | (uint64_t)mac.b[1] << 48 |
		(uint64_t)mac.b[2] << 40 | UINT64_C(0xfffe) << 24 | (uint64_t)mac.b[3] << 16 |
		(uint64_t)mac.b[4] << 8 | mac.b[5];

	return tn_prefix_first(p) | id;
}

#endif
