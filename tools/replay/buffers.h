/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that frames are changed in. Copies are given back in the reverse order, as CLONEs nest. */
#ifndef TN_REPLAY_BUFFERS_H
#define TN_REPLAY_BUFFERS_H

#include "dataplane/core/view.h"

struct tn_buffers;

struct tn_buffers *tn_buffers_new(void);
void tn_buffers_free(struct tn_buffers *b);

/*
 * A view on a copy of the frame with room around it; NULL-free: false when as many copies are out
 * as the executor nests, or the frame is longer than TN_FRAME_MAX and what tunnels add.
 */
bool tn_buffers_take(struct tn_buffers *b, const uint8_t *data, uint32_t len, uint32_t wire_len,
	struct tn_view *view);
/* The copy taken last. */
void tn_buffers_give_back(struct tn_buffers *b, const struct tn_view *view);

#endif
