/* SPDX-License-Identifier: BSD-3-Clause */
/* --check-state: what a state folder holds, for people. */
#ifndef TN_AGENT_CHECK_STATE_H
#define TN_AGENT_CHECK_STATE_H

#include "dataplane/core/types.h"

/*
 * Reads the folder as a start would and says on standard output what it found. Changes nothing.
 * -1: something is damaged, or it cannot be used, which is said too.
 */
int tn_check_state(const char *state_dir) TN_MUST_CHECK;

#endif
