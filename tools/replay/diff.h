/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that fare differently under two configurations. */
#ifndef TN_REPLAY_DIFF_H
#define TN_REPLAY_DIFF_H

#include "tools/replay/engine.h"
#include "tools/replay/trace.h"

struct tn_diff {
	struct tn_engine *engines[2];
	struct tn_fate fates[2];
	FILE *list;  /* for people; NULL: not wanted */
	FILE *lines; /* JSON, one line a packet that differs; NULL: not wanted */
	uint64_t packets, differing;
	json_t *first; /* array: the first ones, for the report */
};

#define TN_DIFF_MAX 1000u /* in `first` */

void tn_diff_init(struct tn_diff *d, struct tn_engine *a, struct tn_engine *b);
void tn_diff_fini(struct tn_diff *d);

/* After both engines had the frame. False: cannot write. */
bool tn_diff_packet(struct tn_diff *d, const struct tn_trace_frame *frame);

#endif
