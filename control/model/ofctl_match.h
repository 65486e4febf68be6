/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Matches in ovs-ofctl text. The items of a line are collected in any order and settled together:
 * some names mean a field that another item decides (tp_src, icmp_type of icmp6, nw_src of arp).
 * Internal to ofctl_*.c.
 */
#ifndef TN_MODEL_OFCTL_MATCH_H
#define TN_MODEL_OFCTL_MATCH_H

#include "control/model/ofctl_field.h"

#define TN_OFCTL_TERMS_MAX 128u

/* One condition on one field, and where it is written. */
struct tn_ofctl_term {
	struct tn_ofctl_span name;
	const char *value_at, *mask_at;
	uint8_t field;	 /* enum tn_field_id */
	bool is_tp;	 /* spelt tp_src or tp_dst: of whatever protocol */
	bool is_bits;	 /* some bits of a field: joins other such terms */
	bool is_implied; /* comes with another term: gives way to what is written */
	tn_u128 value, mask;
};

struct tn_ofctl_terms {
	size_t n;
	struct tn_ofctl_term term[TN_OFCTL_TERMS_MAX];
};

/*
 * Takes an item that is a protocol word or a field: 1; 0 when it is neither; -EINVAL when it is
 * wrong (complained).
 */
int tn_ofctl_match_item(struct tn_ofctl_line *l, const struct tn_ofctl_item *item,
	struct tn_ofctl_terms *terms) TN_MUST_CHECK;
/* All items are in: fills *match. -EINVAL when they do not fit together (complained). */
int tn_ofctl_match_settle(struct tn_ofctl_line *l, struct tn_ofctl_terms *terms,
	struct tn_match *match) TN_MUST_CHECK;
/* Protocol words and fields. */
void tn_ofctl_each_match_word(tn_ofctl_word_fn fn, void *ctx);

/* Conditions, each followed by a comma. */
void tn_ofctl_put_match(struct tn_ofctl_out *out, const struct tn_match *match);

#endif
