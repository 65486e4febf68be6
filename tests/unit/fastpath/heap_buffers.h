/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers of the heap, and how many of them are not free again. Included after cmocka. */
#ifndef TN_UNIT_FASTPATH_HEAP_BUFFERS_H
#define TN_UNIT_FASTPATH_HEAP_BUFFERS_H

#include <stdlib.h>
#include <string.h>

#include "dataplane/fastpath/port.h"

#define HEADROOM 256u

static unsigned buffers_live;

static inline bool buffer_alloc(void *ctx, uint32_t len, struct tn_packet *p)
{
	uint8_t *buf = malloc(HEADROOM + len);

	(void)ctx;
	assert_non_null(buf);
	buffers_live++;
	*p = (struct tn_packet){
		.buf = buf, .data = buf + HEADROOM, .len = len, .headroom = HEADROOM};
	return true;
}

static inline bool buffer_clone(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	(void)buffer_alloc(ctx, p->len, copy);
	memcpy(copy->data, p->data, p->len);
	return true;
}

static inline void buffer_free(void *ctx, const struct tn_packet *p, unsigned n)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++)
		free(p[i].buf);
	buffers_live -= n;
}

static const struct tn_buffer_ops buffer_ops = {
	.clone = buffer_clone, .alloc = buffer_alloc, .free = buffer_free};

#endif
