/* SPDX-License-Identifier: BSD-3-Clause */
/* What commands share. */
#ifndef TN_TENONCTL_SHARE_H
#define TN_TENONCTL_SHARE_H

#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/input.h"

/* --- changes ---------------------------------------------------------------------------------- */

/* Operations of transactions, or flows, as the text that is sent. */
struct tn_ctl_operations {
	char *text; /* with commas between */
	size_t len, room;
	size_t *ends; /* in text, of each one */
	size_t n, ends_room;
};

/* The operation is taken over. */
void tn_ctl_operations_add(struct tn_ctl_operations *ops, json_t *operation);
void tn_ctl_operations_fini(struct tn_ctl_operations *ops);

/*
 * The array `key` of a JSON document, or the array alone, each element as {"op":op, one:element};
 * what is to be added and has no owner gets that of --app.
 */
int tn_ctl_read_document(struct tn_ctl *ctl, struct tn_ctl_input *in, const char *key,
	const char *one, const char *op, struct tn_ctl_operations *ops) TN_MUST_CHECK;

/*
 * Sends them and tells what came of it; done: how the sentence about the objects that were changed
 * ends ("flow", "deleted"), NULL: only what is asked for is told. whole: one transaction, or none.
 */
struct tn_ctl_done {
	const char *noun, *participle;
};
int tn_ctl_apply(struct tn_ctl *ctl, struct tn_ctl_operations *ops, const struct tn_ctl_input *in,
	const struct tn_ctl_done *done, bool whole) TN_MUST_CHECK;

/* What came of a change that was not refused: JSON, the difference of a dry run, or `done`, a line
 * or NULL, with how long it waits to be confirmed and whether the data plane is away. */
void tn_ctl_tell(struct tn_ctl *ctl, const json_t *answer, const char *done);

/* --- answers ---------------------------------------------------------------------------------- */

/* Indented, to standard output. 0. */
int tn_ctl_print_json(const json_t *value);
/* An object of a kind ("flow", "port") as a line; the caller frees it. */
char *tn_ctl_object_text(struct tn_ctl *ctl, const char *kind, json_t *object);
/* A group or meter of an answer as text, or NULL; the caller frees it. */
char *tn_ctl_group_json_text(struct tn_ctl *ctl, const json_t *group);
char *tn_ctl_meter_json_text(struct tn_ctl *ctl, const json_t *meter);
/* A port's options: "interface=ta netns=a"; the caller frees it. */
char *tn_ctl_port_options_text(const json_t *port);

/* A member as text of a table: strings as they are, numbers, yes and no; "-": not there. */
const char *tn_ctl_text(const json_t *object, const char *key, char buf[32]);
uint64_t tn_ctl_number(const json_t *object, const char *key);
bool tn_ctl_flag(const json_t *object, const char *key);
/* "3 s", "5 min", "2 h", "4 d" */
const char *tn_ctl_age(uint64_t seconds, char buf[32]);
/* "9981", "15k", "2.1M" */
const char *tn_ctl_amount(double value, char buf[32]);

/* One sentence about a reason for drops; "": unknown. */
const char *tn_ctl_drop_text(const char *reason);

/* The number of a port by its name or number; 0: it was said that there is none. */
uint32_t tn_ctl_port_number(struct tn_ctl *ctl, const char *word);
/* A table by its name or number; -1: it was said that there is none. */
int tn_ctl_table_number(struct tn_ctl *ctl, const char *word);

#endif
