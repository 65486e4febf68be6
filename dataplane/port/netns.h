/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Work in another network namespace, without taking the process there: sockets and devices belong
 * to the namespace of the thread that opened them, for good, so a thread enters it, opens them and
 * ends. Needs CAP_SYS_ADMIN.
 */
#ifndef TN_PORT_NETNS_H
#define TN_PORT_NETNS_H

#include "dataplane/core/error.h"

/* 0, or what was refused with err filled. */
typedef int (*tn_netns_fn)(void *arg, struct tn_error *err);

/*
 * Runs fn in the namespace and returns what it returned. netns: a name as `ip netns` knows it, the
 * path of a namespace file, or NULL or "": this one. Any thread.
 */
int tn_netns_run(const char *netns, tn_netns_fn fn, void *arg, struct tn_error *err) TN_MUST_CHECK;

#endif
