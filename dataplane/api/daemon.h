/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both daemons owe their machine: one instance a state folder, few privileges, news for
 * systemd. Main thread, before others are made; the notes at any time.
 */
#ifndef TN_API_DAEMON_H
#define TN_API_DAEMON_H

#include "dataplane/core/error.h"

/*
 * The state folder, made (mode 0700) if it is not there, locked for the life of the returned
 * descriptor. program: its name, for the sentence. -1 with err; *locked says that another process
 * has it.
 */
int tn_daemon_lock(const char *state_dir, const char *program, bool *locked,
	struct tn_error *err) TN_MUST_CHECK;

#define TN_DAEMON_CAPABILITY(number) (UINT64_C(1) << (number))

/*
 * Gives up all capabilities but these (bits TN_DAEMON_CAPABILITY(CAP_X)), of those the process has;
 * nothing that is executed later gets more. Threads that are made later inherit it. -1 with err.
 */
int tn_daemon_keep_capabilities(uint64_t capabilities, struct tn_error *err) TN_MUST_CHECK;

/*
 * "READY=1" and the like to whoever started this, if it wants to know (NOTIFY_SOCKET). -1 with err:
 * it wanted to, and was not told.
 */
int tn_daemon_notify(const char *state, struct tn_error *err) TN_MUST_CHECK;

#endif
