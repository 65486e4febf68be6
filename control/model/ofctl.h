/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ovs-ofctl text of flows, groups and meters, in and out. Parsers read one line; errors carry the
 * column (from 1, in bytes) of the word that is wrong and, where one is near, the right word.
 * Printing a parsed line gives canonical text, which is a fixed point. No I/O.
 */
#ifndef TN_MODEL_OFCTL_H
#define TN_MODEL_OFCTL_H

#include "control/model/arena.h"
#include "control/model/diagnostics.h"
#include "control/model/names.h"
#include "dataplane/core/info.h"
#include "dataplane/core/meter.h"
#include "dataplane/core/mods.h"

/*
 * Which keys a line may have. Without table= an ADD and the strict ones mean table 0, the others
 * every table.
 */
enum tn_ofctl_use {
	TN_OFCTL_ADD, /* flow to add: actions needed, no cookie mask */
	TN_OFCTL_MODIFY,
	TN_OFCTL_MODIFY_STRICT,
	TN_OFCTL_DELETE,	/* no actions, no priority; out_port, out_group, cookie/mask */
	TN_OFCTL_DELETE_STRICT, /* the same with priority */
	TN_OFCTL_FILTER,	/* dump filter: as DELETE */
	TN_OFCTL_ANY,		/* the line's own first word says (add if none) */
};

struct tn_ofctl {
	struct tn_names *names; /* of ports and tables; may be NULL */
	struct tn_arena *arena;
	struct tn_diagnostics *diag; /* pointer NULL, column set; line = `line` */
	uint32_t line;
};

/* 0, or -EINVAL with at least one diagnostic. text need not be NUL-terminated. */
int tn_ofctl_parse_flow(struct tn_ofctl *o, enum tn_ofctl_use use, const char *text, size_t len,
	struct tn_flow_mod *fm) TN_MUST_CHECK;
int tn_ofctl_parse_group(struct tn_ofctl *o, enum tn_group_command command, const char *text,
	size_t len, struct tn_group_mod *gm) TN_MUST_CHECK;
int tn_ofctl_parse_meter(struct tn_ofctl *o, enum tn_meter_command command, const char *text,
	size_t len, struct tn_meter_mod *mm) TN_MUST_CHECK;
/* A list of actions alone, with or without "actions=" before it, for packet-out. */
int tn_ofctl_parse_actions(struct tn_ofctl *o, const char *text, size_t len,
	const struct tn_action **list, size_t *n) TN_MUST_CHECK;

/* The words that a line may have, for completion. takes_value: = or : follows. */
typedef void (*tn_ofctl_word_fn)(void *ctx, const char *word, bool takes_value);
/* Keys, fields and protocols before actions=. */
void tn_ofctl_each_key(tn_ofctl_word_fn fn, void *ctx);
/* Actions and instructions. */
void tn_ofctl_each_action(tn_ofctl_word_fn fn, void *ctx);

/*
 * The printers return malloc()ed text without newline; NULL only without memory. A dump line starts
 * with a space and has cookie, duration and counters; without stats it is what add-flow takes.
 * Ports and tables are printed by number, those that have one in `names` by name; with names NULL
 * always by number, which is what ovs-ofctl does unless told otherwise.
 */
char *tn_ofctl_print_flow(
	const struct tn_flow_info *flow, const struct tn_names *names, bool stats, uint64_t now_ns);
char *tn_ofctl_print_match(const struct tn_match *match, const struct tn_names *names);
char *tn_ofctl_print_actions(const struct tn_action *list, size_t n, const struct tn_names *names);
char *tn_ofctl_print_group(const struct tn_group_info *group, const struct tn_names *names);
char *tn_ofctl_print_meter(const struct tn_meter *meter);

#endif
