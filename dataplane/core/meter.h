/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Meters (OpenFlow 1.5, 5.8): token buckets, one a band. Of the bands whose rate is exceeded the
 * one with the highest rate applies. Time is an argument, in nanoseconds of any origin that does
 * not go back (a step back counts as no time passed). One thread at a time per meter.
 */
#ifndef TN_CORE_METER_H
#define TN_CORE_METER_H

#include "dataplane/core/mods.h"
#include "dataplane/core/types.h"

#define TN_METER_BANDS_MAX 16u

enum tn_meter_verdict { TN_METER_PASS, TN_METER_DROP, TN_METER_REMARK };

struct tn_meter_band {
	struct tn_band config;
	uint64_t capacity; /* bucket size, in token units (see meter.c) */
	uint64_t tokens;
	uint64_t remainder;	   /* of the last refill, so that slow rates do not drift */
	struct tn_counter counter; /* packets that the band dropped or remarked */
};

struct tn_meter {
	uint32_t meter_id;
	uint32_t flags; /* enum tn_meter_flags */
	uint32_t owner;
	uint16_t n_bands;
	uint16_t busy; /* atomic: an engine with several threads takes it around tn_meter_run() */
	uint64_t created_ns;
	uint64_t last_ns;
	struct tn_counter counter; /* packets that came in */
	struct tn_meter_band bands[];
};

/* Sets up caller storage of tn_meter_size(mod->n_bands) bytes; buckets start full. */
size_t tn_meter_size(uint16_t n_bands);
void tn_meter_init(struct tn_meter *m, const struct tn_meter_mod *mod, uint64_t now_ns);
/* Ranges and flags of the request (OpenFlow's METER_MOD errors); err->index is the band. */
int tn_meter_check(const struct tn_meter_mod *mod, struct tn_error *err) TN_MUST_CHECK;

/* One packet of `bytes` (frame without FCS). *prec_level is set with TN_METER_REMARK. */
enum tn_meter_verdict tn_meter_run(
	struct tn_meter *m, uint64_t now_ns, uint32_t bytes, uint8_t *prec_level) TN_MUST_CHECK;

/*
 * DSCP after adding prec_level steps of drop precedence (RFC 2597): AFx1 -> AFx2 -> AFx3, which is
 * the end; codepoints outside the AF classes stay.
 */
uint8_t tn_dscp_remark(uint8_t dscp, uint8_t prec_level);

#endif
