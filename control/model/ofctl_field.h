/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of fields in ovs-ofctl text, and their values in and out. A name is a view on one or more
 * fields of the switch: vlan_tci on vlan_vid and vlan_pcp, xreg0 on reg0 and reg1, nw_tos on
 * ip_dscp. Internal to ofctl_*.c.
 */
#ifndef TN_MODEL_OFCTL_FIELD_H
#define TN_MODEL_OFCTL_FIELD_H

#include "control/model/ofctl_text.h"

/* How a value is written. */
enum tn_ofctl_format {
	TN_OFCTL_DECIMAL,
	TN_OFCTL_HEX,
	TN_OFCTL_MAC,
	TN_OFCTL_IP4,
	TN_OFCTL_IP6,
	TN_OFCTL_PORT,
	TN_OFCTL_FRAG,
	TN_OFCTL_TCP_FLAGS,
};

/* Bits of the view from `ofs` on are those of the field from `field_ofs` on. */
struct tn_ofctl_piece {
	uint8_t field; /* enum tn_field_id */
	uint8_t field_ofs, ofs, n_bits;
};

struct tn_ofctl_view {
	const char *name;	    /* as set_field has it; NULL where it is more than one field */
	struct tn_ofctl_span spelt; /* by_name: as it was written */
	enum tn_ofctl_format format;
	uint8_t bits;
	bool exact_only; /* takes no mask though its field does */
	uint8_t n_pieces;
	struct tn_ofctl_piece piece[4]; /* from the lowest bits up */
	/*
	 * Bits that come with it: ::ffff:0:0/96 with an IPv4 tunnel address, the presence of a tag
	 * with its VID. mask 0: none.
	 */
	uint8_t with_field;
	tn_u128 with_value, with_mask;
};

/* The field of that name or alias; with nxm also NXM_* and OXM_* names. */
bool tn_ofctl_view_by_name(struct tn_ofctl_span name, bool nxm, struct tn_ofctl_view *view);
/* Is it a field of Open vSwitch that this switch does not have? */
bool tn_ofctl_is_foreign_field(struct tn_ofctl_span name);
/* A view of one field, under the name by which set_field is printed. */
void tn_ofctl_view_of(enum tn_field_id id, struct tn_ofctl_view *view);
/* The fields in the order of Open vSwitch: i below TN_N_FIELDS. */
enum tn_field_id tn_ofctl_field_in_order(unsigned i);
/* The names of all fields. */
void tn_ofctl_each_field(tn_ofctl_word_fn fn, void *ctx);
/* Complains of a name that is no field, or one that the switch does not have (with `of`). */
int tn_ofctl_no_field(struct tn_ofctl_line *l, struct tn_ofctl_span name, enum tn_of_error of);

/* FIELD, FIELD[], FIELD[n] or FIELD[a..b]. */
struct tn_ofctl_subfield {
	struct tn_ofctl_view view;
	uint8_t ofs, n_bits;
};
int tn_ofctl_parse_subfield(struct tn_ofctl_line *l, struct tn_ofctl_span s, bool nxm,
	enum tn_of_error of, struct tn_ofctl_subfield *sub) TN_MUST_CHECK;
/* In NXM style: NXM_NX_REG0[0..15]. */
void tn_ofctl_put_subfield(struct tn_ofctl_out *out, enum tn_field_id id, unsigned ofs,
	unsigned n_bits, bool is_source);

/*
 * VALUE, VALUE/MASK, or "*" (mask 0). Value bits outside the mask are cleared. *mask_at is where
 * the mask is written; the value, where there is none.
 */
int tn_ofctl_parse_value(struct tn_ofctl_line *l, const struct tn_ofctl_view *view,
	struct tn_ofctl_span s, enum tn_of_error of, tn_u128 *value, tn_u128 *mask,
	const char **mask_at) TN_MUST_CHECK;
/* As set_field has it. */
void tn_ofctl_put_value(
	struct tn_ofctl_out *out, const struct tn_ofctl_view *view, tn_u128 value, tn_u128 mask);

void tn_ofctl_put_mac(struct tn_ofctl_out *out, uint64_t value, uint64_t mask);
void tn_ofctl_put_ip4(struct tn_ofctl_out *out, uint32_t value, uint32_t mask);
void tn_ofctl_put_ip6(struct tn_ofctl_out *out, tn_u128 value, tn_u128 mask);
void tn_ofctl_put_frag(struct tn_ofctl_out *out, unsigned value, unsigned mask);
void tn_ofctl_put_tcp_flags(struct tn_ofctl_out *out, unsigned value, unsigned mask);

static inline tn_u128 tn_ofctl_ones(unsigned bits)
{
	return bits >= 128 ? ~(tn_u128)0 : ((tn_u128)1 << bits) - 1;
}

/* An IPv4 address in a tunnel field, exact or masked in its low 32 bits only? */
static inline bool tn_ofctl_is_mapped(tn_u128 value, tn_u128 mask)
{
	return (mask >> 32) == tn_ofctl_ones(96) && (value >> 32) == 0xffff;
}

#endif
