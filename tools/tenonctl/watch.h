/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TN_TENONCTL_WATCH_H
#define TN_TENONCTL_WATCH_H

#include "tools/tenonctl/ctl.h"

int tn_ctl_watch(struct tn_ctl *ctl, const struct tn_ctl_words *words);

#endif
