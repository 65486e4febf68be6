/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of the addresses that a worker sees is told to the main thread: one that comes in every
 * packet once a second, and new ones of a port and network so many a second, so that who makes up
 * addresses takes nothing from others. One worker's own.
 */
#ifndef TN_AGENT_LEARNING_H
#define TN_AGENT_LEARNING_H

#include "dataplane/core/program.h"

#define TN_LEARNING_RATE  1000u
#define TN_LEARNING_BURST 2000u

struct tn_learning;

struct tn_learning *tn_learning_new(void);
void tn_learning_free(struct tn_learning *l);

/* One of what a port of a network may tell of in a second. */
bool tn_learning_pays(struct tn_learning *l, uint32_t port, uint32_t network, uint64_t now_ns);
/*
 * epoch: of what is known in the network, as this worker sees it. Once that changed an address is
 * told again: it may be known elsewhere by now. What was told late says nothing of one that comes.
 */
bool tn_learning_tells(
	struct tn_learning *l, const struct tn_learnt *learnt, uint32_t epoch, uint64_t now_ns);

#endif
