/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From what decide() wrote to the shape the hit path runs. Pure but for reading the forwarding
 * tables.
 */
#ifndef TN_FASTPATH_COMPILE_H
#define TN_FASTPATH_COMPILE_H

#include "dataplane/fastpath/program_cache.h"
#include "dataplane/fastpath/worker.h"

/*
 * Fills *shape up to and with its template. entropy: of the packet, for the choice among equal
 * underlay routes.
 */
void tn_compile(const struct tn_forwarding *fwd, const struct tn_program *program, uint32_t entropy,
	struct tn_fast_program *shape);

/*
 * Takes the counters' addresses out of the COUNT ops from `from` on: a worker reports counts by
 * identity.
 */
void tn_program_without_counters(struct tn_program *program, uint32_t from);

#endif
