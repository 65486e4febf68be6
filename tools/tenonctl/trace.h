/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TN_TENONCTL_TRACE_H
#define TN_TENONCTL_TRACE_H

#include "tools/tenonctl/ctl.h"

int tn_ctl_trace(struct tn_ctl *ctl, const struct tn_ctl_words *words);

#endif
