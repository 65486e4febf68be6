/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers write while the main thread looks. */
#ifndef TN_AGENT_GLANCE_H
#define TN_AGENT_GLANCE_H

#include "dataplane/core/types.h"

/*
 * Copies what another thread goes on writing: each aligned 64-bit word is whole, two of them may be
 * some packets apart, and that race is meant. For numbers that are shown, not for what is acted on.
 */
__attribute__((no_sanitize("thread"))) static inline void tn_glance(
	void *to, const void *from, size_t size)
{
	uint64_t *t = to;
	const uint64_t *f = from;

	for (size_t i = 0; i < size / sizeof(*t); i++)
		t[i] = ((const volatile uint64_t *)f)[i];
}

#endif
