/* SPDX-License-Identifier: BSD-3-Clause */
/* One run of the program, from its options to its exit status. */
#ifndef TN_REPLAY_RUN_H
#define TN_REPLAY_RUN_H

#include "tools/replay/options.h"

/* Everything is said on standard output and error; returns enum tn_exit. */
int tn_run(const struct tn_options *options);

#endif
