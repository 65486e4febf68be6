/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on whole lists of flows. */
#ifndef TN_TENONCTL_FLOW_DUMP_H
#define TN_TENONCTL_FLOW_DUMP_H

#include "tools/tenonctl/ctl.h"

int tn_ctl_flow_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_flow_replace(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_flow_diff(struct tn_ctl *ctl, const struct tn_ctl_words *words);

#endif
