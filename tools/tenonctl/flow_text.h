/* SPDX-License-Identifier: BSD-3-Clause */
/* Flows as lines of ovs-ofctl and as JSON: of the user and of the daemon. */
#ifndef TN_TENONCTL_FLOW_TEXT_H
#define TN_TENONCTL_FLOW_TEXT_H

#include "control/model/ofctl.h"
#include "tools/tenonctl/input.h"

/* "table=0,priority=5,tcp actions=drop", "delete table=3,..."; the caller frees it. */
char *tn_ctl_flow_mod_text(const struct tn_flow_mod *fm, const struct tn_names *names);

/* A flow of an answer as text, or JSON where it cannot be; the caller frees it. */
char *tn_ctl_flow_json_text(struct tn_ctl *ctl, const json_t *flow);

/* What is wrong with a line that was just parsed; then it is forgotten. */
void tn_ctl_say_diagnostics(struct tn_ctl *ctl, const struct tn_ctl_line *line);
/* The same of a file in JSON; base: the pointer of what was read, before those of the diagnostics.
 */
void tn_ctl_say_document(struct tn_ctl *ctl, const char *source, const char *base);
/* Memory of what was parsed is free again. */
void tn_ctl_forget_text(struct tn_ctl *ctl);

typedef void (*tn_ctl_mod_fn)(void *ctx, const struct tn_flow_mod *fm);
/*
 * Each flow of lines, or of {"flows":[..]}, to add (or, lines, as `use` says), with the owner of
 * --app where it names none. fm points into the arena until fn returns. TN_CTL_OK, or the exit
 * code after all that is wrong was said.
 */
int tn_ctl_each_mod(struct tn_ctl *ctl, struct tn_ctl_input *in, enum tn_ofctl_use use,
	tn_ctl_mod_fn fn, void *ctx) TN_MUST_CHECK;

/* Flows as the daemon lists them. */
struct tn_ctl_flow {
	struct tn_flow_info info;
	uint64_t life_s, last_seen_ms; /* since 1970 */
	const char *state;	       /* "ADDED", ... */
	const char *failure;	       /* "": none */
};

typedef void (*tn_ctl_flow_fn)(void *ctx, const struct tn_ctl_flow *flow);
/* Each flow of {"flows":[..]}; info points into the arena until fn returns. -1: it was said what
 * the answer has. */
int tn_ctl_each_flow(struct tn_ctl *ctl, const char *text, size_t len, tn_ctl_flow_fn fn,
	void *ctx) TN_MUST_CHECK;

#endif
