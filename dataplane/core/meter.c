/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A band is a bucket of tokens: packets for PKTPS, bytes else. It fills at the band's rate up to
 * its capacity; a packet that finds too few tokens exceeds the band and takes none. Each band keeps
 * its own count, whatever another band decides about the packet.
 *
 * Capacity: with BURST and a burst size other than 0 that size, else what one second brings at the
 * band's rate, but never less than one full-size Ethernet frame, so that a slow band lets some
 * packet pass at all. A kilobit is 1000 bit.
 *
 * A refill is exact: what is left of it below one token, in token-nanoseconds a second, stays in
 * `remainder` until the next.
 */
#include "dataplane/core/meter.h"

#include <errno.h>
#include <string.h>

#define NS_PER_S	UINT64_C(1000000000)
#define BYTES_PER_KBIT	125u
#define FULL_FRAME	1518u
#define UNIT_FLAGS	(TN_METER_KBPS | TN_METER_PKTPS | TN_METER_BYTEPS)
#define KNOWN_FLAGS	(UNIT_FLAGS | TN_METER_BURST | TN_METER_STATS)
#define AF_DROP_HIGHEST 3u

static uint64_t to_tokens(uint32_t flags, uint32_t amount)
{
	return flags & TN_METER_KBPS ? (uint64_t)amount * BYTES_PER_KBIT : amount;
}

size_t tn_meter_size(uint16_t n_bands)
{
	return sizeof(struct tn_meter) + n_bands * sizeof(struct tn_meter_band);
}

static uint64_t capacity(uint32_t flags, const struct tn_band *config)
{
	uint64_t second = to_tokens(flags, config->rate);

	if (flags & TN_METER_BURST && config->burst != 0)
		return to_tokens(flags, config->burst);
	if (!(flags & TN_METER_PKTPS) && second < FULL_FRAME)
		return FULL_FRAME;
	return second;
}

void tn_meter_init(struct tn_meter *m, const struct tn_meter_mod *mod, uint64_t now_ns)
{
	memset(m, 0, tn_meter_size(mod->n_bands));
	m->meter_id = mod->meter_id;
	m->flags = mod->flags;
	m->owner = mod->owner;
	m->n_bands = mod->n_bands;
	m->created_ns = now_ns;
	m->last_ns = now_ns;
	for (unsigned i = 0; i < mod->n_bands; i++) {
		struct tn_meter_band *band = &m->bands[i];

		band->config = mod->bands[i];
		band->capacity = capacity(mod->flags, &band->config);
		band->tokens = band->capacity;
	}
}

static int check_id(const struct tn_meter_mod *mod, struct tn_error *err)
{
	if (mod->command == TN_METER_DELETE && mod->meter_id == TN_METER_ALL)
		return 0;
	if (mod->meter_id == 0 || mod->meter_id > TN_METER_MAX)
		return tn_error_set(err, TN_OFPMMFC_INVALID_METER, -1,
			"meter 0x%x is out of range; give 1 to 0x%x", mod->meter_id, TN_METER_MAX);
	return 0;
}

static int check_flags(uint32_t flags, struct tn_error *err)
{
	if (flags & ~(uint32_t)KNOWN_FLAGS)
		return tn_error_set(err, TN_OFPMMFC_BAD_FLAGS, -1,
			"flags 0x%x hold bits that mean nothing; give KBPS, PKTPS or BYTEPS, and "
			"BURST and STATS as wanted",
			flags);
	if (__builtin_popcount(flags & UNIT_FLAGS) != 1)
		return tn_error_set(err, TN_OFPMMFC_BAD_FLAGS, -1,
			"flags 0x%x must name one unit; give one of KBPS, PKTPS and BYTEPS", flags);
	return 0;
}

static int check_band(const struct tn_band *band, int i, struct tn_error *err)
{
	if (band->type != TN_BAND_DROP && band->type != TN_BAND_DSCP_REMARK)
		return tn_error_set(err, TN_OFPMMFC_BAD_BAND, i,
			"band type %u is unknown; give DROP (1) or DSCP_REMARK (2)",
			(unsigned)band->type);
	if (band->rate == 0)
		return tn_error_set(err, TN_OFPMMFC_BAD_RATE, i,
			"rate 0 would never let a packet pass; give 1 or more, or drop by a flow");
	if (band->type == TN_BAND_DSCP_REMARK && band->prec_level == 0)
		return tn_error_set(err, TN_OFPMMFC_BAD_BAND_VALUE, i,
			"prec_level 0 would change nothing; give how many steps of drop precedence "
			"to add, 1 or 2");
	return 0;
}

int tn_meter_check(const struct tn_meter_mod *mod, struct tn_error *err)
{
	if (mod->command != TN_METER_ADD && mod->command != TN_METER_MODIFY &&
		mod->command != TN_METER_DELETE)
		return tn_error_set(err, TN_OFPMMFC_BAD_COMMAND, -1,
			"command %u is unknown; give add, modify or delete",
			(unsigned)mod->command);
	if (check_id(mod, err))
		return -EINVAL;
	if (mod->command == TN_METER_DELETE)
		return 0;
	if (check_flags(mod->flags, err))
		return -EINVAL;
	if (mod->n_bands > TN_METER_BANDS_MAX)
		return tn_error_set(err, TN_OFPMMFC_OUT_OF_BANDS, -1,
			"%u bands are too many; give at most %u", mod->n_bands, TN_METER_BANDS_MAX);
	for (unsigned i = 0; i < mod->n_bands; i++) {
		if (check_band(&mod->bands[i], (int)i, err))
			return -EINVAL;
	}
	return 0;
}

/* Rates go to 2^32 - 1 kilobit and gaps to 2^64 ns: their product needs 128 bits. */
static void refill(struct tn_meter_band *band, uint32_t flags, uint64_t elapsed_ns)
{
	uint64_t per_second = to_tokens(flags, band->config.rate);
	uint64_t room = band->capacity - band->tokens;
	uint64_t low;
	tn_u128 gained;

	if (!__builtin_mul_overflow(per_second, elapsed_ns, &low) &&
		!__builtin_add_overflow(low, band->remainder, &low)) {
		gained = low / NS_PER_S;
		band->remainder = low % NS_PER_S;
	} else {
		tn_u128 all = (tn_u128)per_second * elapsed_ns + band->remainder;

		gained = all / NS_PER_S;
		band->remainder = (uint64_t)(all % NS_PER_S);
	}
	if (gained >= room) {
		band->tokens = band->capacity;
		band->remainder = 0;
	} else {
		band->tokens += (uint64_t)gained;
	}
}

/* Takes the packet's tokens, or says that the band is exceeded. */
static bool exceeds(struct tn_meter_band *band, uint64_t cost)
{
	if (band->tokens < cost)
		return true;
	band->tokens -= cost;
	return false;
}

enum tn_meter_verdict tn_meter_run(
	struct tn_meter *m, uint64_t now_ns, uint32_t bytes, uint8_t *prec_level)
{
	uint64_t elapsed = now_ns > m->last_ns ? now_ns - m->last_ns : 0;
	uint64_t cost = m->flags & TN_METER_PKTPS ? 1 : bytes;
	struct tn_meter_band *hit = NULL;

	m->last_ns = now_ns;
	m->counter.packets++;
	m->counter.bytes += bytes;
	for (unsigned i = 0; i < m->n_bands; i++) {
		struct tn_meter_band *band = &m->bands[i];

		if (elapsed)
			refill(band, m->flags, elapsed);
		if (exceeds(band, cost) && (!hit || band->config.rate > hit->config.rate))
			hit = band;
	}
	if (!hit)
		return TN_METER_PASS;
	hit->counter.packets++;
	hit->counter.bytes += bytes;
	if (hit->config.type == TN_BAND_DROP)
		return TN_METER_DROP;
	*prec_level = hit->config.prec_level;
	return TN_METER_REMARK;
}

/* An AF codepoint is class 1 to 4 in the upper three bits, drop precedence 1 to 3, a zero bit. */
uint8_t tn_dscp_remark(uint8_t dscp, uint8_t prec_level)
{
	unsigned class = dscp >> 3, drop = dscp >> 1 & 3;

	if (class < 1 || class > 4 || drop == 0 || dscp & 1)
		return dscp;
	drop += prec_level;
	if (drop > AF_DROP_HIGHEST)
		drop = AF_DROP_HIGHEST;
	return (uint8_t)(class << 3 | drop << 1);
}
