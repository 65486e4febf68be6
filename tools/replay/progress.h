/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far a run is, on standard error: a bar that is redrawn on a terminal; where there is none
 * (and it is wanted nevertheless) a line a step of ten percent.
 */
#ifndef TN_REPLAY_PROGRESS_H
#define TN_REPLAY_PROGRESS_H

#include "dataplane/core/types.h"

struct tn_progress {
	bool on, terminal;
	bool drawn; /* a bar is on the screen */
	unsigned step;
	uint64_t started_ns, next_ns; /* of the machine's clock */
};

void tn_progress_init(struct tn_progress *p, bool wanted);
/* part: 0 to 1, negative when unknown. Draws a few times a second at most. */
void tn_progress_update(struct tn_progress *p, double part, uint64_t packets);
/* Takes the bar away, so that other output may come. */
void tn_progress_clear(struct tn_progress *p);
/* Seconds since init. */
double tn_progress_seconds(const struct tn_progress *p);

#endif
