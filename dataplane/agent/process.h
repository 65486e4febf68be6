/* SPDX-License-Identifier: BSD-3-Clause */
/* What the switch keeps of its privileges, and its news for systemd. */
#ifndef TN_AGENT_PROCESS_H
#define TN_AGENT_PROCESS_H

#include "dataplane/core/types.h"

/*
 * Keeps what ports need (network devices, raw sockets, BPF, locked memory) and, with `all`, what
 * PCI devices and other network namespaces need. Nothing that is executed later gets more. Before
 * threads are made, which inherit it. -1: said why.
 */
int tn_process_drop_privileges(bool all) TN_MUST_CHECK;

/* "READY=1" and the like to whoever started this, if it wants to know (NOTIFY_SOCKET). */
void tn_process_notify(const char *state);

#endif
