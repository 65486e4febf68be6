/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All inputs as one stream in the order of time: equal times in the order of the inputs, frames of
 * one input in its own order. A frame whose time is before that of the frame before it in its
 * file enters at the time of that one. With loops the inputs come again, their times shifted so
 * that time goes on. Memory is bounded, whatever the captures' size.
 */
#ifndef TN_REPLAY_MERGE_H
#define TN_REPLAY_MERGE_H

#include "dataplane/port/capture.h"

struct tn_merge;

struct tn_merge_record {
	struct tn_capture_record frame; /* data valid until the next call; time_ns as it enters */
	size_t input;			/* position in the list of paths */
};

/* NULL with err filled. paths are borrowed. */
struct tn_merge *tn_merge_open(
	const char *const *paths, size_t n, uint64_t loops, struct tn_capture_error *err);
void tn_merge_close(struct tn_merge *m);

/* As tn_capture_next(). The first error ends the stream. */
int tn_merge_next(struct tn_merge *m, struct tn_merge_record *rec,
	struct tn_capture_error *err) TN_MUST_CHECK;

/* Time of the first frame; 0 when there is none. */
uint64_t tn_merge_start(const struct tn_merge *m);
/* Frames that entered later than their time stamp said. */
uint64_t tn_merge_late(const struct tn_merge *m);
/* Part of the whole that is done, 0 to 1; negative when it cannot be known. */
double tn_merge_progress(const struct tn_merge *m);

#endif
