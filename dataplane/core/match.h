/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A match: value and mask over the whole flow key. Canonical when value has no bit outside mask;
 * every function here keeps it so. Plain data, caller storage; pure; safe from any thread.
 */
#ifndef TN_CORE_MATCH_H
#define TN_CORE_MATCH_H

#include "dataplane/core/error.h"
#include "dataplane/core/field.h"
#include "dataplane/core/key.h"

struct tn_match {
	struct tn_key value;
	struct tn_key mask;
};

void tn_match_init(struct tn_match *m); /* matches everything */

/*
 * Adds one field. value bits outside mask are cleared; mask 0 adds nothing. No prerequisite is
 * looked at: callers set every field first and then ask tn_match_prereq_ok() for each they named.
 * Refused: mask on a field that takes none (BAD_MASK), value over the width (BAD_VALUE), a field
 * set before (DUP_FIELD).
 */
int tn_match_set(struct tn_match *m, enum tn_field_id id, tn_u128 value, tn_u128 mask,
	struct tn_error *err) TN_MUST_CHECK;

/* Exact value, for code that knows the field is free and in range. */
void tn_match_set_exact(struct tn_match *m, enum tn_field_id id, tn_u128 value);

/* Does the match fix what the field needs? */
bool tn_match_prereq_ok(const struct tn_match *m, enum tn_field_id id);

/*
 * The fields the match constrains, as bitmap of enum tn_field_id. Members that share storage are
 * told apart by prerequisites.
 */
uint64_t tn_match_fields(const struct tn_match *m);
tn_u128 tn_match_value(const struct tn_match *m, enum tn_field_id id);
tn_u128 tn_match_mask(const struct tn_match *m, enum tn_field_id id);

/*
 * Is the match one that the codecs could have built: canonical, every constrained bit belongs to a
 * field whose prerequisites hold, masks only where allowed? For input that did not come by codec.
 */
int tn_match_check(const struct tn_match *m, struct tn_error *err) TN_MUST_CHECK;
/* The same for who has asked tn_match_fields() already. */
int tn_match_check_fields(
	const struct tn_match *m, uint64_t fields, struct tn_error *err) TN_MUST_CHECK;

bool tn_match_equal(const struct tn_match *a, const struct tn_match *b);
/* Every packet of `specific` is one of `general` (OpenFlow non-strict matching). */
bool tn_match_subsumes(const struct tn_match *general, const struct tn_match *specific);
/* Some packet could match both (OpenFlow CHECK_OVERLAP). */
bool tn_match_overlaps(const struct tn_match *a, const struct tn_match *b);
bool tn_match_key(const struct tn_match *m, const struct tn_key *key);

/*
 * The stable identity of a flow: a 64-bit hash of device, table, priority and canonical match,
 * the same on every machine and in every version that keeps TN_KEY_SEQ. Never 0.
 */
uint64_t tn_flow_id(uint64_t dpid, uint8_t table, uint16_t priority, const struct tn_match *m);

#endif
