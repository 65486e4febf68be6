/* SPDX-License-Identifier: BSD-3-Clause */
/* Actions and instructions in ovs-ofctl text. Internal to ofctl_*.c. */
#ifndef TN_MODEL_OFCTL_ACTION_H
#define TN_MODEL_OFCTL_ACTION_H

#include "control/model/ofctl_field.h"

/* Words of enum tn_packet_in_reason. */
#define TN_OFCTL_N_REASONS (TN_PACKET_IN_PACKET_OUT + 1u)
extern const char *const tn_ofctl_reasons[TN_OFCTL_N_REASONS];

/* A list that is being read, with the place of each action in the line. */
struct tn_ofctl_list {
	struct tn_action *action;
	const char **at;
	size_t n, room;
	const char *drop_at; /* where "drop" stands; NULL: nowhere */
	unsigned depth;	     /* of clone() */
	bool any_match;	     /* the match cannot be read: do not miss what it may say */
};
void tn_ofctl_list_fini(struct tn_ofctl_list *list);
/* One more, zeroed, that stands at `at` in the line. */
struct tn_action *tn_ofctl_list_add(
	struct tn_ofctl_list *l, const char *at, enum tn_action_type type);

/*
 * Adds what one item says. match tells mod_tp_src and mod_tp_dst their protocol: NULL where nothing
 * is known of the packet.
 */
int tn_ofctl_action_item(struct tn_ofctl_line *l, const struct tn_ofctl_item *item,
	const struct tn_match *match, struct tn_ofctl_list *list) TN_MUST_CHECK;
/* All items of s. What is wrong with one does not keep the others from being read. */
int tn_ofctl_action_items(struct tn_ofctl_line *l, struct tn_ofctl_span s,
	const struct tn_match *match, struct tn_ofctl_list *list) TN_MUST_CHECK;
/* The word `name` is reply, and arg what stands in its parentheses. */
int tn_ofctl_parse_reply(struct tn_ofctl_line *l, struct tn_ofctl_span name,
	struct tn_ofctl_span arg, struct tn_ofctl_list *list) TN_MUST_CHECK;
void tn_ofctl_put_reply(struct tn_ofctl_out *out, const struct tn_action *a);
/* "drop" stands alone: complains where it does not. */
int tn_ofctl_check_drop(struct tn_ofctl_line *l, const struct tn_ofctl_list *list) TN_MUST_CHECK;

/*
 * The instructions of a flow and all of tn_instructions_check(). match is that of the flow, or NULL
 * when its text was wrong: then only syntax is looked at.
 */
int tn_ofctl_parse_instructions(struct tn_ofctl_line *l, struct tn_ofctl_span s,
	const struct tn_match *match, uint8_t table, struct tn_instructions *inst) TN_MUST_CHECK;
/* A list for `place`, checked. Copied into the arena. */
int tn_ofctl_keep_list(struct tn_ofctl_line *l, const struct tn_ofctl_list *list,
	enum tn_action_place place, const struct tn_action **action, size_t *n) TN_MUST_CHECK;

/* Without list: "drop". */
void tn_ofctl_put_actions(struct tn_ofctl_out *out, const struct tn_action *list, size_t n);
void tn_ofctl_put_instructions(struct tn_ofctl_out *out, const struct tn_instructions *inst);

#endif
