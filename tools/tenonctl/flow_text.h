/* SPDX-License-Identifier: BSD-3-Clause */
/* Flows as lines of ovs-ofctl, and what is wrong with such lines. */
#ifndef TN_TENONCTL_FLOW_TEXT_H
#define TN_TENONCTL_FLOW_TEXT_H

#include "tools/tenonctl/input.h"

/* "table=0,priority=5,tcp actions=drop", "delete table=3,..."; the caller frees it. */
char *tn_ctl_flow_mod_text(const struct tn_flow_mod *fm, const struct tn_names *names);

/* A flow of an answer as text, or JSON where it cannot be; the caller frees it. */
char *tn_ctl_flow_json_text(struct tn_ctl *ctl, const json_t *flow);

/* What is wrong with a line that was just parsed; then it is forgotten. */
void tn_ctl_say_diagnostics(struct tn_ctl *ctl, const struct tn_ctl_line *line);
/* Memory of what was parsed is free again. */
void tn_ctl_forget_text(struct tn_ctl *ctl);

/* Flows as the daemon lists them. */
struct tn_ctl_flow {
	struct tn_flow_info info;
	uint64_t life_s;
	const char *state; /* "ADDED", ... */
};

typedef void (*tn_ctl_flow_fn)(void *ctx, const struct tn_ctl_flow *flow);
/* Each flow of {"flows":[..]}; info points into the arena until tn_ctl_forget_text(). -1: it was
 * said what the answer has. */
int tn_ctl_each_flow(struct tn_ctl *ctl, const char *text, size_t len, tn_ctl_flow_fn fn,
	void *ctx) TN_MUST_CHECK;

#endif
