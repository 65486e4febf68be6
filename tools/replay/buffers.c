/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/buffers.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/core/program.h"
#include "tools/replay/memory.h"

#define HEADROOM 256u
#define TAILROOM 256u
#define SIZE	 (HEADROOM + TN_FRAME_MAX + TAILROOM)

/* The frame itself, its clones, and one more for a tunnel header before a frame in use. */
#define MOST (TN_CLONE_DEPTH_MAX + 2)

struct tn_buffers {
	uint8_t *memory[MOST]; /* made when first used */
	unsigned taken;
};

struct tn_buffers *tn_buffers_new(void)
{
	return tn_alloc(sizeof(struct tn_buffers));
}

void tn_buffers_free(struct tn_buffers *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < MOST; i++)
		free(b->memory[i]);
	free(b);
}

bool tn_buffers_take(struct tn_buffers *b, const uint8_t *data, uint32_t len, uint32_t wire_len,
	struct tn_view *view)
{
	uint8_t *memory;

	if (b->taken == MOST || len > TN_FRAME_MAX + TAILROOM)
		return false;
	if (!b->memory[b->taken])
		b->memory[b->taken] = tn_alloc(SIZE);
	memory = b->memory[b->taken++];
	memcpy(memory + HEADROOM, data, len);
	*view = (struct tn_view){
		.data = memory + HEADROOM,
		.len = len,
		.wire_len = wire_len,
		.headroom = HEADROOM,
		.tailroom = SIZE - HEADROOM - len,
	};
	return true;
}

void tn_buffers_give_back(struct tn_buffers *b, const struct tn_view *view)
{
	const uint8_t *memory;

	TN_ASSERT(b->taken > 0);
	memory = b->memory[--b->taken];
	TN_ASSERT(view->data >= memory && view->data <= memory + SIZE);
	(void)memory;
	(void)view;
}
