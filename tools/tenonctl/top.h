/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TN_TENONCTL_TOP_H
#define TN_TENONCTL_TOP_H

#include "tools/tenonctl/ctl.h"

int tn_ctl_top_ports(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_top_flows(struct tn_ctl *ctl, const struct tn_ctl_words *words);

#endif
