/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TN_TENONCTL_TRACE_H
#define TN_TENONCTL_TRACE_H

#include "tools/tenonctl/ctl.h"

int tn_ctl_trace(struct tn_ctl *ctl, const struct tn_ctl_words *words);

/* What a trace answered, in few words: what each rule is there for, and where it ends. */
void tn_ctl_print_path(struct tn_ctl *ctl, const json_t *reply);

#endif
