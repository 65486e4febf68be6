/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run did, in a form for people. The same input gives the same text. */
#ifndef TN_REPLAY_SUMMARY_H
#define TN_REPLAY_SUMMARY_H

#include <stdio.h>

#include "tools/replay/report.h"

void tn_summary_print(FILE *f, const struct tn_report *report);

#endif
