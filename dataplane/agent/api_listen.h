/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of the API's socket: who may connect, and whose it is. */
#ifndef TN_AGENT_API_LISTEN_H
#define TN_AGENT_API_LISTEN_H

#include "dataplane/core/error.h"

/*
 * Listens at this path: mode 0660, of the group "tenon" where there is one; the folder is made if
 * it is the only one missing. The file of a process that is gone is replaced. A descriptor that
 * does not block, or -1 with err: another process listens there, something else has the name, or
 * the path cannot be used. Before privileges are dropped, for the group.
 */
int tn_api_listen(const char *path, struct tn_error *err) TN_MUST_CHECK;

/* The file goes, if it is still the one of this descriptor; the descriptor stays open. */
void tn_api_unlink(const char *path, int fd);

#endif
